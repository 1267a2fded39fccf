"""Part `exposure_response.subgroups`: odds ratios of the primary pairs within subgroups."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section


class Subgroup(Section):
    """A variable by which the subjects are divided."""

    variable: Code = Field(description="Variable of ADER.")
    split: Literal["LEVELS", "MEDIAN"] = Field(
        "LEVELS",
        description="LEVELS: each level of a text; MEDIAN: at or below, and above, the median.",
    )


def _default_variables() -> tuple[Subgroup, ...]:
    return (
        Subgroup(variable="INDIC"),
        Subgroup(variable="AGEGR1"),
        Subgroup(variable="SEX"),
        Subgroup(variable="LTBURDZ", split="MEDIAN"),
        Subgroup(variable="TRT01A"),
        Subgroup(variable="PROCESS"),
        Subgroup(variable="PRHSCT"),
        Subgroup(variable="BRIDGFL"),
    )


class SubgroupSettings(Section):
    """Odds ratios of the primary pairs within subgroups, and tests of interaction."""

    variables: tuple[Subgroup, ...] = Field(
        default_factory=_default_variables,
        description="Variables of the subgroups; empty: no subgroups.",
    )
    adjustment: Code | Literal[""] = Field(
        "", description="Adjustment within subgroups; blank: the primary one."
    )
    min_events: int = Field(
        8,
        ge=2,
        description=(
            "Fewer events, or fewer non-events, in a subgroup: no odds ratio there, and the "
            "subgroup is left out of the test of interaction."
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [item.variable for item in self.variables]
        if len(set(names)) < len(names):
            raise ValueError("variables names a variable twice")
        return self

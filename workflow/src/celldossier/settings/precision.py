"""Part `precision` of the section `dose_exploration`: sample sizes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

Size = Annotated[int, Field(ge=1, le=10_000)]
Rate = Annotated[float, Field(gt=0, lt=1)]


class PrecisionSettings(Section):
    """Sample sizes whose precision is stated (S3.2-13)."""

    planned_by_dose: dict[str, Size] = Field(
        default_factory=dict,
        description=(
            "Planned number of subjects by dose level, as the level is named in the data. Blank: "
            "the precision is stated at the numbers obtained alone."
        ),
    )
    planned_total: Size | None = Field(
        None,
        description="Planned number of subjects in all; the sum of `planned_by_dose` where blank.",
    )
    parameters: tuple[Code, ...] = Field(
        ("AUC28", "CMAX"),
        min_length=1,
        description="Parameters of exposure (PARAMCD) whose geometric mean is considered.",
    )
    factors: tuple[Annotated[float, Field(gt=1, le=10)], ...] = Field(
        (1.4, 2.0),
        min_length=1,
        description=(
            "Precision aimed at: largest ratio of the upper confidence limit to the geometric "
            "mean. The number of subjects that it needs is given for each."
        ),
    )
    assurance: Rate = Field(
        0.8,
        description=(
            "Chance with which the limits of a study, whose own standard deviation varies, are "
            "to lie within the factor."
        ),
    )
    sd_limit: Rate = Field(
        0.95,
        description=(
            "Level of the one-sided upper confidence limit of the standard deviation, at which "
            "the widths are given a second time."
        ),
    )
    event_rates: tuple[Rate, ...] = Field(
        (0.01, 0.05, 0.1, 0.2, 0.4), min_length=1, description="True rates of an event considered."
    )
    event_chance: Rate = Field(
        0.95,
        description=(
            "Chance of at least one event for which the number of subjects is given, and level of "
            "the largest rate that no event at all is compatible with (one-sided)."
        ),
    )
    confidence_level: Rate = Field(0.95, description="Level of the two-sided intervals.")

    @model_validator(mode="after")
    def _total_holds_its_parts(self) -> PrecisionSettings:
        if self.planned_total is not None and self.planned_total < sum(
            self.planned_by_dose.values()
        ):
            raise ValueError("planned_total is smaller than the sum of planned_by_dose")
        return self

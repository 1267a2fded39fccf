"""Part `cellular` of section `immunogenicity`: who has a cellular immune response."""

from __future__ import annotations

from pydantic import Field, field_validator

from celldossier.settings.base import Code, Section


class CellularRule(Section):
    """From which readout on a sample shows a response: both criteria must be met."""

    unit: str = Field(
        min_length=1,
        description="Unit of the readout that the rule is for, as ADAB.AVALU has it.",
    )
    fold: float = Field(ge=1, description="Smallest ratio of the readout to its control (no unit).")
    difference: float = Field(
        ge=0, description="Smallest readout above its control, in `unit` of the rule."
    )


RULES = (
    CellularRule(unit="SFU/10^6 cells", fold=3, difference=50),
    CellularRule(unit="%", fold=3, difference=0.05),
)


class CellularSettings(Section):
    """Cellular immune responses: ELISpot, intracellular cytokines, activation markers."""

    rules: tuple[CellularRule, ...] = Field(
        RULES,
        description=(
            "Responder rule of each unit of readouts (spot-forming units of an ELISpot; percent of "
            "cells by flow cytometry). No source gives limits that hold for all assays: the "
            "defaults are a starting point, the sponsor's to justify from the validation of the "
            "assay. A readout whose unit has no rule is not judged."
        ),
    )
    controls: dict[Code, Code] = Field(
        default_factory=dict,
        description=(
            "Test code of the control wells (no stimulation) of the same sample, by test code. A "
            "test that is not named here is held against the subject's own baseline, so that it "
            "tells nothing of responses at baseline."
        ),
    )

    @field_validator("rules")
    @classmethod
    def _one_rule_a_unit(cls, rules: tuple[CellularRule, ...]) -> tuple[CellularRule, ...]:
        units = [rule.unit for rule in rules]
        twice = sorted({unit for unit in units if units.count(unit) > 1})
        if twice:
            raise ValueError(f"the unit {twice[0]} has more than one responder rule")
        return rules

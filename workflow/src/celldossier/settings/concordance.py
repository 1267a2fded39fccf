"""Part `concordance` of section `cellular_kinetics`: which assays of the cells are compared."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section


class AssayPair(Section):
    """Two analytes that were measured in the same samples."""

    first: Code = Field(description="Analyte on the horizontal axis, for instance PCR.")
    second: Code = Field(description="Analyte that is compared with it, for instance FLOW.")

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.first == self.second:
            raise ValueError(f"the analyte {self.first} cannot be compared with itself")
        return self


class ConcordanceSettings(Section):
    """Comparison of two assays of the cells (S4.3-1)."""

    pairs: tuple[AssayPair, ...] = Field(
        (),
        description=(
            "Assays to compare. Where none is given: the primary analyte with each other measured "
            "analyte of the cells that has another unit."
        ),
    )
    time_difference: float = Field(
        0.1,
        ge=0,
        description=(
            "Longest distance of two results of one sample, days. They also have the same nominal "
            "time where both have one, and the same specimen."
        ),
    )
    error_ratio: float = Field(
        1,
        gt=0,
        description=(
            "Deming regression: variance of the errors of the first assay over that of the "
            "second, both of natural logarithms."
        ),
    )
    confidence_level: float = Field(
        0.95, gt=0, lt=1, description="Level of all confidence limits of the comparison."
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [frozenset((pair.first, pair.second)) for pair in self.pairs]
        if len(set(named)) < len(named):
            raise ValueError("two assays are compared once only; a pair is named twice")
        return self

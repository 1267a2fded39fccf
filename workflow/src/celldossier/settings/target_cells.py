"""Part `target_cells` of the section `pharmacodynamics`: loss and recovery of the target cells."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section


class TargetCellSettings(Section):
    """Loss of the target cells, and lymphocyte subsets."""

    marker: str = Field(
        "CD19B",
        pattern=r"^([A-Z][A-Z0-9_]{0,39})?$",
        description=(
            "Analyte that counts the target cells in blood, such as B cells where the product is "
            "directed against CD19; blank: the target is not a cell that is counted in blood."
        ),
    )
    specimen: str = Field("", description="Specimen of the marker; blank: its most frequent one.")
    direction: Literal["below", "above"] = Field(
        "below", description="Side of `threshold` on which the target cells count as lost."
    )
    threshold: float = Field(
        100,
        ge=0,
        description=(
            "Limit of the loss, in the unit of the marker: below it (or above, after `direction`) "
            "the target cells are lost. A result at the limit is not. The default is that of the "
            "recovery of B cells in study_data.efficacy.time_to_event.recoveries, cells/uL."
        ),
    )
    recovered: float | None = Field(
        None,
        ge=0,
        description=(
            "Limit of the recovery, in the unit of the marker, reached or passed; blank: "
            "`threshold`."
        ),
    )
    consecutive: int = Field(
        2, ge=1, description="Consecutive samples that reach `recovered`, which make a recovery."
    )
    depleting: tuple[str, ...] = Field(
        (
            "RITUXIMAB",
            "OBINUTUZUMAB",
            "OFATUMUMAB",
            "BENDAMUSTINE",
            "INOTUZUMAB OZOGAMICIN",
            "BLINATUMOMAB",
        ),
        description=(
            "Standardised names (CMDECOD) of drugs that deplete the target cells and are given "
            "before the product: antibodies against the lineage, bridging treatment."
        ),
    )
    washout: float = Field(
        180,
        gt=0,
        description="Days before the first infusion within which a depleting drug is counted.",
    )
    exposure: Code = Field(
        "AUC28",
        description="Parameter of ADPP of the stage's analyte whose median splits the subjects.",
    )
    min_subjects: int = Field(
        5, ge=2, description="Least number of subjects for which a median duration is estimated."
    )
    subsets: tuple[Code, ...] = Field(
        ("CD3", "CD4", "CD8", "TREG", "NK"),
        description="Analytes of the lymphocyte subsets in blood, counts or percent, in order.",
    )
    parents: dict[Code, Code] = Field(
        default_factory=lambda: {"CD4": "CD3", "CD8": "CD3", "TREG": "CD4"},
        description=(
            "Subset to the subset that holds it: its percent of the parent is computed where both "
            "were counted in the same sample."
        ),
    )
    ratio: tuple[Code, Code] = Field(
        ("CD4", "CD8"), description="Numerator and denominator of the CD4 to CD8 ratio in blood."
    )

    days: tuple[float, ...] = Field(
        (),
        description=(
            "Planned days from the first infusion that the tables show by visit; blank: all. "
            "Baseline and visits without a planned day are always shown; figures have all days."
        ),
    )

    @model_validator(mode="after")
    def _sides(self) -> Self:
        if self.recovered is not None and (
            (self.direction == "below" and self.recovered < self.threshold)
            or (self.direction == "above" and self.recovered > self.threshold)
        ):
            raise ValueError("recovered lies on the side of the loss")
        return self

    @property
    def recovery_limit(self) -> float:
        """Limit of the recovery."""
        return self.threshold if self.recovered is None else self.recovered

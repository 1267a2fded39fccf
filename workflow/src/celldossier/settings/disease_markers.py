"""Part `disease` of the section `pharmacodynamics`: tumour size, soluble target, scores."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section

REFERENCE_LINES: dict[Code, tuple[float, ...]] = {
    "SPD": (-50.0, 50.0),
    "SUMDIAM": (-30.0, 20.0),
}


class DiseaseMarkerSettings(Section):
    """Markers of the disease: tumour size, soluble target, residual disease, scores."""

    markers: tuple[Code, ...] = Field(
        ("SUMDIAM", "SPD", "MPROT", "SFLC", "SBCMA", "BLAST"),
        description=(
            "Analytes of the extent of the disease, in order: sum of diameters (mm) or of products "
            "of diameters (mm2), M protein, free light chains, soluble target, blasts. A fall is "
            "an improvement."
        ),
    )
    until_progression: bool = Field(
        True,
        description=(
            "Assessments after the first progression or relapse do not count for the best change; "
            "that at which it was found does."
        ),
    )
    progression_window: float = Field(
        7,
        ge=0,
        description=(
            "Days by which a measurement may be later than the assessment that calls the "
            "progression, and still belong to it."
        ),
    )
    until_new_therapy: bool = Field(
        True,
        description=(
            "Assessments after a new therapy, a retreatment or an unplanned infusion do not count."
        ),
    )
    reference_lines: dict[Code, tuple[float, ...]] = Field(
        default_factory=lambda: dict(REFERENCE_LINES),
        description=(
            "Changes from baseline, %, that the figures mark for a marker. Defaults: the limits of "
            "partial response and of progression of Lugano 2014 (products of diameters) and of "
            "RECIST 1.1 (sum of diameters)."
        ),
    )

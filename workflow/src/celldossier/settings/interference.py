"""Part `interference` of the section `immunogenicity`: what disturbs an antibody assay."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section


class MedicationWindow(Section):
    """Medicines, and how long they disturb an antibody assay."""

    names: tuple[str, ...] = Field(
        (),
        description=(
            "Standardised names (CMDECOD) or classes (CMCLASS of ADCM), in any case of letters; "
            "empty: none is looked for."
        ),
    )
    days: float = Field(
        90,
        ge=0,
        description=(
            "Days after the last day of the medicine on which a sample still counts as under it; "
            "90 is about four half-lives of an immunoglobulin G."
        ),
    )


class SolubleTarget(Section):
    """Soluble target in blood, which binds what the assay would find."""

    target: str = Field(
        "", description="Target of the antibodies (ISBDAGNT) whose assay it disturbs; blank: all."
    )
    marker: Code = Field(description="Marker code of ADPD that measures the soluble target.")
    limit: float = Field(
        gt=0,
        description=(
            "Level above which a negative result is inconclusive, in the unit of the marker: the "
            "tolerance of the assay for the target."
        ),
    )
    days: float = Field(
        3,
        ge=0,
        description=(
            "Days at most between the antibody sample and that of the marker; the nearest counts."
        ),
    )


class InterferenceSettings(Section):
    """What disturbs an antibody assay where the drug is a cell (no tolerance for a drug)."""

    immunoglobulin: MedicationWindow = Field(
        default_factory=MedicationWindow,
        description=(
            "Immunoglobulins, which bring antibodies of donors: a positive sample under them is "
            "not attributable to the product."
        ),
    )
    b_cell_depletion: MedicationWindow = Field(
        default_factory=lambda: MedicationWindow(days=180),
        description=(
            "Antibodies such as rituximab (anti-CD20), which keep B cells away, by default for "
            "180 days: a negative sample under them is inconclusive."
        ),
    )
    soluble_targets: tuple[SolubleTarget, ...] = Field(
        (), description="Soluble targets: a negative sample above their limit is inconclusive."
    )

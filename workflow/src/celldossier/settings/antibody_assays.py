"""Facts of an antibody assay that its validation gives and no result shows."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Section


class AntibodyAssayFacts(Section):
    """What the table of cut points says of an antibody assay beside its cut points."""

    positive_control: str = Field(
        "", description="Positive control of an antibody assay, for instance rabbit anti-FMC63."
    )
    sensitivity: float | None = Field(
        None,
        gt=0,
        description=(
            "Sensitivity of an antibody assay in ng/mL: concentration of the positive control that "
            "gives a signal at the cut point."
        ),
    )

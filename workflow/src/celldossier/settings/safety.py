"""Part `study_data.safety`: events of special interest."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section


class SafetySettings(Section):
    """Events of special interest and how they are graded."""

    events_of_special_interest: dict[Code, tuple[str, ...]] = Field(
        {
            "CRS": ("CYTOKINE RELEASE SYNDROME",),
            "ICANS": ("IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME",),
        },
        description="Event of special interest: preferred terms (AEDECOD), in any case of letters.",
    )

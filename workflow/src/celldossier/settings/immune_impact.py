"""Part `impact` of section `immunogenicity`: antibodies beside exposure, assays and outcomes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.settings.time_to_event import EndpointCode


class ImpactSettings(Section):
    """What antibodies do to the kinetics, to the flow assay and to the outcomes."""

    parameters: tuple[Code, ...] = Field(
        ("CMAX", "AUC28"),
        description=(
            "Parameters of ADPP that are compared by antibodies at baseline, of each analyte. "
            "Antibodies that come later cannot have acted on an early peak: they are no part of it."
        ),
    )
    endpoints: tuple[EndpointCode, ...] = Field(
        ("DOR", "PERSIST"),
        description="Endpoints of ADTTE that are compared from each landmark, by ADA known at it.",
    )
    landmarks: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (35, 95),
        description=(
            "Landmarks, days from the first infusion: each a few days after a visit at which "
            "antibodies are sampled, so that its result is known at the landmark."
        ),
    )
    factors: tuple[Code, ...] = Field(
        ("AGEGR1", "SEX", "INDIC", "PRTARG", "LDREG", "PROCESS"),
        description=(
            "Text variables of ADSL by whose levels immune responses are counted (table 79d); one "
            "that no subject has is left out."
        ),
    )
    min_subjects: int = Field(
        5,
        ge=2,
        description=(
            "Fewest subjects of each group of a comparison; within subjects, fewest with results "
            "before and after the onset."
        ),
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of all intervals of this part."
    )

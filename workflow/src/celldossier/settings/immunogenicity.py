"""Section `immunogenicity`: status of anti-drug antibodies."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section


class ImmunogenicitySettings(Section):
    """Status of anti-drug antibodies (ADA) per subject and target."""

    tests: tuple[Code, ...] = Field(
        (), description="Test codes of ADAB that are analysed; empty: all of them."
    )
    boosted_fold: float = Field(
        4,
        gt=1,
        description=(
            "Rise of titre (or signal) over baseline from which a baseline-positive subject is "
            "boosted; 4 = two steps of a two-fold dilution."
        ),
    )
    persistent_weeks: float = Field(
        16,
        gt=0,
        description="Weeks from the first to the last positive result that make ADA persistent.",
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of the rates (Clopper-Pearson)."
    )

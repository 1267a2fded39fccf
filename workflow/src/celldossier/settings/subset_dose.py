"""Part `subset_dose` of the section `dose_exploration`: cell subsets of the dose."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from celldossier.settings.base import Section

Subset = Literal["CD3", "CD4", "CD8", "TN", "TSCM", "TCM", "TEM", "TEFF"]
"""Subsets of which the lots give the share."""

SubsetOutcome = Literal["OBJRESP", "CRSGE2", "ICANSGE2"]


class SubsetDoseSettings(Section):
    """Cell subsets of the dose against outcomes.

    The dose of a subset is the basis dose of each infusion times the share of its lot; that of
    CD3+ cells, whose share is of the viable cells, the viable dose times it.
    """

    basis: Literal["DOSETGP", "DOSEVIA", "DOSETOT"] = Field(
        "DOSETGP",
        description=(
            "Dose of which a subset is a share: transgene-positive viable, viable or all cells."
        ),
    )
    subsets: tuple[Subset, ...] = Field(get_args(Subset), description="Subsets to look at.")
    outcomes: tuple[SubsetOutcome, ...] = Field(
        get_args(SubsetOutcome), description="Binary outcomes."
    )
    exposures: tuple[str, ...] = Field(
        ("CMAX", "AUC28"), description="Kinetic parameters (ADPP) of the stage's analyte."
    )
    until: float = Field(28, gt=0, description="Infusions that count, days from the first one.")
    event_window: float = Field(
        28, ge=0, description="A subject without the event was observed so long, days."
    )
    adjust_for_burden: bool = Field(
        True, description="Models beside tumour burden (standardised logarithm) as well."
    )
    min_events: int = Field(5, ge=1, description="Fewer events, or non-events: no model.")
    firth_below: float = Field(
        10, ge=0, description="Events per slope below which Firth's penalty is used."
    )
    min_subjects: int = Field(8, ge=4, description="Fewer subjects: no linear model.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence level.")

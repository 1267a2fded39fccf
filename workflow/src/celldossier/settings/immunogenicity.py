"""Section `immunogenicity`: status of anti-drug antibodies."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.settings.cellular_response import CellularSettings
from celldossier.settings.cut_points import CutPointSettings
from celldossier.settings.immune_impact import ImpactSettings
from celldossier.settings.interference import InterferenceSettings


class ImmunogenicitySettings(Section):
    """Status of anti-drug antibodies (ADA) per subject and target."""

    tests: tuple[Code, ...] = Field(
        (),
        description=(
            "Test codes of ADAB of the binding antibodies; empty: all but `neutralising_tests`."
        ),
    )
    neutralising_tests: tuple[Code, ...] = Field(
        (),
        description=(
            "Test codes of ADAB that say whether antibodies neutralise; they are no part of the "
            "status; their results after the first infusion are counted among its positive "
            "subjects. Empty: not collected."
        ),
    )
    boosted_steps: int = Field(
        2,
        ge=1,
        description=(
            "Steps of the dilution series by which a titre rises over baseline from which a "
            "baseline-positive subject is boosted."
        ),
    )
    dilution_factor: float = Field(
        2,
        gt=1,
        description=(
            "Factor of one step of the dilution series of a titre; two steps of a two-fold one "
            "are 4 times the baseline."
        ),
    )
    signal_fold: float = Field(
        4,
        gt=1,
        description=(
            "Times the baseline signal (fluorescence intensity, signal to noise) from which a "
            "baseline-positive subject is boosted; no convention, it comes from the validation of "
            "the assay. Results in words alone have no boost."
        ),
    )
    persistent_weeks: float = Field(
        16,
        gt=0,
        description=(
            "Weeks from the first to the last positive result that make ADA persistent; shorter "
            "is transient where a subject was followed so long from the first positive result."
        ),
    )
    interference: InterferenceSettings = Field(
        default_factory=InterferenceSettings,
        description="What disturbs the assays; nothing is looked for unless it is named.",
    )
    cut_points: CutPointSettings = Field(
        default_factory=CutPointSettings,
        description="Cut points of the assays, where the records hold raw signals.",
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of the rates (Clopper-Pearson)."
    )
    cellular: CellularSettings = Field(
        default_factory=CellularSettings,
        description="Cellular immune responses: who has one (table 79).",
    )
    impact: ImpactSettings = Field(
        default_factory=ImpactSettings,
        description="Antibodies beside exposure, the flow assay and outcomes (tables 79a to 79d).",
    )

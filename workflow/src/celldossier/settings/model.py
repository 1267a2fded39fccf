"""The whole configuration: run-level keys and one section a stage."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import RunName, Section
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.comparability import ComparabilitySettings
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.settings.report import ReportSettings
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.settings.study import StudySettings
from celldossier.settings.study_data import StudyDataSettings

GuidelineVersion = Literal["cde-draft-2024-06"]


class RunSettings(Section):
    """Run-level keys: what this run is, and which guideline it follows."""

    config_version: Literal[1] = Field(description="Version of the form of this file.")
    guideline_version: GuidelineVersion = Field(
        description="Guideline that the report is built after; there is no default, since a "
        "report must say which version it follows."
    )
    run: RunName = Field(description="Name of the run and of its folder below results/.")
    reference_run: RunName | None = Field(
        None,
        description="Name of a frozen run (`celldossier freeze NAME`), such as that of the last "
        "submission: the report then says what has changed since. None where nothing is compared.",
    )


class Settings(RunSettings):
    """The configuration of a run."""

    study: StudySettings = Field(description="What was studied.")
    bioanalysis: BioanalysisSettings = Field(
        default_factory=BioanalysisSettings, description="The assays."
    )
    study_data: StudyDataSettings = Field(description="Raw data and how they are mapped.")
    cellular_kinetics: CellularKineticsSettings = Field(
        default_factory=CellularKineticsSettings, description="Non-compartmental analysis."
    )
    pharmacodynamics: PharmacodynamicsSettings = Field(
        default_factory=PharmacodynamicsSettings, description="Pharmacodynamic markers."
    )
    dose_exploration: DoseExplorationSettings = Field(
        default_factory=DoseExplorationSettings, description="Doses and their escalation."
    )
    immunogenicity: ImmunogenicitySettings = Field(
        default_factory=ImmunogenicitySettings, description="Anti-drug antibodies."
    )
    exposure_response: ExposureResponseSettings = Field(
        default_factory=ExposureResponseSettings, description="Exposure-response models."
    )
    special_considerations: SpecialConsiderationsSettings = Field(
        default_factory=SpecialConsiderationsSettings,
        description="Age groups, lymphodepletion, gene modification, concomitant medicines.",
    )
    comparability: ComparabilitySettings = Field(
        default_factory=ComparabilitySettings,
        description="Before and after a manufacturing change.",
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report.")

    @model_validator(mode="after")
    def _one_window_of_toxicity(self) -> Self:
        # Two sections state it, since a stage reads its own: they must not differ in silence.
        escalation, dosing = self.dose_exploration.escalation, self.study_data.dosing
        if escalation.design and escalation.dlt_window != dosing.dlt_period:
            raise ValueError(
                f"dose_exploration.escalation.dlt_window ({escalation.dlt_window:g} d) and "
                f"study_data.dosing.dlt_period ({dosing.dlt_period:g} d) differ"
            )
        return self


SECTIONS: tuple[str, ...] = tuple(
    name for name in Settings.model_fields if name not in RunSettings.model_fields
)
"""Sections of the configuration that have a settings file of their own in a run."""


def effective_sections(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every section with all its defaults filled in, ready for JSON.

    The section `run` holds the run-level keys. The values are what the stages
    use, so that a comment or a default that is written out changes nothing.
    """
    dumped = settings.model_dump(mode="json")
    sections = {name: dumped[name] for name in SECTIONS}
    sections["run"] = {name: dumped[name] for name in RunSettings.model_fields}
    return sections

"""Section `dose_exploration`: doses given, escalation, starting dose, sample size."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.settings.dose_escalation import DoseEscalationSettings
from celldossier.settings.dose_levels import DoseLevelSettings
from celldossier.settings.operating_characteristics import OperatingCharacteristicsSettings
from celldossier.settings.precision import PrecisionSettings
from celldossier.settings.prior_studies import PriorStudiesSettings
from celldossier.settings.route_events import RouteEventSettings
from celldossier.settings.starting_dose import StartingDoseSettings
from celldossier.settings.subset_dose import SubsetDoseSettings


class DoseExplorationSettings(Section):
    """Dose exploration.

    The pre-specified window of the dose is a key of the study data, where each
    administration is judged.
    """

    analyte: Code = Field("PCR", description="Analyte whose kinetics are the exposure.")
    by_dose: bool = Field(True, description="Statistics by dose level beside those of all.")
    escalation: DoseEscalationSettings = Field(
        default_factory=DoseEscalationSettings, description="Dose escalation."
    )
    operating_characteristics: OperatingCharacteristicsSettings = Field(
        default_factory=OperatingCharacteristicsSettings, description="Simulated scenarios."
    )
    precision: PrecisionSettings = Field(
        default_factory=PrecisionSettings, description="Precision at given sample sizes."
    )
    levels: DoseLevelSettings = Field(
        default_factory=DoseLevelSettings, description="Dose levels side by side."
    )
    starting_dose: StartingDoseSettings = Field(
        default_factory=StartingDoseSettings, description="First dose in humans."
    )
    subset_dose: SubsetDoseSettings = Field(
        default_factory=SubsetDoseSettings, description="Cell subsets of the dose."
    )
    prior_studies: PriorStudiesSettings = Field(
        default_factory=PriorStudiesSettings, description="Earlier studies."
    )
    route_events: RouteEventSettings = Field(
        default_factory=RouteEventSettings, description="Adverse events of the route."
    )

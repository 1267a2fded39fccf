"""The data of the stage in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dosing import DosingSettings

KEY = ["STUDYID", "USUBJID"]


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adex: pd.DataFrame
    adpq: pd.DataFrame
    adae: pd.DataFrame
    adaesi: pd.DataFrame
    adrs: pd.DataFrame
    adpp: pd.DataFrame
    adpd: pd.DataFrame
    adpdp: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """What the parts of the stage work on.

    Attributes
    ----------
    dosing
        Section `study_data.dosing`: the window of the dose, the period of dose-limiting toxicity.
    """

    sources: Sources
    settings: DoseExplorationSettings
    dosing: DosingSettings = field(default_factory=DosingSettings)

"""The data of the stage in one place."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

KEY = ["STUDYID", "USUBJID"]


def follows_infusion(day: pd.Series, planned: pd.Series) -> pd.Series:
    """Which samples follow the first infusion.

    Of samples without a time of day, which count as day 0, those do that are planned after it,
    as ADPD has it.
    """
    after: pd.Series = (day > 0) | ((day == 0) & (planned > 0))
    return after


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adex: pd.DataFrame
    adpc: pd.DataFrame
    adpp: pd.DataFrame
    adpd: pd.DataFrame
    adcm: pd.DataFrame
    adae: pd.DataFrame
    adaesi: pd.DataFrame
    adrs: pd.DataFrame
    adtte: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """What the parts of the stage work on.

    Attributes
    ----------
    adpdp
        ADPDP, parameters of the markers, one row a subject, marker, specimen, place and parameter.
    """

    sources: Sources
    settings: PharmacodynamicsSettings
    adpdp: pd.DataFrame

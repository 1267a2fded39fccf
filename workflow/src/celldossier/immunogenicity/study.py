"""What the stage reads."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adab: pd.DataFrame
    adcm: pd.DataFrame
    adpd: pd.DataFrame
    adpp: pd.DataFrame
    adpair: pd.DataFrame
    adtte: pd.DataFrame
    adex: pd.DataFrame
    adaesi: pd.DataFrame
    adpc: pd.DataFrame

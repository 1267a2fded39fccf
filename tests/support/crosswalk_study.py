"""A small crosswalk: three subjects whose parameters differ under other conventions."""

from __future__ import annotations

import pandas as pd

from celldossier.cellular_kinetics.crosswalk import compare_presets
from celldossier.cellular_kinetics.crosswalk_results import derive_adppx, summarise_crosswalk
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

SUBJECTS = ["S-001", "S-002", "S-003"]
SETTINGS = CellularKineticsSettings(crosswalk=("phoenix", "pknca"))


def make_crosswalk() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dataset ADPPX and the analysis results that count it."""
    days = [0.0, 3.0, 7.0, 14.0, 21.0, 35.0]
    samples = pd.concat(
        [
            pd.DataFrame(
                {
                    "STUDYID": "S",
                    "USUBJID": subject,
                    "ANALYTE": "PCR",
                    "TIME": days,
                    "CONC": [60.0, 400.0 * factor, 9000.0 * factor, 3000.0, 1000.0, 290.0],
                    "BLQ": 0,
                    "LLOQ": 50.0,
                }
            )
            for factor, subject in enumerate(SUBJECTS, start=1)
        ],
        ignore_index=True,
    )
    crosswalk = compare_presets(samples, SETTINGS)
    adppx = derive_adppx(crosswalk.differences, samples)
    return adppx, summarise_crosswalk(crosswalk.compared, adppx, pd.Index(SUBJECTS))

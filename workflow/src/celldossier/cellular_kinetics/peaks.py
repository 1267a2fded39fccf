"""Peak over all samples, also the early ones that do not define CMAX (rule R9, sensitivity)."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from celldossier.cellular_kinetics.nca import NcaResult, estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

OF_ALL_SAMPLES = {"CMAX": "CMAXALL", "TMAX": "TMAXALL"}
"""Parameter of the samples from `peak_from` on, and the same of all samples."""


def add_peaks_of_all_samples(
    result: NcaResult, samples: pd.DataFrame, settings: CellularKineticsSettings
) -> NcaResult:
    """The result with CMAXALL and TMAXALL: the peak as `peak_from` 0 gives it.

    They are those of a second analysis with that setting, so that every other rule
    holds for them as it does for CMAX and TMAX.

    Parameters
    ----------
    result, samples
        Result of `estimate_nca`, and the samples that it was given.
    settings
        Where `peak_from` is 0 the two peaks are one, and nothing is added.
    """
    if settings.peak_from == 0:
        return result
    every = settings.model_copy(update={"peak_from": 0.0, "partial_areas": ()})
    found = estimate_nca(samples, every).as_text().parameters
    peaks = found[found["PARAMCD"].isin(OF_ALL_SAMPLES)]
    peaks = peaks.assign(PARAMCD=peaks["PARAMCD"].map(OF_ALL_SAMPLES))
    return replace(result, parameters=pd.concat([result.parameters, peaks], ignore_index=True))

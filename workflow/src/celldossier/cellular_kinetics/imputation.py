"""Values of samples below the limit of quantitation, and C(0) where there is no pre-dose sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def impute_blq(
    time: Floats,
    conc: Floats,
    blq: Bools,
    lloq: Floats,
    peak: Ints,
    last: Ints,
    settings: CellularKineticsSettings,
    samples: pd.DataFrame,
    row: Ints,
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Values and dispositions of BLQ samples by their place (R5, R6, R7)."""
    column = np.arange(time.shape[1])[None, :]
    quantifiable = ~np.isnan(conc)
    after_dose = quantifiable & (time > 0)
    first = np.where(after_dose.any(axis=1), after_dose.argmax(axis=1), time.shape[1])
    trailing = blq & (column > last[:, None])
    leading = blq & ~trailing & (column < first[:, None])
    embedded = blq & ~trailing & ~leading
    value = conc.copy()
    disposition = np.full(time.shape, "", dtype=object)
    disposition[quantifiable] = "QUANT"
    value[leading] = 0.0
    disposition[leading] = "BLQFIRST"

    rule = settings.blq.embedded
    together = np.zeros_like(embedded)
    together[:, 1:] |= embedded[:, 1:] & embedded[:, :-1]
    together[:, :-1] |= embedded[:, :-1] & embedded[:, 1:]
    zero = embedded & ((rule == "zero") | (rule == "auto") & (together | (column < peak[:, None])))
    half = embedded & (rule == "half_lloq")
    without_limit = half & np.isnan(lloq)
    if without_limit.any():
        faults = []
        for position in sorted(row[without_limit]):
            sample = samples.iloc[position]
            faults.append(
                f"Data row {sample['ROW']} ({sample['USUBJID']}, {sample['ANALYTE']}): an embedded "
                "BLQ result has no LLOQ, so half of it cannot be taken (blq.embedded: half_lloq)."
            )
        raise InputDataError(faults)
    value[zero] = 0.0
    value[half] = lloq[half] / 2
    disposition[zero] = "EMBZERO"
    disposition[half] = "EMBHALF"
    disposition[embedded & ~zero & ~half] = "EMBDROP"
    disposition[trailing] = "BLQLATE"
    disposition[trailing & (column == (last + 1)[:, None])] = "BLQCLOSE"
    disposition[blq & (last < 0)[:, None]] = "BLQALL"
    return value, disposition


def find_lowest(time: Floats, value: Floats, blq: Bools, dropped: Bools, end: Floats) -> Floats:
    """Lowest concentration after time 0 up to `end`, a BLQ result as 0; NaN where there is none.

    Parameters
    ----------
    time, value, blq, dropped
        Shape (profiles, samples); `dropped` are embedded BLQ results that were left out.
    end
        End of the dosing interval of each profile; NaN gives NaN.
    """
    known = np.where(blq & np.isnan(value), 0.0, value)
    inside = (time > 0) & (time <= end[:, None]) & ~dropped & ~np.isnan(known)
    lowest = np.where(inside, known, np.inf).min(axis=1)
    return np.where(np.isfinite(lowest), lowest, np.nan)

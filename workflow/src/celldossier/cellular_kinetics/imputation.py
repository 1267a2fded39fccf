"""Values of samples below the limit of quantitation, and C(0) where there is no pre-dose sample."""

from __future__ import annotations

import numpy as np

from celldossier.cellular_kinetics.codes import Codes, blanks, code_of
from celldossier.cellular_kinetics.places import Bools, Floats, Ints, first_true
from celldossier.cellular_kinetics.sample_arrays import Samples
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


def impute_blq(
    time: Floats,
    conc: Floats,
    blq: Bools,
    lloq: Floats | None,
    peak: Ints,
    last: Ints,
    settings: CellularKineticsSettings,
    samples: Samples,
    row: Ints,
) -> tuple[Floats, Codes]:
    """Values and dispositions of BLQ samples by their place (R5, R6, R7)."""
    value, quantifiable = conc.copy(order="K").T, ~np.isnan(conc).T
    disposition = blanks(value.shape)
    disposition[quantifiable] = code_of("QUANT")
    below = blq.T
    if not below.any():
        return value.T, disposition.T
    column = np.arange(len(value))[:, None]
    first = first_true((quantifiable & (time.T > 0)).T)
    trailing = below & (column > last)
    leading = below & ~trailing & ((column < first) | (first < 0))
    embedded = below & ~trailing & ~leading
    value[leading] = 0.0
    disposition[leading] = code_of("BLQFIRST")
    if embedded.any():
        counted = (column < peak) | _precede_a_dose(embedded, quantifiable, time.T, samples, row.T)
        zero, half = _split_embedded(embedded, counted, settings.blq.embedded)
        value[zero] = 0.0
        if lloq is not None:
            _check_limits(half & np.isnan(lloq.T), samples, row)
            value[half] = lloq.T[half] / 2
        disposition[zero] = code_of("EMBZERO")
        disposition[half] = code_of("EMBHALF")
        disposition[embedded & ~zero & ~half] = code_of("EMBDROP")
    disposition[trailing] = code_of("BLQLATE")
    disposition[trailing & (column == last + 1)] = code_of("BLQCLOSE")
    disposition[below & (last < 0)] = code_of("BLQALL")
    return value.T, disposition.T


def _precede_a_dose(
    embedded: Bools, quantifiable: Bools, time: Floats, samples: Samples, row: Ints
) -> Bools:
    """Which of them lie before a further dose, and the next quantifiable sample after it.

    That the cells of a course can be measured again is then the doing of the new dose, and
    no sign that the result is wrong: the cells of the dose before were lost.
    """
    if "NEXTDOSE" not in samples.numbers:
        return np.zeros_like(embedded)
    dose = np.where(embedded, samples.number("NEXTDOSE")[np.maximum(row, 0)], np.nan)
    following = np.full(embedded.shape[1], np.inf)
    result = np.zeros_like(embedded)
    for column in range(len(embedded) - 1, -1, -1):
        result[column] = following > dose[column]
        following = np.where(quantifiable[column], time[column], following)
    return result & embedded


def _split_embedded(embedded: Bools, counted: Bools, rule: str) -> tuple[Bools, Bools]:
    """Which embedded BLQ samples are 0, and which half of their limit; shape (samples, ...).

    By the rule `auto` those are 0 that stand together or are `counted` as such by their place.
    """
    none = np.zeros_like(embedded)
    if rule == "zero":
        return embedded, none
    if rule == "half_lloq":
        return none, embedded
    if rule == "drop":
        return none, none
    pair = embedded[1:] & embedded[:-1]
    together = none.copy()
    together[1:] |= pair
    together[:-1] |= pair
    return embedded & (together | counted), none


def _check_limits(without: Bools, samples: Samples, row: Ints) -> None:
    if not without.any():
        return
    faults = []
    for position in sorted(row.T[without]):
        subject = samples.subject.names[samples.subject.codes[position]]
        analyte = samples.analyte.names[samples.analyte.codes[position]]
        faults.append(
            f"Data row {samples.row[position]} ({subject}, {analyte}): an embedded "
            "BLQ result has no LLOQ, so half of it cannot be taken (blq.embedded: half_lloq)."
        )
    raise InputDataError(faults)


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

"""Which of the scheduled blood samples exist in the end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.kinetics import MeasuredConcentrations
from celldossier.simulation.specification import StudySpecification

Array = NDArray[np.float64]

STOP_FROM_DAY = 28.0  # sampling to day 28 is mandatory; later it stops after two BLQ
COUNT_FROM_DAY = 14.0  # BLQ samples before the peak do not count


def choose_blood_samples(
    spec: StudySpecification,
    times: Array,
    measured: MeasuredConcentrations,
    last_day: Array,
    lloq: Array | float,
) -> NDArray[np.bool_]:
    """Mark the samples that were taken.

    Sampling ends with progression, death or the cut-off (``last_day``), and after
    two consecutive BLQ results by PCR, of which the second lies at day 28 or later.
    ``lloq`` is that of each subject's assay, on the scale of the first one.
    """
    nominal = np.array(spec.sampling.days)
    taken = measured.collected & (times <= last_day[:, np.newaxis])
    below = measured.pcr < np.reshape(lloq, (-1, 1))
    run = np.zeros(times.shape[0], dtype=int)
    stopped = np.zeros(times.shape[0], dtype=bool)
    for column in range(nominal.size):
        taken[:, column] &= ~stopped
        if nominal[column] < COUNT_FROM_DAY:
            continue
        run = np.where(taken[:, column], np.where(below[:, column], run + 1, 0), run)
        if nominal[column] >= STOP_FROM_DAY:
            stopped |= run >= 2
    return taken

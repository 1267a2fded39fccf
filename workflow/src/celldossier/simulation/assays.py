"""The change of the PCR assay: who is measured by which, and the bridging samples.

All samples of a subject are measured by one assay. Archived DNA of some subjects of
the first assay was measured again by the second, so that the two can be tied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.kinetics import GENOMES_PER_UG, LARGEST_CELL_FRACTION
from celldossier.simulation.records import round_significant
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota_within, open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def choose_assays(spec: StudySpecification, infusion: NDArray[np.datetime64]) -> Flags:
    """Mark the subjects of the second assay: those infused last."""
    first = round(spec.assay_change.first_share * infusion.size)
    second = np.ones(infusion.size, dtype=bool)
    second[np.argsort(infusion, kind="stable")[:first]] = False
    return second


def report_results(spec: StudySpecification, values: Array, second: Flags, vcn: Array) -> Array:
    """What the assay of each subject reports of a value on the scale of the first assay."""
    change = spec.assay_change
    ceiling = np.minimum(LARGEST_CELL_FRACTION * GENOMES_PER_UG * vcn, 0.999 * change.uloq)[
        :, np.newaxis
    ]
    changed = np.minimum(change.factor * values**change.slope, ceiling)
    return np.where(second[:, np.newaxis], round_significant(changed), values)


def restore_first_scale(spec: StudySpecification, reported: Array, second: Flags) -> Array:
    """Bring reported values to the scale of the first assay, as bridging would."""
    change = spec.assay_change
    back = (reported / change.factor) ** (1 / change.slope)
    return np.where(np.reshape(second, (-1, *[1] * (reported.ndim - 1))), back, reported)


def bridge_back(spec: StudySpecification, values: Array, second: Flags, vcn: Array) -> Array:
    """What bridging makes of the reported values: all on the scale of the first assay."""
    return restore_first_scale(spec, report_results(spec, values, second, vcn), second)


def limits_on_first_scale(spec: StudySpecification, second: Flags) -> Array:
    """LLOQ of each subject's assay, on the scale of the first one."""
    limits = np.where(second, spec.assay_change.lloq, spec.sampling.pcr.lloq)
    return restore_first_scale(spec, limits, second)


@dataclass(frozen=True)
class Bridging:
    """Samples of the first assay measured again by the second.

    Attributes
    ----------
    rows, columns
        Place of each sample: subject, nominal day.
    results
        Result of the second assay, copies/ug DNA.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    results: Array


def draw_bridging(
    spec: StudySpecification, latent: Array, sampled: Flags, second: Flags, vcn: Array
) -> Bridging:
    """Measure samples of some subjects again, with a residual of its own.

    Parameters
    ----------
    latent
        Latent concentrations, shape (subjects, samples).
    sampled
        Which of the samples exist.
    """
    rng = open_stream(spec.seed, "bridging")
    change = spec.assay_change
    days = np.flatnonzero(np.isin(spec.sampling.days, change.bridging_days))
    eligible = sampled[:, days].all(axis=1) & ~second
    chosen = np.flatnonzero(draw_quota_within(rng, eligible, change.bridging_subjects))
    rows, columns = np.repeat(chosen, days.size), np.tile(days, chosen.size)
    noise = np.exp(change.residual_sd * rng.standard_normal(rows.size))
    ceiling = np.minimum(LARGEST_CELL_FRACTION * GENOMES_PER_UG * vcn[rows], 0.999 * change.uloq)
    results = change.factor * latent[rows, columns] ** change.slope * noise
    return Bridging(rows, columns, round_significant(np.minimum(results, ceiling)))

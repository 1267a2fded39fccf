"""Latent kinetics of repeat doses of CAR-NK cells, and what the two assays measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.car_nk.specification import CarNkSpecification, NkKinetics
from celldossier.simulation.kinetics import convert_to_cells
from celldossier.simulation.records import round_significant
from celldossier.simulation.specification import Assay
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NkParameters:
    """Individual kinetics: the peak that each dose adds, and one rate of decline.

    Attributes
    ----------
    peak
        Copies/ug DNA, shape (subjects, doses); NaN where no dose was given.
    rate
        1/day, by subject.
    rise
        1/day, of all.
    il15
        Standardised ln IL-15 at infusion, by subject.
    """

    peak: Array
    rate: Array
    rise: float
    il15: Array


def shape_of_dose(since: Array, rate: Array, rise: float) -> Array:
    """Level after one dose over its peak: exp(-rate t) - exp(-rise t), scaled to a peak of 1."""
    peak_time = np.log(rise / rate) / (rise - rate)
    height = np.exp(-rate * peak_time) - np.exp(-rise * peak_time)
    after = np.maximum(since, 0.0)
    return np.where(since > 0, (np.exp(-rate * after) - np.exp(-rise * after)) / height, 0.0)


def draw_parameters(
    spec: CarNkSpecification, doses: Array, given: Array, il15: Array, hla_onset: Array
) -> NkParameters:
    """Draw individual kinetics.

    Donor, HLA mismatch, age, sex, weight, cycle number and antibodies against the CAR
    do not enter: those are nulls.

    Parameters
    ----------
    doses
        Actual dose, 10^6 cells, shape (subjects, doses); NaN where not given.
    given
        Time of each dose, days; NaN where not given.
    il15
        Standardised ln IL-15 at infusion.
    hla_onset
        Day of the onset of antibodies against donor HLA; infinite where none.
    """
    rng = open_stream(spec.seed, "nk_kinetics")
    truth = spec.kinetics
    n, number = doses.shape
    factor = np.tile(truth.dose_factor, number // len(truth.dose_factor))
    ln_peak = (
        np.log(truth.peak)
        + truth.peak_sd * rng.standard_normal((n, 1))
        + truth.occasion_sd * rng.standard_normal((n, number))
        + truth.dose_effect * np.log(doses / spec.dosing.reference)
        + truth.il15_effect * il15[:, np.newaxis]
        + np.log(factor)[np.newaxis, :]
    )
    with_antibody = given > hla_onset[:, np.newaxis]
    ln_peak = ln_peak + np.where(with_antibody, np.log(spec.immunogenicity.hla_factor), 0.0)
    half_life = truth.half_life * np.exp(truth.half_life_sd * rng.standard_normal(n))
    return NkParameters(
        peak=np.exp(ln_peak),
        rate=np.log(2) / half_life,
        rise=float(np.log(2) / truth.rise_half_life),
        il15=il15,
    )


def compute_concentrations(parameters: NkParameters, given: Array, times: Array) -> Array:
    """Latent transgene concentration: the doses superpose.

    Parameters
    ----------
    given
        Time of each dose, days since the first; NaN where not given.
    times
        Days since the first dose, shape (subjects, samples).
    """
    total = np.zeros_like(times)
    rate = parameters.rate[:, np.newaxis]
    for dose in range(given.shape[1]):
        start = given[:, dose]
        since = np.where(np.isnan(start)[:, np.newaxis], -1.0, times - start[:, np.newaxis])
        share = shape_of_dose(since, rate, parameters.rise)
        total += np.where(since > 0, parameters.peak[:, dose, np.newaxis] * share, 0.0)
    return total


def compute_accumulation(truth: NkKinetics, days: tuple[float, ...]) -> dict[str, float]:
    """Accumulation ratio of the last to the first dose of a cycle, for the typical subject.

    Of the areas over the dosing interval (the shortest one), carry-over included.
    """
    tau = float(np.min(np.diff(days)))
    rate = np.log(2) / truth.half_life
    rise = np.log(2) / truth.rise_half_life
    peak_time = np.log(rise / rate) / (rise - rate)
    height = np.exp(-rate * peak_time) - np.exp(-rise * peak_time)

    def area(start: float, end: float) -> float:
        """Area under the shape between two times after a dose."""
        decline = (np.exp(-rate * start) - np.exp(-rate * end)) / rate
        rising = (np.exp(-rise * start) - np.exp(-rise * end)) / rise
        return float((decline - rising) / height)

    last = days[-1]
    total = sum(
        factor * area(last - day, last - day + tau)
        for factor, day in zip(truth.dose_factor, days, strict=True)
    )
    first = truth.dose_factor[0] * area(0, tau)
    return {"tau_days": tau, "auctau": total / first}


@dataclass(frozen=True)
class NkMeasurements:
    """Results of the blood samples, shape (subjects, samples)."""

    pcr: Array
    flow: Array
    collected: NDArray[np.bool_]


def draw_measurements(
    spec: CarNkSpecification,
    parameters: NkParameters,
    given: Array,
    vcn: Array,
    times: Array,
    pre_dose: NDArray[np.bool_],
) -> NkMeasurements:
    """Measure the latent curve with both assays; values below the LLOQ are kept as numbers.

    Parameters
    ----------
    vcn
        Vector copies in a CAR-positive cell, by subject.
    pre_dose
        Columns of ``times`` that are pre-dose samples: they are never missed.
    """
    rng = open_stream(spec.seed, "nk_measurements")
    n = times.shape[0]
    latent = compute_concentrations(parameters, given, times)
    leukocytes = spec.kinetics.leukocytes * np.exp(
        spec.kinetics.leukocytes_sd * rng.standard_normal((n, 1))
    )
    cells = convert_to_cells(latent, vcn, np.broadcast_to(leukocytes, latent.shape))

    def measure(values: Array, assay: Assay) -> Array:
        noise = np.exp(assay.residual_sd * rng.standard_normal(values.shape))
        return round_significant(np.minimum(values * noise, 0.999 * assay.uloq))

    pcr, flow = measure(latent, spec.sampling.pcr), measure(cells, spec.sampling.flow)
    missed = rng.uniform(size=times.shape) < spec.sampling.missed_share
    return NkMeasurements(pcr=pcr, flow=flow, collected=~missed | pre_dose[np.newaxis, :])

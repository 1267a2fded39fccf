"""Latent cellular kinetics and what the two assays measure of them.

The curve is that of Stein 2019 (exponential expansion, two-phase decline; CPT
Pharmacometrics Syst Pharmacol 8:285, doi 10.1002/psp4.12388) with a lag before
expansion and a distribution phase that is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.records import round_significant
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.specification_parts import Assay
from celldossier.simulation.streams import draw_quota, open_stream

Array = NDArray[np.float64]

REFERENCE_DOSE = 150.0  # 10^6 CAR-positive viable T cells: the dose of the typical peak
DNA_PER_GENOME_UG = 6.6e-6  # ug of DNA in a diploid genome
GENOMES_PER_UG = 1 / DNA_PER_GENOME_UG
LARGEST_CELL_FRACTION = 0.95  # of nucleated cells in blood that can be CAR-positive
CATHETER_DAY = 0.04


@dataclass(frozen=True)
class KineticParameters:
    """Individual parameters, each an array over infused subjects (days, copies/ug DNA)."""

    cmax: Array
    lag: Array
    growth_time: Array
    fold: Array
    alpha: Array
    beta: Array
    fb: Array
    distribution_level: Array
    distribution_rate: float
    non_expander: NDArray[np.bool_]
    antibody_onset: Array  # infinite where no antibody is induced or boosted
    antibody_alpha_factor: float
    growth_changes: tuple[tuple[Array, float], ...] = ()  # start (days, NaN: none), factor

    @property
    def peak_time(self) -> Array:
        """Time of the latent peak, days."""
        return self.lag + self.growth_time

    @property
    def growth_rate(self) -> Array:
        """Growth rate between the lag and the peak, 1/day."""
        return np.log(self.fold) / self.growth_time


def draw_parameters(
    spec: StudySpecification, infused: pd.DataFrame, antibody_onset: Array
) -> KineticParameters:
    """Draw individual kinetics; only tumour burden and dose shift them.

    Age, sex, weight, process and rescue medication do not enter: those are nulls.
    """
    rng = open_stream(spec.seed, "kinetics")
    truth = spec.kinetics
    n = len(infused)

    def individual(typical: float, sd: float) -> Array:
        return typical * np.exp(sd * rng.standard_normal(n))

    cmax = individual(truth.cmax, truth.cmax_sd) * np.exp(
        truth.burden_effect * infused["BURDENZ"].to_numpy(dtype=float)
        + truth.dose_effect * np.log(infused["ACTUALDOSE"].to_numpy(dtype=float) / REFERENCE_DOSE)
    )
    lag = individual(truth.lag, truth.lag_sd)
    growth_time = individual(truth.growth_time, truth.growth_time_sd)
    # A fold of 1 or less would be no expansion.
    fold = np.maximum(individual(truth.fold, truth.fold_sd), 2.0)
    alpha = individual(truth.alpha, truth.alpha_sd)
    # Persistence is never faster than contraction.
    beta = np.minimum(individual(truth.beta, truth.beta_sd), 0.9 * alpha)
    logit = np.log(truth.fb / (1 - truth.fb)) + truth.fb_sd * rng.standard_normal(n)
    level = individual(truth.distribution_level, truth.distribution_sd)
    non_expander = draw_quota(rng, n, round(truth.non_expander_share * n))
    return KineticParameters(
        cmax=np.where(non_expander, truth.non_expander_factor * cmax, cmax),
        lag=lag,
        growth_time=growth_time,
        fold=fold,
        alpha=alpha,
        beta=beta,
        fb=1 / (1 + np.exp(-logit)),
        distribution_level=level,
        distribution_rate=float(np.log(2) / truth.distribution_half_life),
        non_expander=non_expander,
        antibody_onset=antibody_onset,
        antibody_alpha_factor=spec.immunogenicity.alpha_factor,
    )


def compute_concentrations(parameters: KineticParameters, times: Array) -> Array:
    """Latent transgene concentration at the times of each subject.

    Parameters
    ----------
    times
        Days since infusion, shape (subjects, samples); 0 before infusion.

    Returns
    -------
    ndarray of the shape of ``times``, copies/ug DNA. Between the lag and the peak
    the curve grows by ``fold``; after the peak it declines by alpha and beta, and
    alpha is multiplied from the onset of an antibody on. Rescue medication that acts
    on growth multiplies the growth rate from its start on; the time of the peak stays,
    and the decline begins from the level reached (Stein 2019). The level does not jump.
    """
    column = {
        name: getattr(parameters, name)[:, np.newaxis]
        for name in ("cmax", "lag", "growth_time", "fold", "alpha", "beta", "fb")
    }
    peak = parameters.peak_time[:, np.newaxis]
    onset = parameters.antibody_onset[:, np.newaxis]
    rate = parameters.growth_rate[:, np.newaxis]
    growing = np.clip(times, column["lag"], peak)
    rising = column["cmax"] * np.exp(rate * (growing - peak))
    gain = np.exp(compute_log_gain(parameters, growing))
    since_peak = np.maximum(times - peak, 0.0)
    with_antibody = np.maximum(times - np.maximum(onset, peak), 0.0)
    contraction = column["alpha"] * (
        since_peak + (parameters.antibody_alpha_factor - 1) * with_antibody
    )
    falling = (1 - column["fb"]) * np.exp(-contraction) + column["fb"] * np.exp(
        -column["beta"] * since_peak
    )
    expansion = gain * np.where(times < peak, rising, column["cmax"] * falling)
    distribution = parameters.distribution_level[:, np.newaxis] * np.exp(
        -parameters.distribution_rate * np.maximum(times, 0.0)
    )
    return np.where(times < 0, 0.0, expansion + distribution)


def compute_log_gain(parameters: KineticParameters, times: Array) -> Array:
    """Change of ln concentration that rescue medication has brought by a time of growth.

    Parameters
    ----------
    times
        Days, shape (subjects, samples), between the lag and the peak of each subject.
    """
    gain = np.zeros_like(times)
    for start, factor in parameters.growth_changes:
        begun = np.maximum(start, parameters.lag)[:, np.newaxis]
        under = np.nan_to_num(np.maximum(times - begun, 0.0))
        gain = gain + (factor - 1) * parameters.growth_rate[:, np.newaxis] * under
    return gain


def convert_to_cells(concentration: Array, vcn: Array, other_cells: Array) -> Array:
    """CAR-positive cells/uL that hold a transgene concentration.

    A share f = concentration x 6.6e-6 ug / VCN of the nucleated cells is CAR-positive;
    with ``other_cells`` (CAR-negative leukocytes, cells/uL) there are
    other_cells x f / (1 - f) of them, which is f times all leukocytes.
    """
    share = concentration * DNA_PER_GENOME_UG / vcn[:, np.newaxis]
    share = np.minimum(share, LARGEST_CELL_FRACTION)
    return other_cells * share / (1 - share)


@dataclass(frozen=True)
class MeasuredConcentrations:
    """Results of the blood samples, shape (subjects, samples); 0 before infusion.

    ``pcr`` is on the scale of the first assay throughout; what the second assay
    reports of it is the matter of :mod:`celldossier.simulation.assays`.
    """

    pcr: Array
    flow: Array
    collected: NDArray[np.bool_]
    carry: NDArray[np.bool_]


def draw_measurements(
    spec: StudySpecification,
    infused: pd.DataFrame,
    parameters: KineticParameters,
    times: Array,
    other_cells: Array,
) -> MeasuredConcentrations:
    """Measure the latent curve with both assays at the actual sampling times.

    Results have six significant digits; values below the LLOQ are kept here as
    numbers and become text only in the raw file. Missed samples are not collected.
    """
    rng = open_stream(spec.seed, "measurements")
    n = len(infused)
    nominal = np.array(spec.sampling.days)
    vcn = infused["VCN"].to_numpy(dtype=float)
    latent = compute_concentrations(parameters, times)

    carry = draw_quota(rng, n, round(spec.sampling.catheter_carry_share * n))
    factor = np.ones_like(latent)
    factor[np.ix_(carry, nominal == CATHETER_DAY)] = spec.sampling.catheter_carry_factor
    pcr = _measure(rng, latent * factor, spec.sampling.pcr)
    ceiling = LARGEST_CELL_FRACTION * GENOMES_PER_UG * vcn[:, np.newaxis]
    pcr = round_significant(np.minimum(pcr, ceiling))

    after_onset = times >= parameters.antibody_onset[:, np.newaxis]
    cells = convert_to_cells(latent, vcn, other_cells)
    masked = np.where(after_onset, spec.immunogenicity.flow_factor, 1.0)
    flow = round_significant(_measure(rng, cells * masked, spec.sampling.flow))

    missed = rng.uniform(size=times.shape) < spec.sampling.missed_share
    missed[:, nominal == 0] = False
    return MeasuredConcentrations(pcr=pcr, flow=flow, collected=~missed, carry=carry)


def _measure(rng: np.random.Generator, latent: Array, assay: Assay) -> Array:
    noise = np.exp(assay.residual_sd * rng.standard_normal(latent.shape))
    # A result above the ULOQ would be a text of its own kind; the example has none.
    return np.minimum(latent * noise, 0.999 * assay.uloq)

"""Everything that is drawn of a CAR-NK study before it is laid out, in causal order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.background import assign_levels, draw_last_day, draw_people
from celldossier.simulation.car_nk.kinetics import (
    NkMeasurements,
    NkParameters,
    draw_measurements,
    draw_parameters,
)
from celldossier.simulation.car_nk.specification import CarNkSpecification
from celldossier.simulation.escalation import space_levels
from celldossier.simulation.exposure import SampledExposure, compute_sampled_exposure
from celldossier.simulation.records import round_significant, to_minutes
from celldossier.simulation.schedule import MINUTES_PER_DAY
from celldossier.simulation.streams import draw_quota, draw_quota_within, open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

REFERENCE_MISMATCHES = 5
RESPONSE_DAY = 28.0
EARLIEST_RETREATMENT = 110.0


@dataclass(frozen=True)
class Antibodies:
    """Onset of antibodies, days; infinite where there are none."""

    hla_baseline: Flags
    hla_onset: Array
    car_baseline: Flags
    car_onset: Array


@dataclass(frozen=True)
class Course:
    """Response and course of the disease; days since the first dose, NaN where not reached."""

    responder: Flags
    complete: Flags
    stable: Flags
    progression: Array
    death: Array
    new_therapy: Array
    lost: Flags
    last_day: Array


@dataclass(frozen=True)
class DrawnNk:
    """A drawn study; arrays are over infused subjects, times are days since the first dose.

    Attributes
    ----------
    lots
        One row a lot.
    lot
        Place of the lot of each subject and dose in ``lots``.
    given, doses
        Time and actual dose, shape (subjects, doses); NaN where not given. The last column
        is the unplanned re-infusion.
    cycles
        Cycles that were begun.
    nominal, times
        Nominal days of the samples; actual ones, shape (subjects, samples).
    sampled
        Samples that were taken.
    """

    subjects: pd.DataFrame
    infused: pd.DataFrame
    lots: pd.DataFrame
    lot: NDArray[np.int64]
    given: Array
    doses: Array
    cycles: NDArray[np.int64]
    antibodies: Antibodies
    parameters: NkParameters
    nominal: Array
    times: Array
    measured: NkMeasurements
    sampled: Flags
    exposure: SampledExposure
    course: Course
    crs_grade: NDArray[np.int64]
    crs_onset: Array
    crs_end: Array

    @property
    def start(self) -> NDArray[np.datetime64]:
        """Start of the first infusion, minute resolution."""
        return self.infused["START"].to_numpy().astype("datetime64[m]")


def planned_doses(spec: CarNkSpecification) -> Array:
    """Nominal days of all planned doses of all cycles."""
    return np.array(
        [
            cycle * spec.dosing.cycle_length + day
            for cycle in range(spec.dosing.cycles)
            for day in spec.dosing.days
        ]
    )


def planned_samples(spec: CarNkSpecification) -> tuple[Array, NDArray[np.int64]]:
    """Days after their dose of all planned samples, and the place of that dose."""
    after, dose = [], []
    for place in range(spec.dosing.cycles * len(spec.dosing.days)):
        last = (place + 1) % len(spec.dosing.days) == 0
        days = spec.sampling.after_last_dose if last else spec.sampling.after_dose
        after += list(days)
        dose += [place] * len(days)
    return np.array(after), np.array(dose)


def draw_study(spec: CarNkSpecification) -> DrawnNk:
    """Draw a study from its specification; equal specifications give equal studies.

    The order is the causal one: subjects, antibodies, IL-15, kinetics of the doses,
    sampled exposure of the first cycle, response, and only then further cycles.
    """
    subjects = _draw_subjects(spec)
    infused = subjects.loc[subjects["INFUSED"]].reset_index(drop=True)
    start = infused["START"].to_numpy().astype("datetime64[m]")
    n = len(infused)
    nominal_doses = planned_doses(spec)
    given = _draw_dose_times(spec, n, nominal_doses)
    planned = np.array([level.planned for level in spec.dosing.levels])[infused["LEVEL"]]
    rng = open_stream(spec.seed, "nk_doses")
    scatter = np.exp(spec.dosing.actual_ln_sd * rng.standard_normal((n, given.shape[1])))
    doses = np.round(planned[:, np.newaxis] * scatter, 1)
    lots = _draw_lots(spec)
    lot = _choose_lots(spec, lots, start, given)
    antibodies = _draw_antibodies(spec, infused["HLAMM"].to_numpy(dtype=float))
    il15 = open_stream(spec.seed, "nk_il15").standard_normal(n)
    parameters = draw_parameters(spec, doses[:, :-1], given[:, :-1], il15, antibodies.hla_onset)
    nominal, times, pre_dose = _draw_sample_times(spec, nominal_doses, given)
    vcn = lots["VCN"].to_numpy(dtype=float)[lot[:, 0]]
    # The first cycle is the same whether or not further cycles follow.
    measured = draw_measurements(spec, parameters, given[:, :-1], vcn, times, pre_dose)
    first = nominal <= RESPONSE_DAY
    exposure = compute_sampled_exposure(
        nominal[first],
        times[:, first],
        measured.pcr[:, first],
        measured.collected[:, first],
        spec.sampling.pcr.lloq,
    )
    course = _draw_course(spec, infused, exposure, start)
    cycles = _draw_cycles(spec, course)
    given, retreated = _stop_doses(spec, given, cycles, course)
    doses = np.where(np.isnan(given), np.nan, doses)
    place = planned_samples(spec)[1]
    sampled = measured.collected & (place // len(spec.dosing.days) < cycles[:, np.newaxis])
    sampled &= times < course.last_day[:, np.newaxis]
    grade, onset, end = _draw_crs(spec, n)
    return DrawnNk(
        subjects=subjects,
        infused=infused.assign(RETREATED=retreated),
        lots=lots,
        lot=lot,
        given=given,
        doses=doses,
        cycles=cycles,
        antibodies=antibodies,
        parameters=parameters,
        nominal=nominal,
        times=times,
        measured=measured,
        sampled=sampled,
        exposure=exposure,
        course=course,
        crs_grade=grade,
        crs_onset=onset,
        crs_end=end,
    )


def _draw_subjects(spec: CarNkSpecification) -> pd.DataFrame:
    rng = open_stream(spec.seed, "nk_subjects")
    subjects = draw_people(rng, spec.seed, spec.study, spec.enrolment, spec.population)
    n = len(subjects)
    z = rng.standard_normal(n)
    burden = round_significant(spec.disease.burden * np.exp(spec.disease.burden_sd * z), 3)
    least, most = spec.disease.mismatches
    subjects = subjects.assign(
        **assign_levels(rng, spec.dosing.levels, subjects["INFUSED"].to_numpy(dtype=bool)),
        BURDEN=burden,
        # The truth is defined on the burden that is reported, rounding included.
        BURDENZ=np.log(burden / spec.disease.burden) / spec.disease.burden_sd,
        HLAMM=rng.integers(least, most + 1, n),
        PRTARG=rng.uniform(size=n) < spec.disease.prior_cd19_share,
        ECOG=rng.integers(0, 2, n),
        STAGE=rng.choice(["II", "III", "IV"], size=n),
        PRIORLINES=rng.integers(2, 6, n),
        PRIORHSCT=rng.uniform(size=n) < 0.25,
    )
    return space_levels(subjects, spec.dosing.dlt_window)


def _draw_dose_times(spec: CarNkSpecification, n: int, nominal: Array) -> Array:
    """Actual times of the planned doses, whole minutes; a last column for the unplanned one."""
    rng = open_stream(spec.seed, "nk_dose_times")
    hours = np.clip(0.05 * rng.standard_normal((n, nominal.size)), -0.12, 0.12)
    later = rng.uniform(size=(n, nominal.size)) < spec.dosing.shifted_share
    shift = np.where((nominal > 0)[np.newaxis, :], hours + later, 0.0)
    times = np.rint((nominal + shift) * MINUTES_PER_DAY) / MINUTES_PER_DAY
    with_unplanned: Array = np.column_stack([times, np.full(n, np.nan)])
    return with_unplanned


def _draw_sample_times(
    spec: CarNkSpecification, nominal_doses: Array, given: Array
) -> tuple[Array, Array, Flags]:
    """Nominal days, actual days and pre-dose columns of all planned samples."""
    rng = open_stream(spec.seed, "nk_samples")
    after, dose = planned_samples(spec)
    draw = rng.standard_normal((given.shape[0], after.size))
    early = after < 0.5
    offset = after + np.where(early, np.clip(0.003 * draw, -0.008, 0.008), 0.0)
    offset = offset + np.where(~early, np.clip(0.06 * draw, -0.125, 0.125), 0.0)
    before = -np.clip(0.08 + 0.03 * draw, 0.02, 0.17)
    offset = np.where(after == 0, before, offset)
    times = np.rint((given[:, dose] + offset) * MINUTES_PER_DAY) / MINUTES_PER_DAY
    return nominal_doses[dose] + after, times, after == 0


def _draw_lots(spec: CarNkSpecification) -> pd.DataFrame:
    rng = open_stream(spec.seed, "nk_lots")
    product, n = spec.product, spec.product.lots
    first = to_minutes(spec.enrolment.first_consent)
    span = (to_minutes(spec.enrolment.last_consent) - first) / np.timedelta64(1, "D")
    made = np.floor(np.linspace(-product.lead_days, span, n, endpoint=False))
    donor = np.concatenate(
        [rng.permutation(product.donors) for _ in range(-(-n // product.donors))]
    )[:n]

    def share(typical: float, sd: float) -> Array:
        percent: Array = np.clip(typical + sd * rng.standard_normal(n), 5, 99)
        return np.asarray(np.round(percent, 1), dtype=np.float64)

    return pd.DataFrame(
        {
            "LOTID": [f"{spec.study}-B{number:02d}" for number in range(1, n + 1)],
            "DONORID": [f"CB{number + 1:02d}" for number in donor.tolist()],
            "MADE": first + (made * MINUTES_PER_DAY).astype("timedelta64[m]"),
            "RELEASED": first
            + ((made + product.release_days) * MINUTES_PER_DAY).astype("timedelta64[m]"),
            "VIABILITY": share(product.viability, product.viability_sd),
            "TRANSDUCTION": share(product.transduction, product.transduction_sd),
            "VCN": np.round(product.vcn * np.exp(product.vcn_sd * rng.standard_normal(n)), 2),
            "POTENCY": share(product.potency, product.potency_sd),
            "EXPANSION": np.round(
                product.expansion * np.exp(product.expansion_sd * rng.standard_normal(n))
            ),
            "CULTURE": rng.integers(product.culture_days[0], product.culture_days[1] + 1, n),
        }
    )


def _choose_lots(
    spec: CarNkSpecification, lots: pd.DataFrame, start: NDArray[np.datetime64], given: Array
) -> NDArray[np.int64]:
    """The newest lot that was released a week before the cycle; the same for all its doses."""
    released = lots["RELEASED"].to_numpy().astype("datetime64[m]")
    cycle = np.arange(given.shape[1]) // len(spec.dosing.days)
    day = cycle * spec.dosing.cycle_length
    moments = start[:, np.newaxis] + (day * MINUTES_PER_DAY).astype("timedelta64[m]")
    chosen = np.searchsorted(released, moments - np.timedelta64(7, "D"), side="right") - 1
    lot: NDArray[np.int64] = np.maximum(chosen, 0)
    return lot


def _draw_antibodies(spec: CarNkSpecification, mismatches: Array) -> Antibodies:
    rng = open_stream(spec.seed, "nk_antibodies")
    truth, n = spec.immunogenicity, mismatches.size
    hla_baseline = draw_quota(rng, n, round(truth.hla_baseline_share * n))
    odds = truth.hla_induced_share / (1 - truth.hla_induced_share)
    odds_of_each = odds * truth.hla_or_per_mismatch ** (mismatches - REFERENCE_MISMATCHES)
    induced = ~hla_baseline & (rng.uniform(size=n) < odds_of_each / (1 + odds_of_each))
    car_baseline = draw_quota(rng, n, round(truth.car_baseline_share * n))
    car = draw_quota_within(rng, ~car_baseline, round(truth.car_induced_share * n))
    return Antibodies(
        hla_baseline=hla_baseline,
        hla_onset=np.where(induced, rng.uniform(*truth.hla_onset, n), np.inf),
        car_baseline=car_baseline,
        car_onset=np.where(car, rng.uniform(*truth.car_onset, n), np.inf),
    )


def _draw_course(
    spec: CarNkSpecification,
    infused: pd.DataFrame,
    exposure: SampledExposure,
    start: NDArray[np.datetime64],
) -> Course:
    rng = open_stream(spec.seed, "nk_course")
    truth, n = spec.response, len(infused)
    last, lost = draw_last_day(rng, spec.enrolment, start, truth.follow_up)
    logit = (
        np.log(truth.reference_probability / (1 - truth.reference_probability))
        + np.log(truth.or_per_doubling)
        * np.log2(np.maximum(exposure.auc28, 1.0) / truth.reference_auc28)
        + truth.burden_effect * infused["BURDENZ"].to_numpy(dtype=float)
    )
    responder = rng.uniform(size=n) < 1 / (1 + np.exp(-logit))
    complete = responder & (rng.uniform(size=n) < truth.complete_share)
    stable = ~responder & (rng.uniform(size=n) < truth.stable_share)
    median = np.where(responder, truth.relapse_median, truth.stable_median)
    later = RESPONSE_DAY + 4 + rng.exponential(1.0, n) * median / np.log(2)
    progression = np.where(responder | stable, later, 20.0 + 8 * rng.uniform(size=n))
    death = progression + 12 + rng.exponential(1.0, n) * truth.death_median / np.log(2)
    treated = rng.uniform(size=n) < truth.new_therapy_share
    therapy = np.where(treated, np.floor(progression + truth.new_therapy_delay) + 0.4, np.nan)
    last = np.minimum(last, death)
    return Course(
        responder=responder,
        complete=complete,
        stable=stable,
        progression=np.where(progression < last, progression, np.nan),
        death=np.where(death <= last, np.floor(death) + 0.5, np.nan),
        new_therapy=np.where(therapy < last - 1, therapy, np.nan),
        lost=lost & (death > last),
        last_day=np.where(death <= last, np.floor(death) + 0.5, last),
    )


def _draw_cycles(spec: CarNkSpecification, course: Course) -> NDArray[np.int64]:
    """Further cycles go to subjects without progression who stay on study through them."""
    rng = open_stream(spec.seed, "nk_cycles")
    n = course.responder.size
    cycles = np.ones(n, dtype=np.int64)
    for number in range(1, spec.dosing.cycles):
        end = number * spec.dosing.cycle_length + max(spec.dosing.days) + 1
        free = np.nan_to_num(course.progression, nan=np.inf) > end
        there = course.last_day > end + 1
        goes_on = (cycles == number) & free & there
        goes_on &= rng.uniform(size=n) < spec.dosing.continue_share
        cycles = cycles + goes_on
    return cycles


def _stop_doses(
    spec: CarNkSpecification, given: Array, cycles: NDArray[np.int64], course: Course
) -> tuple[Array, Flags]:
    """Leave out the doses of cycles not begun; give the unplanned re-infusions."""
    rng = open_stream(spec.seed, "nk_retreatment")
    number = len(spec.dosing.days)
    place = np.arange(given.shape[1] - 1)
    planned = np.where(place < number * cycles[:, np.newaxis], given[:, :-1], np.nan)
    later = np.floor(course.progression) + 10.0
    able = (
        course.responder
        & (later > EARLIEST_RETREATMENT)
        & (later < course.last_day - 30)
        & np.isnan(course.new_therapy)
    )
    retreated = draw_quota_within(rng, able, spec.dosing.unplanned)
    return np.column_stack([planned, np.where(retreated, later, np.nan)]), retreated


def _draw_crs(spec: CarNkSpecification, n: int) -> tuple[NDArray[np.int64], Array, Array]:
    rng = open_stream(spec.seed, "nk_crs")
    truth = spec.safety
    any_grade = rng.uniform(size=n) < truth.crs_share
    grade = np.where(any_grade, 1 + (rng.uniform(size=n) < truth.grade2_share), 0)
    onset = truth.onset_day * np.exp(truth.onset_sd * rng.standard_normal(n))
    onset = np.clip(onset, 0.2, 5.0)
    length = truth.duration * np.exp(truth.duration_sd * rng.standard_normal(n))
    end = onset + np.clip(length, 0.7, 6.0)
    return (
        grade.astype(np.int64),
        np.where(grade > 0, onset, np.nan),
        np.where(grade > 0, end, np.nan),
    )

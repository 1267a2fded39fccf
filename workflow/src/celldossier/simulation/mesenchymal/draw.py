"""Everything that is drawn of a stem cell study before it is laid out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.background import assign_levels, draw_last_day, draw_people
from celldossier.simulation.escalation import space_levels
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification
from celldossier.simulation.records import to_minutes
from celldossier.simulation.schedule import MINUTES_PER_DAY, draw_actual_times
from celldossier.simulation.streams import draw_quota, draw_quota_within, open_stream
from celldossier.terms.study_terms import DAYS_PER_YEAR

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class DrawnStem:
    """A drawn study; arrays are over infused subjects, times are days since the injection.

    Attributes
    ----------
    doses
        Actual dose, 10^6 viable cells.
    doublings
        log2 of planned over reference dose.
    lot
        Place of each subject's lot in ``lots``.
    visit_days, visits
        Nominal days of all visits; actual ones, shape (subjects, visits).
    attended
        Visits that took place.
    hla_onset
        Onset of antibodies against donor HLA, days; infinite where there are none.
    """

    subjects: pd.DataFrame
    infused: pd.DataFrame
    lots: pd.DataFrame
    lot: NDArray[np.int64]
    doses: Array
    doublings: Array
    visit_days: tuple[float, ...]
    visits: Array
    attended: Flags
    last_day: Array
    lost: Flags
    hla_baseline: Flags
    hla_onset: Array

    @property
    def start(self) -> NDArray[np.datetime64]:
        """Start of the injection, minute resolution."""
        return self.infused["START"].to_numpy().astype("datetime64[m]")

    def places_of(self, days: tuple[float, ...]) -> list[int]:
        """Columns of some nominal days."""
        return [self.visit_days.index(day) for day in days]


def draw_study(spec: MesenchymalSpecification) -> DrawnStem:
    """Draw a study from its specification; equal specifications give equal studies."""
    rng = open_stream(spec.seed, "stem_subjects")
    subjects = draw_people(rng, spec.seed, spec.study, spec.enrolment, spec.population)
    subjects = subjects.assign(
        **assign_levels(rng, spec.dosing.levels, subjects["INFUSED"].to_numpy(dtype=bool)),
        STAGE=rng.choice(
            list(spec.stage_shares), size=len(subjects), p=list(spec.stage_shares.values())
        ),
    )
    subjects = space_levels(subjects, spec.dosing.dlt_window)
    infused = subjects.loc[subjects["INFUSED"]].reset_index(drop=True)
    n = len(infused)
    start = infused["START"].to_numpy().astype("datetime64[m]")
    planned = np.array([level.planned for level in spec.dosing.levels])[infused["LEVEL"]]
    scatter = np.exp(
        spec.dosing.actual_ln_sd * open_stream(spec.seed, "stem_doses").standard_normal(n)
    )
    lots = _draw_lots(spec)
    released = lots["RELEASED"].to_numpy().astype("datetime64[m]")
    lot = np.searchsorted(released, start - np.timedelta64(7, "D"), side="right") - 1
    last, lost = draw_last_day(
        open_stream(spec.seed, "stem_follow_up"), spec.enrolment, start, spec.follow_up
    )
    days = all_visit_days(spec)
    visits = draw_actual_times(open_stream(spec.seed, "stem_visits"), days, n)
    missed = open_stream(spec.seed, "stem_missed").uniform(size=visits.shape) < spec.missed_share
    attended = (~missed | (np.array(days) <= 0)) & (visits < last[:, np.newaxis] - 0.5)
    rng = open_stream(spec.seed, "stem_antibodies")
    baseline = draw_quota(rng, n, round(spec.immunogenicity.baseline_share * n))
    induced = draw_quota_within(rng, ~baseline, round(spec.immunogenicity.induced_share * n))
    onset = np.where(induced, rng.uniform(*spec.immunogenicity.onset, n), np.inf)
    return DrawnStem(
        subjects=subjects,
        infused=infused,
        lots=lots,
        lot=np.maximum(lot, 0),
        doses=np.round(planned * scatter, 1),
        doublings=np.log2(planned / spec.dosing.reference),
        visit_days=days,
        visits=visits,
        attended=attended,
        last_day=last,
        lost=lost,
        hla_baseline=baseline,
        hla_onset=onset,
    )


def all_visit_days(spec: MesenchymalSpecification) -> tuple[float, ...]:
    """Nominal days of all visits, each once."""
    return tuple(
        sorted(
            {
                *spec.background.blood_days,
                *spec.background.fluid_days,
                *spec.symptoms.days,
                *spec.symptoms.response_days,
                *spec.imaging.days,
                *spec.imaging.signal_days,
                *spec.tissue.days,
                *spec.factors.days,
                *spec.immunogenicity.days,
            }
        )
    )


def _draw_lots(spec: MesenchymalSpecification) -> pd.DataFrame:
    rng = open_stream(spec.seed, "stem_lots")
    product, n = spec.product, spec.product.lots
    first = to_minutes(spec.enrolment.first_consent)
    span = (to_minutes(spec.enrolment.last_consent) - first) / np.timedelta64(1, "D")
    made = np.floor(np.linspace(-product.lead_days, span, n, endpoint=False))
    release = made + product.release_days
    return pd.DataFrame(
        {
            "LOTID": [f"{spec.study}-M{number:02d}" for number in range(1, n + 1)],
            "DONORID": [f"UC{number % product.donors + 1:02d}" for number in range(n)],
            "MADE": first + (made * MINUTES_PER_DAY).astype("timedelta64[m]"),
            "RELEASED": first + (release * MINUTES_PER_DAY).astype("timedelta64[m]"),
            "VIABILITY": np.round(
                np.clip(product.viability + product.viability_sd * rng.standard_normal(n), 70, 99),
                1,
            ),
            "POTENCY": np.round(
                np.clip(product.potency + product.potency_sd * rng.standard_normal(n), 5, 99), 1
            ),
            "EXPANSION": np.round(
                product.expansion * np.exp(product.expansion_sd * rng.standard_normal(n))
            ),
            "CULTURE": rng.integers(product.culture_days[0], product.culture_days[1] + 1, n),
        }
    )


def draw_blood(spec: MesenchymalSpecification, drawn: DrawnStem) -> Array:
    """Cells of the phenotype in blood, cells/uL: own cells only, independent of the dose."""
    rng = open_stream(spec.seed, "stem_blood")
    truth, shape = spec.background, (len(drawn.infused), len(spec.background.blood_days))
    own = truth.blood_baseline_sd * rng.standard_normal((shape[0], 1))
    values: Array = truth.blood_baseline * np.exp(
        own + truth.residual_sd * rng.standard_normal(shape)
    )
    return values


def draw_fluid(spec: MesenchymalSpecification, drawn: DrawnStem) -> tuple[Array, Flags]:
    """Cells of the phenotype in synovial fluid, cells/uL; and who was sampled."""
    rng = open_stream(spec.seed, "stem_fluid")
    truth, n = spec.background, len(drawn.infused)
    sampled = draw_quota(rng, n, round(truth.fluid_share * n))
    times = drawn.visits[:, drawn.places_of(truth.fluid_days)]
    fading = np.where(times > 0, np.exp(-np.log(2) / truth.fluid_half_life * times), 0.0)
    rise = truth.fluid_rise + truth.fluid_dose_effect * drawn.doublings
    own = truth.fluid_baseline_sd * rng.standard_normal((n, 1))
    ln_change = own + rise[:, np.newaxis] * fading
    values: Array = truth.fluid_baseline * np.exp(
        ln_change + truth.residual_sd * rng.standard_normal(times.shape)
    )
    return values, sampled


def draw_scores(spec: MesenchymalSpecification, drawn: DrawnStem) -> dict[str, Array]:
    """Each symptom score at all its visits, points, before rounding and limits.

    A subject who gains much by one score gains much by the others.
    """
    rng = open_stream(spec.seed, "stem_scores")
    times = drawn.visits[:, drawn.places_of(spec.symptoms.days)]
    n = times.shape[0]
    course = 1 - np.exp(-np.maximum(times, 0.0) / spec.symptoms.time_constant)
    gain, severity = rng.standard_normal((n, 1)), rng.standard_normal((n, 1))
    found = {}
    for score in spec.symptoms.scores:
        change = score.change + score.dose_effect * drawn.doublings[:, np.newaxis]
        change = change + score.change_sd * gain
        noise = score.residual_sd * rng.standard_normal(times.shape)
        found[score.code] = score.baseline + score.baseline_sd * severity + change * course + noise
    return found


def draw_cartilage(spec: MesenchymalSpecification, drawn: DrawnStem) -> dict[str, Array]:
    """Cartilage volume by place, mm3, at all visits of imaging."""
    rng = open_stream(spec.seed, "stem_cartilage")
    truth = spec.imaging
    times = drawn.visits[:, drawn.places_of(truth.days)]
    years = np.maximum(times, 0.0) / DAYS_PER_YEAR
    slope = truth.cartilage_loss + truth.cartilage_dose_effect * drawn.doublings
    own = truth.cartilage_sd * rng.standard_normal((times.shape[0], 1))
    return {
        place: volume
        * np.exp(
            own
            + slope[:, np.newaxis] * years
            + truth.cartilage_residual_sd * rng.standard_normal(times.shape)
        )
        for place, volume in truth.cartilage.items()
    }


def draw_worms(spec: MesenchymalSpecification, drawn: DrawnStem) -> Array:
    """Whole-organ score (WORMS) at all visits of imaging, points; not related to dose."""
    rng = open_stream(spec.seed, "stem_worms")
    truth = spec.imaging
    times = drawn.visits[:, drawn.places_of(truth.days)]
    years = np.maximum(times, 0.0) / DAYS_PER_YEAR
    own = truth.worms_sd * rng.standard_normal((times.shape[0], 1))
    values: Array = truth.worms + own + truth.worms_year * years
    return values + truth.worms_residual_sd * rng.standard_normal(times.shape)


def draw_signal(spec: MesenchymalSpecification, drawn: DrawnStem) -> tuple[dict[str, Array], Flags]:
    """Signal of labelled cells by place, % of the injected; and who had labelled cells."""
    rng = open_stream(spec.seed, "stem_signal")
    truth, n = spec.imaging, len(drawn.infused)
    chosen = draw_quota(rng, n, round(truth.signal_subjects_share * n))
    times = np.maximum(drawn.visits[:, drawn.places_of(truth.signal_days)], 0.0)
    return {
        place: level
        * np.exp(
            -np.log(2) / truth.signal_half_life[place] * times
            + truth.signal_sd * rng.standard_normal(times.shape)
        )
        for place, level in truth.signal.items()
    }, chosen


def draw_tissue(spec: MesenchymalSpecification, drawn: DrawnStem) -> tuple[Array, Flags]:
    """Synovitis score of the biopsies, points, before rounding; and who was biopsied."""
    rng = open_stream(spec.seed, "stem_tissue")
    truth, n = spec.tissue, len(drawn.infused)
    chosen = draw_quota(rng, n, round(truth.share * n))
    after = np.array(truth.days) > 0
    own = truth.baseline_sd * rng.standard_normal((n, 1))
    noise = truth.residual_sd * rng.standard_normal((n, after.size))
    values: Array = truth.baseline + own + np.where(after, truth.change, 0.0) + noise
    return values, chosen


def draw_mishandled(spec: MesenchymalSpecification, drawn: DrawnStem) -> Flags:
    """Samples of the soluble factors in which platelets released their contents."""
    rng = open_stream(spec.seed, "stem_handling")
    shape = (len(drawn.infused), len(spec.factors.days))
    mishandled: Flags = rng.uniform(size=shape) < spec.factors.mishandled_share
    return mishandled


def draw_factors(
    spec: MesenchymalSpecification, drawn: DrawnStem, mishandled: Flags
) -> dict[str, Array]:
    """Soluble factors at all their visits, in their units."""
    rng = open_stream(spec.seed, "stem_factors")
    truth = spec.factors
    times = drawn.visits[:, drawn.places_of(truth.days)]
    pulse = np.exp(-(((times - truth.peak_day) / truth.peak_width) ** 2)) * (times > 0)
    found = {}
    for test in truth.tests:
        own = test.baseline_sd * rng.standard_normal((times.shape[0], 1))
        rise = test.rise + test.dose_effect * drawn.doublings[:, np.newaxis]
        released = np.where(mishandled, np.log(test.platelet_factor), 0.0)
        noise = test.residual_sd * rng.standard_normal(times.shape)
        found[test.code] = test.baseline * np.exp(own + rise * pulse + released + noise)
    return found

"""Toxicity, response, course of disease and rescue medication of infused subjects.

Each outcome depends on the sampled exposure as the specification says and on
nothing else; rescue medication depends on toxicity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.exposure import SampledExposure
from celldossier.simulation.records import move_to_midnight
from celldossier.simulation.specification import GradedToxicity, StudySpecification
from celldossier.simulation.streams import draw_quota, open_stream
from celldossier.simulation.survival import (
    EARLIEST_LATER_DEATH,
    Departure,
    compute_log_hazard_ratio,
    draw_event_times,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Grades = NDArray[np.int64]

RESPONSE_DAYS = (28.0, 90.0, 180.0, 360.0, 540.0, 720.0, 900.0)


def draw_early_deaths(spec: StudySpecification, infusion: NDArray[np.datetime64]) -> Array:
    """Day of death before day 28; NaN for the other infused subjects.

    A death has a date and no time of day: it is put at midnight, so that no other
    record of the subject bears that date.
    """
    rng = open_stream(spec.seed, "early_deaths")
    n = spec.enrolment.infused
    dead = draw_quota(rng, n, round(spec.enrolment.early_death_share * n))
    return move_to_midnight(infusion, np.where(dead, rng.uniform(10, 26.9, n), np.nan))


@dataclass(frozen=True)
class Toxicity:
    """Worst grade (0 = none) and, where it occurred, onset and end in days."""

    grade: Grades
    onset: Array
    end: Array


def draw_toxicity(
    spec: StudySpecification,
    name: str,
    infused: pd.DataFrame,
    exposure: SampledExposure,
    not_before: Array,
    last_day: Array,
) -> Toxicity:
    """Draw the worst grade of CRS or ICANS by proportional odds on log2 Cmax.

    Parameters
    ----------
    name
        ``"crs"`` or ``"icans"``: the section of the specification, and the stream.
    not_before
        Earliest onset, days (for ICANS the onset of CRS; 0 where there is none).
    last_day
        Day of an early death; NaN where alive. Events lie before it.
    """
    rng = open_stream(spec.seed, name)
    truth: GradedToxicity = getattr(spec, name)
    n = len(infused)
    slope = np.log([truth.or_per_doubling[code] for code in infused["INDIC"]])
    # Without a quantifiable sample the exposure counts as half the LLOQ.
    cmax = np.maximum(exposure.cmax, spec.sampling.pcr.lloq / 2)
    shift = slope * np.log2(cmax / truth.reference_cmax)
    shift = shift + truth.burden_effect * infused["BURDENZ"].to_numpy(dtype=float)
    uniform = rng.uniform(size=n)
    latent = np.log(uniform / (1 - uniform))
    grade = np.zeros(n, dtype=np.int64)
    for level, probability in sorted(truth.reference_probability.items()):
        threshold = np.log(probability / (1 - probability)) + shift
        grade = np.where(latent < threshold, level, grade)
    onset = truth.onset_day * np.exp(truth.onset_sd * rng.standard_normal(n))
    onset = np.maximum(np.clip(onset, 0.3, 21.0), not_before + 0.2)
    onset = np.where(np.isnan(last_day), onset, np.minimum(onset, last_day - 2.0))
    duration = truth.duration * np.exp(truth.duration_sd * rng.standard_normal(n))
    end = onset + np.clip(duration, 1.0, 40.0)
    end = np.where(np.isnan(last_day), end, np.minimum(end, last_day - 0.2))
    present = grade > 0
    return Toxicity(grade, np.where(present, onset, np.nan), np.where(present, end, np.nan))


@dataclass(frozen=True)
class RescueMedication:
    """Start of tocilizumab and of corticosteroids, days; NaN where not given."""

    tocilizumab_day: Array
    steroid_day: Array


def draw_rescue(spec: StudySpecification, crs: Toxicity, icans: Toxicity) -> RescueMedication:
    """Give rescue medication by the worst grade, after the onset of the toxicity."""
    rng = open_stream(spec.seed, "rescue")
    n = crs.grade.size
    worse = np.maximum(crs.grade, icans.grade)
    given = _draw_given(rng, crs.grade, spec.rescue.tocilizumab)
    steroid = _draw_given(rng, worse, spec.rescue.steroid)
    delay = rng.uniform(0.25, 2.0, (n, 2))
    # Half a day before the end at the latest, and never before the onset.
    toci_day = crs.onset + np.minimum(delay[:, 0], 0.8 * (crs.end - crs.onset))
    leading = np.where(icans.grade >= np.maximum(crs.grade, 1), icans.onset, crs.onset)
    closing = np.where(icans.grade >= np.maximum(crs.grade, 1), icans.end, crs.end)
    steroid_day = leading + np.minimum(delay[:, 1], 0.8 * (closing - leading))
    return RescueMedication(
        tocilizumab_day=np.where(given, toci_day, np.nan),
        steroid_day=np.where(steroid, steroid_day, np.nan),
    )


def _draw_given(
    rng: np.random.Generator, grade: Grades, probability: tuple[float, float, float]
) -> Flags:
    """Draw who is treated; nobody is treated without the toxicity.

    The first probability holds for grades 0 and 1 together, so it is raised for
    grade 1 by the share of grade 0 among them.
    """
    low = grade <= 1
    mild = grade == 1
    raised = probability[0] * low.sum() / max(int(mild.sum()), 1)
    chance = np.where(mild, min(raised, 1.0), 0.0)
    chance = np.where(grade == 2, probability[1], chance)
    chance = np.where(grade >= 3, probability[2], chance)
    given: Flags = rng.uniform(size=grade.size) < chance
    return given


@dataclass(frozen=True)
class DiseaseCourse:
    """Response truth, the assessment at each visit, progression and death.

    Attributes
    ----------
    assessments
        Text of shape (subjects, visits): "" where not assessed.
    progression_day
        Day of progression; NaN where none is seen.
    unscheduled
        Whether it was found between the visits: it is a record of its own then.
    event_day, event_is_death
        Latent time of progression or death without it, whether seen or not, of those
        alive at day 28; the hazard ratio holds for it.
    """

    responder: Flags
    assessable: Flags
    assessments: NDArray[np.str_]
    progression_day: Array
    unscheduled: Flags
    death_day: Array
    event_day: Array
    event_is_death: Flags


def draw_disease_course(
    spec: StudySpecification,
    infused: pd.DataFrame,
    exposure: SampledExposure,
    early_death_day: Array,
    visit_days: Array,
    cutoff_day: Array,
    departure: Departure,
) -> DiseaseCourse:
    """Draw response at day 28, later assessments, progression and death.

    Parameters
    ----------
    visit_days
        Actual days of the assessments, shape (subjects, len(RESPONSE_DAYS)).
    cutoff_day
        Day of the data cut-off for each subject: nothing lies after it.
    departure
        Last contact of those who do not die before it.
    """
    rng = open_stream(spec.seed, "response")
    truth = spec.response
    n = len(infused)
    is_all = (infused["INDIC"] == "ALL").to_numpy()
    infusion = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    auc28 = np.maximum(exposure.auc28, 1.0)
    log_odds = (
        np.log(truth.reference_probability / (1 - truth.reference_probability))
        + np.log(truth.or_per_doubling) * np.log2(auc28 / truth.reference_auc28)
        + truth.burden_effect * infused["BURDENZ"].to_numpy(dtype=float)
    )
    probability = 1 / (1 + np.exp(-log_odds))
    alive = np.isnan(early_death_day)
    responds = rng.uniform(size=n) < probability
    responder = responds & alive
    unknown = alive & (rng.uniform(size=n) < truth.unknown_share)
    complete = rng.uniform(size=n) < truth.complete_share
    slow = rng.uniform(size=n) < truth.late_share
    deepens = rng.uniform(size=n) < 0.5

    event = draw_event_times(
        spec,
        compute_log_hazard_ratio(spec, infused, exposure),
        responds,
        probability,
        rng.uniform(size=n),
        visit_days[:, 0],
    )
    at_visit = event == visit_days[:, 0]
    next_date = move_to_midnight(infusion, visit_days[:, 0] + 1)
    event = np.where(at_visit, event, np.fmax(move_to_midnight(infusion, event), next_date))
    is_death = ~at_visit & (event >= EARLIEST_LATER_DEATH)
    is_death &= rng.uniform(size=n) < spec.survival.death_share
    seen = alive & ~unknown & ~is_death & (event <= departure.end_day)
    progression = np.where(seen, event, np.nan)

    wait = spec.survival.death_after_progression_median / np.log(2) * rng.exponential(size=n)
    after = np.maximum(progression + 14 + wait, EARLIEST_LATER_DEATH)
    death = np.where(is_death & alive, event, move_to_midnight(infusion, after))
    known = (death <= cutoff_day) & ~(departure.left & (death > departure.end_day))
    death = np.where(alive, np.where(known, death, np.nan), early_death_day)

    late = responder & ~is_all & slow & (event > visit_days[:, 1] + 1)
    full = np.where(complete, "CR", np.where(is_all, "CRi", "PR"))
    none = np.where(is_all, "NR", "SD")
    first = np.where(responder & ~late, full, np.where(at_visit, "PD", none))
    first = np.where(unknown, "NE", first)
    deeper = np.where(complete | deepens, "CR", np.where(is_all, "CRi", "PR"))
    later = np.where(responder, deeper, none)
    stop = np.fmin(np.fmin(progression, death), departure.end_day)
    assessments = np.full(visit_days.shape, "", dtype="<U3")
    for visit in range(visit_days.shape[1]):
        assessed = alive & (visit_days[:, visit] <= stop) & ~(unknown & (visit > 0))
        status = first if visit == 0 else later
        assessments[:, visit] = np.where(assessed, status, "")
    return DiseaseCourse(
        responder=responder,
        assessable=alive & ~unknown,
        assessments=assessments,
        progression_day=progression,
        unscheduled=seen & ~at_visit,
        death_day=death,
        event_day=np.where(alive, event, np.nan),
        event_is_death=is_death & alive,
    )

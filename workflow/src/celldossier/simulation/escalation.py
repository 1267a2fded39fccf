"""Dose escalation in cohorts: who is on which level, and when a cohort may begin.

The decisions are those of the Bayesian optimal interval design (BOIN; Liu and Yuan
2015, J R Stat Soc C 64:507), so that a replay of the design finds them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

EXCESSIVE = 0.95  # posterior probability above the target from which a level is closed
LOWER_SHARE, UPPER_SHARE = 0.6, 1.4  # of the target: under- and overdosing (BOIN default)
MOVES = {"E": 1, "S": 0, "D": -1}


@dataclass(frozen=True)
class Cohort:
    """One cohort of the escalation and what was decided after it.

    Attributes
    ----------
    level
        Index of the dose level.
    members
        Indices of the infused subjects, in order of infusion.
    toxicities
        Members with a dose-limiting toxicity.
    decision
        E escalate, S stay, D de-escalate, STOP: the lowest level is too toxic.
    """

    level: int
    members: tuple[int, ...]
    toxicities: int
    decision: str


def compute_boundaries(target: float) -> tuple[float, float]:
    """Observed DLT rates at or below which BOIN escalates, at or above which it goes down."""
    low, high = LOWER_SHARE * target, UPPER_SHARE * target
    escalate = np.log((1 - low) / (1 - target)) / np.log(target * (1 - low) / (low * (1 - target)))
    go_down = np.log((1 - target) / (1 - high)) / np.log(
        high * (1 - target) / (target * (1 - high))
    )
    return float(escalate), float(go_down)


def is_excessive(treated: int, toxicities: int, target: float) -> bool:
    """Whether a level is closed: the DLT rate is above the target almost surely."""
    above = float(beta.sf(target, 1 + toxicities, 1 + treated - toxicities))
    return treated >= 3 and above > EXCESSIVE


def draw_thresholds(spec: StudySpecification) -> NDArray[np.float64]:
    """Uniform number of each infused subject: a DLT where it lies below the level's rate."""
    return open_stream(spec.seed, "dose_limiting").uniform(size=spec.enrolment.infused)


def run_escalation(spec: StudySpecification) -> list[Cohort]:
    """Treat the first infused subjects cohort by cohort.

    There are as many whole cohorts as the specification asks for and as half of the
    infused subjects can fill.
    """
    truth = spec.dosing.escalation
    rates = [level.dlt_probability for level in spec.dosing.levels]
    thresholds = draw_thresholds(spec)
    escalate, go_down = compute_boundaries(truth.target)
    treated, toxic = np.zeros(len(rates), dtype=int), np.zeros(len(rates), dtype=int)
    top, level = len(rates) - 1, 0
    cohorts: list[Cohort] = []
    for number in range(min(truth.cohorts, spec.enrolment.infused // (2 * truth.cohort_size))):
        members = range(number * truth.cohort_size, (number + 1) * truth.cohort_size)
        found = int(sum(thresholds[member] < rates[level] for member in members))
        treated[level] += truth.cohort_size
        toxic[level] += found
        rate = toxic[level] / treated[level]
        if is_excessive(int(treated[level]), int(toxic[level]), truth.target):
            top = level - 1
            decision = "D" if level > 0 else "STOP"
        elif rate <= escalate and level < top:
            decision = "E"
        elif rate >= go_down and level > 0:
            decision = "D"
        else:
            decision = "S"
        cohorts.append(Cohort(level, tuple(members), found, decision))
        if decision == "STOP":
            break
        level += MOVES[decision]
    return cohorts


def assign_dose_levels(
    spec: StudySpecification,
    rng: np.random.Generator,
    infused: NDArray[np.bool_],
    cohorts: list[Cohort],
) -> NDArray[np.int64]:
    """Index of the level: the cohorts of the escalation, then the rest in random order.

    The expansion fills the levels up to their shares; a level that the escalation has
    overfilled takes from the largest ones.
    """
    shares = np.array([level.share for level in spec.dosing.levels])
    n = spec.enrolment.infused
    counts = np.floor(shares * n + 1e-9).astype(int)
    counts[np.argmax(shares)] += n - counts.sum()
    places = np.arange(shares.size)
    first = np.array([cohort.level for cohort in cohorts for _ in cohort.members], dtype=int)
    rest = counts - np.bincount(first, minlength=shares.size)
    while (rest < 0).any():
        rest[np.argmax(rest)] -= 1
        rest[np.argmin(rest)] += 1
    expansion = rng.permutation(np.repeat(places, rest))
    levels = np.empty(infused.size, dtype=np.int64)
    levels[infused] = np.concatenate([first, expansion])
    levels[~infused] = rng.choice(shares.size, size=(~infused).sum(), p=shares)
    return levels


def space_cohorts(
    spec: StudySpecification, frame: pd.DataFrame, cohorts: list[Cohort]
) -> pd.DataFrame:
    """Move the dates of subjects so that each cohort is observed before the next begins.

    The dates of a subject move together, by whole days.
    """
    if not cohorts:
        return frame
    dates = ("CONSENT", "LEUKAPHERESIS", "MANUFACTURE", "RELEASE", "INFUSION")
    members = [list(cohort.members) for cohort in cohorts]
    return move_dates(frame, dates, members, spec.dosing.escalation.window)


def space_levels(frame: pd.DataFrame, window: float) -> pd.DataFrame:
    """The same for a study whose escalation has one cohort a level: LEVEL, ESCALATION, START.

    Parameters
    ----------
    window
        Window of dose-limiting toxicity, days.
    """
    own = frame[frame["INFUSED"]].reset_index(drop=True)
    level = own["LEVEL"].where(own["ESCALATION"].astype(bool))
    members = [np.flatnonzero(level == place).tolist() for place in sorted(level.dropna().unique())]
    return move_dates(frame, ("CONSENT", "START"), members, window) if members else frame


def move_dates(
    frame: pd.DataFrame,
    dates: tuple[str, ...],
    cohorts: Sequence[Sequence[int]],
    window: float,
) -> pd.DataFrame:
    """Move dates by whole days, so that a cohort begins when the window of the last has closed.

    The expansion begins when the window of the last cohort has closed; its consents are
    spread from then to the last.

    Parameters
    ----------
    dates
        Dates that move together: the first is that of consent, the last of the infusion.
    cohorts
        Places of the members of each cohort among the infused subjects.
    """
    infusion = frame[dates[-1]].to_numpy().astype("datetime64[m]")
    consent = frame[dates[0]].to_numpy().astype("datetime64[m]")
    places = np.flatnonzero(frame["INFUSED"].to_numpy(dtype=bool))
    day = np.timedelta64(1440, "m")
    closed = np.timedelta64(round(1440 * window), "m")
    shift = np.zeros(len(frame), dtype=int)
    open_from = infusion[places[0]]
    for cohort in cohorts:
        rows = places[list(cohort)]
        late = int(np.ceil((open_from - infusion[rows].min()) / day))
        shift[rows] = max(late, 0)
        open_from = (infusion[rows] + shift[rows] * day).max() + closed
    later = np.arange(len(frame)) > places[cohorts[-1][-1]]
    if later.any():
        span = (consent[later].max() - consent[later].min()) / day
        earliest = infusion[later & ~np.isnat(infusion)].min() if later.any() else open_from
        moved = max(0, int(np.ceil((open_from - earliest) / day)))
        # The first of them moves as far as needed, the last one not at all.
        part = (consent.max() - consent[later]) / day / max(span, 1.0)
        shift[later] = np.rint(moved * part).astype(int)
        still = np.ceil((open_from - (infusion + shift * day)) / day)
        early = later & ~np.isnat(infusion) & (still > 0)
        shift[early] += still[early].astype(int)
    return frame.assign(
        **{name: frame[name].to_numpy().astype("datetime64[m]") + shift * day for name in dates}
    )


def name_parts(
    frame: pd.DataFrame, cohorts: list[Cohort]
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """PART and COHORT of each enrolled subject; no cohort for those without infusion."""
    places = np.flatnonzero(frame["INFUSED"].to_numpy(dtype=bool))
    members = places[[member for cohort in cohorts for member in cohort.members]]
    last = members.max() if members.size else -1
    part = np.where(np.arange(len(frame)) <= last, "ESCALATION", "EXPANSION")
    cohort_name = np.full(len(frame), "", dtype="<U16")
    cohort_name[places] = np.char.add("EXPANSION ", frame["INDIC"].to_numpy(dtype=str)[places])
    for number, cohort in enumerate(cohorts, start=1):
        cohort_name[places[list(cohort.members)]] = f"COHORT {number}"
    return part, cohort_name


def describe_cohorts(
    spec: StudySpecification, infused: pd.DataFrame, cohorts: list[Cohort]
) -> list[dict[str, object]]:
    """The table of cohorts for the truth, ready for JSON."""
    rows: list[dict[str, object]] = []
    for number, cohort in enumerate(cohorts, start=1):
        own = infused.iloc[list(cohort.members)]
        rows.append(
            {
                "cohort": number,
                "level": spec.dosing.levels[cohort.level].code,
                "subjects": own["USUBJID"].tolist(),
                "first_infusion": str(own["INFUSION"].min().date()),
                "last_infusion": str(own["INFUSION"].max().date()),
                "dose_limiting": cohort.toxicities,
                "decision": cohort.decision,
            }
        )
    return rows

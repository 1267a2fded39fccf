"""Grades of CRS and ICANS after ASTCT 2019, from the components of a day.

Source: Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638, doi
10.1016/j.bbmt.2018.12.758. What each value of a component stands for is data:
``resources/terms/astct_components.yaml``.

A component that was not recorded is not "no": it could be anything. Each grade is
therefore computed twice, with all missing components at their best and at their
worst. Where both agree the grade is known; else it is at least the lower one, and
empty where that is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource

CRS, ICANS = "CRS", "ICANS"
SEVEREST = 4.0
"""Highest grade of a component; grade 5 is death from the event."""
DEATH = 5.0
LONGEST_COURSE = 60.0
"""Days after which a course of CRS is over although no day without signs was recorded."""

PARTIAL = "PARTGRADE"
NO_FEVER = "NOFEVER"
FEVER_UNKNOWN = "NOFEVCMP"


def read_components() -> Mapping[str, Any]:
    """The criteria, by event and component."""
    criteria: Mapping[str, Any] = read_resource("terms", "astct_components.yaml")
    return criteria


def grade_value(event: str, component: str, value: pd.Series) -> pd.Series:
    """Grade that the values of a numeric component stand for.

    Parameters
    ----------
    value
        Numbers, such as an ICE score.
    """
    steps = read_components()[event][component]["least"]
    grade = pd.Series(np.nan, index=value.index, dtype="float64")
    for least, step in sorted(steps.items()):
        grade = grade.mask(value >= least, float(step))
    return grade


def grade_crs(days: pd.DataFrame, treatment: pd.DataFrame, gap: int = 0) -> pd.DataFrame:
    """Grade CRS by day.

    Fever is a condition of CRS. Once it was there and an antipyretic, an anticytokine
    drug or a steroid was given, it is no longer required, until the course ends: at a day
    that was recorded without signs. A day that nobody recorded ends nothing. Where fever
    is required and was not recorded, the day may be no CRS at all.

    Parameters
    ----------
    days
        One row a subject and day: ``USUBJID``, ``ADY`` (whole days from the first
        infusion), and the grades that the day's components stand for: ``FEVER``
        (1, 0), ``HYPOTENS``, ``VASOPRES``, ``VASOPSIN``, ``OXYGEN``, ``DEATH``; NaN where
        not recorded.
    treatment
        Days of such treatment: ``USUBJID``, ``ADY``.
    gap
        Recorded days without CRS that do not end a course.

    Returns
    -------
    DataFrame
        Aligned with `days`: ``grade``, ``high`` (the worst that the day can be), ``reason``.
    """
    low, high = _bound_organs(days)
    fever = days["FEVER"].to_numpy(dtype=float)
    required = _find_required_fever(days, fever, low, treatment, gap)
    known, none = fever == 1, fever == 0
    # With fever the grade is at least 1; where it is unknown, the day can be of grade 1.
    low = np.where(known, np.maximum(low, 1.0), low)
    high = np.where(known | np.isnan(fever), np.maximum(high, 1.0), high)
    refuted = none & required
    reason = np.where(refuted & (low > 0), NO_FEVER, "")
    low, high = np.where(refuted, 0.0, low), np.where(refuted, 0.0, high)
    unknown = np.isnan(fever) & required
    reason = np.where(unknown & (low > 0), FEVER_UNKNOWN, reason)
    low = np.where(unknown, 0.0, low)
    return _conclude(days, low, high, reason)


def grade_icans(days: pd.DataFrame) -> pd.DataFrame:
    """Grade ICANS by day: the worst of its components.

    Parameters
    ----------
    days
        One row a subject and day: ``USUBJID``, ``ADY``, ``AGE`` (years, NaN where unknown),
        ``ICE`` and ``CAPD`` (scores), and the grades that ``CONSC``, ``SEIZURE``, ``MOTOR``,
        ``EDEMA``, ``DEATH`` stand for; NaN where not recorded. Below 12 years the ICE
        score does not count.

    Returns
    -------
    DataFrame
        As `grade_crs`.
    """
    consciousness = days["CONSC"].to_numpy(dtype=float)
    # Unarousable subjects cannot be scored: that is what the consciousness says.
    unscored = np.where(np.isnan(consciousness), SEVEREST, np.maximum(consciousness, 3.0))
    child = (days["AGE"] < read_components()["ice_from_age"]).to_numpy()
    ice = days["ICE"].mask(child)
    by_ice = grade_value(ICANS, "ICE", ice).to_numpy()
    by_capd = grade_value(ICANS, "CAPD", days["CAPD"]).to_numpy()
    score = np.where(np.isnan(by_ice) | child, by_capd, by_ice)
    zero = (ice == 0).to_numpy() & ~np.isnan(by_ice)
    lows = [np.where(np.isnan(score), 0.0, score)]
    highs = [np.where(np.isnan(score) | zero, unscored, score)]
    for name in ("CONSC", "SEIZURE", "MOTOR", "EDEMA"):
        value = days[name].to_numpy(dtype=float)
        lows.append(np.where(np.isnan(value), 0.0, value))
        highs.append(np.where(np.isnan(value), SEVEREST, value))
    low, high = np.maximum.reduce(lows), np.maximum.reduce(highs)
    return _conclude(days, low, high, np.full(len(days), "", dtype=object))


def _bound_organs(days: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest grade of CRS by hypotension and oxygen, whatever the fever."""
    pressure = days["HYPOTENS"].to_numpy(dtype=float)
    number = days["VASOPRES"].to_numpy(dtype=float)
    # Vasopressin only matters where it is given without another vasopressor, which is rare: where
    # it was not asked for, the number of the others stands.
    alone = np.nan_to_num(days["VASOPSIN"].to_numpy(dtype=float))
    oxygen = days["OXYGEN"].to_numpy(dtype=float)
    drugs = np.fmax(np.nan_to_num(number), alone)
    low = np.fmax(np.nan_to_num(pressure), drugs)
    # No hypotension needs no vasopressor, and so its number need not be recorded. Where
    # the number is missing the pressure can have needed several.
    open_drugs = np.isnan(number) & ~(pressure == 0)
    high = np.where(open_drugs, SEVEREST, np.where(np.isnan(pressure), np.fmax(drugs, 2.0), low))
    low = np.fmax(low, np.nan_to_num(oxygen))
    high = np.fmax(high, np.where(np.isnan(oxygen), SEVEREST, oxygen))
    return low, high


def _find_required_fever(
    days: pd.DataFrame,
    fever: np.ndarray,
    organs: np.ndarray,
    treatment: pd.DataFrame,
    gap: int,
) -> np.ndarray:
    """Whether fever is required on each day: not after it was there and was treated."""
    treated = {
        str(subject): np.sort(rows.to_numpy())
        for subject, rows in treatment.groupby("USUBJID", sort=False)["ADY"]
    }
    order = np.lexsort((days["ADY"].to_numpy(), days["USUBJID"].astype(str).to_numpy()))
    required = np.ones(len(days), dtype=bool)
    subjects, numbers = days["USUBJID"].to_numpy(), days["ADY"].to_numpy(dtype=float)
    signs = ["FEVER", "HYPOTENS", "VASOPRES", "VASOPSIN", "OXYGEN"]
    recorded = days[signs].notna().any(axis=1).to_numpy()
    subject, start, calm = "", np.nan, 0
    for place in order:
        day = numbers[place]
        if subjects[place] != subject or calm > gap or day - start > LONGEST_COURSE:
            subject, start, calm = subjects[place], np.nan, 0
        if fever[place] == 1 and np.isnan(start):
            start = day
        if not np.isnan(start):
            given = treated.get(subject, np.empty(0))
            required[place] = np.searchsorted(given, day, "right") == np.searchsorted(given, start)
        # Signs without fever that was asked for and not there are of another cause.
        refuted = fever[place] == 0 and required[place]
        if fever[place] == 1 or (organs[place] > 0 and not refuted):
            calm = 0
        elif recorded[place]:
            calm += 1
    return required


def _conclude(
    days: pd.DataFrame, low: np.ndarray, high: np.ndarray, reason: np.ndarray
) -> pd.DataFrame:
    """Grade, its upper bound and its reason from the two bounds; death is grade 5."""
    dead = days["DEATH"].to_numpy(dtype=float) == DEATH
    low, high = np.where(dead, DEATH, low), np.where(dead, DEATH, high)
    open_ = low < high
    grade = np.where(open_ & (low == 0), np.nan, low)
    reason = np.where(dead, "", np.where(open_ & (reason == ""), PARTIAL, reason))
    frame = pd.DataFrame({"grade": grade, "high": high}, index=days.index)
    return frame.assign(reason=pd.Series(reason, index=days.index, dtype=object))


def list_components(event: str) -> Sequence[str]:
    """Components of an event that a grade is made from."""
    return [name for name in read_components()[event] if name != "GRADE"]

"""Peaks of the markers by the worst grade of cytokine release and of neurotoxicity.

Analyses added (variable: marker):

================  ==========================  ==============================================
grade_peak        event (CRS, ICANS), grade   block of the peaks
grade_peak_trend  event                       n, n_unwatched, n_after (peak after the onset),
                                              z, p (Jonckheere-Terpstra), q
================  ==========================  ==============================================

q: Benjamini-Hochberg over all markers and events. Curves: `pharmacodynamics.grade_peak/
<marker>/<event>`, a point a subject: grade (x) and peak (y).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.marker_rules import SCORES
from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    MarkerParameters,
    curve_points,
    select_rules,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.association import RankTest, test_jonckheere
from celldossier.stats.descriptive import describe
from celldossier.stats.multiplicity import benjamini_hochberg

EVENTS = ("CRS", "ICANS")


def compare_grades(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the peaks by grade of each marker that rises; give them as curves."""
    tests: dict[tuple[str, str], tuple[RankTest, dict[str, float]]] = {}
    curves: list[dict[str, object]] = []
    rules = select_rules(study)
    values = MarkerParameters(study, rules)
    for event in EVENTS:
        grades = find_grades(study, event)
        if grades.empty:
            continue
        for code, rule in rules.items():
            if rule.kind in SCORES or rule.direction == "fall":
                continue
            peaks = values.of(code, "PDPEAK")
            times = values.of(code, "PDTPEAK")
            times = times[[*KEY, "AVAL"]].rename(columns={"AVAL": "PEAKDY"})
            both = peaks.merge(times, on=KEY).merge(grades, on=KEY)
            if both.empty:
                continue
            known = both.loc[both["GRADE"].notna()]
            test = test_jonckheere(known["AVAL"], known["GRADE"])
            counts = {
                "n": float(len(known)),
                "n_unwatched": float(both["GRADE"].isna().sum()),
                "n_after": float((known["PEAKDY"] > known["ONSET"]).sum()),
            }
            tests[code, event] = test, counts
            _add_blocks(known, code, event, out)
            points = zip(known["USUBJID"], known["GRADE"], known["AVAL"], strict=True)
            curves += curve_points(
                f"pharmacodynamics.grade_peak/{code}/{event}",
                points,
                ("", str(both["AVALU"].iloc[0])),
            )
    q_values = benjamini_hochberg([test.p for test, _ in tests.values()]).tolist()
    for ((code, event), (test, counts)), q in zip(tests.items(), q_values, strict=True):
        statistics: dict[str, float | str] = {
            **counts, "z": test.statistic, "p": test.p, "q": q,
        }  # fmt: skip
        out.add(
            "grade_peak_trend",
            statistics,
            dataset="ADPDP",
            variable=code,
            by={"event": event},
            where=WHERE,
            n=counts["n"],
            method=test.method,
            notes=explain_missing(statistics, test.reason),
        )
    return curves


def find_grades(study: Study, event: str) -> pd.DataFrame:
    """Worst grade of an event that begins in its window, by subject.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, GRADE (0 without the event; NaN where the subject was not followed
        to the end of the window and had none, or where the grade or the start of the only
        event is not known) and ONSET (days). Empty where the study has no such event.
    """
    window = study.settings.kinetics.event_window
    adaesi, adsl = study.sources.adaesi, study.sources.adsl
    ours = adaesi.loc[(adaesi["AESI"] == event)]
    if ours.empty:
        return pd.DataFrame(columns=[*KEY, "GRADE", "ONSET"])
    undated = set(ours.loc[ours["ASTDY"].isna(), "USUBJID"])
    ours = ours.loc[(ours["ASTDY"] >= 0) & (ours["ASTDY"] <= window)]
    worst = ours.groupby(KEY).agg(WORST=("ATOXGRN", "max"), ONSET=("ASTDY", "min")).reset_index()
    subjects = adsl.loc[adsl["SAFFL"] == "Y", [*KEY, "FUDUR"]].merge(worst, on=KEY, how="left")
    watched = (subjects["FUDUR"] >= window) & ~subjects["USUBJID"].isin(undated)
    had = subjects["ONSET"].notna()
    grade = np.where(had, subjects["WORST"], np.where(watched, 0.0, math.nan))
    return subjects.assign(GRADE=grade)[[*KEY, "GRADE", "ONSET"]]


def _add_blocks(known: pd.DataFrame, code: str, event: str, out: ResultCollector) -> None:
    for grade, rows in known.groupby("GRADE"):
        block: dict[str, float | str] = dict(describe(rows["AVAL"]))
        out.add(
            "grade_peak",
            block,
            dataset="ADPDP",
            variable=code,
            by={"event": event, "grade": f"{grade:g}"},
            where=WHERE,
            unit=str(rows["AVALU"].iloc[0]),
            units={"n": "", "gcv": "%"},
            n=float(len(rows)),
            notes=explain_missing(block, "FEWSUBJ"),
        )

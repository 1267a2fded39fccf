"""Cytopenias, target cells, subsets and tumour sizes, counted a second time from the raw files.

As in test_recomputed_kinetics.py nothing of the package is imported: plain loops over the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import pandas as pd
import pytest

STAGE = "pharmacodynamics"
DAY = 86400.0
# CTCAE 5.0, grade 3: neutrophils, platelets, leukocytes, lymphocytes (10^9/L), haemoglobin (g/L).
GRADE_3 = {"NEUT": 1.0, "PLAT": 50.0, "WBC": 2.0, "LYM": 0.5, "HGB": 80.0}
# As config/config.yaml has them.
LOST, RECOVERED, LATE = 10.0, 100.0, (28.0, 3.0)
NEW_THERAPY = ("INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN")

Course = list[tuple[float, float]]


@pytest.fixture(scope="module")
def stops(raw, infusion) -> dict[str, float]:
    """Day of the first new therapy or further infusion of each subject who had one."""
    zero = infusion["zero"]
    found: dict[str, float] = {}
    medication, infusions = raw("cm"), raw("ex")
    given = medication[medication["CMDECOD"].isin(NEW_THERAPY)]
    again = infusions[(infusions["EXCAT"] == "CELL PRODUCT")].sort_values("EXSTDTC")
    again = again[again["USUBJID"].duplicated()]
    starts = [*zip(given["USUBJID"], given["CMSTDTC"], strict=True)]
    starts += [*zip(again["USUBJID"], again["EXSTDTC"], strict=True)]
    for subject, text in starts:
        if subject in zero:
            day = (pd.Timestamp(text) - zero[subject]).total_seconds() / DAY
            if day >= 0:
                found[subject] = min(day, found.get(subject, math.inf))
    return found


@pytest.fixture(scope="module")
def courses(raw, infusion, stops):
    """Give the courses of a test: the last value before the infusion at day 0, and what follows."""

    def read(code: str, domain: str = "lb") -> dict[str, Course]:
        name = domain.upper()
        rows = raw(domain)
        rows = rows[rows[f"{name}TESTCD"] == code]
        samples: dict[str, Course] = {}
        for row in rows.to_dict("records"):
            subject = row["USUBJID"]
            if subject not in infusion.index or not row[f"{name}ORRES"]:
                continue
            # A scan has a date alone; the day of the infusion is day 0.
            text = row[f"{name}DTC"]
            zero = infusion.at[subject, "zero"]
            zero = zero if len(text) > 10 else zero.normalize()
            day = (pd.Timestamp(text) - zero).total_seconds() / DAY
            try:
                value = float(row[f"{name}ORRES"])
            except ValueError:
                value = float(row[f"{name}LLOQ"]) / 2
            samples.setdefault(subject, []).append((day, value))
        found = {}
        for subject, own in samples.items():
            own.sort()
            before = [value for day, value in own if day <= 0]
            after = [(d, v) for d, v in own if 0 < d <= stops.get(subject, math.inf)]
            if after:
                found[subject] = [*((0.0, v) for v in before[-1:]), *after]
        return found

    return read


def episodes(course: Course, limit: float) -> Iterator[tuple[float, float, float, bool]]:
    """Beginning, last sample below, end and whether it ended; two samples in a row end one."""
    start = last = math.nan
    for place, (day, value) in enumerate(course):
        if value < limit:
            start, last = (day if math.isnan(start) else start), day
        elif not math.isnan(start) and place + 1 < len(course) and course[place + 1][1] >= limit:
            yield start, last, day, True
            start = math.nan
    if not math.isnan(start):
        yield start, last, last, False


def product_limit_median(times: list[tuple[float, bool]]) -> float:
    """First time at which the product-limit estimate is at or below one half."""
    share = 1.0
    for at in sorted({time for time, event in times if event}):
        at_risk = sum(time >= at for time, _ in times)
        share *= 1 - sum(event and time == at for time, event in times) / at_risk
        if share <= 0.5:
            return at
    return math.nan


@pytest.mark.parametrize("code", GRADE_3)
def test_episodes_of_grade_3_are_those_of_a_plain_loop(code: str, courses, result) -> None:
    limit, (late, window) = GRADE_3[code], LATE
    own = {subject: list(episodes(c, limit)) for subject, c in courses(code).items()}
    first = [found[0] for found in own.values() if found]
    counts = result(STAGE, "cytopenia_episodes", "G3", analyte=code)
    assert counts["n"] == len(own)
    assert counts["n_start"] == sum(start == 0 for start, *_ in first)
    assert counts["n_onset"] == sum(start > 0 for start, *_ in first)
    assert counts["n_ongoing"] == sum(not ended for *_, ended in first)
    assert counts["n_again"] == sum(len(found) > 1 for found in own.values())
    lasting = [
        any(start < late and last >= late - window for start, last, *_ in found)
        for found in own.values()
    ]
    assert result(STAGE, "cytopenia_prolonged", "G3", analyte=code)["n_found"] == sum(lasting)
    durations = [(end - start, ended) for start, _, end, ended in first if start > 0]
    if durations:
        ours = result(STAGE, "cytopenia_duration", "G3", analyte=code, start="ONSET")
        assert ours["median"] == pytest.approx(product_limit_median(durations), rel=1e-12)


def test_the_lowest_counts_and_their_days_are_those_of_the_raw_values(courses, result) -> None:
    for code in GRADE_3:
        nadirs = [min((v, d) for d, v in c if d > 0) for c in courses(code).values()]
        for place, variable in enumerate(("VALUE", "DAY")):
            ours = result(STAGE, "cytopenia_nadir", variable, analyte=code)
            assert ours["median"] == pytest.approx(median(n[place] for n in nadirs), rel=1e-12)


def test_lost_and_recovered_target_cells_are_those_of_a_plain_loop(courses, result) -> None:
    own = courses("CD19B")
    low = sum(c[0][0] == 0 and c[0][1] < LOST for c in own.values())
    lost = recovered = 0
    for course in own.values():
        start = next((i for i, (_, v) in enumerate(course) if v < LOST), None)
        if start is not None:
            lost += 1
            values = [v for _, v in course[start:]]
            recovered += any(min(pair) >= RECOVERED for pair in pairwise(values))
    counts = result(STAGE, "target_cells", "CD19B")
    assert counts["n"] == len(own)
    assert counts["n_low"] == low
    assert counts["n_lost"] == lost
    assert counts["n_recovered"] == recovered > 0


def test_the_ratio_of_cd4_to_cd8_at_baseline_is_that_of_the_raw_counts(courses, result) -> None:
    cd4, cd8 = (
        {subject: c[0][1] for subject, c in courses(code).items() if c[0][0] == 0}
        for code in ("CD4", "CD8")
    )
    ratios = [cd4[subject] / cd8[subject] for subject in cd4 if subject in cd8]
    ours = result(STAGE, "subsets_ratio", "VALUE", analyte="RATIO", visit="BASELINE")
    assert ours["n"] == len(ratios)
    assert ours["median"] == pytest.approx(median(ratios), rel=1e-12)


def test_the_best_change_of_the_tumours_is_that_of_the_raw_sizes(
    courses, raw, infusion, result
) -> None:
    assessments = raw("rs")
    called: dict[str, float] = {}
    # "RELAPSE" is how the criteria of leukaemia call it; tumours are measured in lymphoma only.
    overall = assessments[assessments["RSTESTCD"] == "OVRLRESP"]
    for row in overall[overall["RSSTRESC"] == "PD"].to_dict("records"):
        subject = row["USUBJID"]
        if subject in infusion.index:
            day = (pd.Timestamp(row["RSDTC"]) - infusion.at[subject, "zero"].normalize()).days
            if day > 0:
                called[subject] = min(day, called.get(subject, math.inf))
    best = []
    for subject, course in courses("SPD", "tr").items():
        until = called.get(subject, math.inf) + 7
        if course[0][0] == 0 and course[0][1] > 0:
            sizes = [v for d, v in course[1:] if d <= until]
            if sizes:
                best.append(100 * (min(sizes) / course[0][1] - 1))
    ours = result(STAGE, "disease_best", "SPD")
    assert ours["n"] == len(best)
    assert ours["median"] == pytest.approx(median(best), rel=1e-12)
    assert ours["n_below_half"] == sum(change <= -50 for change in best)

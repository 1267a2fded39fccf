from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from special_given import (
    ANALYTE,
    make_exposure,
    make_records,
    make_sources,
    make_study,
    make_subjects,
)

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.special_considerations.concomitant import (
    classify_timing,
    read_first_days,
    summarise_concomitant_medicines,
)

STAGE = "special_considerations"
EXPOSURE = [400.0, 800, 200, 50, 25, 100, 200, 100, 50]
PEAKS = [10.0] * 9


def make_adcm(*courses: tuple[int, str, float, float]) -> pd.DataFrame:
    """Subject, class, first and last day."""
    return make_records(
        *(
            {
                "subject": k,
                "CMCLASS": name,
                "CMDECOD": "",
                "ASTDY": first,
                "AENDY": last,
                "CMDOSFRQ": "",
            }
            for k, name, first, last in courses
        )
    )


def summarise(adcm: pd.DataFrame | None = None, scale: float = 1, **settings: Any) -> Any:
    adpp = pd.concat(
        [
            make_exposure([scale * value for value in EXPOSURE]),
            make_exposure(PEAKS, "d", ("TMAX",)),
        ]
    )
    others = {} if adcm is None else {"adcm": adcm}
    out = ResultCollector(STAGE)
    sources = make_sources(make_subjects(AGE=[40.0] * 9), adpp, **others)
    summarise_concomitant_medicines(make_study(sources, **settings), out)
    return AnalysisResults([out.frame()])


def timing(results: AnalysisResults, name: str, *stats: str) -> list[float]:
    found = [
        results.find(f"{STAGE}.cm_timing", "ASTDY", ANALYTE, {"medication": name}, stat)
        for stat in stats
    ]
    return [value.number for value in found if value is not None]


GROUPS = ("n_before", "n_after", "n_never", "n_unknown")
COURSES = make_adcm(
    (1, "STEROID", 3.0, 5.0), (2, "STEROID", 9.9, 12), (3, "STEROID", -2.0, math.nan),
    (4, "STEROID", 10.0, 11), (5, "STEROID", 12.0, 13), (6, "STEROID", 28.0, 29),
)  # fmt: skip


def test_a_medicine_that_begins_at_the_peak_did_not_begin_before_it() -> None:
    first = pd.Series([9.9, 10.0, 11.0, math.nan, 5.0, math.nan])
    given = pd.Series([True, True, True, True, True, False])
    peak = pd.Series([10.0, 10.0, 10.0, 10.0, math.nan, math.nan])
    assert list(classify_timing(first, given, peak)) == [
        "BEFORE", "AFTER", "AFTER", "UNKNOWN", "UNKNOWN", "NEVER",
    ]  # fmt: skip


def test_exposure_of_each_timing_is_compared_to_that_of_the_never_treated() -> None:
    results = summarise(COURSES)
    assert timing(results, "STEROID", *GROUPS) == [3, 3, 3, 0]
    assert timing(results, "STEROID", "n", "median", "min", "max") == pytest.approx(
        [6, (-0.1 + 0) / 2, -12, 18]
    )
    # Geometric means: 400 before, 50 after, 100 never.
    for level, gmr in {"BEFORE": 4.0, "AFTER": 0.5}.items():
        by = {"medication": "STEROID", "timing": level}
        found = results.find(f"{STAGE}.cm_exposure", "CMAX", ANALYTE, by, "gmr")
        assert found is not None and found.number == pytest.approx(gmr)
        assert found.note_code == "CONFOUND"


def test_ratios_do_not_change_with_the_unit_or_the_order_of_the_records() -> None:
    by = {"medication": "STEROID", "timing": "BEFORE"}
    values = [
        results.find(f"{STAGE}.cm_exposure", "AUC28", ANALYTE, by, "gmr_low").number
        for results in (summarise(COURSES), summarise(COURSES.iloc[::-1], scale=1000))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_only_courses_that_reach_into_the_window_count() -> None:
    adcm = make_adcm(
        (1, "STEROID", -30.0, -7.1), (2, "STEROID", -30.0, -7.0), (3, "STEROID", 28.1, 30),
        (4, "STEROID", -90.0, math.nan), (5, "TOCILIZUMAB", 3.0, 3.0),
    )  # fmt: skip
    days = read_first_days(adcm, make_subjects(AGE=[40.0] * 5), "STEROID", 7, 28)
    assert list(days["GIVEN"]) == [False, True, False, True, False]
    assert list(days["FIRST"].dropna()) == [-30, -90]
    nobody = read_first_days(adcm, make_subjects(AGE=[40.0] * 5), "ANAKINRA", 7, 28)
    assert not nobody["GIVEN"].any()


def test_a_medicine_given_once_ends_on_its_day_and_does_not_go_on() -> None:
    adcm = make_adcm((1, "IVIG", -90.0, math.nan), (2, "IVIG", -7.0, math.nan))
    subjects = make_subjects(AGE=[40.0] * 2)
    assert list(read_first_days(adcm, subjects, "IVIG", 7, 28)["GIVEN"]) == [True, True]
    once = adcm.assign(CMDOSFRQ="once")
    assert list(read_first_days(once, subjects, "IVIG", 7, 28)["GIVEN"]) == [False, True]


def test_a_record_without_a_day_leaves_the_timing_open() -> None:
    adcm = make_adcm((1, "STEROID", 12.0, 13.0), (1, "STEROID", math.nan, math.nan))
    assert timing(summarise(adcm), "STEROID", *GROUPS) == [0, 0, 8, 1]


def test_all_classes_but_those_of_other_sections_are_looked_at_unless_some_are_named() -> None:
    adcm = make_adcm(
        (1, "STEROID", 1.0, 2.0), (1, "NEW_THERAPY", 1.0, 2.0), (1, "LYMPHODEPLETION", -5, -3),
        (2, "", 1.0, 2.0), (2, "IVIG", 1.0, 2.0),
    )  # fmt: skip
    adcm.loc[3, "CMDECOD"] = "Dasatinib"
    assert summarise(adcm).levels(f"{STAGE}.cm_timing", "medication") == ["IVIG", "STEROID"]
    named = summarise(adcm, concomitant=("DASATINIB",))
    assert named.levels(f"{STAGE}.cm_timing", "medication") == ["DASATINIB"]
    assert timing(named, "DASATINIB", *GROUPS) == [1, 0, 8, 0]


def test_medicines_that_were_not_collected_say_so() -> None:
    value = summarise().find(f"{STAGE}.cm_count", "CMCLASS", stat="n_classes")
    assert value is not None and value.note_code == "NOTCOLL"

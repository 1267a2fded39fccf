from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from special_given import (
    ANALYTE,
    make_exposure,
    make_records,
    make_sources,
    make_study,
    make_subjects,
)

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.special_considerations.lymphodepletion import (
    read_doses,
    read_tertiles,
    summarise_lymphodepletion,
)

STAGE = "special_considerations"
DEPTH = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
EXPOSURE = [400.0, 800, 200, 100, 200, 50, 100, 50, 200]


def make_adld(*doses: tuple[int, str, float, float], unit: str = "mg/m2") -> pd.DataFrame:
    return make_records(
        *(
            {
                "subject": subject, "LDNO": 1, "LDTRT": drug, "LDTOTA": total, "LDRATIO": ratio,
                "LDDOSEU": unit, "LDOMFL": "N",
            }
            for subject, drug, total, ratio in doses
        )
    )  # fmt: skip


def summarise(
    depth: list[float] = DEPTH,
    exposure: list[float] = EXPOSURE,
    adld: pd.DataFrame | None = None,
    **columns: Any,
) -> AnalysisResults:
    given = {"LDFL": ["Y"] * len(depth), "LDREG": ["A + B"] * len(depth)} | columns
    adsl = make_subjects(ALCINF=depth, ALCNAD=depth, **given)
    others = {} if adld is None else {"adld": adld}
    out = ResultCollector(STAGE)
    summarise_lymphodepletion(
        make_study(make_sources(adsl, make_exposure(exposure), **others)), out
    )
    return AnalysisResults([out.frame()])


def value(results: AnalysisResults, analysis: str, stat: str, variable: str, **by: str) -> Any:
    found = results.find(f"{STAGE}.{analysis}", variable, ANALYTE, by, stat)
    assert found is not None
    return found


def test_thirds_keep_equal_values_together_and_leave_the_unknown_out() -> None:
    thirds = read_tertiles(pd.Series([3.0, 1, 2, 6, 5, 4, math.nan]))
    assert {name: list(np.flatnonzero(mask)) for name, mask in thirds.items()} == {
        "T1": [1, 2], "T2": [0, 5], "T3": [3, 4],
    }  # fmt: skip
    same = read_tertiles(pd.Series([2.0] * 5))
    assert [int(mask.sum()) for mask in same.values()] == [5, 0, 0]
    assert not any(mask.any() for mask in read_tertiles(pd.Series([math.nan] * 3)).values())


def test_the_lowest_third_is_compared_to_the_one_with_most_lymphocytes() -> None:
    results = summarise()
    at = {"depth": "ALCINF"}
    # Geometric means: of 400, 800, 200: 400; of 100, 200, 50: 100; of 100, 50, 200: 100.
    gmr = [
        value(results, "ld_tertile", "gmr", "CMAX", tertile=t, **at).number for t in ("T1", "T2")
    ]
    assert gmr == pytest.approx([4, 1])
    ends = [
        results.find(f"{STAGE}.ld_tertile_range", "ALCINF", "", {"tertile": "T2"}, stat)
        for stat in ("min", "max")
    ]
    assert [end.number for end in ends if end] == [0.4, 0.6]


def test_the_correlation_is_that_of_the_ranks_whatever_the_units() -> None:
    rho = spearmanr(DEPTH, EXPOSURE).statistic
    for results in (
        summarise(),
        summarise([1000 * x for x in DEPTH], [x**3 for x in EXPOSURE]),
        summarise(DEPTH[::-1], EXPOSURE[::-1]),
    ):
        found = value(results, "ld_correlation", "rho", "ALCINF", metric="CMAX")
        assert found.number == pytest.approx(rho)
    mirrored = summarise([-x for x in DEPTH])
    assert value(mirrored, "ld_correlation", "rho", "ALCNAD", metric="CMAX").number == (
        pytest.approx(-rho)
    )


@pytest.mark.parametrize(
    ("doses", "variable", "reason"),
    [
        ([500.0] * 9, "LDTOTA", "CONSTANT"),
        ([500.0, 400] + [math.nan] * 7, "LDTOTA", "FEWSUBJ"),
        ([math.nan] * 9, "LDTOTA", "NOTCOLL"),
    ],
)
def test_doses_that_carry_no_correlation_say_why(
    doses: list[float], variable: str, reason: str
) -> None:
    adld = make_adld(*((k, "A", dose, 1.0) for k, dose in enumerate(doses, start=1)))
    results = summarise(adld=adld)
    found = value(results, "ld_correlation", "rho", variable, metric="CMAX", drug="A")
    assert (math.isnan(found.number), found.note_code) == (True, reason)


def test_a_measure_that_was_not_collected_says_so() -> None:
    found = value(summarise(), "ld_correlation", "rho", "IL15INF", metric="CMAX")
    assert found.note_code == "NOTCOLL"


def test_total_doses_in_two_units_are_not_ranked_together_and_later_courses_do_not_count() -> None:
    adld = pd.concat(
        [
            make_adld((1, "A", 500, 1), (2, "A", 400, 0.8)),
            make_adld((3, "A", 30, 1.0), unit="mg/kg"),
            make_adld((2, "A", 999, 9.0)).assign(LDNO=2),
        ]
    )
    adsl = make_subjects(LDFL=["Y"] * 3, LDREG=["A"] * 3)
    doses = read_doses(adld, adsl)["A"]
    assert doses["LDTOTA"].isna().all()
    assert list(doses["LDRATIO"]) == [1.0, 0.8, 1.0]
    results = summarise(adld=adld)
    found = value(results, "ld_correlation", "rho", "LDTOTA", metric="CMAX", drug="A")
    assert found.note_code == "MIXUNIT"


def test_doses_before_a_later_infusion_are_no_part_of_the_first_course() -> None:
    again = make_adld((1, "A", 900.0, 0.5), (2, "A", 900.0, 0.5)).assign(LDNO=2)
    first = make_adld((1, "A", 1500.0, 1.0))
    # A drug that was planned and left out is no dose of 0.
    omitted = make_adld((2, "A", 0.0, 0.0)).assign(LDOMFL="Y")
    adsl = make_subjects(LDFL=["Y"] * 2, LDREG=["A"] * 2)
    doses = read_doses(pd.concat([again, first, omitted], ignore_index=True), adsl)["A"]
    assert doses["LDTOTA"].tolist() == pytest.approx([1500, math.nan], nan_ok=True)
    assert doses["LDRATIO"].tolist() == pytest.approx([1, math.nan], nan_ok=True)


def test_regimens_are_compared_to_the_most_frequent_and_to_none() -> None:
    results = summarise(LDREG=["A + B"] * 4 + ["A"] * 3 + [""] * 2, LDFL=["Y"] * 7 + ["N"] * 2)
    # Geometric means 282.8 of four and 100 of three.
    assert value(results, "ld_regimen", "gmr", "CMAX", regimen="A").number == pytest.approx(
        100 / (400 * 800 * 200 * 100) ** 0.25
    )
    assert value(results, "ld_regimen", "gmr", "CMAX", regimen="NONE").note_code == "FEWSUBJ"
    assert results.find(f"{STAGE}.ld_regimen", "CMAX", ANALYTE, {"regimen": "A + B"}, "gmr") is None


def test_one_regimen_alone_has_no_ratio_and_says_why() -> None:
    found = value(summarise(), "ld_regimen", "gmr", "CMAX", regimen="A + B")
    assert math.isnan(found.number) and found.note_code == "ONELEVEL"


def test_without_lymphodepletion_nothing_is_compared() -> None:
    results = summarise(LDFL=["N"] * 9, LDREG=[""] * 9)
    assert set(results.frame["analysis_id"]) == {f"{STAGE}.ld_count"}

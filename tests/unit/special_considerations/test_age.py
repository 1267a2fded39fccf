from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from special_given import (
    ANALYTE,
    make_exposure,
    make_records,
    make_sources,
    make_study,
    make_subjects,
)  # fmt: skip

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.special_considerations.age import (
    name_age_groups,
    read_age_groups,
    summarise_age_groups,
)
from celldossier.special_considerations.study import Sources
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.ratio import estimate_ratio

AGES = [13.0, 14, 15, 30, 40, 50, 66, 70, 80]
EXPOSURE = [800.0, 400, 200, 100, 200, 400, 50, 25, 100]
EXPOSURE_OF = "special_considerations.age_exposure"
OUTCOME = "special_considerations.age_outcome"


def summarise(sources: Sources, **settings: object) -> AnalysisResults:
    out = ResultCollector("special_considerations")
    summarise_age_groups(make_study(sources, **settings), out)
    return AnalysisResults([out.frame()])


def number(results: AnalysisResults, analysis: str, variable: str, level: str, stat: str) -> float:
    analyte = ANALYTE if analysis == EXPOSURE_OF else ""
    value = results.find(analysis, variable, analyte, {"agegr": level}, stat)
    assert value is not None
    return value.number


def test_exposure_is_that_of_the_kinetics_set() -> None:
    adsl = make_subjects(AGE=[40.0, 50, 60], PKFL=["Y", "N", "Y"])
    study = make_study(make_sources(adsl, make_exposure([1.0, 2.0, 4.0])))
    for metric in ("CMAX", "AUC28"):
        assert study.subjects[metric].tolist() == pytest.approx([1, math.nan, 4], nan_ok=True)


def test_a_limit_begins_a_group_and_an_unknown_age_is_in_none() -> None:
    age = pd.Series([0.0, 11.9, 12.0, 17.9, 18.0, 64.9, 65.0, 90.0, math.nan])
    groups = read_age_groups(age, (12, 18, 65))
    assert {name: list(np.flatnonzero(mask)) for name, mask in groups.items()} == {
        "<12": [0, 1], "12-17": [2, 3], "18-64": [4, 5], ">=65": [6, 7],
    }  # fmt: skip
    assert name_age_groups((0.5, 18)) == ["<0.5", ">=0.5, <18", ">=18"]


@pytest.mark.parametrize("limits", [(12, 65), (18, 12), (18, 18), ()])
def test_limits_rise_and_hold_the_age_of_adults(limits: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="the age from which a subject is an adult"):
        SpecialConsiderationsSettings(age_limits=limits)


def test_each_group_is_compared_to_the_adults_below_the_next_limit() -> None:
    results = summarise(make_sources(make_subjects(AGE=AGES), make_exposure(EXPOSURE)))
    for level, gmr in {"12-17": 2.0, ">=65": 0.25}.items():
        assert number(results, EXPOSURE_OF, "CMAX", level, "gmr") == pytest.approx(gmr)
    assert number(results, EXPOSURE_OF, "CMAX", "18-64", "geomean") == pytest.approx(200)
    own = estimate_ratio(EXPOSURE[:3], EXPOSURE[3:6], 0.90)
    assert number(results, EXPOSURE_OF, "CMAX", "12-17", "gmr_high") == pytest.approx(own.high)
    reference = results.find(EXPOSURE_OF, "CMAX", ANALYTE, {"agegr": "18-64"}, "gmr")
    assert reference is None
    empty = results.find(EXPOSURE_OF, "CMAX", ANALYTE, {"agegr": "<12"}, "geomean")
    assert empty is not None and empty.note_code == "NOGROUP"


def test_ratios_do_not_change_with_the_unit_or_the_order_of_the_subjects() -> None:
    first = summarise(make_sources(make_subjects(AGE=AGES), make_exposure(EXPOSURE)))
    order = [4, 8, 0, 3, 7, 1, 6, 2, 5]
    adsl = make_subjects(AGE=[AGES[k] for k in order])
    adpp = make_exposure([1000 * EXPOSURE[k] for k in order]).iloc[::-1]
    second = summarise(make_sources(adsl, adpp))
    for stat in ("gmr", "gmr_low", "gmr_high", "gcv", "n"):
        for level in ("12-17", ">=65"):
            one, two = (number(r, EXPOSURE_OF, "AUC28", level, stat) for r in (first, second))
            assert one == pytest.approx(two, rel=1e-12)


def test_a_small_group_has_no_ratio_and_a_zero_no_logarithm() -> None:
    exposure = [0.0, *EXPOSURE[1:]]
    results = summarise(make_sources(make_subjects(AGE=AGES), make_exposure(exposure)))
    value = results.find(EXPOSURE_OF, "CMAX", ANALYTE, {"agegr": "12-17"}, "gmr")
    assert value is not None and value.note_code == "FEWSUBJ"
    assert number(results, EXPOSURE_OF, "CMAX", "12-17", "n") == 2
    assert number(results, EXPOSURE_OF, "CMAX", "12-17", "n_zero") == 1


def test_rates_count_the_evaluable_and_the_worst_grade() -> None:
    adsl = make_subjects(AGE=AGES, EFFFL=["Y"] * 8 + ["N"])
    best = [{"subject": k, "PARAMCD": "BOR", "RESPFL": "Y"} for k in (1, 2, 4, 9)]
    best.append({"subject": 3, "PARAMCD": "BOR", "RESPFL": "N"})
    adaesi = make_records(
        {"subject": 1, "AESI": "CRS", "ATOXGRN": 1.0},
        {"subject": 1, "AESI": "CRS", "ATOXGRN": 3.0},
        {"subject": 2, "AESI": "CRS", "ATOXGRN": math.nan},
        {"subject": 7, "AESI": "ICANS", "ATOXGRN": 2.0},
    )
    sources = make_sources(adsl, make_exposure(EXPOSURE), adrs=make_records(*best), adaesi=adaesi)
    results = summarise(sources)
    expected = {
        ("RESPONSE", "12-17"): (2, 3), ("RESPONSE", "18-64"): (1, 1), ("RESPONSE", ">=65"): (0, 0),
        ("CRS", "12-17"): (2, 3), ("CRSGE3", "12-17"): (1, 2), ("CRS", ">=65"): (0, 3),
        ("ICANS", ">=65"): (1, 3), ("ICANSGE3", ">=65"): (0, 3),
    }  # fmt: skip
    # Of subject 2, whose CRS has no grade, it is not known whether it was of grade 3.
    for (name, level), counts in expected.items():
        found = tuple(number(results, OUTCOME, name, level, s) for s in ("n", "denominator"))
        assert found == counts
    low, high = clopper_pearson(2, 3)
    assert number(results, OUTCOME, "CRS", "12-17", "ci_low") == pytest.approx(100 * low)
    assert number(results, OUTCOME, "CRS", "12-17", "ci_high") == pytest.approx(100 * high)


def test_outcomes_that_were_not_collected_say_so() -> None:
    results = summarise(make_sources(make_subjects(AGE=AGES), make_exposure(EXPOSURE)))
    rows = results.select(OUTCOME)
    assert set(rows["note_code"]) == {"NOTCOLL"}
    assert rows["value"].isna().all()


@pytest.mark.parametrize(
    ("ages", "reference"),
    [(AGES, "ADULTS"), (AGES[:3], "MINORSONLY"), ([math.nan], "NOAGE"), ([20.0], "ADULTS")],
)
def test_minors_without_adults_are_told(ages: list[float], reference: str) -> None:
    results = summarise(make_sources(make_subjects(AGE=ages), make_exposure([1.0] * len(ages))))
    value = results.find("special_considerations.age_order", "AGE", stat="reference")
    assert value is not None and value.text == reference


@pytest.mark.parametrize("exponent", [0.75, -0.25, 0.0])
def test_the_exponent_of_weight_is_found(exponent: float) -> None:
    # Errors that are orthogonal to ln weight leave the slope as it is.
    weight = [20.0, 40, 80, 20, 40, 80]
    errors = [0.1, 0.1, 0.1, -0.1, -0.1, -0.1]
    exposure = [5 * w**exponent * math.exp(e) for w, e in zip(weight, errors, strict=True)]
    adsl = make_subjects(AGE=[30.0] * 6, WTBL=weight)
    results = summarise(make_sources(adsl, make_exposure(exposure)))
    found = {
        stat: results.find("special_considerations.weight_exponent", "CMAX", ANALYTE, stat=stat)
        for stat in ("exponent", "exponent_low", "exponent_high", "weight_ratio")
    }
    values = {stat: value.number for stat, value in found.items() if value is not None}
    assert values["exponent"] == pytest.approx(exponent, abs=1e-12)
    # t of 4 degrees of freedom at 97.5%, residual variance 0.06/4, spread 4 ln(2)^2.
    half = 2.7764451051977987 * math.sqrt(0.06 / 4 / (4 * math.log(2) ** 2))
    assert values["exponent_high"] - values["exponent"] == pytest.approx(half)
    assert values["weight_ratio"] == pytest.approx(4)


def test_a_subject_without_measurable_exposure_widens_no_span_of_weights() -> None:
    adsl = make_subjects(AGE=[30.0] * 4, WTBL=[50.0, 60, 70, 10])
    results = summarise(make_sources(adsl, make_exposure([1.0, 2, 3, 0])))
    place = ("special_considerations.weight_exponent", "CMAX", ANALYTE)
    found = [results.find(*place, stat=stat) for stat in ("n", "weight_min", "exponent")]
    assert [value.number for value in found[:2] if value is not None] == [3, 50]
    assert found[2] is not None and found[2].note_code == "NARROWWT"


def test_weights_that_lie_together_carry_no_exponent() -> None:
    adsl = make_subjects(AGE=AGES, WTBL=[50.0, 60, 70, 80, 90, 60, 70, 80, 99.9])
    results = summarise(make_sources(adsl, make_exposure(EXPOSURE)))
    value = results.find("special_considerations.weight_exponent", "CMAX", ANALYTE, stat="exponent")
    assert value is not None and value.note_code == "NARROWWT"

"""Cut points from the drug-naive signals of ADAB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from antibody_courses import course, make_adab
from cut_points_given import NORMAL, make_signals
from scipy import stats

from celldossier.immunogenicity.cut_points_summary import select_naive, summarise_cut_points
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.cut_points import CutPointSettings


def signals(values: Any, tier: str = "SCREENING", unit: str = "MFI", **given: Any) -> Any:
    return make_signals(tier, unit, values, **given)


def summarise(records: list[dict[str, Any]], **settings: Any) -> AnalysisResults:
    out = ResultCollector("immunogenicity")
    summarise_cut_points(make_adab(records), CutPointSettings(**settings), out)
    return AnalysisResults([out.frame()])


def find(results: AnalysisResults, stat: str, **by: str) -> Any:
    place = {"tier": "SCREENING"} | by
    found = results.find("immunogenicity.cut_points", "ADA_BAB", "CAR", place, stat)
    assert found is not None
    return found


def test_the_screening_cut_point_is_the_log_normal_quantile_of_the_baseline() -> None:
    # Later signals are high: they are of the drug and must not count.
    later = signals(np.full(40, 9999.0), AFRLT=28.0)
    results = summarise([*signals(np.exp(6 + 0.3 * NORMAL)), *later])
    cut_point = find(results, "cut_point", unit="MFI")
    assert cut_point.number == pytest.approx(
        math.exp(6 + 0.3 * stats.norm.ppf(0.95) * NORMAL.std(ddof=1))
    )
    assert (cut_point.unit, cut_point.n) == ("MFI", 40)
    assert find(results, "rule", unit="MFI").text == "PARAMETRIC"
    assert find(results, "reason", unit="MFI").text == "NORMAL"
    assert find(results, "form", unit="MFI").text == "FIXED"
    assert find(results, "n_above", unit="MFI").number == 2


def test_percent_inhibition_is_cut_on_its_own_scale_at_one_percent() -> None:
    records = signals(10 + 5 * NORMAL, tier="CONFIRMATORY", unit="%")
    results = summarise(records)
    by = {"tier": "CONFIRMATORY", "unit": "%"}
    assert find(results, "scale", **by).text == "OWN"
    assert find(results, "false_positive", **by).number == pytest.approx(1)
    assert find(results, "cut_point", **by).number == pytest.approx(
        10 + 5 * stats.norm.ppf(0.99) * NORMAL.std(ddof=1)
    )


def test_words_and_titres_have_no_cut_point_but_a_reason() -> None:
    results = summarise(course("A", (0, "NEGATIVE", None), (28, "POSITIVE", 40)))
    for tier in ("SCREENING", "CONFIRMATORY"):
        assert find(results, "cut_point", tier=tier).note_code == "NOSIGNAL"


@pytest.mark.parametrize(
    ("given", "by", "code"),
    [
        ({"AFRLT": 28.0}, {"unit": "MFI"}, "NONAIVE"),
        ({"tier": "CONFIRMATORY"}, {"tier": "CONFIRMATORY", "unit": "MFI"}, "NOINHIB"),
    ],
)
def test_signals_that_cannot_be_used_say_why(
    given: dict[str, Any], by: dict[str, str], code: str
) -> None:
    results = summarise(signals(np.exp(NORMAL), **given))
    assert find(results, "cut_point", **by).note_code == code


def test_too_few_samples_have_no_cut_point() -> None:
    results = summarise(signals(np.exp(NORMAL[:19])))
    assert find(results, "cut_point", unit="MFI").note_code == "FEWVAL"
    assert find(results, "rule", unit="MFI").note_code == "FEWVAL"


def test_versions_and_units_of_an_assay_are_cut_apart() -> None:
    low, high = np.exp(NORMAL), np.exp(3 + NORMAL)
    results = summarise([*signals(low, ASSAYV="1"), *signals(high, ASSAYV="2")])
    first, second = (find(results, "cut_point", unit="MFI", version=v).number for v in "12")
    assert second == pytest.approx(first * math.exp(3))


def test_the_lower_bound_is_given_where_it_is_asked_for() -> None:
    records = signals(np.exp(NORMAL))
    results = summarise(records, lower_bound=True)
    assert find(results, "bound", unit="MFI").number < find(results, "cut_point", unit="MFI").number
    silent = summarise(records)
    by = {"tier": "SCREENING", "unit": "MFI"}
    assert silent.find("immunogenicity.cut_points", "ADA_BAB", "CAR", by, "bound") is None


def test_an_outlier_is_removed_and_counted() -> None:
    results = summarise(signals([*np.exp(NORMAL), 1e6]))
    assert find(results, "n", unit="MFI").number == 40
    assert find(results, "n_outliers", unit="MFI").number == 1
    assert find(results, "n_above", unit="MFI").number == 3


def test_a_sample_that_was_confirmed_positive_is_no_background() -> None:
    word = {"ISCAT": "CONFIRMATORY", "AVALC": "POSITIVE", "AFRLT": -1.0}
    # The last two signals are inside the fences; a positive result of a later sample is no matter.
    confirmed = [{**word, "USUBJID": f"S{i:03d}"} for i in (38, 39)]
    later = [{**word, "USUBJID": "S000", "AFRLT": 28.0}]
    records = [*signals(np.exp(NORMAL)), *confirmed, *later]
    results = summarise(records)
    assert find(results, "n", unit="MFI").number == 38
    assert find(results, "n_positive", unit="MFI").number == 2
    kept = summarise(records, exclude_confirmed=False)
    assert find(kept, "n", unit="MFI").number == 40
    low, high = (find(each, "cut_point", unit="MFI").number for each in (results, kept))
    assert low < high


def test_visits_that_are_named_stand_in_the_place_of_the_baseline() -> None:
    frame = make_adab(
        [
            *signals([1.0, 2.0], AVISIT="Day 0"),
            *signals([3.0, 4.0], AVISIT="Validation", AFRLT=-20.0),
            *signals([5.0, 6.0], AVISIT="Validation", AFRLT=-10.0),
        ]
    )
    chosen = select_naive(frame, CutPointSettings(naive_visits=("VALIDATION",)))
    assert list(chosen["AVAL"]) == [3.0, 4.0]


def test_a_signal_below_the_limit_of_quantitation_is_no_signal() -> None:
    frame = make_adab(signals([1.0, float("nan")]))
    assert list(select_naive(frame, CutPointSettings())["USUBJID"]) == ["S000"]


def test_cellular_responses_have_no_cut_point() -> None:
    frame = make_adab(signals([1.0, 2.0], tier="CELLULAR"))
    out = ResultCollector("immunogenicity")
    summarise_cut_points(frame, CutPointSettings(), out)
    assert isinstance(out.frame(), pd.DataFrame)
    assert out.frame().empty

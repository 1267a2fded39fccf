"""Lymphocyte subsets: change, percent of the parent, and the ratio in the same sample."""

from __future__ import annotations

import pytest
from pharmacodynamics_given import make_study, run, samples

from celldossier.pharmacodynamics.lymphocyte_subsets import collect_subsets

PLACE = "pharmacodynamics.subsets"


@pytest.fixture(scope="module")
def outcome():
    rows = [
        *samples("a", "CD4", "cells/uL", {0: 100.0, 7: 20.0, 14: 60.0}, limit=1.0),
        *samples("a", "CD8", "cells/uL", {0: 50.0, 7: None, 14: 120.0}, limit=1.0),
        *samples("a", "CD3", "cells/uL", {0: 200.0, 14: 240.0}, limit=1.0),
        *samples("b", "CD4", "cells/uL", {0: 30.0, 7: 10.0}, limit=1.0),
        *samples("b", "CD8", "cells/uL", {0: 60.0, 14: 10.0}, limit=1.0),
    ]
    subjects = [{"USUBJID": "a", "CD4CD8": 0.5}, {"USUBJID": "b"}]
    return run(collect_subsets, make_study({}, rows, subjects))


def value(results, analysis, variable, analyte, stat, **by):
    found = results.find(analysis, variable, analyte, by, stat)
    assert found is not None, (analysis, variable, analyte, stat, by)
    return found.number


def test_the_change_is_from_the_subjects_own_baseline(outcome):
    results = outcome[0]
    assert value(results, PLACE, "CHG", "CD4", "median", visit="7") == pytest.approx(-50.0)
    assert value(results, PLACE, "CHG", "CD4", "n", visit="14") == 1


def test_the_percent_of_the_parent_needs_both_counts_of_one_sample(outcome):
    results = outcome[0]
    assert value(results, PLACE, "PARENT", "CD4", "n", visit="BASELINE") == 1
    assert value(results, PLACE, "PARENT", "CD4", "median", visit="14") == pytest.approx(25.0)
    assert value(results, PLACE, "PARENT", "CD4", "n", visit="7") == 0


def test_the_ratio_is_of_one_sample_and_says_how_many_have_none(outcome):
    results = outcome[0]
    ratio = f"{PLACE}_ratio"
    base = value(results, ratio, "VALUE", "RATIO", "median", visit="BASELINE")
    assert base == pytest.approx((2.0 + 0.5) / 2)
    # Day 7: CD8 below its limit (a), not measured (b). Day 14: CD4 not measured (b).
    assert value(results, ratio, "VALUE", "RATIO", "n", visit="7") == 0
    assert value(results, ratio, "VALUE", "RATIO", "n_without", visit="7") == 2
    assert value(results, ratio, "VALUE", "RATIO", "n_without", visit="14") == 1
    assert value(results, ratio, "CHG", "RATIO", "median", visit="14") == pytest.approx(0.5 - 2)


def test_the_ratio_of_the_product_is_that_of_the_lots_given(outcome):
    assert value(outcome[0], f"{PLACE}_product", "CD4CD8", "", "n") == 1


def test_each_day_is_one_point_of_the_curve(outcome):
    points = [(row["curve_id"], row["x"]) for row in outcome[1]]
    assert len(points) == len(set(points))
    assert ("pharmacodynamics.subsets_course/CD8", 7.0) in points


def test_a_percent_is_not_divided_by_a_count():
    rows = [
        *samples("a", "CD4", "%", {0: 60.0, 7: 50.0}),
        *samples("a", "CD8", "cells/uL", {0: 300.0, 7: 200.0}),
        *samples("a", "CD3", "cells/uL", {0: 900.0, 7: 800.0}),
    ]
    results = run(collect_subsets, make_study({}, rows, [{"USUBJID": "a"}]))[0]
    assert results.find(f"{PLACE}_ratio", "VALUE", "RATIO", {"visit": "7"}, "n") is None
    assert results.find(PLACE, "PARENT", "CD4", {"visit": "7"}, "n") is None
    assert value(results, PLACE, "PARENT", "CD8", "median", visit="7") == 25

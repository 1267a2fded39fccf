"""Grades of low counts against the expectations of another program at every limit."""

from __future__ import annotations

import numpy as np
import pytest

from celldossier.io.resources import read_resource
from celldossier.stats.blood_counts import grade_low_count

# What the R package admiral (pharmaverse) expects of CTCAE 5.0, tests/testthat/
# test-derive_var_atoxgr.R: value, lower limit of normal, grade. None: not graded.
ADMIRAL = {
    ("HGB", "g/L"): [
        *((79, 140, 3), (80, 140, 2), (99, 140, 2), (100, 140, 1), (139, 140, 1), (140, 140, 0)),
        *((140, None, None), (100, None, None), (99, None, 2), (79, None, 3)),
    ],
    ("NEUT", "10^9/L"): [
        *((0.49, 2, 4), (0.5, 2, 3), (0.99, 2, 3), (1, 2, 2), (1.49, 2, 2), (1.5, 2, 1)),
        *((1.9, 2, 1), (2, 2, 0), (0.49, None, 4), (1.49, None, 2), (1.5, None, None)),
    ],
    ("PLAT", "10^9/L"): [
        *((24, 100, 4), (25, 100, 3), (49, 100, 3), (50, 100, 2), (74, 100, 2), (75, 100, 1)),
        *((99, 100, 1), (100, 100, 0), (74, None, 2), (75, None, None)),
    ],
    ("LYM", "10^9/L"): [
        *((0.19, 1.1, 4), (0.2, 1.1, 3), (0.49, 1.1, 3), (0.5, 1.1, 2), (0.79, 1.1, 2)),
        *((0.8, 1.1, 1), (1.09, 1.1, 1), (1.1, 1.1, 0), (0.19, None, 4)),
    ],
    ("WBC", "10^9/L"): [
        *((0.9, 5, 4), (1, 5, 3), (1.9, 5, 3), (2, 5, 2), (2.9, 5, 2), (3, 5, 1), (4.9, 5, 1)),
        *((5, 5, 0), (2.9, None, 2), (3, None, None)),
    ],
}


@pytest.mark.parametrize("count", ADMIRAL, ids=lambda count: count[0])
def test_grades_at_and_beside_each_limit_are_those_of_another_program(count):
    name, unit = count
    limits = read_resource("terms", "ctcae_blood_counts.yaml")[name]["limits"][unit]
    for value, normal, grade in ADMIRAL[count]:
        found = grade_low_count([value], limits, normal)[0]
        assert np.isnan(found) if grade is None else found == grade, (value, normal)


def test_the_limits_of_all_units_of_a_count_are_the_same_amounts():
    # CTCAE prints the limits in mmol/L (16.114 g/L, of the monomer) to a tenth.
    factor = {"10^9/L": 1, "10^3/uL": 1, "cells/uL": 1e-3, "g/L": 1, "g/dL": 10, "mmol/L": 16.114}
    for name, rule in read_resource("terms", "ctcae_blood_counts.yaml").items():
        amounts = [
            [round(limit * factor[unit], 9) for limit in limits]
            for unit, limits in rule["limits"].items()
        ]
        for unit, amount in zip(rule["limits"], amounts, strict=True):
            tolerance = 0.1 * factor[unit] if unit == "mmol/L" else 0.0
            assert amount == pytest.approx(amounts[0], rel=0, abs=tolerance), (name, unit)
        assert len(amounts[0]) == rule["worst"] - 1, name


def test_a_missing_value_has_no_grade():
    assert np.isnan(grade_low_count([np.nan], [1.5, 1.0, 0.5], 2.0)).all()


def test_limits_that_do_not_fall_are_refused():
    with pytest.raises(ValueError, match="do not fall"):
        grade_low_count([1.0], [0.5, 1.0])

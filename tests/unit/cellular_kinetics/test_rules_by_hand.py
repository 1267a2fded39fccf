"""Rules of the analysis on the smallest case that tells them from their likeness."""

from __future__ import annotations

import math
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.assay_pairs import _pair
from celldossier.cellular_kinetics.baseline_adjusted import _area_above
from celldossier.cellular_kinetics.crosswalk import _differ, _name_rules
from celldossier.cellular_kinetics.dispositions import _sort
from celldossier.cellular_kinetics.dose_profiles import assign_doses
from celldossier.cellular_kinetics.doses import has_intervals
from celldossier.cellular_kinetics.places import first_highest, first_true, last_true, pick
from celldossier.cellular_kinetics.ratios import add_ratios
from celldossier.cellular_kinetics.reviewed_windows import _find_points
from celldossier.cellular_kinetics.sample_arrays import _strip
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.kinetics_summaries import KineticsSummaries

NAN = math.nan


def test_rules_that_act_only_together_are_all_named_and_no_other_one() -> None:
    """Any two of three rules give the value of the preset, one of them alone changes nothing."""

    def values_with(switched: frozenset[str]) -> np.ndarray:
        return np.array([9.0 if len(switched) >= 2 else 1.0, 4.0 if "b" in switched else 2.0])

    rows, rules = np.array([0, 1]), ("a", "b", "c")
    alone, named = _name_rules(np.array([1.0, 2.0]), np.array([9.0, 4.0]), rows, rules, values_with)
    assert alone.tolist() == [[False] * 3, [False, True, False]]
    # The first is taken away, of the last two each is needed.
    assert named.tolist() == [[False, True, True], [False, True, False]]


def test_values_differ_where_one_is_missing_but_not_where_both_are() -> None:
    first = np.array([1.0, 1.0, NAN, NAN, 0.0])
    second = np.array([1.0, 1.1, 1.0, NAN, 0.0])
    assert _differ(first, second).tolist() == [False, True, True, False, False]
    assert _differ(second, first).tolist() == [False, True, True, False, False]


def test_dispositions_are_sorted_by_profile_time_used_and_row() -> None:
    def order(profile: list[int], used: list[float], row: list[int]) -> list[int]:
        columns = {
            "PROFILE": np.array(profile),
            "RELTIME": np.array(used),
            "TIME": np.array([3.0, 1.0, 2.0]),
            "ROW": np.array(row),
        }
        return _sort(columns, np.ones(3, dtype=bool))["ROW"].tolist()

    # The times fall as the rows rise, and the record that was left out has its own time.
    assert order([0, 0, 0], [3.0, 1.0, NAN], [1, 2, 3]) == [2, 3, 1]
    assert order([0, 0, 0], [1.0, 1.0, 1.0], [2, 1, 3]) == [1, 2, 3]
    assert order([0, 0, 1], [2.0, 3.0, 1.0], [1, 2, 3]) == [1, 2, 3]


def test_the_area_above_zero_is_a_trapezium_a_triangle_or_none() -> None:
    start = np.array([0.25, 0.0, -1.0, 3.0, -0.5, 0.0])
    end = np.array([0.75, 0.5, 3.0, -1.0, -2.0, 0.0])
    # Of the lines between -1 and 3 three quarters of the width lie above: 3 x 1.5 / 2.
    expected = [1.0, 0.5, 2.25, 2.25, 0.0, 0.0]
    assert _area_above(start, end, np.full(6, 2.0)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("subject", "dose", "tau", "expected"),
    [
        (["A"], [1.0], NAN, False),
        (["A"], [2.0], 28.0, True),
        (["A", "A"], [1.0, 1.0], NAN, False),
        (["A", "B"], [1.0, 2.0], NAN, False),
        (["A", "B", "B"], [1.0, 1.0, 2.0], NAN, True),
    ],
)
def test_intervals_are_those_of_several_doses_of_a_subject_or_of_a_planned_one(
    subject, dose, tau, expected
) -> None:
    frame = {"USUBJID": subject, "ANALYTE": "PCR", "DOSENO": dose, "TAU": tau}
    assert has_intervals(pd.DataFrame(frame)) is expected


def test_labels_are_stripped_distinct_in_order_and_of_some_row() -> None:
    for names, codes, kept, numbers in (
        (["A", "B"], [0, 1, 0], ["A", "B"], [0, 1, 0]),
        (["A", "B", "C"], [0, 1, 0], ["A", "B"], [0, 1, 0]),
        (["A", "B", "C"], [0, 2, 0], ["A", "C"], [0, 1, 0]),
        (["B", "A"], [0, 1, 0], ["A", "B"], [1, 0, 1]),
        (["A", " A", "B "], [0, 1, 2], ["A", "B"], [0, 0, 1]),
    ):
        labels = _strip(np.array(codes), np.array(names, dtype=object))
        assert (labels.names.tolist(), labels.codes.tolist()) == (kept, numbers)


def test_pairs_are_nearest_in_time_and_counted_where_both_lie_within_their_range() -> None:
    rows = [
        ("PCR", 1.0, 10.0, "N", "N"),
        ("PCR", 7.0, 20.0, "N", "Y"),
        ("PCR", 14.0, 30.0, "N", "N"),
        ("PCR", 21.0, NAN, "Y", "N"),
        ("PCR", 28.0, 40.0, "N", "N"),
        ("FLOW", 1.2, 99.0, "N", "N"),
        ("FLOW", 1.1, 5.0, "N", "N"),
        ("FLOW", 7.0, 6.0, "N", "N"),
        ("FLOW", 14.0, 7.0, "N", "Y"),
        ("FLOW", 21.0, 8.0, "N", "N"),
        ("FLOW", 28.3, 9.0, "N", "N"),
    ]
    names = ["PARAMCD", "AFRLT", "AVAL", "BLQFL", "ALQFL"]
    samples = pd.DataFrame(rows, columns=names).assign(
        STUDYID="S", USUBJID="A", PCSPEC="BLOOD", NFRLT=NAN, AVALU="c", ALLOQ=1.0,
        SRCFILE="pc.csv", SRCROW=range(11),
    )  # fmt: skip
    found = _pair(samples, "PCR", "FLOW", 0.25)
    assert found["AFRLT"].tolist() == [1.0, 7.0, 14.0, 21.0]
    assert found["AVAL2"].tolist() == [5.0, 6.0, 7.0, 8.0]
    # Of the second and the third pair one result each is above the limit of its assay.
    assert found["ANL01FL"].tolist() == ["Y", "N", "N", "N"]
    assert found["RATIO"].iloc[0] == 0.5 and found["RATIO"].isna().tolist() == [False] + [True] * 3
    assert found["AGREECAT"].tolist() == ["BOTH", "BOTH", "BOTH", "SECOND"]


def test_levels_are_compared_with_the_largest_and_the_unknown_with_nobody() -> None:
    groups = {"a": "F", "b": "F", "c": "F", "d": "M", "e": "M", "f": "UNKNOWN", "g": "UNKNOWN"}
    levels = pd.DataFrame({"process": list(groups.values())}, index=list(groups))
    parameters = pd.DataFrame(
        {
            "USUBJID": list(groups), "PARCAT1": "PCR", "PARAMCD": "CMAX",
            "AVAL": [1.0, 2.0, 4.0, 8.0, 32.0, 5.0, 5.0],
        }
    )  # fmt: skip
    out = ResultCollector("cellular_kinetics")
    add_ratios(out, parameters, levels, KineticsSummaries(groupings=("process",)))
    results = AnalysisResults([out.frame()])

    def find(stat: str, level: str):
        by = {"process": level}
        return results.find("cellular_kinetics.ratio", "CMAX", "PCR", by, stat)

    # Geometric means 16 of 8 and 32, 2 of 1, 2 and 4.
    assert find("gmr", "M").number == pytest.approx(8)
    assert (find("n_test", "M").number, find("n_reference", "M").number) == (2, 3)
    assert find("gmr", "UNKNOWN") is None and find("gmr", "F") is None


def test_a_reviewed_point_is_found_by_its_nominal_or_actual_time_and_has_to_be_usable() -> None:
    profiles = Given(
        time=np.array([[0.0, 3.0, 7.02, 14.0, 14.0, 21.3]]),
        # The first column was put in; the second is the first of all data rows.
        row=np.array([[-1, 0, 1, 2, 3, 4]]),
        blq=np.array([[False, False, False, False, False, True]]),
        peak=np.array([1]),
    )
    nominal = np.array([NAN, NAN, 7.0, NAN, NAN, NAN])

    def find(*names: str) -> tuple[list[int], list[str]]:
        faults: list[str] = []
        found = _find_points(profiles, nominal, 0, names, "W1", faults)
        return found.tolist(), faults

    assert find("7", "3") == ([1, 2], []) and find("7.0") == find("7.02") == ([2], [])
    assert find("0") == ([], ["W1: no sample at time 0."])
    assert find("14") == ([], ["W1: several samples at time 14."])
    assert find("21.3") == ([], ["W1: the result at time 21.3 is below the limit."])
    assert find("7", "7.02")[1] == ["W1: two of the points 7; 7.02 are one sample."]
    profiles.peak = np.array([2])
    assert find("3")[1] == ["W1: the sample at time 3 lies before the peak."]
    assert find("7")[0] == [2]


def test_the_first_last_and_highest_of_a_profile_are_sought_in_all_columns() -> None:
    mask = np.array([[False, False, True], [True, False, True], [False, False, False]])
    assert first_true(mask).tolist() == [2, 0, -1] and last_true(mask).tolist() == [2, 2, -1]
    values = np.array([[1.0, 9.0, 2.0], [3.0, 9.0, 3.0], [1.0, 2.0, 3.0]])
    assert first_highest(values, mask).tolist() == [2, 0, -1]
    assert pick(values, np.array([2, 1, 0])).tolist() == [2.0, 9.0, 1.0]


def test_a_sample_belongs_to_the_dose_before_it_and_a_dose_without_samples_is_listed() -> None:
    given = pd.DataFrame(
        {
            "USUBJID": "A", "ANALYTE": "PCR", "CONCU": "c", "CENSTIME": 90.0,
            "TIME": [-0.5, 3.0, 28.0, 28.1, NAN], "NTIME": [-0.5, 3.0, 28.0, 28.1, 30.0],
            "CONC": 1.0, "BLQ": 0, "ALQ": 0, "LLOQ": 1.0,
        }
    )  # fmt: skip
    doses = pd.DataFrame(
        {
            "USUBJID": "A", "DOSENO": [1.0, 2.0, 3.0], "DOSETIME": [0.0, 28.0, 56.0],
            "NDOSETIME": [0.0, 28.0, 56.0], "CYCLE": 1.0,
        }
    )  # fmt: skip
    found = assign_doses(given, doses, Given(dosing_interval=28.0))
    # What was drawn before the first dose, or at a dose, belongs to the dose so far.
    assert found["DOSENO"].tolist() == [1, 1, 1, 2, 2, 3]
    assert math.isnan(found["CONC"].iloc[5]) and found["DOSETIME"].iloc[5] == 56
    # No two rows have one number: what is looked up by it is one row.
    assert found.index.tolist() == [0, 1, 2, 3, 4, 5] and (found["TAU"] == 28).all()
    assert assign_doses(given, doses, Given(dosing_interval=None))["TAU"].isna().all()

"""Planned samples and the judgement of the sampling, on a few rows and by what follows by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics import sampling_adequacy as adequacy
from celldossier.cellular_kinetics.sampling_adequacy import Judged, look_around_peak
from celldossier.cellular_kinetics.sampling_plan import (
    _plan,
    compare_with_plan,
    find_end_of_plan,
    list_planned,
)
from celldossier.settings.sampling import PlannedSamples
from celldossier.terms.study_terms import NEW_THERAPY

NAN = math.nan
NAMES = ["A", "B", "C"]
PROFILES = pd.MultiIndex.from_product([NAMES, ["PCR"]], names=["USUBJID", "PARAMCD"])


def of(*values: object) -> pd.Series:
    return pd.Series(list(values), index=PROFILES)


def results(**days: list[float]) -> pd.DataFrame:
    """Results of the subjects by their days; a negative day is that of a result below the limit."""
    rows = [(name, abs(day), "Y" if day < 0 else "N") for name, own in days.items() for day in own]
    frame = pd.DataFrame(rows, columns=["USUBJID", "AFRLT", "BLQFL"])
    return frame.assign(PARAMCD="PCR", NFRLT=NAN)


def test_a_result_planned_for_the_last_day_counts_though_it_is_hours_late() -> None:
    rows = pd.DataFrame({"NFRLT": [7.0, 8.0, NAN], "AFRLT": [7.2, 7.5, 7.3]})
    assert adequacy._day(rows).tolist() == [7.0, 7.5, 7.3]


def test_early_and_total_results_are_enough_from_their_number_on() -> None:
    rows = results(A=[1, 2, 7], B=[1, 7.5])
    early = adequacy._judge_early(PROFILES, rows, Given(early_until=7, early_samples=3))
    assert early.met.tolist() == ["Y", "N", "N"] and early.measure.tolist() == [3, 1, 0]
    assert early.reason.tolist() == ["", "FEWRES", "FEWRES"]
    count = adequacy._judge_count(PROFILES, rows, Given(count_until=28, count=2))
    assert count.met.tolist() == ["Y", "Y", "N"] and count.measure.tolist() == [3, 2, 0]
    assert count.reason.tolist() == ["", "", "FEWRES"]


def test_the_results_next_to_the_peak_lie_within_the_window_or_not() -> None:
    rows = results(A=[5, 7, 10, 13, 20], B=[6.9, 10], C=[10, 13.1])
    around = look_around_peak(PROFILES, rows, of(10.0, 10.0, 10.0), 3.0)
    assert around.early.tolist() == [True, False, False]
    assert around.late.tolist() == [True, False, False]
    assert around.gap.iloc[0] == 6.0 and around.last.tolist() == [False, True, False]


def around(early: list[bool], late: list[bool], last: list[bool]) -> adequacy.AroundPeak:
    return adequacy.AroundPeak(of(*early), of(*late), of(2.0, 3.0, 4.0), of(*last))


@pytest.mark.parametrize(
    ("early", "late", "last", "met", "reason"),
    [
        (True, True, False, "Y", ""),
        (True, False, True, "N", "PEAKLAST"),
        (False, False, False, "N", "NONENEAR"),
        (False, True, False, "N", "NONEBEF"),
        (True, False, False, "N", "NONEAFT"),
    ],
)
def test_a_peak_is_bracketed_by_results_on_both_sides(early, late, last, met, reason) -> None:
    found = adequacy._judge_peak(
        PROFILES,
        around([early] * 3, [late] * 3, [last] * 3),
        of(10.0, NAN, NAN),
        of("", "BLQALL", NAN),
    )
    assert found.met.tolist() == [met, "NA", "NA"]
    assert found.reason.tolist() == [reason, "BLQALL", "NOSAMPLE"]
    assert found.measure.tolist() == [2.0, 3.0, 4.0]


def test_an_area_is_adequate_with_results_enough_and_one_near_the_peak() -> None:
    near = around([True, False, False], [False, False, True], [False] * 3)
    peak = Judged(of("N", "N", "Y"), of(1.0, 1.0, 1.0), "d", of("X", "X", ""))
    count = Judged(of("Y", "Y", "Y"), of(6.0, 7.0, 8.0), "results", of("", "", ""))
    judge = adequacy._judge_area
    found = judge({"PEAK": peak, "COUNT": count}, near, of(1.0, 1.0, 1.0), of("", "", ""))
    assert found.met.tolist() == ["Y", "N", "Y"] and found.measure.tolist() == [6, 7, 8]
    assert found.reason.tolist() == ["", "NONENEAR", ""]
    few = Judged(of("N", "Y", "Y"), count.measure, "results", count.reason)
    none = Judged(of("N", "N", "NA"), peak.measure, "d", of("X", "X", "BLQALL"))
    other = judge({"PEAK": none, "COUNT": few}, near, of(1.0, NAN, NAN), of("", "NOTAIL", ""))
    assert other.met.tolist() == ["N", "N", "NA"]
    assert other.reason.tolist() == ["FEWRES", "NOTAIL", "BLQALL"]


def test_a_terminal_phase_is_covered_by_points_after_the_peak_and_by_its_span() -> None:
    rows = results(A=[3, 10, 14, 21, -28], B=[10, 14, -21, 28], C=[10, 14, 21])
    rules = Given(terminal_points=2, terminal_span=1.5)
    judge = adequacy._judge_terminal
    blank = of("", "", "")
    found = judge(PROFILES, rows, of(10.0, 14.0, 10.0), blank, of(1.5, 2.0, 1.4), rules)
    assert found.met.tolist() == ["Y", "N", "N"]
    assert found.reason.tolist() == ["", "FEWRES", "SPANLOW"]
    other = judge(PROFILES, rows, of(NAN, 10.0, 10.0), of("BLQALL", "", ""), of(*[NAN] * 3), rules)
    assert other.met.tolist() == ["NA", "N", "N"]
    assert other.reason.tolist() == ["BLQALL", "NOLAMZ", "NOLAMZ"]


def test_two_results_below_the_limit_after_the_peak_end_the_sampling() -> None:
    rows = results(A=[-1, -2, 5, -7, -9], B=[5, -7, 9, -14, -20, 30], C=[5, -7, 7, -9])
    found = adequacy.find_second_blq(rows, of(4.0, 4.0, 4.0))
    assert found["STOPDAY"].tolist() == [9.0, 20.0] and found["LATER"].tolist() == [False, True]


def test_sampling_went_on_to_the_loss_or_had_to_end_or_was_stopped() -> None:
    rows = results(A=[5, -7, -9], B=[5, 7], C=[5, 7])
    compared = pd.DataFrame(
        {
            "USUBJID": ["A", "B", "B", "C", "C"],
            "PARAMCD": "PCR",
            "NFRLT": [9.0, 7.0, 14.0, 5.0, 7.0],
            "HASRES": [True, True, False, False, True],
            "STATUS": ["TAKEN", "TAKEN", "MISSED", "MISSED", "TAKEN"],
        }
    )
    ends = pd.DataFrame({"REASON": ["DIED", "DIED"]}, index=["B", "C"])
    judge = adequacy._judge_stop
    found = judge(PROFILES, rows, of(5.0, 5.0, 5.0), compared, ends)
    # B misses a sample after its last result, C one before it.
    assert found.met.tolist() == ["Y", "N", "Y"] and found.measure.tolist() == [9, 7, 7]
    assert found.reason.tolist() == ["TWOBLQ", "STOPPED", "DIED"]
    extra = compared.assign(STATUS=["EXTRA", "EXTRA", "EXTRA", "TAKEN", "TAKEN"])
    other = judge(PROFILES, results(A=[-7, -9, 12], B=[5]), of(5.0, 5.0, 5.0), extra, ends)
    assert other.reason.tolist() == ["WENTON", "NOSCHED", "NOSAMPLE"]
    assert other.met.tolist() == ["Y", "NA", "NA"]


def test_missing_samples_are_few_up_to_their_share_of_those_asked_for() -> None:
    compared = pd.DataFrame(
        {
            "USUBJID": ["A"] * 6 + ["B"] * 4,
            "PARAMCD": "PCR",
            "HASRES": [True, True, True, True, False, True, True, True, False, True],
            "STATUS": ["TAKEN"] * 4 + ["MISSED", "EXTRA"] + ["TAKEN"] * 4,
        }
    )
    found = adequacy._judge_collected(PROFILES, compared, Given(missed_share=20))
    # One of five is 20 %; of B one sample of four has no result.
    assert found.met.tolist() == ["Y", "N", "NA"]
    assert found.measure.tolist()[:2] == [1, 1] and math.isnan(found.measure.iloc[2])
    assert found.reason.tolist() == ["", "MISSAMP", "NOSCHED"]


def test_samples_outside_their_window_are_counted_where_a_window_is_known() -> None:
    compared = pd.DataFrame(
        {"USUBJID": ["A", "A", "B", "C"], "PARAMCD": "PCR", "WINFL": ["Y", "", "N", ""]}
    )
    found = adequacy._judge_window(PROFILES, compared)
    assert found.met.tolist() == ["Y", "N", "NA"]
    assert found.reason.tolist() == ["", "OUTWIN", "NOWINDOW"]
    assert found.measure.tolist()[:2] == [0, 1] and math.isnan(found.measure.iloc[2])


def test_a_criterion_that_is_not_judged_has_its_reason_in_the_place_of_an_answer() -> None:
    judged = Judged(of("Y", "N", "Y"), of(1.0, 2.0, 3.0), "d", of("", "X", ""))
    found = adequacy._blank(judged, np.array([False, True, True]), "NOMARKER")
    assert found.met.tolist() == ["Y", "NA", "NA"]
    assert found.reason.tolist() == ["", "NOMARKER", "NOMARKER"]
    assert found.measure.isna().tolist() == [False, True, True] and found.unit == "d"


def test_a_plan_counts_from_the_first_infusion_or_from_each_dose_given() -> None:
    subjects = pd.DataFrame({"STUDYID": ["S", "S", "T"], "USUBJID": NAMES})
    doses = pd.DataFrame(
        {"USUBJID": ["A", "A", "B"], "DOSENO": [1, 2, 1], "NFRLT": [0.0, 28.0, 0.0]}
    )

    def plan(**entry: object) -> list[tuple[object, ...]]:
        rows = _plan(PlannedSamples(**entry), subjects, doses, ["PCR", "FLOW"])
        return sorted(rows.itertuples(index=False, name=None))

    first = plan(days=(1, 7), origin="first_infusion", study="S", analytes=("PCR",))
    assert first == [("A", "PCR", 1), ("A", "PCR", 7), ("B", "PCR", 1), ("B", "PCR", 7)]
    each = plan(days=(3,), origin="dose", analytes=("FLOW",))
    assert each == [("A", "FLOW", 3), ("A", "FLOW", 31), ("B", "FLOW", 3)]
    second = plan(days=(3,), origin="dose", doses=(2,))
    assert second == [("A", "FLOW", 31), ("A", "PCR", 31)]


def test_what_is_planned_ends_with_the_observation_but_for_the_sample_before_the_dose() -> None:
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": [*NAMES, "D"], "SAFFL": ["Y", "Y", "Y", "N"]})
    adex = pd.DataFrame(
        {
            "USUBJID": ["A", "B", "B", "C"], "DOSENO": [1, 1, 2, 1], "NFRLT": [NAN, 0, NAN, 0],
            "AFRLT": [0.3, 0, 29.5, 0], "DOSETYPE": ["FIRST", "FIRST", "REPEAT", "UNPLANNED"],
        }
    )  # fmt: skip
    rules = Given(schedule=[PlannedSamples(days=(-1, 2), origin="dose")])
    ends = pd.DataFrame({"DAY": [2.0, 31.0]}, index=["A", "B"])
    found = list_planned(rules, adsl, adex, ["PCR"], ends)
    # The second dose of B was given on day 29.5: what is planned 2 days later is beyond day 31.
    assert found[["USUBJID", "NFRLT"]].values.tolist() == [
        ["A", -1.0], ["A", 2.0], ["B", -1.0], ["B", 2.0], ["B", 28.5],
    ]  # fmt: skip


def test_a_plan_ends_with_the_first_event_and_of_one_day_with_the_gravest() -> None:
    adsl = pd.DataFrame(
        {
            "USUBJID": ["A", "B", "C", "D", "E"],
            "SAFFL": ["Y", "Y", "Y", "Y", "N"],
            "LSTALVDY": [50.0, 60.0, NAN, 70.0, 10.0],
            "LSTDY": [40.0, 40.0, 45.0, 40.0, 10.0],
            "DTHDY": [NAN, 30.0, NAN, NAN, NAN],
        }
    )
    adrs = pd.DataFrame(
        {
            "USUBJID": ["A", "A", "B", "D", "D"],
            "PARAMCD": ["OVR", "OVR", "OVR", "BOR", "OVR"],
            "EVENTCD": ["PD", "PD", "PD", "PD", ""],
            "AFRLT": [-3.0, 28.0, 30.0, 5.0, 6.0],
        }
    )
    adcm = pd.DataFrame(
        {"USUBJID": ["C", "C"], "CMCLASS": [NEW_THERAPY, "STEROID"], "ASTDY": [20.0, 3.0]}
    )
    adex = pd.DataFrame(
        {"USUBJID": ["D", "D"], "DOSETYPE": ["FIRST", "RETREATMENT"], "AFRLT": [0.0, 65.0]}
    )
    whole = find_end_of_plan(adsl, adex, adrs, adcm, ("PROGRESSION", NEW_THERAPY, "REINFUSION"))
    assert whole["DAY"].to_dict() == {"A": 28.0, "B": 30.0, "C": 20.0, "D": 65.0}
    assert whole["REASON"].tolist() == ["ENDPROG", "DIED", "ENDNEWTX", "ENDREINF"]
    without = find_end_of_plan(adsl, adex, adrs, adcm, ())
    assert without["DAY"].to_dict() == {"A": 50.0, "B": 30.0, "C": 45.0, "D": 70.0}
    assert without["REASON"].tolist() == ["ENDOBS", "DIED", "ENDOBS", "ENDOBS"]


def test_planned_samples_were_taken_missed_or_no_longer_asked_for() -> None:
    planned = pd.DataFrame({"USUBJID": "A", "PARAMCD": "PCR", "NFRLT": [1.0, 7.0, 14.0, 28.0]})
    samples = pd.DataFrame(
        {
            "USUBJID": "A",
            "PARAMCD": "PCR",
            "NFRLT": [1.0, 1.001, 1.0, 10.0, NAN, 14.0],
            "AFRLT": [1.3, 1.2, 1.1, 10.0, 11.0, 14.0],
            "AVAL": [5.0, 6.0, NAN, NAN, 9.0, NAN],
            "BLQFL": ["N", "N", "N", "Y", "N", "N"],
            "TIMEDEV": 0.0,
            "WINFL": ["Y", "N", "Y", "", "", "Y"],
        }
    )
    stops = pd.DataFrame({"STOPDAY": [20.0]}, index=pd.MultiIndex.from_tuples([("A", "PCR")]))
    found = compare_with_plan(planned, samples, stops)
    assert found["NFRLT"].tolist() == [1.0, 7.0, 10.0, 14.0, 28.0]
    assert found["STATUS"].tolist() == ["TAKEN", "MISSED", "EXTRA", "TAKEN", "STOPPED"]
    assert found["HASRES"].tolist() == [True, False, True, False, False]
    # Of two results of one nominal time the earlier counts.
    assert found["AFRLT"].iloc[0] == 1.2 and found["WINFL"].tolist() == ["N", "", "", "Y", ""]

"""Repeat doses (R23): the clock, the trough and the interval of each dose."""

from __future__ import annotations

from math import exp, expm1, inf, log, nan

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

RATE, TAU, FIRST = 0.3, 7.0, 0.5
TIMES = (FIRST, 1.0, 2.0, 4.0, 6.0)
NO_GATES = {"min_points": 3, "min_r2adj": 0, "min_span": 0}


def decline(time, dose):
    """Concentration so long after dose number `dose` of many alike, each giving 1000."""
    return 1000 * sum(exp(-RATE * (time + back * TAU)) for back in range(dose))


def make_course(doses=4, trough_of="next", tau=TAU):
    """Samples after each dose and a trough before the next, which is labelled as told."""
    rows = [(1, 0.0, 0.0, nan, 1)]
    for dose in range(1, doses + 1):
        start = (dose - 1) * TAU
        rows += [(dose, start, start + time, decline(time, dose), 0) for time in TIMES]
        end, conc = start + TAU, decline(TAU, dose)
        if trough_of in ("this", "both") or dose == doses:
            rows.append((dose, start, end, conc, 0))
        if trough_of in ("next", "both") and dose < doses:
            rows.append((dose + 1, end, end, conc, 0))
    frame = pd.DataFrame(rows, columns=["DOSENO", "DOSETIME", "TIME", "CONC", "BLQ"])
    return frame.assign(USUBJID="S1", ANALYTE="PCR", LLOQ=1e-6, TAU=tau)


def estimate(samples, **values):
    values = {"peak_from": 0, "lambda_z": NO_GATES, **values}
    return estimate_nca(samples, CellularKineticsSettings.model_validate(values)).as_text()


def answers(samples, **values):
    """Parameters by dose and code."""
    return estimate(samples, **values).parameters.set_index(["DOSENO", "PARAMCD"])


def test_the_parameters_of_each_interval_are_those_of_repeated_decline():
    doses = 6
    found = answers(make_course(doses))["AVAL"]
    areas = {}
    for dose in range(1, doses + 1):
        start = decline(TAU, dose - 1) if dose > 1 else 0.0
        peak, end = decline(FIRST, dose), decline(TAU, dose)
        areas[dose] = FIRST * (start + peak) / 2 + (peak - end) / RATE
        expected = {
            "AUCTAU": areas[dose],
            "CAVG": areas[dose] / TAU,
            "CTROUGH": start,
            "CTAU": end,
            "CMIN": min(start, end),
            "CMAX": peak,
            "TMAX": FIRST,
            "PTF": (peak - min(start, end)) / (areas[dose] / TAU),
            "ARCMAX": expm1(-dose * RATE * TAU) / expm1(-RATE * TAU),
            "ARAUC": areas[dose] / areas[1],
            "LAMZ": RATE,
        }
        for code, value in expected.items():
            assert found[dose, code] == pytest.approx(value, rel=1e-12, abs=1e-12), (dose, code)


def test_a_peak_at_the_end_of_the_interval_is_of_the_interval_and_one_after_it_is_not():
    samples = pd.DataFrame(
        {"TIME": [0.0, 7.0, 14.0, 21.0], "CONC": [nan, 100.0, 900.0, 5000.0], "BLQ": [1, 0, 0, 0]}
    ).assign(USUBJID="S1", ANALYTE="PCR", LLOQ=50.0, DOSENO=1, DOSETIME=0.0, TAU=14.0)
    found = answers(samples)["AVAL"]
    area = 7 * 50 + 7 * 500
    assert found[1, "AUCTAU"] == pytest.approx(area, rel=1e-12)
    assert found[1, "PTF"] == pytest.approx(900 / (area / 14), rel=1e-12)


def test_accumulation_reaches_its_limit():
    found = answers(make_course(30))["AVAL"]
    assert found[30, "ARCMAX"] == pytest.approx(-1 / expm1(-RATE * TAU), rel=1e-12)


@pytest.mark.parametrize("trough_of", ["this", "both"])
def test_a_trough_serves_both_intervals_whichever_dose_it_is_given_for(trough_of):
    expected = estimate(make_course(trough_of="next")).parameters
    found = estimate(make_course(trough_of=trough_of)).parameters
    pd.testing.assert_frame_equal(found, expected)


def test_a_trough_has_a_disposition_in_either_interval():
    result = estimate(make_course(2))
    rows = result.dispositions[result.dispositions["TIME"] == TAU]
    assert rows[["DOSENO", "RELTIME"]].to_numpy().tolist() == [[1, TAU], [2, 0.0]]
    assert rows["ROW"].nunique() == 1


def test_a_quantifiable_trough_is_no_finding_before_a_later_dose():
    course = make_course(2)
    assert "PREDOSEQ" not in set(estimate(course).findings["CODE"])
    course.loc[0, ["CONC", "BLQ"]] = [7.0, 0]
    found = estimate(course).findings
    assert found.loc[found["CODE"] == "PREDOSEQ", "DOSENO"].tolist() == [1]


def test_a_record_that_is_too_old_is_no_trough_and_zero_is_not_put_in_for_it():
    course = make_course(2)
    course = course[~((course["TIME"] == TAU) & (course["DOSENO"] == 2))]
    found = answers(course, trough_window=0.5)
    assert found.loc[(2, "CTROUGH"), "REASND"] == "NOTROUGH"
    assert found.loc[(2, "AUCTAU"), "REASND"] == "NOSTART"
    # The first interval ends an hour short of a sample: its log slope goes on.
    assert found.loc[(1, "AUCTAU"), "FLAG"] == "EXTWIN"
    within = answers(course, trough_window=1)
    assert within.loc[(2, "CTROUGH"), "AVAL"] == pytest.approx(decline(6.0, 1))


def test_a_sample_before_one_dose_is_no_trough_of_the_next_however_wide_the_window():
    course = make_course(3)
    # Of dose 2 only the sample before it is left, and dose 3 has none of its own.
    course = course[(course["DOSENO"] != 2) | (course["TIME"] == TAU)]
    course = course[(course["DOSENO"] != 3) | (course["TIME"] > 2 * TAU)]
    result = estimate(course, trough_window=30)
    found = result.parameters.set_index(["DOSENO", "PARAMCD"])
    assert found.loc[(3, "CTROUGH"), "REASND"] == "NOTROUGH"
    assert found.loc[(3, "AUCTAU"), "REASND"] == "NOSTART"
    assert sorted(result.dispositions.query("TIME == 7")["DOSENO"]) == [1, 2]


def test_the_lowest_of_the_interval_may_stand_in_for_a_trough():
    course = make_course(2)
    course = course[~((course["TIME"] == TAU) & (course["DOSENO"] == 2))]
    found = answers(course, trough_window=0, start="minimum")
    peak, end = decline(FIRST, 2), decline(TAU, 2)
    area = FIRST * (end + peak) / 2 + (peak - end) / RATE
    assert found.loc[(2, "AUCTAU"), "AVAL"] == pytest.approx(area, rel=1e-12)
    assert found.loc[(2, "AUCTAU"), "FLAG"] == "STARTMIN"


def test_the_last_interval_is_that_of_the_protocol_and_else_not_known():
    known, unknown = answers(make_course(2)), answers(make_course(2, tau=nan))
    assert known.loc[(2, "CAVG"), "AVAL"] == known.loc[(2, "AUCTAU"), "AVAL"] / TAU
    for code in ("AUCTAU", "CAVG", "CTAU", "CMIN", "PTF", "ARAUC"):
        assert unknown.loc[(2, code), "REASND"] == "NOTAU"
        assert unknown.loc[(1, code), "REASND"] == ""
    assert unknown.loc[(2, "ARCMAX"), "REASND"] == ""


def test_the_protocol_does_not_shorten_an_interval_that_the_next_dose_ends():
    found = answers(make_course(2, tau=5.0))["AVAL"]
    assert found[1, "AUCTAU"] / found[1, "CAVG"] == pytest.approx(TAU)
    assert found[2, "AUCTAU"] / found[2, "CAVG"] == pytest.approx(5.0)


def test_the_last_dose_of_a_cycle_has_the_interval_of_the_protocol():
    course = make_course(3)
    late = course["DOSENO"] == 3
    course.loc[late, ["TIME", "DOSETIME"]] += 21
    course["CYCLE"] = np.where(late, 2, 1)
    found = answers(course)
    assert found.loc[(2, "AUCTAU"), "AVAL"] / found.loc[(2, "CAVG"), "AVAL"] == pytest.approx(TAU)
    assert found.loc[(2, "ARAUC"), "REASND"] == ""
    long = answers(course.drop(columns="CYCLE"))
    assert long.loc[(2, "AUCTAU"), "AVAL"] / long.loc[(2, "CAVG"), "AVAL"] == pytest.approx(28)
    assert long.loc[(2, "ARAUC"), "REASND"] == "TAUDIFF"


def test_without_samples_of_the_next_dose_the_interval_is_that_of_the_protocol():
    course = make_course(3)
    gap = course[course["DOSENO"] != 2]
    found = answers(gap)["AVAL"]
    assert found[1, "AUCTAU"] / found[1, "CAVG"] == pytest.approx(TAU)
    assert answers(gap.assign(TAU=nan)).loc[(1, "AUCTAU"), "REASND"] == "NOTAU"


def test_an_area_over_the_doses_runs_from_the_first_over_the_course():
    course = make_course(4)
    found = answers(course)
    whole = course.assign(DOSENO=1, DOSETIME=0.0, TAU=nan)
    alone = answers(whole)
    assert found.loc[(1, "AUC28"), "AVAL"] == alone.loc[(1, "AUC28"), "AVAL"]
    assert found.loc[(1, "AUC28"), "FLAG"] == "COURSE"
    assert found.loc[(2, "AUC28"), "REASND"] == "NEXTDOSE"
    # After the last dose nothing cuts it off.
    assert found.loc[(4, "AUC28"), "REASND"] == ""
    short = answers(course, partial_areas=[[0, 7]])
    assert short.loc[(2, "AUC7"), "AVAL"] == found.loc[(2, "AUCTAU"), "AVAL"]


def test_what_reaches_beyond_the_next_dose_is_that_of_the_last_one():
    found = answers(make_course(3))
    for code in ("TBQL", "AUCIFO", "AUCPEO"):
        assert found.loc[(1, code), "REASND"] == found.loc[(2, code), "REASND"] == "NEXTDOSE"
    assert found.loc[(3, "AUCIFO"), "REASND"] == ""
    assert found.loc[(1, "LAMZ"), "FLAG"] == "NEXTDOSE" and found.loc[(3, "LAMZ"), "FLAG"] == ""
    persistence = estimate(make_course(3)).persistence
    assert persistence["STATUS"].tolist() == ["NEXTDOSE", "NEXTDOSE", "CENSORED"]


def test_a_death_within_the_interval_empties_its_area():
    course = make_course(2)
    course = course[course["TIME"] < 12].assign(CENSTIME=12.0)
    found = answers(course)
    assert found.loc[(2, "AUCTAU"), "REASND"] == "CENSORED"
    assert found.loc[(1, "AUCTAU"), "REASND"] == ""


def test_a_censoring_time_given_for_one_dose_holds_for_all():
    course = make_course(2)
    course = course[course["TIME"] < 12].assign(CENSTIME=nan)
    course.loc[course["DOSENO"] == 1, "CENSTIME"] = 12.0
    assert answers(course).loc[(2, "AUCTAU"), "REASND"] == "CENSORED"


def test_a_dose_after_which_nothing_is_quantifiable_has_an_area_of_0():
    course = make_course(2, trough_of="next")
    course.loc[course["DOSENO"] == 2, "CONC"] = nan
    course.loc[course["DOSENO"] == 2, "BLQ"] = 1
    course = course.assign(LLOQ=50.0)
    found = answers(course)
    assert found.loc[(2, "AUCTAU"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQALL"]
    assert found.loc[(2, "ARAUC"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQALL"]
    assert found.loc[(2, "CTROUGH"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQ"]
    assert found.loc[(2, "PTF"), "REASND"] == "BLQALL"
    # The trough below the limit closes the first interval.
    assert found.loc[(1, "CTAU"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQ"]
    assert found.loc[(1, "CMIN"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQ"]


def test_ratios_say_why_dose_1_gives_none():
    course = make_course(3)
    none = answers(course[course["DOSENO"] != 1])
    assert none.loc[(2, "ARAUC"), "REASND"] == none.loc[(3, "ARCMAX"), "REASND"] == "NOFIRST"
    below = course.assign(LLOQ=1e-6)
    first = (below["DOSENO"] == 1) | (below["TIME"] == TAU)
    below.loc[first, "CONC"], below.loc[first, "BLQ"] = nan, 1
    assert answers(below).loc[(2, "ARCMAX"), "REASND"] == "FIRSTBLQ"
    sparse = course[~((course["DOSENO"] == 1) & (course["TIME"] == 0))]
    assert answers(sparse, start="none").loc[(2, "ARAUC"), "REASND"] == "FIRSTDOS"


@pytest.mark.parametrize(
    ("last", "flag", "reason"), [(6.0, "EXTWIN", ""), (5.0, "EXTRAP", ""), (2.0, "", "EXTRAPOL")]
)
def test_the_tail_of_an_interval_is_short_or_by_lambda_z_within_its_limit(last, flag, reason):
    times = [time for time in (0.5, 1.0, 1.5, 2.0, 4.0, 5.0, 6.0) if time <= last]
    frame = pd.DataFrame(
        {"TIME": [0.0, *times], "CONC": [nan, *(decline(time, 1) for time in times)]}
    )
    frame = frame.assign(USUBJID="S1", ANALYTE="PCR", LLOQ=1e-6, TAU=TAU)
    frame["BLQ"] = frame["CONC"].isna().astype(int)
    row = answers(frame).loc[(1, "AUCTAU")]
    assert (row["FLAG"], row["REASND"]) == (flag, reason)
    if not reason:
        peak, end = decline(FIRST, 1), decline(TAU, 1)
        area = FIRST * peak / 2 + (peak - end) / RATE
        assert row["AVAL"] == pytest.approx(area, rel=1e-12)
        assert answers(frame).loc[(1, "CTAU"), "AVAL"] == pytest.approx(end, rel=1e-12)


def test_with_the_tail_at_the_last_sample_the_end_of_the_interval_stays_open():
    course = make_course(1)
    course = course[course["TIME"] < TAU]
    found = answers(course, tail="last")
    assert found.loc[(1, "CTAU"), "REASND"] == "UNCOVERD"
    assert found.loc[(1, "AUCTAU"), "AVAL"] == found.loc[(1, "AUCLST"), "AVAL"]


def test_the_nominal_clock_of_a_late_dose_is_its_own():
    course = make_course(2)
    course["NTIME"] = course["TIME"]
    late = course["DOSENO"] == 2
    course.loc[late, ["TIME", "DOSETIME"]] += 1
    course.loc[late & (course["NTIME"] == TAU), "TIME"] -= 0.5
    course["NDOSETIME"] = np.where(late, TAU, 0.0)
    assert answers(course, peak_from=0.5).loc[(2, "TMAX"), "AVAL"] == pytest.approx(FIRST)
    # The day by which the dose was late would else put the peak before it.
    shifted = answers(course.drop(columns="NDOSETIME"), peak_from=0.5)
    assert shifted.loc[(2, "TMAX"), "AVAL"] > 1


def test_one_dose_alone_is_as_without_its_number():
    course = make_course(1, tau=nan)
    plain = course.drop(columns=["DOSENO", "DOSETIME", "TAU"])
    pd.testing.assert_frame_equal(estimate(course).parameters, estimate(plain).parameters)
    assert "AUCTAU" not in set(estimate(course).parameters["PARAMCD"])


def test_analytes_and_subjects_have_their_own_doses():
    once = make_course(1).assign(USUBJID="S2")
    flow = make_course(2).assign(ANALYTE="FLOW")
    flow["CONC"] /= 10
    together = estimate(pd.concat([make_course(2), once, flow], ignore_index=True)).parameters
    for part, keys in (
        (make_course(2), ("S1", "PCR")),
        (flow, ("S1", "FLOW")),
        (once, ("S2", "PCR")),
    ):
        rows = together[(together["USUBJID"] == keys[0]) & (together["ANALYTE"] == keys[1])]
        pd.testing.assert_frame_equal(
            rows.reset_index(drop=True), estimate(part).parameters, rtol=1e-13
        )


def faults_of(**columns):
    with pytest.raises(InputDataError) as caught:
        estimate(make_course(2).assign(**columns))
    return caught.value.faults


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"DOSENO": 1.5}, "DOSENO is not a whole number"),
        ({"DOSENO": 0}, "DOSENO is not a whole number"),
        ({"TAU": 0.0}, "TAU is not above 0"),
        ({"DOSETIME": nan}, "DOSETIME is blank"),
        ({"DOSENO": [nan] + [1] * 7 + [2] * 5}, "DOSENO is blank in some rows"),
        ({"DOSETIME": range(13)}, "several dose times"),
        ({"TAU": range(1, 14)}, "several dosing intervals"),
        ({"CYCLE": range(13)}, "several cycles"),
    ],
)
def test_contradictory_doses_are_refused(columns, words):
    assert words in faults_of(**columns)[0]


def test_doses_in_the_wrong_order_and_samples_of_the_wrong_dose_are_refused():
    course = make_course(2)
    swapped = course["DOSENO"].map({1: 2, 2: 1})
    assert "do not rise with DOSENO" in faults_of(DOSENO=swapped)[0]
    number = course["DOSENO"].copy()
    number[course["TIME"] == TAU + 1] = 1
    time = course["DOSETIME"].where(number == 2, 0.0)
    faults = faults_of(DOSENO=number, DOSETIME=time)
    assert len(faults) == 1 and "after the next dose" in faults[0]
    number = course["DOSENO"].copy()
    number[0] = 2
    faults = faults_of(DOSENO=number, DOSETIME=course["DOSETIME"].where(number == 1, TAU))
    assert "before the previous dose" in faults[0]


def test_two_results_of_one_trough_must_agree():
    course = make_course(2, trough_of="both")
    twice = (course["TIME"] == TAU) & (course["DOSENO"] == 2)
    course.loc[twice, "CONC"] += 1
    with pytest.raises(InputDataError, match="given for several doses, differ"):
        estimate(course)


def test_faults_of_all_subjects_are_told_at_once():
    one, two = make_course(2), make_course(2).assign(USUBJID="S2")
    one["DOSETIME"], two["DOSENO"] = nan, 1
    with pytest.raises(InputDataError) as caught:
        estimate(pd.concat([one.assign(DOSETIME=range(13)), two], ignore_index=True))
    text = " ".join(caught.value.faults)
    assert "S1" in text and "S2" in text


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_of_a_course_has_no_influence(seed):
    course = make_course(3).sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(estimate(course).parameters, estimate(make_course(3)).parameters)


def test_a_later_start_of_the_course_changes_nothing():
    course = make_course(3)
    later = course.assign(TIME=course["TIME"] + 64, DOSETIME=course["DOSETIME"] + 64)
    pd.testing.assert_frame_equal(
        estimate(later).parameters, estimate(course).parameters, rtol=1e-12
    )


def test_a_delay_of_the_last_dose_with_its_samples_leaves_its_own_parameters():
    course = make_course(3)
    late = (course["DOSENO"] == 3) & (course["TIME"] > 2 * TAU)
    before = (course["DOSENO"] == 3) & ~late
    delayed = course.copy()
    delayed.loc[late, "TIME"] += 0.5
    delayed.loc[course["DOSENO"] == 3, "DOSETIME"] += 0.5
    delayed.loc[before, "TIME"] += 0.5
    ours, theirs = answers(delayed).loc[3], answers(course).loc[3]
    for code in ("CMAX", "TMAX", "AUCTAU", "PTF", "LAMZ", "AUCIFO"):
        assert ours.loc[code, "AVAL"] == pytest.approx(theirs.loc[code, "AVAL"], rel=1e-12)


def test_scaling_the_concentrations_leaves_ratios_and_scales_the_rest():
    plain = answers(make_course(3))["AVAL"]
    scaled = make_course(3)
    scaled["CONC"] *= 8
    found = answers(scaled)["AVAL"]
    for code, factor in (("AUCTAU", 8), ("CTROUGH", 8), ("PTF", 1), ("ARAUC", 1), ("ARCMAX", 1)):
        for dose in (1, 2, 3):
            if np.isfinite(plain[dose, code]):
                assert found[dose, code] == pytest.approx(factor * plain[dose, code], rel=1e-12)


def test_the_doubling_of_the_dose_is_seen_in_its_interval_only():
    course = make_course(3)
    assert (log(2) / RATE) == pytest.approx(answers(course).loc[(2, "LAMZHL"), "AVAL"])
    more = course.copy()
    more.loc[(more["DOSENO"] == 3) & (more["TIME"] > 2 * TAU), "CONC"] *= 2
    ours, theirs = answers(more)["AVAL"], answers(course)["AVAL"]
    assert ours[3, "CMAX"] == 2 * theirs[3, "CMAX"]
    assert ours[2, "AUCTAU"] == theirs[2, "AUCTAU"] < inf


def whole(samples, **values):
    values = {"peak_from": 0, "lambda_z": NO_GATES, **values}
    rules = CellularKineticsSettings.model_validate(values)
    return estimate_nca(samples, rules, course=True).as_text().parameters.set_index("PARAMCD")


def test_a_course_is_one_profile_on_the_clock_of_its_first_dose():
    found = whole(make_course(3))
    assert found["DOSENO"].unique().tolist() == [1]
    assert found.loc["TMAX", "AVAL"] == 2 * TAU + FIRST
    assert found.loc["CMAX", "AVAL"] == decline(FIRST, 3)
    assert found.loc["TLST", "AVAL"] == 3 * TAU
    assert found.loc["AUC28", "AVAL"] == answers(make_course(3)).loc[(1, "AUC28"), "AVAL"]
    given = found[found["REASND"] == ""]
    assert given["FLAG"].str.endswith("COURSE").all()


def test_the_terminal_phase_of_a_course_follows_its_last_dose():
    course = make_course(3)
    # The first dose gives the highest peak: the others lie in its fall.
    course.loc[course["TIME"] == FIRST, "CONC"] *= 50
    found = whole(course)
    assert found.loc["TMAX", "AVAL"] == FIRST
    assert found.loc["LAMZ", "AVAL"] == pytest.approx(RATE, rel=1e-12)
    assert found.loc["LAMZLL", "AVAL"] > 2 * TAU + FIRST
    assert found.loc["EXPRATE", "REASND"] == "SEVDOSES"
    limited = course.assign(LLOQ=1e-6)
    below = (limited["TIME"] > 2 * TAU + 3) | limited["TIME"].between(3, TAU)
    limited.loc[below, "CONC"], limited.loc[below, "BLQ"] = nan, 1
    assert whole(limited).loc["TBQL", "AVAL"] == 2 * TAU + 4


def test_a_course_without_a_result_after_its_last_dose_has_no_terminal_phase():
    course = make_course(2)
    late = (course["DOSENO"] == 2) & (course["TIME"] > TAU)
    course.loc[late, "CONC"] = nan
    found = whole(course)
    assert found.loc["LAMZ", "REASND"] == "NOLAMZ"
    assert found.loc["CMAX", "AVAL"] == decline(FIRST, 1)


def test_a_course_of_one_dose_is_its_profile():
    course = make_course(1, tau=nan)
    pd.testing.assert_frame_equal(
        whole(course).reset_index(),
        estimate(course).parameters[whole(course).reset_index().columns],
    )


def test_units_go_with_the_values_of_every_dose():
    course = make_course(2).assign(CONCU="copies/ug")
    course.loc[course["DOSENO"] == 2, "CONCU"] = ""
    found = answers(course)["AVALU"]
    for dose in (1, 2):
        assert found[dose, "AUCTAU"] == "d*copies/ug" and found[dose, "CTROUGH"] == "copies/ug"
        assert found[dose, "ARAUC"] == found[dose, "PTF"] == ""
    with pytest.raises(InputDataError, match="several concentration units"):
        estimate(course.assign(CONCU=np.where(course["DOSENO"] == 2, "cells/uL", "copies/ug")))


def test_two_equal_results_of_one_dose_are_an_error_in_a_course_too():
    samples = make_course(2, trough_of="both")
    settings = CellularKineticsSettings.model_validate({"peak_from": 0})
    assert len(estimate_nca(samples, settings, course=True).parameters)
    twice = pd.concat([samples, samples[samples["TIME"] == 2.0]], ignore_index=True)
    for course in (True, False):
        with pytest.raises(InputDataError, match="several results at time 2 "):
            estimate_nca(twice, settings, course=course)


def test_the_concentration_that_was_put_in_is_no_result_below_the_limit():
    samples = make_course(2)
    without = samples[samples["TIME"] > 0]
    assert answers(samples).loc[(1, "CMIN"), ["AVAL", "FLAG"]].tolist() == [0.0, "BLQ"]
    assert answers(without).loc[(1, "CMIN"), ["AVAL", "FLAG"]].tolist() == [0.0, "START0"]


def test_a_trough_below_the_limit_before_a_dose_is_zero_in_the_area_of_the_course():
    rows = [(1, 0.0, 0.0, nan, 1), (1, 0.0, 3.0, 900.0, 0), (1, 0.0, 6.0, 300.0, 0)]
    rows += [(1, 0.0, 13.9, nan, 1), (2, 14.0, 16.0, 600.0, 0), (2, 14.0, 21.0, 400.0, 0)]
    rows += [(2, 14.0, 24.0, nan, 1), (2, 14.0, 28.0, 200.0, 0)]
    frame = pd.DataFrame(rows, columns=["DOSENO", "DOSETIME", "TIME", "CONC", "BLQ"])
    samples = frame.assign(USUBJID="S1", ANALYTE="PCR", LLOQ=50.0)
    # To 0 at the trough, and from there up; within an interval a single one is left out.
    first = 3 * 450 + 3 * 600 / log(3) + 7.9 * 150
    second = 2.1 * 300 + 5 * 200 / log(1.5) + 7 * 200 / log(2)
    settings = CellularKineticsSettings.model_validate({"peak_from": 0})
    for course in (True, False):
        found = estimate_nca(samples, settings, course=course).as_text()
        area = found.parameters.set_index(["DOSENO", "PARAMCD"]).loc[(1, "AUC28"), "AVAL"]
        assert area == pytest.approx(first + second, rel=1e-12)
    whole = estimate_nca(samples, settings, course=True).as_text().dispositions
    kinds = whole.set_index("TIME")["DISPOS"]
    assert (kinds[13.9], kinds[24.0]) == ("EMBZERO", "EMBDROP")


@pytest.mark.parametrize(("second", "reason"), [(12.0, ""), (12.3, "TAUDIFF")])
def test_an_interval_is_compared_with_the_share_of_the_first_one(second, reason):
    # 12.3 differs from 10 by 23 % of 10, though by less than 20 % of itself.
    rows = [(1, 0.0, 0.0, nan, 1), (1, 0.0, 2.0, 900.0, 0), (1, 0.0, 10.0, 300.0, 0)]
    rows += [(2, 10.0, 12.0, 800.0, 0), (2, 10.0, 10 + second, 200.0, 0)]
    frame = pd.DataFrame(rows, columns=["DOSENO", "DOSETIME", "TIME", "CONC", "BLQ"])
    samples = frame.assign(USUBJID="S1", ANALYTE="PCR", LLOQ=50.0, TAU=second)
    samples.loc[samples["DOSENO"] == 1, "TAU"] = nan
    assert answers(samples).loc[(2, "ARAUC"), "REASND"] == reason

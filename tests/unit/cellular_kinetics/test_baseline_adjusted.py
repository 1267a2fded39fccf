"""Analytes without specific marker (R24): change from the level before the dose."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.trend_summaries import summarise_trend
from celldossier.cellular_kinetics.window_decisions import check_windows
from celldossier.errors import InputDataError
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

COURSE = ((-0.1, 10.0), (7, 30.0), (14, 20.0), (28, 6.0), (84, 10.0))
ABOVE, BELOW = 70 + 105 + 50, 8
"""Areas of the change to day 28: it falls from 10 to -4 over 14 days, and is 0 after 10 of them."""


def make_samples(points=COURSE, analyte="MSC", **columns):
    frame = pd.DataFrame(
        {
            "USUBJID": "S1",
            "ANALYTE": analyte,
            "TIME": [float(time) for time, _ in points],
            "CONC": [value if isinstance(value, float) else nan for _, value in points],
            "BLQ": [int(value == "BLQ") for _, value in points],
            "LLOQ": 1.0,
        }
    )
    return frame.assign(**columns)


def estimate(samples=None, **values):
    values = {"peak_from": 0, "no_specific_marker": ["MSC"], "partial_areas": [[0, 28]], **values}
    rules = CellularKineticsSettings.model_validate(values)
    return estimate_nca(make_samples() if samples is None else samples, rules).as_text()


def answers(*args, **values):
    return estimate(*args, **values).parameters.set_index("PARAMCD")


def test_peak_and_areas_are_those_of_the_change_from_baseline():
    found = answers()
    expected = {
        **{"BASE": 10, "CMAX": 20, "TMAX": 7, "RCMAX": 2},
        **{"AUC28AB": ABOVE, "AUC28BB": BELOW, "AUC28": ABOVE - BELOW},
    }
    for code, value in expected.items():
        assert found.loc[code, "AVAL"] == pytest.approx(value, rel=1e-12), code
        assert found.loc[code, "FLAG"] == ("" if code == "BASE" else "ADJ")


def test_time_to_loss_and_terminal_phase_are_not_given():
    result = estimate()
    found = result.parameters.set_index("PARAMCD")
    for code in ("TLST", "TBQL", "LAMZ", "LAMZHL", "LAMZRAW", "LAMZHLR", "AUCIFO", "EXPRATE"):
        assert found.loc[code, "REASND"] == "NOMARKER"
    assert result.lambda_z[["GATE", "REVFL"]].to_numpy().tolist() == [["NOMARKER", "N"]]
    assert result.lambda_z["LAMZ"].isna().all()
    assert result.persistence["STATUS"].tolist() == ["NOMARKER"]
    assert set(result.dispositions["LZFL"]) == {"N"}
    assert "PREDOSEQ" not in set(result.findings["CODE"])


@pytest.mark.parametrize("first", ["BLQ", None])
def test_without_a_quantifiable_baseline_there_is_no_change(first):
    points = COURSE[1:] if first is None else ((-0.1, first), *COURSE[1:])
    result = estimate(make_samples(points))
    found = result.parameters.set_index("PARAMCD")
    for code in ("BASE", "CMAX", "TMAX", "RCMAX", "AUC28", "AUC28AB", "AUC28BB"):
        assert found.loc[code, "REASND"] == "NOBASE"
    # R4 is off: nothing is put in.
    assert not result.dispositions["DISPOS"].isin(["START0", "STARTMIN"]).any()


def test_the_change_may_be_a_fall():
    found = answers(make_samples(((-0.1, 10.0), (7, 8.0), (14, 5.0), (28, 4.0))))
    assert found.loc["CMAX", "AVAL"] == -2.0 and found.loc["RCMAX", "AVAL"] == pytest.approx(-0.2)
    assert found.loc["AUC28AB", "AVAL"] == 0.0
    assert found.loc["AUC28", "AVAL"] == -found.loc["AUC28BB", "AVAL"] < 0


def test_a_result_below_the_limit_counts_as_0():
    found = answers(make_samples(((-0.1, 10.0), (14, 10.0), (28, "BLQ"), (42, "BLQ"))))
    assert found.loc["AUC28BB", "AVAL"] == pytest.approx(14 * 10 / 2)


def test_the_tail_is_held_within_the_window_and_else_empty():
    short = make_samples(((-0.1, 10.0), (14, 20.0), (26, 20.0)))
    found = answers(short)
    assert found.loc["AUC28", ["AVAL", "FLAG"]].tolist() == [70 + 120 + 20, "EXTWIN;ADJ"]
    assert answers(short, end_window=2).loc["AUC28", "AVAL"] == 210
    assert answers(short, end_window=1).loc["AUC28", "REASND"] == "UNCOVERD"
    dead = short.assign(CENSTIME=27.0)
    assert answers(dead).loc["AUC28", "REASND"] == "CENSORED"
    peak = answers(make_samples(((-0.1, 10.0), (14, 20.0), (26, 25.0))))
    assert peak.loc["CMAX", "FLAG"] == "PEAKLAST;ADJ"


def test_an_end_between_samples_is_interpolated():
    found = answers(partial_areas=[[0, 21]])
    # From 10 on day 14 to 3 on day 21, half way to -4.
    assert found.loc["AUC21AB", "AVAL"] == pytest.approx(70 + 105 + 7 * (10 + 3) / 2)


def test_other_analytes_of_the_study_keep_their_rules():
    both = pd.concat([make_samples(analyte="PCR"), make_samples()], ignore_index=True)
    result = estimate(both)
    ordinary = estimate(make_samples(analyte="PCR"), no_specific_marker=[])
    rows = result.parameters[result.parameters["ANALYTE"] == "PCR"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, ordinary.parameters)
    # The numbers of the data rows are those of the whole file.
    assert sorted(result.dispositions["ROW"]) == list(range(1, 11))
    adjusted = result.parameters[result.parameters["ANALYTE"] == "MSC"]
    pd.testing.assert_frame_equal(adjusted.reset_index(drop=True), estimate().parameters)


def test_faults_of_all_analytes_are_told_at_once():
    both = pd.concat([make_samples(analyte="PCR"), make_samples()], ignore_index=True)
    both.loc[[1, 6], "CONC"] = -1.0
    with pytest.raises(InputDataError) as caught:
        estimate(both)
    assert len(caught.value.faults) == 2
    assert "Data row 2" in caught.value.faults[0] and "Data row 7" in caught.value.faults[1]


def test_a_reviewed_window_is_refused():
    table = pd.DataFrame(
        [["W1", "S1", "MSC", "IN", "7; 14; 28", "r", "a", "2025-12-20"]],
        columns=["id", "subject", "analyte", "use", "points", "reason", "author", "date"],
    )
    rules = CellularKineticsSettings(no_specific_marker=("MSC",))
    with pytest.raises(InputDataError, match="no terminal phase"):
        estimate_nca(make_samples(), rules, windows=check_windows(table))


@pytest.mark.parametrize("factor", [0.25, 8.0])
def test_scaling_scales_changes_and_areas_and_leaves_relative_ones(factor):
    plain = answers()["AVAL"]
    scaled = answers(make_samples().assign(CONC=make_samples()["CONC"] * factor))["AVAL"]
    for code in ("CMAX", "AUC28", "AUC28AB", "AUC28BB", "BASE"):
        assert scaled[code] == pytest.approx(factor * plain[code], rel=1e-12)
    assert scaled["RCMAX"] == pytest.approx(plain["RCMAX"]) and scaled["TMAX"] == plain["TMAX"]


@pytest.mark.parametrize("seed", range(3))
def test_areas_above_less_areas_below_are_the_trapezoids_of_the_change(seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.choice(np.arange(1.0, 28.0), 6, replace=False))
    values = rng.uniform(2, 20, 8)
    points = [
        (0.0, 8.0),
        *zip(times, values[:6], strict=True),
        (28.0, values[6]),
        (50.0, values[7]),
    ]
    found = answers(make_samples([(t, float(c)) for t, c in points]))["AVAL"]
    change = np.array([c for _, c in points]) - 8.0
    area = np.trapezoid(change[:-1], [t for t, _ in points[:-1]])
    assert found["AUC28"] == pytest.approx(area, rel=1e-12, abs=1e-9)
    assert found["AUC28AB"] >= 0 and found["AUC28BB"] >= 0
    fine = np.linspace(0, 28, 280_001)
    curve = np.interp(fine, [t for t, _ in points], change)
    assert found["AUC28AB"] == pytest.approx(np.trapezoid(np.maximum(curve, 0), fine), rel=1e-5)


def test_the_areas_of_the_first_of_several_doses_run_over_the_course():
    first = make_samples([(0, 10.0), (2, 30.0), (26, 14.0)], DOSENO=1, DOSETIME=0.0)
    second = make_samples([(27, 50.0), (29, 90.0), (60, 5.0)], DOSENO=2, DOSETIME=26.5)
    samples = pd.concat([first, second], ignore_index=True)
    by_dose = estimate(samples).parameters.set_index(["DOSENO", "PARAMCD"])
    # Changes of 0, 20, 4, 40 and, on day 28, 60.
    area = 20 + 24 * 12 + 22 + 50
    for code, value in (("AUC28", area), ("AUC28AB", area), ("AUC28BB", 0.0)):
        assert by_dose.loc[(1, code), "AVAL"] == pytest.approx(value, rel=1e-12)
        assert by_dose.loc[(1, code), "FLAG"] == "ADJ;COURSE"
        assert by_dose.loc[(2, code), "REASND"] == "NOBASE"
    assert by_dose.loc[(1, "CMAX"), "AVAL"] == 20


def test_faults_of_analytes_with_and_without_a_marker_are_told_together():
    twice = [(0, 10.0), (7, 30.0), (7, 31.0), (14, 20.0)]
    samples = pd.concat([make_samples(twice), make_samples(twice, "PCR")], ignore_index=True)
    with pytest.raises(InputDataError) as error:
        estimate(samples)
    assert len(error.value.faults) == 2
    assert {fault.split(":")[0] for fault in error.value.faults} == {"S1, PCR", "S1, MSC"}


@pytest.mark.parametrize(("below", "given"), [(3, True), (4, False)])
def test_the_trend_has_a_geometric_mean_where_at_least_half_are_quantifiable(below, given):
    rows = [
        {"USUBJID": f"S{number}", "BASE": 4.0, "BLQFL": "Y" if number < below else "N"}
        for number in range(6)
    ]
    frame = pd.DataFrame(rows).assign(PARAMCD="MSC", NRRLT=28.0, AVALU="cells/uL")
    value = pd.Series(8.0, index=frame.index).where(frame["BLQFL"] == "N", 0.0)
    frame = frame.assign(CHG=value - frame["BASE"], RCHG=value / frame["BASE"] - 1)
    levels = pd.DataFrame({"dose": "DL1"}, index=frame["USUBJID"])
    found = AnalysisResults([summarise_trend(frame, levels)])
    place = ("cellular_kinetics.trend", "FOLD", "MSC", {"visit": "28"})
    assert found.find(*place, "n_blq").number == below
    geomean = found.find(*place, "geomean")
    assert geomean.note_code == ("" if given else "BLQHALF")
    # Of the quantifiable ones, twice the baseline.
    assert given == (geomean.number == pytest.approx(2.0))

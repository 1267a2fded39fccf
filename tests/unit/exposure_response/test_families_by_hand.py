"""Parts of the families of models, on a few rows and against values by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from celldossier.exposure_response import (
    biomarkers,
    dose_response,
    emax,
    hazard,
    repeated_markers,
    rescue_medication,
    rescue_weighting,
)
from celldossier.exposure_response.covariate_design import Term
from celldossier.exposure_response.covariate_exposure import _bootstrap_of, _complete_case
from celldossier.exposure_response.covariate_outcome_fits import refuse_outcome
from celldossier.exposure_response.covariate_outcomes import _add_model
from celldossier.exposure_response.covariate_product import _estimate_attribute
from celldossier.exposure_response.evaluation import _add as add_evaluation
from celldossier.exposure_response.groups import _add_ratio as add_event_ratio
from celldossier.exposure_response.observed import BIN_LETTER, _observed
from celldossier.exposure_response.plan import PlanCell, Selection
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.confounding import RescueMedication
from celldossier.settings.covariates import Covariate
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.linear_model import BootstrapIntervals, estimate_linear

NAN = math.nan
MARKER = EndpointRule.model_construct(
    code="IL6PEAK", kind="continuous", marker="IL6", statistic="PEAK", until=28.0
)
AGE = Covariate(variable="AGE", kind="continuous")
SEX = Covariate(variable="SEX", kind="categorical")


def settings(**values: object) -> ExposureResponseSettings:
    return ExposureResponseSettings.model_validate(values)


def keys(*names: str) -> dict[str, object]:
    return {"STUDYID": "S", "USUBJID": list(names)}


def selection(exposure: list[float], event: list[float], **columns: object) -> Selection:
    design = pd.DataFrame(columns, index=range(len(exposure)), dtype=float)
    return Selection(np.array(event, float), np.array(exposure, float), design, {})


def test_a_marker_is_refused_where_it_has_no_logarithm_or_too_many_values_below() -> None:
    rules = settings(biomarkers={"min_subjects": 4, "max_blq_share": 0.5}, max_correlation=0.9)
    refuse, four = biomarkers._refuse, [1, 2, 3, 4]
    assert refuse(selection(four, four), 0.5, rules) == ""
    assert refuse(selection(four[1:], four[1:]), 0.0, rules) == "FEWSUBJ"
    assert refuse(selection(four, four), 0.51, rules) == "BLQSHARE"
    assert refuse(selection(four, [0, 2, 3, 4]), 0.0, rules) == "NOLOG"
    assert refuse(selection([2] * 4, four), 0.0, rules) == "CONSTANT"
    assert refuse(selection(four, four, AGE=four[::-1]), 0.0, rules) == "COLLIN"


def test_the_band_of_a_line_is_that_of_simple_regression() -> None:
    x, y = np.array([1.0, 2, 3, 4, 6]), np.array([1.0, 3, 2, 5, 6])
    fit = estimate_linear(y, [x[:, None]], ["x"], 0.9)
    values = pd.DataFrame({"AVALU": ["pg/mL"]})
    study = Given(
        settings=settings(confidence_level=0.9), units={"CMAX": "copies/ug"},
        values=lambda endpoint: values,
    )  # fmt: skip
    cell = PlanCell(MARKER, "CMAX", "LINEAR", "UNADJUSTED", "PRIMARY", "SECONDARY")
    rows = biomarkers._curve(study, cell, selection(list(x), list(np.exp(y))), fit)
    line = stats.linregress(x, y)
    rest = y - line.intercept - line.slope * x
    width = stats.t.ppf(0.95, 3) * math.sqrt(rest @ rest / 3)
    for row, at in ((rows[0], 1.0), (rows[-1], 6.0)):
        centre = line.intercept + line.slope * at
        half = width * math.sqrt(1 / 5 + (at - 3.2) ** 2 / ((x - 3.2) ** 2).sum())
        assert (row["x"], row["y"]) == pytest.approx((at, math.exp(centre)))
        assert row["low"] == pytest.approx(math.exp(centre - half))
        assert row["high"] == pytest.approx(math.exp(centre + half))
    assert (rows[0]["x_unit"], rows[0]["y_unit"]) == ("log2(copies/ug)", "pg/mL")


def test_the_model_of_two_is_supported_whose_criterion_is_lower_by_enough() -> None:
    def judge(aicc: float, linear: float) -> object:
        model = Given(
            e0=1.0, emax=2.0, ec50=3.0, ec50_low=NAN, ec50_high=9.0, hill=1.0, aicc=aicc,
            aicc_linear=linear,
        )  # fmt: skip
        found, notes = emax._statistics(model, "", settings(emax={"min_difference": 2.0}))
        assert set(notes) == {"ec50_low"} and found["aicc_difference"] == aicc - linear
        return found["supported"]

    assert judge(10.0, 12.0) == "EMAX" and judge(12.0, 10.0) == "LOG_LINEAR"
    assert judge(10.0, 11.9) == judge(11.9, 10.0) == "NEITHER"
    none, notes = emax._statistics(None, "NOLOG", settings())
    assert none["supported"] == "NONE" and set(notes.values()) == {"NOLOG"}


def test_a_value_meets_the_nearest_concentration_of_its_subject_within_the_window() -> None:
    adpc = pd.DataFrame(
        {
            **keys("A", "A", "A", "B", "A", "A"), "PARAMCD": "PCR",
            "ANL01FL": ["Y", "Y", "Y", "Y", "", "Y"],
            "AFRLT": [1.0, 5.0, 9.0, 3.0, 3.0, 0.0],
            "AVAL": [10.0, NAN, NAN, 70.0, 99.0, 99.0],
            "BLQFL": ["N", "Y", "N", "N", "N", "N"], "ALLOQ": 4.0,
        }
    )  # fmt: skip
    study = Given(
        settings=settings(analyte="PCR", biomarkers={"concurrent_window": 1.0}),
        sources=Given(adpc=adpc),
    )
    rows = pd.DataFrame({"SUBJECT": [1, 0, 0, 0], "AFRLT": [3.5, 5.9, 2.0, 7.0]})
    found = repeated_markers._concurrent(study, pd.DataFrame(keys("A", "B")), rows)
    assert found[:3].tolist() == [70.0, 2.0, 10.0] and math.isnan(found[3])
    # A sample at the infusion is none of the cells that it brought.
    early = pd.DataFrame({"SUBJECT": [0], "AFRLT": [0.4]})
    assert repeated_markers._concurrent(study, pd.DataFrame(keys("A", "B")), early)[0] == 10.0


def test_days_at_risk_end_with_the_first_onset_which_counts_if_it_reached_the_grade() -> None:
    names = ["A", "B", "C", "D", "E", "F"]
    ader = pd.DataFrame({**keys(*names), "ERFL": ["Y"] * 5 + ["N"]})
    values = pd.DataFrame(
        {
            "AVAL": [1.0, 0.0, 0.0, 1.0, NAN, 1.0],
            "ONSETDY": [2.0, 2.5, NAN, NAN, NAN, 1.0],
        }
    )
    adpc = pd.DataFrame(
        {
            **keys("A", "B", "C"), "PARAMCD": "PCR", "ANL01FL": "Y", "AFRLT": 0.5,
            "AVAL": [8.0, 4.0, NAN], "BLQFL": ["N", "N", "Y"], "ALLOQ": 4.0,
        }
    )  # fmt: skip
    adsl = pd.DataFrame({**keys(*names), "FUDUR": 30.0})
    study = Given(
        ader=ader,
        settings=settings(analyte="PCR", hazard={"window": 4.0, "max_sample_age": 30.0}),
        values=lambda endpoint: values,
        sources=Given(adpc=adpc, adsl=adsl),
    )
    found = hazard.select_days(study, MARKER, "UNADJUSTED")
    assert found.counts["n_er"] == 5 and found.counts["n_nooutcome"] == 1
    assert found.counts["n_onset"] == 1 and found.counts["n_nocovariate"] == 0
    assert (found.counts["n"], found.counts["events"]) == (3.0, found.event.sum())
    # Of A the day of the onset; B began without reaching the grade; C never began.
    assert found.event.sum() == 1.0 and found.exposure[found.event == 1].tolist() == [3.0]
    assert set(found.exposure) == {3.0, 2.0, 1.0} and found.reason == ""
    assert found.covariates.shape == (found.event.size, 0)
    # Two days of A, three of B and four of C are at risk; before the first there is no sample.
    assert (found.counts["days"], found.counts["days_noexposure"]) == (6.0, 3.0)


def test_an_outcome_carries_a_model_by_its_events_or_the_rarer_of_both_sides() -> None:
    rules = settings(min_events=2, min_events_per_parameter=2)

    def refuse(n: int, events: int, slopes: int, timed: bool = False) -> str:
        used = Given(rows=range(n), events=events, time=[1.0] if timed else None)
        return refuse_outcome(used, slopes, rules)

    assert [refuse(0, 0, 1), refuse(9, 0, 1), refuse(9, 9, 1)] == ["NOSUBJ", "NOEVENT", "ALLEVENT"]
    assert refuse(9, 9, 1, timed=True) == ""
    assert [refuse(9, 8, 1), refuse(9, 7, 1)] == ["FEWEVENT", ""]
    assert [refuse(9, 6, 2), refuse(9, 5, 2), refuse(9, 6, 2, timed=True)] == ["EPPLOW", "", ""]


def test_limits_of_the_bootstrap_are_those_of_the_step_unless_there_are_none() -> None:
    term = Term("AGE", "P90_VS_P10", 2.0, {}, 9, 9)
    found = BootstrapIntervals(10, 10, (9.0, -0.5), (9.0, 0.25))
    limits = _bootstrap_of(found, term, 1, True)
    assert limits == pytest.approx({"boot_low": math.exp(-1), "boot_high": math.exp(0.5)})
    for bootstrap, reported in (
        (found, False),
        (BootstrapIntervals(10, 2, (0.0, 0.0), (0.0, 0.0), "NOCONV"), True),
    ):
        none = _bootstrap_of(bootstrap, term, 1, reported)
        assert all(math.isnan(value) for value in none.values())


def test_the_complete_cases_stand_alone_where_something_is_missing() -> None:
    y, x = np.array([1.0, 3, 2, 9, 5]), np.array([[1.0], [2], [3], [4], [9]])
    complete = np.array([True, True, True, True, False])

    def estimate(incomplete: int) -> float:
        design = Given(
            matrices=(x,), names=["x"], incomplete=incomplete, complete=complete, terms=(1,)
        )
        found = _complete_case(y, design, 0.9)[0]
        assert found is not None
        return found.estimate

    assert estimate(1) == pytest.approx(stats.linregress(x[:4, 0], y[:4]).slope)
    design = Given(matrices=(x[:1],), names=["x"], incomplete=0, terms=(1, 2))
    assert _complete_case(y[:1], design, 0.9) == [None, None]
    assert estimate(0) == pytest.approx(stats.linregress(x[:, 0], y).slope)


def test_an_attribute_of_the_product_has_a_slope_beside_what_varies_among_the_known() -> None:
    n = 12
    rows = pd.DataFrame(
        {
            "TCMPCT": [*np.arange(1.0, n), NAN],
            "AGE": np.tile([20.0, 40.0, 30.0], 4),
            "SEX": "F",
        }
    )
    exposure = 0.5 * rows["TCMPCT"].fillna(0).to_numpy() - 0.25 * rows["AGE"].to_numpy()
    item = Covariate(variable="TCMPCT", kind="continuous")

    def estimate(least: float, *others: Covariate):
        rules = settings(covariate_models={"min_subjects_per_parameter": least})
        return _estimate_attribute(rows, exposure, item, others, {"SEX": "F"}, rules)

    slope, sd, count, used, reason = estimate(5, AGE)
    assert slope.estimate == pytest.approx(0.5) and (count, used, reason) == (11, "AGE", "")
    # The standard deviation of 1 to 11.
    assert sd == pytest.approx(math.sqrt(11))
    assert estimate(5.5, AGE)[2:] == (11, "AGE", "") and estimate(6, AGE)[4] == "SPPLOW"
    assert estimate(11)[4] == "" and estimate(12)[4] == "FEWSUBJ"
    assert estimate(5, SEX)[2:] == (11, "", "NOCOVAR")
    rows["TCMPCT"] = 4.0
    assert estimate(5, AGE)[2:] == (0, "AGE", "CONSTANT")


def rescue_population() -> pd.DataFrame:
    """Eight subjects with CRS, by grade: 1, 1, 1, 2, 2, 2, 2, 3."""
    return pd.DataFrame(
        {
            **keys(*"ABCDEFGH"),
            "CRSGR": [1.0, 1, 1, 2, 2, 2, 2, 3],
            "TOCIFL": ["N", "Y", "N", "Y", "N", "Y", "N", "Y"],
            "CMAX": [1.0, 2, 4, 8, 16, 32, 64, 128],
            "CRSONDY": [1.0, 2, 3, 4, 5, 6, 7, NAN],
            "AGE": [20.0, 30, 40, 50, 60, 70, 25, 35],
        }
    )


def prepare(population: pd.DataFrame, scope: str, **rules: object):
    study = Given(settings=settings(confounding=rules, min_events_per_parameter=1))
    item = RescueMedication(medication="TOCILIZUMAB", covariates=("AGE",))
    return rescue_weighting._prepare(study, population, item, "CMAX", scope)


def test_grades_without_treated_or_untreated_leave_no_weights_and_the_others_overlap() -> None:
    population = rescue_population()
    whole, strata, counts = prepare(population, rescue_weighting.ALL_CRS, min_per_stratum=1)
    assert whole.reason == "POSITIV" and strata["given"].tolist() == [1, 2, 1]
    assert strata["without"].tolist() == [2, 2, 0]
    assert counts == {
        "n_crs": 8, "n_unknown_treatment": 0, "n_noexposure": 0, "n_nocovariate": 0, "n_grade": 0,
    }  # fmt: skip
    overlap, _, left = prepare(population, rescue_weighting.OVERLAP, min_per_stratum=1)
    assert (overlap.reason, len(overlap.rows), left["n_grade"]) == ("", 7, 1)
    assert overlap.treated.tolist() == [0, 1, 0, 1, 0, 1, 0] and overlap.design.shape == (7, 2)
    two, _, left = prepare(population, rescue_weighting.OVERLAP, min_per_stratum=2)
    assert (len(two.rows), left["n_grade"]) == (4, 4) and two.design.shape == (4, 1)
    both = population.iloc[:7]
    whole, _, _ = prepare(both, rescue_weighting.OVERLAP, min_per_stratum=1)
    assert whole.reason == "ALLOVERL"
    assert prepare(both, rescue_weighting.ALL_CRS, min_per_stratum=1)[0].reason == ""
    none, _, _ = prepare(both.assign(TOCIFL=""), rescue_weighting.ALL_CRS)
    assert none.reason == "NOTCOLL"
    same, _, _ = prepare(both.assign(TOCIFL="N"), rescue_weighting.ALL_CRS)
    assert same.reason == "FEWSUBJ"
    gaps = both.assign(CMAX=[0.0, NAN, *both["CMAX"][2:]], TOCIFL=["N"] * 2 + [""] + ["Y"] * 4)
    counts = prepare(gaps, rescue_weighting.ALL_CRS)[2]
    assert (counts["n_unknown_treatment"], counts["n_noexposure"]) == (1, 2)


def test_the_first_dose_is_timed_from_the_onset_and_to_the_peak(monkeypatch) -> None:
    population = rescue_population()
    doses = pd.Series([NAN, 3.0, NAN, 4.0, NAN, 5.0, NAN, 9.0])
    peaks = pd.Series([9.0, 9.0, 9.0, 4.0, 9.0, 4.0, 9.0, NAN])
    monkeypatch.setattr(rescue_medication, "read_first_doses", lambda study, name: doses)
    monkeypatch.setattr(rescue_medication, "read_peak_times", lambda study: peaks)
    study = Given(settings=settings(analyte="PCR"))

    def find(rows: pd.DataFrame, event: str, stat: str):
        out = ResultCollector("exposure_response")
        rescue_medication._add_course(study, rows, "TOCIFL", "TOCILIZUMAB", out)
        results = AnalysisResults([out.frame()])
        name = "exposure_response.rescue_course"
        return results.find(name, "TOCILIZUMAB", "PCR", {"event": event}, stat)

    # From the onset: 3 - 2, 4 - 4, 5 - 6; to the peak: 9 - 3, 4 - 4, 4 - 5.
    for event in ("FROM_ONSET", "TO_PEAK"):
        found = [
            find(population, event, stat).number
            for stat in ("n_given", "n_unknown", "n_after", "n_not_after")
        ]
        assert found == [4, 1, 1, 2]
    middle = find(population, "FROM_ONSET", "median")
    assert (middle.number, middle.unit) == (0.0, "d")
    assert find(population, "TO_PEAK", "median").number == 0.0
    one = population.iloc[[1]]
    assert find(one, "TO_PEAK", "median").number == 6.0
    assert find(population.iloc[[0]], "TO_PEAK", "median").note_code == "NOGROUP"
    assert find(population.assign(TOCIFL=""), "TO_PEAK", "median").note_code == "NOTCOLL"


def test_a_full_model_says_how_many_events_each_of_its_slopes_has() -> None:
    def find(stat: str, *levels: str, reason: str = "", time: object = None):
        out = ResultCollector("exposure_response")
        outcome = Given(rows=range(20), events=14, time=time, endpoint=MARKER, reason="NOTCOLL")
        found = [Given(term=Given(level=level), reason=reason, method="ML") for level in levels]
        design = Given(incomplete=3, imputations=5)
        _add_model(outcome, "FULL_EXPOSURE", found, design, settings(analyte="PCR"), out)
        results = AnalysisResults([out.frame()])
        name = "exposure_response.covariate_outcome_model"
        return results.find(name, "IL6PEAK", "PCR", {"model": "FULL_EXPOSURE"}, stat)

    # Two terms and the exposure; a covariate that was left out has no slope.
    levels = ("P90_VS_P10", "M", "NONE")
    assert find("parameters", *levels).number == 3
    assert find("events_per_parameter", *levels).number == 2
    assert find("events_per_parameter", *levels, time=[1]).number == pytest.approx(14 / 3)
    assert find("verdict", *levels).text == "IN_MODEL"
    assert find("verdict", *levels, reason="FEWLEVEL").text == "IN_MODEL"
    assert find("verdict", *levels, reason="EPPLOW").text == "REFUSED"
    assert find("verdict", "NONE").text == "REFUSED"
    assert (find("n_incomplete", "M").number, find("imputations", "M").number) == (3, 5)


def test_exposure_with_and_without_the_event_is_compared_by_its_geometric_means() -> None:
    def find(stat: str, *groups: list[float]):
        out = ResultCollector("exposure_response")
        arrays = [np.array(values) for values in groups]
        add_event_ratio(arrays, MARKER, "CMAX", "EXCLUDED", settings(analyte="PCR"), out)
        by = {"endpoint": "IL6PEAK", "population": "EXCLUDED"}
        results = AnalysisResults([out.frame()])
        return results.find("exposure_response.ratio_by_response", "CMAX", "PCR", by, stat)

    both = ([4.0, 16.0], [1.0, 2.0, 4.0])
    assert find("gmr", *both).number == pytest.approx(4) and find("gmr", *both).note_code == ""
    assert find("gmr_low", *both).number < 4 < find("gmr_high", *both).number
    assert (find("n_event", *both).number, find("n_noevent", *both).number) == (2, 3)
    none = find("gmr", [], [1.0, 2.0])
    assert math.isnan(none.number) and none.note_code == "FEWSUBJ"


def test_an_evaluation_names_its_subjects_and_has_shares_in_percent() -> None:
    out = ResultCollector("exposure_response")
    cell = PlanCell(MARKER, "CMAX", "LOGISTIC", "UNADJUSTED", "PRIMARY", "PRIMARY")
    result = Given(cell=cell, selection=selection([1, 2, 3], [0, 1, 0]), fit=None)
    study = Given(settings=settings(analyte="PCR"))
    add_evaluation(study, result, "calibration", {"pct": 50.0, "auc": 0.5}, {}, out)
    frame = out.frame()
    texts = frame.astype(str).agg(" ".join, axis=1)
    assert texts.str.contains("ERFL = Y", regex=False).all()
    results = AnalysisResults([frame])
    by = {"metric": "CMAX", "adjustment": "UNADJUSTED", "population": "PRIMARY"}
    found = [
        results.find("exposure_response.calibration", "IL6PEAK", "PCR", by, stat)
        for stat in ("pct", "auc")
    ]
    assert [one.unit for one in found] == ["%", ""] and [one.number for one in found] == [50, 0.5]


def test_daily_hazards_are_planned_for_events_with_an_onset_where_they_are_run() -> None:
    dated = EndpointRule.model_construct(code="CRSGE2", kind="binary", onset="CRSONDY")
    undated = EndpointRule.model_construct(code="OBJRESP", kind="binary", onset="")
    for run, codes in ((True, ["CRSGE2", "CRSGE2"]), (False, [])):
        rules = settings(adjustments=["UNADJUSTED", "TUMOUR_BURDEN"], hazard={"run": run})
        study = Given(settings=rules, of_kind=lambda kind: [dated, undated])
        cells = hazard.plan_cells(study)
        assert [cell.endpoint.code for cell in cells] == codes
        assert {cell.role for cell in cells} <= {"SENSITIVITY"}


def test_observed_rates_are_those_of_the_groups_with_their_exact_limits() -> None:
    chosen = selection([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 1, 1])
    cell = PlanCell(MARKER, "CMAX", "LOGISTIC", "UNADJUSTED", "PRIMARY", "PRIMARY")
    fitted = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    out = ResultCollector("exposure_response")
    rules = settings(analyte="PCR", bins=2, min_per_bin=3, confidence_level=0.95)
    result = Given(selection=chosen, cell=cell, fit=Given(fitted=fitted), reason="")
    rows = _observed(result, rules, out)
    assert [(row["x"], row["y"], row["n"]) for row in rows] == [(2, 1 / 3, 3), (5, 1.0, 3)]
    frame = out.frame()
    results = AnalysisResults([frame])

    def find(stat: str, place: str) -> float:
        by = {"metric": "CMAX", "bin": place}
        return results.find("exposure_response.quartiles", "IL6PEAK", "PCR", by, stat).number

    places = [f"{BIN_LETTER[2]}1", f"{BIN_LETTER[2]}2"]
    assert [find("pct", one) for one in places] == pytest.approx([100 / 3, 100])
    # Three of three: the lower limit is the cube root of 2.5 %.
    assert find("ci_low", places[1]) == pytest.approx(100 * 0.025 ** (1 / 3))
    assert (rows[1]["low"], find("ci_high", places[1])) == (pytest.approx(0.025 ** (1 / 3)), 100)
    assert [find("pct_predicted", one) for one in places] == pytest.approx([20, 80])
    assert [find("exposure_min", one) for one in places] == [2, 16]
    assert [find("exposure_max", one) for one in places] == [8, 64]
    assert [find("events", one) for one in places] == [1, 3]
    texts = frame.astype(str).agg(" ".join, axis=1)
    assert texts.str.contains("Clopper-Pearson", regex=False).sum() == 16


def test_an_emax_model_is_refused_by_events_subjects_and_values_without_logarithm(
    monkeypatch,
) -> None:
    binary = EndpointRule.model_construct(code="CRSGE2", kind="binary")

    def refuse(endpoint: EndpointRule, model: str, event: list[float]) -> str:
        chosen = selection(list(range(len(event))), event)
        monkeypatch.setattr(emax, "select_subjects", lambda study, cell: chosen)
        monkeypatch.setattr(
            emax,
            "estimate_emax",
            lambda *given, **named: Given(
                reason="", e0=0, emax=1, ec50=2, ec50_low=1, ec50_high=3, hill=1, aicc=1,
                aicc_linear=2,
            ),
        )  # fmt: skip
        rules = settings(analyte="PCR", min_events_per_parameter=2, biomarkers={"min_subjects": 5})
        cell = PlanCell(endpoint, "CMAX", model, "UNADJUSTED", "PRIMARY", "SECONDARY")
        out = ResultCollector("exposure_response")
        outcome = emax._run_cell(Given(settings=rules, units={}), cell, out)
        assert (outcome.method == "NONE") == bool(outcome.reason)
        return outcome.reason

    assert refuse(MARKER, "HYPERBOLIC", [1, 2, 3, 4]) == "FEWSUBJ"
    assert refuse(MARKER, "HYPERBOLIC", [1, 2, 3, 4, 5]) == ""
    assert refuse(MARKER, "HYPERBOLIC", [1, 2, 3, 4, 0]) == "NOLOG"
    # Two events a parameter: of two parameters four, of three six.
    assert refuse(binary, "HYPERBOLIC", [1] * 4 + [0] * 4) == ""
    assert refuse(binary, "HYPERBOLIC", [1] * 3 + [0] * 9) == "EPPLOW"
    assert refuse(binary, "HYPERBOLIC", [1] * 9 + [0] * 3) == "EPPLOW"
    assert refuse(binary, "SIGMOID", [1] * 5 + [0] * 9) == "EPPLOW"
    assert refuse(binary, "SIGMOID", [1] * 6 + [0] * 9) == ""


def test_a_hazard_of_dose_beside_exposure_is_refused_where_both_say_the_same() -> None:
    exposure = [1.0, 2, 3, 4, 5, 6]

    def refuse(event: list[float], *other: float) -> str:
        covariates = {"CMAX": list(other)} if other else {}
        chosen = selection(exposure, event, **covariates)
        data = Given(chosen=chosen, stop=np.arange(3.0, 9.0), start=np.zeros(6))
        rules = settings(min_events=2, min_events_per_parameter=1, max_correlation=0.9)
        return dose_response._fit_cox(Given(settings=rules), data).reason

    events = [1, 0, 1, 1, 0, 1]
    assert refuse(events, 1, 2, 3, 4, 5, 6.5) == "COLLIN"
    assert refuse(events, 2, 1, 4, 1, 3, 2) == ""
    assert refuse([0] * 6, 2, 1, 4, 1, 3, 2) == refuse([0] * 6) == "NOEVENT"
    assert refuse([1, 0, 0, 0, 0, 0]) == "FEWEVENT"

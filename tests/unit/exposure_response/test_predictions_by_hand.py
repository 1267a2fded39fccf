"""Predictions, doses, endpoints and exposure over time against what follows from a few rows."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study_by_hand import LENIENT, NAN, keys, make_study, numbers, read, rule, settings, two_by_two

from celldossier.errors import ConfigError
from celldossier.exposure_response import (
    binary,
    dose_exposure,
    evaluation,
    exposure_over_time,
    repeated_markers,
)
from celldossier.exposure_response.dose_metrics import COUNTED, SHARES, derive_dose_metrics
from celldossier.exposure_response.endpoint_values import (
    UNKNOWN_RESPONSE,
    derive_endpoints,
)
from celldossier.exposure_response.plan import BLQ_HALF, PRIMARY, PlanCell, select_subjects
from celldossier.exposure_response.predictions import _Predictor
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_rows import select_rows
from celldossier.results import ResultCollector

CRS = rule("CRSGE2", "binary", family="SAFETY", unknown_response=False, onset="", variable="")
PFS = rule("PFS", "time_to_event", time="PFS", family="EFFICACY")
PLAIN = {
    **LENIENT, "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"], "max_correlation": 1,
    "primary_adjustment": "UNADJUSTED", "all_blq_sensitivity": False,
}  # fmt: skip


def predict(**more: object) -> tuple[dict[str, pd.Series], list[dict]]:
    exposure, event = two_by_two((2, 8), (6, 4))
    predictions = {
        "quantiles": [0.25, 0.75], "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"],
        "exposures": [{"metric": "CMAX", "value": 3.0, "unit": "copies/ug"}],
        **more.pop("predictions", {}),
    }  # fmt: skip
    rules = settings(**{**PLAIN, "predictions": predictions, "confidence_level": 0.9, **more})
    study = make_study(
        {"CMAX": exposure}, event, CRS, rules, columns={"TRT01A": ["DL1"] * 19 + ["DL2"]},
        units={"CMAX": "copies/ug"},
    )  # fmt: skip
    out = ResultCollector("exposure_response")
    curves = binary.run_cells(study, binary.plan_cells(study), out).curves
    return read(out), list(curves)


def test_a_probability_is_the_share_of_its_group_with_walds_limits_on_the_logit() -> None:
    rows, curves = predict()
    place = "predicted_probability/CRSGE2/PCR/adjustment=UNADJUSTED/at={}/metric=CMAX"
    z = stats.norm.ppf(0.95)
    for at, having, without in (("P25", 2, 8), ("P75", 6, 4)):
        one = place.format(at)
        half = z * math.sqrt(1 / having + 1 / without)
        logit = math.log(having / without)
        wanted = [100 / (1 + math.exp(-v)) for v in (logit, logit - half, logit + half)]
        assert numbers(rows, one, "pct", "ci_low", "ci_high") == pytest.approx(wanted, rel=1e-5)
        assert numbers(rows, one, "n", "events", "n_exposure") == [20, 8, 20]
    assert numbers(rows, one, "exposure") == pytest.approx([2])
    units = [rows[f"{one}/{name}"]["unit"] for name in ("pct", "n", "events", "n_exposure")]
    assert units == ["%", "", "", ""] and rows[f"{one}/exposure"]["unit"] == "copies/ug"
    line = rows[f"{one}/pct"]
    assert (line["filter"], line["n"]) == ("ERFL = Y", 20)
    assert line["method"] == "logistic, ML; delta method on the logit"
    outside = rows[place.format("VALUE.3") + "/pct"]
    assert (outside["note_code"], outside["method"]) == ("EXPRANGE", "")
    assert numbers(rows, place.format("VALUE.3"), "exposure", "n_exposure") == [3, 0]
    dose = "exposure_by_dose/CMAX/PCR/dose=DL1"
    assert numbers(rows, dose, "n", "mean", "max") == pytest.approx([19, 28 / 19, 2])
    units = [rows[f"{dose}/{name}"]["unit"] for name in ("mean", "n", "gcv")]
    assert units == ["copies/ug", "", "%"]
    assert rows["exposure_by_dose/CMAX/PCR/dose=DL2/gcv"]["note_code"] == "FEWVAL"
    line = [row for row in curves if row["curve_id"] == "exposure_response.benefit_risk/CMAX"]
    assert (line[0]["x"], line[-1]["x"]) == (0, 1)
    assert (line[0]["y"], line[-1]["y"]) == (pytest.approx(0.2), pytest.approx(0.6))
    assert line[-1]["low"] == pytest.approx(wanted[1] / 100, rel=1e-5)
    assert (line[0]["x_unit"], line[0]["n"], line[0]["series"]) == ("log2(copies/ug)", 20, "CRSGE2")
    fit = [
        row for row in curves
        if row["curve_id"] == "exposure_response.probability/CRSGE2/CMAX" and row["series"] == "fit"
    ]  # fmt: skip
    assert (fit[0]["x"], fit[-1]["x"]) == (0, 1)
    assert fit[-1]["y"] == pytest.approx(0.6) and fit[-1]["high"] == pytest.approx(wanted[2] / 100)


def test_a_model_that_was_refused_predicts_nothing() -> None:
    rows, curves = predict(min_events=9)
    place = "predicted_probability/CRSGE2/PCR/adjustment=UNADJUSTED/at=P25/metric=CMAX"
    notes = {rows[f"{place}/{name}"]["note_code"] for name in ("pct", "ci_low", "ci_high")}
    assert notes == {"FEWEVENT"} and rows[f"{place}/pct"]["method"] == ""
    assert not [row for row in curves if "benefit_risk" in str(row["curve_id"])]
    # Levels of a dose with fewer subjects than asked for have no exposure to predict at.
    rows, _ = predict(predictions={"dose_levels": True}, min_per_level=2)
    few = place.replace("P25", "DOSE.DL2")
    assert rows[f"{few}/exposure"]["note_code"] == rows[f"{few}/pct"]["note_code"] == "FEWLEVEL"
    level = place.replace("P25", "DOSE.DL1")
    assert numbers(rows, level, "n_exposure") == [19]


def test_at_the_reference_covariates_a_number_is_at_its_median_and_a_level_at_0() -> None:
    chosen = Given(
        covariates=pd.DataFrame({"AGE": [30.0, 50.0, 40.0], "SEX=M": [1.0, 1.0, 0.0]}),
        exposure=np.array([1.0, 3.0, 2.0]), event=np.array([0.0, 1.0, 0.0]),
    )  # fmt: skip
    result = Given(selection=chosen, fit=Given(method="ML"), reason="")
    rules = settings(**PLAIN, predictions={"covariates": "REFERENCE"})
    found = _Predictor.of(result, rules)
    assert found.covariates.tolist() == [[40.0, 0.0]] and (found.low, found.high) == (1, 3)
    assert "at the reference covariates" in found.method
    whole = _Predictor.of(result, settings(**PLAIN))
    assert whole.covariates.shape == (3, 2) and "standardised" in whole.method
    refused = _Predictor.of(Given(selection=chosen, fit=None, reason="FEWEVENT"), rules)
    with pytest.raises(ValueError, match="FEWEVENT"):
        refused.at(np.array([1.0]))


DOSE, PEAK = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0], [1.0, 3.0, 3.0, 5.0, 4.0, 9.0, 16.0]


def dose_study(**columns: object) -> Study:
    rules = settings(
        **{**PLAIN, "dose_exposure": {
            "metrics": ["DOSEA"], "confidence_level": 0.9, "sensitivities": ["INDIC"],
        }}
    )  # fmt: skip
    n = len(columns.get("CMAX", [0.0] * 7))
    given = {"INDIC": ["ALL", "NHL"] * (n // 2) + ["NHL"] * (n % 2), "TRT01A": "", **columns}
    exposure = {"DOSEA": given.pop("DOSEA", DOSE), "CMAX": given.pop("CMAX", PEAK)}
    return make_study(exposure, [0.0] * n, CRS, rules, columns=given, units={"DOSEA": "10^6 cells"})


def collect_doses(study: Study) -> tuple[dict[str, pd.Series], list]:
    out = ResultCollector("exposure_response")
    curves = dose_exposure.collect_dose_exposure(study, out)
    return read(out), curves


def test_exposure_over_dose_is_the_line_through_both_logarithms() -> None:
    rows, curves = collect_doses(dose_study())
    place = "dose_exposure/CMAX/PCR/analysis=ALL/dose_metric=DOSEA/level=ALL"
    line = stats.linregress(np.log(DOSE), np.log(PEAK))
    half = stats.t.ppf(0.95, 5) * line.stderr
    wanted = {
        "slope": line.slope, "slope_low": line.slope - half, "slope_high": line.slope + half,
        "slope_se": line.stderr, "p_zero": line.pvalue, "dose_min": 1, "dose_max": 8,
        "p_one": 2 * stats.t.sf(abs(line.slope - 1) / line.stderr, 5), "dose_ratio": 8,
        "n": 7, "n_er": 7, "n_studies": 1, "n_blq": 0, "n_rank": 7, "r2": line.rvalue**2,
        "rho": stats.spearmanr(DOSE, PEAK).statistic, "rdnm": 8 ** (line.slope - 1),
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()), rel=1e-6)
    assert rows[f"{place}/dose_min"]["unit"] == rows[f"{place}/dose_max"]["unit"] == "10^6 cells"
    one = rows[f"{place}/slope"]
    assert (one["n"], one["filter"]) == (7, "ERFL = Y and CMAX > 0 and DOSEA > 0")

    # A slope for each indication, and the F test against one for both.
    def rest(rows: list[int], slope: float | None = None) -> float:
        x, y = np.log(np.take(DOSE, rows)), np.log(np.take(PEAK, rows))
        x, y = x - x.mean(), y - y.mean()
        b = x @ y / (x @ x) if slope is None else slope
        return float(((y - b * x) ** 2).sum())

    parts = [[0, 2, 4], [1, 3, 5, 6]]
    apart = sum(rest(part) for part in parts)
    over = under = 0.0
    for part in parts:
        x, y = np.log(np.take(DOSE, part)), np.log(np.take(PEAK, part))
        over, under = over + (x - x.mean()) @ y, under + (x - x.mean()) @ (x - x.mean())
    together = sum(rest(part, over / under) for part in parts)
    f = (together - apart) / (apart / 3)
    test = "dose_exposure_test/CMAX/PCR/analysis=INDIC/dose_metric=DOSEA"
    found = numbers(rows, test, "n", "n_levels", "f", "df", "df_residual", "p")
    assert found == pytest.approx([7, 2, f, 1, 3, stats.f.sf(f, 1, 3)])
    level = "dose_exposure/CMAX/PCR/analysis=INDIC/dose_metric=DOSEA/level=ALL"
    slope = stats.linregress(np.log([1, 2, 4]), np.log([1, 3, 4])).slope
    assert numbers(rows, level, "slope", "n") == pytest.approx([slope, 3])
    fit = [row for row in curves if row["curve_id"] == "exposure_response.dose_exposure/CMAX/DOSEA"]
    assert (fit[0]["x"], fit[-1]["x"]) == (pytest.approx(1), pytest.approx(8))
    assert fit[-1]["y"] == pytest.approx(math.exp(line.intercept) * 8**line.slope)
    assert fit[0]["low"] < fit[0]["y"] < fit[0]["high"]


def test_doses_and_exposures_that_are_missing_are_counted_in_turn() -> None:
    study = dose_study(
        DOSEA=[1.0, NAN, 0.0, 2.0, 4.0, 8.0, 8.0], CMAX=[1.0, NAN, 2.0, NAN, 0.0, 5.0, 6.0]
    )
    rows, _ = collect_doses(study)
    place = "dose_exposure/CMAX/PCR/analysis=ALL/dose_metric=DOSEA/level=ALL"
    names = ("n", "n_er", "n_nodose", "n_noexposure", "n_blq", "n_nocovariate", "n_rank")
    assert numbers(rows, place, *names) == [3, 7, 2, 1, 1, 0, 4]
    rows, curves = collect_doses(dose_study(DOSEA=[NAN] * 7))
    assert (
        rows[f"{place}/slope"]["note_code"] == rows[f"{place}/dose_min"]["note_code"] == "NOTCOLL"
    )
    test = "dose_exposure_test/CMAX/PCR/analysis=INDIC/dose_metric=DOSEA"
    assert rows[f"{test}/p"]["note_code"] == "NOTCOLL" and not curves


def test_the_dose_of_a_sub_population_is_its_share_of_the_positive_cells() -> None:
    adex = pd.DataFrame(
        {
            **keys("A", "A", "B", "C"), "LOTID": ["L1", "L2", "L1", "L9"], "DOSETYPE": "",
            "EXCAT": "CELL PRODUCT", "AFRLT": [0.0, 2.0, 0.0, 0.0],
        }
    )  # fmt: skip
    for name in COUNTED:
        adex[name] = [10.0, 30.0, 10.0, NAN]
    adex["DOSETGP"] = [10.0, 30.0, 10.0, 10.0]
    adpq = pd.DataFrame(
        {"STUDYID": "S", "LOTID": ["L1", "L2"], "CD4CD8": [1.0, 2.0],
         **{name: [20.0, 50.0] for name in SHARES.values()}}
    )  # fmt: skip
    ader = pd.DataFrame(keys("A", "B", "C", "D"))
    found = derive_dose_metrics(ader, adex, adpq, 28.0)
    # CD4 5 and 20, CD8 5 and 10; shares 2 and 15.
    assert found["DOSECD4"].fillna(-1).tolist() == [25, 5, -1, -1]
    assert found["DOSECD8"].fillna(-1).tolist() == [15, 5, -1, -1]
    assert found["DOSETCM"].fillna(-1).tolist() == [17, 2, -1, -1]
    assert found["DOSETGP"].fillna(-1).tolist() == [40, 10, 10, -1]
    early = derive_dose_metrics(ader, adex, adpq, 1.0)
    assert early["DOSETGP"].tolist()[:2] == [10, 10]


def test_endpoints_of_a_variable_or_a_time_keep_their_reason_and_origin() -> None:
    ader = pd.DataFrame(
        {
            **keys("A", "B", "C"), "CRSGR": [2.0, 1.0, NAN], "CRSRSN": ["", "", "UNGRADED"],
            "CRSONDY": [3.0, 4.0, NAN], "OBJRESP": [1.0, NAN, NAN],
            "RESPGRP": ["CR", "UNKNOWN", ""], "AGE": [60.0, 70.0, NAN], "SEX": "F",
        }
    )  # fmt: skip
    adtte = pd.DataFrame(
        {
            **keys("A", "B", "A"), "PARAMCD": ["PFS", "PFS", "OS"], "AVAL": [50.0, NAN, 9.0],
            "CNSR": [2.0, NAN, 0.0], "STARTDT": ["2026-01-04", "", "2026-01-01"],
            "REASND": ["", "NOASSESS", ""],
        }
    )  # fmt: skip
    adsl = pd.DataFrame({**keys("A", "B", "C"), "TRTSDTM": "2026-01-01T10:00"})
    sources = Given(adtte=adtte, adsl=adsl)
    named = {"en": "x", "zh": "x", "family": "SAFETY"}
    endpoints = [
        rule("CRSGE2", "binary", variable="CRSGR", at_least=2, onset="CRSONDY", **named),
        rule("OBJRESP", "binary", variable="OBJRESP", at_least=1, **named),
        rule("OLD", "binary", variable="AGE", at_least=70, **named),
        rule("PFS", "time_to_event", time="PFS", **named),
    ]
    found = derive_endpoints(sources, ader, endpoints).set_index(["PARAMCD", "USUBJID"])

    def values(code: str, column: str) -> list:
        part = found.loc[code, column]
        return part.fillna(-1).tolist() if part.dtype.kind == "f" else part.tolist()

    assert values("CRSGE2", "AVAL") == [1, 0, -1]
    assert values("CRSGE2", "REASND") == ["", "", "UNGRADED"]
    assert values("CRSGE2", "ONSETDY") == [3, 4, -1]
    assert values("OBJRESP", "REASND") == ["", UNKNOWN_RESPONSE, "NOTCOLL"]
    assert values("OLD", "AVAL") == [0, 1, -1] and values("OLD", "REASND")[2] == "NOTCOLL"
    assert values("PFS", "AVAL") == [50, -1, -1] and values("PFS", "CNSR") == [1, -1, -1]
    assert values("PFS", "STARTDY") == [3, -1, -1]
    assert values("PFS", "REASND") == ["", "NOASSESS", "NOTCOLL"]
    for name in ("SEX", "GONE"):
        with pytest.raises(ConfigError, match=f"{name}, which is not"):
            derive_endpoints(sources, ader, [rule("X", "binary", variable=name, **named)])
    assert derive_endpoints(sources, ader, []).empty


def timed_study(n: int, **more: object) -> Study:
    names = [f"S{i:03d}" for i in range(n)]
    adpp = pd.DataFrame(
        {
            **keys(*names), "PARCAT1": "PCR", "PROFTYP": "COURSE", "PARAMCD": "TMAX",
            "AVAL": more.pop("peak", 9.0),
        }
    )  # fmt: skip
    stop = more.pop("stop")
    adtte = pd.DataFrame({**keys(*names), "PARAMCD": "PFS", "AVAL": NAN, "STARTDT": "", "ADT": ""})
    rules = {"time_to_event": {"landmark": 28, "lag": 1.0, "carry_days": 60.0,
                               "interpolation": "LOCF"}, **more.pop("rules", {})}  # fmt: skip
    values = {"CNSR": more.pop("censored", 0.0), "STARTDY": more.pop("origin", 0.0)}
    return make_study(
        {"CMAX": more.pop("exposure")}, stop, PFS, settings(**{**PLAIN, **rules}), values=values,
        adpp=adpp, adtte=adtte, **more,
    )  # fmt: skip


def test_subjects_of_a_hazard_leave_in_turn_and_are_counted() -> None:
    study = timed_study(
        8, stop=[NAN, 28.0, 20.0, 50.0, 60.0, 70.0, 80.0, 90.0],
        censored=[NAN, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        exposure=[1.0, 1.0, 1.0, NAN, 4.0, 0.0, 2.0, 8.0],
        peak=[9.0, 9.0, 9.0, 9.0, 28.0, 9.0, 9.0, 28.5],
        columns={"LTBURDZ": [1.0, 2, 3, 4, 5, 6, NAN, 8]},
    )  # fmt: skip
    cell = PlanCell(PFS, "CMAX", "COX", "UNADJUSTED", PRIMARY, "SECONDARY", landmark=28.0)
    rows = select_rows(study, cell)
    assert rows.counts == {
        "n_er": 8, "n_nooutcome": 1, "n_before": 2, "events_before": 1, "n_noexposure": 1,
        "n_late": 1, "n_blq": 1, "n_nocovariate": 0,
    }  # fmt: skip
    assert (rows.value.tolist(), rows.event.tolist()) == ([4.0, 2.0], [False, True])
    assert (rows.start.tolist(), rows.stop.tolist()) == ([28, 28], [60, 80])
    assert rows.subject.tolist() == [4, 6] and rows.reason == ""
    with_zero = select_rows(study, cell, keep_blq=True)
    assert with_zero.value.tolist() == [4.0, 0.0, 2.0] and with_zero.counts["n_blq"] == 0
    burden = replace(cell, adjustment="TUMOUR_BURDEN")
    adjusted = select_rows(study, burden)
    assert adjusted.counts["n_nocovariate"] == 0 and adjusted.reason == "NOCOVAR"
    varied = replace(study, ader=study.ader.assign(LTBURDZ=[1.0, 2, 3, 4, 5, 6, 7, 8]))
    assert select_rows(varied, burden).covariates["LTBURDZ"].tolist() == [5.0, 7.0]
    assert select_rows(varied, burden).reason == ""

    def reason(**columns: object) -> str:
        return select_rows(replace(study, ader=study.ader.assign(**columns)), cell).reason

    assert (reason(ERFL="N"), reason(CMAX=NAN)) == ("NOTCOLL", "NOSUBJ")
    late = replace(cell, landmark=99.0)
    assert select_rows(study, late).reason == "BEFORELM"
    unknown = replace(study, aderend=study.aderend.assign(AVAL=NAN))
    assert select_rows(unknown, cell).reason == "NOTCOLL"
    half = replace(cell, population=BLQ_HALF)
    sensitive = replace(study, ader=study.ader.assign(CMAXSEN=1.0))
    assert select_rows(sensitive, half).reason == ""
    none = replace(study, ader=study.ader.assign(CMAXSEN=1.0, CMAX=3.0))
    assert select_rows(none, half).reason == "NOBLQALL"


def test_half_the_limit_is_a_question_only_where_somebody_was_below_it() -> None:
    cell = PlanCell(CRS, "CMAX", "LOGISTIC", "UNADJUSTED", BLQ_HALF, "SENSITIVITY")

    def reason(*exposure: float) -> str:
        study = make_study(
            {"CMAX": exposure, "CMAXSEN": [1.0, 2.0]}, [0.0, 1.0], CRS, settings(**PLAIN)
        )
        return select_subjects(study, cell).reason

    assert [reason(1.0, 2.0), reason(0.0, 2.0), reason(0.0, 0.0)] == ["NOBLQALL", "", ""]


def test_rows_of_an_exposure_that_changes_end_at_the_events_of_the_study() -> None:
    names = ["S000", "S000", "S000", "S001", "S001", "S002"]
    adpc = pd.DataFrame(
        {
            **keys(*names), "PARAMCD": ["PCR"] * 6, "ANL01FL": "Y", "BLQFL": ["N"] * 4 + ["Y", "N"],
            "ALLOQ": 4.0, "AFRLT": [2.0, 2.0, 12.0, 3.0, 15.0, -1.0],
            "AVAL": [99.0, 8.0, 16.0, 32.0, NAN, 5.0], "SRCROW": [1, 2, 3, 4, 5, 6],
        }
    )  # fmt: skip
    study = timed_study(
        3, stop=[20.0, 14.0, 30.0], censored=[0.0, 0.0, 1.0], exposure=[1.0] * 3, adpc=adpc,
    )  # fmt: skip
    cell = PlanCell(PFS, "CURRENT", "COX_TIMEDEP", "UNADJUSTED", PRIMARY, "SENSITIVITY")
    profiles = exposure_over_time.read_profiles(study)
    # Of two at one time the later record; below the limit half of it; none before the infusion.
    assert profiles["S", "S000"].value.tolist() == [8, 16]
    assert profiles["S", "S001"].value.tolist() == [32, 2] and len(profiles) == 2
    first = exposure_over_time.find_first_known(study)
    assert first.fillna(-1).tolist() == [3, 4, -1]
    rows = select_rows(study, cell, first_sample=first)
    assert rows.subject.tolist() == [0, 1] and rows.counts["n_noexposure"] == 1
    cut = exposure_over_time.derive_intervals(study, cell, rows)
    # Events on days 14 and 20: with a lag of a day the value of day 12 holds on day 14.
    assert cut.place.tolist() == [0, 1] and cut.value.tolist() == [16.0, 32.0]
    assert cut.stop.tolist() == [20.0, 14.0] and cut.event.tolist() == [True, True]
    early = timed_study(
        3, stop=[20.0, 12.5, 30.0], censored=[0.0, 0.0, 1.0], exposure=[1.0] * 3, adpc=adpc,
    )  # fmt: skip
    cut = exposure_over_time.derive_intervals(
        early, cell, select_rows(early, cell, first_sample=first)
    )
    assert (cut.place.tolist(), cut.value.tolist()) == ([0, 0, 1], [8.0, 16.0, 32.0])
    assert cut.stop.tolist() == [12.5, 20.0, 12.5] and cut.start.tolist()[1] == 12.5
    assert cut.event.tolist() == [False, True, True]
    # An origin three days after the infusion: day 10 of the outcome is day 13 of the samples.
    moved = timed_study(
        3, stop=[10.0, 9.0, 30.0], censored=[0.0, 0.0, 1.0], exposure=[1.0] * 3, origin=3.0,
        adpc=adpc,
    )  # fmt: skip
    cut = exposure_over_time.derive_intervals(
        moved, cell, select_rows(moved, cell, first_sample=first)
    )
    assert cut.value.tolist() == [8.0, 16.0, 32.0]
    left = timed_study(
        3, stop=[20.0, 4.0, 30.0], censored=[0.0, 0.0, 1.0], exposure=[1.0] * 3, adpc=adpc,
    )  # fmt: skip
    rows = select_rows(left, cell, first_sample=first)
    # Who leaves on the day from which the exposure is known has none.
    assert rows.subject.tolist() == [0] and rows.counts["n_noexposure"] == 2


def test_influence_names_who_moves_the_odds_ratio_most(monkeypatch) -> None:
    study = make_study({"CMAX": [1.0] * 4}, [0.0] * 4, CRS, settings(**PLAIN))

    def find(estimates: list[float], dfbetas: list[float], limit: float = 2.0):
        found = Given(
            estimates=np.array(estimates), dfbetas=np.array(dfbetas),
            displacement=np.array([0.1, 0.4, 9.0, 0.2]), deviance=np.array([0.5, -3.0, 1.0, 2.0]),
        )  # fmt: skip
        monkeypatch.setattr(evaluation.model_validation, "estimate_influence", lambda *g: found)
        options = study.settings.evaluation.model_copy(update={"influence_limit": limit})
        rules = study.settings.model_copy(update={"evaluation": options})
        chosen = Given(event=np.zeros(4), subjects=study.ader.index)
        fit = Given(n=4)
        return evaluation._find_influence(
            replace(study, settings=rules), chosen, fit, np.zeros((4, 1)), ["x"]
        )

    # The limit over the root of four is 1.
    values, notes = find([0.0, 1.0, NAN, math.log(2)], [1.5, -2.5, NAN, 1.0])
    assert notes == {} and values["n_influential"] == 2
    assert values["influential"] == "S001 (2.72); S000 (1)"
    assert (values["dfbetas_max"], values["cook_max"]) == (2.5, 0.4)
    assert (values["or_min"], values["or_max"]) == (1.0, pytest.approx(math.e))
    assert (values["deviance_max"], values["deviance_subject"]) == (-3.0, "S001")
    values, _ = find([0.0, 1.0, 1.0, 1.0], [0.5, 0.5, 1.0, 0.5])
    assert values["n_influential"] == 0 and "influential" not in values
    values, notes = find([NAN] * 4, [NAN] * 4)
    assert notes == dict.fromkeys(("dfbetas_max", "cook_max", "or_min", "or_max"), "NOCONV")
    _, notes = find([0.0, 1.0, 1.0, 1e9], [0.5] * 4)
    assert notes == {"or_max": "OVERFLOW"}


def test_a_mixed_model_without_a_spread_of_subjects_stands_by_its_intercept(monkeypatch) -> None:
    effect = Given(estimate=0.5, low=0.25, high=0.75, p=0.01, se=0.1, df=7.0)

    def run(reason: str, random: str):
        fit = Given(
            reason=reason, random=random, effect=lambda name: effect, sd_intercept=0.0,
            sd_slope=NAN, correlation=NAN, sd_residual=1.0,
        )  # fmt: skip
        marker = rule("IL6RPT", "repeated", marker="IL6")
        chosen = repeated_markers.Repeated(
            pd.DataFrame({"SUBJECT": [], "X": []}), (), {"n": 3.0, "values": 9.0}, 12.5
        )
        monkeypatch.setattr(repeated_markers, "select_values", lambda *given: chosen)
        monkeypatch.setattr(repeated_markers, "_refuse", lambda *given: "")
        monkeypatch.setattr(repeated_markers, "_fit", lambda *given: fit)
        cell = PlanCell(marker, "CMAX", "MIXED", "UNADJUSTED", PRIMARY, "SECONDARY")
        study = make_study({"CMAX": [1.0]}, [0.0], marker, settings(**PLAIN))
        out = ResultCollector("exposure_response")
        return repeated_markers.run_cells(study, [cell], out).outcomes[0], read(out)

    place = "repeated/IL6RPT/PCR/adjustment=UNADJUSTED/metric=CMAX/population=PRIMARY"
    one, rows = run("SINGULAR", "INTERCEPT")
    assert (one.method, one.p, one.reason) == ("REML", 0.01, "")
    assert rows[f"{place}/sd_intercept"]["note_code"] == "SINGULAR"
    names = ("ratio", "ratio_low", "ratio_high", "change", "change_low", "change_high", "df")
    wanted = [math.exp(v) for v in (0.5, 0.25, 0.75)]
    assert numbers(rows, place, *names) == pytest.approx([*wanted, *wanted, 7])
    assert numbers(rows, place, "p", "p_change", "pct_below") == [0.01, 0.01, 12.5]
    for reason, random in (("SINGULAR", "INTERCEPT_SLOPE"), ("NOCONV", "INTERCEPT")):
        one, rows = run(reason, random)
        assert (one.method, one.reason) == ("NONE", reason) and math.isnan(one.p)
        assert rows[f"{place}/ratio"]["note_code"] == rows[f"{place}/change"]["note_code"] == reason
        assert rows[f"{place}/random"]["value_text"] == "NONE"
    assert run("", "INTERCEPT")[1][f"{place}/sd_intercept"]["note_code"] == ""

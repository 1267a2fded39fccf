"""Hazards, doses, rescue medication and covariates against partial likelihoods and tables."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq
from study_by_hand import (
    LENIENT,
    NAN,
    keys,
    likelihood_ratio_p,
    make_study,
    numbers,
    read,
    rule,
    settings,
    two_by_two,
)

from celldossier.exposure_response import (
    confounding,
    covariate_exposure,
    dose_response,
    event_features,
    rescue_medication,
    survival_groups,
    time_to_event,
)
from celldossier.exposure_response.covariate_design import CONTINUOUS_LEVEL
from celldossier.exposure_response.plan import PRIMARY, PlanCell
from celldossier.exposure_response.study import Study
from celldossier.exposure_response.survival_rows import select_rows
from celldossier.results import ResultCollector
from celldossier.settings.covariates import Covariate
from celldossier.stats.linear_model import estimate_linear
from celldossier.terms.study_terms import DAYS_PER_MONTH

PFS = rule("PFS", "time_to_event", time="PFS", family="EFFICACY", unknown_response=False)
CRS = rule("CRSGE2", "binary", family="SAFETY", unknown_response=False)
PLAIN = {
    **LENIENT, "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"], "max_correlation": 1,
    "primary_adjustment": "UNADJUSTED", "all_blq_sensitivity": False,
}  # fmt: skip
LANDMARK = 28.0
# Events on days 30, 40, 60 and 90 in turn of an exposure of 2, 1, 2 and 1; one more of each
# is watched until day 100.
STOP = [30.0, 40.0, 60.0, 90.0, 100.0, 100.0]
CENSORED = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
HIGH = [1, 0, 1, 0, 1, 0]


def score(b: float) -> float:
    """Derivative of the logarithm of the partial likelihood."""
    found, w = 0.0, math.exp(b)
    # At risk with the high and the low exposure at each event, and whose it is.
    for high, low, own in ((3, 3, 1), (2, 3, 0), (2, 2, 1), (1, 2, 0)):
        found += own - high * w / (high * w + low)
    return found


SLOPE = brentq(score, -5, 5)


def timed_study(**more: object) -> Study:
    rules = settings(
        **{**PLAIN, "time_to_event": {"landmark": LANDMARK, "time_dependent": []},
           **more.pop("rules", {})}
    )  # fmt: skip
    names = [f"S{i:03d}" for i in range(6)]
    exposure = more.pop("exposure", [2.0**h for h in HIGH])
    adpp = pd.DataFrame(
        {
            **keys(*names), "PARCAT1": "PCR", "PROFTYP": "COURSE", "PARAMCD": "TMAX", "AVAL": 9.0,
        }
    )  # fmt: skip
    adtte = pd.DataFrame(
        {
            **keys(*names), "PARAMCD": "PFS", "AVAL": STOP, "CNSR": CENSORED, "EVENTCD": "",
            "STARTDT": "2026-01-01", "ADT": "",
        }
    )  # fmt: skip
    adtte.loc[4, "EVENTCD"] = "DEATH"
    adtte["ADT"] = (pd.Timestamp("2026-01-01") + pd.to_timedelta(STOP, unit="D")).astype(str)
    adpc = pd.DataFrame(
        {"STUDYID": [], "USUBJID": [], "PARAMCD": [], "ANL01FL": [], "AFRLT": [], "AVAL": [],
         "BLQFL": [], "ALLOQ": [], "SRCROW": []}
    )  # fmt: skip
    return make_study(
        {"CMAX": exposure}, more.pop("stop", STOP), PFS, rules,
        values={"CNSR": CENSORED, "STARTDY": 0.0, **more.pop("values", {})},
        columns={"TRT01A": "DL1", "INDIC": "NHL", "STUDYID": "S", **more.pop("columns", {})},
        units={"CMAX": "copies/ug"}, adpp=adpp, adtte=adtte, adpc=adpc, **more,
    )  # fmt: skip


TIMED = PlanCell(PFS, "CMAX", "COX", "UNADJUSTED", PRIMARY, "SECONDARY", landmark=LANDMARK)
COX = "PFS/PCR/adjustment=UNADJUSTED/metric=CMAX/population=PRIMARY"


def run(study: Study, cell: PlanCell = TIMED):
    out = ResultCollector("exposure_response")
    found = time_to_event.run_cells(study, [cell], out)
    return found, read(out)


def test_a_hazard_ratio_is_where_the_partial_likelihood_is_highest() -> None:
    found, rows = run(timed_study())
    place = f"cox/{COX}"
    w = math.exp(SLOPE)
    information = sum(
        high * w * low / (high * w + low) ** 2 for high, low in ((3, 3), (2, 3), (2, 2), (1, 2))
    )
    wanted = {
        "hr": w, "log_hr": SLOPE, "se": information**-0.5, "n": 6, "events": 4, "n_competing": 1,
        "monotone": 0, "n_er": 6, "n_before": 0, "n_late": 0,
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()), rel=1e-5)
    low, high = numbers(rows, place, "hr_low", "hr_high")
    assert low < w < high
    null = -math.log(6 * 5 * 4 * 3)
    best = 2 * SLOPE - sum(math.log(h * w + c) for h, c in ((3, 3), (2, 3), (2, 2), (1, 2)))
    p = stats.chi2.sf(2 * (best - null), 1)
    assert numbers(rows, place, "p") == pytest.approx([p], rel=1e-4)
    line = rows[f"{place}/model"]
    assert (line["value_text"], line["filter"], line["n"]) == ("ML", "ERFL = Y", 6)
    assert line["method"].startswith("Cox, Efron ties")
    one = found.outcomes[0]
    assert (one.method, one.n, one.events, one.reason) == ("COX", 6, 4.0, "")


def test_survival_at_a_month_is_that_of_the_baseline_hazard_and_the_ratio() -> None:
    months = [1.0, 2.0, 3.5]
    predictions = {
        "survival_months": months, "quantiles": [0.0001], "metrics": ["CMAX"],
        "adjustments": ["UNADJUSTED"], "dose_levels": True,
    }  # fmt: skip
    columns = {"TRT01A": ["DL1"] * 5 + ["DL2"]}
    study = timed_study(rules={"predictions": predictions, "min_per_level": 5}, columns=columns)
    rows = run(study)[1]
    w = math.exp(SLOPE)
    steps = [(30, 3 * w + 3), (40, 2 * w + 3), (60, 2 * w + 2), (90, w + 2)]
    for month in (1.0, 2.0):
        hazard = sum(1 / risk for day, risk in steps if day <= month * DAYS_PER_MONTH)
        place = "predicted_survival/PFS/PCR/adjustment=UNADJUSTED/at=P0.01/metric=CMAX"
        place += f"/month=M{month:g}"
        pct, low, high, exposure = numbers(rows, place, "pct", "ci_low", "ci_high", "exposure")
        assert exposure == pytest.approx(1, abs=1e-3)
        assert pct == pytest.approx(100 * math.exp(-hazard), rel=1e-3) and low < pct < high
        assert numbers(rows, place, "n", "events") == [6, 4]
    line = rows[f"{place}/pct"]
    assert (line["unit"], line["filter"], line["n"]) == ("%", "ERFL = Y", 6)
    assert line["method"].startswith("ML Cox model")
    units = [rows[f"{place}/{name}"]["unit"] for name in ("n", "events", "exposure")]
    assert units == ["", "", "copies/ug"]
    late = rows[place.replace("M2", "M3.5") + "/pct"]
    assert (late["note_code"], late["method"]) == ("NOFOLLOW", "")
    few = place.replace("P0.01", "DOSE.DL2")
    assert {rows[f"{few}/{name}"]["note_code"] for name in ("pct", "ci_low", "exposure")} == {
        "FEWLEVEL"
    }
    assert rows[place.replace("P0.01", "DOSE.DL1") + "/exposure"]["note_code"] == ""
    # A model that was refused predicts nothing, and says why.
    rules = {"predictions": predictions, "min_events": 5, "min_per_level": 5}
    rows = run(timed_study(rules=rules, columns=columns))[1]
    assert rows[f"{place}/pct"]["note_code"] == "FEWEVENT"
    assert rows[f"cox/{COX}/hr"]["note_code"] == "FEWEVENT"
    early = {**predictions, "survival_months": [0.5, 0.96]}
    rows = run(timed_study(rules={"predictions": early}))[1]
    place = place.replace("M2", "M0.5")
    assert rows[f"{place}/pct"]["note_code"] == "BEFLANDM"
    # After the landmark, before the first event.
    place = place.replace("M0.5", "M0.96")
    assert numbers(rows, place, "pct") == [100] and rows[f"{place}/pct"]["note_code"] == ""
    assert rows[f"{place}/ci_low"]["note_code"] == "NOEVENT"
    for chosen in ({"metrics": ["AUC28"]}, {"adjustments": ["FULL"]}):
        more = {"metrics": ["CMAX", "AUC28"], "adjustments": ["UNADJUSTED", "FULL"]}
        rules = {"predictions": {**predictions, **chosen}, **more}
        study = timed_study(rules=rules, columns={"AUC28": 1.0})
        assert not any(name.startswith("predicted_survival") for name in run(study)[1])


def test_within_strata_the_levels_that_make_them_are_no_covariate() -> None:
    cell = PlanCell(PFS, "CMAX", "COX", "FULL", PRIMARY, "SECONDARY", landmark=LANDMARK)
    columns = {"INDIC": ["ALL", "NHL"] * 3, "AGE": [1.0, 2, 3, 4, 5, 6], "SEX": ["F", "M", "M"] * 2}
    rules = {"full_adjustment": ["AGE", "INDIC", "SEX"]}
    plain = select_rows(timed_study(rules=rules, columns=columns), cell)
    assert list(plain.covariates) == ["AGE", "INDIC=NHL", "SEX=F"]
    assert set(plain.stratum) == {""}
    rules["time_to_event"] = {"landmark": LANDMARK, "stratify_by": "INDIC", "time_dependent": []}
    rows = select_rows(timed_study(rules=rules, columns=columns), cell)
    assert list(rows.covariates) == ["AGE", "SEX=F"]
    assert rows.stratum.tolist() == ["ALL", "NHL"] * 3
    found = run(timed_study(rules=rules, columns=columns))[1]
    # Within ALL two events of three with the high exposure: nothing to compare.
    assert rows.reason == "" and numbers(found, f"cox/{COX}", "n") == [6]


def test_curves_of_halves_are_kaplan_meiers_and_read_at_the_times_asked() -> None:
    rules = {
        "min_per_bin": 3, "time_to_event": {
            "landmark": LANDMARK, "time_dependent": [], "curve_metrics": ["CMAX"],
            "curve_months": [1.0, 2.0, 4.0], "at_risk_days": [28, 60, 101], "curve_min_at_risk": 1,
        },
    }  # fmt: skip
    study = timed_study(exposure=[8.0, 1.0, 9.0, 2.0, 7.0, 3.0], rules=rules)
    out = ResultCollector("exposure_response")
    curves = survival_groups.collect_groups(study, PFS, out)
    rows = read(out)
    low = "survival_groups/PFS/PCR/group=H1/metric=CMAX/split=HALF"
    high = low.replace("H1", "H2")
    names = ("n", "events", "exposure_min", "exposure_max", "median", "begin")
    assert numbers(rows, low, *names) == [3, 2, 1, 3, 90, 28]
    assert numbers(rows, high, *names) == [3, 2, 7, 9, 60, 28]
    units = [rows[f"{low}/{name}"]["unit"] for name in names]
    assert units == ["", "", "copies/ug", "copies/ug", "d", "d"]
    for month, shares in ((1, (100, 200 / 3)), (2, (200 / 3, 100 / 3))):
        for group, share in zip(("H1", "H2"), shares, strict=True):
            place = f"survival_at/PFS/PCR/group={group}/metric=CMAX/split=HALF/time=M{month}"
            assert numbers(rows, place, "survival") == pytest.approx([share])
            assert rows[f"{place}/survival"]["unit"] == "%"
    assert numbers(rows, place, "n_at_risk") == [1]
    beyond = place.replace("M2", "M4")
    assert rows[f"{beyond}/survival"]["note_code"] == "BEYONDFU"
    risk = "survival_at_risk/PFS/PCR/day=D{}/group={}/metric=CMAX/split=HALF"
    assert [numbers(rows, risk.format(28, g), "n") for g in ("H1", "H2")] == [[3], [3]]
    assert [numbers(rows, risk.format(60, g), "n") for g in ("H1", "H2")] == [[2], [2]]
    assert risk.format(101, "H1") + "/n" not in rows
    test = "log_rank/PFS/PCR/metric=CMAX/split=HALF"
    # Events of the high half 2; expected 3/6 + 2/5 + 2/4 + 1/3 of those at risk.
    share = [1 / 2, 2 / 5, 1 / 2, 1 / 3]
    spread = sum(s * (1 - s) for s in share)
    chisq = (2 - sum(share)) ** 2 / spread
    found = numbers(rows, test, "n", "events", "chisq", "df", "p")
    assert found == pytest.approx([6, 4, chisq, 1, stats.chi2.sf(chisq, 1)])
    assert (rows[f"{test}/p"]["filter"], rows[f"{test}/p"]["method"]) == (
        "ERFL = Y", "log-rank test",
    )  # fmt: skip
    # Tertiles of two each are too few: a test without a value, no curve.
    third = "log_rank/PFS/PCR/metric=CMAX/split=TERTILE"
    assert rows[f"{third}/chisq"]["note_code"] == "FEWSUBJ"
    assert {row["curve_id"] for row in curves} == {"exposure_response.survival/PFS/CMAX/HALF"}
    own = [(row["x"], row["y"], row["n"]) for row in curves if row["series"] == "H2"]
    assert own[0] == (28.0, 100.0, 3.0)
    assert own[1] == (30.0, pytest.approx(200 / 3), 3.0)
    assert {row["kind"] for row in curves} == {"summary"}


def dose_study(endpoint, exposure, outcome, **more: object) -> Study:
    n = len(outcome)
    rules = settings(
        **{**PLAIN, "dose_response": {"metrics": ["DOSEA"], "exposure_adjusted": False},
           **more.pop("rules", {})}
    )  # fmt: skip
    names = [f"S{i:03d}" for i in range(n)]
    adex = pd.DataFrame(
        {**keys(*names), "DOSETYPE": "", "EXCAT": "CELL PRODUCT", "AFRLT": more.pop("day", 0.0)}
    )
    columns = {"CMAX": 1.0, "TRT01A": [f"DL{v:g}" for v in exposure], **more.pop("columns", {})}
    return make_study(
        {"DOSEA": exposure}, outcome, endpoint, rules, columns=columns,
        units={"DOSEA": "10^6 cells"}, adex=adex, **more,
    )  # fmt: skip


def run_doses(study: Study):
    out = ResultCollector("exposure_response")
    found = dose_response.run_cells(study, dose_response.plan_cells(study), out)
    return found.outcomes, read(out)


def test_the_odds_ratio_of_a_doubled_dose_is_that_of_the_table() -> None:
    dose, event = two_by_two((2, 8), (6, 4), least=0.5)
    outcomes, rows = run_doses(dose_study(CRS, dose, event))
    place = "dose_response/CRSGE2/PCR/adjustment=UNADJUSTED/metric=DOSEA"
    se = math.sqrt(1 / 2 + 1 / 8 + 1 / 6 + 1 / 4)
    p = likelihood_ratio_p([(2, 8), (6, 4)])
    wanted = {
        "ratio": 6, "log_ratio": math.log(6), "se": se, "p": p, "n": 20, "events": 8,
        "dose_min": 0.5, "dose_max": 1, "n_infused": 20, "n_nooutcome": 0, "n_nodose": 0,
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()), rel=1e-5)
    low, high = numbers(rows, place, "ratio_low", "ratio_high")
    assert low < 6 < high
    texts = [rows[f"{place}/{name}"]["value_text"] for name in ("measure", "method")]
    assert texts == ["OR", "ML"]
    assert rows[f"{place}/exposure_metric"]["value_text"] == "NONE"
    line = rows[f"{place}/dose_min"]
    assert (line["unit"], line["filter"], line["n"]) == ("10^6 cells", "DOSEA > 0", 20)
    assert line["method"].startswith("logistic, maximum likelihood")
    assert f"{place}/ph_p" not in rows and f"{place}/correlation" not in rows
    one = outcomes[0]
    assert (one.method, one.n, one.events, one.reason) == ("ML", 20, 8.0, "")
    assert one.p == pytest.approx(p)
    rate = "dose_rate/CRSGE2/PCR/dose=DL1"
    found = numbers(rows, rate, "n", "events", "pct", "order", "pct_low")
    assert found == pytest.approx([10, 6, 60, 2, 100 * stats.beta.ppf(0.025, 6, 5)])
    trend = "dose_trend/CRSGE2/PCR"
    # Cochran-Armitage of two groups is the square root of Pearson's chi-squared.
    z = math.sqrt(20 * (6 * 8 - 2 * 4) ** 2 / (10 * 10 * 8 * 12))
    assert abs(numbers(rows, trend, "z")[0]) == pytest.approx(z, rel=1e-6)
    assert numbers(rows, trend, "n", "events") == [20, 8]
    assert numbers(rows, trend, "p_asymptotic") == pytest.approx([2 * stats.norm.sf(z)])


def test_a_dose_response_that_is_refused_has_the_reason_in_each_place() -> None:
    dose, event = two_by_two((2, 8), (6, 4), least=50.0)
    outcomes, rows = run_doses(dose_study(CRS, dose, event, rules={"min_events": 9}))
    place = "dose_response/CRSGE2/PCR/adjustment=UNADJUSTED/metric=DOSEA"
    names = ("ratio", "ratio_low", "ratio_high", "p", "log_ratio", "se")
    assert {rows[f"{place}/{name}"]["note_code"] for name in names} == {"FEWEVENT"}
    assert numbers(rows, place, "dose_min", "dose_max") == pytest.approx([50, 100])
    assert (rows[f"{place}/ratio"]["method"], outcomes[0].method) == ("", "NONE")
    assert outcomes[0].reason == "FEWEVENT" and math.isnan(outcomes[0].p)
    study = dose_study(CRS, dose, event)
    study.ader["DOSEA"] = 0.0
    rows = run_doses(study)[1]
    notes = {rows[f"{place}/{name}"]["note_code"] for name in ("ratio", "dose_min", "dose_max")}
    assert notes == {"NOSUBJ"}
    study = dose_study(CRS, dose, event)
    study.ader["DOSEA"] = NAN
    assert run_doses(study)[1][f"{place}/dose_min"]["note_code"] == "NODOSE"


def test_beside_the_exposure_the_dose_has_a_second_ratio_and_both_correlate() -> None:
    rules = {"dose_response": {"metrics": ["DOSEA"], "exposure_adjusted": True}}
    dose, event = two_by_two((2, 8), (6, 4), least=50.0)
    other = [1.0, 4.0, 2.0, 1.0] * 5
    _, rows = run_doses(dose_study(CRS, dose, event, rules=rules, columns={"CMAX": other}))
    place = "dose_response/CRSGE2/PCR/adjustment=EXPOSURE/metric=DOSEA"
    wanted = np.corrcoef(np.log2(dose), np.log2(other))[0, 1]
    assert numbers(rows, place, "correlation", "n") == pytest.approx([wanted, 20])
    assert rows[f"{place}/exposure_metric"]["value_text"] == "CMAX"
    _, rows = run_doses(dose_study(CRS, dose, event, rules=rules))
    assert rows[f"{place}/correlation"]["note_code"] != ""
    assert rows[f"{place}/exposure_metric"]["value_text"] == "CMAX"
    study = dose_study(CRS, dose, event, rules=rules, columns={"CMAX": 0.0})
    rows = run_doses(study)[1]
    assert rows[f"{place}/correlation"]["note_code"] == "NOSUBJ"
    assert numbers(rows, place, "n_noexposure") == [20]


def test_the_hazard_ratio_of_a_doubled_dose_is_that_of_the_partial_likelihood() -> None:
    study = dose_study(
        PFS, [50.0 * 2**h for h in HIGH], STOP, values={"CNSR": CENSORED, "STARTDY": 0.0}
    )
    outcomes, rows = run_doses(study)
    place = "dose_response/PFS/PCR/adjustment=UNADJUSTED/metric=DOSEA"
    found = numbers(rows, place, "log_ratio", "ratio", "n", "events", "n_early")
    assert found == pytest.approx([SLOPE, math.exp(SLOPE), 6, 4, 0], rel=1e-5)
    texts = [rows[f"{place}/{name}"]["value_text"] for name in ("measure", "method")]
    assert texts == ["HR", "COX"] and outcomes[0].method == "COX"
    assert rows[f"{place}/ratio"]["method"].startswith("Cox, Efron ties, profile")
    assert 0 <= numbers(rows, place, "ph_p")[0] <= 1
    # Below so many events a slope the penalised likelihood is used.
    firth = dose_study(
        PFS, [50.0 * 2**h for h in HIGH], STOP, values={"CNSR": CENSORED, "STARTDY": 0.0},
        rules={"firth_below": 5},
    )  # fmt: skip
    assert run_doses(firth)[0][0].method == "COX_FIRTH"
    edge = replace(firth, settings=firth.settings.model_copy(update={"firth_below": 4.0}))
    assert run_doses(edge)[0][0].method == "COX"
    few = dose_study(
        PFS, [50.0 * 2**h for h in HIGH], STOP, values={"CNSR": CENSORED, "STARTDY": 0.0},
        rules={"min_events": 5},
    )  # fmt: skip
    outcomes, rows = run_doses(few)
    assert rows[f"{place}/ph_p"]["note_code"] == outcomes[0].reason == "FEWEVENT"


def test_cells_of_doses_begin_when_the_dose_is_complete() -> None:
    rules = {
        "dose_response": {"metrics": ["DOSEA"], "exposure_adjusted": True},
        "dose_exposure": {"until": 60},
    }  # fmt: skip

    def landmarks(day: float) -> list[float]:
        study = dose_study(PFS, [1.0, 2.0], [9.0, 9.0], day=day, rules=rules)
        return [cell.landmark for cell in dose_response.plan_cells(study)]

    first, beside = landmarks(0.5)
    assert math.isnan(first) and beside == 28
    assert landmarks(2.7) == [2, 28] and landmarks(40.7) == [40, 40]
    binary = dose_study(CRS, [1.0, 2.0], [0.0, 1.0], rules=rules)
    cells = dose_response.plan_cells(binary)
    assert all(math.isnan(cell.landmark) for cell in cells)
    assert [cell.role for cell in cells] == ["SECONDARY", "SENSITIVITY"]
    alone = {"dose_response": {"metrics": ["DOSEA"], "exposure_adjusted": False}}
    assert len(dose_response.plan_cells(dose_study(CRS, [1.0], [0.0], rules=alone))) == 1


def rescue_study(**columns: object) -> Study:
    given = {
        "CRSGR": [1.0, 1, 2, 2, 2, 2, NAN], "TOCIFL": ["N", "N", "Y", "Y", "N", "Y", ""],
        "STERFL": "", "CRSONDY": NAN, **columns,
    }  # fmt: skip
    adcm = pd.DataFrame({**keys("S002"), "CMCLASS": "TOCILIZUMAB", "ASTDY": [4.0]})
    adpp = pd.DataFrame(
        {
            **keys("S002", "S002", "S002", "S002"), "PARCAT1": ["PCR", "FLOW", "PCR", "PCR"],
            "PROFTYP": ["COURSE", "COURSE", "DOSE", "COURSE"],
            "PARAMCD": ["TMAX", "TMAX", "TMAX", "CMAX"], "AVAL": [10.0, 77.0, 77.0, 77.0],
        }
    )  # fmt: skip
    return make_study(
        {"CMAX": [1.0, 4.0, 4.0, 16.0, 2.0, 0.0, 9.0]}, [0.0] * 7, CRS,
        settings(**{**PLAIN, "min_per_level": 2}), columns=given,
        units={"CMAX": "copies/ug"}, adcm=adcm, adpp=adpp,
    )  # fmt: skip


def collect_rescue(study: Study) -> dict[str, pd.Series]:
    out = ResultCollector("exposure_response")
    rescue_medication.collect_rescue_medication(study, out)
    return read(out)


def test_exposure_with_and_without_rescue_is_a_ratio_marked_as_confounded() -> None:
    rows = collect_rescue(rescue_study())
    place = "rescue_ratio/CMAX/PCR/term=TOCILIZUMAB"
    # Geometric means 8 of 4 and 16, 2 of 1, 4 and 2.
    wanted = {
        "gmr": 4, "n_given": 2, "n_without": 3, "geomean_given": 8, "geomean_without": 2,
        "n_zero_given": 1, "n_zero_without": 0,
        "gcv_given": 100 * math.sqrt(math.expm1(2 * math.log(2) ** 2)),
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()))
    low, high = numbers(rows, place, "gmr_low", "gmr_high")
    assert low < 4 < high
    assert {rows[f"{place}/{n}"]["note_code"] for n in ("gmr", "gmr_low", "gmr_high")} == {
        "CONFOUND"
    }
    units = [rows[f"{place}/{name}"]["unit"] for name in ("geomean_given", "gcv_without", "gmr")]
    assert units == ["copies/ug", "%", ""]
    line = rows[f"{place}/gmr"]
    assert (line["n"], line["filter"]) == (5, "ERFL = Y")
    assert rows[f"{place}/values_given"]["value_text"] == "4; 16"
    # Of grade 1 nobody was given it; of grade 2 two were, one was not.
    grade = "rescue_by_grade/CMAX/PCR/grade={}/term=TOCILIZUMAB"
    one, two = grade.format(1), grade.format(2)
    assert numbers(rows, two, "n_given", "n_without", "geomean_without") == [2, 1, 2]
    assert rows[f"{two}/gmr"]["note_code"] == rows[f"{one}/gmr"]["note_code"] == "FEWSUBJ"
    assert rows[f"{two}/gcv_without"]["note_code"] == "FEWVAL"
    assert rows[f"{one}/geomean_given"]["note_code"] == "NOGROUP"
    assert rows[f"{two}/gmr"]["filter"] == "ERFL = Y and CRSGR = 2"
    steroid = rows["rescue_ratio/CMAX/PCR/term=STEROID/gmr"]
    assert steroid["note_code"] == "NOTCOLL"
    # One without a flag does not make all of them not collected.
    few = collect_rescue(rescue_study(TOCIFL=["Y"] + ["N"] * 5 + [""]))
    assert few[f"{place}/gmr"]["note_code"] == "FEWSUBJ"
    course = "rescue_course/TOCILIZUMAB/PCR/event=TO_PEAK"
    found = numbers(rows, course, "n", "median", "n_given", "n_unknown", "n_after")
    assert found == [1, 6, 3, 2, 1]
    line = rows[f"{course}/n_given"]
    assert (line["unit"], rows[f"{course}/median"]["unit"], line["n"]) == ("", "d", 1)
    assert line["filter"].startswith("ERFL = Y and TOCIFL = Y")


def test_what_crs_was_like_is_told_of_each_group_of_exposure() -> None:
    names = [f"S{i:03d}" for i in range(5)]
    episodes = pd.DataFrame(
        {
            **keys(names[0], names[2], names[3], names[3]), "AESI": "CRS",
            "ASTDY": [3.0, 5.0, 6.0, 40.0], "WORSTFL": ["Y", "Y", "", "Y"],
            "ONGOFL": ["N", "Y", "N", "N"], "ADURRSN": "", "ADURN": [4.0, 9.0, 2.0, 99.0],
            "TOCIDY": [4.0, NAN, 7.0, NAN], "STERDY": NAN,
        }
    )  # fmt: skip
    columns = {
        "CRSGR": [1.0, 0.0, 2.0, 3.0, NAN], "CRSONDY": [3.0, NAN, 5.0, 6.0, NAN], "ICANSGR": NAN,
        "ICANONDY": NAN,
    }  # fmt: skip
    study = make_study(
        {"CMAX": [1.0, 2.0, 4.0, NAN, 5.0]}, [0.0] * 5, CRS,
        settings(**{**PLAIN, "bins": 2, "min_per_bin": 2}), columns=columns,
        units={"CMAX": "copies/ug"}, adaesi=episodes,
    )  # fmt: skip
    out = ResultCollector("exposure_response")
    event_features.collect_event_features(study, out)
    rows = read(out)
    place = "event_features/CRS/PCR/bin={}/metric=CMAX"
    whole, low, high = place.format("ALL"), place.format("H1"), place.format("H2")
    names_of = ("n", "n_noexposure", "n_event", "n_toci", "duration_n", "duration_median")
    assert numbers(rows, whole, *names_of) == [4, 1, 2, 1, 1, 4]
    assert numbers(rows, low, "n", "n_event", "onset_median", "exposure_max") == [2, 1, 3, 2]
    assert numbers(rows, high, "n", "n_event", "pct_grade2", "exposure_min") == [2, 1, 100, 4]
    assert rows[f"{high}/duration_median"]["note_code"] == "NODURN"
    units = [rows[f"{whole}/{n}"]["unit"] for n in ("pct_event", "onset_max", "exposure_min", "n")]
    assert units == ["%", "d", "copies/ug", ""]
    line = rows[f"{low}/n"]
    assert (line["filter"], line["n"], line["dataset"]) == ("ERFL = Y", 2, "ADAESI")
    icans = rows["event_features/ICANS/PCR/bin=ALL/metric=CMAX/pct_event"]
    assert icans["note_code"] == "NOTCOLL"


def test_burden_moves_the_odds_ratio_of_the_same_subjects() -> None:
    # Within each burden the odds ratio is 4; of both together it is (10 x 10) / (4 x 4).
    table = {(0.0, 1.0): (2, 8), (0.0, 2.0): (2, 2), (1.0, 1.0): (2, 2), (1.0, 2.0): (8, 2)}
    burden, exposure, event = [], [], []
    for (z, x), (having, without) in table.items():
        burden += [z] * (having + without)
        exposure += [x] * (having + without)
        event += [1.0] * having + [0.0] * without
    pair = [{"endpoint": "CRSGE2", "metric": "CMAX"}]
    study = make_study(
        {"CMAX": [*exposure, 2.0]}, [*event, 1.0], CRS, settings(**{**PLAIN, "primary": pair}),
        columns={"LTBURDZ": [*burden, NAN]},
    )  # fmt: skip
    out = ResultCollector("exposure_response")
    confounding.collect_confounding(study, out)
    rows, place = read(out), "confounding/CRSGE2/PCR/metric=CMAX"
    found = numbers(rows, place, "or_unadjusted", "or_adjusted", "or_burden", "n", "events")
    assert found == pytest.approx([6.25, 4, 4, 28, 14], rel=1e-4)
    logs = numbers(rows, place, "log_or_unadjusted", "log_or_adjusted", "percent_change")
    change = 100 * (math.log(4) / math.log(6.25) - 1)
    assert logs == pytest.approx([math.log(6.25), math.log(4), change], rel=1e-4)
    line = rows[f"{place}/percent_change"]
    assert (line["unit"], line["n"], rows[f"{place}/model"]["value_text"]) == ("%", 28, "ML")
    assert line["filter"].startswith("ERFL = Y and")
    p = likelihood_ratio_p([(4, 10), (10, 4)])
    assert numbers(rows, place, "p_unadjusted") == pytest.approx([p])


AGE = Covariate(variable="AGE", kind="continuous")
SEX = Covariate(variable="SEX", kind="categorical")


def covariate_study(n: int = 40, **models: object) -> Study:
    chance = np.random.default_rng(3)
    age = np.linspace(20, 79, n)
    sex = np.tile(["F", "M", "M", "F", "M"], n // 5)
    log = -3 + 0.03 * age + 0.5 * (sex == "M") + chance.normal(0, 0.2, n)
    rules = {
        "full_model": ["AGE", "SEX"], "selection": ["AGE", "SEX"], "bootstrap_samples": 100,
        "selection_pairs": 25, "min_subjects_per_parameter": 5, **models,
    }  # fmt: skip
    given = settings(
        **{**PLAIN, "forest_metrics": ["CMAX"], "covariates": [AGE.model_dump(), SEX.model_dump()],
           "covariate_models": rules, "min_per_level": 5}
    )  # fmt: skip
    return make_study(
        {"CMAX": np.exp(log)}, [0.0] * n, CRS, given, columns={"AGE": age, "SEX": sex}
    )


def collect_covariates(study: Study) -> dict[str, pd.Series]:
    out = ResultCollector("exposure_response")
    covariate_exposure.collect_covariate_models(study, out)
    return read(out)


def test_all_covariates_at_once_have_the_ratios_of_least_squares() -> None:
    study = covariate_study()
    rows = collect_covariates(study)
    age = study.ader["AGE"].to_numpy()
    women = (study.ader["SEX"] == "F").to_numpy(dtype=float)
    y = np.log(study.ader["CMAX"].to_numpy())
    slopes = np.linalg.lstsq(np.column_stack([np.ones(40), age, women]), y, rcond=None)[0]
    step = np.quantile(age, 0.9) - np.quantile(age, 0.1)
    place = f"covariate_full/CMAX/PCR/covariate=AGE/level={CONTINUOUS_LEVEL}"
    ratio, low, high, boot_low, boot_high, complete, vif = numbers(
        rows, place, "gmr", "gmr_low", "gmr_high", "boot_low", "boot_high", "gmr_complete", "vif"
    )
    assert ratio == complete == pytest.approx(math.exp(slopes[1] * step))
    assert low < ratio < high and boot_low < ratio < boot_high
    r = np.corrcoef(age, women)[0, 1]
    assert vif == pytest.approx(1 / (1 - r**2))
    level = "covariate_full/CMAX/PCR/covariate=SEX/level=F"
    # 24 men are the reference of 16 women.
    found = numbers(rows, level, "gmr", "n", "n_level")
    assert found == pytest.approx([math.exp(slopes[2]), 40, 16])
    fit = estimate_linear(y, [np.column_stack([age, women])], ["a", "s"], 0.9)
    p = [item.p for item in fit.coefficients]
    assert numbers(rows, place, "p") + numbers(rows, level, "p") == pytest.approx(p)
    # Of two the smaller p is doubled, unless that exceeds the larger.
    q = [min(2 * min(p), max(p)) if value == min(p) else value for value in p]
    assert numbers(rows, place, "q") + numbers(rows, level, "q") == pytest.approx(q)
    model = "covariate_model/CMAX/PCR"
    wanted = [40, 2, 20, 1 / (1 - r**2), 0, fit.r_squared]
    names = ("n", "parameters", "subjects_per_parameter", "max_vif", "n_incomplete", "r_squared")
    assert numbers(rows, model, *names) == pytest.approx(wanted)
    assert rows[f"{model}/verdict"]["value_text"] == "IN_MODEL"
    line = rows[f"{model}/verdict"]
    assert (line["filter"], line["n"]) == ("ERFL = Y and CMAX > 0", 40)
    missing = "covariate_missing/CMAX/PCR/covariate=AGE"
    assert numbers(rows, missing, "n", "n_missing", "pct_missing") == [40, 0, 0]
    assert rows[f"{missing}/handling"]["value_text"] == "COMPLETE"


def test_a_full_model_is_refused_or_marked_by_its_limits() -> None:
    place = f"covariate_full/CMAX/PCR/covariate=AGE/level={CONTINUOUS_LEVEL}/gmr"
    verdict = "covariate_model/CMAX/PCR/verdict"
    rows = collect_covariates(covariate_study(min_subjects_per_parameter=20))
    assert rows[verdict]["value_text"] == "IN_MODEL"
    rows = collect_covariates(covariate_study(min_subjects_per_parameter=20.5))
    assert rows[verdict]["value_text"] == "REFUSED" and rows[place]["note_code"] == "SPPLOW"
    marked = collect_covariates(covariate_study(max_inflation=1.0000001))
    assert marked[verdict]["value_text"] == "COLLINEAR" and marked[place]["note_code"] == ""
    study = covariate_study()
    study.ader.loc[0, "AGE"] = NAN
    study.ader["SEX"] = ""
    rows = collect_covariates(study)
    age, sex = (f"covariate_missing/CMAX/PCR/covariate={name}" for name in ("AGE", "SEX"))
    assert numbers(rows, age, "n_missing", "pct_missing") == [1, 2.5]
    assert rows[f"{age}/handling"]["value_text"] == "IMPUTED"
    assert rows[f"{sex}/handling"]["value_text"] == "LEFT_OUT"
    assert rows[f"{sex}/reason"]["value_text"] == "NOTCOLL"
    assert numbers(rows, "covariate_model/CMAX/PCR", "parameters", "n_incomplete") == [1, 1]
    study.ader["CMAX"] = 0.0
    rows = collect_covariates(study)
    assert rows["covariate_model/CMAX/PCR/r_squared"]["note_code"] == "NOSUBJ"
    assert rows[f"{age}/pct_missing"]["note_code"] == "NOSUBJ"


def test_a_covariate_that_is_selected_has_its_sign_and_the_rule_its_bound(monkeypatch) -> None:
    from types import SimpleNamespace as Given

    asked = {}

    def stability(exposure, matrices, names, **more):
        asked.update(more)
        return Given(
            reason="", bound=0.5, frequency=(0.9, 0.2), simultaneous=(0.8, 0.1),
            selected=(True, False), positive=(0.5, NAN),
        )  # fmt: skip

    monkeypatch.setattr(covariate_exposure, "estimate_stability", stability)
    monkeypatch.setattr(
        covariate_exposure, "estimate_inclusion",
        lambda *given, **more: Given(frequency=(0.95, 0.3)),
    )  # fmt: skip
    study = covariate_study(selection_errors=4.0, selection_threshold=0.75)
    rows = collect_covariates(study)
    rule_of = "covariate_selection_rule/CMAX/PCR"
    # The root of 4 x (2 x 0.75 - 1) x 2 is 2.
    names = ("n", "candidates", "entering", "threshold", "halves", "bound", "samples")
    assert numbers(rows, rule_of, *names) == [40, 2, 2, 0.75, 50, 0.5, 100]
    assert asked["entering"] == 2 and asked["threshold"] == 0.75 and asked["pairs"] == 25
    age = f"covariate_selection/CMAX/PCR/covariate=AGE/level={CONTINUOUS_LEVEL}"
    sex = "covariate_selection/CMAX/PCR/covariate=SEX/level=F"
    found = numbers(rows, age, "frequency", "simultaneous", "boot_inclusion", "n")
    assert found == [0.9, 0.8, 0.95, 40]
    texts = [
        (rows[f"{one}/selected"]["value_text"], rows[f"{one}/sign"]["value_text"])
        for one in (age, sex)
    ]
    assert texts == [("SELECTED", "HIGHER"), ("NOT_SELECTED", "NONE")]
    low = Given(
        reason="", bound=0.5, frequency=(1, 1), simultaneous=(1, 1), selected=(True, True),
        positive=(0.49, 1.0),
    )  # fmt: skip
    monkeypatch.setattr(covariate_exposure, "estimate_stability", lambda *a, **b: low)
    rows = collect_covariates(study)
    signs = [rows[f"{one}/sign"]["value_text"] for one in (age, sex)]
    assert signs == ["LOWER", "HIGHER"]
    failed = Given(
        reason="FEWSUBJ", bound=NAN, frequency=(NAN, NAN), simultaneous=(NAN, NAN), selected=(),
        positive=(),
    )  # fmt: skip
    monkeypatch.setattr(covariate_exposure, "estimate_stability", lambda *a, **b: failed)
    rows = collect_covariates(study)
    assert rows[f"{rule_of}/bound"]["note_code"] == "FEWSUBJ"
    assert rows[f"{age}/selected"]["value_text"] == "NOT_DONE"
    assert rows[f"{age}/sign"]["value_text"] == "NONE"
    none = collect_covariates(covariate_study(selection=[]))
    assert none[f"{rule_of}/bound"]["note_code"] == "NOCOVAR"
    assert numbers(none, rule_of, "candidates", "entering") == [0, 0]
    assert not any(name.startswith("covariate_selection/") for name in none)

"""Models of markers against regressions of the same numbers, written out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study_by_hand import NAN, keys, make_study, numbers, read, rule, settings

from celldossier.exposure_response import biomarkers, repeated_markers
from celldossier.exposure_response.hazard import CURRENT
from celldossier.exposure_response.plan import PRIMARY, PlanCell
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector

PEAK = rule("IL6PEAK", "continuous", marker="IL6", statistic="PEAK", until=28.0, not_after="")
CMAX = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]
IL6 = [3.0, 20.0, 9.0, 80.0, 70.0, 400.0]
RULES = {"adjustments": ["UNADJUSTED"], "metrics": ["CMAX"], "primary": []}
LINE = "biomarker/IL6PEAK/PCR/adjustment=UNADJUSTED/metric=CMAX/population=PRIMARY"


def marker_rules(**more: object):
    return settings(**RULES, biomarkers={"metrics": ["CMAX"], "min_subjects": 4, **more})


def run(study: Study, cell: PlanCell | None = None, module=biomarkers):
    out = ResultCollector("exposure_response")
    found = module.run_cells(study, [cell] if cell else module.plan_cells(study), out)
    return found, read(out)


def test_a_marker_over_exposure_is_the_line_through_both_logarithms() -> None:
    study = make_study(
        {"CMAX": CMAX}, IL6, PEAK, marker_rules(),
        values={"BLQFL": ["Y", "N", "N", "N", "N", "N"], "AVALU": "pg/mL"},
        units={"CMAX": "copies/ug"},
    )  # fmt: skip
    found, rows = run(study)
    line = stats.linregress(np.log2(CMAX), np.log(IL6))
    half = stats.t.ppf(0.975, 4) * line.stderr
    wanted = {
        "ratio": math.exp(line.slope), "ratio_low": math.exp(line.slope - half),
        "ratio_high": math.exp(line.slope + half), "p": line.pvalue, "log_ratio": line.slope,
        "se": line.stderr, "r_squared": line.rvalue**2, "n": 6, "n_below": 1,
        "pct_below": 100 / 6, "n_er": 6,
    }  # fmt: skip
    assert numbers(rows, LINE, *wanted) == pytest.approx(list(wanted.values()))
    below = rows[f"{LINE}/pct_below"]
    assert (below["unit"], below["dataset"], below["filter"]) == ("%", "ADER", "ERFL = Y")
    assert (below["n"], below["method"][:13]) == (6, "least squares")
    assert not rows[f"{LINE}/ratio"]["note_code"]
    rank = "biomarker_rank/IL6PEAK/PCR/metric=CMAX"
    rho = stats.spearmanr(CMAX, IL6).statistic
    assert numbers(rows, rank, "rho", "n") == pytest.approx([rho, 6])
    low, high = numbers(rows, rank, "rho_low", "rho_high")
    assert low < rho < high <= 1
    assert (rows[f"{rank}/rho"]["filter"], rows[f"{rank}/rho"]["n"]) == ("ERFL = Y", 6)
    outcome = found.outcomes[0]
    assert (outcome.method, outcome.n, outcome.events, outcome.reason) == ("LS", 6, 6.0, "")
    assert outcome.p == pytest.approx(line.pvalue) and outcome.covariates == ()
    assert len(found.curves) == biomarkers.CURVE_POINTS
    first = found.curves[0]
    assert first["x"] == -1.0 and first["curve_id"] == "exposure_response.biomarker/IL6PEAK/CMAX"
    assert first["y"] == pytest.approx(math.exp(line.intercept - line.slope))


def test_a_marker_that_is_refused_has_the_reason_in_each_place() -> None:
    values = {"BLQFL": "N", "AVALU": "pg/mL"}
    study = make_study({"CMAX": CMAX}, [0.0, *IL6[1:]], PEAK, marker_rules(), values=values)
    found, rows = run(study)
    names = ("ratio", "ratio_low", "ratio_high", "p", "log_ratio", "se", "r_squared")
    assert {rows[f"{LINE}/{name}"]["note_code"] for name in names} == {"NOLOG"}
    assert np.isnan(numbers(rows, LINE, *names)).all() and not rows[f"{LINE}/n"]["method"]
    assert numbers(rows, LINE, "n", "pct_below") == [6, 0]
    # The rank needs no logarithm.
    assert numbers(rows, "biomarker_rank/IL6PEAK/PCR/metric=CMAX", "n") == [6]
    outcome = found.outcomes[0]
    assert (outcome.method, outcome.reason, len(found.curves)) == ("NONE", "NOLOG", 0)
    assert math.isnan(outcome.p)
    nobody = make_study({"CMAX": [NAN] * 6}, IL6, PEAK, marker_rules(), values=values)
    rows = run(nobody)[1]
    assert rows[f"{LINE}/pct_below"]["note_code"] == rows[f"{LINE}/ratio"]["note_code"] == "NOSUBJ"
    rank = rows["biomarker_rank/IL6PEAK/PCR/metric=CMAX/rho"]
    assert rank["note_code"] == "NOSUBJ"


def test_beside_a_covariate_the_slope_is_that_of_what_the_covariate_leaves() -> None:
    burden = [0.5, -1.0, 0.0, 1.0, -0.5, 0.25]
    rules = settings(
        **{**RULES, "adjustments": ["TUMOUR_BURDEN"]},
        biomarkers={"metrics": ["CMAX"], "min_subjects": 4}, max_correlation=0.99,
    )  # fmt: skip
    study = make_study(
        {"CMAX": CMAX}, IL6, PEAK, rules, values={"BLQFL": "N", "AVALU": "pg/mL"},
        columns={"LTBURDZ": burden},
    )  # fmt: skip
    found, rows = run(study)
    x, y = np.log2(CMAX), np.log(IL6)
    left = x - np.polyval(np.polyfit(burden, x, 1), burden)
    place = LINE.replace("UNADJUSTED", "TUMOUR_BURDEN")
    assert numbers(rows, place, "log_ratio") == pytest.approx([left @ y / (left @ left)])
    assert found.outcomes[0].covariates == ("LTBURDZ",)
    # Rank and curve stand beside the unadjusted model only.
    assert not found.curves and not any(name.startswith("biomarker_rank") for name in rows)


def test_all_samples_of_a_marker_are_those_after_its_medication_too() -> None:
    marker = rule(
        "IL6PEAK", "continuous", marker="IL6", statistic="PEAK", until=28.0,
        not_after="TOCILIZUMAB", specimen="",
    )  # fmt: skip
    names = [f"S{i:03d}" for i in range(6)]
    adpd = pd.DataFrame(
        {
            **keys(*names, "S005"), "PARAMCD": "IL6", "ASPEC": "SERUM", "BLQFL": "N",
            "ALLOQ": 1.0, "AFRLT": [2.0] * 6 + [5.0], "NFRLT": [2.0] * 6 + [5.0],
            "AVAL": [*IL6, 900.0], "ABLFL": "", "BASE": NAN, "AVALU": "pg/mL", "SRCROW": range(7),
        }
    )  # fmt: skip
    adcm = pd.DataFrame({**keys("S005"), "CMCLASS": "TOCILIZUMAB", "ASTDY": [3.0]})
    study = make_study(
        {"CMAX": CMAX}, IL6, marker, marker_rules(),
        values={"BLQFL": "N", "AVALU": "pg/mL", "SRCDS": "ADPD"}, adpd=adpd, adcm=adcm,
    )  # fmt: skip
    cells = [cell for cell in biomarkers.plan_cells(study) if cell.population != PRIMARY]
    assert [(cell.adjustment, cell.role) for cell in cells] == [("TUMOUR_BURDEN", "SENSITIVITY")]
    cell = PlanCell(marker, "CMAX", "LINEAR", "UNADJUSTED", biomarkers.ALL_SAMPLES, "SENSITIVITY")
    found, rows = run(study, cell)
    slope = stats.linregress(np.log2(CMAX), np.log([*IL6[:5], 900.0])).slope
    place = LINE.replace("PRIMARY", "ALL_SAMPLES")
    assert numbers(rows, place, "log_ratio") == pytest.approx([slope])
    assert not found.curves


WEEKS = [7.0, 14.0, 21.0]
NAMES = ["S000", "S001", "S002", "S003", "S004", "S005"]
REPEATED = rule("IL6RPT", "repeated", marker="IL6", until=28.0, not_after="", specimen="")
LEVELS = np.exp(
    [
        [1.8, 2.0, 1.7], [0.6, 1.2, 1.1], [1.8, 2.6, 3.6],
        [2.0, 1.8, 3.2], [3.1, 4.3, 5.0], [2.2, 2.1, 4.3],
    ]
)  # fmt: skip


def repeated_study(random: str, **more: object) -> Study:
    adpd = pd.DataFrame(
        {
            **keys(*np.repeat(NAMES, 3)), "PARAMCD": "IL6", "ASPEC": "SERUM", "BLQFL": "N",
            "ALLOQ": 1.0, "AFRLT": WEEKS * 6, "NFRLT": WEEKS * 6, "AVAL": LEVELS.ravel(),
            "ABLFL": "", "BASE": NAN, "AVALU": "pg/mL", "SRCROW": range(18),
        }
    )  # fmt: skip
    rules = marker_rules(random_effects=random, time_df=2, concurrent_window=1.0, **more)
    adpc = pd.DataFrame(
        {
            **keys(*np.repeat(NAMES, 3)), "PARAMCD": "PCR", "ANL01FL": "Y", "BLQFL": "N",
            "ALLOQ": 1.0, "AFRLT": WEEKS * 6, "AVAL": np.tile([8.0, 4.0, 2.0], 6),
        }
    )  # fmt: skip
    return make_study({"CMAX": CMAX}, [3.0] * 6, REPEATED, rules, adpd=adpd, adpc=adpc)


@pytest.mark.parametrize("random", ["INTERCEPT", "INTERCEPT_SLOPE"])
def test_where_all_have_the_same_days_a_mixed_model_is_the_regression_of_means_and_slopes(
    random: str,
) -> None:
    study = repeated_study(random)
    cell = PlanCell(REPEATED, "CMAX", "MIXED", "UNADJUSTED", PRIMARY, "SECONDARY")
    found, rows = run(study, cell, repeated_markers)
    x, y = np.log2(CMAX), np.log(LEVELS)
    means = stats.linregress(x, y.mean(axis=1))
    # Slope per week of each subject from days 7 and 21.
    weekly = stats.linregress(x, (y[:, 2] - y[:, 0]) / 2)
    place = "repeated/IL6RPT/PCR/adjustment=UNADJUSTED/metric=CMAX/population=PRIMARY"
    wanted = {
        "log_ratio": means.slope, "ratio": math.exp(means.slope), "se": means.stderr, "df": 4,
        "change": math.exp(weekly.slope), "n": 6, "values": 18, "n_noexposure": 0,
        "values_noexposure": 0, "pct_below": 0, "n_er": 6, "n_nooutcome": 0, "n_nocovariate": 0,
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()), rel=1e-4)
    half = stats.t.ppf(0.975, 4) * means.stderr
    limits = [math.exp(means.slope - half), math.exp(means.slope + half), means.pvalue]
    assert numbers(rows, place, "ratio_low", "ratio_high", "p") == pytest.approx(limits, rel=1e-3)
    low, middle, high, p = numbers(rows, place, "change_low", "change", "change_high", "p_change")
    # Limits of a t distribution lie at the same distance on the scale of the logarithm.
    assert low < middle < high and low * high == pytest.approx(middle**2)
    assert (p < 0.05) == (low > 1 or high < 1)
    line = rows[f"{place}/random"]
    assert (line["filter"], line["n"], line["dataset"]) == ("ERFL = Y", 6, "ADER")
    assert line["method"].startswith("linear mixed model")
    assert rows[f"{place}/pct_below"]["unit"] == "%"
    outcome = found.outcomes[0]
    assert (outcome.method, outcome.n, outcome.events, outcome.reason) == ("REML", 6, 18.0, "")
    assert outcome.p == pytest.approx(means.pvalue, rel=1e-3)
    if random == "INTERCEPT":
        assert line["value_text"] == "INTERCEPT"
        notes = {rows[f"{place}/{name}"]["note_code"] for name in ("sd_slope", "correlation")}
        assert notes == {"SINGULAR"}


def test_beside_the_concentration_at_the_time_there_is_no_change_with_time() -> None:
    study = repeated_study("INTERCEPT")
    # Higher by a factor of 2 in the second half of the subjects, so that time does not tell it.
    adpc = study.sources.adpc
    adpc.loc[9:, "AVAL"] *= 2
    adpc.loc[[0, 4, 13], "AVAL"] = [32.0, 1.0, 16.0]
    cell = PlanCell(REPEATED, CURRENT, "MIXED", "UNADJUSTED", PRIMARY, "SECONDARY")
    found, rows = run(study, cell, repeated_markers)
    place = f"repeated/IL6RPT/PCR/adjustment=UNADJUSTED/metric={CURRENT}/population=PRIMARY"
    assert rows[f"{place}/change"]["note_code"] == rows[f"{place}/p_change"]["note_code"]
    assert rows[f"{place}/change"]["note_code"] == "NOTAPPL"
    assert found.outcomes[0].method == "REML"
    ratio, low, high, log_ratio = numbers(
        rows, place, "ratio", "ratio_low", "ratio_high", "log_ratio"
    )
    assert ratio == pytest.approx(math.exp(log_ratio)) and low < ratio < high


def test_values_of_a_marker_without_exposure_covariate_or_limit_are_counted() -> None:
    study = repeated_study("INTERCEPT")
    study.ader["CMAX"] = [NAN, *CMAX[1:]]
    study.ader["LTBURDZ"] = [0.0, 1.0, 2.0, 3.0, NAN, 9.0]
    study.aderend.loc[[1, 5], "AVAL"] = [1.0, NAN]
    study.sources.adpd.loc[3, "BLQFL"] = "Y"
    study.sources.adpd.loc[6, "AVAL"] = NAN
    cell = PlanCell(REPEATED, "CMAX", "MIXED", "TUMOUR_BURDEN", PRIMARY, "SECONDARY")
    found = repeated_markers.select_values(study, cell)
    # Of six: one without values, one without burden, one without exposure; of 9 values one
    # that is missing.
    assert found.counts == {
        "n_er": 6, "n_nooutcome": 1, "n_nocovariate": 1, "n": 3, "n_noexposure": 1,
        "values": 8, "values_noexposure": 3,
    }  # fmt: skip
    assert found.rows["SUBJECT"].tolist() == [1, 1, 1, 2, 2, 3, 3, 3]
    assert found.rows["TIME"].tolist() == [7, 14, 21, 14, 21, 7, 14, 21]
    assert found.rows["X"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert found.rows["LTBURDZ"].tolist() == [1, 1, 1, 2, 2, 3, 3, 3]
    assert found.rows["LOGVALUE"].tolist()[:2] == pytest.approx([math.log(0.5), 1.2])
    assert found.pct_below == pytest.approx(100 / 8)
    assert (found.covariates, found.reason) == (("LTBURDZ",), "")
    study.ader["LTBURDZ"] = 1.0
    assert repeated_markers.select_values(study, cell).reason == "NOCOVAR"
    study.ader["CMAX"] = 0.0
    empty = repeated_markers.select_values(study, cell)
    assert empty.reason == "NOSUBJ" and math.isnan(empty.pct_below)
    rows = run(study, cell, repeated_markers)[1]
    place = "repeated/IL6RPT/PCR/adjustment=TUMOUR_BURDEN/metric=CMAX/population=PRIMARY"
    assert rows[f"{place}/pct_below"]["note_code"] == rows[f"{place}/ratio"]["note_code"]
    assert rows[f"{place}/ratio"]["note_code"] == "NOSUBJ"
    assert rows[f"{place}/random"]["value_text"] == "NONE"
    study = replace(study, aderend=study.aderend.assign(AVAL=NAN))
    assert repeated_markers.select_values(study, cell).reason == "NOTCOLL"


def test_values_of_a_marker_are_refused_by_subjects_limit_and_exposure() -> None:
    table = pd.DataFrame({"SUBJECT": [0, 1, 2, 3, 3], "X": [1.0, 2, 3, 4, 4]})
    rules = marker_rules(max_blq_share=0.5)

    def refuse(rows: pd.DataFrame, below: float) -> str:
        return repeated_markers._refuse(repeated_markers.Repeated(rows, (), {}, below), rules)

    assert refuse(table, 50.0) == "" and refuse(table, 50.5) == "BLQSHARE"
    assert refuse(table.iloc[1:], 0.0) == "FEWSUBJ"
    assert refuse(table.assign(X=2.0), 0.0) == "CONSTANT"


def test_repeated_markers_are_planned_with_the_concentration_and_one_metric() -> None:
    rules = settings(biomarkers={"metrics": ["CMAX", "AUC28"]})
    study = make_study({"CMAX": CMAX}, [3.0] * 6, REPEATED, rules)
    cells = [(cell.metric, cell.adjustment) for cell in repeated_markers.plan_cells(study)]
    assert cells == [
        (metric, adjustment)
        for metric in (CURRENT, "CMAX")
        for adjustment in ("UNADJUSTED", "TUMOUR_BURDEN")
    ]

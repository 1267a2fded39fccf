"""Models of binary outcomes, in parts and beside covariates, against tables of two by two."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize
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
    binary,
    covariate_outcomes,
    covariates,
    hazard,
    interaction,
    standalone,
    subgroups,
)
from celldossier.exposure_response.covariate_design import CONTINUOUS_LEVEL
from celldossier.exposure_response.marker_values import derive_marker
from celldossier.exposure_response.plan import LANDMARK, PRIMARY, PlanCell
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.covariates import Covariate

CRS = rule("CRSGE2", "binary", family="SAFETY", unknown_response=False, onset="", variable="")
PAIR = [{"endpoint": "CRSGE2", "metric": "CMAX"}]
PLAIN = {
    **LENIENT, "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"], "primary": PAIR,
    "primary_adjustment": "UNADJUSTED", "all_blq_sensitivity": False,
}  # fmt: skip
# Of two groups of twenty the odds ratio is 6 in the first and 1.5 in the second.
TABLES = (((2, 8), (6, 4)), ((4, 6), (5, 5)))


def joined() -> tuple[list[float], list[float]]:
    parts = [two_by_two(*table) for table in TABLES]
    return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]


def small_study(exposure: list[float], event: list[float], **more: object) -> Study:
    rules = settings(**{**PLAIN, **more.pop("rules", {})})
    return make_study({"CMAX": exposure}, event, CRS, rules, **more)


def test_each_subgroup_has_the_odds_ratio_of_its_own_table() -> None:
    exposure, event = joined()
    rules = {"subgroups": {"variables": [{"variable": "SEX"}], "min_events": 2}}
    columns = {"SEX": ["F"] * 20 + ["M"] * 20 + [""], "AGE": 1.0}
    study = small_study([*exposure, 2.0], [*event, 1.0], rules=rules, columns=columns)
    out = ResultCollector("exposure_response")
    subgroups.collect_subgroups(study, out)
    rows = read(out)
    place = "subgroup/CRSGE2/PCR/level=F/metric=CMAX/subgroup=SEX"
    other = place.replace("=F", "=M")
    names = ("or", "p", "n", "events", "n_left_out")
    p = [likelihood_ratio_p(table) for table in TABLES]
    assert numbers(rows, place, *names) == pytest.approx([6, p[0], 20, 8, 0], rel=1e-5)
    assert numbers(rows, other, *names) == pytest.approx([1.5, p[1], 20, 9, 0], rel=1e-5)
    low, high = numbers(rows, place, "or_low", "or_high")
    assert low < 6 < high and rows[f"{place}/or"]["note_code"] == ""
    test = "subgroup_interaction/CRSGE2/PCR/metric=CMAX/subgroup=SEX"
    # With a term for each of the four cells against one odds ratio for both groups.
    found = numbers(rows, test, "p", "q")
    assert found[0] == found[1]

    # Minus the likelihood of an odds ratio in common.
    def loss(params: np.ndarray) -> float:
        total = 0.0
        for g, table in enumerate(TABLES):
            for x, (having, without) in enumerate(table):
                linear = params[0] + params[1] * g + params[2] * x
                total -= having * linear - (having + without) * math.log1p(math.exp(linear))
        return total

    whole = sum(a * math.log(a / (a + b)) + b * math.log(b / (a + b)) for t in TABLES for a, b in t)
    gain = 2 * (whole + minimize(loss, np.zeros(3), tol=1e-12).fun)
    assert found[0] == pytest.approx(stats.chi2.sf(gain, 1), rel=1e-3)


def test_subgroups_are_not_compared_beyond_what_the_events_carry() -> None:
    exposure, event = joined()
    labels = pd.Series(["F"] * 20 + ["M"] * 20)
    cell = PlanCell(CRS, "CMAX", "LOGISTIC", "UNADJUSTED", PRIMARY, "SECONDARY")

    def compare(least: float, tested: tuple[str, ...] = ("F", "M")):
        study = small_study(exposure, event, rules={"min_events_per_parameter": least})
        return subgroups._test_interaction(study, cell, "SEX", labels, tested)

    # 17 of 40 have the event; exposure, level and product are three slopes.
    assert (compare(5.6).reason, compare(5.7).reason) == ("", "EPPLOW")
    assert compare(5.7).df == 1 and math.isnan(compare(5.7).p)
    assert compare(1, ("F",)).reason == compare(1, ()).reason == "ONESUBGR"
    few = small_study(exposure, [1 - v for v in event], rules={"min_events_per_parameter": 5.7})
    assert subgroups._test_interaction(few, cell, "SEX", labels, ("F", "M")).reason == "EPPLOW"


def test_the_ratio_of_two_odds_ratios_is_the_interaction_with_the_indication() -> None:
    exposure, event = joined()
    rules = {"confounding": {"modifiers": ["INDIC"]}, "min_per_level": 20}
    columns = {"INDIC": ["ALL"] * 20 + ["NHL"] * 20 + [""]}
    study = small_study([*exposure, 2.0], [*event, 1.0], rules=rules, columns=columns)
    out = ResultCollector("exposure_response")
    found = interaction.run_cells(study, interaction.plan_cells(study), out)
    rows, place = read(out), "interaction/CRSGE2/PCR/metric=CMAX/modifier=INDIC"
    # ALL is as frequent as NHL and first by name: 1.5 over 6.
    assert numbers(rows, place, "ratio", "n", "events") == pytest.approx([0.25, 40, 17], rel=1e-5)
    low, high, p = numbers(rows, place, "ratio_low", "ratio_high", "p")
    assert low < 0.25 < high and found.outcomes[0].p == p
    assert (rows[f"{place}/model"]["value_text"], rows[f"{place}/p"]["filter"]) == (
        "ML", "ERFL = Y",
    )  # fmt: skip
    for level, ratio, events in (("ALL", 6, 8), ("NHL", 1.5, 9)):
        one = f"interaction_level/CRSGE2/PCR/level={level}/metric=CMAX/modifier=INDIC"
        assert numbers(rows, one, "or", "n", "events") == pytest.approx([ratio, 20, events])
        assert rows[f"{one}/or"]["n"] == 40
    few = small_study(exposure, event, rules={**rules, "min_per_level": 21},
                      columns={"INDIC": ["ALL"] * 20 + ["NHL"] * 20})  # fmt: skip
    out = ResultCollector("exposure_response")
    one = interaction.run_cells(few, interaction.plan_cells(few), out).outcomes[0]
    assert (one.method, one.reason) == ("NONE", "FEWLEVEL") and math.isnan(one.p)
    assert read(out)[f"{place}/p"]["note_code"] == "FEWLEVEL"
    for values, reason in (("", "NOTCOLL"), ("ALL", "ONELEVEL")):
        alone = small_study(exposure, event, rules=rules, columns={"INDIC": values})
        model = interaction._prepare(alone, interaction.plan_cells(alone)[0], "INDIC")
        assert model.reason == reason


def test_the_odds_ratio_changes_with_burden_as_the_slope_of_its_logarithm() -> None:
    exposure, event = joined()
    rules = {"confounding": {"modifiers": ["LTBURDZ"], "burden_quantiles": [0.25, 0.5, 0.75]}}
    columns = {"LTBURDZ": [-1.0] * 20 + [3.0] * 20}
    study = small_study(exposure, event, rules=rules, columns=columns)
    out = ResultCollector("exposure_response")
    interaction.run_cells(study, interaction.plan_cells(study), out)
    rows, place = read(out), "interaction/CRSGE2/PCR/metric=CMAX/modifier=LTBURDZ"
    # By four units of burden the odds ratio falls from 6 to 1.5.
    assert numbers(rows, place, "ratio") == pytest.approx([0.25**0.25], rel=1e-5)
    for level, at, ratio in (("Q25", -1, 6), ("Q50", 1, 3), ("Q75", 3, 1.5)):
        one = f"interaction_level/CRSGE2/PCR/level={level}/metric=CMAX/modifier=LTBURDZ"
        assert numbers(rows, one, "at", "or", "n") == pytest.approx([at, ratio, 40], rel=1e-5)


def test_a_model_that_has_too_few_events_is_replaced_by_fishers_test() -> None:
    exposure, event = two_by_two((2, 8), (6, 4))
    study = small_study(exposure, event, columns={"TRT01A": ""})
    out = ResultCollector("exposure_response")
    binary.run_cells(study, binary.plan_cells(study), out)
    rows = read(out)
    place = "logistic/CRSGE2/PCR/adjustment=UNADJUSTED/metric=CMAX/population=PRIMARY"
    se = math.sqrt(1 / 2 + 1 / 8 + 1 / 6 + 1 / 4)
    wanted = {
        "or": 6, "log_or": math.log(6), "se": se, "p": likelihood_ratio_p([(2, 8), (6, 4)]),
        "n": 20, "events": 8, "auc_roc": 68 / 96, "separation": 0, "n_er": 20,
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()), rel=1e-5)
    line = rows[f"{place}/model"]
    assert (line["value_text"], line["filter"], line["n"]) == ("ML", "ERFL = Y", 20)
    assert not any(name.startswith("fisher") for name in rows)
    few = small_study(exposure, event, rules={"min_events": 9}, columns={"TRT01A": ""})
    out = ResultCollector("exposure_response")
    binary.run_cells(few, binary.plan_cells(few), out)
    rows = read(out)
    fisher = "fisher/CRSGE2/PCR/metric=CMAX/population=PRIMARY"
    found = numbers(rows, fisher, "events_high", "n_high", "events_low", "n_low", "p")
    assert found == pytest.approx([6, 10, 2, 10, stats.fisher_exact([[6, 4], [2, 8]])[1]])
    assert (rows[f"{fisher}/p"]["n"], rows[f"{fisher}/p"]["filter"]) == (20, "ERFL = Y")
    assert rows[f"{place}/auc_roc"]["note_code"] == rows[f"{place}/or"]["note_code"] == "FEWEVENT"
    same = small_study([3.0] * 20, event, rules={"min_events": 9}, columns={"TRT01A": ""})
    out = ResultCollector("exposure_response")
    binary.run_cells(same, binary.plan_cells(same), out)
    assert read(out)[f"{fisher}/p"]["note_code"] == "CONSTANT"


def test_the_cells_of_binary_endpoints_are_those_that_the_settings_ask_for() -> None:
    icans = rule(
        "ICANSGE2", "binary", family="SAFETY", unknown_response=True, onset="ICANONDY",
        variable="ICANSGR",
    )  # fmt: skip
    rules = {
        "primary": [], "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"], "landmarks": [7],
        "primary_adjustment": "TUMOUR_BURDEN", "metrics": ["CMAX", "CMAXTMAX"],
    }  # fmt: skip

    def plan(**more: object) -> list[tuple[str, ...]]:
        study = make_study({}, [0.0], icans, settings(**{**PLAIN, **rules, **more}))
        return [
            (cell.metric, cell.adjustment, cell.population, cell.unknown, cell.role)
            for cell in binary.plan_cells(study)
        ]

    whole = plan(all_blq_sensitivity=True, concurrent_crs=True)
    first = [row[2:] for row in whole if row[:2] == ("CMAX", "TUMOUR_BURDEN")]
    assert first == [
        ("PRIMARY", "NONRESPONDER", "SECONDARY"),
        ("UNKNOWN_EXCLUDED", "EXCLUDED", "SENSITIVITY"),
        ("BLQ_HALF_LLOQ", "NONRESPONDER", "SENSITIVITY"),
        ("CONCURRENT_CRS", "NONRESPONDER", "SENSITIVITY"),
    ]
    plain = [row[2] for row in whole if row[:2] == ("CMAX", "UNADJUSTED")]
    assert plain == ["PRIMARY", "UNKNOWN_EXCLUDED"]
    # Half the limit is known of some metrics only.
    rate = [row[2] for row in whole if row[:2] == ("CMAXTMAX", "TUMOUR_BURDEN")]
    assert rate == ["PRIMARY", "UNKNOWN_EXCLUDED", "CONCURRENT_CRS"]
    landmark = [row for row in whole if row[2] == LANDMARK]
    assert [row[:2] for row in landmark] == [("CLD7", "UNADJUSTED"), ("CLD7", "TUMOUR_BURDEN")]
    without = plan(all_blq_sensitivity=False, concurrent_crs=False)
    assert {row[2] for row in whole} - {row[2] for row in without} == {
        "BLQ_HALF_LLOQ", "CONCURRENT_CRS",
    }  # fmt: skip


AGE = Covariate(variable="AGE", kind="continuous")
SEX = Covariate(variable="SEX", kind="categorical")


def outcome_study(**more: object) -> Study:
    # Of 20 women 8 have the event, of 25 men 5; of one nothing is known.
    event = [1.0] * 8 + [0.0] * 12 + [1.0] * 5 + [0.0] * 20 + [1.0]
    sex = ["F"] * 20 + ["M"] * 25 + [""]
    chance = np.random.default_rng(5)
    rules = {
        "covariates": [AGE.model_dump(), SEX.model_dump()], "max_correlation": 0.99,
        "min_per_level": 2, "covariate_models": {
            "outcome_endpoints": ["CRSGE2"], "outcome_full_model": ["SEX", "AGE"],
            "imputations": 2,
        },
    }  # fmt: skip
    return small_study(
        list(2.0 ** chance.normal(0, 1, 46)), event, rules={**rules, **more.pop("rules", {})},
        columns={"SEX": sex, "AGE": 40 + 5 * chance.normal(0, 1, 46), **more},
    )  # fmt: skip


def collect_outcomes(study: Study) -> dict[str, pd.Series]:
    out = ResultCollector("exposure_response")
    covariate_outcomes.collect_outcome_covariates(study, out)
    return read(out)


def test_a_covariate_alone_has_the_odds_ratio_of_its_table() -> None:
    rows = collect_outcomes(outcome_study())
    place = "covariate_outcome/CRSGE2/PCR/covariate=SEX/level=F/model=TOTAL"
    assert numbers(rows, place, "ratio", "n", "events") == pytest.approx([8 / 12 * 4, 45, 13])
    p = likelihood_ratio_p([(8, 12), (5, 20)])
    assert numbers(rows, place, "p") == pytest.approx([p])
    low, high, q = numbers(rows, place, "ratio_low", "ratio_high", "q")
    assert low < 8 / 3 < high and p <= q <= 2 * p + 1e-12
    texts = [rows[f"{place}/{name}"]["value_text"] for name in ("measure", "model")]
    assert texts == ["OR", "ML"]
    line = rows[f"{place}/ratio"]
    assert (line["filter"], line["n"]) == ("ERFL = Y", 45)
    assert f"{place}/ratio_complete" not in rows
    beside = place.replace("TOTAL", "WITH_EXPOSURE")
    assert numbers(rows, beside, "ratio")[0] != pytest.approx(8 / 3, rel=1e-6)
    full = place.replace("TOTAL", "FULL")
    assert numbers(rows, full, "n", "n_complete") == [46, 45]
    missing = "covariate_outcome_missing/CRSGE2/PCR/covariate={}/model=FULL"
    sex, age = missing.format("SEX"), missing.format("AGE")
    assert numbers(rows, sex, "n", "n_missing") == [46, 1]
    handling = [rows[f"{one}/handling"]["value_text"] for one in (sex, age)]
    assert handling == ["IMPUTED", "COMPLETE"]
    assert (rows[f"{sex}/n"]["filter"], rows[f"{sex}/n"]["n"]) == ("ERFL = Y", 46)
    model = "covariate_outcome_model/CRSGE2/PCR/model=FULL_WITH_EXPOSURE"
    assert numbers(rows, model, "parameters", "n", "events") == [3, 46, 14]
    assert rows[f"{model}/verdict"]["value_text"] == "IN_MODEL"


def test_covariates_left_out_of_an_outcome_say_why_and_count_nobody() -> None:
    study = outcome_study(SEX="", AGE=40.0)
    rows = collect_outcomes(study)
    for name, reason in (("SEX", "NOTCOLL"), ("AGE", "CONSTANT")):
        for model in covariate_outcomes.MODELS:
            place = f"covariate_outcome/CRSGE2/PCR/covariate={name}/level=NONE/model={model}"
            assert rows[f"{place}/ratio"]["note_code"] == reason
            assert numbers(rows, place, "n", "events") == [46, 14]
            assert rows[f"{place}/model"]["value_text"] == "NONE"
        missing = f"covariate_outcome_missing/CRSGE2/PCR/covariate={name}/model=FULL"
        assert rows[f"{missing}/handling"]["value_text"] == "LEFT_OUT"
        assert rows[f"{missing}/reason"]["value_text"] == reason
    model = "covariate_outcome_model/CRSGE2/PCR/model=FULL"
    assert rows[f"{model}/events_per_parameter"]["note_code"] == "NOCOVAR"
    few = collect_outcomes(outcome_study(rules={"min_events": 15}))
    place = "covariate_outcome/CRSGE2/PCR/covariate=SEX/level=F/model=TOTAL"
    assert few[f"{place}/ratio"]["note_code"] == few[f"{place}/p"]["note_code"] == "FEWEVENT"
    assert few[f"{place}/ratio"]["method"] == ""
    # A level of two subjects has no ratio where three are asked for.
    levels = ["F"] * 20 + ["M"] * 24 + ["X"] * 2
    third = collect_outcomes(outcome_study(SEX=levels, rules={"min_per_level": 3}))
    place = place.replace("=F", "=X")
    assert third[f"{place}/ratio"]["note_code"] == "FEWLEVEL"


def test_the_forest_has_the_ratio_of_geometric_means_and_of_a_step() -> None:
    ader = pd.DataFrame(
        {
            "ERFL": ["Y"] * 7 + ["N"], "CMAX": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0, 9.0],
            "SEX": ["F", "F", "F", "M", "M", "M", "M", "F"],
            "AGE": [20.0, 30, 40, 50, 60, 70, 99, 99],
        }
    )  # fmt: skip
    rules = settings(
        **{**PLAIN, "forest_metrics": ["CMAX"], "min_per_level": 2,
           "covariates": [AGE.model_dump(), {**SEX.model_dump(), "reference": "F"}]}
    )  # fmt: skip
    out = ResultCollector("exposure_response")
    covariates.collect_forest(ader, rules, out)
    rows = read(out)
    age = f"covariate_forest/CMAX/PCR/covariate=AGE/level={CONTINUOUS_LEVEL}"
    # A doubling by ten years; from the 10th to the 90th percentile of the six are forty.
    assert numbers(rows, age, "gmr", "n") == pytest.approx([16, 6])
    sex = "covariate_forest/CMAX/PCR/covariate=SEX/level=M"
    found = numbers(rows, sex, "gmr", "n", "n_reference", "p")
    p = stats.ttest_ind([0, 1, 2], [3, 4, 5]).pvalue
    assert found == pytest.approx([8, 3, 3, p])
    low, high = numbers(rows, sex, "gmr_low", "gmr_high")
    half = stats.t.ppf(0.5 + rules.ratio_confidence_level / 2, 4) * math.sqrt(2 / 3)
    assert [low, high] == pytest.approx([8 * 2**-half, 8 * 2**half])
    line = rows[f"{sex}/gmr"]
    assert (line["filter"], line["n"]) == ("ERFL = Y and CMAX > 0", 3)
    assert rows[f"{sex}/reference"]["value_text"] == "F"
    out = ResultCollector("exposure_response")
    covariates.collect_forest(ader.assign(AGE=NAN, SEX="F"), rules, out)
    rows = read(out)
    notes = {rows[f"{age}/{name}"]["note_code"] for name in ("gmr", "gmr_low", "p", "q")}
    assert notes == {"NOTCOLL"}
    assert rows[f"{sex}/gmr".replace("=M", "=F")]["note_code"] == "ONELEVEL"


def test_values_of_a_marker_after_its_medication_do_not_count() -> None:
    marker = rule(
        "IL6PEAK", "continuous", marker="IL6", statistic="PEAK", until=28.0,
        not_after="TOCILIZUMAB", specimen="",
    )  # fmt: skip
    adpd = pd.DataFrame(
        {
            **keys("A", "A", "A", "B"), "PARAMCD": "IL6", "ASPEC": "SERUM", "BLQFL": "N",
            "ALLOQ": 1.0, "AFRLT": [2.0, 3.0, 5.0, 9.0], "NFRLT": NAN,
            "AVAL": [10.0, 20.0, 900.0, 7.0], "ABLFL": "", "BASE": NAN, "AVALU": "pg/mL",
            "SRCROW": range(4),
        }
    )  # fmt: skip
    adcm = pd.DataFrame(
        {
            **keys("A", "A", "A", "B"), "ASTDY": [4.0, 3.0, -2.0, 1.0],
            "CMCLASS": ["TOCILIZUMAB"] * 3 + ["STEROID"],
        }
    )  # fmt: skip
    study = make_study({}, [0.0], marker, settings(**PLAIN), adpd=adpd, adcm=adcm)
    ader = pd.DataFrame(keys("A", "B"))
    # The first dose after the infusion is on day 3; the value of that day still counts.
    assert derive_marker(study.sources, ader, marker)["AVAL"].tolist() == [20.0, 7.0]
    whole = derive_marker(study.sources, ader, marker, all_samples=True)
    assert whole["AVAL"].tolist() == [900.0, 7.0]


def test_a_daily_hazard_has_the_odds_ratio_of_days_at_either_concentration(monkeypatch) -> None:
    # Days at a low and at a high concentration: 4 of 40 and 9 of 30 with an onset.
    exposure, event = two_by_two((4, 36), (9, 21))
    days = hazard.AtRisk(
        np.array(event), np.ones(70), np.log2(exposure), np.zeros((70, 0)), (),
        {"n": 7.0, "events": 13.0, "days": 70.0},
    )  # fmt: skip
    monkeypatch.setattr(hazard, "select_days", lambda *given: days)
    monkeypatch.setattr(hazard, "make_baseline", lambda day, event, df, kind: np.zeros((70, 0)))
    cell = PlanCell(CRS, "CCURR", "HAZARD", "UNADJUSTED", "AT_RISK", "SENSITIVITY")

    def run(**rules: object):
        out = ResultCollector("exposure_response")
        found = hazard.run_cells(small_study([1.0], [0.0], rules=rules), [cell], out)
        return found.outcomes[0], read(out)

    one, rows = run()
    place = "hazard/CRSGE2/PCR/adjustment=UNADJUSTED/metric=CCURR/population=AT_RISK"
    ratio = (9 / 21) / (4 / 36)
    assert numbers(rows, place, "or", "n", "events", "days") == pytest.approx([ratio, 7, 13, 70])
    p = likelihood_ratio_p([(4, 36), (9, 21)])
    assert numbers(rows, place, "p", "baseline_df") == pytest.approx([p, 0])
    assert (one.method, one.n, one.events, one.reason) == ("ML", 7, 13.0, "")
    assert one.p == pytest.approx(p)
    line = rows[f"{place}/model"]
    assert (line["value_text"], line["filter"], line["n"]) == ("ML", "ERFL = Y", 7)
    assert line["method"].startswith("days at risk: logistic")
    one, rows = run(min_events=14)
    assert (one.method, one.reason) == ("NONE", "FEWEVENT") and math.isnan(one.p)
    assert rows[f"{place}/baseline_df"]["note_code"] == "FEWEVENT"
    assert rows[f"{place}/or"]["method"] == ""


def test_the_baseline_of_a_hazard_has_the_columns_that_the_events_carry() -> None:
    def columns(events: int, covariates: int, least: float, most: int) -> int:
        chosen = hazard.AtRisk(
            np.ones(events), np.ones(events), np.ones(events), np.zeros((events, covariates)),
            (), {},
        )  # fmt: skip
        rules = settings(**{**PLAIN, "min_events_per_parameter": least,
                            "hazard": {"baseline_df": most}})  # fmt: skip
        return hazard._baseline_df(chosen, rules)

    # 17 events at 5 each carry three: less the exposure two, less a covariate one.
    assert [columns(17, 0, 5, 4), columns(17, 1, 5, 4), columns(17, 2, 5, 4)] == [2, 1, 1]
    assert columns(60, 0, 5, 4) == 4


def test_a_table_alone_is_answered_by_its_odds_or_its_rates() -> None:
    exposure, event = two_by_two((2, 8), (6, 4))
    data = pd.DataFrame({"x": exposure, "y": event, "t": [2.0] * 10 + [4.0] * 10})
    found = standalone.estimate_table(data, "y", "x", log2=True, settings=settings(**PLAIN))
    slope = found.loc[found["TERM"].str.contains("x")].iloc[0]
    assert slope["ESTIMATE"] == pytest.approx(math.log(6))
    assert (slope["N"], slope["EVENTS"], slope["METHOD"]) == (20, 8, "ML")
    assert slope["P"] == pytest.approx(likelihood_ratio_p([(2, 8), (6, 4)]))
    few = standalone.estimate_table(
        data, "y", "x", log2=True, settings=settings(**{**PLAIN, "min_events": 9})
    )
    assert set(few["REASND"]) == {"FEWEVENT"} and few["ESTIMATE"].isna().all()
    counted = standalone.estimate_table(data, "y", "x", model="poisson", log2=True, time="t")
    slope = counted.loc[counted["TERM"].str.contains("x")].iloc[0]
    # Rates of 2 in 20 and of 6 in 40.
    assert slope["ESTIMATE"] == pytest.approx(math.log(1.5))
    assert slope["SE"] == pytest.approx(math.sqrt(1 / 2 + 1 / 6))
    assert (slope["EVENTS"], slope["METHOD"]) == (8, "POISSON")

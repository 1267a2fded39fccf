"""Evaluation and sensitivity analyses against tables of two by two and matched pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study_by_hand import (
    LENIENT,
    NAN,
    keys,
    likelihood_ratio_p,
    make_study,
    numbers,
    read,
    rule,
    selection,
    settings,
    two_by_two,
)

from celldossier.exposure_response import evaluation, leave_out, sensitivity
from celldossier.exposure_response.binary_fits import fit_selection
from celldossier.exposure_response.model_rows import fit_model
from celldossier.exposure_response.plan import PRIMARY, PlanCell, select_subjects
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.stats.model_validation import Optimism

CRS = rule("CRSGE2", "binary", family="SAFETY", unknown_response=False)
PLAIN = {
    **LENIENT, "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"],
    "primary_adjustment": "UNADJUSTED", "primary": [{"endpoint": "CRSGE2", "metric": "CMAX"}],
}  # fmt: skip
CELL = PlanCell(CRS, "CMAX", "LOGISTIC", "UNADJUSTED", PRIMARY, "PRIMARY")
WHERE = "CRSGE2/PCR/adjustment=UNADJUSTED"
# Two of ten with the event at an exposure of 1, six of ten at 2: an odds ratio of 6.
EXPOSURE, EVENT = two_by_two((2, 8), (6, 4))


def small_study(**more: object) -> Study:
    rules = settings(**{**PLAIN, **more.pop("rules", {})})
    exposure = more.pop("exposure", EXPOSURE)
    return make_study({"CMAX": exposure}, more.pop("event", EVENT), CRS, rules, **more)


def run(study: Study, population: str) -> tuple[object, dict[str, pd.Series], str]:
    cells = [cell for cell in sensitivity.plan_cells(study) if cell.population == population]
    out = ResultCollector("exposure_response")
    found = sensitivity.run_cells(study, cells, out)
    place = f"sensitivity/{WHERE}/metric=CMAX/population={population}"
    return found.outcomes[0], read(out), place


def test_each_primary_model_is_planned_in_each_other_way() -> None:
    study = small_study(rules={"sensitivity": {"strata": ["SITEID"]}})
    cells = sensitivity.plan_cells(study)
    assert [(cell.population, cell.model) for cell in cells] == [
        ("OTHER_ANALYTE", "LOGISTIC"), ("OUTLIER_REMOVED", "LOGISTIC"), ("RANK", "LOGISTIC"),
        ("DOSE_IN_WINDOW", "LOGISTIC"), ("STRATIFIED_SITEID", "CONDITIONAL"),
        ("PER_BURDEN", "LOGISTIC"),
    ]  # fmt: skip
    assert {cell.role for cell in cells} == {"SENSITIVITY"}
    without = small_study(rules={"confounding": {"exposure_to_burden": False}})
    populations = [cell.population for cell in sensitivity.plan_cells(without)]
    assert "PER_BURDEN" not in populations


def test_the_other_analyte_has_the_odds_ratio_of_its_own_exposure() -> None:
    other, event = two_by_two((1, 9), (5, 5), least=4.0)
    names = [f"S{i:03d}" for i in range(20)]
    adpp = pd.DataFrame(
        {
            **keys(*names), "PARCAT1": "FLOW", "PROFTYP": "COURSE", "PARAMCD": "CMAX",
            "AVAL": other,
        }
    )  # fmt: skip
    adpp.loc[[0, 19], "AVAL"] = [0.0, NAN]
    wrong = adpp.assign(AVAL=777.0)
    adpp = pd.concat(
        [wrong.assign(PARCAT1="PCR"), adpp, wrong.assign(PROFTYP="DOSE"), wrong.assign(PARAMCD="X")]
    )
    study = small_study(event=event, adpp=adpp)
    one, rows, place = run(study, "OTHER_ANALYTE")
    # A subject with the event at the low, one without it at the high exposure have none.
    assert numbers(rows, place, "n", "events", "n_primary") == [18, 5, 20]
    # None of nine and five of nine: Firth's half a subject more in each cell.
    assert numbers(rows, place, "or") == pytest.approx([5.5 / 4.5 / (0.5 / 9.5)], rel=1e-6)
    assert (one.method, rows[f"{place}/or"]["note_code"]) == ("FIRTH", "SEPARFIX")
    adpp = adpp.assign(AVAL=[777.0] * 20 + other + [777.0] * 40)
    one, rows, place = run(small_study(event=event, adpp=adpp), "OTHER_ANALYTE")
    assert numbers(rows, place, "or", "n", "events") == pytest.approx([9, 20, 6])
    assert one.p == pytest.approx(likelihood_ratio_p([(1, 9), (5, 5)]))
    assert (one.method, one.n, one.events, one.reason) == ("ML", 20, 6.0, "")
    line = rows[f"{place}/model"]
    assert (line["value_text"], line["filter"], line["n"]) == ("ML", "ERFL = Y", 20)
    assert line["method"].startswith("logistic, maximum likelihood")
    same = small_study(event=event, adpp=adpp, rules={"sensitivity": {"other_analyte": "PCR"}})
    one, rows, place = run(same, "OTHER_ANALYTE")
    assert one.reason == rows[f"{place}/or"]["note_code"] == "SAMEANAL"
    assert (one.method, rows[f"{place}/or"]["method"]) == ("NONE", "") and math.isnan(one.p)


def test_the_rank_of_an_exposure_counts_in_quarters_of_the_subjects() -> None:
    study = small_study(exposure=[0.0] * 10 + [7.0] * 10)
    chosen = sensitivity._rank(study, CELL)
    # Mid-ranks of 5.5 and 15.5 of 20: a tenth of ten is 2 quarters apart.
    assert sorted(set(chosen.exposure)) == pytest.approx([1.1, 3.1])
    one, rows, place = run(study, "RANK")
    assert numbers(rows, place, "or", "n", "n_primary") == pytest.approx([math.sqrt(6), 20, 10])
    assert one.p == pytest.approx(likelihood_ratio_p([(2, 8), (6, 4)]))


def test_subjects_of_an_exposure_given_are_those_with_outcome_and_covariate() -> None:
    study = small_study(
        exposure=[0.0, 1.0, 2.0, 3.0, 4.0, NAN], event=[0.0, 1.0, NAN, 1.0, 0.0, 1.0],
        columns={"ERFL": ["Y", "Y", "Y", "Y", "N", "Y"], "LTBURDZ": [1.0, 2, 3, NAN, 5, 6]},
    )  # fmt: skip
    adjusted = PlanCell(CRS, "CMAX", "LOGISTIC", "TUMOUR_BURDEN", PRIMARY, "PRIMARY")

    def select(cell: PlanCell, **columns: object):
        given = Given(
            ader=study.ader.assign(**columns), settings=study.settings, values=study.values
        )
        return sensitivity._select_all(given, cell, given.ader["CMAX"])

    found = select(CELL)
    assert (found.subjects.tolist(), found.exposure.tolist()) == ([0, 1, 3], [0, 1, 3])
    assert (found.event.tolist(), found.reason) == ([0, 1, 1], "")
    found = select(adjusted)
    assert (found.subjects.tolist(), found.reason) == ([0, 1], "")
    assert found.covariates["LTBURDZ"].tolist() == [1, 2]
    assert select(adjusted, LTBURDZ=1.0).reason == "NOCOVAR"
    assert select(CELL, CMAX=NAN).reason == "NOTCOLL"
    assert select(CELL, CMAX=[NAN] * 2 + [5.0] + [NAN] * 3).reason == "NOSUBJ"
    assert select(CELL, ERFL="N").reason == "NOTCOLL"


def test_pairs_matched_by_site_have_the_ratio_of_the_discordant_ones() -> None:
    # In eight sites the one with the event had the high exposure, in two the low one; in a
    # ninth both had the event, which says nothing.
    pairs = [(2.0, 1.0)] * 8 + [(1.0, 2.0)] * 2 + [(1.0, 2.0)]
    exposure = [value for pair in pairs for value in pair]
    event = [1.0, 0.0] * 10 + [1.0, 1.0]
    names = [f"S{i:03d}" for i in range(22)]
    adsl = pd.DataFrame({**keys(*names), "SITEID": np.repeat([f"C{i}" for i in range(11)], 2)})
    study = small_study(
        exposure=exposure, event=event, adsl=adsl, rules={"sensitivity": {"strata": ["SITEID"]}}
    )
    one, rows, place = run(study, "STRATIFIED_SITEID")
    assert numbers(rows, place, "or", "n", "events", "n_primary") == pytest.approx([4, 20, 10, 22])
    gain = 2 * (8 * math.log(0.8) + 2 * math.log(0.2) - 10 * math.log(0.5))
    assert one.p == pytest.approx(stats.chi2.sf(gain, 1))
    assert numbers(rows, place, "p") == [one.p]
    low, high = numbers(rows, place, "or_low", "or_high")
    assert low < 4 < high
    line = rows[f"{place}/model"]
    assert line["value_text"] == one.method == "CONDITIONAL"
    assert line["method"].startswith("conditional logistic")
    chosen, stratum = sensitivity._stratify(
        study, PlanCell(CRS, "CMAX", "X", "UNADJUSTED", "STRATIFIED_SITEID", ""),
        select_subjects(study, CELL),
    )  # fmt: skip
    found, reason = sensitivity._fit_conditionally(study, chosen, stratum)
    assert reason == "" and found.se == pytest.approx(math.sqrt(1 / 8 + 1 / 2), rel=1e-4)
    # Without the two the odds ratio has no end.
    none = small_study(
        exposure=exposure[:16], event=event[:16], adsl=adsl,
        rules={"sensitivity": {"strata": ["SITEID"]}},
    )  # fmt: skip
    one, rows, place = run(none, "STRATIFIED_SITEID")
    assert one.reason == rows[f"{place}/or"]["note_code"] == "SEPAR"
    assert (one.method, rows[f"{place}/or"]["method"]) == ("NONE", "")
    few = small_study(
        exposure=exposure, event=event, adsl=adsl,
        rules={"sensitivity": {"strata": ["SITEID"]}, "min_events": 11},
    )  # fmt: skip
    assert run(few, "STRATIFIED_SITEID")[0].reason == "FEWEVENT"
    # Sites of several with the event: one of two by two, in which no order of events is made.
    tied = small_study(
        exposure=[1.0, 1.0, 2.0, 2.0, 1.0, 2.0] * 2, event=[1.0, 0.0, 1.0, 1.0, 1.0, 0.0] * 2,
        adsl=adsl.iloc[:12].assign(SITEID="C1", MFGSITE=["A"] * 6 + ["B"] * 6),
        rules={"sensitivity": {"strata": ["MFGSITE"]}},
    )  # fmt: skip
    _, rows, place = run(tied, "STRATIFIED_MFGSITE")
    # Of four with the event among three of each exposure, odds w: the chance of two with the
    # high one is 9 w^2 / (3 w + 9 w^2 + 3 w^3), at its highest where w is 1.
    assert numbers(rows, place, "or") == pytest.approx([1], abs=1e-4)
    assert numbers(rows, place, "p") == pytest.approx([1], abs=1e-4)


def test_subjects_without_a_stratum_and_strata_of_one_outcome_are_left_out() -> None:
    names = [f"S{i:03d}" for i in range(8)]
    adsl = pd.DataFrame({**keys(*names), "SITEID": ["", "", "A", "A", "B", "B", "C", "C"]})
    event = [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    study = small_study(exposure=[1.0] * 8, event=event, adsl=adsl)
    cell = replace(CELL, population="STRATIFIED_SITEID")
    chosen, stratum = sensitivity._stratify(study, cell, select_subjects(study, CELL))
    assert stratum.tolist() == ["C", "C"] and chosen.event.tolist() == [0, 1]
    assert chosen.subjects.tolist() == [6, 7]


def test_without_outliers_or_doses_outside_the_others_have_their_odds_ratio() -> None:
    # One at 2^10 among ten and ten; median deviations of half a doubling, scaled 0.74.
    exposure, event = [*EXPOSURE, 1024.0], [*EVENT, 0.0]
    names = [f"S{i:03d}" for i in range(21)]
    adex = pd.DataFrame(
        {
            **keys(*names), "DOSETYPE": "", "EXCAT": "CELL PRODUCT", "AFRLT": 0.0,
            "INWINFL": ["Y"] * 20 + ["N"],
        }
    )  # fmt: skip
    adsl = pd.DataFrame({**keys(*names), "TBURDBL": 1.0, "TBURDU": "mm2"})
    study = small_study(exposure=[2.0 ** (i % 2) for i in range(20)] + [1024.0], event=event,
                        adex=adex, adsl=adsl)  # fmt: skip
    _, rows, place = run(study, "DOSE_IN_WINDOW")
    assert numbers(rows, place, "n", "n_primary", "events") == [20, 21, 8]
    study = small_study(exposure=exposure, event=event, adex=adex, adsl=adsl)
    _, rows, place = run(study, "DOSE_IN_WINDOW")
    assert numbers(rows, place, "or") == pytest.approx([6])
    # Ratio to the same burden in all: the exposure itself.
    adsl["TBURDBL"] = [4.0] * 20 + [0.0]
    _, rows, place = run(study, "PER_BURDEN")
    assert numbers(rows, place, "or", "n") == pytest.approx([6, 20])
    many = small_study(exposure=[0.5] * 10 + EXPOSURE + [1024.0], event=[0.0, 1.0] * 5 + event,
                       adex=adex, adsl=adsl)  # fmt: skip
    _, rows, place = run(many, "OUTLIER_REMOVED")
    assert numbers(rows, place, "n", "n_primary") == [30, 31]


def test_a_selection_that_is_refused_already_keeps_its_reason() -> None:
    study = small_study(exposure=[NAN] * 20, adex=None, adsl=pd.DataFrame(
        {**keys("S000"), "TBURDBL": 1.0, "TBURDU": "", "SITEID": ""}
    ))  # fmt: skip
    for population in ("OUTLIER_REMOVED", "DOSE_IN_WINDOW", "PER_BURDEN", "STRATIFIED_SITEID"):
        one, rows, place = run(study, population)
        assert one.reason == rows[f"{place}/or"]["note_code"] == "NOSUBJ"


def test_each_level_is_left_out_in_turn() -> None:
    names = [f"S{i:03d}" for i in range(20)]
    # Site B holds one of each exposure without the event and one high with it.
    site = ["A"] * 20
    site[9], site[15], site[19] = "B", "B", "B"
    adsl = pd.DataFrame({**keys(*names), "SITEID": site, "INDIC": "ALL"})
    rules = {"evaluation": {"leave_out": ["SITEID", "INDIC"]}}
    study = small_study(adsl=adsl, rules=rules)
    result = fit_selection(CELL, select_subjects(study, CELL), study.settings)
    out = ResultCollector("exposure_response")
    leave_out.collect_leave_out(study, [result], out)
    rows = read(out)
    place = "leave_out/CRSGE2/PCR/factor=SITEID/level="
    without = numbers(rows, f"{place}B/metric=CMAX", "or", "n", "n_left_out", "events")
    assert without == pytest.approx([(5 / 3) / (2 / 7), 17, 3, 7])
    line = rows[f"{place}B/metric=CMAX/or"]
    assert (line["filter"], line["n"]) == ("ERFL = Y and SITEID not B", 17)
    assert line["method"].startswith("logistic, maximum likelihood")
    # Left with B alone the event is told by nothing but the high exposure.
    assert numbers(rows, f"{place}A/metric=CMAX", "n", "n_left_out") == [3, 17]
    one = rows["leave_out/CRSGE2/PCR/factor=INDIC/level=ALL/metric=CMAX/or"]
    assert (one["note_code"], one["method"]) == ("ONELEVEL", "")
    assert rows["leave_out/CRSGE2/PCR/factor=INDIC/level=ALL/metric=CMAX/model"][
        "value_text"
    ] == "NONE"  # fmt: skip
    study.sources.adsl["INDIC"] = ""
    out = ResultCollector("exposure_response")
    leave_out.collect_leave_out(study, [result], out)
    none = read(out)["leave_out/CRSGE2/PCR/factor=INDIC/level=NONE/metric=CMAX/or"]
    assert none["note_code"] == "NOTCOLL"
    second = PlanCell(CRS, "CMAX", "LOGISTIC", "UNADJUSTED", PRIMARY, "SECONDARY")
    out = ResultCollector("exposure_response")
    leave_out.collect_leave_out(
        study, [fit_selection(second, result.selection, study.settings)], out
    )
    assert not read(out)


def evaluate(study: Study, cell: PlanCell = CELL) -> tuple[list[dict], dict[str, pd.Series]]:
    result = fit_selection(cell, select_subjects(study, cell), study.settings)
    out = ResultCollector("exposure_response")
    curves = evaluation.collect_evaluation(study, [result], out)
    return curves, read(out)


PLACE = f"evaluation/{WHERE}/metric=CMAX/population=PRIMARY"
QUICK = {"resamples": 50, "residual_draws": 100, "calibration_groups": 2}


def test_a_model_of_two_groups_is_evaluated_by_its_table(monkeypatch) -> None:
    given = {"auc": 0.61, "brier": 0.22, "intercept": -0.25, "slope": 0.75}
    monkeypatch.setattr(
        evaluation.model_validation, "estimate_optimism",
        lambda event, design, method, resamples, seed: Optimism(
            {}, given, resamples, 3, 4 if method == "ML" else 5
        ),
    )  # fmt: skip
    study = small_study(rules={"evaluation": QUICK, "confidence_level": 0.9})
    curves, rows = evaluate(study)
    # Of 8 x 12 pairs 6 x 8 in order, 2 x 8 and 6 x 4 tied.
    wanted = {
        "n": 20, "events": 8, "auc": (48 + 20) / 96, "brier": (10 * 0.16 + 10 * 0.24) / 20,
        "slope": 1, "auc_corrected": 0.61, "brier_corrected": 0.22, "resamples": 50, "failed": 3,
        "separated": 4, "intercept_corrected": -0.25, "slope_corrected": 0.75,
        # Without one of each cell: 6 x 8 / (2 x 4) with one cell less by one.
        "or_min": 5, "or_max": 12, "deviance_max": math.sqrt(-2 * math.log(0.2)),
    }  # fmt: skip
    assert numbers(rows, PLACE, *wanted) == pytest.approx(list(wanted.values()), rel=1e-5)
    low, auc, high = numbers(rows, PLACE, "auc_low", "auc", "auc_high")
    assert 0 < low < auc < high < 1
    scaled = 1 - 0.2 / (0.4 * 0.6)
    assert numbers(rows, PLACE, "brier_scaled") == pytest.approx([scaled])
    # The first of those with the event at the low exposure; without it the ratio doubles.
    assert rows[f"{PLACE}/deviance_subject"]["value_text"] == "S000"
    assert rows[f"{PLACE}/model"]["value_text"] == "ML"
    line = rows[f"{PLACE}/auc"]
    assert (line["filter"], line["n"], line["unit"]) == ("ERFL = Y", 20, "")
    assert line["method"].startswith("logistic, maximum likelihood")
    # Where there are two exposures only, no curve can be told from a line.
    assert rows[f"{PLACE}/linearity_p"]["note_code"] == "COLLIN"
    size, limit = numbers(rows, PLACE, "dfbetas_max", "n_influential")
    se = math.sqrt(1 / 2 + 1 / 8 + 1 / 6 + 1 / 4)
    assert size == pytest.approx(math.log(2) / se, rel=0.35)
    listed = rows[f"{PLACE}/influential"]["value_text"].split("; ")
    assert len(listed) == limit and listed[:2] == ["S000 (12)", "S001 (12)"]
    for group, events, low in ((1, 2, 20), (2, 6, 60)):
        place = f"calibration_group/CRSGE2/PCR/adjustment=UNADJUSTED/group=G{group}/metric=CMAX"
        place += "/population=PRIMARY"
        found = numbers(rows, place, "n", "events", "predicted", "pct")
        assert found == pytest.approx([10, events, low, low], rel=1e-5)
        ends = numbers(rows, place, "ci_low", "ci_high")
        assert ends[0] < low < ends[1] and ends[1] <= 100
        assert {rows[f"{place}/{s}"]["unit"] for s in ("predicted", "pct", "ci_low")} == {"%"}
    points = [row for row in curves if row["kind"] == "observed"]
    assert [(row["x"], row["y"], row["n"]) for row in points] == [
        (pytest.approx(0.2, rel=1e-5), 0.2, 10), (pytest.approx(0.6, rel=1e-5), 0.6, 10),
    ]  # fmt: skip
    line = [row for row in curves if row["kind"] == "fit"]
    assert len(line) == 51 and {row["curve_id"] for row in curves} == {
        "exposure_response.calibration/CRSGE2/CMAX"
    }
    # logit(0.2) = -ln 4: the line is at -0.25 - 0.75 ln 4.
    assert (line[0]["x"], line[-1]["x"]) == (pytest.approx(0.2), pytest.approx(0.6))
    assert line[0]["y"] == pytest.approx(1 / (1 + math.exp(0.25 + 0.75 * math.log(4))), rel=1e-5)
    assert line[0]["n"] == 20


def test_only_the_primary_models_have_points_of_calibration() -> None:
    study = small_study(rules={"evaluation": QUICK})
    for population, role in (("PRIMARY", "SECONDARY"), ("BLQ", "PRIMARY")):
        cell = PlanCell(CRS, "CMAX", "LOGISTIC", "UNADJUSTED", population, role)
        curves, rows = evaluate(study, cell)
        assert not curves and any(name.startswith("calibration_group") for name in rows)
    assert evaluate(study)[0]


def test_corrected_values_that_are_missing_have_a_reason_and_no_line(monkeypatch) -> None:
    none = dict.fromkeys(("auc", "brier", "intercept", "slope"), NAN)
    monkeypatch.setattr(
        evaluation.model_validation, "estimate_optimism",
        lambda *given: Optimism({}, none, 50, 50, 0),
    )  # fmt: skip
    curves, rows = evaluate(small_study(rules={"evaluation": QUICK}))
    notes = {rows[f"{PLACE}/{name}_corrected"]["note_code"] for name in none}
    assert notes == {"NOCONV"} and {row["kind"] for row in curves} == {"observed"}
    assert rows[f"{PLACE}/auc"]["note_code"] == ""


def test_a_penalised_fit_has_no_test_of_fit_and_a_refused_model_its_reason() -> None:
    study = small_study(rules={"evaluation": QUICK, "firth_below": 9})
    rows = evaluate(study)[1]
    for name in ("gof_z", "gof_p", "residual_max", "residual_p"):
        assert rows[f"{PLACE}/{name}"]["note_code"] == "PENALFIT"
    assert rows[f"{PLACE}/model"]["value_text"] == "FIRTH"
    assert numbers(evaluate(small_study(rules={"evaluation": QUICK}))[1], PLACE, "residual_max")
    curves, rows = evaluate(small_study(rules={"evaluation": QUICK, "min_events": 9}))
    assert not curves
    assert {rows[f"{PLACE}/{name}"]["note_code"] for name in evaluation.NUMBERS} == {"FEWEVENT"}
    assert numbers(rows, PLACE, "n", "events") == [20, 8]
    assert (rows[f"{PLACE}/model"]["value_text"], rows[f"{PLACE}/auc"]["method"]) == ("NONE", "")


def test_a_spline_is_cubic_between_its_knots_and_straight_beyond() -> None:
    x = np.arange(11.0)
    # Knots at 1, 5 and 9: at 3 (3 - 1)^3 / 64; at 10 (9^3 - 2 x 5^3 + 1) / 64.
    term = evaluation.restricted_cubic_term(x, (0.1, 0.5, 0.9))
    assert term[[0, 1, 3, 10]] == pytest.approx([0, 0, 8 / 64, 480 / 64])
    assert term[7] == pytest.approx((6**3 - 2 * 2**3) / 64)
    assert term[10] - term[9] == pytest.approx(1.5)
    for same in ([1.0] * 6 + [2.0] * 2, [1.0, 1.0, 1.0, 5.0, 9.0], [1.0, 5.0, 9.0, 9.0, 9.0]):
        assert evaluation.restricted_cubic_term(np.array(same), (0.1, 0.5, 0.9)) is None


def test_linearity_is_tested_by_the_gain_of_the_spline() -> None:
    # Three exposures: a spline with three knots takes on any three rates.
    rates = [(6, 4), (2, 8), (7, 3)]
    event = [v for a, b in rates for v in [1.0] * a + [0.0] * b]
    x = np.repeat([1.0, 2.0, 4.0], 10)
    study = small_study(exposure=list(x), event=event)
    chosen = select_subjects(study, CELL)
    result = fit_selection(CELL, chosen, study.settings)
    statistics, notes = evaluation._test_linearity(study, chosen, result)
    whole = sum(a * math.log(a / 10) + b * math.log(b / 10) for a, b in rates)
    share = np.asarray(result.fit.fitted)
    line = float(np.log(np.where(np.array(event) == 1, share, 1 - share)).sum())
    assert notes == {}
    assert statistics["linearity_p"] == pytest.approx(
        stats.chi2.sf(2 * (whole - line), 1), rel=1e-4
    )
    strict = small_study(exposure=list(x), event=event, rules={"min_events_per_parameter": 8})
    refused = evaluation._test_linearity(strict, chosen, result)
    assert math.isnan(refused[0]["linearity_p"]) and refused[1] == {"linearity_p": "EPPLOW"}


def test_all_models_are_evaluated_where_asked() -> None:
    rules = {"adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"], "all_blq_sensitivity": False}
    columns = {"LTBURDZ": [0.0, 1.0, 2.0, 0.5] * 5}
    for models, wanted in (("PRIMARY", 1), ("ALL", 2)):
        study = small_study(
            rules={**rules, "evaluation": {**QUICK, "models": models}}, columns=columns
        )
        results = evaluation.run_evaluated(study)
        assert len(results) == wanted and results[0].cell.role == "PRIMARY"
    refused = small_study(
        rules={**rules, "min_events": 9, "evaluation": {**QUICK, "models": "ALL"}}, columns=columns
    )
    assert [one.reason for one in evaluation.run_evaluated(refused)] == ["FEWEVENT"]


def test_products_count_as_slopes_and_have_their_own_test() -> None:
    study = small_study(rules={"min_events_per_parameter": 4})
    chosen = selection(list(np.log2(EXPOSURE)), EVENT)
    product = pd.DataFrame({"p": [0.0, 1.0, 0.0, 1.0] * 5})
    fit, reason = fit_model(study, chosen, product, ["p"])
    assert (
        reason == "" and fit.coefficient("p").name == "p" and math.isfinite(fit.coefficient("p").p)
    )
    two = product.assign(q=[0.0, 0.0, 1.0, 1.0] * 5)
    assert fit_model(study, chosen, two, ["p"]) == (None, "EPPLOW")
    assert fit_model(study, chosen)[0].coefficients[0].name == "log2 exposure"

"""Grades, counts and onsets against odds, rates and shares told from a table."""

from __future__ import annotations

import math
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

from celldossier.exposure_response import counts, grades, groups, onset, ordinal_evaluation
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.stats.count_models import OverdispersionTest
from celldossier.stats.logistic import Coefficient

GRADE = rule("CRSGR", "ordinal")
PLAIN = {
    **LENIENT, "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"],
    "primary_adjustment": "UNADJUSTED", "ordinal_metrics": ["CMAX"], "max_correlation": 1,
}  # fmt: skip
PLACE = "adjustment=UNADJUSTED/metric=CMAX"


def run(study: Study, module) -> tuple[object, dict[str, pd.Series]]:
    out = ResultCollector("exposure_response")
    found = module.run_cells(study, module.plan_cells(study), out)
    return found.outcomes, read(out)


# Of eight with the low exposure 4 have no grade, 2 grade 1 and 2 grade 2: odds of 1 and 1/3.
# With the high one 2, 2 and 4: odds of 3 and 1. Both cuts have the odds ratio 3.
GRADES = [0.0] * 4 + [1.0] * 2 + [2.0] * 2 + [0.0] * 2 + [1.0] * 2 + [2.0] * 4


def grade_study(grades: list[float] = GRADES, **more: object) -> Study:
    predictions = {"quantiles": [0.1, 0.9], "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"]}
    rules = settings(**{**PLAIN, "predictions": predictions, **more})
    columns = {"TRT01A": ""}
    units = {"CMAX": "copies/ug"}
    exposure = {"CMAX": [1.0] * (len(grades) // 2) + [2.0] * (len(grades) // 2)}
    return make_study(exposure, grades, GRADE, rules, columns=columns, units=units)


def test_grades_whose_cuts_have_one_odds_ratio_have_that_one() -> None:
    outcomes, rows = run(grade_study(), grades)
    place = f"ordinal/CRSGR/PCR/{PLACE}"
    found = numbers(rows, place, "or", "n", "events", "n_er", "po_chisq", "po_p", "po_df")
    assert found == pytest.approx([3, 16, 10, 16, 0, 1, 1], abs=1e-4)
    low, high = numbers(rows, place, "or_low", "or_high")
    assert 0 < low < 3 < high
    verdict = rows[f"{place}/po_verdict"]
    assert (verdict["value_text"], verdict["filter"], verdict["n"]) == (
        "NOT_REJECTED", "ERFL = Y", 16,
    )  # fmt: skip
    assert rows[f"{place}/po_levels"]["value_text"].startswith("0; 1")
    one = outcomes[0]
    assert (one.method, one.n, one.events, one.reason) == ("PROPODDS", 16, 10.0, "")
    assert one.p == numbers(rows, place, "p")[0]
    # Probabilities of the grades at an exposure are the shares of the eight with it.
    for at, wanted in (("P10", [50, 25, 25]), ("P90", [25, 25, 50])):
        for level, share in enumerate(wanted):
            key = f"predicted_grade/CRSGR/PCR/adjustment=UNADJUSTED/at={at}/grade={level}"
            pct, low, high, exposure = numbers(
                rows, f"{key}/metric=CMAX", "pct", "ci_low", "ci_high", "exposure"
            )
            assert pct == pytest.approx(share, abs=1e-3) and low < pct < high
            assert exposure == pytest.approx(1 if at == "P10" else 2)
    first = rows[f"{key}/metric=CMAX/pct"]
    assert (first["unit"], first["n"], first["filter"]) == ("%", 16, "ERFL = Y")
    assert rows[f"{key}/metric=CMAX/exposure"]["unit"] == "copies/ug"
    assert rows[f"{key}/metric=CMAX/n"]["unit"] == ""


def test_each_cut_of_the_grades_has_a_model_of_its_own() -> None:
    rows = run(grade_study(), grades)[1]
    for cut, events in ((1, 10), (2, 6), (3, 0), (4, 0)):
        place = f"cumulative/CRSGR/PCR/adjustment=UNADJUSTED/grade=GE{cut}/metric=CMAX"
        assert numbers(rows, place, "n", "events") == [16, events]
        if events:
            # Firth of two groups: half a subject more in each cell of the table.
            high, low = (6, 4) if cut == 1 else (4, 2)
            ratio = (high + 0.5) / (8.5 - high) / ((low + 0.5) / (8.5 - low))
            least, found, most = numbers(rows, place, "or_low", "or", "or_high")
            assert found == pytest.approx(ratio, rel=1e-6) and least < found < most
            assert rows[f"{place}/or"]["note_code"] == ""
        else:
            assert rows[f"{place}/p"]["note_code"] == rows[f"{place}/or"]["note_code"] == "NOEVENT"
        assert (rows[f"{place}/or"]["filter"], rows[f"{place}/or"]["n"]) == ("ERFL = Y", 16)


def test_grades_that_are_refused_have_the_reason_and_no_prediction() -> None:
    outcomes, rows = run(grade_study(min_events=11), grades)
    assert (outcomes[0].method, outcomes[0].reason) == ("NONE", "FEWEVENT")
    assert math.isnan(outcomes[0].p)
    for stat in ("or", "or_low", "or_high", "p"):
        assert rows[f"ordinal/CRSGR/PCR/{PLACE}/{stat}"]["note_code"] == "FEWEVENT"
    place = "predicted_grade/CRSGR/PCR/adjustment=UNADJUSTED/at=P10/grade=0/metric=CMAX"
    assert rows[f"{place}/pct"]["note_code"] == "FEWEVENT" and rows[f"{place}/pct"]["method"] == ""
    # A metric or an adjustment of which nothing is to be predicted.
    for chosen in ({"metrics": ["AUC28"]}, {"adjustments": ["FULL"]}):
        wanted = {"quantiles": [0.1], "metrics": ["CMAX"], "adjustments": ["UNADJUSTED"], **chosen}
        more = {"metrics": ["CMAX", "AUC28"], "adjustments": ["UNADJUSTED", "FULL"]}
        rows = run(grade_study(predictions=wanted, full_adjustment=[], **more), grades)[1]
        assert not any(name.startswith("predicted_grade") for name in rows)


def test_proportional_odds_that_are_rejected_say_so_and_predict_nothing() -> None:
    # Cuts with the odds ratios 9 and 1/5.
    low, high = [0.0] * 12 + [2.0] * 4, [0.0] * 4 + [1.0] * 11 + [2.0]
    study = grade_study([*low, *high], proportional_odds_alpha=0.2)
    rows = run(study, grades)[1]
    place = f"ordinal/CRSGR/PCR/{PLACE}"
    assert rows[f"{place}/po_verdict"]["value_text"] == "REJECTED"
    assert numbers(rows, place, "po_p")[0] < 0.2
    predicted = "predicted_grade/CRSGR/PCR/adjustment=UNADJUSTED/at=P10/grade=0/metric=CMAX/pct"
    assert rows[predicted]["note_code"] == "POREJECT"


def test_a_cut_is_judged_where_it_has_events_enough() -> None:
    event = np.array([1.0, 1, 0, 0, 0])
    share = np.array([0.9, 0.4, 0.4, 0.2, 0.1])

    def judge(least: int, event: np.ndarray = event):
        study = Given(settings=settings(min_events=least))
        return ordinal_evaluation._judge_cut(study, event, share)

    values, notes = judge(2)
    # Of six pairs five in order and one tied.
    assert values["auc"] == pytest.approx(5.5 / 6) and values["predicted"] == pytest.approx(40)
    assert values["brier"] == pytest.approx((0.01 + 0.36 + 0.16 + 0.04 + 0.01) / 5)
    assert set(notes) == {name for name, value in values.items() if math.isnan(value)}
    values, notes = judge(3)
    assert set(notes.values()) == {"FEWEVENT"} and all(math.isnan(v) for v in values.values())
    # The rarer of both sides counts.
    assert set(judge(3, 1 - event)[1].values()) == {"FEWEVENT"}
    values, notes = judge(1, np.array([1.0, 0, 0, 0, 0]))
    assert values["auc"] == 1 and set(notes) == {n for n, v in values.items() if math.isnan(v)}
    assert set(notes) and "" not in notes.values()


def test_grades_are_evaluated_at_each_cut_and_without_each_subject() -> None:
    study = grade_study(evaluation={"influence_limit": 0.5}, min_events=6)
    out = ResultCollector("exposure_response")
    ordinal_evaluation.collect_ordinal_evaluation(study, out)
    rows = read(out)
    place = f"ordinal_influence/CRSGR/PCR/{PLACE}"
    ratio, least, most, n, events = numbers(rows, place, "or", "or_min", "or_max", "n", "events")
    assert ratio == pytest.approx(3, abs=1e-4) and least < 3 < most and (n, events) == (16, 10)
    assert (rows[f"{place}/or"]["filter"], rows[f"{place}/or"]["dataset"]) == ("ERFL = Y", "ADER")
    listed = rows[f"{place}/influential"]["value_text"].split("; ")
    assert numbers(rows, place, "n_influential") == [len(listed)]
    # The farthest first, of four: one of low exposure and the highest grade, or the reverse.
    name, other = listed[0].split(" ")
    far = max(most / 3, 3 / least)
    assert float(other.strip("()")) in (
        pytest.approx(3 * far, rel=5e-3),
        pytest.approx(3 / far, rel=5e-3),
    )
    assert name in {f"S{i:03d}" for i in range(6, 10)}
    for cut, events in ((1, 10), (2, 6)):
        key = f"ordinal_cut/CRSGR/PCR/adjustment=UNADJUSTED/grade=GE{cut}/metric=CMAX"
        wanted = [16, events, 100 * events / 16, 100 * events / 16]
        found = numbers(rows, key, "n", "events", "pct", "predicted")
        assert found == pytest.approx(wanted, abs=1e-3)
        assert (rows[f"{key}/pct"]["unit"], rows[f"{key}/predicted"]["unit"]) == ("%", "%")
        # Cases against the others with one bit: half of one and the difference of the shares.
        high = 6 if cut == 1 else 4
        auc = 0.5 + 0.5 * (high / events - (8 - high) / (16 - events))
        assert numbers(rows, key, "auc") == pytest.approx([auc])
        assert numbers(rows, key, "slope") == pytest.approx([1], abs=1e-3)
    refused = ResultCollector("exposure_response")
    ordinal_evaluation.collect_ordinal_evaluation(grade_study(min_events=11), refused)
    rows = read(refused)
    notes = {rows[f"{place}/{name}"]["note_code"] for name in ordinal_evaluation.INFLUENCE}
    assert notes == {"FEWEVENT"} and not any(name.startswith("ordinal_cut") for name in rows)
    assert rows[f"{place}/or"]["method"] == ""
    other = ResultCollector("exposure_response")
    study = grade_study(primary_adjustment="TUMOUR_BURDEN")
    ordinal_evaluation.collect_ordinal_evaluation(study, other)
    assert not read(other)


def test_influence_is_the_change_of_the_logarithm_in_standard_errors(monkeypatch) -> None:
    def find(limit: float, *without: float):
        left = iter(without)

        def estimate(outcome, design, names, tested):
            assert (len(outcome), design.shape, tested) == (3, (3, 1), [])
            value = next(left)
            reason = "NOCONV" if math.isnan(value) else ""
            return Given(reason=reason, coefficients=[Given(estimate=value)])

        monkeypatch.setattr(ordinal_evaluation, "estimate_proportional_odds", estimate)
        rows = Given(
            outcome=np.arange(4.0), design=np.arange(4.0)[:, None], names=["x"],
            subjects=["A", "B", "C", "D"],
        )  # fmt: skip
        whole = Given(coefficients=[Given(estimate=1.0, se=0.5)])
        study = Given(settings=settings(evaluation={"influence_limit": limit}))
        return ordinal_evaluation._find_influence(study, rows, whole)

    # The limit over the root of four is 1; a change by 0.5 is one standard error.
    found, notes = find(2.0, 1.25, 2.5, NAN, 0.25)
    assert found["dfbetas_max"] == 3 and found["or"] == pytest.approx(math.e)
    assert found["or_min"] == pytest.approx(math.exp(0.25))
    assert found["or_max"] == pytest.approx(math.exp(2.5))
    assert (found["n_influential"], notes) == (2, {})
    assert found["influential"] == "B (12.2); D (1.28)"
    found, _ = find(2.0, 1.5, 0.5, 1.0, 1.0)
    assert found["n_influential"] == 0 and "influential" not in found
    # One that changes nothing counts as known.
    found, _ = find(2.0, 1.0, NAN, NAN, NAN)
    assert (found["or_max"], found["dfbetas_max"]) == (pytest.approx(math.e), 0)
    found, notes = find(2.0, NAN, NAN, NAN, NAN)
    assert notes == dict.fromkeys(("dfbetas_max", "or_min", "or_max"), "NOCONV")
    assert found["n_influential"] == 0


EVENT = rule("NINFECT", "count", event="INFECTION", family="SAFETY")
COUNT = f"count/NINFECT/PCR/{PLACE}/population=PRIMARY"


def count_study(number: list[float], days: list[float], endpoint=EVENT, **more: object) -> Study:
    rules = settings(**{**PLAIN, "counts": {"distribution": "POISSON"}, **more})
    exposure = {"CMAX": [1.0] * 4 + [2.0] * (len(number) - 4)}
    return make_study(exposure, number, endpoint, rules, values={"ADURFU": days})


def test_counts_over_follow_up_have_the_ratio_of_both_rates() -> None:
    # 6 events in 200 days, 20 in 300: rates of 0.03 and 0.0667 a day. One has no follow-up.
    study = count_study([0, 1, 2, 3, 4, 5, 11, 0, 9], [50.0] * 4 + [100.0, 100.0, 99.0, 1.0, 0.0])
    outcomes, rows = run(study, counts)
    wanted = {
        "rr": (20 / 300) / (6 / 200), "log_rr": math.log(20 / 9), "se": math.sqrt(1 / 6 + 1 / 20),
        "n": 8, "events": 26, "n_with": 6, "n_er": 9, "n_nofollowup": 1,
        "follow_up": 500 / 365.25, "alpha": 0,
    }  # fmt: skip
    assert numbers(rows, COUNT, *wanted) == pytest.approx(list(wanted.values()), rel=1e-6)
    # Twice the gain of the likelihood over one rate of 26 in 500 days.
    gain = 2 * (6 * math.log(0.03 * 500 / 26) + 20 * math.log(500 / 15 / 26))
    assert numbers(rows, COUNT, "p") == pytest.approx([stats.chi2.sf(gain, 1)], rel=1e-6)
    low, high = numbers(rows, COUNT, "rr_low", "rr_high")
    assert low < 20 / 9 < high
    # Pearson's statistic of each against its rate, over 8 - 2 degrees of freedom.
    mean = np.array([1.5] * 4 + [20 / 3] * 2 + [6.6, 1 / 15])
    pearson = (((np.array([0, 1, 2, 3, 4, 5, 11, 0]) - mean) ** 2) / mean).sum() / 6
    assert numbers(rows, COUNT, "pearson") == pytest.approx([pearson], rel=1e-5)
    assert rows[f"{COUNT}/follow_up"]["unit"] == "years"
    line = rows[f"{COUNT}/offset"]
    assert (line["value_text"], line["filter"], line["n"]) == ("FOLLOW_UP", "ERFL = Y", 8)
    assert line["method"].startswith("Poisson")
    one = outcomes[0]
    assert (one.method, one.n, one.events, one.reason) == ("POISSON", 8, 26.0, "")
    assert one.p == pytest.approx(stats.chi2.sf(gain, 1))


def test_numbers_of_days_have_no_offset() -> None:
    days = rule("CRSDAYS", "count", days="CRS", family="SAFETY")
    study = count_study([0, 1, 2, 3, 4, 5, 11, 0], [50.0] * 8, days)
    rows = run(study, counts)[1]
    place = COUNT.replace("NINFECT", "CRSDAYS")
    assert numbers(rows, place, "rr", "n_nofollowup") == pytest.approx([20 / 6, 0])
    assert rows[f"{place}/follow_up"]["note_code"] == "NOTAPPL"
    assert rows[f"{place}/offset"]["value_text"] == "NONE"


def test_counts_that_are_refused_have_the_reason_in_each_place() -> None:
    outcomes, rows = run(count_study([0] * 8, [9.0] * 8), counts)
    one = outcomes[0]
    assert (one.method, one.reason, one.n) == ("NONE", "NOEVENT", 8) and math.isnan(one.p)
    names = ("rr", "rr_low", "rr_high", "p", "log_rr", "se", "alpha", "pearson", "p_dispersion")
    assert {rows[f"{COUNT}/{name}"]["note_code"] for name in names} == {"NOEVENT"}
    line = rows[f"{COUNT}/model"]
    assert (line["value_text"], line["method"]) == ("NONE", "")
    assert numbers(rows, COUNT, "n_with", "events") == [0, 0]


def test_a_dispersion_that_could_not_be_tested_has_the_reason_of_its_test() -> None:
    slope = Coefficient("log2 exposure", 0.5, 0.1, 0.25, 0.75, 0.01)
    fit = Given(coefficient=lambda name: slope, alpha=0.0, distribution="POISSON")
    test = OverdispersionTest(NAN, NAN, NAN, NAN, "NOCONV")
    found, notes = counts._statistics(fit, test, "")
    assert notes == {"pearson": "NOCONV", "p_dispersion": "NOCONV"}
    assert (found["rr"], found["model"]) == (pytest.approx(math.exp(0.5)), "POISSON")
    assert counts._statistics(fit, OverdispersionTest(0.0, 1.0, 0.9, 0.0), "")[1] == {}


def test_a_covariate_that_does_not_vary_among_the_followed_leaves_the_counts() -> None:
    study = count_study(
        [0, 1, 2, 3, 4, 5, 11, 0, 9], [50.0] * 8 + [0.0], adjustments=["TUMOUR_BURDEN"]
    )
    study.ader["LTBURDZ"] = [0.0] * 8 + [1.0]
    outcomes, rows = run(study, counts)
    assert outcomes[0].covariates == ()
    place = COUNT.replace("UNADJUSTED", "TUMOUR_BURDEN")
    assert numbers(rows, place, "rr") == pytest.approx([20 / 6])


def onset_study(**columns: object) -> Study:
    rules = settings(**PLAIN, confidence_level=0.9)
    adpp = pd.DataFrame(
        {
            **keys(*[f"S{i:03d}" for i in (0, 1, 2, 4)]), "PARCAT1": "PCR", "PROFTYP": "COURSE",
            "PARAMCD": "TMAX", "AVAL": [10.0, 4.0, 8.0, 3.0],
        }
    )  # fmt: skip
    others = adpp.assign(
        AVAL=99.0, PARCAT1=["FLOW", "PCR", "PCR", "PCR"],
        PROFTYP=["COURSE", "DOSE", "COURSE", "COURSE"],
        PARAMCD=["TMAX", "TMAX", "CMAX", "CMAX"],
    )  # fmt: skip
    given = {"CRSONDY": [2.0, 4.0, 1.0, 5.0, NAN], "ICANONDY": NAN, **columns}
    return make_study(
        {"CMAX": [1.0] * 5}, [0.0] * 5, GRADE, rules, columns=given,
        adpp=pd.concat([others, adpp]),
    )  # fmt: skip


def test_onsets_before_the_peak_are_a_share_of_those_with_both_days() -> None:
    out = ResultCollector("exposure_response")
    onset.collect_onset_and_peak(onset_study(), out)
    rows, place = read(out), "onset_peak/CRS/PCR"
    # 2 before 10 and 1 before 8, 4 on 4; the fourth has no peak.
    wanted = {
        "n": 3, "n_event": 4, "n_nopeak": 1, "n_before": 2, "pct_before": 200 / 3,
        "median_onset": 2, "median_tmax": 8,
        "ci_low": 100 * stats.beta.ppf(0.05, 2, 2), "ci_high": 100 * stats.beta.ppf(0.95, 3, 1),
    }  # fmt: skip
    assert numbers(rows, place, *wanted) == pytest.approx(list(wanted.values()))
    units = [rows[f"{place}/{name}"]["unit"] for name in wanted]
    assert units == ["", "", "", "", "%", "d", "d", "%", "%"]
    assert (rows[f"{place}/n"]["n"], rows[f"{place}/n"]["filter"]) == (3, "ERFL = Y")
    none = rows["onset_peak/ICANS/PCR/pct_before"]
    assert none["note_code"] == rows["onset_peak/ICANS/PCR/ci_low"]["note_code"] == "NOEVENT"
    out = ResultCollector("exposure_response")
    onset.collect_onset_and_peak(onset_study(CRSONDY=[NAN, NAN, NAN, 5.0, NAN]), out)
    assert read(out)["onset_peak/CRS/PCR/median_tmax"]["note_code"] == "NOCK"


def test_exposure_by_grade_has_its_trend_and_its_block() -> None:
    rules = settings(**PLAIN)
    study = make_study(
        {"CMAX": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}, [0, 0, 1, 1, 2, NAN], GRADE, rules,
        units={"CMAX": "copies/ug"},
    )  # fmt: skip
    out = ResultCollector("exposure_response")
    groups.collect_grades(study, out)
    rows, place = read(out), "grade_trend/CMAX/PCR/endpoint=CRSGR"
    # All 8 pairs of different grades rise: (8 - 4) over the root of
    # (5 x 4 x 15 - 2 x 2 x 1 x 9 - 1 x 0 x 7) / 72.
    z = 4 / math.sqrt((300 - 36) / 72)
    p = 2 * stats.norm.sf(z)
    assert numbers(rows, place, "n", "z", "p", "q") == pytest.approx([5, z, p, p])
    assert (rows[f"{place}/z"]["filter"], rows[f"{place}/z"]["n"]) == ("ERFL = Y", 5)
    level = "grade_summary/CMAX/PCR/endpoint=CRSGR/grade=1"
    assert numbers(rows, level, "n", "mean", "median") == [2, 3.5, 3.5]
    assert (rows[f"{level}/mean"]["unit"], rows[f"{level}/mean"]["filter"]) == (
        "copies/ug", "ERFL = Y",
    )  # fmt: skip
    assert not any("grade=3" in name or "grade=nan" in name for name in rows)
    unknown = make_study(
        {"CMAX": [1.0, 2.0]}, [NAN] * 2, GRADE, rules, values={"REASND": "NOTCOLL"}
    )
    out = ResultCollector("exposure_response")
    groups.collect_grades(unknown, out)
    rows = read(out)
    assert {rows[f"{place}/{name}"]["note_code"] for name in ("z", "p", "q")} == {"NOTCOLL"}
    other = make_study({"CMAX": [1.0, 2.0]}, [0.0] * 2, GRADE, rules)
    out = ResultCollector("exposure_response")
    groups.collect_grades(other, out)
    assert read(out)[f"{place}/z"]["note_code"] not in ("", "NOTCOLL")


def test_exposure_by_event_is_compared_under_each_rule_for_the_unknown() -> None:
    response = rule("OBJRESP", "binary", unknown_response=True)
    rules = settings(**PLAIN, unknown_response=["NONRESPONDER", "EXCLUDED"])
    study = make_study(
        {"CMAX": [4.0, 16.0, 1.0, 4.0, 0.0, 32.0]}, [1, 1, 0, 0, 0, NAN], response, rules,
        values={"REASND": ["", "", "", "", "", "NE"]},
    )  # fmt: skip
    from celldossier.exposure_response.endpoint_values import UNKNOWN_RESPONSE

    study.aderend["REASND"] = study.aderend["REASND"].replace("NE", UNKNOWN_RESPONSE)
    out = ResultCollector("exposure_response")
    groups.collect_event_ratios(study, out)
    rows = read(out)
    place = "ratio_by_response/CMAX/PCR/endpoint=OBJRESP/population="
    # Geometric means: 8 over 5.04 (1, 4 and 32), and over 2 without the unknown.
    names = ("gmr", "n_ratio_event", "n_ratio_noevent", "n_event", "n_noevent")
    first = numbers(rows, f"{place}PRIMARY", *names)
    assert first == pytest.approx([8 / 128 ** (1 / 3), 2, 3, 2, 4])
    second = numbers(rows, f"{place}UNKNOWN_EXCLUDED", *names)
    assert second == pytest.approx([4, 2, 2, 2, 3])
    line = rows[f"{place}UNKNOWN_EXCLUDED/gmr"]
    assert (line["n"], line["filter"]) == (5, "ERFL = Y")
    # Of ten ways to place two of five both highest and second: 4 and 16 over 0, 1 and 4.
    assert 0 < numbers(rows, f"{place}UNKNOWN_EXCLUDED", "p_wilcoxon")[0] < 0.3
    certain = rule("CRSGE2", "binary", unknown_response=False)
    study = make_study({"CMAX": [4.0, 16.0]}, [1, 1], certain, rules)
    out = ResultCollector("exposure_response")
    groups.collect_event_ratios(study, out)
    rows = read(out)
    place = place.replace("OBJRESP", "CRSGE2")
    assert not any("UNKNOWN" in name for name in rows)
    assert rows[f"{place}PRIMARY/mean_noevent"]["note_code"] == "NOGROUP"
    assert rows[f"{place}PRIMARY/p_wilcoxon"]["note_code"] == "FEWSUBJ"


def test_a_table_of_two_by_two_has_its_odds_ratio_and_p() -> None:
    from celldossier.exposure_response.binary_fits import fit_selection, refuse_model
    from celldossier.exposure_response.plan import PRIMARY, PlanCell

    exposure, event = two_by_two((2, 8), (6, 4), least=1.0)
    chosen = selection(list(np.log2(exposure)), event)
    cell = PlanCell(rule("CRSGE2", "binary"), "CMAX", "LOGISTIC", "UNADJUSTED", PRIMARY, "PRIMARY")
    result = fit_selection(cell, chosen, settings(**PLAIN, confidence_level=0.9))
    slope = result.fit.coefficient("log2 exposure")
    assert math.exp(slope.estimate) == pytest.approx(6)
    assert slope.se == pytest.approx(math.sqrt(1 / 2 + 1 / 8 + 1 / 6 + 1 / 4))
    p = likelihood_ratio_p([(2, 8), (6, 4)])
    outcome = result.outcome
    assert (outcome.method, outcome.n, outcome.events, outcome.reason) == ("ML", 20, 8.0, "")
    assert outcome.p == pytest.approx(p)
    wide = fit_selection(cell, chosen, settings(**PLAIN, confidence_level=0.99))
    assert wide.fit.coefficient("log2 exposure").low < slope.low < slope.estimate
    few = fit_selection(cell, chosen, settings(**{**PLAIN, "firth_below": 9}))
    assert few.fit.method == "FIRTH"
    # Eight events and twelve without: the rarer ones count, whichever they are.
    strict = settings(**{**PLAIN, "min_events": 9})
    assert refuse_model(chosen, strict) == "FEWEVENT"
    assert refuse_model(selection(list(np.log2(exposure)), [1 - e for e in event]), strict) == (
        "FEWEVENT"
    )
    assert refuse_model(chosen, settings(**PLAIN)) == ""
    # Two further slopes make three: eight events are 2.7 each.
    each = settings(**{**PLAIN, "min_events_per_parameter": 3})
    assert [refuse_model(chosen, each, more) for more in (0, 1, 2)] == ["", "", "EPPLOW"]
    refused = fit_selection(cell, chosen, strict)
    assert (refused.fit, refused.outcome.method, refused.reason) == (None, "NONE", "FEWEVENT")
    assert math.isnan(refused.outcome.p) and refused.outcome.reason == "FEWEVENT"

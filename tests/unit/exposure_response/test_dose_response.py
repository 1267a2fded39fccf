from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dose_study import make_dose_study, with_doses

from celldossier.datasets import conform
from celldossier.exposure_response import dose_response
from celldossier.exposure_response.plan import FamilyOutput
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.exposure_response import PrimaryPair
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.trend import test_cochran_armitage as cochran_armitage

STUDY = make_dose_study(n=120)
DOSE = "DOSETGP"


def run(study: Study) -> tuple[AnalysisResults, FamilyOutput]:
    out = ResultCollector("exposure_response")
    output = dose_response.run_cells(study, dose_response.plan_cells(study), out)
    return AnalysisResults([out.frame()]), output


def block(results: AnalysisResults, endpoint: str, adjustment: str = "UNADJUSTED") -> Any:
    rows = results.select("exposure_response.dose_response")
    rows = rows[(rows["variable"] == endpoint) & (rows["level1"] == adjustment)]
    found = {r["stat_name"]: r["value_text"] or r["value"] for r in rows.to_dict("records")}
    return found | {f"{r['stat_name']}:note": r["note_code"] for r in rows.to_dict("records")}


def change_outcome(study: Study, endpoint: str, **columns: Any) -> Study:
    aderend = study.aderend.copy()
    at = aderend["PARAMCD"] == endpoint
    for name, values in columns.items():
        aderend.loc[at, name] = values
    return replace(study, aderend=aderend)


def test_the_plan_has_each_dose_alone_and_beside_the_exposure_of_the_endpoint() -> None:
    cells = dose_response.plan_cells(STUDY)
    found = {(c.endpoint.code, c.model, c.adjustment, c.role, c.population) for c in cells}
    assert found == {
        (endpoint, model, *kind, "DOSE")
        for endpoint, model in (("OBJRESP", "LOGISTIC"), ("CRSGE2", "LOGISTIC"), ("OS", "COX"))
        for kind in (("UNADJUSTED", "SECONDARY"), ("EXPOSURE", "SENSITIVITY"))
    }
    results, _ = run(STUDY)
    metrics = {e: block(results, e, "EXPOSURE")["exposure_metric"] for e in ("OBJRESP", "CRSGE2")}
    assert metrics == {"OBJRESP": "AUC28", "CRSGE2": "CMAX"}
    # OS has no primary metric of its own: that of its family.
    assert block(results, "OS", "EXPOSURE")["exposure_metric"] == "AUC28"
    off = make_dose_study(settings={"dose_response": {"metrics": []}})
    assert dose_response.plan_cells(off) == []
    assert run(off)[0].frame.empty


def test_odds_ratios_per_doubling_agree_with_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import Logit

    results, output = run(STUDY)
    values = STUDY.aderend.set_index("PARAMCD")["AVAL"]
    # An unknown response counts as none.
    outcome = values["OBJRESP"].fillna(0.0).to_numpy()
    dose = np.log2(STUDY.ader[DOSE].to_numpy())
    exposure = np.log2(STUDY.ader["AUC28"].to_numpy())
    for adjustment, columns in (("UNADJUSTED", [dose]), ("EXPOSURE", [dose, exposure])):
        other = Logit(outcome, np.column_stack([*columns, np.ones(120)])).fit(disp=0)
        found = block(results, "OBJRESP", adjustment)
        assert found["ratio"] == pytest.approx(math.exp(other.params[0]), rel=1e-6)
        assert found["se"] == pytest.approx(other.bse[0], rel=1e-4)
        assert found["ratio_low"] < found["ratio"] < found["ratio_high"]
        assert (found["measure"], found["method"], found["n"]) == ("OR", "ML", 120)
    outcomes = {(o.cell.endpoint.code, o.cell.adjustment): o for o in output.outcomes}
    chosen = outcomes["OBJRESP", "EXPOSURE"]
    assert (chosen.n, chosen.events, chosen.covariates) == (120, outcome.sum(), ("AUC28",))
    assert chosen.p == block(results, "OBJRESP", "EXPOSURE")["p"]


def test_hazard_ratios_per_doubling_agree_with_statsmodels() -> None:
    from statsmodels.duration.hazard_regression import PHReg

    results, _ = run(STUDY)
    rows = STUDY.aderend[STUDY.aderend["PARAMCD"] == "OS"]
    dose = np.log2(STUDY.ader[DOSE].to_numpy())
    event, time = (rows["CNSR"] == 0).to_numpy(), rows["AVAL"].to_numpy()
    other = PHReg(time, dose[:, None], status=event.astype(float), ties="efron").fit()
    found = block(results, "OS")
    assert found["ratio"] == pytest.approx(math.exp(other.params[0]), rel=1e-5)
    assert (found["measure"], found["method"]) == ("HR", "COX")
    # Exponential times: nothing says that the hazards are not proportional.
    assert 0.01 < found["ph_p"] <= 1
    # Beside an exposure that is known on day 28 a subject is at risk from then on only.
    late = time > 28
    design = np.column_stack([dose, np.log2(STUDY.ader["AUC28"])])[late]
    other = PHReg(time[late], design, status=event[late].astype(float), ties="efron").fit()
    found = block(results, "OS", "EXPOSURE")
    assert found["n"] == late.sum() and found["n_early"] == (~late).sum()
    assert found["ratio"] == pytest.approx(math.exp(other.params[0]), rel=1e-5)


def test_a_time_counts_only_from_the_day_on_which_the_dose_is_complete() -> None:
    adex = STUDY.sources.adex
    second = adex.iloc[::2].assign(DOSETYPE="REPEAT", AFRLT=14.3, DOSENO=2, SRCROW=500)
    sources = replace(STUDY.sources, adex=pd.concat([adex, second], ignore_index=True))
    study = with_doses(replace(STUDY, sources=sources))
    cells = {(c.endpoint.code, c.adjustment): c for c in dose_response.plan_cells(study)}
    assert cells["OS", "UNADJUSTED"].landmark == 14
    assert math.isnan(cells["OBJRESP", "UNADJUSTED"].landmark)
    rows = study.aderend[study.aderend["PARAMCD"] == "OS"]
    found = block(run(study)[0], "OS")
    assert found["n_early"] == (rows["AVAL"] <= 14).sum() > 0
    assert found["n"] == 120 - found["n_early"]


def test_a_clock_that_counts_its_first_day_moves_no_subject_over_the_landmark() -> None:
    rows = STUDY.aderend[STUDY.aderend["PARAMCD"] == "OS"]
    origin = pd.Timestamp("2026-01-01")
    adtte = rows[["STUDYID", "USUBJID", "AVAL"]].assign(
        PARAMCD="OS", STARTDT=str(origin.date()), PARAM="OS", CNSR=0, SRCDOM="DM", SRCROW=1
    )
    adtte["ADT"] = (origin + pd.to_timedelta(adtte["AVAL"], unit="D")).dt.strftime("%Y-%m-%d")
    found = []
    for first_day in (0.0, 1.0):
        times = conform(adtte.assign(AVAL=adtte["AVAL"] + first_day), "ADTTE")
        study = replace(STUDY, sources=replace(STUDY.sources, adtte=times))
        study = change_outcome(study, "OS", AVAL=rows["AVAL"].to_numpy() + first_day)
        found.append(block(run(study)[0], "OS", "EXPOSURE"))
    for name in ("n", "n_early", "events", "ratio", "ratio_low", "p"):
        assert found[1][name] == pytest.approx(found[0][name], rel=1e-9), name


def test_beside_the_exposure_a_time_counts_from_when_that_exposure_is_known() -> None:
    study = make_dose_study(
        n=60, settings={"time_to_event": {"landmark": 40, "early_endpoints": ["OS"]}}
    )
    endpoint = next(e for e in study.endpoints if e.code == "OS")
    cell = next(
        c for c in dose_response.plan_cells(study)
        if c.endpoint is endpoint and c.adjustment == "EXPOSURE"
    )  # fmt: skip
    assert dose_response.exposure_metric(study, endpoint) == "CLD7" and cell.landmark == 7
    late = make_dose_study(n=60, settings={"time_to_event": {"landmark": 40}}, seed=18)
    peaks = late.ader[["STUDYID", "USUBJID"]].assign(
        PARCAT1="PCR", PROFTYP="COURSE", DOSENO=1, PARAMCD="TMAX", PARAM="Tmax", PARAMN=1,
        AVAL=np.where(np.arange(60) < 8, 55.0, 9.0), AVALU="d",
    )  # fmt: skip
    sources = replace(late.sources, adpp=conform(peaks, "ADPP"))
    primary = (PrimaryPair(endpoint="OS", metric="CMAX"),)
    changed = late.settings.model_copy(update={"primary": primary})
    late = change_outcome(replace(late, sources=sources, settings=changed), "OS", AVAL=99.0)
    cell = next(
        c for c in dose_response.plan_cells(late)
        if c.endpoint.code == "OS" and c.adjustment == "EXPOSURE"
    )  # fmt: skip
    assert cell.landmark == 40
    assert dose_response.select_dose_subjects(late, cell).chosen.counts["n_late"] == 8


def test_units_row_order_and_names_change_no_ratio() -> None:
    first, _ = run(STUDY)
    order = np.random.default_rng(8).permutation(120)
    ader = STUDY.ader.iloc[order].reset_index(drop=True)
    ader = ader.assign(**{DOSE: 1e6 * ader[DOSE]})
    second, _ = run(replace(STUDY, ader=ader))
    for endpoint in ("OBJRESP", "CRSGE2", "OS"):
        for adjustment in ("UNADJUSTED", "EXPOSURE"):
            one, other = (block(r, endpoint, adjustment) for r in (first, second))
            for name in ("ratio", "ratio_low", "ratio_high", "p"):
                assert other[name] == pytest.approx(one[name], rel=1e-4), (endpoint, name)


def test_all_infused_subjects_count_and_each_one_left_out_has_a_reason() -> None:
    ader = STUDY.ader.copy()
    ader.loc[:9, "ERFL"] = "N"
    ader.loc[0, DOSE] = np.nan
    ader.loc[[1, 2], "AUC28"] = 0.0
    study = change_outcome(replace(STUDY, ader=ader), "OBJRESP", REASND="NOTCOLL")
    results, _ = run(study)
    unknown = study.aderend.loc[study.aderend["PARAMCD"] == "OBJRESP", "AVAL"].isna().sum()
    for adjustment, without in (("UNADJUSTED", 0), ("EXPOSURE", 2)):
        found = block(results, "OBJRESP", adjustment)
        counts = [found[f"n_{why}"] for why in ("nooutcome", "early", "nodose", "noexposure")]
        assert counts == [unknown, 0, 1, without]
        assert found["n_infused"] == 120 == found["n"] + sum(counts)


def test_dose_and_exposure_that_are_collinear_never_share_a_model() -> None:
    ader = STUDY.ader
    study = replace(STUDY, ader=ader.assign(AUC28=ader[DOSE] ** 1.1, CMAX=ader[DOSE] * 3))
    results, output = run(study)
    for endpoint in ("OBJRESP", "CRSGE2", "OS"):
        found = block(results, endpoint, "EXPOSURE")
        assert found["ratio:note"] == "COLLIN" and math.isnan(found["ratio"])
        assert abs(found["correlation"]) > 0.99
        assert math.isfinite(block(results, endpoint)["ratio"])
    assert {o.reason for o in output.outcomes} == {"", "COLLIN"}


@pytest.mark.parametrize(
    ("study", "reason"),
    [
        (lambda s: replace(s, ader=s.ader.assign(**{DOSE: np.nan})), "NODOSE"),
        (lambda s: replace(s, ader=s.ader.assign(**{DOSE: 100.0})), "CONSTANT"),
        (lambda s: change_outcome(change_outcome(s, "OBJRESP", AVAL=0.0), "OS", CNSR=1.0),
         "NOEVENT"),
        (lambda s: change_outcome(change_outcome(s, "OBJRESP", AVAL=math.nan, REASND="NOTCOLL"),
                                  "OS", AVAL=math.nan), "NOTCOLL"),
        (lambda s: change_outcome(
            change_outcome(s, "OBJRESP", AVAL=np.r_[np.ones(5), np.zeros(115)]),
            "OS", CNSR=np.r_[np.zeros(5), np.ones(115)]), "FEWEVENT"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("endpoint", ["OBJRESP", "OS"])
def test_a_refused_model_has_its_reason_and_no_number(
    study: Any, endpoint: str, reason: str
) -> None:
    found = block(run(study(STUDY))[0], endpoint)
    assert found["method"] == "NONE"
    for name in ("ratio", "ratio_low", "ratio_high", "p", "se"):
        assert math.isnan(found[name]) and found[f"{name}:note"] == reason


def test_a_dose_that_separates_the_outcome_gives_a_finite_ratio() -> None:
    high = (STUDY.ader["TRT01A"] == "DL3").to_numpy(dtype=float)
    found = block(run(change_outcome(STUDY, "CRSGE2", AVAL=high))[0], "CRSGE2")
    assert found["method"] == "FIRTH"
    assert 1 < found["ratio_low"] < found["ratio"] < math.inf
    first = np.where(high == 1, 10.0 + np.arange(120) / 120, 300.0)
    timed = change_outcome(STUDY, "OS", AVAL=first, CNSR=1 - high)
    found = block(run(timed)[0], "OS")
    assert math.isfinite(found["ratio"]) and found["ratio"] > 1


def test_rates_by_dose_level_and_their_trend_agree_with_a_count() -> None:
    results, _ = run(STUDY)
    values = STUDY.aderend[STUDY.aderend["PARAMCD"] == "CRSGE2"]["AVAL"].to_numpy()
    events, sizes = [], []
    for position, level in enumerate(("DL1", "DL2", "DL3"), start=1):
        own = values[(STUDY.ader["TRT01A"] == level).to_numpy()]
        events.append(int(own.sum()))
        sizes.append(own.size)
        found = {
            stat: results.find(
                "exposure_response.dose_rate", "CRSGE2", "PCR", {"dose": level}, stat
            )
            for stat in ("n", "events", "pct", "pct_low", "pct_high", "order")
        }
        low, high = clopper_pearson(events[-1], own.size)
        assert [item.number for item in found.values()] == pytest.approx(
            [own.size, own.sum(), 100 * own.mean(), 100 * low, 100 * high, position]
        )
    expected = cochran_armitage(events, sizes)
    for stat, number in (("z", expected.z), ("p", expected.p), ("n", 120)):
        trend = results.find("exposure_response.dose_trend", "CRSGE2", "PCR", {}, stat)
        assert trend.number == pytest.approx(number)


def test_levels_are_ordered_by_the_dose_given_and_not_by_name() -> None:
    renamed = STUDY.ader["TRT01A"].map({"DL1": "Z", "DL2": "M", "DL3": "A"})
    study = replace(STUDY, ader=STUDY.ader.assign(TRT01A=renamed))
    results, first = run(study)[0], run(STUDY)[0]
    place = ("exposure_response.dose_trend", "CRSGE2", "PCR", {}, "z")
    assert results.find(*place).number == pytest.approx(first.find(*place).number)
    order = results.select("exposure_response.dose_rate")
    order = order[(order["stat_name"] == "order") & (order["variable"] == "CRSGE2")]
    assert dict(zip(order["level1"], order["value"], strict=True)) == {"Z": 1, "M": 2, "A": 3}


def test_scores_may_be_the_logarithm_of_the_dose() -> None:
    settings = {"dose_response": {"metrics": [DOSE], "trend_scores": "LOG2_DOSE"}}
    study = make_dose_study(n=120, settings=settings)
    results, _ = run(study)
    rows = results.select("exposure_response.dose_trend")
    assert set(rows["method"]) == {"Cochran-Armitage, asymptotic"}
    # Levels at three-fold doses are nearly equally spaced: nearly the same deviate.
    place = ("exposure_response.dose_trend", "CRSGE2", "PCR", {}, "z")
    assert results.find(*place).number == pytest.approx(run(STUDY)[0].find(*place).number, abs=0.1)
    unknown = replace(study, ader=study.ader.assign(DOSETGP=np.nan, DOSEA=np.nan))
    assert run(unknown)[0].find(*place).note_code == "NODOSE"


def test_one_dose_level_has_rates_and_no_trend() -> None:
    study = replace(STUDY, ader=STUDY.ader.assign(TRT01A="DL1"))
    results, _ = run(study)
    place = ("exposure_response.dose_trend", "CRSGE2", "PCR", {})
    assert results.find(*place, "p").note_code == "ONELEVEL"
    assert (
        results.find("exposure_response.dose_rate", "CRSGE2", "PCR", {"dose": "DL1"}, "n").number
        == 120
    )

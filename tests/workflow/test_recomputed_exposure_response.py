"""Exposure and response of the example study, computed a second time from the raw files.

As in test_recomputed_kinetics.py nothing of the package is imported.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats


def profile_interval(outcome: np.ndarray, design: np.ndarray) -> tuple[float, float, float]:
    """Odds ratio of the first column with its 95 % profile likelihood interval."""
    fit = sm.Logit(outcome, sm.add_constant(design)).fit(disp=0, tol=1e-12)
    target = fit.llf - stats.chi2.ppf(0.95, 1) / 2
    rest = sm.add_constant(design[:, 1:], has_constant="add")
    rest = rest if design.shape[1] > 1 else np.ones((len(outcome), 1))

    def excess(slope: float) -> float:
        model = sm.GLM(outcome, rest, sm.families.Binomial(), offset=slope * design[:, 0])
        return float(model.fit(tol=1e-12).llf) - target

    estimate, width = fit.params[1], 6 * fit.bse[1]
    low = optimize.brentq(excess, estimate - width, estimate)
    high = optimize.brentq(excess, estimate, estimate + width)
    return math.exp(estimate), math.exp(low), math.exp(high)


@pytest.mark.parametrize(
    ("endpoint", "metric"), [("OBJRESP", "AUC28"), ("CRSGE2", "CMAX"), ("ICANSGE2", "CMAX")]
)
@pytest.mark.parametrize("adjustment", ["UNADJUSTED", "TUMOUR_BURDEN"])
def test_odds_ratios_and_the_choice_of_method_agree_with_statsmodels(
    kinetics, raw, responders, grades, result, endpoint: str, metric: str, adjustment: str
) -> None:
    pcr = kinetics[kinetics["PARCAT1"] == "PCR"].set_index("USUBJID")
    events = {
        "OBJRESP": (responders == "Y").astype(float),
        "CRSGE2": (grades["CRS"] >= 2).astype(float),
        "ICANSGE2": (grades["ICANS"] >= 2).astype(float),
    }
    # The scale of the burden is that of all enrolled subjects, within indication and unit.
    dm = raw("dm").set_index("USUBJID")
    logs = np.log(pd.to_numeric(dm["TBURDBL"]))
    burden = logs.groupby([dm["INDIC"], dm["TBURDU"]]).transform(lambda x: (x - x.mean()) / x.std())
    frame = pd.DataFrame({"event": events[endpoint], "exposure": pcr[metric], "burden": burden})
    frame = frame[(frame["exposure"] > 0) & frame["event"].notna()]
    columns = [np.log2(frame["exposure"].to_numpy())]
    if adjustment == "TUMOUR_BURDEN":
        frame = frame[frame["burden"].notna()]
        columns = [np.log2(frame["exposure"].to_numpy()), frame["burden"].to_numpy()]
    outcome = frame["event"].to_numpy()
    found = result(
        "exposure_response", "logistic", endpoint,
        metric=metric, adjustment=adjustment, population="PRIMARY",
    )  # fmt: skip
    assert (found["n"], found["events"]) == (len(frame), outcome.sum())
    rarer = min(outcome.sum(), len(outcome) - outcome.sum())
    assert rarer >= 10 * len(columns), "the choice is maximum likelihood by the count of events"
    expected = profile_interval(outcome, np.column_stack(columns))
    assert [found["or"], found["or_low"], found["or_high"]] == pytest.approx(expected, rel=1e-6)


def test_tocilizumab_goes_with_exposure_by_selection_alone_and_weights_agree_with_statsmodels(
    dataset, result
) -> None:
    """The study is simulated without an effect of tocilizumab on exposure."""
    ader = dataset("ADER")
    ader = ader[(ader["ERFL"] == "Y") & (ader["CMAX"] > 0) & (ader["TOCIFL"] != "")]
    logs, given = np.log(ader["CMAX"]), ader["TOCIFL"] == "Y"
    naive = math.exp(logs[given].mean() - logs[~given].mean())
    found = result("exposure_response", "rescue_ratio", "CMAX", term="TOCILIZUMAB")
    assert found["gmr"] == pytest.approx(naive, rel=1e-9)
    assert 2.0 < naive < 3.5
    assert found["gmr_low"] > 1.5
    # Every subject with grade 4 was treated: no weighting over all grades.
    crs = ader[ader["CRSGR"] >= 1]
    treated = crs.groupby("CRSGR")["TOCIFL"].agg(lambda flag: set(flag))
    overlap = [grade for grade, flags in treated.items() if flags == {"Y", "N"}]
    assert overlap == [1, 2, 3]
    where = {"term": "TOCILIZUMAB", "population": "CRS"}
    assert math.isnan(result("exposure_response", "weighted_ratio", "CMAX", **where)["gmr"])
    rows = crs[crs["CRSGR"].isin(overlap)].dropna(subset=["CRSONDY", "LTBURDZ"])
    levels = pd.get_dummies(rows["CRSGR"], dtype=float).iloc[:, 1:]
    design = sm.add_constant(pd.concat([levels, rows[["CRSONDY", "LTBURDZ"]]], axis=1).to_numpy())
    a = (rows["TOCIFL"] == "Y").to_numpy(dtype=float)
    probability = sm.GLM(a, design, family=sm.families.Binomial()).fit(tol=1e-14).predict()
    weights = np.where(a == 1, a.mean() / probability, (1 - a.mean()) / (1 - probability))
    weights = np.clip(weights, *np.quantile(weights, [0.01, 0.99]))
    fit = sm.WLS(np.log(rows["CMAX"].to_numpy()), sm.add_constant(a), weights=weights).fit(
        cov_type="HC1", use_t=True
    )
    found = result(
        "exposure_response", "weighted_ratio", "CMAX",
        term="TOCILIZUMAB", population="CRS_OVERLAP",
    )  # fmt: skip
    expected = np.exp([fit.params[1], *fit.conf_int(0.10)[1]])
    assert [found["gmr"], found["gmr_low"], found["gmr_high"]] == pytest.approx(expected, rel=1e-6)
    assert found["gmr_low"] < 1 < found["gmr_high"]
    assert found["ess"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-6)

"""Before and after the change of process of the example study, computed again.

Quality attributes from lots.csv, kinetics from the datasets; nothing of the package is imported.
Planted: transduction 45 to 35 %, kinetics unchanged, an assay that finds 1.30 times as much.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

MARGIN = (0.5, 2.0)


@pytest.fixture(scope="module")
def lots(raw) -> pd.DataFrame:
    return raw("lots").drop_duplicates("LOTID")


@pytest.fixture(scope="module")
def process(lots, infusion) -> pd.Series:
    """Process of the lot of each infused subject."""
    return infusion["EXLOT"].map(lots.set_index("LOTID")["PROCESS"])


def log_sides(values: pd.Series, process: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    known = values[values > 0]
    group = process.reindex(known.index)
    after, before = (np.log(known[group == name].to_numpy(dtype=float)) for name in "BA")
    return after, before


def test_the_planted_difference_of_transduction_agrees_with_welchs_t_test(lots, result) -> None:
    after, before = (lots.loc[lots["PROCESS"] == name, "TRANSPCT"].astype(float) for name in "BA")
    found = result("comparability", "attribute_contrast", "TRANSPCT", group="B")
    test = stats.ttest_ind(after, before, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert found["estimate"] == pytest.approx(after.mean() - before.mean())
    assert (found["estimate_low"], found["estimate_high"]) == pytest.approx((low, high))
    assert found["estimate_low"] < -10 < found["estimate_high"] < 0
    assert math.isnan(found["margin_lower"]) and math.isnan(found["p_tost"])
    inside = result("comparability", "attribute_inside", "TRANSPCT", group="B", range="QUALITY")
    ends = before.mean() - 3 * before.std(), before.mean() + 3 * before.std()
    assert inside["n"] == after.between(*ends).sum()
    assert inside["denominator"] == len(after)


@pytest.mark.parametrize("parameter", ["CMAX", "AUC28"])
def test_the_bridged_ratio_holds_the_error_of_the_bridge(
    parameter, process, dataset, result
) -> None:
    rows = dataset("ADPPB")
    rows = rows[(rows["APPROACH"] == "BRIDGED") & (rows["PARCAT1"] == "PCR")]
    values = rows[rows["PARAMCD"] == parameter].set_index("USUBJID")["AVAL"]
    after, before = log_sides(values, process)
    place = {"approach": "BRIDGED", "group": "B", "model": "UNADJUSTED"}
    found = result("comparability", "ratio", parameter, analyte="PCR", **place)
    difference = after.mean() - before.mean()
    parts = [side.var(ddof=1) / side.size for side in (after, before)]
    fit = result("cellular_kinetics", "bridge_fit", "CONC", analyte="PCR", version="1")
    variance = sum(parts) + fit["se"] ** 2
    terms = [*(p**2 / (side.size - 1) for p, side in zip(parts, (after, before), strict=True))]
    welch = sum(parts) ** 2 / sum(terms)
    df = variance**2 / (sum(parts) ** 2 / welch + fit["se"] ** 4 / fit["df"])
    half = stats.t.ppf(0.95, df) * math.sqrt(variance)
    assert found["gmr"] == pytest.approx(math.exp(difference))
    assert found["se"] == pytest.approx(math.sqrt(variance))
    assert found["gmr_low"] == pytest.approx(math.exp(difference - half))
    assert found["gmr_high"] == pytest.approx(math.exp(difference + half))
    # Kinetics did not change: the interval holds 1, and lies within the margin of the config.
    assert found["gmr_low"] < 1 < found["gmr_high"]
    within = [(math.log(limit) - difference) / math.sqrt(variance) for limit in MARGIN]
    p = max(stats.t.cdf(within[0], df), stats.t.sf(within[1], df))
    assert found["p_tost"] == pytest.approx(p)
    assert (p <= 0.05) == (MARGIN[0] <= found["gmr_low"] and found["gmr_high"] <= MARGIN[1])


def test_as_measured_the_ratio_stands_without_a_verdict(process, dataset, result) -> None:
    rows = dataset("ADPP")
    rows = rows[(rows["PARCAT1"] == "PCR") & (rows["PARAMCD"] == "CMAX")]
    after, before = log_sides(rows.set_index("USUBJID")["AVAL"], process)
    place = {"approach": "ASIS", "group": "B", "model": "UNADJUSTED"}
    found = result("comparability", "ratio", "CMAX", analyte="PCR", **place)
    assert found["gmr"] == pytest.approx(math.exp(after.mean() - before.mean()))
    assert (found["n_test"], found["n_reference"]) == (after.size, before.size)
    assert math.isnan(found["p_tost"]) and math.isnan(found["probability"])


def test_events_and_their_risk_difference_agree_with_newcombes_formula(
    process, dataset, result
) -> None:
    events = dataset("ADAESI")
    having = set(events.loc[events["AESI"] == "CRS", "USUBJID"])
    counts = {
        name: (sum(subject in having for subject in who), len(who))
        for name in "AB"
        for who in [process.index[process == name]]
    }
    (y, m), (x, n) = counts["A"], counts["B"]
    found = result("comparability", "risk", "CRS", group="B")
    z = stats.norm.ppf(0.975)
    ends = []
    for count, size in ((x, n), (y, m)):
        share, width = count / size, z * z / size
        middle = (share + width / 2) / (1 + width)
        half = z * math.sqrt(share * (1 - share) / size + width / (4 * size)) / (1 + width)
        ends.append((share, middle - half, middle + half))
    (p, p_low, p_high), (q, q_low, q_high) = ends
    assert found["rd"] == pytest.approx(100 * (p - q))
    assert found["rd_low"] == pytest.approx(100 * (p - q - math.hypot(p - p_low, q_high - q)))
    assert found["rd_high"] == pytest.approx(100 * (p - q + math.hypot(p_high - p, q - q_low)))

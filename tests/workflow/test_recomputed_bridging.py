"""The bridge of the two PCR versions of the example study, computed again from pc.csv.

Nothing of the package is imported.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from plain_study import CHECKED, days, profile_parameters
from scipy import stats


@pytest.fixture(scope="module")
def pairs(raw) -> pd.DataFrame:
    """Samples of blood by qPCR beside the archived DNA of the same time by ddPCR."""
    pc = raw("pc")
    pc = pc[pc["PCTESTCD"] == "CARPCR"]
    sides = [
        pc.loc[pc["PCSPEC"] == specimen, ["USUBJID", "PCDTC", "PCORRES", "PCASSAYV"]]
        for specimen in ("BLOOD", "DNA")
    ]
    both = sides[0].merge(sides[1], on=["USUBJID", "PCDTC"], suffixes=("1", "2"))
    assert set(both["PCASSAYV1"]) == {"1"} and set(both["PCASSAYV2"]) == {"2"}
    known = both[(both["PCORRES1"] != "BLQ") & (both["PCORRES2"] != "BLQ")]
    assert len(both) == 60 and len(known) >= 55
    return known.assign(x=np.log(known["PCORRES1"].astype(float)),
                        y=np.log(known["PCORRES2"].astype(float)))  # fmt: skip


def test_factor_and_slope_agree_with_a_plain_second_computation(pairs, result) -> None:
    place = {"analyte": "PCR", "version": "1"}
    counts = result("cellular_kinetics", "bridge", "CONC", **place)
    assert (counts["n_pairs"], counts["n_used"]) == (60, len(pairs))
    assert counts["n"] == pairs["USUBJID"].nunique() == 20
    fit = result("cellular_kinetics", "bridge_fit", "CONC", **place)
    log_ratio = pairs["y"] - pairs["x"]
    assert fit["ratio"] == pytest.approx(math.exp(log_ratio.mean()))
    # The sum of each subject is one observation; few of them: t with 19 degrees of freedom.
    sums = (log_ratio - log_ratio.mean()).groupby(pairs["USUBJID"]).sum()
    se = math.sqrt(20 / 19 * (sums**2).sum()) / len(pairs)
    assert (fit["se"], fit["df"]) == (pytest.approx(se), 19)
    half = stats.t.ppf(0.975, 19) * se
    assert fit["ratio_low"] == pytest.approx(math.exp(log_ratio.mean() - half))
    axis = np.linalg.eigh(np.cov(pairs["x"], pairs["y"]))[1][:, -1]
    assert fit["slope"] == pytest.approx(axis[1] / axis[0])
    # The truth of the example: a factor of 1.30 at all levels.
    assert fit["ratio_low"] < 1.30 < fit["ratio_high"]
    assert fit["slope_low"] < 1 < fit["slope_high"]
    assert fit["applied"] == 1


@pytest.mark.parametrize("approach", ["BRIDGED", "HIGHLLOQ"])
def test_parameters_on_one_scale_agree_with_a_plain_second_computation(
    approach, pairs, raw, infusion, censoring, dataset
) -> None:
    factor = math.exp((pairs["y"] - pairs["x"]).mean())
    pc = raw("pc")
    pc = pc[(pc["PCTESTCD"] == "CARPCR") & (pc["PCSPEC"] == "BLOOD")]
    pc = pc[pc["USUBJID"].isin(infusion.index)]
    scale = np.where(pc["PCASSAYV"] == "1", factor, 1.0)
    conc = pd.to_numeric(pc["PCORRES"].where(pc["PCORRES"] != "BLQ"), errors="raise") * scale
    limit = pc["PCLLOQ"].astype(float) * scale
    if approach == "HIGHLLOQ":
        assert (conc < limit.max()).sum() > 5
        conc = conc.where(conc >= limit.max())
    samples = pc.assign(
        time=[
            days(text, infusion.at[subject, "zero"])
            for subject, text in zip(pc["USUBJID"], pc["PCDTC"], strict=True)
        ],
        nominal=pc["PCTPTNUM"].astype(float),
        conc=conc,
    )
    found = dataset("ADPPB")
    found = found[(found["APPROACH"] == approach) & (found["PARCAT1"] == "PCR")]
    wide = found.pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    mine = pd.DataFrame(
        {
            subject: profile_parameters(rows.sort_values("time"), censoring[subject])
            for subject, rows in samples.groupby("USUBJID")
        }
    ).T
    assert set(wide.index) == set(mine.index)
    for code in CHECKED:
        np.testing.assert_allclose(
            wide[code].to_numpy(),
            mine[code].reindex(wide.index).to_numpy(dtype=float),
            rtol=1e-9,
            err_msg=code,
        )

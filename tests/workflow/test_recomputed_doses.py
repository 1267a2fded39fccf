"""Doses, toxicity and response of each dose level, counted a second time from the raw files.

As in test_recomputed_kinetics.py nothing of the package is imported.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy import stats

LEVELS = ("DL1", "DL2", "DL3")
RESPONSES = ["CR", "CRi", "PR"]
AMOUNTS = {
    "DOSEA": "EXDOSE",
    "DOSEP": "EXPDOSE",
    "DOSETOT": "EXDOSTOT",
    "DOSEVIA": "EXDOSVIA",
    "DOSETGP": "EXDOSTGP",
}


def number(text: str) -> float:
    return float(text) if text else math.nan


def calendar_days(text: str, zero: pd.Timestamp) -> int:
    return (pd.Timestamp(text[:10]) - zero.normalize()).days


@pytest.fixture(scope="module")
def infusions(raw) -> list[dict[str, object]]:
    """Every infusion of the product with its amounts, its gene copies, and whether it is summed."""
    lots = raw("lots").set_index("LOTID")["VCN"]
    found = []
    for row in raw("ex").to_dict("records"):
        if row["EXCAT"] != "CELL PRODUCT":
            continue
        amounts = {name: number(row[column]) for name, column in AMOUNTS.items()}
        amounts["COPIES"] = amounts["DOSETGP"] * number(lots[row["EXLOT"]])
        counted = row["EPOCH"] == "TREATMENT" and row["EXPLFL"] == "Y"
        found.append({"USUBJID": row["USUBJID"], "row": row, "counted": counted, **amounts})
    return found


def test_every_raw_infusion_is_listed_with_its_gene_copies(infusions, dataset, result) -> None:
    listed = dataset("ADDA")
    listed = listed[listed["DALEVEL"] == "INFUSION"]
    ours = pd.DataFrame(infusions)
    assert len(listed) == len(ours)
    starts = [row["EXSTDTC"] for row in ours["row"]]
    both = listed.merge(ours.assign(ADTM=starts), on=["USUBJID", "ADTM"], suffixes=("", "_raw"))
    assert len(both) == len(ours)
    for name in (*AMOUNTS, "COPIES"):
        np.testing.assert_allclose(both[name], both[f"{name}_raw"], rtol=1e-12)
    assert (both["SUMFL"] == "Y").tolist() == both["counted"].tolist()
    counts = result("dose_exploration", "accountability", "INFUSION")
    assert counts["n"] == len(ours) and counts["n_counted"] == ours["counted"].sum()
    reasons = sum(
        result("dose_exploration", "accountability", "INFUSION", reason=reason)["n"]
        for reason in ("RETREATMENT", "UNPLANNED")
    )
    assert reasons == (~ours["counted"]).sum() > 0


def test_the_sums_of_the_listing_are_those_of_the_table_of_doses(
    infusions, infusion, dataset, result
) -> None:
    sums: dict[str, dict[str, float]] = {}
    for given in infusions:
        if given["counted"]:
            own = sums.setdefault(given["USUBJID"], dict.fromkeys((*AMOUNTS, "COPIES"), 0.0))
            for name in own:
                own[name] += given[name]
    table = pd.DataFrame(sums).T
    listed = dataset("ADDA")
    listed = listed[(listed["DALEVEL"] == "COURSE") & (listed["SUMFL"] == "Y")]
    listed = listed.set_index("USUBJID").reindex(table.index)
    for name in table:
        np.testing.assert_allclose(listed[name], table[name], rtol=1e-12)
        for level in LEVELS:
            own = table.loc[infusion.index[infusion["dose"] == level], name].dropna()
            found = result("dose_exploration", "dose", name, dose=level)
            assert found["n"] == len(own) > 0
            assert found["geomean"] == pytest.approx(stats.gmean(own))
            assert found["median"] == pytest.approx(own.median())


def test_toxicity_of_each_level_agrees_with_a_count_of_the_raw_events(
    raw, infusion, dataset, result
) -> None:
    # Who is evaluable is counted again in test_recomputed_study_data.py.
    evaluable = dataset("ADSL").set_index("USUBJID")["DLTEVLFL"] == "Y"
    toxic = set()
    for row in raw("ae").to_dict("records"):
        if row["AEDLT"] == "Y" and row["USUBJID"] in infusion.index:
            day = calendar_days(row["AESTDTC"], infusion.at[row["USUBJID"], "zero"])
            toxic |= {row["USUBJID"]} if 0 <= day <= 28 else set()
    for level in (*LEVELS, ""):
        own = [
            s
            for s in infusion.index
            if evaluable[s] and infusion.at[s, "dose"] in (level or LEVELS)
        ]
        count, size = len(toxic & set(own)), len(own)
        by = {"dose": level} if level else {}
        found = result("dose_exploration", "overview_dlt", "DLT", **by)
        limits = stats.binomtest(count, size).proportion_ci(method="exact")
        expected = [count, size, 100 * limits.low, 100 * limits.high]
        assert [found[s] for s in ("n", "denominator", "ci_low", "ci_high")] == pytest.approx(
            expected
        )


def test_severe_cytokine_release_of_each_level_agrees_with_the_raw_events(
    raw, infusion, result
) -> None:
    ae = raw("ae")
    ae = ae[(ae["AEDECOD"] == "Cytokine release syndrome") & ae["USUBJID"].isin(infusion.index)]
    worst = ae.groupby("USUBJID")["AETOXGR"].max().astype(float).reindex(infusion.index).fillna(0)
    for level in LEVELS:
        own = worst[infusion["dose"] == level]
        for grade, lowest in (("ANY", 1), ("SEVERE", 3)):
            found = result("dose_exploration", "overview_event", "CRS", dose=level, grade=grade)
            assert (found["n"], found["denominator"]) == ((own >= lowest).sum(), len(own))


def test_response_of_each_level_agrees_with_a_count_of_the_raw_assessments(
    raw, infusion, result
) -> None:
    therapy: dict[str, int] = {}
    for row in raw("cm").to_dict("records"):
        if row["CMDECOD"] in ("INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"):
            subject = row["USUBJID"]
            if subject in infusion.index:
                day = calendar_days(row["CMSTDTC"], infusion.at[subject, "zero"])
                if day > 0:
                    therapy[subject] = min(day, therapy.get(subject, day))
    responders = set()
    for subject, rows in raw("rs").groupby("USUBJID"):
        if subject not in infusion.index:
            continue
        course = sorted(
            (calendar_days(row["RSDTC"], infusion.at[subject, "zero"]), row["RSSTRESC"])
            for row in rows.to_dict("records")
            if row["RSTESTCD"] == "OVRLRESP"
        )
        end = min((day for day, name in course if name == "PD" and day > 0), default=10**6)
        end = min(end, therapy.get(subject, end))
        if any(0 < day <= end and name in RESPONSES for day, name in course):
            responders.add(subject)
    for level in LEVELS:
        own = infusion.index[infusion["dose"] == level]
        found = result("dose_exploration", "overview_rate", "ORR", dose=level)
        count = len(responders & set(own))
        limits = stats.binomtest(count, len(own)).proportion_ci(method="exact")
        expected = [count, len(own), 100 * limits.low, 100 * limits.high]
        assert [found[s] for s in ("n", "denominator", "ci_low", "ci_high")] == pytest.approx(
            expected
        )


def test_the_overlap_of_neighbours_agrees_with_the_standard_library(
    infusion, dataset, result
) -> None:
    adpp = dataset("ADPP")
    for metric in ("CMAX", "AUC28"):
        rows = adpp[(adpp["PARCAT1"] == "PCR") & (adpp["PROFTYP"] == "COURSE")]
        value = rows[rows["PARAMCD"] == metric].set_index("USUBJID")["AVAL"].dropna()
        assert (value > 0).all()
        by_level = {
            level: value[value.index.isin(infusion.index[infusion["dose"] == level])]
            for level in LEVELS
        }
        for lower, higher in pairwise(LEVELS):
            place = {"analyte": "PCR", "lower": lower, "higher": higher}
            groups = [np.log(by_level[level]).tolist() for level in (lower, higher)]
            found = result("dose_exploration", "overlap", metric, **place)
            chance = stats.mannwhitneyu(groups[1], groups[0]).statistic
            chance /= len(groups[0]) * len(groups[1])
            assert found["p_higher"] == pytest.approx(chance)
            normals = [NormalDist.from_samples(group) for group in groups]
            found = result(
                "dose_exploration", "overlap_coefficient", metric,
                estimator="NORMAL_UNEQUAL", **place,
            )  # fmt: skip
            assert found["ovl"] == pytest.approx(normals[0].overlap(normals[1]), abs=1e-9)
            assert found["ci_low"] < found["ovl"] < found["ci_high"]

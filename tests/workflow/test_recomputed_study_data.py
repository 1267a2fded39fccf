"""Populations, lymphodepletion and lots of the example study, counted again from the raw files.

As in test_recomputed_kinetics.py nothing of the package is imported.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from plain_study import days


def test_populations_and_dose_windows_agree_with_a_count_of_the_raw_files(
    raw, infusion, kinetics, responders, result, dataset
) -> None:
    dm, lb = raw("dm"), raw("lb")
    zero = infusion["zero"]
    lb = lb[lb["USUBJID"].isin(zero.index)]
    day = pd.Series(
        [days(t, zero[s]) for s, t in zip(lb["USUBJID"], lb["LBDTC"], strict=True)], lb.index
    )
    pd_set = set(lb["USUBJID"][day <= 0]) & set(lb["USUBJID"][day > 0])
    expected = {
        "ENROLLED": (dm["RFICDTC"] != "").sum(),
        "LEUKAPHERESED": (dm["LEUKDTC"] != "").sum(),
        "MANUFACTURED": (dm["MFGSTAT"] == "RELEASED").sum(),
        "INFUSED": len(zero),
        "CK": kinetics["USUBJID"].nunique(),
        "PD": len(pd_set),
        "ER": kinetics["USUBJID"].nunique(),
    }
    for population, count in expected.items():
        assert result("study_data", "populations", "", population=population)["n"] == count
    adsl = dataset("ADSL").set_index("USUBJID")
    stated = dm.set_index("USUBJID").loc[~dm["USUBJID"].isin(zero.index).to_numpy(), "NOINFRSN"]
    assert adsl.loc[stated.index, "NSAFRSN"].tolist() == stated.tolist()
    # In the window if every infusion of the first course was; the unplanned one does not count.
    ex = raw("ex")
    course = (ex["EPOCH"] == "TREATMENT") & (ex["EXPLFL"] == "Y")
    cells = ex[(ex["EXCAT"] == "CELL PRODUCT") & course]
    ratio = pd.to_numeric(cells["EXDOSE"]) / pd.to_numeric(cells["EXPDOSE"])
    known = ratio.notna()
    outside = (known & ~ratio.between(0.8, 1.2)).groupby(cells["USUBJID"]).any()
    judged = known.groupby(cells["USUBJID"]).all()
    for level in ("DL1", "DL2", "DL3"):
        own = infusion.index[infusion["dose"] == level]
        found = result("dose_exploration", "dose", "INWINFL", dose=level)
        expected = ((judged & ~outside)[own].sum(), outside[own].sum())
        assert (found["n_inwindow"], found["n_outwindow"]) == expected
    adrs = dataset("ADRS")
    best = adrs[adrs["PARAMCD"] == "BOR"].set_index("USUBJID")["RESPFL"]
    assert best.reindex(infusion.index).fillna("").tolist() == responders.tolist()


def first_values(lb: pd.DataFrame, infusion: pd.DataFrame, test: str) -> pd.DataFrame:
    """Results of one test with their day from the first infusion, in order of time."""
    rows = lb[(lb["LBTESTCD"] == test) & lb["USUBJID"].isin(infusion.index)]
    day = [
        days(t, infusion.at[s, "zero"]) for s, t in zip(rows["USUBJID"], rows["LBDTC"], strict=True)
    ]
    value = pd.to_numeric(rows["LBORRES"])
    return rows[["USUBJID"]].assign(day=day, value=value).sort_values(["USUBJID", "day"])


@pytest.fixture(scope="module")
def drugs(raw, infusion) -> pd.DataFrame:
    """Lymphodepletion before the first infusion: a row a subject and drug, from ex.csv alone."""
    ex = raw("ex")
    ex = ex[(ex["EXCAT"] == "LYMPHODEPLETION") & ex["USUBJID"].isin(infusion.index)]
    rows = []
    for (subject, drug), records in ex.groupby(["USUBJID", "EXTRT"]):
        to_infusion = [int(days(t[:10], infusion.at[subject, "zero"])) for t in records["EXSTDTC"]]
        own = records.assign(day=to_infusion)
        own = own[own["day"] <= 0]
        total, plan = (pd.to_numeric(own[name]).sum() for name in ("EXDOSE", "EXPDOSE"))
        rows.append(
            {
                **{"USUBJID": subject, "drug": drug, "total": total, "ratio": total / plan},
                **{"days": own["day"].nunique(), "unit": own["EXDOSU"].iloc[0]},
                **{"begin": own["day"].min(), "end": own["day"].max()},
            }
        )
    return pd.DataFrame(rows)


def test_lymphodepletion_agrees_with_a_count_of_the_raw_records(
    raw, infusion, drugs, result
) -> None:
    assert set(drugs["unit"]) == {"mg/m2"} and drugs["USUBJID"].nunique() > 100
    for level in ("", "DL1", "DL2", "DL3"):
        by = {"dose": level} if level else {}
        members = infusion.index[infusion["dose"] == level] if level else infusion.index
        own = drugs[drugs["USUBJID"].isin(members)]
        found = result("study_data", "lymphodepletion", "LDFL", **by)
        assert (found["n"], found["n_infused"]) == (own["USUBJID"].nunique(), len(members))
        off = own[(own["ratio"] - 1).abs() > 0.1]
        found = result("study_data", "lymphodepletion", "LDDEVFL", **by)
        assert (found["n"], found["n_judged"]) == (off["USUBJID"].nunique(), len(members))
        for drug, rows in own.groupby("drug"):
            total = result(
                "study_data", "lymphodepletion_dose", "LDTOTA", drug=drug, unit="mg/m2", **by
            )
            assert total["n"] == len(rows)
            expected = [rows["total"].mean(), rows["total"].std(), rows["total"].median()]
            assert [total[stat] for stat in ("mean", "sd", "median")] == pytest.approx(expected)
            day = result(
                "study_data", "lymphodepletion_dose", "LDDOSED", drug=drug, unit="mg/m2", **by
            )
            assert day["mean"] == pytest.approx((rows["total"] / rows["days"]).mean())
    assert (drugs["ratio"] < 0.9).any(), "a reduced dose is part of the example"


def test_depth_of_lymphodepletion_agrees_with_the_raw_counts(raw, infusion, drugs, result) -> None:
    begin = drugs.groupby("USUBJID")["begin"].min()
    lb = raw("lb")
    found = {}
    for name, test in (("ALC", "LYM"), ("WBC", "WBC"), ("IL7", "IL7"), ("IL15", "IL15")):
        values = first_values(lb, infusion, test)
        start = values["USUBJID"].map(begin)
        at = values[(values["day"] >= -3) & (values["day"] <= 0)]
        found[f"{name}INF"] = at.groupby("USUBJID")["value"].last()
        if name in ("ALC", "WBC"):
            before = values[values["day"] < start].groupby("USUBJID")["value"].last()
            during = values[(values["day"] >= start) & (values["day"] <= 14)]
            lowest = during.sort_values(["value", "day"]).drop_duplicates("USUBJID")
            lowest = lowest.set_index("USUBJID")
            found |= {f"{name}PRELD": before, f"{name}NAD": lowest["value"]}
            found[f"{name}NADY"] = lowest["day"]
    found["ALCDEPL"] = 100 * (1 - found["ALCNAD"] / found["ALCPRELD"])
    found["LDINFDY"] = -drugs.groupby("USUBJID")["end"].max()
    assert len(found) == 12
    for variable, values in found.items():
        known = values.reindex(infusion.index).dropna()
        reported = result("study_data", "lymphodepletion_depth", variable)
        assert reported["n"] == len(known) > 50
        expected = [known.mean(), known.std(), known.median(), known.min(), known.max()]
        shown = [reported[stat] for stat in ("mean", "sd", "median", "min", "max")]
        assert shown == pytest.approx(expected, rel=1e-9), variable


def test_attributes_of_the_lots_given_agree_with_the_raw_lot_list(raw, infusion, result) -> None:
    lots, ex, dm = raw("lots"), raw("ex"), raw("dm").set_index("USUBJID")
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"]
    used = lots[lots["LOTID"].isin(cells["EXLOT"])].set_index("LOTID")
    assert 0 < len(used) < len(lots)
    first = pd.to_datetime(cells["EXSTDTC"].str[:10]).groupby(cells["EXLOT"]).min()
    collected = pd.to_datetime(used["USUBJID"].map(dm["LEUKDTC"]).str[:10])
    names = ["VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT"]
    names += ["TEFFPCT", "EXPFOLD", "POTENCY", "CULTDAYS", "VEINVEIN"]
    values = used[names].apply(pd.to_numeric)
    values["VEINVEIN"] = values["VEINVEIN"].fillna((first[used.index] - collected).dt.days)
    groups = {(): used.index}
    for key, column in (("process", "PROCESS"), ("site", "SITE")):
        groups |= {(key, level): rows.index for level, rows in used.groupby(column)}
    assert len(groups) == 5
    for place, members in groups.items():
        by = dict([place]) if place else {}
        counts = result("study_data", "product_lots", "LOTID", **by)
        assert counts["n"] == len(members)
        assert counts["n_subjects"] == cells[cells["EXLOT"].isin(members)]["USUBJID"].nunique()
        for name in names:
            unit = {"unit": used["POTENCU"].iloc[0]} if name == "POTENCY" else {}
            found = result("study_data", "product_attribute", name, **by, **unit)
            own = values.loc[members, name].dropna()
            expected = [len(own), own.mean(), own.std(), own.median(), own.min(), own.max()]
            shown = [found[stat] for stat in ("n", "mean", "sd", "median", "min", "max")]
            assert shown == pytest.approx(expected, rel=1e-9), (name, by)
        low = (values.loc[members, "VIABPCT"] < 70).sum()
        assert result("study_data", "product_release", "OOSFL", **by)["n"] == low


def test_who_is_evaluable_for_toxicity_and_response_agrees_with_the_raw_files(
    raw, infusion, responders, result
) -> None:
    dm = raw("dm").set_index("USUBJID")
    ae = raw("ae")
    dates = {
        **{"pc": ["PCDTC"], "lb": ["LBDTC"], "is": ["ISDTC"], "rs": ["RSDTC"], "fa": ["FADTC"]},
        **{"ae": ["AESTDTC", "AEENDTC"], "cm": ["CMSTDTC"], "ds": ["DSSTDTC"], "ex": ["EXSTDTC"]},
    }
    seen = dict.fromkeys(infusion.index, -math.inf)
    for file, columns in dates.items():
        frame = raw(file)
        for column in columns:
            for subject, text in zip(frame["USUBJID"], frame[column], strict=True):
                if subject in seen and len(text) >= 10:
                    day = days(text, infusion.at[subject, "zero"])
                    seen[subject] = max(seen[subject], day)
    toxic = set()
    for row in ae[ae["AEDLT"] == "Y"].to_dict("records"):
        if row["USUBJID"] in seen:
            day = days(row["AESTDTC"][:10], infusion.at[row["USUBJID"], "zero"])
            toxic |= {row["USUBJID"]} if 0 <= day <= 28 else set()
    assert toxic
    evaluable, reasons = 0, dict.fromkeys(("NOTESCAL", "DOSEOUT", "SHORTFU"), 0)
    for subject, given in infusion.iterrows():
        died = dm.at[subject, "DTHDTC"]
        last = days(died, given["zero"]) if died else seen[subject]
        if dm.at[subject, "PART"] != "ESCALATION":
            reasons["NOTESCAL"] += 1
        elif not 0.8 <= given["ratio"] <= 1.2:
            reasons["DOSEOUT"] += 1
        elif last < 28 and subject not in toxic:
            reasons["SHORTFU"] += 1
        else:
            evaluable += 1
    assert result("study_data", "populations", "", population="DLT")["n"] == evaluable > 0
    for reason, count in reasons.items():
        found = result("study_data", "population_reasons", "", population="DLT", reason=reason)
        assert found["n"] == count
    known = (responders != "").sum()
    assert result("study_data", "populations", "", population="RESPONSE")["n"] == known

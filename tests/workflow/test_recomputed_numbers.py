"""The numbers of the example study, computed a second time from the raw files.

Nothing of the package is imported: the rules of the analysis are written down here
once more, plainly, one subject at a time, with pandas, scipy and statsmodels only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

RUN = Path("results/CTX-101")
RAW = Path("resources/studies/CTX-101")
ANALYTES = {"CARPCR": "PCR", "CARFLOW": "FLOW"}
CUTOFF = "2025-12-15"
RESPONDERS = ["CR", "CRi", "PR"]
ORDER = [*RESPONDERS, "SD", "NR", "PD", "NE"]
TERMS = {
    "CRS": "Cytokine release syndrome",
    "ICANS": "Immune effector cell-associated neurotoxicity syndrome",
}
CHECKED = ["CMAX", "TMAX", "TLST", "TBQL", "AUC28", "AUCLST", "LAMZHL", "LAMZHLR", "CMAXTMAX"]


@pytest.fixture(scope="module")
def root(full_runs) -> Path:
    return full_runs[0].root


@pytest.fixture(scope="module")
def raw(root: Path) -> Callable[[str], pd.DataFrame]:
    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(root / RAW / f"{name}.csv", dtype=str, keep_default_na=False)

    return read


@pytest.fixture(scope="module")
def dataset(root: Path) -> Callable[[str], pd.DataFrame]:
    return lambda name: pd.read_parquet(root / RUN / "adam" / f"{name}.parquet")


@pytest.fixture(scope="module")
def result(root: Path) -> Callable[..., dict[str, float]]:
    tables = {path.stem: pd.read_parquet(path) for path in (root / RUN / "ard").glob("*.parquet")}

    def find(stage: str, analysis: str, variable: str, **by: str) -> dict[str, float]:
        rows = tables[stage]
        rows = rows[rows["analysis_id"] == f"{stage}.{analysis}"]
        analyte = by.pop("analyte", None)
        rows = rows[rows["variable"] == variable]
        if analyte is not None:
            rows = rows[rows["analyte"] == analyte]
        levels = [
            {row[f"group{i}"]: row[f"level{i}"] for i in (1, 2, 3) if row[f"group{i}"]}
            for row in rows.to_dict("records")
        ]
        rows = rows[[level == by for level in levels]]
        assert len(rows), (stage, analysis, variable, by)
        assert rows["stat_name"].is_unique
        return dict(zip(rows["stat_name"], rows["value"], strict=True))

    return find


@pytest.fixture(scope="module")
def infusion(raw) -> pd.DataFrame:
    """First infusion of each subject: `zero`, and the dose with its ratio to the plan."""
    ex = raw("ex")
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"].sort_values(["USUBJID", "EXSTDTC"])
    # Second infusions (retreatment, unplanned) are no part of the first course.
    cells = cells.drop_duplicates("USUBJID").copy()
    cells["zero"] = pd.to_datetime(cells["EXSTDTC"])
    cells["ratio"] = cells["EXDOSE"].astype(float) / cells["EXPDOSE"].astype(float)
    arm = raw("dm").set_index("USUBJID")["ARMCD"]
    return cells.set_index("USUBJID").assign(dose=lambda frame: arm.reindex(frame.index))


def days(text: str, zero: pd.Timestamp) -> float:
    """Days from the first infusion; a date without time of day counts in whole days."""
    time = pd.Timestamp(text)
    if len(text) <= 10:
        return float((time - zero.normalize()).days)
    return (time - zero).total_seconds() / 86400


def area(points: list[tuple[float, float]]) -> float:
    """Linear up, logarithmic down (R11)."""
    total = 0.0
    for (t1, c1), (t2, c2) in pairwise(points):
        falls = 0 < c2 < c1
        total += (t2 - t1) * ((c1 - c2) / math.log(c1 / c2) if falls else (c1 + c2) / 2)
    return total


def area_to(points: list[tuple[float, float]], end: float) -> float:
    inside = [point for point in points if point[0] <= end]
    beyond = [point for point in points if point[0] > end]
    if beyond and inside[-1][0] < end:
        (t1, c1), (t2, c2) = inside[-1], beyond[0]
        part = (end - t1) / (t2 - t1)
        falls = 0 < c2 < c1
        inside = [*inside, (end, c1 * (c2 / c1) ** part if falls else c1 + (c2 - c1) * part)]
    return area(inside)


def terminal_fit(after: list[tuple[float, float]]) -> tuple[float, float, float] | None:
    """Rate, adjusted R squared and length of window of the best terminal regression (R16)."""
    fits = []
    for k in range(3, len(after) + 1):
        time, conc = np.array(after[-k:]).T
        line = stats.linregress(time, np.log(conc))
        if line.slope < 0:
            r2adj = 1 - (1 - line.rvalue**2) * (k - 1) / (k - 2)
            fits.append((-line.slope, r2adj, time[-1] - time[0]))
    if not fits:
        return None
    best = max(fit[1] for fit in fits)
    return [fit for fit in fits if best - fit[1] < 1e-4][-1]


def profile_parameters(samples: pd.DataFrame, censored: float) -> dict[str, float]:
    """Parameters of one profile (columns time, nominal, conc; conc NaN where BLQ), R3 to R20."""
    before = samples[samples["time"] <= 0]
    rows = samples.drop(index=before.index[:-1]).sort_values("time")
    time = rows["time"].clip(lower=0).tolist()
    conc, nominal = rows["conc"].tolist(), rows["nominal"].tolist()
    if before.empty:
        time, conc, nominal = [0.0, *time], [0.0, *conc], [0.0, *nominal]
    value = dict.fromkeys(CHECKED, math.nan)
    known = [i for i, c in enumerate(conc) if c > 0]
    if not known:
        return value | {"CMAX": 0.0, "AUC28": 0.0, "AUCLST": 0.0}
    eligible = [i for i in known if nominal[i] >= 1]
    peak = max(eligible or known, key=lambda i: (conc[i], -i))
    first, last = min(i for i in known if time[i] > 0), known[-1]
    if eligible:
        value |= {"CMAX": conc[peak], "TMAX": time[peak], "CMAXTMAX": conc[peak] / time[peak]}
    value["TLST"] = time[last]
    blq = [math.isnan(c) for c in conc]
    lost = [i for i in range(peak + 1, len(conc) - 1) if blq[i] and blq[i + 1]]
    if lost:
        value["TBQL"] = time[lost[0]]
    points = []
    for i in range(last + 1):
        together = (i > first and blq[i - 1]) or blq[i + 1 : i + 2] == [True]
        if not blq[i]:
            points.append((time[i], conc[i]))
        elif i < first or i < peak or together:
            points.append((time[i], 0.0))
    value["AUCLST"] = area(points)
    fit = terminal_fit([(time[i], conc[i]) for i in known if i > peak])
    if fit:
        value["LAMZHLR"] = math.log(2) / fit[0]
        if fit[1] >= 0.8 and fit[2] / value["LAMZHLR"] >= 2:
            value["LAMZHL"] = value["LAMZHLR"]
    value["AUC28"] = partial_area(points, time, conc, known, fit, censored)
    return value


def partial_area(points, time, conc, known, fit, censored: float, end: float = 28.0) -> float:
    """AUC to `end` with its tail (R13 to R15)."""
    last = known[-1]
    if time[last] >= end:
        return area_to(points, end)
    rest, body = end - time[last], area(points)
    following = time[last + 1] if last + 1 < len(time) else math.inf
    if following <= end + 3:
        width = following - time[last]
        if censored < end and following > censored:
            return math.nan
        cut = min(rest, width)
        return body + conc[last] * cut * (1 - cut / width / 2)
    if censored < end:
        return math.nan
    if rest <= 3:
        previous = known[-2] if len(known) > 1 else None
        if previous is not None and conc[previous] > conc[last]:
            rate = math.log(conc[previous] / conc[last]) / (time[last] - time[previous])
            return body + conc[last] * (1 - math.exp(-rate * rest)) / rate
        return body + conc[last] * rest
    if fit is None:
        return math.nan
    tail = conc[last] * (1 - math.exp(-fit[0] * rest)) / fit[0]
    return body + tail if tail / (body + tail) <= 0.2 else math.nan


@pytest.fixture(scope="module")
def censoring(raw, infusion) -> dict[str, float]:
    """First of death, new therapy and unplanned second infusion of each subject, days (R15)."""
    dm, cm, ex = raw("dm"), raw("cm"), raw("ex")
    therapy = cm[cm["CMDECOD"].isin(["INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"])]
    unplanned = ex[(ex["EXCAT"] == "CELL PRODUCT") & (ex["EXPLFL"] == "N")]
    assert len(therapy) > 20 and len(unplanned) == 1
    found = dict.fromkeys(infusion.index, math.inf)
    for frame, column in ((dm, "DTHDTC"), (therapy, "CMSTDTC"), (unplanned, "EXSTDTC")):
        for subject, text in zip(frame["USUBJID"], frame[column], strict=True):
            if subject in found and text:
                found[subject] = min(found[subject], days(text, infusion.at[subject, "zero"]))
    return found


@pytest.fixture(scope="module")
def kinetics(raw, infusion, censoring) -> pd.DataFrame:
    """Parameters by subject and analyte, from pc.csv, ex.csv and dm.csv alone."""
    pc = raw("pc")
    pc = pc[pc["PCSPEC"].isin(["BLOOD", "WHOLE BLOOD"]) & pc["USUBJID"].isin(infusion.index)]
    pc = pc.assign(
        analyte=pc["PCTESTCD"].map(ANALYTES),
        time=[
            days(t, infusion.at[s, "zero"]) for s, t in zip(pc["USUBJID"], pc["PCDTC"], strict=True)
        ],
        nominal=pc["PCTPTNUM"].astype(float),
        conc=pd.to_numeric(pc["PCORRES"].where(pc["PCORRES"] != "BLQ"), errors="raise"),
    )
    assert not (pc["conc"] < pc["PCLLOQ"].astype(float)).any()
    rows = []
    for (subject, analyte), samples in pc.groupby(["USUBJID", "analyte"]):
        found = profile_parameters(samples.sort_values("time"), censoring[subject])
        rows.append({"USUBJID": subject, "PARCAT1": analyte, **found})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def responders(raw, infusion) -> pd.Series:
    """Y, N, or blank (not known) for each infused subject."""
    rs = raw("rs")
    rs = rs[rs["USUBJID"].isin(infusion.index)]
    after = [
        days(t, infusion.at[s, "zero"]) > 0 for s, t in zip(rs["USUBJID"], rs["RSDTC"], strict=True)
    ]
    best = rs[after].groupby("USUBJID")["RSSTRESC"].agg(lambda found: min(found, key=ORDER.index))
    best = best.reindex(infusion.index).fillna("NE")
    return best.map(lambda name: "" if name == "NE" else "Y" if name in RESPONDERS else "N")


@pytest.fixture(scope="module")
def grades(raw, infusion) -> pd.DataFrame:
    """Worst grade of CRS and ICANS that began within 28 days."""
    ae = raw("ae")
    ae = ae[ae["USUBJID"].isin(infusion.index)]
    start = [
        days(t, infusion.at[s, "zero"]) for s, t in zip(ae["USUBJID"], ae["AESTDTC"], strict=True)
    ]
    ae = ae.assign(grade=ae["AETOXGR"].astype(float), start=start)
    ae = ae[(ae["start"] >= 0) & (ae["start"] <= 28)]
    return (
        pd.DataFrame(
            {
                name: ae[ae["AEDECOD"] == term].groupby("USUBJID")["grade"].max()
                for name, term in TERMS.items()
            }
        )
        .reindex(infusion.index)
        .fillna(0.0)
    )


def test_the_parameters_of_every_subject_agree_with_a_plain_second_computation(
    kinetics, dataset
) -> None:
    adpp = dataset("ADPP").pivot(index=["USUBJID", "PARCAT1"], columns="PARAMCD", values="AVAL")
    mine = kinetics.set_index(["USUBJID", "PARCAT1"])
    assert set(adpp.index) == set(mine.index)
    assert mine["AUC28"].notna().sum() > 200
    for code in CHECKED:
        np.testing.assert_allclose(
            adpp[code].to_numpy(),
            mine[code].reindex(adpp.index).to_numpy(),
            rtol=1e-9,
            err_msg=code,
        )


def test_geometric_means_and_ratios_agree_with_a_plain_second_computation(
    kinetics, infusion, responders, result
) -> None:
    pcr = kinetics[kinetics["PARCAT1"] == "PCR"].set_index("USUBJID")
    for code in ("CMAX", "AUC28"):
        for level in ("DL1", "DL2", "DL3"):
            values = pcr.loc[infusion["dose"].reindex(pcr.index) == level, code].dropna()
            logs = np.log(values[values > 0])
            found = result("cellular_kinetics", "summary", code, analyte="PCR", dose=level)
            assert found["n"] == len(values)
            assert found["geomean"] == pytest.approx(math.exp(logs.mean()), rel=1e-9)
            gcv = 100 * math.sqrt(math.exp(logs.var()) - 1)
            assert found["gcv"] == pytest.approx(gcv, rel=1e-9)
        a, b = (
            np.log(pcr.loc[(responders.reindex(pcr.index) == flag) & (pcr[code] > 0), code])
            for flag in ("Y", "N")
        )
        interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.90)
        found = result("cellular_kinetics", "ratio_by_response", code, analyte="PCR")
        assert (found["n_responder"], found["n_nonresponder"]) == (len(a), len(b))
        assert found["gmr"] == pytest.approx(math.exp(a.mean() - b.mean()), rel=1e-9)
        assert found["gmr_low"] == pytest.approx(math.exp(interval.low), rel=1e-9)
        assert found["gmr_high"] == pytest.approx(math.exp(interval.high), rel=1e-9)


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


def test_antibody_incidence_and_its_exact_interval_agree_with_a_count_of_the_raw_results(
    raw, infusion, result
) -> None:
    tests = raw("is")
    tests = tests[tests["USUBJID"].isin(infusion.index) & (tests["ISCAT"] != "CELLULAR")]
    tests = tests.assign(
        day=[
            days(t, infusion.at[s, "zero"])
            for s, t in zip(tests["USUBJID"], tests["ISDTC"], strict=True)
        ]
    )
    counts = dict.fromkeys(["EVALUABLE", "BASELINE", "INDUCED", "BOOSTED"], 0)
    for _, rows in tests.groupby("USUBJID"):
        tiers = {
            day: dict(zip(sample["ISCAT"], sample["ISORRES"], strict=True))
            for day, sample in rows.groupby("day")
        }
        before = [tiers[day] for day in sorted(tiers) if day <= 0]
        later = [tiers[day] for day in sorted(tiers) if day > 0]
        if not before or not later:
            continue
        counts["EVALUABLE"] += 1
        positive = [tier for tier in later if tier.get("CONFIRMATORY") == "POSITIVE"]
        if before[-1].get("CONFIRMATORY") == "POSITIVE":
            counts["BASELINE"] += 1
            fold = [float(tier["TITER"]) / float(before[-1]["TITER"]) for tier in positive]
            counts["BOOSTED"] += max(fold, default=0) >= 4
        else:
            counts["INDUCED"] += bool(positive)
    counts["EMERGENT"] = counts["INDUCED"] + counts["BOOSTED"]
    n = counts["EVALUABLE"]
    names = {"BASELINE": "BASELINE_POSITIVE", **{
        name: f"TREATMENT_{name}" for name in ("INDUCED", "BOOSTED", "EMERGENT")
    }}  # fmt: skip
    for name, variable in names.items():
        found = result("immunogenicity", "incidence", variable)
        interval = stats.binomtest(counts[name], n).proportion_ci(method="exact")
        assert (found["n"], found["denominator"]) == (counts[name], n)
        limits = [found["pct"], found["ci_low"], found["ci_high"]]
        expected = [counts[name] / n, interval.low, interval.high]
        assert limits == pytest.approx([100 * x for x in expected], rel=1e-9)


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


def test_worst_grades_agree_with_a_count_of_the_raw_events(grades, dataset) -> None:
    ader = dataset("ADER").set_index("USUBJID")
    assert set(grades["CRS"]) >= {0.0, 1.0, 2.0, 3.0}
    assert ader["CRSGR"].tolist() == grades["CRS"].reindex(ader.index).tolist()
    assert ader["ICANSGR"].tolist() == grades["ICANS"].reindex(ader.index).tolist()


@pytest.fixture(scope="module")
def indication(raw, infusion) -> pd.Series:
    return raw("dm").set_index("USUBJID")["INDIC"].reindex(infusion.index)


@pytest.fixture(scope="module")
def assessments(raw, infusion) -> dict[str, list[tuple[int, str]]]:
    """Category of each assessment after the infusion, by subject, with its day."""
    found: dict[str, list[tuple[int, str]]] = {subject: [] for subject in infusion.index}
    rs = raw("rs").sort_values(["USUBJID", "RSDTC"])
    for subject, text, category in zip(rs["USUBJID"], rs["RSDTC"], rs["RSSTRESC"], strict=True):
        if subject in found:
            day = days(text[:10], infusion.at[subject, "zero"])
            if day > 0:
                found[subject].append((int(day), category))
    return found


@pytest.fixture(scope="module")
def new_therapy(raw, infusion) -> dict[str, int]:
    """Day of the first treatment of the disease after the infusion."""
    cm = raw("cm")
    cm = cm[cm["CMDECOD"].isin(["INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"])]
    found: dict[str, int] = {}
    for subject, text in zip(cm["USUBJID"], cm["CMSTDTC"], strict=True):
        if subject in infusion.index:
            day = int(days(text[:10], infusion.at[subject, "zero"]))
            if day > 0:
                found[subject] = min(day, found.get(subject, day))
    return found


def test_best_response_and_its_rates_agree_with_a_count_of_the_raw_assessments(
    assessments, new_therapy, indication, result
) -> None:
    best = {}
    for subject, course in assessments.items():
        progressed = min((day for day, name in course if name == "PD"), default=math.inf)
        end = min(progressed, new_therapy.get(subject, math.inf))
        names = [name for day, name in course if day <= end]
        best[subject] = min(names, key=ORDER.index) if names else ""
    best = pd.Series(best).reindex(indication.index)
    criteria = {"ALL": "ALL", "NHL": "LUGANO2014"}
    for name, vocabulary in criteria.items():
        own = best[indication == name]
        for category in sorted(set(own) - {""}):
            found = result(
                "study_data", "best_response", vocabulary, indication=name, category=category
            )
            assert found["n"] == (own == category).sum()
            assert found["pct"] == pytest.approx(100 * (own == category).mean())
        unknown = result(
            "study_data", "best_response_unknown", "BOR", indication=name, reason="NOASSESS"
        )
        assert unknown["n"] == (own == "").sum() > 0
    for by, own in (({}, best), *(({"indication": n}, best[indication == n]) for n in criteria)):
        known = own[~own.isin(["", "NE"])]
        for variable, names in (("ORR", RESPONDERS), ("CR", ["CR"])):
            for denominator, size in (("INFUSED", len(own)), ("EVALUABLE", len(known))):
                found = result(
                    "study_data", "response_rate", variable, denominator=denominator, **by
                )
                events = int(own.isin(names).sum())
                limits = stats.binomtest(events, size).proportion_ci(method="exact")
                expected = [events, size, 100 * events / size, 100 * limits.low, 100 * limits.high]
                names_of = ("n", "denominator", "pct", "ci_low", "ci_high")
                assert [found[stat] for stat in names_of] == pytest.approx(expected)


def kaplan_meier(rows: list[tuple[float, bool]], at: float) -> tuple[float, float, int]:
    """Median, survival at a time, and subjects at risk at it; one step after the other."""
    survival, median, at_time = 1.0, math.nan, 1.0
    for time in sorted({t for t, _ in rows}):
        risk = sum(t >= time for t, _ in rows)
        survival *= 1 - sum(e for t, e in rows if t == time) / risk
        if survival <= 0.5 and math.isnan(median):
            median = time
        if time <= at:
            at_time = survival
    return median, at_time, sum(t >= at for t, _ in rows)


def last_seen(raw: Callable[[str], pd.DataFrame]) -> pd.Series:
    """Latest complete date of any record of a subject who was not dead or lost by it."""
    parts = []
    for name in ("dm", "ex", "pc", "lb", "is", "ae", "fa", "rs", "ds", "cm"):
        table = raw(name)
        if name == "ds":
            table = table[~table["DSDECOD"].isin(["DEATH", "LOST TO FOLLOW-UP"])]
        for column in table.columns[table.columns.str.endswith("DTC")].difference(["DTHDTC"]):
            dated = table[table[column].str.len() >= 10]
            parts.append(dated.set_index("USUBJID")[column].str.slice(0, 10))
    return pd.concat(parts).groupby(level=0).max().clip(upper=CUTOFF)


def test_survival_events_and_medians_agree_with_a_count_of_the_raw_dates(
    raw, infusion, assessments, new_therapy, indication, result
) -> None:
    dm = raw("dm").set_index("USUBJID")
    death = {
        subject: int(days(dm.at[subject, "DTHDTC"][:10], zero))
        for subject, zero in infusion["zero"].items()
        if dm.at[subject, "DTHDTC"]
    }
    alive = last_seen(raw)
    ex = raw("ex")
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"].sort_values("EXSTDTC", kind="stable")
    # Retreatments and an unplanned infusion: what comes after them is not of the first course.
    second = cells[cells["USUBJID"].duplicated()].drop_duplicates("USUBJID")
    again = {
        row["USUBJID"]: days(row["EXSTDTC"][:10], infusion.at[row["USUBJID"], "zero"])
        for row in second.to_dict("records")
    }
    assert len(again) == 3
    month = 365.25 / 12
    courses: dict[str, dict[str, tuple[float, bool]]] = {"OS": {}, "PFS": {}, "DOR": {}}
    for subject, course in assessments.items():
        zero = infusion.at[subject, "zero"]
        last = days(alive[subject], zero)
        courses["OS"][subject] = (death.get(subject, last), subject in death)
        adequate = [(day, name) for day, name in course if name != "NE"]
        therapy = min(new_therapy.get(subject, math.inf), again.get(subject, math.inf))
        answers = [d for d, name in adequate if name in RESPONDERS and d <= therapy]
        progressed = min((d for d, name in adequate if name == "PD"), default=math.inf)
        event = min(progressed, death.get(subject, math.inf))
        # New therapy before the event: censored at the last assessment up to it.
        until = [0, *(day for day, _ in adequate if day <= min(therapy, event))]
        occurred = event <= therapy and event < math.inf
        courses["PFS"][subject] = (event if occurred else max(until), occurred)
        first = min((d for d in answers if d <= progressed), default=math.inf)
        if first < math.inf:
            time, happened = courses["PFS"][subject]
            courses["DOR"][subject] = (time - first, happened)
    assert (len(courses["PFS"]), len(courses["DOR"])) == (120, 67)
    for endpoint, rows in courses.items():
        for by in ({}, {"indication": "ALL"}, {"indication": "NHL"}):
            own = [
                row
                for subject, row in rows.items()
                if not by or indication[subject] == by["indication"]
            ]
            found = result("study_data", "time_to_event", endpoint, **by)
            events = sum(event for _, event in own)
            assert (found["n"], found["n_events"]) == (len(own), events), (endpoint, by)
            assert found["n_censored"] == len(own) - events
            in_months = [(time / month, event) for time, event in own]
            median, survival, risk = kaplan_meier(in_months, 6)
            printed = result("study_data", "time_to_event_median", endpoint, **by)["median"]
            assert printed == pytest.approx(median, nan_ok=True), (endpoint, by)
            at = result("study_data", "time_to_event_landmark", endpoint, time="6", **by)
            assert at["survival"] == pytest.approx(100 * survival), (endpoint, by)
            assert at["n_at_risk"] == risk
    deaths = result("study_data", "time_to_event_events", "OS", event="DEATH")
    assert deaths["n"] == len(death) == 46


@pytest.fixture(scope="module")
def course(raw, infusion) -> dict[tuple[str, str], list[tuple[float, float, float | None, bool]]]:
    """Results of each subject and analyte in blood after the infusion.

    Day, nominal day, value (None below the limit of quantitation), and whether it was taken
    before a second infusion or a new therapy.
    """
    ex, cm, pc = raw("ex"), raw("cm"), raw("pc")
    again = ex[(ex["EXCAT"] == "CELL PRODUCT") & ex["USUBJID"].isin(infusion.index)]
    therapy = cm[cm["CMDECOD"].isin(["INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"])]
    until = dict.fromkeys(infusion.index, math.inf)
    for frame, column in ((again, "EXSTDTC"), (therapy, "CMSTDTC")):
        for subject, text in zip(frame["USUBJID"], frame[column], strict=True):
            if subject in until and text and days(text, infusion.at[subject, "zero"]) > 0:
                until[subject] = min(until[subject], days(text, infusion.at[subject, "zero"]))
    found: dict[tuple[str, str], list[tuple[float, float, float | None, bool]]] = {}
    pc = pc[pc["PCSPEC"].isin(["BLOOD", "WHOLE BLOOD"]) & pc["USUBJID"].isin(infusion.index)]
    for row in pc.to_dict("records"):
        day = days(row["PCDTC"], infusion.at[row["USUBJID"], "zero"])
        if day > 0 and row["PCORRES"]:
            value = None if row["PCORRES"] == "BLQ" else float(row["PCORRES"])
            key = (row["USUBJID"], ANALYTES[row["PCTESTCD"]])
            place = (day, float(row["PCTPTNUM"]), value, day <= until[row["USUBJID"]])
            found.setdefault(key, []).append(place)
    return {key: sorted(samples, key=lambda s: s[0]) for key, samples in found.items()}


def test_two_assays_agree_with_a_plain_second_comparison(course, result):
    categories = dict.fromkeys(["both", "first", "second", "neither"], 0)
    logs, at_14 = [], []
    for (subject, analyte), samples in course.items():
        if analyte != "PCR":
            continue
        other = {nominal: value for _, nominal, value, _ in course[subject, "FLOW"]}
        for _, nominal, pcr, _ in samples:
            flow = other[nominal]
            name = {(True, True): "both", (True, False): "first", (False, True): "second"}
            categories[name.get((pcr is not None, flow is not None), "neither")] += 1
            if pcr is not None and flow is not None:
                logs.append((subject, math.log(pcr), math.log(flow)))
                if nominal == 14:
                    at_14.append(math.log(flow / pcr))
    counts = result("cellular_kinetics", "concordance", "FLOW", analyte="PCR")
    assert {name: counts[f"n_{name}"] for name in categories} == categories
    assert categories["both"] > 1000 and categories["first"] > 200
    _, x, y = (np.array(column) for column in zip(*logs, strict=True))
    fit = result("cellular_kinetics", "concordance_fit", "FLOW", analyte="PCR")
    assert fit["rho"] == pytest.approx(stats.spearmanr(x, y).statistic)
    # Deming with equal errors is the first principal axis.
    axis = np.linalg.eigh(np.cov(x, y))[1][:, -1]
    assert fit["deming_slope"] == pytest.approx(axis[1] / axis[0])
    slopes = [abs((y[i] - y[:i]) / (x[i] - x[:i])) for i in range(1, x.size)]
    assert fit["pb_slope"] == pytest.approx(np.median(np.concatenate(slopes)))
    means = pd.Series(y - x).groupby([subject for subject, _, _ in logs]).mean()
    agreement = result("cellular_kinetics", "assay_agreement", "FLOW", analyte="PCR")
    assert agreement["bias"] == pytest.approx(math.exp(means.mean()))
    ratio = result("cellular_kinetics", "assay_ratio", "FLOW", analyte="PCR", visit="14")
    assert ratio["geomean"] == pytest.approx(math.exp(np.mean(at_14)))
    assert ratio["n"] == len(at_14)


def test_the_duration_of_quantifiability_agrees_with_a_plain_second_count(course, result):
    rows = []
    quantifiable = {28: [0, 0], 90: [0, 0]}
    windows = {28: 7, 90: 15}
    for (_, analyte), every in course.items():
        if analyte != "PCR":
            continue
        samples = [(day, value) for day, _, value, before in every if before]
        known = [(day, value) for day, value in samples if value is not None]
        peak = max(known, key=lambda sample: (sample[1], -sample[0]))[0]
        loss = next(
            (
                day
                for (day, value), (_, following) in pairwise(samples)
                if value is None and following is None and day > peak
            ),
            math.inf,
        )
        held = max(day for day, _ in known if day < loss)
        rows.append((held if loss == math.inf else loss, loss < math.inf))
        for landmark, counts in quantifiable.items():
            near = [s for s in samples if abs(s[0] - landmark) <= windows[landmark]]
            if near:
                closest = min(near, key=lambda sample: abs(sample[0] - landmark))
                counts[0] += closest[1] is not None
                counts[1] += 1
    # Relapse disregarded: the endpoint as the samples alone have it.
    found = result("cellular_kinetics", "persistence", "PERSIGN", analyte="PCR")
    assert (found["n"], found["n_loss"]) == (len(rows), sum(event for _, event in rows))
    assert found["n_loss"] > 10
    for landmark, day in (("M3", 90), ("M6", 180), ("M12", 360)):
        _, survival, risk = kaplan_meier(rows, day)
        at = result(
            "cellular_kinetics", "persistence_survival", "PERSIGN", analyte="PCR", landmark=landmark
        )
        assert at["km"] == pytest.approx(100 * survival)
        assert at["n_at_risk"] == risk
    for landmark, day in (("D28", 28), ("M3", 90)):
        at = result(
            "cellular_kinetics", "persistence_landmark", "PERSIST", analyte="PCR", landmark=landmark
        )
        assert [at["n_quantifiable"], at["n_sampled"]] == quantifiable[day]


@pytest.fixture(scope="module")
def blood(raw, infusion) -> pd.DataFrame:
    """Samples of the first course: day, nominal day and whether below the limit."""
    pc = raw("pc")
    pc = pc[pc["PCSPEC"].isin(["BLOOD", "WHOLE BLOOD"]) & pc["USUBJID"].isin(infusion.index)]
    day = [days(t, infusion.at[s, "zero"]) for s, t in zip(pc["USUBJID"], pc["PCDTC"], strict=True)]
    ex = raw("ex")
    cells = ex[(ex["EXCAT"] == "CELL PRODUCT") & ex["USUBJID"].isin(infusion.index)]
    again = {
        subject: days(text, infusion.at[subject, "zero"])
        for subject, text in zip(cells["USUBJID"], cells["EXSTDTC"], strict=True)
        if pd.Timestamp(text) > infusion.at[subject, "zero"]
    }
    samples = pd.DataFrame(
        {
            "subject": pc["USUBJID"],
            "analyte": pc["PCTESTCD"].map(ANALYTES),
            "day": day,
            "nominal": pc["PCTPTNUM"].astype(float),
            "below": pc["PCORRES"] == "BLQ",
            "end": pc["USUBJID"].map(again).fillna(math.inf),
        }
    )
    return samples[samples["day"] <= samples["end"]]


def test_planned_and_collected_samples_agree_with_a_count_of_the_raw_files(
    raw, infusion, blood, assessments, new_therapy, result
) -> None:
    dm, ex, seen = raw("dm").set_index("USUBJID"), raw("ex"), last_seen(raw)
    ends = {}
    for subject in infusion.index:
        zero, death = infusion.at[subject, "zero"], dm.at[subject, "DTHDTC"]
        given = ex[(ex["USUBJID"] == subject) & (ex["EXCAT"] == "CELL PRODUCT")]["EXSTDTC"]
        progressed = [day for day, name in assessments[subject] if name == "PD"]
        ends[subject] = min(
            days((death or seen[subject])[:10], zero),
            min(progressed, default=math.inf),
            new_therapy.get(subject, math.inf),
            min((days(t, zero) for t in given if pd.Timestamp(t) > zero), default=math.inf),
        )
    for analyte in ANALYTES.values():
        own = blood[blood["analyte"] == analyte]
        for nominal, name in ((0.0, "0"), (11.0, "11"), (28.0, "28"), (90.0, "90"), (360.0, "360")):
            found = result("cellular_kinetics", "sampling_time", "", analyte=analyte, visit=name)
            planned = {s for s, end in ends.items() if nominal <= max(end, 0)}
            taken = own[own["nominal"] == nominal]
            assert found["n_planned"] == len(planned) > 0
            assert found["n_collected"] == len(taken) == found["n_analysed"]
            assert found["n_blq"] == taken["below"].sum()
            assert found["n_extra"] == len(set(taken["subject"]) - planned)
            gone = found["n_missed"] + found["n_stopped"]
            assert gone == len(planned - set(taken["subject"]))
            deviation = (taken["day"] - nominal).abs()
            assert found["median_deviation"] == pytest.approx(deviation.median())


def test_the_bracketing_of_the_peak_agrees_with_the_raw_samples(blood, kinetics, result) -> None:
    for analyte in ANALYTES.values():
        met = judged = 0
        for row in kinetics[kinetics["PARCAT1"] == analyte].itertuples():
            if math.isnan(row.TMAX):
                continue
            own = blood[(blood["subject"] == row.USUBJID) & (blood["analyte"] == analyte)]
            after = own.loc[own["day"] > 0, "day"]
            before = after[(after < row.TMAX) & (after >= row.TMAX - 4)]
            later = after[(after > row.TMAX) & (after <= row.TMAX + 4)]
            judged += 1
            met += len(before) > 0 and len(later) > 0
        found = result("cellular_kinetics", "sampling_adequacy", "PEAK", analyte=analyte)
        assert (found["n"], found["n_judged"]) == (met, judged)
        assert 0 < met < judged

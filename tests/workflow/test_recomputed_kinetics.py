"""The kinetics of the example study, computed a second time from the raw files.

Nothing of the package is imported: the rules of the analysis are written down here
once more, plainly, one subject at a time, with pandas, scipy and statsmodels only.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from plain_study import ANALYTES, CHECKED, days, kaplan_meier, last_seen
from scipy import stats


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

"""Analytical runs and the way of each sample: the datasets ADRUN, ADBE and ADSAMP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.study_data.assay_results import (
    TRACE,
    read_days,
    resolve_version,
    tabulate_versions,
)
from celldossier.study_data.domain import Domain
from celldossier.study_data.samples import flag

STEPS = ("COLLECTED", "RECEIVED", "ANALYSED", "REPORTED")
"""Steps of a sample in their order."""
ENDS = ("LOST", "DESTROYED")
"""Events that end the way of a sample."""
OF_TEST = ("ANALYSED", "REPORTED")
"""Steps of a test; the others are of the tube."""
NO_RECORD = "NORECORD"
SAMPLE = ["USUBJID", "BEREFID"]
TIMES = dict(zip(STEPS, ("COLLDTM", "RECVDTM", "ANALDTM", "REPTDTM"), strict=True))
_COUNTS = ("CALPASS", "CALTOT", "QCPASS", "QCTOT")


def derive_adrun(runs: Domain, assays: Sequence[Assay]) -> pd.DataFrame:
    """Dataset ADRUN without the number of results: one record a run and analyte.

    Runs of tests that no assay declares are not used.
    """
    test = runs.frame["TESTCD"]
    analyte = test.map({code: assay.analyte for assay in assays for code in assay.test_codes})
    other = runs.active & analyte.isna()
    count = test.where(other).groupby(test).transform("count")
    runs.report("TESTNOTDECLARED", other & ~test.where(other).duplicated(), "TESTCD", count=count)
    runs.exclude(other, "NOASSAY", test)
    frame = pd.DataFrame(
        {
            "RUNID": runs.frame["RUNID"],
            "PARAMCD": analyte.fillna(""),
            "ASSAYV": runs.frame["ASSAYV"],
            "LAB": runs.frame["LAB"],
            "ADTM": runs.dates["RUNDTC"].text,
            **{name: runs.frame[name] for name in ("KITLOT", "STATUS", "REASON", "REPEATOF")},
            **{name: runs.number(name) for name in _COUNTS},
            **runs.trace,
        }
    )[runs.active].reset_index(drop=True)
    recorded = frame["ASSAYV"]
    return frame.assign(ASSAYV=recorded.mask(recorded == "", resolve_version(frame, assays)))


def count_results(adrun: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Dataset ADRUN with the number of results of each run."""
    keys = ["RUNID", "PARAMCD"]
    counts = results[results["RUNID"] != ""].groupby(keys).size().rename("NRESULT")
    joined = adrun.join(counts, on=keys)
    return joined.assign(NRESULT=joined["NRESULT"].fillna(0))


def derive_adbe(be: Domain) -> pd.DataFrame:
    """Dataset ADBE: one record a sample and event."""
    frame = pd.DataFrame(
        {
            "USUBJID": be.subject,
            **{name: be.frame[name] for name in ("BEREFID", "BETERM")},
            "ASPEC": be.frame["BESPEC"],
            "SPCCND": be.frame["BESPCCND"],
            "ADTM": be.dates["BESTDTC"].text,
            **be.trace,
        }
    )
    return frame[be.active].reset_index(drop=True)


def derive_adsamp(
    be: Domain,
    adbe: pd.DataFrame,
    results: pd.DataFrame,
    assays: Sequence[Assay],
) -> pd.DataFrame:
    """Dataset ADSAMP: one record a sample and analyte, with steps, days and gaps.

    A sample that reached a step has passed those before it, so that the numbers at each step
    are nested and what is missing at a step is the difference of two of them. A sample with a
    result is reported, whatever its events say.

    Parameters
    ----------
    results
        As `collect_results` gives them.
    """
    if adbe.empty:
        return pd.DataFrame(columns=[*SAMPLE, "PARAMCD", *TRACE])
    events = adbe.assign(TESTCD=be.frame["BETESTCD"][be.active].to_numpy())
    first = events.drop_duplicates(SAMPLE).set_index(SAMPLE)
    given = {
        name: events[events[name] != ""].drop_duplicates(SAMPLE).set_index(SAMPLE)[name]
        for name in ("ASPEC", "SPCCND")
    }
    named = results[results["REFID"] != ""].rename(columns={"REFID": "BEREFID"})
    named = named.drop_duplicates([*SAMPLE, "PARAMCD"])
    pairs = _pair_analytes(events, named, assays)
    index = pd.MultiIndex.from_frame(pairs[SAMPLE])
    wide = _spread_steps(events, pairs, assays)
    frame = pairs.reset_index(drop=True)
    kept = [*SAMPLE, "PARAMCD", "RUNID", "ASSAYV", "RUNV", "RUNDTM"]
    frame = frame.merge(named[kept].assign(RESFL="Y"), on=[*SAMPLE, "PARAMCD"], how="left")
    texts = ("RUNID", "ASSAYV", "RUNV", "RUNDTM")
    frame = frame.assign(**{name: frame[name].fillna("") for name in texts})
    frame["RESFL"] = frame["RESFL"].fillna("N")
    frame["ASSAYV"] = resolve_version(frame, assays)
    frame = frame.assign(
        **{name: values.reindex(index).fillna("").to_numpy() for name, values in given.items()},
        **{name: wide[step].fillna("").to_numpy() for step, name in TIMES.items()},
        **{name: first[name].reindex(index).to_numpy() for name in TRACE},
    )
    frame["ANALDTM"] = frame["ANALDTM"].mask(frame["ANALDTM"] == "", frame["RUNDTM"])
    return _add_state(frame, wide, assays).drop(columns=["RUNV", "RUNDTM"])


def _spread_steps(
    events: pd.DataFrame, pairs: pd.DataFrame, assays: Sequence[Assay]
) -> pd.DataFrame:
    """Time of each event of each pair, a column an event; NaN where there was none.

    A tube is on its way for all its tests; analysis and report are those of the test named.
    """
    analytes = {code: assay.analyte for assay in assays for code in assay.test_codes}
    named = events["TESTCD"].map(analytes).where(events["BETERM"].isin(OF_TEST))
    events = events.assign(PARAMCD=named.fillna(""), UNDATED=events["ADTM"] == "")
    events = events.sort_values(["UNDATED", "ADTM"], kind="stable")
    known = events.drop_duplicates([*SAMPLE, "PARAMCD", "BETERM"])
    times = known.set_index([*SAMPLE, "PARAMCD", "BETERM"])["ADTM"].unstack("BETERM")
    times = times.reindex(columns=[*STEPS, *ENDS])
    own, shared = (
        times.reindex(pd.MultiIndex.from_frame(keys)).reset_index(drop=True)
        for keys in (pairs[[*SAMPLE, "PARAMCD"]], pairs[SAMPLE].assign(PARAMCD=""))
    )
    return own.where(own.notna(), shared)


def _pair_analytes(
    events: pd.DataFrame, results: pd.DataFrame, assays: Sequence[Assay]
) -> pd.DataFrame:
    """Samples with each analyte that they are for; a blank one where nothing says."""
    analytes = {code: assay.analyte for assay in assays for code in assay.test_codes}
    planned = events.assign(PARAMCD=events["TESTCD"].map(analytes))[[*SAMPLE, "PARAMCD"]]
    found = pd.concat([planned.dropna(), results[[*SAMPLE, "PARAMCD"]]]).drop_duplicates()
    # Results that name no sample of the list stay out: a left join.
    every = events[SAMPLE].drop_duplicates().merge(found, on=SAMPLE, how="left")
    return every.assign(PARAMCD=every["PARAMCD"].fillna(""))


def _add_state(frame: pd.DataFrame, wide: pd.DataFrame, assays: Sequence[Assay]) -> pd.DataFrame:
    """Last step, reason of a gap, days between steps, and stability."""
    has = wide.notna()
    level = np.select(
        [(frame["RESFL"] == "Y") | has["REPORTED"], has["ANALYSED"], has["RECEIVED"]], [3, 2, 1], 0
    )
    gap = np.select([has["LOST"], has["DESTROYED"]], [*ENDS], NO_RECORD)
    days = {step: read_days(frame[name]) for step, name in TIMES.items()}
    stability = tabulate_versions(assays).set_index(["PARAMCD", "VERSION"])["stability_days"]
    keys = pd.MultiIndex.from_frame(frame[["PARAMCD", "ASSAYV"]])
    limit = pd.Series(stability.reindex(keys).to_numpy(), index=frame.index)

    def between(start: str, end: str) -> pd.Series:
        return (days[end] - days[start]).dt.days.astype("float64")

    kept = between("COLLECTED", "ANALYSED")
    return frame.assign(
        STATE=np.array(STEPS, dtype=object)[level],
        GAPRSN=np.where(level == 3, "", gap),
        DCOLREC=between("COLLECTED", "RECEIVED"),
        DCOLANL=kept,
        DANLREP=between("ANALYSED", "REPORTED"),
        STABDAY=limit,
        STABFL=flag(kept > limit).where(kept.notna() & limit.notna(), ""),
    )


def check_samples(
    mapped: Mapping[str, Domain],
    adbe: pd.DataFrame,
    adsamp: pd.DataFrame,
    results: pd.DataFrame,
) -> None:
    """Find gaps in the way of samples, results without sample, and samples kept too long."""
    be = mapped["BE"]
    if not (be.collected and be.usable):
        return
    _check_order(be, adsamp)
    long = adsamp[adsamp["STABFL"] == "Y"].drop_duplicates(TRACE)
    be.report_rows(
        "STABILITYEXCEEDED", long, "BEREFID", test="PARAMCD", days="DCOLANL", limit="STABDAY"
    )
    open_ends = adsamp[(adsamp["STATE"] != "REPORTED")].drop_duplicates(TRACE)
    be.report_rows("SAMPLENOTREPORTED", open_ends, "BEREFID", state="STATE", reason="GAPRSN")
    silent = adsamp[(adsamp["STATE"] == "REPORTED") & (adsamp["RESFL"] == "N")]
    be.report_rows("SAMPLENORESULT", silent.drop_duplicates(TRACE), "BEREFID")
    named = results[results["REFID"] != ""]
    keys = pd.MultiIndex.from_frame(named[["USUBJID", "REFID"]])
    known = keys.isin(pd.MultiIndex.from_frame(adbe[SAMPLE]))
    has = {
        step: keys.isin(pd.MultiIndex.from_frame(adbe.loc[adbe["BETERM"] == step, SAMPLE]))
        for step in ("COLLECTED", "RECEIVED")
    }
    missing = np.select(
        [~has["COLLECTED"] & ~has["RECEIVED"], ~has["COLLECTED"], ~has["RECEIVED"]],
        ["BOTH", "COLLECTED", "RECEIVED"],
        "",
    )
    unreceived = named.assign(MISSING=missing)[known & (missing != "")]
    other_day = _find_other_days(named, keys, adbe)
    unknown = named[~known]
    for name, domain in mapped.items():
        variable = f"{name}REFID"
        domain.report_rows(
            "RESULTNOTRECEIVED",
            unreceived[unreceived["SRCDOM"] == name],
            variable,
            test="PARAMCD",
            event="MISSING",
        )
        domain.report_rows(
            "SAMPLEDATE",
            other_day[other_day["SRCDOM"] == name],
            f"{name}DTC",
            test="PARAMCD",
            sample="REFID",
            collected="COLLECTED",
        )
        domain.report_rows(
            "RESULTNOSAMPLE", unknown[unknown["SRCDOM"] == name], variable, test="PARAMCD"
        )


def _find_other_days(named: pd.DataFrame, keys: pd.MultiIndex, adbe: pd.DataFrame) -> pd.DataFrame:
    """Results of another day than that on which BE has their sample collected.

    By day: the hour of a label and that of the laboratory's list need not agree.
    """
    taken = adbe[(adbe["BETERM"] == "COLLECTED") & (adbe["ADTM"] != "")].drop_duplicates(SAMPLE)
    collected = taken.set_index(SAMPLE)["ADTM"].reindex(keys).fillna("").to_numpy()
    rows = named.assign(COLLECTED=collected)
    days, own = read_days(rows["COLLECTED"]), read_days(rows["ADTM"])
    return rows[days.notna() & own.notna() & (days != own)]


def _check_order(be: Domain, samples: pd.DataFrame) -> None:
    """Find events that lie before the step before; by day where either has no time of day."""
    for place, step in enumerate(STEPS[1:], start=1):
        for former in STEPS[:place]:
            start, end = samples[TIMES[former]], samples[TIMES[step]]
            known = read_days(start).notna() & read_days(end).notna()
            timed = (start.str.len() > 10) & (end.str.len() > 10)
            # Texts of one form, ISO 8601, are in the order of their times.
            early = known & (end.str[:10] < start.str[:10])
            early |= known & timed & (end.str[:16] < start.str[:16])
            rows = samples.assign(STEP=step, FORMER=former, WHEN=end, BEFORE=start)[early]
            rows = rows.drop_duplicates(TRACE)
            be.report_rows(
                "SAMPLEORDER",
                rows,
                "BEREFID",
                step="STEP",
                former="FORMER",
                when="WHEN",
                before="BEFORE",
            )

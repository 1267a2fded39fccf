"""Analytical runs and the way of each sample, added to the raw data of a simulated study.

They are laid over results that stand already, with a stream of their own: no result changes.
Planted: a rejected run in about every fortieth, repeated two days later; two samples lost on
the way to the laboratory; one received and never analysed; one analysed after the end of its
declared stability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.streams import draw_quota, open_stream

REASONS = ("QUALITY CONTROLS OUTSIDE LIMITS", "CALIBRATION CURVE OUTSIDE LIMITS")
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class TracedAssay:
    """One test whose samples and runs are traced.

    Parameters
    ----------
    domain, test, specimens
        Results that are traced: raw domain, test code, specimens.
    interval
        Days between two runs of a laboratory.
    late
        Days after collection at which the one sample was analysed that was kept too long.
    calibrators, controls
        Calibrators and quality controls of a run.
    """

    domain: str
    test: str
    specimens: tuple[str, ...]
    interval: int
    late: int
    calibrators: int = 8
    controls: int = 6


CAR_PCR = TracedAssay("pc", "CARPCR", ("BLOOD", "BONE MARROW"), 14, 190)
ANTIBODIES = TracedAssay("is", "ADA_BAB", ("SERUM",), 28, 0)
STROMAL_FLOW = TracedAssay("pc", "MSCFLOW", ("BLOOD", "SYNOVIAL FLUID"), 7, 20, 0, 3)
DONOR_HLA = TracedAssay("is", "HLAAB", ("SERUM",), 28, 0)


def add_sample_records(
    raw: Mapping[str, pd.DataFrame], seed: int, cutoff: date, assays: Sequence[TracedAssay]
) -> dict[str, pd.DataFrame]:
    """The raw domains with --REFID and --RUNID in pc and is, and with `be` and `runs`.

    Parameters
    ----------
    cutoff
        Day of the data cut-off, by which all results were reported.
    """
    added = dict(raw)
    events, runs = [], []
    for name in ("pc", "is"):
        columns = [f"{name.upper()}{ending}" for ending in ("REFID", "RUNID")]
        added[name] = raw[name].assign(**dict.fromkeys(columns, ""))
    for assay in assays:
        rng = open_stream(seed, f"samples {assay.test}")
        own_events, own_runs, added[assay.domain] = _trace(
            added[assay.domain], assay, rng, np.datetime64(cutoff, "D")
        )
        events.append(own_events)
        runs.append(own_runs)
    study = raw["dm"]["STUDYID"].iloc[0]
    be = pd.concat(events, ignore_index=True)
    be = be.sort_values(["USUBJID", "BEREFID", "BESTDTC"], kind="stable", ignore_index=True)
    be.insert(0, "STUDYID", study)
    all_runs = pd.concat(runs, ignore_index=True)
    all_runs.insert(0, "STUDYID", study)
    return {**added, "be": be, "runs": all_runs}


def _trace(
    domain: pd.DataFrame, assay: TracedAssay, rng: np.random.Generator, cutoff: np.datetime64
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Events, runs, and the domain with the names of both."""
    prefix = assay.domain.upper()
    chosen = (domain[f"{prefix}TESTCD"] == assay.test) & domain[f"{prefix}SPEC"].isin(
        assay.specimens
    )
    results = domain[chosen]
    version = results.get(f"{prefix}ASSAYV", pd.Series("1.0", index=results.index))
    laboratory = results.get(f"{prefix}NAM", pd.Series("", index=results.index))
    keys = [results["USUBJID"], results[f"{prefix}SPEC"], results[f"{prefix}DTC"]]
    number = pd.Series(pd.factorize(pd.MultiIndex.from_arrays(keys))[0], index=results.index)
    samples = pd.DataFrame(
        {
            "NUMBER": number,
            "USUBJID": results["USUBJID"],
            "SPEC": results[f"{prefix}SPEC"],
            "DTC": results[f"{prefix}DTC"],
            "VERSION": version,
            "LAB": laboratory,
        }
    ).drop_duplicates("NUMBER")
    samples = samples.assign(REFID=_name_samples(samples, assay))
    collected = samples["DTC"].str[:10].to_numpy().astype("datetime64[D]")
    received = collected + rng.integers(1, 4, collected.size) * DAY
    received = np.minimum(received, np.maximum(collected, cutoff - 3 * DAY))
    # What was collected last was analysed in a last run before the cut-off.
    analysed = np.maximum(np.minimum(_find_run_days(received, assay), cutoff - 3 * DAY), received)
    early = np.flatnonzero(collected < cutoff - (assay.late + 60) * DAY)
    if assay.late:
        late = int(early[rng.integers(0, early.size)])
        kept = np.array([collected[late] + assay.late * DAY], dtype="datetime64[D]")
        analysed[late] = _find_run_days(kept, assay)[0]
    samples = samples.assign(RECEIVED=received, PLANNED=analysed)
    runs, run_of, day_of = _lay_out_runs(samples, assay, rng)
    samples = samples.assign(
        RUNID=run_of,
        ANALYSED=day_of,
        REPORTED=np.minimum(day_of + 7 * DAY, np.maximum(day_of, cutoff)),
    )
    events = [
        _lay_out_events(samples, assay, step, samples[column])
        for step, column in (
            ("COLLECTED", "DTC"),
            ("RECEIVED", "RECEIVED"),
            ("ANALYSED", "ANALYSED"),
            ("REPORTED", "REPORTED"),
        )
    ]
    events.extend(_lay_out_gaps(samples, assay, rng))
    by_number = samples.set_index("NUMBER")
    domain = domain.copy()
    for ending in ("REFID", "RUNID"):
        domain.loc[chosen, f"{prefix}{ending}"] = by_number[ending].reindex(number).to_numpy()
    return pd.concat(events, ignore_index=True), runs, domain


def _name_samples(samples: pd.DataFrame, assay: TracedAssay) -> pd.Series:
    """Short names: site and number of the subject, test, and a running number of the subject."""
    running = samples.groupby("USUBJID").cumcount() + 1
    subject = samples["USUBJID"].str.split("-").str[-2:].str.join("")
    return subject + assay.test[:3] + running.map("{:02}".format)


def _find_run_days(ready: NDArray[np.datetime64], assay: TracedAssay) -> NDArray[np.datetime64]:
    """Next day of a run on or after a day; runs are at fixed intervals."""
    number = ready.astype("datetime64[D]").astype("int64")
    return (-(-number // assay.interval) * assay.interval).astype("datetime64[D]")


def _lay_out_runs(
    samples: pd.DataFrame, assay: TracedAssay, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.object_], NDArray[np.datetime64]]:
    """Runs of each version and day; the run that gave each sample's result, and its day."""
    keys = ["VERSION", "LAB", "PLANNED"]
    runs = samples[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    size = len(runs)
    runs["RUNID"] = [f"{assay.test}-{place:03}" for place in range(1, size + 1)]
    rejected = draw_quota(rng, size, max(1, round(size / 40)))
    passed = assay.controls - rng.binomial(1, 0.15, size)
    calibrated = assay.calibrators - rng.binomial(1, 0.1, size) * (assay.calibrators > 0)
    kits = (runs["PLANNED"].to_numpy().astype("datetime64[M]").astype("int64") // 6).astype(str)
    frame = pd.DataFrame(
        {
            **{"RUNID": runs["RUNID"], "TESTCD": assay.test, "ASSAYV": runs["VERSION"]},
            **{"LAB": runs["LAB"], "RUNDTC": runs["PLANNED"].to_numpy().astype("datetime64[D]")},
            "KITLOT": [f"{assay.test[:3]}-K{kit}" for kit in kits],
            "STATUS": np.where(rejected, "REJECTED", "ACCEPTED"),
            "REASON": np.where(rejected, np.array(REASONS)[rng.integers(0, 2, size)], ""),
            "CALPASS": calibrated,
            "CALTOT": assay.calibrators,
            "QCPASS": np.where(rejected, assay.controls // 2, passed),
            "QCTOT": assay.controls,
            "REPEATOF": "",
        }
    )
    if not assay.calibrators:
        frame = frame.assign(REASON=np.where(rejected, REASONS[0], ""), CALPASS="", CALTOT="")
    again = frame[rejected].assign(
        RUNID=lambda rows: rows["RUNID"] + "R",
        RUNDTC=lambda rows: rows["RUNDTC"] + 2 * DAY,
        STATUS="ACCEPTED",
        REASON="",
        QCPASS=assay.controls,
        REPEATOF=frame.loc[rejected, "RUNID"],
    )
    final = runs.assign(
        GAVE=runs["RUNID"].mask(rejected, runs["RUNID"] + "R"),
        DAY=frame["RUNDTC"].mask(rejected, frame["RUNDTC"] + 2 * DAY),
    )
    joined = samples[keys].merge(final, on=keys, how="left")
    frame = pd.concat([frame, again]).sort_values(["RUNID"], kind="stable", ignore_index=True)
    frame = frame.assign(RUNDTC=frame["RUNDTC"].dt.strftime("%Y-%m-%d")).astype(str)
    return frame, joined["GAVE"].to_numpy(), joined["DAY"].to_numpy()


def _lay_out_events(
    samples: pd.DataFrame, assay: TracedAssay, step: str, when: pd.Series
) -> pd.DataFrame:
    text = when if when.dtype == object or str(when.dtype) in ("str", "string") else None
    return pd.DataFrame(
        {
            "USUBJID": samples["USUBJID"],
            "BEREFID": samples["REFID"],
            "BETERM": step,
            "BETESTCD": assay.test,
            "BESPEC": samples["SPEC"],
            "BESTDTC": when.dt.strftime("%Y-%m-%d") if text is None else text,
        }
    )


def _lay_out_gaps(
    samples: pd.DataFrame, assay: TracedAssay, rng: np.random.Generator
) -> list[pd.DataFrame]:
    """Two samples lost on the way and one never analysed, each beside one that was."""
    if not assay.late:
        return []
    beside = samples.iloc[np.sort(rng.permutation(len(samples))[:3])]
    beside = beside.assign(REFID=beside["REFID"] + "B")
    lost, kept = beside.iloc[:2], beside.iloc[2:]
    return [
        _lay_out_events(beside, assay, "COLLECTED", beside["DTC"]),
        _lay_out_events(lost, assay, "LOST", lost["RECEIVED"]),
        _lay_out_events(kept, assay, "RECEIVED", kept["RECEIVED"]),
    ]

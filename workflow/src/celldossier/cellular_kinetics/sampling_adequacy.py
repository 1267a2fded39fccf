"""ADSA: whether each profile was sampled well enough for what is read from it (S3.2-12).

One row a subject, analyte and criterion: the distribution sampled (EARLY), the peak bracketed
(PEAK), enough results by the end of the first partial area (COUNT), that area adequate (AREA), the
terminal phase covered (TERMINAL), sampling gone on until two consecutive results below the
limit or until it had to end (STOP), planned samples collected (COLLECT) and in their
windows (WINDOW). For several planned doses the course from the first one is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.sampling_plan import time_key
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code
from celldossier.settings.sampling import SamplingRules

CRITERIA = ("EARLY", "PEAK", "COUNT", "AREA", "TERMINAL", "STOP", "COLLECT", "WINDOW")
"""Criteria in their order."""

_PROFILE = ["USUBJID", "PARAMCD"]

_ROUNDING = 1e-6
"""Days, a tenth of a second: distances of times that differ by less are equal."""


@dataclass(frozen=True)
class Judged:
    """One criterion of all profiles: met (Y, N, NA), measure with its unit, reason."""

    met: pd.Series
    measure: pd.Series
    unit: str
    reason: pd.Series


def find_second_blq(results: pd.DataFrame, since: pd.Series) -> pd.DataFrame:
    """The second of the first two consecutive results below the limit after a time.

    Parameters
    ----------
    results
        Results after the dose: USUBJID, PARAMCD, AFRLT, BLQFL.
    since
        The time, by USUBJID and PARAMCD: Tmax, or the last planned dose.

    Returns
    -------
    DataFrame
        Index USUBJID and PARAMCD; STOPDAY, and LATER: whether a result lies after it.
    """
    rows = results.assign(BLQ=results["BLQFL"] == "Y")
    # Two results of one time are not consecutive; one that is quantifiable says so of the time.
    rows = rows.sort_values([*_PROFILE, "AFRLT", "BLQ"], kind="stable")
    rows = rows.drop_duplicates([*_PROFILE, "AFRLT"])
    start = since.reindex(pd.MultiIndex.from_frame(rows[_PROFILE])).to_numpy()
    rows = rows[rows["AFRLT"].to_numpy() > start]
    below = rows["BLQ"].astype(int)
    before = below.groupby([rows["USUBJID"], rows["PARAMCD"]]).shift(1)
    second = rows[(below == 1) & (before == 1)].drop_duplicates(_PROFILE)
    last = rows.groupby(_PROFILE)["AFRLT"].max()
    found = second.set_index(_PROFILE)["AFRLT"].rename("STOPDAY").to_frame()
    return found.assign(LATER=last.reindex(found.index) > found["STOPDAY"])


def judge_sampling(
    profiles: pd.MultiIndex,
    results: pd.DataFrame,
    parameters: pd.DataFrame,
    since: pd.Series,
    compared: pd.DataFrame,
    ends: pd.DataFrame,
    settings: CellularKineticsSettings,
) -> dict[str, Judged]:
    """Judge every criterion for every profile.

    Parameters
    ----------
    profiles
        USUBJID and PARAMCD of the profiles.
    results
        Results after the dose: USUBJID, PARAMCD, AFRLT, NFRLT, BLQFL, AVAL.
    parameters
        Parameters of the course: USUBJID, PARCAT1, PARAMCD, AVAL, REASND.
    since
        Time from which on two consecutive results below the limit end the sampling: Tmax, or
        the last planned dose.
    compared
        From `compare_with_plan`.
    ends
        From `find_end_of_plan`.
    settings
        Section `cellular_kinetics`.
    """
    rules = settings.sampling
    number = parameters.rename(columns={"PARAMCD": "CODE", "PARCAT1": "PARAMCD"})

    def of(code: str, variable: str) -> pd.Series:
        rows = number[number["CODE"] == code].set_index(_PROFILE)[variable]
        return rows[~rows.index.duplicated()].reindex(profiles)

    tmax, no_peak = of("TMAX", "AVAL"), of("TMAX", "REASND")
    area = partial_area_code(settings.partial_areas[0][1]) if settings.partial_areas else ""
    around = look_around_peak(profiles, results, tmax, rules.peak_window)
    judged = {
        "EARLY": _judge_early(profiles, results, rules),
        "PEAK": _judge_peak(profiles, around, tmax, no_peak),
        "COUNT": _judge_count(profiles, results, rules),
    }
    judged["AREA"] = _judge_area(judged, around, of(area, "AVAL"), of(area, "REASND"))
    judged["TERMINAL"] = _judge_terminal(
        profiles, results, tmax, no_peak, of("LAMZSPN", "AVAL"), rules
    )
    judged["STOP"] = _judge_stop(profiles, results, since, compared, ends)
    judged["COLLECT"] = _judge_collected(profiles, compared, rules)
    judged["WINDOW"] = _judge_window(profiles, compared)
    # Without a specific marker there is neither a terminal phase nor a loss to wait for (R24).
    unmarked = profiles.get_level_values("PARAMCD").isin(settings.no_specific_marker)
    for code in ("TERMINAL", "STOP"):
        judged[code] = _blank(judged[code], unmarked, "NOMARKER")
    return judged


def _count(profiles: pd.MultiIndex, rows: pd.DataFrame) -> pd.Series:
    """Number of rows of each profile."""
    return rows.groupby(_PROFILE).size().reindex(profiles).fillna(0).astype("float64")


def _yes_no(condition: pd.Series) -> pd.Series:
    return pd.Series(np.where(condition, "Y", "N"), index=condition.index, dtype=object)


def _texts(profiles: pd.Index, *cases: tuple[pd.Series, str | pd.Series]) -> pd.Series:
    """The text of the first case that holds, "" where none does."""
    text = pd.Series("", index=profiles, dtype=object)
    for mask, value in reversed(cases):
        text = text.mask(mask, value)
    return text


def _day(results: pd.DataFrame) -> pd.Series:
    """Day up to which a result counts: one planned for the last day may be some hours later."""
    planned = time_key(results["NFRLT"]).fillna(results["AFRLT"])
    return planned.where(planned < results["AFRLT"], results["AFRLT"])


def _judge_early(profiles: pd.MultiIndex, results: pd.DataFrame, rules: SamplingRules) -> Judged:
    number = _count(profiles, results[_day(results) <= rules.early_until])
    enough = number >= rules.early_samples
    return Judged(_yes_no(enough), number, "results", _texts(profiles, (~enough, "FEWRES")))


def _judge_count(profiles: pd.MultiIndex, results: pd.DataFrame, rules: SamplingRules) -> Judged:
    number = _count(profiles, results[_day(results) <= rules.count_until])
    enough = number >= rules.count
    return Judged(_yes_no(enough), number, "results", _texts(profiles, (~enough, "FEWRES")))


@dataclass(frozen=True)
class AroundPeak:
    """The results next to Tmax: whether they are near enough, and how far they lie apart."""

    early: pd.Series
    late: pd.Series
    gap: pd.Series
    last: pd.Series


def look_around_peak(
    profiles: pd.MultiIndex, results: pd.DataFrame, tmax: pd.Series, window: float
) -> AroundPeak:
    """The results next to Tmax, and whether they lie within `window` days of it."""
    peak = tmax.reindex(pd.MultiIndex.from_frame(results[_PROFILE])).to_numpy()
    distance = results["AFRLT"].to_numpy() - peak
    before = results[distance < 0].groupby(_PROFILE)["AFRLT"].max().reindex(profiles)
    after = results[distance > 0].groupby(_PROFILE)["AFRLT"].min().reindex(profiles)
    return AroundPeak(
        early=(tmax - before) <= window + _ROUNDING,
        late=(after - tmax) <= window + _ROUNDING,
        gap=after - before,
        last=after.isna(),
    )


def _judge_peak(
    profiles: pd.MultiIndex, around: AroundPeak, tmax: pd.Series, no_peak: pd.Series
) -> Judged:
    """Whether results lie near Tmax on both sides; measured by their distance."""
    known = tmax.notna()
    met = _yes_no(around.early & around.late).where(known, "NA")
    reason = _texts(
        profiles,
        (~known, _missing_code(no_peak)),
        (around.last, "PEAKLAST"),
        (~around.early & ~around.late, "NONENEAR"),
        (~around.early, "NONEBEF"),
        (~around.late, "NONEAFT"),
    )
    return Judged(met, around.gap, "d", reason)


def _judge_area(
    judged: dict[str, Judged], around: AroundPeak, area: pd.Series, missing: pd.Series
) -> Judged:
    """Whether the first partial area is there and rests on enough results, one near the peak."""
    count, peak = judged["COUNT"], judged["PEAK"]
    known, there = peak.met != "NA", area.notna()
    near = around.early | around.late
    met = _yes_no(there & (count.met == "Y") & near).where(known, "NA")
    reason = _texts(
        peak.met.index,
        (~known, peak.reason),
        (~there, _missing_code(missing)),
        (count.met != "Y", "FEWRES"),
        (~near, "NONENEAR"),
    )
    return Judged(met, count.measure, "results", reason)


def _blank(judged: Judged, at: npt.NDArray[np.bool_], code: str) -> Judged:
    """The criterion, not judged at some profiles."""
    return Judged(
        met=judged.met.mask(at, "NA"),
        measure=judged.measure.mask(at),
        unit=judged.unit,
        reason=judged.reason.mask(at, code),
    )


def _missing_code(reasons: pd.Series) -> pd.Series:
    """Why a parameter is missing; a profile without parameters has no sample."""
    return reasons.fillna("").where(lambda code: code != "", "NOSAMPLE")


def _judge_terminal(
    profiles: pd.MultiIndex,
    results: pd.DataFrame,
    tmax: pd.Series,
    no_peak: pd.Series,
    span: pd.Series,
    rules: SamplingRules,
) -> Judged:
    """Quantifiable results after the peak, and the span of the terminal regression."""
    peak = tmax.reindex(pd.MultiIndex.from_frame(results[_PROFILE])).to_numpy()
    later = results[(results["BLQFL"] != "Y") & (results["AFRLT"].to_numpy() > peak)]
    number = _count(profiles, later)
    enough = number >= rules.terminal_points
    wide = span >= rules.terminal_span
    known = tmax.notna()
    met = _yes_no(enough & wide).where(known, "NA")
    reason = _texts(
        profiles,
        (~known, _missing_code(no_peak)),
        (~enough, "FEWRES"),
        (span.isna(), "NOLAMZ"),
        (~wide, "SPANLOW"),
    )
    return Judged(met, span, "half-lives", reason)


def _judge_stop(
    profiles: pd.MultiIndex,
    results: pd.DataFrame,
    since: pd.Series,
    compared: pd.DataFrame,
    ends: pd.DataFrame,
) -> Judged:
    """Whether sampling went on to two consecutive results below the limit, or had to end before."""
    stops = find_second_blq(results, since).reindex(profiles)
    lost = stops["STOPDAY"].notna()
    # Profiles without such a pair have no LATER.
    went_on = lost & stops["LATER"].eq(True)
    last = results.groupby(_PROFILE)["AFRLT"].max().reindex(profiles)
    # Planned samples after the last result that the subject was there for.
    with_result = compared[compared["HASRES"]]
    final = with_result.groupby(_PROFILE)["NFRLT"].max()
    rows = compared[compared["STATUS"] == "MISSED"]
    reach = final.reindex(pd.MultiIndex.from_frame(rows[_PROFILE])).to_numpy()
    owed = _count(profiles, rows[rows["NFRLT"].to_numpy() > reach]) > 0
    planned = _count(profiles, compared[compared["STATUS"] != "EXTRA"]) > 0
    subject = profiles.get_level_values("USUBJID")
    end = pd.Series(ends["REASON"].reindex(subject).to_numpy(), index=profiles, dtype=object)
    reason = _texts(
        profiles,
        (last.isna(), "NOSAMPLE"),
        (went_on, "WENTON"),
        (lost, "TWOBLQ"),
        (~planned, "NOSCHED"),
        (owed, "STOPPED"),
        (end.notna(), end.fillna("")),
    )
    met = pd.Series("Y", index=profiles, dtype=object)
    met = met.mask(reason == "STOPPED", "N")
    met = met.mask(reason.isin(["NOSAMPLE", "NOSCHED", ""]), "NA")
    return Judged(met, last, "d", reason)


def _judge_collected(
    profiles: pd.MultiIndex, compared: pd.DataFrame, rules: SamplingRules
) -> Judged:
    """Number of planned samples that are missing, of those that were still asked for."""
    asked = compared[compared["STATUS"].isin(["TAKEN", "MISSED"])]
    total = _count(profiles, asked)
    # A sample without a result is none.
    missing = _count(profiles, asked[~asked["HASRES"]])
    few = 100 * missing <= rules.missed_share * total
    met = _yes_no(few).where(total > 0, "NA")
    reason = _texts(profiles, (total == 0, "NOSCHED"), (~few, "MISSAMP"))
    return Judged(met, missing.where(total > 0), "samples", reason)


def _judge_window(profiles: pd.MultiIndex, compared: pd.DataFrame) -> Judged:
    """Number of samples outside the window of their nominal time."""
    known = compared[compared["WINFL"] != ""]
    total = _count(profiles, known)
    outside = _count(profiles, known[known["WINFL"] == "N"])
    met = _yes_no(outside == 0).where(total > 0, "NA")
    reason = _texts(profiles, (total == 0, "NOWINDOW"), (outside > 0, "OUTWIN"))
    return Judged(met, outside.where(total > 0), "samples", reason)

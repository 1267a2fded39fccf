"""Courses of markers: the samples of each subject, marker, specimen and place in time.

A course ends as the kinetics do (rule R15 of the NCA rules): at death, a new therapy, a
retreatment or an unplanned infusion; planned repeat and split doses belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.pharmacodynamics.marker_rules import ResolvedRule
from celldossier.pharmacodynamics.study import Sources, follows_infusion
from celldossier.terms.study_terms import NEW_THERAPY, NOT_PLANNED

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SERIES = ["STUDYID", "USUBJID", "PARAMCD", "ASPEC", "ALOC"]


@dataclass(frozen=True)
class Courses:
    """Series as arrays of shape (series, samples), NaN or False beyond the last sample.

    Attributes
    ----------
    keys
        `SERIES` and AVALU, one row a series, sorted.
    time
        Days since the first infusion of the samples after it.
    value
        Result; of one below the limit of quantitation, its share `below_limit` of the limit.
    limit
        Result; where it lies beyond a limit of quantitation, that limit.
    below, above
        Whether the sample lies below the lower, above the upper limit of quantitation.
    inside
        Whether the sample is in the window of the marker, by its nominal day where it has one.
    normal
        Upper limit of normal of the sample.
    base, base_limit, base_below, base_above
        The baseline likewise, shape (series,); NaN where there is none.
    base_moved
        Whether the baseline is not that of ADPD, whose sample is not used.
    end
        When the course ends, infinite where it does not.
    used, apart
        Samples after the infusion in the window that are used, and that are set apart.
    """

    keys: pd.DataFrame
    time: Floats
    value: Floats
    limit: Floats
    below: Bools
    above: Bools
    inside: Bools
    normal: Floats
    base: Floats
    base_limit: Floats
    base_below: Bools
    base_above: Bools
    base_moved: Bools
    end: Floats
    used: Floats
    apart: Floats

    def __len__(self) -> int:
        return len(self.keys)


def find_course_ends(sources: Sources) -> pd.Series:
    """First of death, new therapy, retreatment and unplanned infusion, days, by USUBJID.

    Each counts from after the infusion on, as in the kinetics and the times to events: a
    therapy of day 0 came before the cells or is misdated, which a finding says of it.
    """
    adex, adcm = sources.adex, sources.adcm
    again = adex.loc[adex["DOSETYPE"].isin(NOT_PLANNED), ["USUBJID", "AFRLT"]]
    therapy = adcm.loc[adcm["CMCLASS"] == NEW_THERAPY, ["USUBJID", "ASTDY"]]
    parts = [
        sources.adsl[["USUBJID", "DTHDY"]].rename(columns={"DTHDY": "DAY"}),
        again.rename(columns={"AFRLT": "DAY"}),
        therapy.rename(columns={"ASTDY": "DAY"}),
    ]
    events = pd.concat(parts, ignore_index=True)
    return events[events["DAY"] > 0].groupby("USUBJID")["DAY"].min()


def prepare_samples(
    sources: Sources, rules: Mapping[str, ResolvedRule], below_limit: float
) -> pd.DataFrame:
    """Samples of ADPD with what the courses need of them, in order.

    Returns
    -------
    pandas.DataFrame
        `SERIES`, AVALU, TIME, PLANNED (nominal day), NOMINAL (it, TIME where there is none), VALUE,
        LIMIT, BELOW, ABOVE, NORMAL, BASELINE (the record of ADPD), AFTER (after a medication of
        the marker), FLAGGED (condition), APART and LEFT (set apart, left out), WINDOW, END,
        SERIESNO (of `number_series`); samples after the end of the course are not in it.
    """
    adpd = sources.adpd
    codes = list(rules)
    marker = pd.Categorical(adpd["PARAMCD"], categories=codes).codes
    end = adpd["USUBJID"].map(find_course_ends(sources)).astype("float64").fillna(np.inf)
    day = adpd["AFRLT"]
    kept = np.flatnonzero((marker >= 0) & (day <= end))
    rows, place = adpd.iloc[kept], marker[kept].astype(int)
    below = rows["BLQFL"] == "Y"
    above, upper = rows["ALQFL"] == "Y", rows["AULOQ"]
    value = rows["AVAL"].mask(below, (rows["ALLOQ"] * below_limit).fillna(0.0))
    value = value.mask(above, value.fillna(upper))
    limit = rows["AVAL"].mask(below, rows["ALLOQ"].fillna(0.0)).mask(above, upper).fillna(value)
    after = _is_after_medication(rows, place, sources.adcm, rules)
    flagged = (rows["CONDFL"] == "Y").to_numpy()
    apart, left = _handle(place, after, flagged, rules)
    columns = {
        "TIME": rows["AFRLT"],
        "PLANNED": rows["NFRLT"],
        "NOMINAL": rows["NFRLT"].fillna(rows["AFRLT"]),
        "VALUE": value,
        "LIMIT": limit,
        "BELOW": below,
        "ABOVE": above,
        "NORMAL": rows["ANRHI"],
        "BASELINE": rows["ABLFL"] == "Y",
        "AFTER": after,
        "FLAGGED": flagged,
        "APART": apart,
        "LEFT": left,
        "WINDOW": np.array([rule.window for rule in rules.values()])[place],
        "END": end.iloc[kept],
        "SERIESNO": number_series(rows),
    }
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    # Of two results of one time the order decides nothing but must not depend on the rows.
    order = np.lexsort((arrays["VALUE"], arrays["TIME"], arrays["SERIESNO"]))
    order = order[~np.isnan(arrays["VALUE"][order])]
    keys = {name: rows[name].to_numpy()[order] for name in (*SERIES, "AVALU")}
    return pd.DataFrame({**keys, **{name: array[order] for name, array in arrays.items()}})


def number_series(rows: pd.DataFrame) -> npt.NDArray[Any]:
    """Number of the series of each row, in the order of `SERIES`; numbers may have gaps."""
    number = np.zeros(len(rows), dtype=np.int64)
    for name in SERIES:
        code, levels = pd.factorize(rows[name], sort=True)
        # Dense after each step, so that the product of the levels stays small.
        number = np.unique(number * len(levels) + code, return_inverse=True)[1]
    return number


def _is_after_medication(
    rows: pd.DataFrame,
    place: npt.NDArray[Any],
    adcm: pd.DataFrame,
    rules: Mapping[str, ResolvedRule],
) -> Bools:
    """Whether a sample follows the first dose of a medication that disturbs its marker."""
    after = np.zeros(len(rows), dtype=bool)
    for number, rule in enumerate(rules.values()):
        given = adcm[adcm["CMCLASS"].isin(rule.after) & (adcm["ASTDY"] >= 0)]
        if given.empty:
            continue
        mine = np.flatnonzero(place == number)
        first = given.groupby("USUBJID")["ASTDY"].min()
        since = rows["USUBJID"].iloc[mine].map(first).to_numpy(dtype=float)
        after[mine] = rows["AFRLT"].iloc[mine].to_numpy() > since
    return after


def _handle(
    place: npt.NDArray[Any], after: Bools, flagged: Bools, rules: Mapping[str, ResolvedRule]
) -> tuple[Bools, Bools]:
    """Which samples are set apart, and which are left out, by the rules of their marker."""

    def marked(handling: str) -> Bools:
        # A study without a marker has no rule: an array of nothing would hold floats.
        medication = np.array([r.after_medication == handling for r in rules.values()], dtype=bool)
        condition = np.array([r.flagged == handling for r in rules.values()], dtype=bool)
        return np.asarray((after & medication[place]) | (flagged & condition[place]))

    left = marked("exclude")
    return marked("apart") & ~left, left


def arrange_courses(samples: pd.DataFrame, chosen: pd.Series) -> Courses:
    """All series of the samples, of which those in `chosen` are used.

    Parameters
    ----------
    samples
        From `prepare_samples`.
    chosen
        Which samples are used; a series without any has no baseline and no samples.
    """
    number = samples["SERIESNO"].to_numpy()
    begins = np.diff(number, prepend=-1) != 0
    series = np.cumsum(begins) - 1
    keys = samples[[*SERIES, "AVALU", "END"]].iloc[np.flatnonzero(begins)]
    count = len(keys)
    time = samples["TIME"].to_numpy(dtype=float)
    recorded = samples["BASELINE"].to_numpy()
    used = chosen.to_numpy(dtype=bool)
    until = np.full(count, np.nan)
    # Of two records that ADPD marks, as no rule allows, the later stands.
    until[series[recorded]] = time[recorded]
    at_most = np.where(np.isnan(until), 0.0, np.maximum(until, 0.0))
    after = follows_infusion(samples["TIME"], samples["PLANNED"]).to_numpy()
    start = recorded | ~after | ((time > 0) & (time <= until[series]))
    base = np.full(count, -1)
    before = np.flatnonzero(used & start & (time <= at_most[series]) & ~np.isnan(until[series]))
    base[series[before]] = before
    # Of several results of one time the one that ADPD marks is the baseline.
    own = np.flatnonzero(used & recorded)
    base[series[own]] = own
    has = base >= 0
    moved = has & ~recorded[np.maximum(base, 0)]
    inside = samples["NOMINAL"].to_numpy() <= samples["WINDOW"].to_numpy(dtype=float)
    post = np.flatnonzero(used & ~start)
    column = _count_within(series[post])
    width = int(column.max(initial=-1)) + 1

    def spread(name: str) -> Floats:
        out = np.full((count, width), np.nan)
        out[series[post], column] = samples[name].to_numpy(dtype=float)[post]
        return out

    def mark(values: npt.NDArray[np.bool_]) -> Bools:
        out = np.zeros((count, width), dtype=bool)
        out[series[post], column] = values[post]
        return out

    def of_base(name: str) -> Floats:
        return np.where(has, samples[name].to_numpy(dtype=float)[np.maximum(base, 0)], np.nan)

    after = ~start & inside
    apart = samples["APART"].to_numpy() & after
    return Courses(
        keys=keys[[*SERIES, "AVALU"]].reset_index(drop=True),
        time=spread("TIME"),
        value=spread("VALUE"),
        limit=spread("LIMIT"),
        below=mark(samples["BELOW"].to_numpy()),
        above=mark(samples["ABOVE"].to_numpy()),
        inside=mark(inside),
        normal=spread("NORMAL"),
        base=of_base("VALUE"),
        base_limit=of_base("LIMIT"),
        base_below=of_base("BELOW") == 1,
        base_above=of_base("ABOVE") == 1,
        base_moved=moved,
        end=keys["END"].to_numpy(dtype=float),
        used=np.bincount(series[used & after], minlength=count).astype(float),
        apart=np.bincount(series[apart], minlength=count).astype(float),
    )


def _count_within(series: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Number of each sample in its series, of samples that are sorted by series."""
    if not len(series):
        return series
    first = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])
    lengths = np.diff(np.r_[first, len(series)])
    return np.arange(len(series)) - np.repeat(first, lengths)

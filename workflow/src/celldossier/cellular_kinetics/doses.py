"""Repeat doses (R23): which dose a sample belongs to, the trough before it, the interval after it.

A dose is a row of the frame of `derive_doses`: one subject, one analyte, one DOSENO. The
records of one dose and of the next meet in the trough, which ends the interval of the
one and is the pre-dose sample of the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

PROFILE_KEYS = ["USUBJID", "ANALYTE", "DOSENO"]
"""What makes a profile: one subject, one analyte, one dose."""

SUBJECT_KEYS = ["USUBJID", "ANALYTE"]
"""What the doses of a course have in common."""


def has_intervals(samples: pd.DataFrame) -> bool:
    """Whether the samples ask for parameters of dosing intervals: several doses, or a TAU."""
    if samples["TAU"].notna().any():
        return True
    number = samples["DOSENO"]
    if (number == number.iloc[0]).all():
        return False
    return bool((samples.groupby(SUBJECT_KEYS)["DOSENO"].nunique() > 1).any())


def derive_doses(samples: pd.DataFrame) -> pd.DataFrame:
    """The doses of checked samples, sorted by subject, analyte and DOSENO.

    Parameters
    ----------
    samples
        From `check_samples`.

    Returns
    -------
    DataFrame
        `PROFILE_KEYS`; DOSETIME; CYCLE; GAP, the time to the next dose that has samples (NaN
        for the last); INTERVAL, the dosing interval: the time to the next dose of the
        same cycle, for the last dose of a cycle TAU, but not beyond the next dose; NaN
        where it is not known; REPEATED, whether the course has several doses.
    """
    columns = ["DOSETIME", "TAU", "CYCLE"]
    doses = samples.groupby(PROFILE_KEYS, sort=True)[columns].first().reset_index()
    doses["DOSETIME"] = doses["DOSETIME"].fillna(0.0)
    doses["CYCLE"] = doses["CYCLE"].fillna(1.0)
    following = doses.groupby(SUBJECT_KEYS, sort=True)
    doses["GAP"] = following["DOSETIME"].shift(-1) - doses["DOSETIME"]
    # Without samples of dose k + 1 its time is not known, and the interval is the protocol's.
    is_next = (following["DOSENO"].shift(-1) == doses["DOSENO"] + 1) & (
        following["CYCLE"].shift(-1) == doses["CYCLE"]
    )
    planned = doses["TAU"].mask(doses["GAP"] < doses["TAU"], doses["GAP"])
    doses["INTERVAL"] = doses["GAP"].where(is_next, planned)
    doses["REPEATED"] = following["DOSENO"].transform("size") > 1
    return doses.drop(columns="TAU")


def check_doses(samples: pd.DataFrame) -> list[str]:
    """Faults of the columns that say which dose a sample belongs to; one sentence each."""
    faults = []
    number = samples["DOSENO"]
    whole = number.isna() | ((number >= 1) & (number == np.floor(number)))
    for name, bad, text in (
        ("DOSENO", ~whole, "is not a whole number from 1 on"),
        ("TAU", samples["TAU"] <= 0, "is not above 0"),
    ):
        if bad.any():
            rows = ", ".join(str(row) for row in samples.loc[bad, "ROW"].head(20))
            faults.append(f"{name} {text} ({int(bad.sum())} data rows, such as {rows}).")
    numbered = number.notna().groupby([samples[key] for key in SUBJECT_KEYS])
    mixed = numbered.transform("any") & number.isna()
    for subject, analyte in _unique(samples[mixed], SUBJECT_KEYS):
        faults.append(f"{subject}, {analyte}: DOSENO is blank in some rows and given in others.")
    if faults:
        return faults
    keyed = samples.assign(DOSENO=number.fillna(1.0))
    for column, meaning in (
        ("DOSETIME", "dose times"),
        ("NDOSETIME", "nominal dose times"),
        ("TAU", "dosing intervals"),
        ("CYCLE", "cycles"),
    ):
        given = keyed[keyed[column].notna()]
        counts = given.groupby(PROFILE_KEYS, sort=True)[column].nunique()
        for subject, analyte, dose in counts.index[counts > 1]:
            faults.append(f"{subject}, {analyte}, dose {dose:g}: the dose has several {meaning}.")
    return faults or _check_order(keyed)


def _check_order(samples: pd.DataFrame) -> list[str]:
    """Doses in the order of their times, and samples between their neighbours."""
    columns = ["DOSETIME", "CYCLE"]
    doses = samples.groupby(PROFILE_KEYS, sort=True)[columns].first().reset_index()
    course = doses.groupby(SUBJECT_KEYS, sort=True)
    several = doses[course["DOSENO"].transform("size") > 1].copy()
    if several.empty:
        return []
    untimed = several[several["DOSETIME"].isna()]
    faults = [
        f"{row.USUBJID}, {row.ANALYTE}, dose {row.DOSENO:g}: DOSETIME is blank; with several "
        "doses each needs its time (R23)."
        for row in untimed.itertuples()
    ]
    if faults:
        return faults
    course = several.groupby(SUBJECT_KEYS, sort=True)
    several["NEXT"] = course["DOSETIME"].shift(-1)
    several["PREVIOUS"] = course["DOSETIME"].shift(1)
    falling = (several["DOSETIME"] <= several["PREVIOUS"]) | (
        several["CYCLE"] < course["CYCLE"].shift(1)
    )
    for row in several[falling].itertuples():
        faults.append(
            f"{row.USUBJID}, {row.ANALYTE}, dose {row.DOSENO:g}: DOSETIME and CYCLE do not rise "
            "with DOSENO."
        )
    placed = samples.merge(several[[*PROFILE_KEYS, "NEXT", "PREVIOUS"]], on=PROFILE_KEYS)
    result = placed["CONC"].notna() | (placed["BLQ"] == 1)
    for outside, text in (
        (placed["TIME"] > placed["NEXT"], "after the next dose"),
        (placed["TIME"] <= placed["PREVIOUS"], "before the previous dose"),
    ):
        for row in placed[outside & result].head(20).itertuples():
            faults.append(
                f"Data row {row.ROW} ({row.USUBJID}, {row.ANALYTE}): the sample at time "
                f"{row.TIME:.10g} belongs to dose {row.DOSENO:g} by DOSENO, but lies {text}."
            )
    return faults or _check_copies(samples, result_of(samples))


def _check_copies(samples: pd.DataFrame, result: pd.Series) -> list[str]:
    """A trough may be given for both doses, but with one result."""
    at = [*SUBJECT_KEYS, "TIME"]
    rows = samples[result].drop_duplicates([*at, "DOSENO", "CONC", "BLQ"])
    doses = rows.groupby(at)["DOSENO"].transform("nunique")
    times = rows.groupby([*at, "CONC", "BLQ"], dropna=False)["DOSENO"].transform("nunique")
    differing = _unique(rows[times < doses], at)
    return [
        f"{subject}, {analyte}: the results at time {time:.10g}, given for several doses, differ."
        for subject, analyte, time in differing
    ]


def _unique(rows: pd.DataFrame, keys: list[str]) -> list[tuple[Any, ...]]:
    """The keys of the rows, each once, in order."""
    unique = rows[keys].drop_duplicates().sort_values(keys)
    return list(unique.itertuples(index=False, name=None))


def result_of(samples: pd.DataFrame) -> pd.Series:
    """Which rows hold a result, quantifiable or not."""
    return samples["CONC"].notna() | (samples["BLQ"] == 1)


def share_troughs(
    samples: pd.DataFrame, doses: pd.DataFrame | None, trough_window: float
) -> pd.DataFrame:
    """The samples of each dose, with the records that a dose shares with its neighbour.

    A record before its own dose also stands at the end of the interval before. The last
    record after a dose, if not older than `trough_window`, is the pre-dose sample of the
    next dose, unless that has a later one of its own.

    Parameters
    ----------
    samples
        From `check_samples`.
    doses
        From `derive_doses`; None where there are no dosing intervals.
    trough_window
        Longest time between the record and the dose.

    Returns
    -------
    DataFrame
        The samples and after them the shared records, with the DOSENO, DOSETIME and CYCLE
        of the dose that they were lent to. Further columns: INTERVAL and GAP of
        `derive_doses`; COPY, whether the row is a shared record.
    """
    if doses is None:
        return samples.assign(GAP=np.nan, INTERVAL=np.nan, COPY=False)
    placed = samples.merge(doses[[*PROFILE_KEYS, "GAP", "INTERVAL", "REPEATED"]], on=PROFILE_KEYS)
    placed = placed.assign(COPY=False)
    if not doses["REPEATED"].any():
        return placed.drop(columns="REPEATED")
    placed = _fill_course(placed)
    neighbours = doses[doses["REPEATED"]].copy()
    course = neighbours.groupby(SUBJECT_KEYS, sort=True)
    neighbours["PREVIOUS"] = course["DOSENO"].shift(1)
    neighbours["NEXT"] = course["DOSENO"].shift(-1)
    neighbours["NEXTTIME"] = course["DOSETIME"].shift(-1)
    names = [*PROFILE_KEYS, "PREVIOUS", "NEXT", "NEXTTIME"]
    rows = placed[result_of(placed)].merge(neighbours[names], on=PROFILE_KEYS)

    before = rows[(rows["TIME"] <= rows["DOSETIME"]) & rows["PREVIOUS"].notna()]
    back = _lend(before, "PREVIOUS", placed, doses)

    own = before.groupby(PROFILE_KEYS)["TIME"].max()
    # What was taken before its own dose says nothing of the state before the next one.
    last = rows[(rows["TIME"] > rows["DOSETIME"]) & rows["NEXT"].notna()]
    last = last[last["TIME"] == last.groupby(PROFILE_KEYS)["TIME"].transform("max")]
    keys = pd.MultiIndex.from_frame(last[[*SUBJECT_KEYS, "NEXT"]])
    later = ~(own.reindex(keys).to_numpy() >= last["TIME"].to_numpy())
    recent = last["NEXTTIME"] - last["TIME"] <= trough_window
    forward = _lend(last[later & recent], "NEXT", placed, doses)
    return pd.concat([placed, back, forward], ignore_index=True).drop(columns="REPEATED")


def _lend(rows: pd.DataFrame, to: str, samples: pd.DataFrame, doses: pd.DataFrame) -> pd.DataFrame:
    """Copies of `rows` for the dose that their column `to` names, without those it has itself."""
    of_dose = ["DOSETIME", "CYCLE", "GAP", "INTERVAL"]
    lent = rows.drop(columns=[*of_dose, "DOSENO", "NDOSETIME"]).rename(columns={to: "DOSENO"})
    lent = lent.merge(doses[[*PROFILE_KEYS, *of_dose]], on=PROFILE_KEYS).assign(COPY=True)
    planned = samples.groupby(PROFILE_KEYS)["NDOSETIME"].first()
    lent["NDOSETIME"] = planned.reindex(pd.MultiIndex.from_frame(lent[PROFILE_KEYS])).to_numpy()
    at = [*PROFILE_KEYS, "TIME"]
    known = pd.MultiIndex.from_frame(samples.loc[result_of(samples), at])
    given = pd.MultiIndex.from_frame(lent[at]).isin(known)
    return lent.loc[~given, samples.columns]


def gather_courses(samples: pd.DataFrame, doses: pd.DataFrame | None) -> pd.DataFrame:
    """The samples, each subject and analyte as one profile on the clock of its first dose.

    Parameters
    ----------
    samples
        From `check_samples`: without shared records.
    doses
        From `derive_doses`; None where there is one dose only.

    Returns
    -------
    DataFrame
        As from `share_troughs`, with LASTDOSE, the time of the last dose since the first, and
        NEXTDOSE, that of the first dose at or after the sample (NaN for none).
    """
    columns = {"TAU": np.nan, "INTERVAL": np.nan, "GAP": np.nan, "COPY": False}
    if doses is None:
        return samples.assign(**columns)
    course_of = [doses[key] for key in SUBJECT_KEYS]
    first = doses.drop_duplicates(SUBJECT_KEYS)[[*SUBJECT_KEYS, "DOSENO", "DOSETIME", "CYCLE"]]
    last = doses["DOSETIME"].groupby(course_of).transform("max")
    first = first.assign(LASTDOSE=last.loc[first.index] - first["DOSETIME"])
    planned = samples.groupby(PROFILE_KEYS)["NDOSETIME"].first()
    first["NDOSETIME"] = planned.reindex(pd.MultiIndex.from_frame(first[PROFILE_KEYS])).to_numpy()
    of_dose = ["DOSENO", "DOSETIME", "NDOSETIME", "CYCLE"]
    own_dose = samples[PROFILE_KEYS].merge(doses[[*PROFILE_KEYS, "DOSETIME", "GAP"]], how="left")
    start = own_dose["DOSETIME"].to_numpy()
    following = np.where(samples["TIME"] <= start, start, start + own_dose["GAP"].to_numpy())
    course = samples.assign(NEXTDOSE=following).drop(columns=of_dose)
    course = course.merge(first, on=SUBJECT_KEYS)
    course["NEXTDOSE"] -= course["DOSETIME"]
    # A trough that was given for both doses is one record. Two of one dose are left to R1.
    several = pd.Series(course["LASTDOSE"] > 0)
    result = [*SUBJECT_KEYS, "TIME", "CONC", "BLQ"]
    own = course["ROW"].map(samples.set_index("ROW")["DOSENO"])
    of_one_dose = course.assign(DOSENO=own).duplicated([*result, "DOSENO"])
    twice = several & result_of(course) & course.duplicated(result) & ~of_one_dose
    return _fill_course(course[~twice].reset_index(drop=True)).assign(**columns)


def _fill_course(samples: pd.DataFrame) -> pd.DataFrame:
    """What the rows of one dose leave blank, those of another say: a course has one of each."""
    course_of = [samples[key] for key in SUBJECT_KEYS]
    unit = samples["CONCU"].where(samples["CONCU"] != "").groupby(course_of).transform("first")
    return samples.assign(
        CENSTIME=samples["CENSTIME"].groupby(course_of).transform("first"),
        CONCU=unit.fillna("").astype(object),
    )

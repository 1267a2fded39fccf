"""Times in relation to the doses: current dose, time since it, deviation from the plan.

The current dose of a sample is the last infusion at or before it. A sample that lies
before a later infusion and at most `study_data.time.predose_window` before it is that
infusion's pre-dose sample (nca_rules R3, R23), if it has no nominal time or one that is
the infusion's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.study_time import SamplingWindow
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import parse_dates
from celldossier.study_data.subjects import Subjects
from celldossier.terms.study_terms import CELL_PRODUCT

UNITS_PER_DAY = {"days": 1.0, "hours": 24.0}
ROUNDING = 1e-9
SAME_DAY = 0.5
"""A nominal time less than this before that of an infusion is of the infusion, days."""


def list_doses(adex: pd.DataFrame, subjects: Subjects) -> pd.DataFrame:
    """Infusions of the cell product in order: one row a subject and dose number.

    Returns
    -------
    DataFrame
        ``USUBJID``, ``DOSENO``; ``start`` and ``day``: exact and whole days from the first
        infusion; ``planned``: planned time in days, 0 of the first dose, NaN where unknown.
    """
    cells = adex[(adex["EXCAT"] == CELL_PRODUCT) & adex["DOSENO"].notna() & adex["AFRLT"].notna()]
    zero = subjects.of(cells["USUBJID"], "zero").dt.floor("D")
    day = (parse_dates(cells["ADTM"]).time.dt.floor("D") - zero).dt.days.astype("float64")
    planned = cells["NFRLT"].mask(cells["DOSENO"] == 1, cells["NFRLT"].fillna(0.0))
    doses = pd.DataFrame(
        {
            "USUBJID": cells["USUBJID"],
            "DOSENO": cells["DOSENO"].astype("float64"),
            "start": cells["AFRLT"].astype("float64"),
            "day": day,
            "planned": planned.astype("float64"),
        }
    )
    first = doses.sort_values(["USUBJID", "DOSENO", "start"], kind="stable")
    return first.drop_duplicates(["USUBJID", "DOSENO"]).reset_index(drop=True)


def relate_to_doses(
    subject: pd.Series, times: pd.DataFrame, doses: pd.DataFrame, predose_window: float
) -> pd.DataFrame:
    """Current dose of each sample, and actual and nominal days since its start.

    Parameters
    ----------
    times
        From `time_samples`: ``actual``, ``nominal``, ``timed``; where ``timed`` is false the
        sample is a date without time of day and is held against the day of the dose.
    doses
        From `list_doses`.
    predose_window
        Longest time before a later infusion of its pre-dose sample, days.

    Returns
    -------
    DataFrame
        ``DOSENO``, ``ARRLT``, ``NRRLT``; NaN where unknown. Aligned with the samples.
    """
    result = pd.DataFrame(
        np.nan, index=subject.index, columns=["DOSENO", "ARRLT", "NRRLT"], dtype="float64"
    )
    if doses.empty:
        return result
    samples = pd.DataFrame({"USUBJID": subject, **times}).astype({"actual": "float64"})
    for clock, rows in (("start", samples["timed"]), ("day", ~samples["timed"])):
        part = samples[rows & samples["actual"].notna()]
        if part.empty:
            continue
        part = part.assign(ROW=part.index).sort_values("actual", kind="stable")
        given = doses.assign(at=doses[clock]).sort_values("at", kind="stable")
        given = given[["USUBJID", "DOSENO", "at", "planned"]]
        current, following = (
            pd.merge_asof(
                part,
                given,
                left_on="actual",
                right_on="at",
                by="USUBJID",
                direction=direction,
                allow_exact_matches=direction == "backward",
            )
            for direction in ("backward", "forward")
        )
        ahead = following["at"] - following["actual"]
        own = (
            following["nominal"].isna()
            | following["planned"].isna()
            | (following["nominal"] > following["planned"] - SAME_DAY)
        )
        predose = current["DOSENO"].isna() | ((ahead <= predose_window + ROUNDING) & own)
        predose = predose & following["DOSENO"].notna()
        chosen = current.mask(predose, following).set_axis(current["ROW"].to_numpy())
        result.loc[chosen.index, "DOSENO"] = chosen["DOSENO"].astype("float64")
        result.loc[chosen.index, "ARRLT"] = (chosen["actual"] - chosen["at"]).astype("float64")
        since = chosen["nominal"] - chosen["planned"]
        result.loc[chosen.index, "NRRLT"] = since.astype("float64")
    return result


def add_planned_dose(
    subject: pd.Series, actual: pd.Series, nominal: pd.Series, subjects: Subjects
) -> pd.Series:
    """Nominal days from the first infusion, of nominal days that count from the current dose.

    A nominal time at or before 0 is of the next infusion where that is within the
    pre-dose window; all others are of the last infusion.
    """
    # Of a positive time no infusion still to come is the reference.
    hint = nominal.where(~(nominal > 0), -np.inf).where(~(nominal <= 0))
    times = pd.DataFrame({"actual": actual, "nominal": hint, "timed": True})
    numbers = relate_to_doses(subject, times, subjects.doses, subjects.time.predose_window)
    if subjects.doses.empty:
        return nominal
    planned = subjects.doses.set_index(["USUBJID", "DOSENO"])["planned"]
    keys = pd.MultiIndex.from_arrays([subject, numbers["DOSENO"]])
    return nominal.add(pd.Series(planned.reindex(keys).to_numpy(), index=nominal.index))


def derive_relative_times(domain: Domain, times: pd.DataFrame, subjects: Subjects) -> pd.DataFrame:
    """Variables of a sampled dataset that say where its records stand in time.

    A sample outside its window is a finding and stays in use.

    Returns
    -------
    DataFrame
        ``AFRLT``, ``NFRLT``, ``DOSENO``, ``ARRLT``, ``NRRLT``, ``TIMEDEV`` (actual less nominal
        time, from the current dose where its planned time is known) and ``WINFL`` (Y in
        the window, N outside, blank without one). Aligned with the records.
    """
    settings = subjects.time
    related = relate_to_doses(domain.subject, times, subjects.doses, settings.predose_window)
    deviation = (related["ARRLT"] - related["NRRLT"]).fillna(times["actual"] - times["nominal"])
    early, late = find_windows(times["nominal"], settings.windows)
    inside = (deviation >= -early - ROUNDING) & (deviation <= late + ROUNDING)
    known = early.notna() & deviation.notna()
    outside = domain.active & known & ~inside
    domain.report(
        "SAMPLEWINDOW",
        outside,
        f"{domain.name}DTC",
        deviation=deviation.map(lambda days: format_number(round(days, 3))),
        nominal=times["nominal"],
        early=early,
        late=late,
    )
    flags = pd.Series(np.where(inside, "Y", "N"), index=known.index, dtype=object)
    return pd.DataFrame(
        {
            "AFRLT": times["actual"],
            "NFRLT": times["nominal"],
            **related,
            "TIMEDEV": deviation,
            "WINFL": flags.where(known, ""),
        }
    )


def find_windows(
    nominal: pd.Series, windows: Sequence[SamplingWindow]
) -> tuple[pd.Series, pd.Series]:
    """Days that a sample may be early and late; NaN where no window holds for its nominal time.

    The first window that holds for a nominal time counts.
    """
    early = pd.Series(np.nan, index=nominal.index, dtype="float64")
    late = early.copy()
    for window in reversed(windows):
        until = window.day if window.until is None else window.until
        rows = (nominal >= window.day - ROUNDING) & (nominal <= until + ROUNDING)
        unit = nominal.abs() / 100
        if window.unit != "percent":
            unit = pd.Series(1 / UNITS_PER_DAY[window.unit], index=nominal.index)
        early = early.mask(rows, window.early * unit)
        late = late.mask(rows, window.late * unit)
    return early, late

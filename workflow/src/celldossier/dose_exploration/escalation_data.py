"""Dose-limiting toxicity (DLT) and response of each infused subject, with its dose level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.dose_exploration.study import KEY, Sources
from celldossier.settings.dose_escalation import DoseEscalationSettings
from celldossier.settings.dosing import BASIS_OF_CODE, DosingSettings
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import CELL_PRODUCT

ESCALATION, EXPANSION = "ESCALATION", "EXPANSION"
ROUNDING = 1e-9
"""Days, or a share of a ratio, by which rounding may put a value beside its limit."""


def derive_dlt_status(
    sources: Sources, settings: DoseEscalationSettings, dosing: DosingSettings | None = None
) -> pd.DataFrame:
    """DLT and response of each infused subject.

    The subjects of the escalation are evaluable as ADSL.DLTEVLFL says, and where they were given
    the level that was planned for them. Those of other parts have no such flag; the same rule is
    applied to them: first dose in its window, all its fractions together, and observed for the
    window of DLT or with a DLT. Days are those of the calendar, the infusion is on day 0. A DLT
    without a full date counts where it may have begun in the window: to leave it out would be
    the less safe error.

    Parameters
    ----------
    dosing
        Section `study_data.dosing`: the window of the dose.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, PART, COHORT, LEVEL, START (time of the first infusion), EVALUABLE,
        REASON (code, blank for the evaluable), LSTDY (days observed), DLT (bool), DLTDY (day of
        the first, or NaN), TERMS, RESPONSE (1, 0, or NaN), in the order of the infusions.
    """
    adsl = sources.adsl[sources.adsl["SAFFL"] == "Y"]
    planned = adsl["TRT01P"].where(adsl["TRT01P"] != "", adsl["TRT01A"])
    frame = adsl[[*KEY, "PART", "COHORT", "LSTDY"]].assign(
        # Without parts the study is an escalation, as in the population of the DLT.
        PART=adsl["PART"].where(adsl["PART"] != "", ESCALATION),
        LEVEL=planned,
        START=pd.to_datetime(adsl["TRTSDTM"], format="ISO8601", errors="coerce"),
    )
    events = _find_events(adsl, sources.adae, settings.dlt_window)
    frame = frame.merge(events, on=KEY, how="left")
    frame["DLT"] = frame["TERMS"].notna()
    frame["TERMS"] = frame["TERMS"].fillna("")
    outside = _judge_first_dose(sources.adex, dosing or DosingSettings()) == "N"
    reason = _find_reasons(adsl, outside, frame, settings.dlt_window)
    frame["REASON"] = reason
    frame["EVALUABLE"] = reason == ""
    frame = frame.merge(_read_responses(sources.adrs, settings), on=KEY, how="left")
    return frame.sort_values(["START", "USUBJID"], kind="stable", ignore_index=True)


def order_levels(sources: Sources, settings: DoseEscalationSettings) -> list[str]:
    """Dose levels from the lowest: as declared, else by their planned dose, else by name."""
    adsl = sources.adsl[sources.adsl["SAFFL"] == "Y"]
    level = adsl["TRT01P"].where(adsl["TRT01P"] != "", adsl["TRT01A"])
    names = natural_order(set(level) - {""})
    if settings.dose_order:
        # Levels that nobody was given have a place in the order, too.
        return [*settings.dose_order, *(n for n in names if n not in settings.dose_order)]
    first = sources.adex[(sources.adex["EXCAT"] == CELL_PRODUCT) & (sources.adex["DOSENO"] == 1)]
    doses = first.merge(adsl[KEY].assign(LEVEL=level), on=KEY)
    # A split dose is one with all its fractions.
    planned = doses["DOSEP"].mask(doses["NFRAC"] > 1, doses["DOSPSUM"])
    amounts = planned.groupby(doses["LEVEL"]).median()
    known = amounts.reindex(names)
    if doses["DOSEU"].nunique() > 1 or known.isna().any():
        return names
    return list(known.sort_values(kind="stable").index)


def _find_events(adsl: pd.DataFrame, adae: pd.DataFrame, window: float) -> pd.DataFrame:
    """First day and terms of the DLTs of each subject: STUDYID, USUBJID, DLTDY, TERMS."""
    rows = adae[adae["DLTFL"] == "Y"].merge(adsl[[*KEY, "TRTSDTM"]], on=KEY, how="inner")
    zero = _read_times(rows["TRTSDTM"])
    rows["ASTDY"] = _find_calendar_day(rows["ASTDY"], zero)
    # The first day that a date in part can mean; it is an event of the window if that is.
    earliest = (_read_times(rows["ASTDTM"]) - zero.dt.floor("D")) / pd.Timedelta(days=1)
    undated = rows["ASTDY"].isna()
    emergent = (rows["TRTEMFL"] == "Y") | (undated & (rows["ASTDTM"] == ""))
    ended = rows["AENDY"] < 0
    counts = emergent & ~ended & (rows["ASTDY"].between(0, window) | undated & ~(earliest > window))
    found = rows[counts].sort_values(["ASTDY", "AEDECOD"], kind="stable")
    terms = found["AEDECOD"].where(found["AEDECOD"] != "", found["AETERM"])
    grouped = found.assign(NAME=terms).groupby(KEY, sort=True)
    days, words = grouped["ASTDY"].min(), grouped["NAME"].agg(lambda x: "; ".join(dict.fromkeys(x)))
    return pd.DataFrame({"DLTDY": days, "TERMS": words}).reset_index()


def _read_times(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, format="ISO8601", errors="coerce")


def _find_calendar_day(days: pd.Series, zero: pd.Series) -> pd.Series:
    """Day of the calendar from that of the infusion, of days that passed since its time."""
    hour = (zero - zero.dt.floor("D")) / pd.Timedelta(days=1)
    whole: pd.Series = np.floor(days + hour.fillna(0.0) + ROUNDING)
    return whole


def _judge_first_dose(adex: pd.DataFrame, dosing: DosingSettings) -> pd.Series:
    """Whether the first planned dose, its fractions added up, is in its window, by subject."""
    cells = adex[(adex["EXCAT"] == CELL_PRODUCT) & (adex["DOSENO"] == 1)]
    first = cells.drop_duplicates("USUBJID").set_index("USUBJID")
    judged = first["INWINFL"].copy()
    for name, basis in BASIS_OF_CODE.items():
        low, high = dosing.basis_windows.get(basis, dosing.dose_window)
        split = (first["DOSEBAS"] == name) & (first["NFRAC"] > 1) & first["SUMRAT"].notna()
        inside = first["SUMRAT"].between(low * (1 - ROUNDING), high * (1 + ROUNDING))
        judged = judged.mask(split, inside.map({True: "Y", False: "N"}))
    return judged


def _find_reasons(
    adsl: pd.DataFrame, outside: pd.Series, frame: pd.DataFrame, window: float
) -> pd.Series:
    """Why a subject says nothing on DLT; "" for the evaluable."""
    own = adsl[[*KEY, "NDLTRSN", "TRT01A", "TRT01P"]]
    both = frame[[*KEY, "DLT", "START", "LSTDY"]].merge(own, on=KEY)
    other = (both["TRT01P"] != "") & (both["TRT01A"] != "") & (both["TRT01A"] != both["TRT01P"])
    off = both["USUBJID"].isin(outside.index[outside])
    short = ~(_find_calendar_day(both["LSTDY"], both["START"]) >= window) & ~both["DLT"]
    later = np.select([off, short], ["DOSEOUT", "SHORTFU"], "")
    reason = both["NDLTRSN"].where(both["NDLTRSN"] != "NOTESCAL", later)
    return reason.mask((reason == "") & other, "OTHERDOSE")


def _read_responses(adrs: pd.DataFrame, settings: DoseEscalationSettings) -> pd.DataFrame:
    rows = adrs[(adrs["PARAMCD"] == settings.efficacy.parameter) & adrs["AVALC"].isin(["Y", "N"])]
    rows = rows.drop_duplicates(KEY)
    return rows[KEY].assign(RESPONSE=(rows["AVALC"] == "Y").astype(float))


def select_part(status: pd.DataFrame, part: str) -> pd.DataFrame:
    """Subjects of the escalation, of the other parts, or of all (a blank name)."""
    if not part:
        return status
    inside = status["PART"] == ESCALATION
    return status[inside if part == ESCALATION else ~inside]


def index_levels(levels: Sequence[str], names: pd.Series) -> pd.Series:
    """Position of each level in their order."""
    return names.map({level: index for index, level in enumerate(levels)})

"""What the figures read: samples, events and summary points of the datasets and curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.tlf.model import Context

RELAPSE_CATEGORIES = ("PD", "PMD", "RELAPSE")
"""Assessments that mark a relapse or progression on a profile."""

EVENT_KINDS = ("CRS", "TOCILIZUMAB", "STEROID", "REINFUSION", "RELAPSE", "DEATH")
"""Events marked on the individual profiles, in the order of the legend."""


def primary_analyte(context: Context) -> str:
    """Analyte of a figure that shows one: the option, or the primary analyte of the config."""
    if "analyte" in context.options:
        return str(context.options["analyte"])
    return str(context.settings["cellular_kinetics"]["primary_analyte"])


def read_samples(context: Context, analytes: Sequence[str] | None = None) -> pd.DataFrame:
    """Blood samples of the kinetics subjects, as displayed.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PARAMCD, AFRLT (days), SHOWN (the value, at LLOQ where below it,
        NaN where neither is known), BLQFL, ALLOQ, AVALU; sorted by subject,
        analyte and time.
    """
    samples = context.dataset("ADPC")
    samples = samples[(samples["ANL01FL"] == "Y") & samples["AFRLT"].notna()]
    if analytes is not None:
        samples = samples[samples["PARAMCD"].isin(list(analytes))]
    below = samples["BLQFL"] == "Y"
    shown = samples["AVAL"].where(~below, samples["ALLOQ"])
    samples = samples.assign(SHOWN=shown.where(shown > 0))
    columns = ["USUBJID", "PARAMCD", "AFRLT", "NFRLT", "SHOWN", "BLQFL", "ALLOQ", "AVALU"]
    return samples[columns].sort_values(
        ["USUBJID", "PARAMCD", "AFRLT"], kind="stable", ignore_index=True
    )


def read_events(context: Context) -> pd.DataFrame:
    """First day of each marked event of a subject: USUBJID, KIND (`EVENT_KINDS`), DAY.

    Every start of tocilizumab and of a corticosteroid is kept, as is every re-infusion.
    """
    adverse, drugs = context.dataset("ADAE"), context.dataset("ADCM")
    responses, doses = context.dataset("ADRS"), context.dataset("ADEX")
    subjects = context.dataset("ADSL")
    crs = adverse[(adverse["AESI"] == "CRS") & (adverse["TRTEMFL"] == "Y")]
    relapse = responses[
        (responses["PARAMCD"] == "OVR") & responses["AVALC"].isin(RELAPSE_CATEGORIES)
    ]
    again = doses[(doses["EXCAT"] == "CELL PRODUCT") & (doses["DOSENO"] >= 2)]
    parts = [
        _days("CRS", crs, "ASTDY", first=True),
        _days("RELAPSE", relapse, "AFRLT", first=True),
        _days("REINFUSION", again, "AFRLT"),
        _days("DEATH", subjects, "DTHDY"),
    ]
    for kind in ("TOCILIZUMAB", "STEROID"):
        given = drugs[(drugs["CMCLASS"] == kind) & (drugs["ASTDY"] >= 0)]
        parts.append(_days(kind, given, "ASTDY"))
    events = pd.concat(parts, ignore_index=True)
    events["KIND"] = pd.Categorical(events["KIND"], EVENT_KINDS, ordered=True)
    return events.sort_values(["USUBJID", "KIND", "DAY"], kind="stable", ignore_index=True)


def _days(kind: str, rows: pd.DataFrame, variable: str, first: bool = False) -> pd.DataFrame:
    days = rows.loc[rows[variable].notna(), ["USUBJID", variable]]
    days = days.rename(columns={variable: "DAY"}).sort_values(["USUBJID", "DAY"], kind="stable")
    if first:
        days = days.drop_duplicates("USUBJID")
    return days.assign(KIND=kind)


def select_curve(context: Context, curve_id: str, kind: str = "") -> pd.DataFrame:
    """Points of one curve, sorted by series and abscissa; of one kind where it is named."""
    curves = context.curves
    chosen = curves["curve_id"] == curve_id
    if kind:
        chosen &= curves["kind"] == kind
    return curves[chosen].sort_values(["series", "x"], kind="stable", ignore_index=True)


def series_level(series: str, key: str) -> str | None:
    """Level of a grouping variable in the name of a series; None where it is another grouping.

    >>> series_level("dose=DL1", "dose")
    'DL1'
    """
    name, _, level = series.partition("=")
    return level if name == key and "/" not in level else None


def number_of_pages(subjects: int, per_page: int, most: int) -> int:
    """Pages printed of a figure with a panel or a row for each subject."""
    return int(min(most, np.ceil(subjects / per_page)))


def curve_data(points: pd.DataFrame) -> pd.DataFrame:
    """Points of a curve as the CSV beside a figure names them."""
    names = {"series": "SERIES", "x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH"}
    names |= {"n": "N", "y_unit": "AVALU"}
    return points[list(names)].rename(columns=names)

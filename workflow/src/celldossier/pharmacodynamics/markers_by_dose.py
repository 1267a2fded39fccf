"""Markers before and after each of several planned doses, beside the cells of that dose.

Analyses added (variable: marker):

==============  =============  ================================================================
marker_by_dose  pdose          n; cmax and ctrough (medians of the cells of this dose); n_before,
                               n_after (subjects with a sample); samples (median number after
                               the dose); before and after: median, q1, q3 of the last sample
                               before the dose and of the highest (of a marker that falls:
                               lowest) one from the dose to the next
marker_trend                   ratio of the value before the dose per dose, within subjects,
                               its limits, p, q, n, values
==============  =============  ================================================================

The first dose is left out of the trend: before it stands the effect of the lymphodepletion.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.pharmacodynamics.courses import prepare_samples
from celldossier.pharmacodynamics.related_samples import (
    WHERE,
    select_place,
    select_rules,
    select_subjects,
)
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.multiplicity import benjamini_hochberg
from celldossier.stats.repeated import WithinRatio, estimate_trend

BEFORE = 2.0
"""Oldest sample that stands for the time before a dose, days."""

OF_CELLS = ("CMAX", "CTROUGH")
"""Parameters of the cells that stand beside the markers."""

SLACK = 0.5
"""How much later than the usual interval its last sample may be, days."""

PLANNED = ("FIRST", "REPEAT")


def describe_doses(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the markers around each planned dose; nothing where all subjects have one."""
    doses = _list_doses(study)
    if doses.empty:
        return []
    cells = _read_cells(study)
    rules = select_rules(study)
    samples = prepare_samples(study.sources, rules, study.settings.parameters.below_limit)
    samples = samples.loc[~samples["APART"] & ~samples["LEFT"]]
    trends: dict[str, tuple[WithinRatio, str]] = {}
    for code, rule in rules.items():
        rows = select_place(samples.loc[samples["PARAMCD"] == code])
        if rows.empty:
            continue
        values = _value_doses(rows, doses, falls=rule.direction == "fall")
        for dose, part in values.groupby("DOSE"):
            unit = str(rows["AVALU"].iloc[0])
            _add_dose(study, code, (int(str(dose)), unit), part, cells, out)
        later = values.loc[(values["DOSE"] > 1) & values["BEFORE"].notna()]
        if later.empty:
            continue
        found = estimate_trend(
            later["BEFORE"],
            later["DOSE"],
            later["USUBJID"],
            study.settings.kinetics.confidence_level,
        )
        trends[code] = found, found.reason
    q_values = benjamini_hochberg([found.p for found, _ in trends.values()]).tolist()
    for (code, (found, reason)), q in zip(trends.items(), q_values, strict=True):
        _add_trend(study, code, found, q, reason, out)
    return []


def _read_cells(study: Study) -> pd.DataFrame:
    """Peak and trough of the cells after each dose."""
    adpp = study.sources.adpp
    ours = (adpp["PARCAT1"] == study.settings.analyte) & (adpp["PROFTYP"] == "DOSE")
    rows = adpp.loc[ours & adpp["PARAMCD"].isin(OF_CELLS) & adpp["AVAL"].notna()]
    return rows[[*KEY, "DOSENO", "PARAMCD", "AVAL", "AVALU"]]


def _list_doses(study: Study) -> pd.DataFrame:
    """Planned doses with the end of their interval: the next dose, or the usual one's length."""
    adex = study.sources.adex
    planned = adex["DOSETYPE"].isin(PLANNED) & adex["PDOSENO"].notna() & adex["AFRLT"].notna()
    rows = adex.loc[planned, [*KEY, "PDOSENO", "AFRLT"]].merge(select_subjects(study), on=KEY)
    # A dose that is given in fractions begins with the first of them.
    rows = rows.groupby([*KEY, "PDOSENO"])["AFRLT"].min().reset_index()
    rows = rows.rename(columns={"PDOSENO": "DOSE", "AFRLT": "START"})
    if rows["DOSE"].nunique() < 2:
        return rows.iloc[:0].assign(END=0.0)
    following = rows.groupby(KEY)["START"].shift(-1)
    usual = float((following - rows["START"]).median())
    # Intervals of one length, so that the highest of an interval is not that of a longer one.
    longest = rows["START"] + usual + SLACK
    end = following.fillna(longest).clip(upper=longest)
    return rows.assign(DOSE=rows["DOSE"].astype(int), END=end)


def _value_doses(rows: pd.DataFrame, doses: pd.DataFrame, *, falls: bool) -> pd.DataFrame:
    """USUBJID, DOSE, BEFORE, AFTER and COUNT (samples after the dose), one row a dose."""
    both = doses.merge(rows[[*KEY, "TIME", "VALUE"]], on=KEY).sort_values(
        [*KEY, "DOSE", "TIME"], kind="stable"
    )
    group = [*KEY, "DOSE"]
    earlier = both.loc[(both["TIME"] <= both["START"]) & (both["TIME"] > both["START"] - BEFORE)]
    later = both.loc[(both["TIME"] > both["START"]) & (both["TIME"] < both["END"])]
    extreme = later.groupby(group)["VALUE"].min() if falls else later.groupby(group)["VALUE"].max()
    values = doses.set_index(group)[[]]
    values["BEFORE"] = earlier.groupby(group)["VALUE"].last()
    values["AFTER"] = extreme
    values["COUNT"] = later.groupby(group).size()
    return values.reset_index()


def _add_dose(
    study: Study,
    code: str,
    place: tuple[int, str],
    part: pd.DataFrame,
    cells: pd.DataFrame,
    out: ResultCollector,
) -> None:
    dose, unit = place
    known = part[KEY].merge(cells.loc[cells["DOSENO"] == dose], on=KEY)
    statistics: dict[str, float | str] = {
        "n": float(len(part)),
        **{
            name.lower(): float(known.loc[known["PARAMCD"] == name, "AVAL"].median())
            for name in OF_CELLS
        },
        "n_before": float(part["BEFORE"].notna().sum()),
        "n_after": float(part["AFTER"].notna().sum()),
        "samples": float(part["COUNT"].median()),
    }
    for name, column in (("before", "BEFORE"), ("after", "AFTER")):
        for end, share in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
            values = part[column].dropna()
            statistics[f"{name}_{end}"] = float(values.quantile(share)) if len(values) else math.nan
    names = [name for name in statistics if name.startswith(("before_", "after_"))]
    out.add(
        "marker_by_dose",
        statistics,
        dataset="ADPD",
        variable=code,
        analyte=study.settings.analyte,
        by={"pdose": f"{dose}"},
        where=WHERE,
        units={
            **dict.fromkeys(names, unit),
            **dict(zip(cells["PARAMCD"].str.lower(), cells["AVALU"], strict=True)),
        },
        n=float(len(part)),
        notes=explain_missing(statistics, "NOPDPOST"),
    )


def _add_trend(
    study: Study, code: str, found: WithinRatio, q: float, reason: str, out: ResultCollector
) -> None:
    statistics: dict[str, float | str] = {
        "ratio": found.ratio,
        "ratio_low": found.low,
        "ratio_high": found.high,
        "p": found.p,
        "q": q,
        "n": float(found.subjects),
        "values": float(found.values),
    }
    out.add(
        "marker_trend",
        statistics,
        dataset="ADPD",
        variable=code,
        analyte=study.settings.analyte,
        where=WHERE,
        n=float(found.subjects),
        method="least squares of ln(value before the dose) on its number, within subjects",
        notes=explain_missing(statistics, reason or "FEWSUBJ"),
    )

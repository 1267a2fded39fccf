"""Lowest dose level with the pre-specified biological activity (table 9a).

Analyses, for tables and templates:

============== ============ ========== ====================================================
analysis       variable     by         statistics
============== ============ ========== ====================================================
activity       criterion    dose       n, n_evaluable, pct, ci_low, ci_high (Clopper-Pearson),
                                       met (Y, N)
activity_range criterion    none       lowest, highest (levels that meet the rule), n_levels,
                                       proposed (level), proposed_met (Y, N)
============== ============ ========== ====================================================

A level meets the rule with enough evaluable subjects, where the share of those with the sign
and the lower limit of its interval reach the settings. This is the clinical counterpart of a
minimal anticipated biological effect level: it describes the levels that were given, and each
sign is looked at by itself. Levels stand in the order of their planned doses.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.dose_exploration.dose_levels import order_levels
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.starting_dose import ActivityCriterion, ActivitySettings
from celldossier.stats.proportion import clopper_pearson

DATASETS = {
    "KINETICS": "ADPP",
    "MARKER": "ADPD",
    "MARKER_PARAMETER": "ADPDP",
    "RESPONSE": "ADRS",
}
NEVER = "BLQALL"
"""Reason of a kinetic parameter that is missing since the cells were never quantifiable."""


def summarise_active_dose(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Activity of each dose level by each declared criterion; no curves."""
    rules = study.settings.starting_dose.activity
    subjects = study.sources.adsl
    subjects = subjects.loc[(subjects["SAFFL"] == "Y") & (subjects["TRT01A"] != "")]
    levels = order_levels(study.sources.adsl, study.sources.adex)
    for criterion in rules.criteria:
        values = derive_activity(study, criterion)
        found = subjects[KEY].merge(values, on=KEY, how="left")
        _add_criterion(out, rules, criterion, subjects["TRT01A"], found["MET"], levels)
    return []


def derive_activity(study: Study, criterion: ActivityCriterion) -> pd.DataFrame:
    """Whether each subject has the sign: STUDYID, USUBJID, MET (1, 0; NaN: not evaluable)."""
    if criterion.source == "RESPONSE":
        rows = study.sources.adrs
        rows = rows.loc[(rows["PARAMCD"] == criterion.parameter) & (rows["AVALC"] != "")]
        met = rows["AVALC"].isin(criterion.values).astype(float)
        met = met.mask(rows["AVALC"].isin(["NE", "UNKNOWN"]))
        return rows[KEY].assign(MET=met).drop_duplicates(KEY)
    if criterion.source == "KINETICS":
        rows = study.sources.adpp
        rows = rows.loc[
            (rows["PARCAT1"] == criterion.analyte)
            & (rows["PARAMCD"] == criterion.parameter)
            & (rows["PROFTYP"] == "COURSE")
        ]
        # Never quantifiable is as little exposure as there can be, not an unknown one, and a
        # time up to a limit was not seen.
        none = 0.0 if criterion.at_least is not None else math.inf
        values = rows["AVAL"].mask(rows["AVAL"].isna() & (rows["PPREASND"] == NEVER), none)
    elif criterion.source == "MARKER_PARAMETER":
        rows = study.sources.adpdp
        rows = rows.loc[
            (rows["PARCAT1"] == criterion.analyte) & (rows["PARAMCD"] == criterion.parameter)
        ]
        rows = rows.loc[rows["ASPEC"] == (criterion.specimen or _most_frequent(rows["ASPEC"]))]
        values = rows["AVAL"]
    else:
        rows = _marker_statistic(study, criterion)
        values = rows["AVAL"]
    if criterion.at_least is not None:
        reached = values >= criterion.at_least
    else:
        reached = values <= criterion.at_most
    return rows[KEY].assign(MET=reached.astype(float).where(values.notna())).drop_duplicates(KEY)


def _most_frequent(values: pd.Series) -> str:
    return str(values.value_counts().sort_index().idxmax()) if len(values) else ""


def _marker_statistic(study: Study, criterion: ActivityCriterion) -> pd.DataFrame:
    """Peak, nadir or their ratio to baseline; half of the limit stands for a result below it."""
    rows = study.sources.adpd
    rows = rows.loc[rows["PARAMCD"] == criterion.analyte]
    rows = rows.loc[rows["ASPEC"] == (criterion.specimen or _most_frequent(rows["ASPEC"]))]
    below = rows["BLQFL"] == "Y"
    rows = rows.assign(VALUE=rows["AVAL"].mask(below, rows["ALLOQ"] / 2))
    start = rows.loc[rows["ABLFL"] == "Y"].drop_duplicates(KEY).set_index(KEY)["VALUE"]
    scheduled = rows["NFRLT"].where(rows["NFRLT"].notna(), rows["AFRLT"])
    later = rows.loc[(rows["AFRLT"] > 0) & (scheduled <= criterion.until)]
    if criterion.before_tocilizumab:
        given = study.sources.adaesi.groupby(KEY)["TOCIDY"].min().rename("GIVEN").reset_index()
        later = later.merge(given, on=KEY, how="left")
        later = later.loc[~(later["AFRLT"] > later["GIVEN"])]
    by_subject = later.loc[later["VALUE"].notna()].groupby(KEY)["VALUE"]
    low = criterion.parameter in ("NADIR", "FALL")
    value = by_subject.min() if low else by_subject.max()
    if criterion.parameter in ("FOLD", "FALL"):
        base = start.reindex(value.index)
        value = value / base.where(base > 0)
    return value.rename("AVAL").reset_index()


def _add_criterion(
    out: ResultCollector,
    rules: ActivitySettings,
    criterion: ActivityCriterion,
    levels: pd.Series,
    met: pd.Series,
    order: list[str],
) -> None:
    dataset = DATASETS[criterion.source]
    where = " ".join(filter(None, (criterion.analyte, criterion.parameter)))
    reached = []
    for level in order:
        of_level = met[(levels == level).to_numpy()].dropna()
        n, events = len(of_level), int(of_level.sum())
        low, high = clopper_pearson(events, n, rules.confidence)
        share = 100 * events / n if n else math.nan
        enough = n >= rules.min_subjects
        meets = enough and share >= rules.min_share and 100 * low >= rules.min_lower_limit
        if meets:
            reached.append(level)
        statistics: dict[str, float | str] = {
            "n": float(events),
            "n_evaluable": float(n),
            "pct": share,
            "ci_low": 100 * low,
            "ci_high": 100 * high,
            "met": ("Y" if meets else "N") if enough else math.nan,
        }
        out.add(
            "activity",
            statistics,
            by={"dose": level},
            where=where,
            units={"pct": "%", "ci_low": "%", "ci_high": "%"},
            n=float(n),
            method=f"Clopper-Pearson {100 * rules.confidence:g}%",
            notes=explain_missing(statistics, "NOTCOLL", met="FEWSUBJ"),
            dataset=dataset,
            variable=criterion.code,
        )
    known = met.notna().sum()
    none = "NOLEVEL" if known else "NOTCOLL"
    proposed = rules.proposed_level
    found: dict[str, float | str] = {
        "lowest": reached[0] if reached else math.nan,
        "highest": reached[-1] if reached else math.nan,
        "n_levels": float(len(reached)),
        "proposed": proposed or math.nan,
        "proposed_met": ("Y" if proposed in reached else "N") if proposed else math.nan,
    }
    out.add(
        "activity_range",
        found,
        where=where,
        n=float(known),
        notes=explain_missing(found, none, proposed="NOPROPOS", proposed_met="NOPROPOS"),
        dataset=dataset,
        variable=criterion.code,
    )

"""Planned and actual doses of the infused subjects.

Analyses, for tables, figures and templates:

======== ============================================== ============== ====================
analysis variable                                       by             statistics
======== ============================================== ============== ====================
dose     DOSEA, DOSEP, DOSETOT, DOSEVIA, DOSETGP,       none, or dose  block, values where
         COPIES, DOSEKG, DOSEM2, DOSERAT                               n < 3
dose     INWINFL                                        none, or dose  n_inwindow,
                                                                       pct_inwindow,
                                                                       n_outwindow,
                                                                       n_nowindow
dose     INFUSIONS                                      none, or dose  n, n_subjects
======== ============================================== ============== ====================

A row is a subject: planned doses of the first course (split and repeat doses) are added up,
unplanned infusions and retreatments left out, as they are in the kinetics. The ratio is the
sum of the actual over the sum of the planned doses, and a subject is in the window if every
infusion was.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.dose_exploration.accountability import join_flags, list_infusions
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, add_block
from celldossier.stats.descriptive import BLOCK
from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED

AMOUNTS = ("DOSEA", "DOSEP", "DOSETOT", "DOSEVIA", "DOSETGP", "COPIES", "DOSEKG", "DOSEM2")
"""Variables that are added up over the infusions of a subject."""

VARIABLES = (*AMOUNTS, "DOSERAT")
FIXED_UNITS = {
    **dict.fromkeys(("DOSETOT", "DOSEVIA", "DOSETGP"), "10^6 cells"),
    "COPIES": "10^6 copies",
    "DOSERAT": "1",
}
"""Units that do not depend on that of the dose."""


def derive_subject_doses(adsl: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Doses of each infused subject over its planned infusions of the first course.

    Parameters
    ----------
    adsl
        Dataset ADSL.
    adex
        Dataset ADEX, or its infusions with their gene copies (COPIES), which are else unknown.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, TRT01A, the `VARIABLES`, DOSEU (blank where units differ),
        INWINFL (Y, N, or blank where no infusion could be judged), INFUSIONS.
    """
    subjects = adsl.loc[adsl["SAFFL"] == "Y", [*KEY, "TRT01A"]]
    planned = ~adex["DOSETYPE"].isin(NOT_PLANNED)
    infusions = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & planned]
    infusions = infusions.reindex(columns=list(dict.fromkeys([*infusions, *AMOUNTS])))
    grouped = infusions.groupby(KEY)
    # A missing amount of one infusion makes the sum unknown, not smaller.
    sums = {name: grouped[name].agg(lambda values: values.sum(skipna=False)) for name in AMOUNTS}
    doses = pd.DataFrame(sums)
    doses["INFUSIONS"] = grouped.size().astype(float)
    units = grouped["DOSEU"].agg(lambda values: "|".join(sorted(set(values))))
    doses["DOSEU"] = units.where(~units.str.contains("|", regex=False), "")
    doses["INWINFL"] = grouped["INWINFL"].agg(join_flags)
    frame = subjects.merge(doses.reset_index(), on=KEY, how="inner")
    frame["DOSERAT"] = frame["DOSEA"] / frame["DOSEP"].where(frame["DOSEP"] > 0)
    return frame.sort_values(KEY, kind="stable", ignore_index=True)


def summarise_doses(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Describe planned and actual doses, total and by dose level; no curves."""
    infusions = list_infusions(study.sources, study.settings.levels.gene_copies)
    doses = derive_subject_doses(study.sources.adsl, infusions)
    _add_group(doses, {}, out)
    if study.settings.by_dose:
        # A level whose subjects have no planned infusion on record stands with its reason.
        adsl = study.sources.adsl
        for level in sorted(set(adsl.loc[adsl["SAFFL"] == "Y", "TRT01A"]) - {""}):
            _add_group(doses.loc[doses["TRT01A"] == level], {"dose": level}, out)
    return []


def _unit(rows: pd.DataFrame, variable: str) -> str:
    units = set(rows["DOSEU"])
    dose = units.pop() if len(units) == 1 else ""
    if variable in FIXED_UNITS:
        return FIXED_UNITS[variable]
    if not dose:
        return ""
    # A dose that is already one per weight or surface.
    cells = dose.removesuffix("/kg").removesuffix("/m2")
    return {"DOSEKG": f"{cells}/kg", "DOSEM2": f"{cells}/m2"}.get(variable, dose)


def _add_group(rows: pd.DataFrame, by: dict[str, str], out: ResultCollector) -> None:
    mixed = len(set(rows["DOSEU"])) > 1
    for variable in VARIABLES:
        # Doses in different units have no common mean.
        withheld = mixed and variable not in FIXED_UNITS
        add_block(
            out,
            "dose",
            rows[variable],
            dataset="ADEX",
            variable=variable,
            by=by,
            where="EXCAT = CELL PRODUCT",
            unit=_unit(rows, variable),
            absent="NOGROUP" if rows.empty else "NOTCOLL",
            withheld=dict.fromkeys(set(BLOCK) - {"n"}, "MIXUNIT") if withheld else {},
        )
    inside, outside = (int((rows["INWINFL"] == flag).sum()) for flag in ("Y", "N"))
    judged = inside + outside
    out.add(
        "dose",
        {
            "n_inwindow": float(inside),
            "pct_inwindow": 100 * inside / judged if judged else math.nan,
            "n_outwindow": float(outside),
            "n_nowindow": float(len(rows) - judged),
        },
        dataset="ADEX",
        variable="INWINFL",
        by=by,
        where="EXCAT = CELL PRODUCT",
        units={"pct_inwindow": "%"},
        n=float(judged),
        notes={} if judged else {"pct_inwindow": "NOTCOLL" if len(rows) else "NOGROUP"},
    )
    out.add(
        "dose",
        {"n": float(rows["INFUSIONS"].sum()), "n_subjects": float(len(rows))},
        dataset="ADEX",
        variable="INFUSIONS",
        by=by,
        where="EXCAT = CELL PRODUCT",
        n=float(len(rows)),
    )

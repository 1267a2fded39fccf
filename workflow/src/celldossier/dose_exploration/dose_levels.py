"""Dose levels: their order by planned dose, the planned doses given, and where these lie.

Analyses, for tables, figures and templates:

=========== ============ ===== ======================================================
analysis    variable     by    statistics
=========== ============ ===== ======================================================
dose_level  DOSEP        dose  planned (median over the planned doses), order,
                               window_low, window_high
dose_level  DOSESUM      dose  n (planned doses), n_subjects, n_nearer, n_othwin,
                               n_subj_nearer, n_subj_othwin, pct_subj_nearer,
                               pct_subj_othwin
dose_level  PLANNED      dose  n, median, min, max of planned doses a subject
=========== ============ ===== ======================================================

A planned dose is one dose after the protocol; the fractions of a split dose are one. Nearer:
the dose given lies closer to the planned dose of another level than to that of its own, by
ratio. In another window: within the window of another level.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.dosing import BASIS_OF_CODE
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED

ROUNDING = 1e-9
"""A dose at a limit is within it, also where binary numbers put it a hair outside."""


def list_planned_doses(adsl: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Planned doses of the first course, one row a dose: KEY, TRT01A, DOSESUM, DOSPSUM, DOSEU."""
    rows = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & ~adex["DOSETYPE"].isin(NOT_PLANNED)]
    rows = rows.drop_duplicates([*KEY, "COURSE", "PDOSENO"])
    rows = rows[[*KEY, "PDOSENO", "DOSESUM", "DOSPSUM", "DOSEU", "DOSEBAS"]]
    subjects = adsl.loc[(adsl["SAFFL"] == "Y") & (adsl["TRT01A"] != ""), [*KEY, "TRT01A"]]
    return rows.merge(subjects, on=KEY, how="inner").sort_values(
        [*KEY, "PDOSENO"], kind="stable", ignore_index=True
    )


def order_levels(adsl: pd.DataFrame, adex: pd.DataFrame) -> list[str]:
    """Dose levels of the infused subjects, from the lowest planned dose to the highest.

    By name where a planned dose is not known or the doses have several units.
    """
    infused = adsl.loc[(adsl["SAFFL"] == "Y") & (adsl["TRT01A"] != "")]
    names = natural_order(set(infused["TRT01A"]))
    doses = list_planned_doses(adsl, adex)
    planned = doses.groupby("TRT01A")["DOSPSUM"].median().reindex(names)
    if doses["DOSEU"].nunique() != 1 or planned.isna().any():
        return names
    return sorted(names, key=lambda name: float(planned[name]))


def summarise_levels(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Planned dose and window of each level, and which doses lie nearer another; no curves."""
    adsl, adex = study.sources.adsl, study.sources.adex
    levels = order_levels(adsl, adex)
    doses = list_planned_doses(adsl, adex)
    units = sorted(set(doses["DOSEU"]))
    basis = sorted(set(doses["DOSEBAS"]) - {""})
    planned = doses.groupby("TRT01A")["DOSPSUM"].median().reindex(levels)
    comparable = len(units) == 1 and bool(planned.notna().all())
    window = study.dosing.dose_window
    if len(basis) == 1 and basis[0] in BASIS_OF_CODE:
        window = study.dosing.basis_windows.get(BASIS_OF_CODE[basis[0]], window)
    low, high = (limit * planned.to_numpy(dtype=float) for limit in window)
    for position, level in enumerate(levels):
        mine = doses.loc[doses["TRT01A"] == level]
        value = float(planned[level]) if len(units) == 1 else math.nan
        block = {
            "planned": value,
            "window_low": value * window[0],
            "window_high": value * window[1],
        }
        out.add(
            "dose_level",
            {"order": float(position + 1), **block},
            dataset="ADEX",
            variable="DOSEP",
            by={"dose": level},
            unit=units[0] if len(units) == 1 else "",
            units={"order": ""},
            n=float(mine["USUBJID"].nunique()),
            notes=explain_missing(block, _unknown(units)),
        )
        counts = mine.groupby(KEY).size().to_numpy(dtype=float)
        out.add(
            "dose_level",
            {
                "n": float(counts.size),
                "median": float(np.median(counts)) if counts.size else math.nan,
                "min": float(counts.min()) if counts.size else math.nan,
                "max": float(counts.max()) if counts.size else math.nan,
            },
            dataset="ADEX",
            variable="PLANNED",
            by={"dose": level},
            n=float(counts.size),
            notes={} if counts.size else dict.fromkeys(("median", "min", "max"), "NOGROUP"),
        )
        given = mine.loc[mine["DOSESUM"] > 0]
        nearer, inside = _compare(
            given["DOSESUM"].to_numpy(dtype=float), planned.to_numpy(), low, high, position
        )
        reason = "" if comparable and len(levels) > 1 else "ONEDLVL" if comparable else "NOPLAN"
        _add_places(out, level, given, nearer, inside, reason)
    return []


def _unknown(units: list[str]) -> str:
    return "NOPLAN" if len(units) == 1 else "MIXUNIT"


def _compare(
    given: np.ndarray, planned: np.ndarray, low: np.ndarray, high: np.ndarray, own: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of each dose: nearer another level by ratio; within the window of another level."""
    others = np.arange(planned.size) != own
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(given[:, None]) - np.log(planned[None, :]))
    other = np.where(others, distance, np.inf).min(axis=1, initial=np.inf)
    within = (given[:, None] >= low * (1 - ROUNDING)) & (given[:, None] <= high * (1 + ROUNDING))
    return other < distance[:, own] - ROUNDING, (within & others).any(axis=1)


def _add_places(
    out: ResultCollector,
    level: str,
    given: pd.DataFrame,
    nearer: np.ndarray,
    inside: np.ndarray,
    reason: str,
) -> None:
    subjects = float(given["USUBJID"].nunique())
    statistics = {"n": float(len(given)), "n_subjects": subjects}
    counts: dict[str, float] = {}
    for name, which in (("nearer", nearer), ("othwin", inside)):
        count = float(given.loc[which, "USUBJID"].nunique())
        counts |= {
            f"n_{name}": float(which.sum()),
            f"n_subj_{name}": count,
            f"pct_subj_{name}": 100 * count / subjects if subjects else math.nan,
        }
    if reason:
        counts = dict.fromkeys(counts, math.nan)
    out.add(
        "dose_level",
        {**statistics, **counts},
        dataset="ADEX",
        variable="DOSESUM",
        by={"dose": level},
        units={name: "%" for name in counts if name.startswith("pct")},
        n=subjects,
        notes=explain_missing(counts, reason or "NOGROUP"),
    )

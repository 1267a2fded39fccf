"""Drugs, doses and depth of lymphodepletion against exposure (clause S8.3-1)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.special_considerations.groups import add_group_exposure
from celldossier.special_considerations.study import KEY, Study
from celldossier.stats.rank_correlation import estimate_rank_correlation

DEPTHS = {"ALCINF": "10^9/L", "ALCNAD": "10^9/L", "ALCDEPL": "%", "IL15INF": "pg/mL"}
"""Measures of depth in ADSL that are related to exposure, with their units."""

DOSES = ("LDTOTA", "LDRATIO")
"""Measures of dose in ADLD, for each drug: total dose, and intensity (given over planned)."""

GROUPED = ("ALCINF", "ALCNAD")
"""Measures of depth whose tertiles are compared."""

TERTILES = ("T1", "T2", "T3")
NO_REGIMEN = "NONE"
FIRST = 1
"""Course before the first infusion (ADLD.LDNO)."""


def read_tertiles(values: pd.Series) -> dict[str, pd.Series]:
    """Mask of each third of the known values, the lowest first; equal values stay together.

    Parameters
    ----------
    values
        Shape (n,); NaN is in no third.

    Notes
    -----
    Limits by linear interpolation (type 7); a value on a limit is in the lower third.
    """
    known = values.dropna().to_numpy(dtype=float)
    first, second = np.quantile(known, [1 / 3, 2 / 3]) if known.size else (math.nan, math.nan)
    return {
        "T1": values <= first,
        "T2": (values > first) & (values <= second),
        "T3": values > second,
    }


def read_doses(adld: pd.DataFrame, subjects: pd.DataFrame) -> dict[str, dict[str, pd.Series]]:
    """Total dose and intensity of each drug before the first infusion, a row a subject.

    Returns
    -------
    dict
        Drug to `DOSES` to values in the rows of `subjects`; NaN where the drug was not given
        or its dose is not known. A total dose in several units is compared in none: its values
        are all NaN.
    """
    places = pd.MultiIndex.from_frame(subjects[KEY])
    course = adld.loc[adld["LDNO"] == FIRST]
    found: dict[str, dict[str, pd.Series]] = {}
    for drug in sorted(set(course["LDTRT"]) - {""}):
        rows = course.loc[(course["LDTRT"] == drug) & (course["LDOMFL"] != "Y")]
        rows = rows.drop_duplicates(KEY).set_index(KEY).reindex(places)
        values = {name: rows[name].astype(float).reset_index(drop=True) for name in DOSES}
        if len(set(course.loc[course["LDTRT"] == drug, "LDDOSEU"]) - {""}) > 1:
            values["LDTOTA"] = values["LDTOTA"] * math.nan
        found[drug] = values
    return found


def summarise_lymphodepletion(study: Study, out: ResultCollector) -> None:
    """Add `ld_count`, `ld_correlation`, `ld_regimen`, `ld_tertile` and `ld_tertile_range`."""
    subjects = study.subjects
    given = subjects["LDFL"] == "Y"
    out.add(
        "ld_count",
        {"n": float(given.sum()), "n_infused": float(len(subjects))},
        dataset="ADSL",
        variable="LDFL",
        where="SAFFL = Y",
        n=float(len(subjects)),
    )
    if not given.any():
        return
    for depth, unit in DEPTHS.items():
        _add_correlations(study, out, depth, subjects[depth], {}, "ADSL", unit)
    adld = study.sources.adld
    for drug, doses in read_doses(adld, subjects).items():
        units = set(adld.loc[adld["LDTRT"] == drug, "LDDOSEU"]) - {""}
        for name, values in doses.items():
            unit = units.copy().pop() if name == "LDTOTA" and len(units) == 1 else ""
            mixed = name == "LDTOTA" and len(units) > 1
            _add_correlations(
                study, out, name, values, {"drug": drug}, "ADLD", unit, "MIXUNIT" if mixed else ""
            )
    _add_regimens(study, out)
    for depth in GROUPED:
        _add_tertiles(study, out, depth)


def _add_correlations(
    study: Study,
    out: ResultCollector,
    variable: str,
    values: pd.Series,
    by: Mapping[str, str],
    dataset: str,
    unit: str,
    refused: str = "",
) -> None:
    """Spearman's correlation of one measure with each metric of exposure."""
    for metric in study.settings.metrics:
        found = estimate_rank_correlation(
            values, study.subjects[metric], study.settings.confidence_level
        )
        statistics = {
            "n": float(found.n), "rho": found.rho, "rho_low": found.low, "rho_high": found.high
        }  # fmt: skip
        reason = refused or ("NOTCOLL" if values.isna().all() else found.reason)
        out.add(
            "ld_correlation",
            statistics,
            dataset=dataset,
            variable=variable,
            analyte=study.analyte,
            by={**by, "metric": metric},
            where="PKFL = Y" + (f"; LDNO = {FIRST}" if dataset == "ADLD" else ""),
            unit="",
            units={"n": ""},
            n=float(found.n),
            method="Spearman, interval after Bonett and Wright"
            + (f"; measure in {unit}" if unit else ""),
            notes=explain_missing(statistics, reason),
        )


def _add_regimens(study: Study, out: ResultCollector) -> None:
    """Exposure by regimen; the reference is the one that most subjects had."""
    subjects = study.subjects
    named = subjects["LDREG"].where(subjects["LDFL"] == "Y", NO_REGIMEN)
    counts = named[named != ""].value_counts()
    # Of two as frequent the first by name, so that the order of the rows decides nothing.
    reference = min(counts.index, key=lambda name: (-counts[name], name))
    masks = {name: named == name for name in sorted(counts.index)}
    out.add(
        "ld_reference",
        {"regimen": str(reference), "n": float(counts[reference])},
        dataset="ADSL",
        variable="LDREG",
        where="SAFFL = Y",
        n=float(counts[reference]),
    )
    add_group_exposure(
        study, out, "ld_regimen", masks, str(reference), key="regimen", where="PKFL = Y"
    )


def _add_tertiles(study: Study, out: ResultCollector, depth: str) -> None:
    """Exposure by third of depth of the kinetics set; the least deep third is the reference."""
    values = study.subjects[depth].where(study.subjects["PKFL"] == "Y")
    masks = read_tertiles(values)
    add_group_exposure(
        study, out, "ld_tertile", masks, "T3", key="tertile", by={"depth": depth}, where="PKFL = Y"
    )
    for tertile, mask in masks.items():
        within = values[mask]
        statistics = {
            "n": float(mask.sum()),
            "min": float(within.min()) if len(within) else math.nan,
            "max": float(within.max()) if len(within) else math.nan,
        }
        out.add(
            "ld_tertile_range",
            statistics,
            dataset="ADSL",
            variable=depth,
            by={"tertile": tertile},
            where="PKFL = Y",
            unit=DEPTHS[depth],
            units={"n": ""},
            n=float(mask.sum()),
            notes=explain_missing(statistics, "NOTCOLL" if values.isna().all() else "NOGROUP"),
        )

"""The primary models without each study, site or indication in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from celldossier.exposure_response.binary_fits import EXPOSURE, CellResult
from celldossier.exposure_response.model_rows import fit_model, keep_subjects
from celldossier.exposure_response.odds import METHODS, describe_odds
from celldossier.exposure_response.plan import Selection
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector

NONE_LEFT_OUT = "NONE"


def collect_leave_out(study: Study, results: Sequence[CellResult], out: ResultCollector) -> None:
    """Add `leave_out`: odds ratio of each primary model without each level of a variable."""
    for result in results:
        if result.cell.role != "PRIMARY":
            continue
        for variable in study.settings.evaluation.leave_out:
            levels = _read_levels(study, result.selection, variable)
            found = sorted(set(levels) - {""})
            if len(found) < 2:
                reason = "ONELEVEL" if found else "NOTCOLL"
                chosen = replace(result.selection, reason=result.selection.reason or reason)
                _add(study, result, chosen, variable, found[0] if found else NONE_LEFT_OUT, out)
                continue
            for level in found:
                chosen = keep_subjects(result.selection, levels != level)
                _add(study, result, chosen, variable, level, out)


def _read_levels(study: Study, chosen: Selection, variable: str) -> pd.Series:
    rows = pd.MultiIndex.from_frame(study.ader.loc[chosen.subjects, KEY])
    adsl = study.sources.adsl.drop_duplicates(KEY).set_index(KEY, drop=False)
    return pd.Series(adsl[variable].reindex(rows).fillna("").astype(str).to_numpy())


def _add(
    study: Study,
    result: CellResult,
    chosen: Selection,
    variable: str,
    level: str,
    out: ResultCollector,
) -> None:
    fit, reason = fit_model(study, chosen)
    odds, notes = describe_odds(
        fit.coefficient(EXPOSURE) if fit else None, reason, bool(fit and fit.separation)
    )
    n = float(chosen.event.size)
    out.add(
        "leave_out",
        {
            "n": n,
            "n_left_out": float(result.selection.event.size) - n,
            "events": float(chosen.event.sum()),
            **odds,
            "model": fit.method if fit else "NONE",
        },
        dataset="ADER",
        variable=result.cell.endpoint.code,
        analyte=study.settings.analyte,
        by={"metric": result.cell.metric, "factor": variable, "level": level},
        where=f"ERFL = Y and {variable} not {level}",
        n=n,
        method=METHODS[fit.method] if fit else "",
        notes=notes,
    )

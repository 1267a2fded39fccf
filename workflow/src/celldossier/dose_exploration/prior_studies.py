"""Earlier studies beside the registration study (table 1a); never pooled.

Analyses, for tables and templates:

============= ============ ============ ==================================================
analysis      variable     by           statistics
============= ============ ============ ==================================================
prior_study   DOSE         study        n_infused, low, high (10^6 cells of a dose)
prior_study   exposure     study        n, geomean
prior_study   outcome      study        n, n_evaluable, pct, ci_low, ci_high
============= ============ ============ ==================================================

A study whose subjects are in the data (by STUDYID) is computed, one of the settings is quoted
as declared; its percentage and Clopper-Pearson interval follow from its counts. Outcomes:
CRSGE1, CRSGE3, ICANSGE1, ICANSGE3, OBJRESP.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.dose_exploration.outcomes import (
    RESPONSE,
    derive_exposure,
    derive_outcome,
    exposure_unit,
)
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.prior_studies import PriorStudy
from celldossier.stats.descriptive import describe
from celldossier.stats.proportion import clopper_pearson
from celldossier.terms.study_terms import CELL_PRODUCT, CELLS, NOT_PLANNED

QUOTED = {
    "CRSGE1": "crs", "CRSGE3": "crs_severe", "ICANSGE1": "icans", "ICANSGE3": "icans_severe",
    RESPONSE: "response",
}  # fmt: skip
"""Outcome to the field of a quoted study."""


def summarise_prior_studies(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Doses, exposure and outcomes of each study by itself; no curves."""
    adsl = study.sources.adsl
    infused = adsl.loc[adsl["SAFFL"] == "Y"].reset_index(drop=True)
    for name in sorted(set(infused["STUDYID"])):
        _add_computed(study, out, str(name), infused.loc[infused["STUDYID"] == name])
    for prior in study.settings.prior_studies.studies:
        _add_quoted(study, out, prior)
    return []


def _add_computed(study: Study, out: ResultCollector, name: str, subjects: pd.DataFrame) -> None:
    sources, settings = study.sources, study.settings
    adex = sources.adex
    rows = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & (adex["STUDYID"] == name)]
    # The fractions of a split dose are one, as in the range that another study states.
    rows = rows.loc[~rows["DOSETYPE"].isin(NOT_PLANNED)]
    rows = rows.drop_duplicates([*KEY, "COURSE", "PDOSENO"])
    # Doses per weight or surface are no cells: the range is then not known.
    units = set(rows.loc[rows["DOSESUM"].notna(), "DOSEU"])
    doses = rows["DOSESUM"].dropna() if units == {CELLS} else pd.Series(dtype=float)
    _add_doses(
        out,
        name,
        "ADEX",
        float(len(subjects)),
        float(doses.min()) if len(doses) else math.nan,
        float(doses.max()) if len(doses) else math.nan,
        "NOTCOLL" if not units else "MIXUNIT",
    )
    for parameter in settings.prior_studies.exposures:
        values = derive_exposure(sources, subjects, settings.analyte, parameter)
        block = describe(values)
        statistics = {"n": block["n"], "geomean": block["geomean"]}
        out.add(
            "prior_study",
            statistics,
            dataset="ADPP",
            variable=parameter,
            by={"study": name},
            units={"geomean": exposure_unit(sources, settings.analyte, parameter)},
            n=block["n"],
            notes=explain_missing(statistics, "NOVALUE" if block["n"] else "NOTCOLL"),
        )
    for outcome in QUOTED:
        values = derive_outcome(sources, subjects, outcome, settings.subset_dose.event_window)
        known = values.dropna()
        _add_share(
            out, name, outcome, "ADRS" if outcome == RESPONSE else "ADAESI",
            int(known.sum()), int(known.size), "NOTCOLL",
        )  # fmt: skip


def _add_quoted(study: Study, out: ResultCollector, prior: PriorStudy) -> None:
    _add_doses(
        out,
        prior.id,
        "settings",
        float(prior.n_infused),
        math.nan if prior.dose_low is None else prior.dose_low,
        math.nan if prior.dose_high is None else prior.dose_high,
        "NOTSTATED",
    )
    for parameter in study.settings.prior_studies.exposures:
        found = prior.exposures.get(parameter)
        n = float(found.n) if found is not None and found.n is not None else math.nan
        statistics = {"n": n, "geomean": math.nan if found is None else found.geomean}
        out.add(
            "prior_study",
            statistics,
            dataset="settings",
            variable=parameter,
            by={"study": prior.id},
            units={"geomean": "" if found is None else found.unit},
            n=n,
            method="" if found is None else found.assay,
            notes=explain_missing(statistics, "NOTSTATED"),
        )
    for outcome, field in QUOTED.items():
        share = getattr(prior, field)
        n, of = (share.n, share.of) if share is not None else (0, 0)
        _add_share(out, prior.id, outcome, "settings", n, of, "NOTSTATED")


def _add_doses(
    out: ResultCollector,
    name: str,
    dataset: str,
    n: float,
    low: float,
    high: float,
    absent: str,
) -> None:
    statistics = {"n_infused": n, "low": low, "high": high}
    out.add(
        "prior_study",
        statistics,
        dataset=dataset,
        variable="DOSE",
        by={"study": name},
        unit=CELLS,
        units={"n_infused": ""},
        n=n,
        notes=explain_missing(statistics, absent),
    )


def _add_share(
    out: ResultCollector, name: str, outcome: str, dataset: str, n: int, of: int, absent: str
) -> None:
    low, high = clopper_pearson(n, of)
    statistics = {
        "n": float(n) if of else math.nan,
        "n_evaluable": float(of) if of else math.nan,
        "pct": 100 * n / of if of else math.nan,
        "ci_low": 100 * low,
        "ci_high": 100 * high,
    }
    out.add(
        "prior_study",
        statistics,
        dataset=dataset,
        variable=outcome,
        by={"study": name},
        units={"pct": "%", "ci_low": "%", "ci_high": "%"},
        n=float(of),
        method="Clopper-Pearson 95%",
        notes=explain_missing(statistics, absent),
    )

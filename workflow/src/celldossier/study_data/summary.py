"""Analysis results of the stage: populations, demographics, record accounting, findings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.efficacy import EfficacySettings
from celldossier.study_data.bioanalysis_summary import add_runs, add_samples
from celldossier.study_data.lymphodepletion_summary import add_lymphodepletion
from celldossier.study_data.product_summary import add_product_attributes
from celldossier.study_data.response_summary import add_response
from celldossier.study_data.safety_summary import DOMAINS as SAFETY_DOMAINS
from celldossier.study_data.safety_summary import add_special_interest
from celldossier.study_data.summary_blocks import (
    MISSING_LEVEL,
    NOT_COLLECTED,
    count_share,
)
from celldossier.study_data.survival_summary import add_time_to_event

POPULATIONS: dict[str, tuple[str, str]] = {
    "ENROLLED": ("ENRLFL", ""),
    "LEUKAPHERESED": ("LEUKFL", "NLEUKRSN"),
    "MANUFACTURED": ("MANUFL", "NMANURSN"),
    "INFUSED": ("SAFFL", "NSAFRSN"),
    "CK": ("PKFL", "NPKRSN"),
    "PD": ("PDFL", "NPDRSN"),
    "ADA": ("IMFL", "NIMRSN"),
    "ER": ("ERFL", "NERRSN"),
    "DLT": ("DLTEVLFL", "NDLTRSN"),
    "RESPONSE": ("EFFFL", "NEFFRSN"),
}
"""Population: its flag and its reason variable in ADSL."""

MEASURES = ("AGE", "WTBL", "HTBL", "BSABL", "TARGBL", "PRLINES", "ALCBL")
CATEGORIES = (
    *("SEX", "AGEGR1", "RACE", "INDIC", "ECOGBL", "STAGEBL"),
    *("PRHSCT", "BRIDGFL", "PROCESS"),
)
"""Level of the subjects whose category is blank."""


def summarise_study_data(
    adsl: pd.DataFrame,
    *,
    accounting: pd.DataFrame,
    exclusions: pd.DataFrame,
    findings: pd.DataFrame,
    adaesi: pd.DataFrame,
    adld: pd.DataFrame,
    adpq: pd.DataFrame,
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    adtte: pd.DataFrame,
    adrun: pd.DataFrame,
    adsamp: pd.DataFrame,
    endpoints: Sequence[str],
    efficacy: EfficacySettings,
) -> pd.DataFrame:
    """Analysis results of the study data (dataset ARD).

    Parameters
    ----------
    adsl
        Dataset ADSL. Demographics are those of the infused subjects.
    accounting, exclusions, findings
        Datasets of the checks; text columns will do.
    adaesi, adld, adpq, adex, adrs, adtte, adrun, adsamp
        Datasets ADAESI, ADLD, ADPQ, ADEX, ADRS, ADTTE, ADRUN, ADSAMP.
    endpoints
        Endpoints of ADTTE that apply to the study.
    efficacy
        Vocabularies of response and the times of estimates.
    """
    collector = ResultCollector("study_data")
    infused = adsl[adsl["SAFFL"] == "Y"]
    _add_populations(collector, adsl)
    _add_demographics(collector, infused)
    collected = accounting["domain"].isin(SAFETY_DOMAINS) & (accounting["file"] != "")
    groups = list(_groups(infused, "TRT01A"))
    add_special_interest(collector, groups, adaesi, bool(collected.any()))
    add_lymphodepletion(collector, groups, adld)
    add_product_attributes(collector, infused, adpq, adex)
    assessed = (accounting["domain"] == "RS") & (accounting["file"] != "")
    add_response(collector, infused, adrs, bool(assessed.any()), efficacy)
    # The duration of quantifiability is summarised with the kinetics, once (table 34).
    shown = [endpoint for endpoint in endpoints if endpoint != "PERSIST"]
    add_time_to_event(collector, infused, adtte, shown, efficacy.time_to_event)
    add_runs(collector, adrun)
    add_samples(collector, adsamp)
    _add_accounting(collector, accounting, exclusions)
    _add_findings(collector, findings)
    return collector.frame()


def _add_populations(collector: ResultCollector, adsl: pd.DataFrame) -> None:
    """Counts by planned dose, since those who are not infused have no actual one."""
    for by, subjects in _groups(adsl, "TRT01P"):
        total = int((subjects["ENRLFL"] == "Y").sum())
        for population, (flag, reason) in POPULATIONS.items():
            levels = {**by, "population": population}
            unknown = len(adsl) > 0 and (
                (adsl[flag] == "").all() or (bool(reason) and (adsl[reason] == NOT_COLLECTED).all())
            )
            n = math.nan if unknown else float((subjects[flag] == "Y").sum())
            statistics = count_share(n, total)
            collector.add(
                "populations",
                statistics,
                dataset="ADSL",
                by=levels,
                where=f"{flag} = Y",
                units={"pct": "%"},
                n=0 if unknown else n,
                notes=explain_missing(statistics, NOT_COLLECTED if unknown else "NOGROUP"),
            )
            if not by and reason and not unknown:
                _add_reasons(collector, subjects, population, reason)


def _add_reasons(
    collector: ResultCollector, subjects: pd.DataFrame, population: str, reason: str
) -> None:
    counts = subjects.loc[subjects[reason] != "", reason].value_counts()
    for code in sorted(counts.index):
        collector.add(
            "population_reasons",
            {"n": float(counts[code])},
            dataset="ADSL",
            by={"population": population, "reason": code},
            where=f"{reason} = {code}",
            n=float(counts[code]),
        )


def _add_demographics(collector: ResultCollector, infused: pd.DataFrame) -> None:
    units = {name: variable.unit for name, variable in read_specification("ADSL").variables.items()}
    for by, subjects in _groups(infused, "TRT01A"):
        for variable in MEASURES:
            absent = NOT_COLLECTED if infused[variable].isna().all() else "NOVALUE"
            _add_block(collector, subjects[variable], variable, by, units[variable], absent)
        # Burdens of two units are never put together: one block an indication, the
        # total only where all subjects share one unit.
        if subjects["TBURDU"].nunique() == 1:
            unit = subjects["TBURDU"].iloc[0]
            absent = NOT_COLLECTED if infused["TBURDBL"].isna().all() else "NOVALUE"
            _add_block(collector, subjects["TBURDBL"], "TBURDBL", by, unit, absent)
        for (indication, unit), rows in subjects.groupby(["INDIC", "TBURDU"], sort=True):
            if indication and (subjects[subjects["INDIC"] == indication]["TBURDU"] == unit).all():
                place = {**by, "indication": str(indication)}
                _add_block(collector, rows["TBURDBL"], "TBURDBL", place, str(unit))
        for variable in CATEGORIES:
            levels = _levels(infused[variable])
            if levels == [MISSING_LEVEL]:
                _add_absence(collector, variable, by)
            else:
                _add_levels(collector, subjects, levels, variable, by)


def _add_block(
    collector: ResultCollector,
    values: pd.Series,
    variable: str,
    by: Mapping[str, str],
    unit: str,
    absent: str = "NOVALUE",
) -> None:
    add_block(
        collector,
        "demographics",
        values,
        dataset="ADSL",
        variable=variable,
        by=by,
        where="SAFFL = Y",
        unit=unit,
        extra={"n_missing": float(values.isna().sum())},
        absent=absent,
    )


def _add_absence(collector: ResultCollector, variable: str, by: Mapping[str, str]) -> None:
    """A category that no subject has was not collected."""
    statistics = {"n": math.nan, "pct": math.nan}
    collector.add(
        "demographics",
        statistics,
        dataset="ADSL",
        variable=variable,
        by=by,
        where="SAFFL = Y",
        notes=explain_missing(statistics, NOT_COLLECTED),
    )


def _add_levels(
    collector: ResultCollector,
    subjects: pd.DataFrame,
    levels: list[str],
    variable: str,
    by: Mapping[str, str],
) -> None:
    text = _as_text(subjects[variable])
    for level in levels:
        n = float((text == level).sum())
        statistics = count_share(n, len(subjects))
        collector.add(
            "demographics",
            statistics,
            dataset="ADSL",
            variable=variable,
            by={**by, "level": level},
            where=f"SAFFL = Y, {variable} = {level}",
            units={"pct": "%"},
            n=n,
            notes=explain_missing(statistics, "NOGROUP"),
        )


def _add_accounting(
    collector: ResultCollector, accounting: pd.DataFrame, exclusions: pd.DataFrame
) -> None:
    counted = ["records_in", "records_used", "records_excluded"]
    # Text columns of a file will do; a domain may have several files.
    files = accounting.astype({name: "int64" for name in counted})
    first = files.groupby("domain", sort=False)[["file", "dataset"]].first()
    domains = first.join(files.groupby("domain")[counted].sum()).reset_index()
    for record in domains.to_dict("records"):
        domain = str(record["domain"])
        collected = str(record["file"]) != ""
        counts = {
            name: float(record[name]) if collected else math.nan
            for name in ("records_in", "records_used", "records_excluded")
        }
        collector.add(
            "accounting",
            counts,
            dataset=str(record["dataset"]),
            variable=domain,
            notes=explain_missing(counts, NOT_COLLECTED),
        )
        reasons = exclusions.loc[exclusions["domain"] == domain, "reason"].value_counts()
        for code in sorted(reasons.index):
            collector.add(
                "accounting",
                {"n": float(reasons[code])},
                dataset=str(record["dataset"]),
                variable=domain,
                by={"reason": str(code)},
            )


def _add_findings(collector: ResultCollector, findings: pd.DataFrame) -> None:
    for severity in ("error", "warning", "note"):
        rows = findings[findings["severity"] == severity]
        collector.add(
            "findings", {"n": float(len(rows))}, dataset="FINDINGS", by={"severity": severity}
        )
        for rule_id, count in rows["rule_id"].value_counts().sort_index().items():
            collector.add(
                "findings",
                {"n": float(count)},
                dataset="FINDINGS",
                by={"severity": severity, "rule": str(rule_id)},
            )


def _groups(adsl: pd.DataFrame, dose: str) -> Iterable[tuple[dict[str, str], pd.DataFrame]]:
    """All subjects, then those of each dose level."""
    yield {}, adsl
    for level in sorted(adsl.loc[adsl[dose] != "", dose].unique()):
        yield {"dose": level}, adsl[adsl[dose] == level]


def _as_text(values: pd.Series) -> pd.Series:
    if values.dtype.kind == "f":
        text = values.map(lambda number: "" if math.isnan(number) else f"{number:g}")
    else:
        text = values
    return text.where(text != "", MISSING_LEVEL)


def _levels(values: pd.Series) -> list[str]:
    """Levels that occur, in sorted order, the missing last."""
    found = set(_as_text(values))
    return sorted(found - {MISSING_LEVEL}) + ([MISSING_LEVEL] if MISSING_LEVEL in found else [])

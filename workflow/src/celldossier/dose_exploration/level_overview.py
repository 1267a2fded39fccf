"""Overview by dose level: toxicity, events of special interest, marker peaks and response.

Analyses, for tables, figures and templates; `dose` is a level, none all of them:

=============== ============== ========================== ==================================
analysis        variable       by                         statistics
=============== ============== ========================== ==================================
overview        SUBJECTS       none, or dose              n
overview_dlt    DLT            none, or dose              n, denominator, pct, ci_low,
                                                          ci_high
overview_event  event code     (dose,) grade ANY, SEVERE  n, denominator, pct, ci_low,
                                                          ci_high, n_nograde
overview_rate   ORR            none, or dose              n, denominator, pct, ci_low,
                                                          ci_high, n_unknown
overview_marker marker         none, or dose              block, ci_low, ci_high, n_infused,
                                                          n_novalue, n_notabove
=============== ============== ========================== ==================================

Doses and exposure by level stand in the analyses `dose`, `dose_level` and `exposure`. A
dose-limiting toxicity counts as in the replay of the escalation, among its evaluable subjects;
events and response among all infused subjects, so that an unknown response counts as none.
Intervals of rates are those of Clopper and Pearson.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from celldossier.dose_exploration.dose_levels import order_levels
from celldossier.dose_exploration.escalation_data import ESCALATION, derive_dlt_status
from celldossier.dose_exploration.exposure_overlap import describe_exposure
from celldossier.dose_exploration.study import KEY, Study
from celldossier.results import (
    SHARE_UNITS,
    ResultCollector,
    describe_share,
    explain_missing,
    list_few,
)

Group = tuple[dict[str, str], pd.DataFrame]


def summarise_overview(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Toxicity, events, markers and response of each dose level and of all; no curves."""
    # Without a design the window of the escalation is not declared; that of the population is.
    rule = study.settings.escalation.model_copy(update={"dlt_window": study.dosing.dlt_period})
    status = derive_dlt_status(study.sources, rule, study.dosing)
    collected = len(study.sources.adae) > 0 and not (status["REASON"] == "NOTCOLL").all()
    evaluable = status.loc[status["EVALUABLE"] & (status["PART"] == ESCALATION)]
    for by, infused in _group_subjects(study):
        out.add(
            "overview",
            {"n": float(len(infused))},
            dataset="ADSL",
            variable="SUBJECTS",
            by=by,
            where="SAFFL = Y",
            n=float(len(infused)),
        )
        _add_dlt(study, out, by, infused, evaluable, collected)
        for event in study.settings.levels.events:
            _add_event(study, out, by, infused, event)
        _add_response(study, out, by, infused)
        for marker in study.settings.levels.markers:
            _add_marker(study, out, by, infused, marker)
    return []


def _group_subjects(study: Study) -> Iterator[Group]:
    """All infused subjects, then those of each dose level."""
    adsl = study.sources.adsl
    infused = adsl.loc[adsl["SAFFL"] == "Y"]
    yield {}, infused
    for level in order_levels(adsl, study.sources.adex):
        yield {"dose": level}, infused.loc[infused["TRT01A"] == level]


def _add_rate(
    study: Study,
    out: ResultCollector,
    analysis: str,
    variable: str,
    by: Mapping[str, str],
    count: int,
    total: int,
    *,
    dataset: str,
    where: str,
    reason: str = "",
    extra: Mapping[str, float] | None = None,
) -> None:
    share = describe_share(count, total, study.settings.levels.confidence_level)
    statistics = {**share, **(extra or {})}
    if reason:
        statistics = dict.fromkeys(statistics, math.nan)
    out.add(
        analysis,
        statistics,
        dataset=dataset,
        variable=variable,
        by=by,
        where=where,
        units=SHARE_UNITS,
        n=0.0 if reason else float(total),
        method="Clopper-Pearson",
        notes=explain_missing(statistics, reason or "NOGROUP"),
    )


def _add_dlt(
    study: Study,
    out: ResultCollector,
    by: Mapping[str, str],
    infused: pd.DataFrame,
    evaluable: pd.DataFrame,
    collected: bool,
) -> None:
    own = infused[KEY].merge(evaluable[[*KEY, "DLT"]], on=KEY, how="inner")
    _add_rate(
        study,
        out,
        "overview_dlt",
        "DLT",
        by,
        int(own["DLT"].sum()),
        len(own),
        dataset="ADAE",
        where="DLTEVLFL = Y, DLTFL = Y",
        reason="" if collected else "NOTCOLL",
    )


def _add_event(
    study: Study, out: ResultCollector, by: Mapping[str, str], infused: pd.DataFrame, event: str
) -> None:
    """Subjects with the event, by worst grade: any, and severe; without a grade it is any."""
    adaesi = study.sources.adaesi
    own = adaesi.loc[(adaesi["AESI"] == event) & (adaesi["WORSTFL"] == "Y")]
    own = infused[KEY].merge(own[[*KEY, "ATOXGRN"]].drop_duplicates(KEY), on=KEY, how="inner")
    severe = own["ATOXGRN"] >= study.settings.levels.severe_from
    collected = len(study.sources.adae) > 0 or len(adaesi) > 0
    for grade, count in (("ANY", len(own)), ("SEVERE", int(severe.sum()))):
        _add_rate(
            study,
            out,
            "overview_event",
            event,
            {**by, "grade": grade},
            count,
            len(infused),
            dataset="ADAESI",
            where=f"AESI = {event}, WORSTFL = Y",
            reason="" if collected else "NOTCOLL",
            extra={"n_nograde": float(own["ATOXGRN"].isna().sum())},
        )


def _add_response(
    study: Study, out: ResultCollector, by: Mapping[str, str], infused: pd.DataFrame
) -> None:
    adrs = study.sources.adrs
    rows = adrs.loc[adrs["PARAMCD"] == "ORR", [*KEY, "AVALC"]].drop_duplicates(KEY)
    own = infused[KEY].merge(rows, on=KEY, how="left").fillna({"AVALC": ""})
    _add_rate(
        study,
        out,
        "overview_rate",
        "ORR",
        by,
        int((own["AVALC"] == "Y").sum()),
        len(infused),
        dataset="ADRS",
        where="PARAMCD = ORR",
        reason="" if len(rows) else "NOTCOLL",
        extra={"n_unknown": float((own["AVALC"] == "").sum())},
    )


def _add_marker(
    study: Study, out: ResultCollector, by: Mapping[str, str], infused: pd.DataFrame, marker: str
) -> None:
    """The parameter of one marker, as the pharmacodynamics stage derived it."""
    settings, adpdp = study.settings.levels, study.sources.adpdp
    rows = adpdp.loc[(adpdp["PARCAT1"] == marker) & (adpdp["PARAMCD"] == settings.marker_parameter)]
    own = infused[KEY].merge(rows[[*KEY, "AVAL", "AVALU"]].drop_duplicates(KEY), on=KEY, how="left")
    block = describe_exposure(own["AVAL"], settings)
    units = set(own["AVALU"].dropna()) - {""}
    reason = "NOPDPAR" if rows.empty else "NOGROUP" if infused.empty else "NOVALUE"
    if reason == "NOVALUE" and block["n"]:
        reason = "BLQHALF" if 2 * block["n_notabove"] > block["n"] else "FEWVAL"
    statistics: dict[str, float | str] = {
        **block,
        "n_infused": float(len(infused)),
        "n_novalue": float(own["AVAL"].isna().sum()),
        **list_few(own["AVAL"]),
    }
    out.add(
        "overview_marker",
        statistics,
        dataset="ADPDP",
        variable=marker,
        by=by,
        where=f"PARAMCD = {settings.marker_parameter}",
        unit=str(units.pop()) if len(units) == 1 else "",
        units={"gcv": "%", **dict.fromkeys(("n", "n_infused", "n_novalue", "n_notabove"), "")},
        n=block["n"],
        notes=explain_missing(block, reason),
    )

"""Analysis results of time to event: events, censoring, Kaplan-Meier, competing events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.time_to_event import TimeToEventSettings
from celldossier.stats.survival import (
    Estimate,
    SurvivalCurve,
    count_at_risk,
    estimate_at,
    estimate_follow_up,
    estimate_incidence,
    estimate_quantile,
    estimate_survival,
)
from celldossier.study_data.response_summary import group_by_indication
from celldossier.study_data.summary_blocks import NOT_COLLECTED
from celldossier.terms.study_terms import DAYS_PER_MONTH

COUNTS = ("n_infused", "n", "n_events", "pct_events", "n_censored", "pct_censored")


def add_time_to_event(
    collector: ResultCollector,
    infused: pd.DataFrame,
    adtte: pd.DataFrame,
    endpoints: Sequence[str],
    settings: TimeToEventSettings,
) -> None:
    """Add each endpoint that applies to the study, in all and by indication.

    ======================== ================= ==============================================
    analysis                 by                statistics
    ======================== ================= ==============================================
    time_to_event            indication        n_infused, n, n_events, pct_events, n_censored,
                                               pct_censored
    time_to_event_events     indication, event n, pct
    time_to_event_censored   indication,       n, pct
                             reason
    time_to_event_competing  indication, event n, pct: of the censored, by the event that ended
                                               the observation
    time_to_event_missing    indication,       n: no value of the endpoint
                             reason
    time_to_event_median     indication        median, median_low, median_high, followup,
                                               followup_low, followup_high
    time_to_event_landmark   indication, time  survival, survival_low, survival_high, n_at_risk;
                                               incidence, incidence_low, incidence_high where
                                               other events compete
    ======================== ================= ==============================================

    The variable is the endpoint. An endpoint without any record was not collected.

    Parameters
    ----------
    infused
        Infused subjects (ADSL).
    endpoints
        From `celldossier.study_data.endpoints.list_endpoints`.
    """
    terms = read_resource("terms", "efficacy_parameters.yaml")["endpoints"]
    for endpoint in endpoints:
        records = adtte[adtte["PARAMCD"] == endpoint]
        for by, subjects in group_by_indication(infused):
            if records.empty:
                _add_absence(collector, endpoint, by)
                continue
            own = records[records["USUBJID"].isin(subjects["USUBJID"])]
            _add_counts(collector, endpoint, by, own, len(subjects))
            _add_codes(collector, endpoint, by, own, records)
            _add_estimates(collector, endpoint, by, own, terms[endpoint], settings)


def _add_absence(collector: ResultCollector, endpoint: str, by: Mapping[str, str]) -> None:
    collector.add(
        "time_to_event",
        dict.fromkeys(COUNTS, math.nan),
        dataset="ADTTE",
        variable=endpoint,
        by=by,
        notes=dict.fromkeys(COUNTS, NOT_COLLECTED),
        n=0,
    )


def _add_counts(
    collector: ResultCollector,
    endpoint: str,
    by: Mapping[str, str],
    own: pd.DataFrame,
    infused: int,
) -> None:
    known = own[own["REASND"] == ""]
    event = known["CNSR"] == 0
    size = len(known)
    counts = {
        "n_infused": infused,
        "n": size,
        "n_events": event.sum(),
        "n_censored": (~event).sum(),
    }
    shares = {
        f"pct_{name}": 100 * counts[f"n_{name}"] / size if size else math.nan
        for name in ("events", "censored")
    }
    collector.add(
        "time_to_event",
        {**{name: float(count) for name, count in counts.items()}, **shares},
        dataset="ADTTE",
        variable=endpoint,
        by=by,
        where=f"PARAMCD = {endpoint}",
        units=dict.fromkeys(shares, "%"),
        n=float(size),
        notes={} if size else dict.fromkeys(shares, "NOGROUP"),
    )


def _list_codes(records: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Codes of each record, by analysis and key of the group; blank where it has none."""
    event, censored = records["CNSR"] == 0, records["CNSR"] > 0
    return {
        ("events", "event"): records["EVENTCD"].where(event, ""),
        ("censored", "reason"): records["CNSRSN"].where(censored, ""),
        ("competing", "event"): records["EVENTCD"].where(_competes(records), ""),
        ("missing", "reason"): records["REASND"],
    }


def _add_codes(
    collector: ResultCollector,
    endpoint: str,
    by: Mapping[str, str],
    own: pd.DataFrame,
    records: pd.DataFrame,
) -> None:
    """Events, reasons for censoring and the like; a code that only others have counts 0."""
    size = int((own["REASND"] == "").sum())
    mine = _list_codes(own)
    for (analysis, key), codes in _list_codes(records).items():
        for code in sorted(set(codes) - {""}):
            n = float((mine[analysis, key] == code).sum())
            statistics = {"n": n}
            if analysis != "missing":
                statistics["pct"] = 100 * n / size if size else math.nan
            collector.add(
                f"time_to_event_{analysis}",
                statistics,
                dataset="ADTTE",
                variable=endpoint,
                by={**by, key: str(code)},
                where=f"PARAMCD = {endpoint}",
                units={"pct": "%"},
                n=n,
                notes={} if size else {"pct": "NOGROUP"},
            )


def _competes(known: pd.DataFrame) -> pd.Series:
    """Censored because another event ended the observation."""
    return (known["CNSR"] > 0) & (known["EVENTCD"] != "")


def _add_estimates(
    collector: ResultCollector,
    endpoint: str,
    by: Mapping[str, str],
    own: pd.DataFrame,
    term: Mapping[str, object],
    settings: TimeToEventSettings,
) -> None:
    known = own[own["REASND"] == ""]
    unit = str(term["unit"])
    scale = DAYS_PER_MONTH if unit == "months" else 1.0
    time = known["AVAL"].to_numpy(dtype=float) / scale
    event = (known["CNSR"] == 0).to_numpy(dtype=bool)
    curve = estimate_survival(time, event)
    median, follow_up = estimate_quantile(curve), estimate_follow_up(time, event)
    statistics = {**_spread("median", median), **_spread("followup", follow_up)}
    reason = "NOTREACH" if len(known) else "NOGROUP"
    collector.add(
        "time_to_event_median",
        statistics,
        dataset="ADTTE",
        variable=endpoint,
        by=by,
        where=f"PARAMCD = {endpoint}",
        unit=unit,
        n=float(len(known)),
        method="Kaplan-Meier; Brookmeyer-Crowley, log-log",
        notes=explain_missing(statistics, reason),
    )
    # The day of the event that ended the observation, not that of the last look before it.
    competes = _competes(known).to_numpy(dtype=bool)
    ended = np.fmax(known["EVENTDY"].to_numpy(dtype=float) / scale, time)
    until, cause = np.where(competes, ended, time), np.where(event, 1, np.where(competes, 2, 0))
    for at in settings.landmark_months if unit == "months" else settings.landmark_days:
        statistics = _landmark(curve, at)
        notes = _landmark_notes(statistics, "survival")
        if term.get("competing"):
            incidence = _percent("incidence", estimate_incidence(until, cause, at))
            notes |= _landmark_notes(incidence, "incidence")
            statistics |= incidence
        collector.add(
            "time_to_event_landmark",
            statistics,
            dataset="ADTTE",
            variable=endpoint,
            by={**by, "time": f"{at:g}"},
            where=f"PARAMCD = {endpoint}",
            unit="%",
            units={"n_at_risk": ""},
            n=float(len(known)),
            method="Kaplan-Meier, log-log; Aalen-Johansen, log-log",
            notes=notes,
        )


def _spread(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _percent(name: str, estimate: Estimate) -> dict[str, float]:
    return {stat: 100 * value for stat, value in _spread(name, estimate).items()}


def _landmark(curve: SurvivalCurve, at: float) -> dict[str, float]:
    shares = _percent("survival", estimate_at(curve, at))
    return {**shares, "n_at_risk": float(count_at_risk(curve, at))}


def _landmark_notes(statistics: Mapping[str, float], name: str) -> dict[str, str]:
    """Why an estimate or its limits are missing: nobody observed so long, or no event yet."""
    value = statistics[name]
    if math.isnan(value):
        reason = "BEYONDFU"
    else:
        nothing = 100.0 if name == "survival" else 0.0
        reason = "NOEVENT" if value == nothing else "ALLEVENT"
    return explain_missing(statistics, reason)

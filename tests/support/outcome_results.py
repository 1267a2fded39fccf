"""Analysis results of response and of time to event in the shape of the stage, made up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from celldossier.results import ResultCollector


def add_responses(out: ResultCollector, indication: str, vocabulary: str, **shares: int) -> None:
    """Two dose levels and their total; each category of `shares` has so many subjects in each."""
    for dose in ({"dose": "DL1"}, {"dose": "DL2"}, {}):
        place = {"indication": indication, **dose}
        for by in (place, dose):
            if by == dose and indication != "ALL":
                continue
            out.add(
                "response_subjects", {"n": 6, "n_evaluable": 5}, dataset="ADRS",
                variable="BOR", by=by, n=6,
            )  # fmt: skip
            rates = {"n": 3, "denominator": 6, "pct": 50.0, "ci_low": 11.8, "ci_high": 88.2}
            for denominator in ("INFUSED", "EVALUABLE"):
                out.add(
                    "response_rate", rates, dataset="ADRS", variable="ORR",
                    by={**by, "denominator": denominator}, n=6,
                )  # fmt: skip
        for category, n in shares.items():
            out.add(
                "best_response", {"n": n, "pct": 100 * n / 6}, dataset="ADRS",
                variable=vocabulary, by={**place, "category": category}, n=n,
            )  # fmt: skip
        out.add(
            "best_response_unknown", {"n": 1, "pct": 100 / 6}, dataset="ADRS",
            variable="BOR", by={**place, "reason": "NOASSESS"}, n=1,
        )  # fmt: skip


def add_times(out: ResultCollector, endpoint: str, by: Mapping[str, str], **more: float) -> None:
    counts = {"n_infused": 9, "n": 8, "n_events": 5, "pct_events": 62.5, "n_censored": 3}
    place: dict[str, Any] = {"dataset": "ADTTE", "variable": endpoint}
    out.add("time_to_event", {**counts, "pct_censored": 37.5}, by=by, n=8, **place)
    share = {"n": 3, "pct": 37.5}
    for reason in ("CNSDEATH", "ONGOING"):
        out.add("time_to_event_censored", share, by={**by, "reason": reason}, **place)
    for event in ("DEATH", "PROGRESSION"):
        out.add("time_to_event_events", share, by={**by, "event": event}, **place)
    out.add("time_to_event_competing", share, by={**by, "event": "HSCT"}, **place)
    out.add("time_to_event_missing", {"n": 1}, by={**by, "reason": "NORESPONSE"}, **place)
    spread = {"median": 5.25, "median_low": 2.0, "median_high": math.nan}
    follow_up = {"followup": 11.9, "followup_low": 10.0, "followup_high": 13.0}
    notes = {"median_high": "NOTREACH"}
    out.add(
        "time_to_event_median", {**spread, **follow_up}, by=by, unit="months", notes=notes, **place
    )
    for time in ("12", "3"):
        estimates = {"survival": 60.94, "survival_low": 51.3, "survival_high": 69.1, **more}
        statistics = {**estimates, "n_at_risk": 4}
        out.add("time_to_event_landmark", statistics, by={**by, "time": time}, **place)

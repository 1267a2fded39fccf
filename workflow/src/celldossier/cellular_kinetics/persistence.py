"""Analysis results and curves of the duration of quantifiability (R20, S8.5-1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from celldossier.cellular_kinetics.curves import series_name
from celldossier.cellular_kinetics.duration import Duration, estimate_duration
from celldossier.cellular_kinetics.groups import Group, list_groups
from celldossier.cellular_kinetics.landmarks import EVALUABLE, SAMPLED, STATES, classify_landmark
from celldossier.cellular_kinetics.quantifiability import ENDPOINT, PARAMETERS
from celldossier.cellular_kinetics.summaries import POPULATION, STAGE
from celldossier.datasets import conform
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.persistence import PersistenceSettings
from celldossier.stats.proportion import clopper_pearson

GROUPINGS = ((), ("dose",), ("indication",), ("response",))


def summarise_persistence(
    adpers: pd.DataFrame,
    facts: pd.DataFrame,
    samples: pd.DataFrame,
    levels: pd.DataFrame,
    settings: PersistenceSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Analysis results (dataset ARD) and curves (dataset CURVES), by the analyte of ADPERS.

    ======================== ============== ==================================================
    analysis                 by             statistics
    ======================== ============== ==================================================
    persistence              group          n_set, n_never, n_nosample, n, n_loss, pct_loss,
                                            n_censored, n_either
    persistence_ended        group, event   n, pct: the event that competes
    persistence_censored     group, reason  n, pct: censored without one
    persistence_median       group          km, left (Kaplan-Meier, the loss at the right and at
                                            the left end of its interval), with _low and _high;
                                            turnbull_left, turnbull_right; both_low, both_high
    persistence_survival     group,         km, left with _low, _high; turnbull_low,
                             landmark       turnbull_high; both_low, both_high; early, late
                                            (incidence) with _low, _high; n_at_risk
    persistence_landmark     group,         n_evaluable, n_quantifiable, pct, pct_low, pct_high;
                             landmark       n_sampled, pct_sampled; n_<state>
    ======================== ============== ==================================================

    The variable is the handling of relapse, a parameter of ADPERS; landmarks are of the
    first. `both_low` and `both_high` enclose the limits of Kaplan-Meier with the loss at
    either end of its interval.
    """
    collector = ResultCollector(STAGE)
    points: list[dict[str, object]] = []
    if adpers.empty:
        return collector.frame(), conform(pd.DataFrame(), "CURVES")
    analyte = str(adpers["PARCAT1"].iloc[0])
    own = samples[(samples["PARAMCD"] == analyte) & (samples["AFRLT"] > 0)]
    own = own[own["AVAL"].notna() | (own["BLQFL"] == "Y")]
    at_risk = facts[facts["REASND"] == ""]
    states = {at.label: classify_landmark(at_risk, own, at) for at in settings.landmarks}
    for group in list_groups(levels, *GROUPINGS):
        for parameter in PARAMETERS:
            rows = adpers[adpers["PARAMCD"] == parameter]
            mine = rows[rows["USUBJID"].isin(group.subjects)]
            place = Place(collector, parameter, analyte, group)
            place.add_counts(mine, rows)
            duration = estimate_duration(mine, settings)
            place.add_estimates(duration, settings)
            if parameter == ENDPOINT:
                points += _curve_points(duration, analyte, group)
        own_states = {
            label: state[state.index.isin(group.subjects)] for label, state in states.items()
        }
        Place(collector, ENDPOINT, analyte, group).add_landmarks(
            own_states, settings.confidence_level
        )
    return collector.frame(), conform(pd.DataFrame(points), "CURVES")


class Place:
    """Where the results of one handling of relapse in one group are collected."""

    def __init__(
        self, collector: ResultCollector, parameter: str, analyte: str, group: Group
    ) -> None:
        self._collector = collector
        self._parameter, self._analyte, self._by = parameter, analyte, group.by

    def _add(
        self,
        analysis: str,
        statistics: Mapping[str, float],
        n: float,
        *,
        dataset: str = "ADPERS",
        by: Mapping[str, str] | None = None,
        unit: str = "",
        units: Mapping[str, str] | None = None,
        method: str = "count",
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self._collector.add(
            analysis,
            dict(statistics),
            dataset=dataset,
            variable=self._parameter,
            analyte=self._analyte,
            by={**self._by, **(by or {})},
            where=f"{POPULATION}; PARAMCD = {self._parameter}",
            unit=unit,
            units=units,
            n=n,
            method=method,
            notes=notes,
        )

    def add_counts(self, mine: pd.DataFrame, everybody: pd.DataFrame) -> None:
        """Subjects, losses and what ended the observation; a code of others only counts 0."""
        known = mine[mine["REASND"] == ""]
        n = len(known)
        lost = known["CNSR"] == 0
        counts: dict[str, float] = {
            "n_set": len(mine),
            "n_never": int((mine["REASND"] == "BLQALL").sum()),
            "n_nosample": int((mine["REASND"] == "NOSAMPLE").sum()),
            "n": n,
            "n_loss": int(lost.sum()),
            "pct_loss": 100 * float(lost.mean()) if n else math.nan,
            "n_censored": n - int(lost.sum()),
            "n_either": int((~lost & known["AVALHI"].notna()).sum()),
        }
        self._add(
            "persistence",
            counts,
            float(n),
            units={"pct_loss": "%"},
            notes={} if n else {"pct_loss": "NOGROUP"},
        )
        for analysis, key, variable in (
            ("persistence_ended", "event", "EVENTCD"),
            ("persistence_censored", "reason", "CNSRSN"),
        ):
            for code in sorted(set(everybody[variable]) - {"", "LOSS"}):
                count = int((known[variable] == code).sum())
                self._add(
                    analysis,
                    {"n": count, "pct": 100 * count / n if n else math.nan},
                    float(n),
                    by={key: code},
                    units={"pct": "%"},
                    notes={} if n else {"pct": "NOGROUP"},
                )

    def add_estimates(self, duration: Duration, settings: PersistenceSettings) -> None:
        """Medians and, at each landmark, survival and incidence."""
        reason = "NOGROUP" if duration.n == 0 else "FEWSUBJ" if not duration.enough else ""
        medians = duration.medians()
        self._add(
            "persistence_median",
            medians,
            float(duration.n),
            unit="months",
            method="Kaplan-Meier (Brookmeyer-Crowley, log-log) at either end; Turnbull",
            notes=explain_missing(medians, reason or "NOTREACH"),
        )
        for landmark in settings.landmarks:
            statistics = duration.at(landmark.day)
            notes = _explain(statistics, reason)
            self._add(
                "persistence_survival",
                statistics,
                float(duration.n),
                by={"landmark": landmark.label},
                unit="%",
                units={"n_at_risk": ""},
                method="Kaplan-Meier and Aalen-Johansen (log-log) at either end; Turnbull",
                notes=notes,
            )

    def add_landmarks(self, states: Mapping[str, pd.Series], level: float) -> None:
        """Share of quantifiable subjects at each landmark, and who is not known and why."""
        for label, state in states.items():
            counts = {f"n_{name.lower()}": float((state == name).sum()) for name in STATES}
            evaluable = int(state.isin(EVALUABLE).sum())
            sampled = int(state.isin(SAMPLED).sum())
            found = int(counts["n_quantifiable"])
            # Nobody was sampled: the losses seen before would stand alone, a share of 0.
            asked = evaluable if sampled else 0
            low, high = clopper_pearson(found, asked, level)
            shares = {
                "pct": 100 * found / asked if asked else math.nan,
                "pct_low": 100 * low,
                "pct_high": 100 * high,
                "pct_sampled": 100 * found / sampled if sampled else math.nan,
            }
            self._add(
                "persistence_landmark",
                {**counts, "n_evaluable": evaluable, "n_sampled": sampled, **shares},
                float(len(state)),
                dataset="ADPERS, ADPC",
                by={"landmark": label},
                units=dict.fromkeys(shares, "%"),
                method="count; Clopper-Pearson",
                notes=explain_missing(shares, "NOLANDM"),
            )


_EXPLAINED_BY = {
    "both_low": "left",
    "both_high": "km",
    "turnbull_low": "km",
    "turnbull_high": "km",
}
"""Estimate whose value tells why a statistic is missing."""


def _explain(statistics: Mapping[str, float], reason: str) -> dict[str, str]:
    """Why an estimate is missing: the group, the follow-up, or a probability of 0 or 1."""
    notes = {}
    for stat, value in statistics.items():
        if not math.isnan(value):
            continue
        stem = stat.removesuffix("_low").removesuffix("_high")
        whole = statistics[_EXPLAINED_BY.get(stat, stem)]
        nothing = 0.0 if stem in ("early", "late") else 100.0
        missing = "BEYONDFU" if math.isnan(whole) else "NOEVENT" if whole == nothing else "ALLEVENT"
        notes[stat] = reason or missing
    return notes


def _curve_points(duration: Duration, analyte: str, group: Group) -> Iterator[dict[str, object]]:
    """Points of the curves in days and percent; each holds to the right of its abscissa."""
    for name, rows in duration.curves().items():
        for x, y, low, high, n in rows:
            yield {
                "curve_id": f"{STAGE}.persistence_{name}/{analyte}",
                "series": series_name(group),
                "x": x,
                "y": y,
                "low": low,
                "high": high,
                "n": n,
                "x_unit": "d",
                "y_unit": "%",
                "kind": "fit",
            }

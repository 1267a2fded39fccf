"""Analysis results of events of special interest: counts, grades, onset, duration, treatment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.descriptive import describe
from celldossier.study_data.special_interest import TREATMENTS
from celldossier.study_data.summary_blocks import NOT_COLLECTED, count_share

DOMAINS = ("AE", "FA")
"""Domains in which events are recorded; without them nobody knows of any."""
ALWAYS = ("CRS", "ICANS")
"""Events that are counted also where nobody has them."""
GRADES = ("1", "2", "3", "4", "5", "UNKNOWN")
TIMES = ("n", "median", "min", "max")


def add_special_interest(
    collector: ResultCollector,
    groups: Iterable[tuple[Mapping[str, str], pd.DataFrame]],
    adaesi: pd.DataFrame,
    collected: bool,
) -> None:
    """Add the events of special interest of the infused subjects.

    Onset is that of the first episode of a subject, duration and grade are those of
    the worst; only durations of episodes that were seen to end are summarised.

    Parameters
    ----------
    groups
        Infused subjects (ADSL), in total and by dose level, with the level.
    collected
        Whether adverse events or components were collected.
    """
    events = [*ALWAYS, *sorted(set(adaesi["AESI"]) - set(ALWAYS))]
    for by, infused in groups:
        mine = adaesi[adaesi["USUBJID"].isin(infused["USUBJID"])]
        for event in events:
            own = mine[mine["AESI"] == event]
            _add_counts(collector, event, by, own, len(infused), collected)
            if collected and len(own):
                _add_grades(collector, event, by, own, len(infused))
                _add_times(collector, event, by, own)
                _add_treatments(collector, event, by, own)


def _add_counts(
    collector: ResultCollector,
    event: str,
    by: Mapping[str, str],
    own: pd.DataFrame,
    infused: int,
    collected: bool,
) -> None:
    n = float(own["USUBJID"].nunique())
    statistics = {
        **count_share(n, infused),
        "n_infused": float(infused),
        "n_episodes": float(len(own)),
    }
    if not collected:
        statistics = dict.fromkeys(statistics, math.nan)
    reason = "NOGROUP" if collected else NOT_COLLECTED
    collector.add(
        "special_interest",
        statistics,
        dataset="ADAESI",
        variable=event,
        by=by,
        where=f"AESI = {event}",
        units={"pct": "%"},
        n=n if collected else 0,
        notes=explain_missing(statistics, reason),
    )


def _add_grades(
    collector: ResultCollector,
    event: str,
    by: Mapping[str, str],
    own: pd.DataFrame,
    infused: int,
) -> None:
    worst = own[own["WORSTFL"] == "Y"]["ATOXGRN"]
    level = worst.map(lambda grade: "UNKNOWN" if math.isnan(grade) else f"{grade:g}")
    for grade in GRADES:
        n = float((level == grade).sum())
        collector.add(
            "special_interest_grade",
            count_share(n, infused),
            dataset="ADAESI",
            variable=event,
            by={**by, "grade": grade},
            where=f"AESI = {event}, WORSTFL = Y",
            units={"pct": "%"},
            n=n,
        )


def _add_times(
    collector: ResultCollector, event: str, by: Mapping[str, str], own: pd.DataFrame
) -> None:
    first = own.sort_values("ASTDY", kind="stable").drop_duplicates("USUBJID")["ASTDY"]
    worst = own[own["WORSTFL"] == "Y"]
    ended = worst.loc[worst["ONGOFL"] == "N", "ADURN"]
    for analysis, values in (("onset", first), ("duration", ended)):
        block = describe(values.to_numpy())
        statistics: dict[str, float | str] = {name: block[name] for name in TIMES}
        if analysis == "duration":
            statistics["n_ongoing"] = float((worst["ONGOFL"] == "Y").sum())
        collector.add(
            f"special_interest_{analysis}",
            statistics,
            dataset="ADAESI",
            variable=event,
            by=by,
            where=f"AESI = {event}",
            unit="d",
            units={"n": "", "n_ongoing": ""},
            n=block["n"],
            notes={name: "NOVALUE" for name in TIMES if math.isnan(block[name])},
        )


def _add_treatments(
    collector: ResultCollector, event: str, by: Mapping[str, str], own: pd.DataFrame
) -> None:
    with_event = own["USUBJID"].nunique()
    for variable, treatment in TREATMENTS.items():
        n = float(own.loc[own[variable].notna(), "USUBJID"].nunique())
        collector.add(
            "special_interest_treatment",
            count_share(n, with_event),
            dataset="ADAESI",
            variable=event,
            by={**by, "treatment": treatment},
            where=f"AESI = {event}, {variable} given",
            units={"pct": "%"},
            n=n,
        )

"""Adverse events of the route of administration, and the kinetics by route (table 65c).

Analyses, for tables and templates:

============== ============ ============ ===================================================
analysis       variable     by           statistics
============== ============ ============ ===================================================
route          ROUTE        none         n_routes, n_subjects
route          ROUTE        route        n_subjects, kind (systemic, local, unknown)
route_event    event        route        n, n_subjects, pct, n_early (begin soon after an
                                         infusion), n_severe (grade 3 or higher)
route_kinetics parameter    route        n, geomean, gcv, median, min, max; only where there
                                         are several routes
============== ============ ============ ===================================================

A subject with infusions by several routes is one of MIXED. Treatment-emergent events count;
the events of a route are those of its kind, and both kinds where the route is not known.
"""

from __future__ import annotations

import math

import pandas as pd

from celldossier.dose_exploration.outcomes import derive_exposure, exposure_unit
from celldossier.dose_exploration.study import KEY, Study
from celldossier.errors import ConfigError
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.route_events import RouteEventSettings
from celldossier.stats.descriptive import describe
from celldossier.terms.route_events import classify_route, route_events
from celldossier.terms.study_terms import CELL_PRODUCT

MIXED, MISSING, UNKNOWN = "MIXED", "MISSING", "unknown"
SEVERE = 3


def summarise_route_events(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Count the events of each route, zero included; kinetics by route; no curves."""
    rules = study.settings.route_events
    unknown = sorted(set(rules.terms) - set(route_events()))
    if unknown:
        raise ConfigError(
            f"dose_exploration.route_events.terms names {', '.join(unknown)}; known are "
            f"{', '.join(route_events())}."
        )
    subjects = derive_routes(study)
    routes = sorted(set(subjects["ROUTE"]))
    out.add(
        "route",
        {"n_routes": float(len(routes)), "n_subjects": float(len(subjects))},
        dataset="ADEX",
        variable="ROUTE",
        n=float(len(subjects)),
    )
    events = select_route_events(study, rules)
    for route in routes:
        members = subjects.loc[subjects["ROUTE"] == route]
        kind = classify_route(route) or UNKNOWN
        out.add(
            "route",
            {"n_subjects": float(len(members)), "kind": kind},
            dataset="ADEX",
            variable="ROUTE",
            by={"route": route},
            n=float(len(members)),
        )
        for code, event in route_events().items():
            if event.belongs(route, kind):
                _add_event(study, out, code, route, members, events)
    if len(routes) > 1:
        _add_kinetics(study, out, subjects, routes)
    return []


def derive_routes(study: Study) -> pd.DataFrame:
    """Route of each infused subject: STUDYID, USUBJID, ROUTE."""
    adsl, adex = study.sources.adsl, study.sources.adex
    given = adex.loc[adex["EXCAT"] == CELL_PRODUCT]
    routes = given.groupby(KEY)["ROUTE"].agg(lambda names: sorted(set(names) - {""}))
    subjects = adsl.loc[adsl["SAFFL"] == "Y", KEY].reset_index(drop=True)
    found = routes.reindex(pd.MultiIndex.from_frame(subjects))
    subjects["ROUTE"] = [
        MISSING if not isinstance(names, list) or not names
        else names[0] if len(names) == 1 else MIXED
        for names in found
    ]  # fmt: skip
    return subjects


def select_route_events(study: Study, rules: RouteEventSettings) -> pd.DataFrame:
    """Treatment-emergent events that are of a group: KEY, EVENT, SEVERE, EARLY (bool)."""
    adae, adex = study.sources.adae, study.sources.adex
    groups = pd.DataFrame(
        [
            (term.casefold(), code)
            for code, event in route_events().items()
            for term in rules.terms.get(code, event.terms)
        ],
        columns=["TERM", "EVENT"],
    ).drop_duplicates()
    rows = adae.loc[(adae["TRTEMFL"] == "Y") & (adae["SRCDOM"] == "AE")]
    rows = rows.assign(TERM=rows["AEDECOD"].str.casefold(), ROW=range(len(rows)))
    rows = rows.merge(groups, on="TERM", how="inner")
    infusions = adex.loc[adex["EXCAT"] == CELL_PRODUCT, [*KEY, "AFRLT"]]
    after = rows[[*KEY, "ROW", "ASTDY"]].merge(infusions, on=KEY, how="left")
    delay = after["ASTDY"] - after["AFRLT"]
    # A date without a time of day is known to the day.
    early = set(after.loc[(delay > -1) & (delay <= rules.window), "ROW"])
    return rows[[*KEY, "EVENT"]].assign(
        SEVERE=(rows["ATOXGRN"] >= SEVERE).to_numpy(dtype=bool), EARLY=rows["ROW"].isin(early)
    )


def _add_event(
    study: Study,
    out: ResultCollector,
    code: str,
    route: str,
    members: pd.DataFrame,
    events: pd.DataFrame,
) -> None:
    collected = set(study.sources.adae.loc[study.sources.adae["SRCDOM"] == "AE", "STUDYID"])
    looked_at = members.loc[members["STUDYID"].isin(collected), KEY]
    mine = looked_at.merge(events.loc[events["EVENT"] == code], on=KEY, how="inner")
    total = float(len(looked_at))

    def count(rows: pd.DataFrame) -> float:
        return float(len(rows.drop_duplicates(KEY))) if total else math.nan

    statistics = {
        "n": count(mine),
        "n_subjects": total,
        "pct": 100 * count(mine) / total if total else math.nan,
        "n_early": count(mine[mine["EARLY"].to_numpy(dtype=bool)]),
        "n_severe": count(mine[mine["SEVERE"].to_numpy(dtype=bool)]),
    }
    out.add(
        "route_event",
        statistics,
        dataset="ADAE",
        variable=code,
        by={"route": route},
        where="TRTEMFL = Y",
        units={"pct": "%"},
        n=total,
        notes=explain_missing(statistics, "NOTCOLL"),
    )


def _add_kinetics(
    study: Study, out: ResultCollector, subjects: pd.DataFrame, routes: list[str]
) -> None:
    sources, analyte = study.sources, study.settings.analyte
    for parameter in study.settings.route_events.parameters:
        values = derive_exposure(sources, subjects, analyte, parameter)
        for route in routes:
            block = describe(values[subjects["ROUTE"] == route])
            names = ("n", "geomean", "gcv", "median", "min", "max")
            statistics = {name: block[name] for name in names}
            out.add(
                "route_kinetics",
                statistics,
                dataset="ADPP",
                variable=parameter,
                analyte=analyte,
                by={"route": route},
                unit=exposure_unit(sources, analyte, parameter),
                units={"n": "", "gcv": "%"},
                n=block["n"],
                notes=explain_missing(statistics, "FEWVAL" if block["n"] else "NOVALUE"),
            )

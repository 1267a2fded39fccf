"""Adverse events of the route of administration, and the kinetics by route."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from exploration_study import make_rows, make_study, make_subjects, read, run_part

from celldossier.dose_exploration.route_events import summarise_route_events
from celldossier.errors import ConfigError
from celldossier.results import AnalysisResults
from celldossier.terms.route_events import classify_route, route_events

EVENTS = [
    ("A001", "Pulmonary embolism", 4, 2.0),
    ("A001", "Pulmonary embolism", 2, 90.0),
    ("A002", "INFUSION RELATED REACTION", 1, 0.0),
    ("A003", "Deep vein thrombosis", 3, 40.0),
    ("A004", "Injection site pain", 1, 1.0),
    ("A004", "Arthralgia", 1, 1.0),
    ("A004", "Nausea", 1, 1.0),
]


def run(routes: list[str], rules: dict[str, Any] | None = None, **data: Any) -> AnalysisResults:
    adsl, adex = make_subjects(["DL1"] * len(routes))
    adex["ROUTE"] = routes
    adae = make_rows(
        "ADAE",
        [
            {
                "USUBJID": name, "AEDECOD": term, "ATOXGRN": float(grade), "ASTDY": day,
                "SRCDOM": "AE",
            }
            for name, term, grade, day in EVENTS
        ],
    )  # fmt: skip
    given = {"adsl": adsl, "adex": adex, "adae": adae, **data}
    return run_part(summarise_route_events, make_study({"route_events": rules or {}}, **given))


def events(values: AnalysisResults, route: str) -> dict[str, tuple[float, ...]]:
    return {
        code: tuple(
            read(values, "route_event", code, stat, route=route)
            for stat in ("n", "n_subjects", "n_early", "n_severe")
        )
        for code in route_events()
        if read(values, "route_event", code, "n", route=route) is not None
    }


def test_a_systemic_route_has_its_events_zero_included() -> None:
    found = events(run(["INTRAVENOUS"] * 4), "INTRAVENOUS")
    assert found == {
        "EMBOLISM": (1, 4, 1, 1),  # two records of one subject, one of them soon after
        "THROMBOSIS": (1, 4, 0, 1),
        "INFUSION": (1, 4, 1, 0),
        "INFUSIONSITE": (0, 4, 0, 0),
    }


def test_a_local_route_has_the_events_of_injury() -> None:
    found = events(run(["Intra-articular"] * 4), "Intra-articular")
    assert set(found) == {"INJECTIONSITE", "HAEMORRHAGE", "SITEINFECTION", "JOINT"}
    assert found["INJECTIONSITE"] == (1, 4, 1, 0) and found["HAEMORRHAGE"] == (0, 4, 0, 0)
    assert "JOINT" not in events(run(["INTRAPLEURAL"] * 4), "INTRAPLEURAL")


def test_an_unknown_route_is_looked_at_for_both_kinds() -> None:
    values = run(["BY DRONE"] * 4)
    assert read(values, "route", "ROUTE", "kind", route="BY DRONE") == "unknown"
    assert set(events(values, "BY DRONE")) == set(route_events()) - {"JOINT"}


def test_several_routes_have_their_kinetics_side_by_side() -> None:
    adpp = make_rows(
        "ADPP",
        [
            {"USUBJID": f"A00{k}", "PARCAT1": "PCR", "PARAMCD": "CMAX", "AVAL": value}
            for k, value in enumerate((10.0, 1000.0, 4.0, 4.0), start=1)
        ],
    )
    routes = ["INTRAVENOUS", "INTRAVENOUS", "INTRAPLEURAL", "INTRAPLEURAL"]
    values = run(routes, adpp=adpp)
    found = values.find(
        "dose_exploration.route_kinetics", "CMAX", "PCR", {"route": "INTRAVENOUS"}, "geomean"
    )
    assert found is not None and found.number == pytest.approx(100)
    assert read(values, "route", "ROUTE", "n_routes") == 2
    # Embolism is looked at in those of the systemic route alone.
    assert events(values, "INTRAVENOUS")["EMBOLISM"][:2] == (1, 2)
    single = run(["INTRAVENOUS"] * 4, adpp=adpp)
    assert single.select("dose_exploration.route_kinetics").empty


def test_terms_can_be_replaced_and_an_unknown_group_is_refused() -> None:
    own = {"terms": {"EMBOLISM": ["NAUSEA"]}, "window": 0}
    assert events(run(["INTRAVENOUS"] * 4, own), "INTRAVENOUS")["EMBOLISM"] == (1, 4, 0, 0)
    with pytest.raises(ConfigError, match="EMBOLISMS"):
        run(["INTRAVENOUS"] * 4, {"terms": {"EMBOLISMS": ["NAUSEA"]}})


def test_events_that_were_not_collected_are_not_zero() -> None:
    adae = make_rows("ADAE", [])
    values = run(["INTRAVENOUS"] * 4, adae=adae)
    found = values.find(
        "dose_exploration.route_event", "EMBOLISM", "", {"route": "INTRAVENOUS"}, "n"
    )
    assert found is not None and found.note_code == "NOTCOLL"


def test_a_subject_with_several_routes_stands_apart() -> None:
    adsl, adex = make_subjects(["DL1"] * 2)
    second = adex.iloc[[0]].assign(ROUTE="INTRAPLEURAL", DOSENO=2)
    both = pd.concat([adex, second], ignore_index=True)
    values = run_part(summarise_route_events, make_study(adsl=adsl, adex=both))
    assert values.levels("dose_exploration.route", "route") == ["INTRAVENOUS", "MIXED"]


def test_the_routes_of_the_terms_are_known_in_any_case() -> None:
    assert classify_route("intravenous") == "systemic"
    assert classify_route("Intra-Articular ") == "local"
    assert classify_route("MIXED") is None
    terms = [term.upper() for event in route_events().values() for term in event.terms]
    assert len(set(terms)) == len(terms)

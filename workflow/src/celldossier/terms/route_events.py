"""Adverse events of the route of administration (terms/route_events.yaml)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource

RouteKind = Literal["systemic", "local"]


class RouteEvent(BaseModel):
    """A group of adverse events: names, terms, and the kind of route that it belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: RouteKind
    en: str
    zh: str
    terms: tuple[str, ...]
    routes: tuple[str, ...] = ()
    """The only routes that it belongs to; blank: all of its kind."""

    def belongs(self, route: str, kind: str) -> bool:
        """Whether it is looked at after a route of that kind; any kind but ours is not known."""
        if self.routes and route.casefold() not in {name.casefold() for name in self.routes}:
            return False
        return kind == self.kind or kind not in get_args(RouteKind)


@lru_cache(maxsize=1)
def route_events() -> dict[str, RouteEvent]:
    """Groups of events by code, in the order of the table."""
    declared = read_resource("terms", "route_events.yaml")["events"]
    return {code: RouteEvent.model_validate(rest) for code, rest in declared.items()}


def classify_route(route: str) -> RouteKind | None:
    """Kind of a route (EX.EXROUTE); None for one that the terms do not know."""
    kinds: dict[RouteKind, list[str]] = read_resource("terms", "route_events.yaml")["routes"]
    for kind, routes in kinds.items():
        if route.strip().casefold() in {name.casefold() for name in routes}:
            return kind
    return None

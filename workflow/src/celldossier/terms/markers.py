"""The markers that the program knows: ``resources/terms/markers.yaml``, typed."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from celldossier.io.resources import read_resource
from celldossier.settings.marker_parameters import Direction, Handling, Kind, MarkerClass


class Marker(BaseModel):
    """One marker: names, class and the defaults of its analysis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    zh: str
    marker_class: MarkerClass | None = Field(None, alias="class")
    kind: Kind = "continuous"
    direction: Direction = "both"
    recovery: Literal["baseline", "normal"] = "baseline"
    window: float | None = None
    after: tuple[str, ...] = ()
    flagged: Handling = "keep"
    platelets: bool = False
    mcid: float | None = None
    source: str = ""


UNKNOWN = Marker(en="", zh="")
"""What holds for a marker that the registry does not know."""


@lru_cache(maxsize=1)
def read_markers() -> dict[str, Marker]:
    """The registry by analyte code, in its order; do not change it."""
    rows = read_resource("terms", "markers.yaml")
    return {code: Marker.model_validate(row) for code, row in rows.items()}


def find_marker(code: str) -> Marker:
    """The entry of a marker, or what holds for one that is not known."""
    return read_markers().get(code, UNKNOWN)

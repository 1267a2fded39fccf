"""Registry of the parameters of markers: ``resources/terms/pd_parameters.yaml``, typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource
from celldossier.settings.marker_parameters import Direction, Kind

_AREA = re.compile(r"^(?P<kind>PDAUC|PDAO|PDAU)(?P<end>[0-9]+(?:P[0-9]+)?)$")
FORMULAS = ("formula", "formula_zh")


class PdParameter(BaseModel):
    """One parameter: names, unit rule, the markers that have it, formula and summary."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    zh: str
    symbol: str
    unit: Literal["value", "time", "value*time", "percent", "count", "none"]
    kinds: tuple[Kind, ...]
    directions: tuple[Direction, ...]
    summary: Literal["geometric", "median", "share"]
    formula: str
    formula_zh: str
    source: str


@lru_cache(maxsize=1)
def read_pd_parameters() -> dict[str, PdParameter]:
    """The registry by code, in its order; do not change it."""
    rows = read_resource("terms", "pd_parameters.yaml")
    return {code: PdParameter.model_validate(row) for code, row in rows.items()}


def area_code(kind: str, end: float) -> str:
    """Code of an area: PDAUC, PDAO or PDAU with the day, P for a decimal point.

    >>> area_code("PDAO", 28), area_code("PDAU", 3.5)
    ('PDAO28', 'PDAU3P5')
    """
    return kind + f"{end:g}".replace(".", "P")


def find_pd_parameter(code: str) -> PdParameter:
    """The entry of a parameter code, with the day of an area filled in.

    Raises
    ------
    KeyError
        If the registry does not know the code.
    """
    match = _AREA.match(code)
    if match is None:
        return read_pd_parameters()[code]
    entry = read_pd_parameters()[f"{match['kind']}#"]
    end = match["end"].replace("P", ".")
    filled = {name: getattr(entry, name).format(end=end) for name in ("en", "zh", "symbol")}
    # A formula names other areas of the same day by their code.
    filled |= {name: getattr(entry, name).replace("#", match["end"]) for name in FORMULAS}
    return entry.model_copy(update=filled)


def order_pd_parameters(codes: Iterable[str]) -> list[str]:
    """Codes in the order of the registry; areas by their end."""
    position = {code: place for place, code in enumerate(read_pd_parameters())}

    def place(code: str) -> tuple[int, float]:
        match = _AREA.match(code)
        if match is None:
            return position[code], 0.0
        return position[f"{match['kind']}#"], float(match["end"].replace("P", "."))

    return sorted(codes, key=place)


def pd_parameter_unit(code: str, value_unit: str) -> str:
    """Unit of a parameter by its unit rule; time in days.

    >>> pd_parameter_unit("PDAO28", "pg/mL"), pd_parameter_unit("PDAO28", "")
    ('d*pg/mL', 'd')
    """
    rule = find_pd_parameter(code).unit
    area = f"d*{value_unit}" if value_unit else "d"
    units = {"value": value_unit, "time": "d", "value*time": area, "percent": "%"}
    return units.get(rule, "")

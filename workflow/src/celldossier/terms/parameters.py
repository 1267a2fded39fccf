"""The parameter registry: ``resources/terms/nca_parameters.yaml``, typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource

PARTIAL_AREA = re.compile(r"^AUC(?P<end>[0-9]+(?:P[0-9]+)?)(?P<kind>|PE|XE|AB|BB)$")


class Parameter(BaseModel):
    """One parameter: names, unit rule, formula, source and form of its summary."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    zh: str
    symbol: str
    unit: Literal["conc", "time", "conc*time", "conc/time", "1/time", "percent", "count", "none"]
    formula: str
    formula_zh: str = ""
    source: str
    cdisc: str
    summary: Literal["geometric", "median"]


@lru_cache(maxsize=1)
def read_parameters() -> dict[str, Parameter]:
    """The registry by code, in its order; do not change it."""
    rows = read_resource("terms", "nca_parameters.yaml")
    return {code: Parameter.model_validate(row) for code, row in rows.items()}


def find_parameter(code: str, time_unit: str = "d") -> Parameter:
    """The entry of a parameter code, with the day of a partial area filled in.

    Raises
    ------
    KeyError
        If the registry does not know the code.
    """
    match = PARTIAL_AREA.match(code)
    if match is None:
        return read_parameters()[code]
    entry = read_parameters()[_registry_code(code)]
    end = match["end"].replace("P", ".")
    filled = {
        name: getattr(entry, name).format(end=end, time=time_unit)
        for name in ("en", "zh", "symbol")
    }
    return entry.model_copy(update=filled)


def order_parameters(codes: Iterable[str]) -> list[str]:
    """Codes in the order of the registry; partial areas by their end."""
    position = {code: place for place, code in enumerate(read_parameters())}

    def place(code: str) -> tuple[int, float]:
        match = PARTIAL_AREA.match(code)
        end = float(match["end"].replace("P", ".")) if match else 0.0
        return position[_registry_code(code)], end

    return sorted(codes, key=place)


def parameter_unit(code: str, time_unit: str, conc_unit: str) -> str:
    """Unit of a parameter by its unit rule; blank where its concentration unit is blank.

    >>> parameter_unit("AUC28", "d", "copies/ug")
    'd*copies/ug'
    """
    rule = read_parameters()[_registry_code(code)].unit
    if rule.startswith("conc") and not conc_unit:
        return ""
    return {
        "conc": conc_unit,
        "time": time_unit,
        "conc*time": f"{time_unit}*{conc_unit}",
        "conc/time": f"{conc_unit}/{time_unit}",
        "1/time": f"1/{time_unit}",
        "percent": "%",
        "count": "",
        "none": "",
    }[rule]


def _registry_code(code: str) -> str:
    match = PARTIAL_AREA.match(code)
    return f"AUC#{match['kind']}" if match else code

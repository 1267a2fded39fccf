"""Units: spellings, and exact conversions within one dimension."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.sources import Source


@dataclass(frozen=True)
class Unit:
    """A known unit: its name, its dimension, and its factor to the dimension's first unit."""

    name: str
    dimension: str
    factor: float


def fold_unit(text: str) -> str:
    """Form of a unit in which spellings are compared: case, spaces and the micro sign do not count.

    >>> fold_unit("Copies / µg  DNA")
    'copies/ug dna'
    """
    folded = text.replace("µ", "u").replace("μ", "u").casefold()
    return re.sub(r"\s*/\s*", "/", re.sub(r"\s+", " ", folded)).strip()


class UnitTable:
    """The units of ``resources/terms/units.yaml``."""

    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}
        for dimension, units in read_resource("terms", "units.yaml").items():
            for name, entry in units.items():
                unit = Unit(name, dimension, float(entry["factor"]))
                for spelling in (name, *entry["spellings"]):
                    folded = fold_unit(spelling)
                    if folded in self._units:
                        raise KeyError(f"units.yaml: the spelling {spelling} stands twice")
                    self._units[folded] = unit

    def find(self, text: str) -> Unit | None:
        """The unit that a text means; None where it is not known."""
        return self._units.get(fold_unit(text))

    def normalise(self, text: pd.Series, source: Source | None) -> pd.Series:
        """Names of the units; a text that is not known stays as the study's mapping leaves it."""
        mapped = source.units if source is not None else {}

        def name(unit: str) -> str:
            found = self.find(mapped.get(unit, unit))
            return found.name if found else mapped.get(unit, unit)

        names = {unit: name(unit) for unit in text.unique()}
        return text.map(names)

    def factor(self, unit: str, target: str) -> float:
        """Factor from one unit to another; NaN where there is no exact one.

        >>> UnitTable().factor("ng/mL", "pg/mL")
        1000.0
        """
        if fold_unit(unit) == fold_unit(target):
            return 1.0
        known, wanted = self.find(unit), self.find(target)
        if known is None or wanted is None or known.dimension != wanted.dimension:
            return float(np.nan)
        return known.factor / wanted.factor

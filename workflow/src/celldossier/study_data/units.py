"""Units: spellings, and exact conversions within one dimension.

There is no silent conversion: two units are converted if their dimension in
``resources/terms/units.yaml`` is the same, or if the assay declares what links them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.bioanalysis import Assay

MASS, SUBSTANCE = "mass per volume", "substance per volume"
PICOGRAMS_PER_MICROMOLE = Fraction(1000)
"""pg/mL of 1 umol/L of a substance of 1 g/mol."""


@dataclass(frozen=True)
class Unit:
    """A known unit: its name, its dimension, and how it becomes the dimension's first unit."""

    name: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


@dataclass(frozen=True)
class Conversion:
    """From one unit to another: value * factor + shift.

    Parameters
    ----------
    declared
        Whether it rests on a factor or a molar mass that the assay declares.
    """

    factor: float
    shift: float = 0.0
    declared: bool = False


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
                factor, offset = (Fraction(str(entry.get(key, 0))) for key in ("factor", "offset"))
                unit = Unit(name, dimension, factor, offset)
                for folded in {fold_unit(spelling) for spelling in (name, *entry["spellings"])}:
                    if folded in self._units:
                        raise KeyError(f"units.yaml: the spelling {folded} stands twice")
                    self._units[folded] = unit

    @property
    def units(self) -> list[Unit]:
        """All units, each once."""
        return list({unit.name: unit for unit in self._units.values()}.values())

    def find(self, text: str) -> Unit | None:
        """The unit that a text means; None where it is not known."""
        return self._units.get(fold_unit(text))

    def normalise(self, text: pd.Series) -> pd.Series:
        """Names of the units; a text that is not known stays as the study's mapping leaves it."""

        def name(unit: str) -> str:
            found = self.find(unit)
            return found.name if found else unit

        names = {unit: name(unit) for unit in text.unique()}
        return text.map(names)

    def factor(self, unit: str, target: str) -> float:
        """Factor from one unit to another; NaN where there is no exact one.

        >>> UnitTable().factor("ng/mL", "pg/mL")
        1000.0
        """
        found = self.find_conversion(unit, target)
        return found.factor if found is not None and found.shift == 0 else float(np.nan)

    def find_conversion(
        self, unit: str, target: str, assay: Assay | None = None
    ) -> Conversion | None:
        """How a unit becomes another; None where nothing links them.

        Parameters
        ----------
        assay
            Assay whose declared factors and molar mass may link two dimensions.

        >>> UnitTable().find_conversion("°F", "°C")
        Conversion(factor=0.5555555555555556, shift=-17.77777777777778, declared=False)
        """
        if fold_unit(unit) == fold_unit(target):
            return Conversion(1.0)
        known, wanted = self.find(unit), self.find(target)
        if known is not None and wanted is not None and known.dimension == wanted.dimension:
            return Conversion(
                float(known.factor / wanted.factor),
                float((known.offset - wanted.offset) / wanted.factor),
            )
        if assay is None:
            return None
        for written, factor in assay.declared_factors.items():
            from_written = self.find_conversion(unit, written)
            if from_written is not None and fold_unit(target) == fold_unit(assay.unit):
                return Conversion(from_written.factor * factor, declared=True)
        if known is not None and wanted is not None and assay.molar_mass is not None:
            ratio = known.factor / wanted.factor
            weight = Fraction(str(assay.molar_mass)) * PICOGRAMS_PER_MICROMOLE
            if (known.dimension, wanted.dimension) == (SUBSTANCE, MASS):
                return Conversion(float(ratio * weight), declared=True)
            if (known.dimension, wanted.dimension) == (MASS, SUBSTANCE):
                return Conversion(float(ratio / weight), declared=True)
        return None

    def convert(self, values: pd.Series, unit: str, target: str) -> pd.Series:
        """Values in another unit; NaN where nothing links the two.

        >>> UnitTable().convert(pd.Series([100.4]), "F", "C").round(6).tolist()
        [38.0]
        """
        found = self.find_conversion(unit, target)
        if found is None:
            return pd.Series(np.nan, index=values.index, dtype="float64")
        return (values * found.factor + found.shift).astype("float64")

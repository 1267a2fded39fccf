"""The markers of a study as tables and figures list them, and cells that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.terms.pd_parameters import area_code
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.labels import analyte_label, analytes_in, level_label, with_unit
from celldossier.tlf.model import Cell, Context

CLASSES = "pharmacodynamics.marker_class"
PARAMETERS = "pharmacodynamics.marker"
REASONS = "pharmacodynamics.marker_reason"
BASELINE = "BASELINE"
PLATELETS = "PLATELETS"
"""Name by which a declaration asks for the markers that platelets release, of any class."""


@dataclass(frozen=True)
class Series:
    """One marker in one specimen and place.

    Attributes
    ----------
    analyte, name
        Its code, and its specimen and place where the marker has several.
    label
        Its name, with specimen and place where the marker has several.
    unit, kind, direction
        As the stage has resolved them.
    """

    analyte: str
    name: str
    label: str
    unit: str
    kind: str
    direction: str

    @property
    def by(self) -> dict[str, str]:
        """Key of its statistics beside those of a grouping."""
        return {"series": self.name} if self.name else {}

    @property
    def head(self) -> str:
        """Name with the unit."""
        return with_unit(self.label, self.unit)

    @property
    def curve(self) -> str:
        """End of the identifier of its curves."""
        return f"{self.analyte}/{self.name}" if self.name else self.analyte

    def place(self, analysis: str, variable: str = "", **by: str) -> Place:
        """Where a block of statistics of it stands."""
        return Place(analysis, variable, self.analyte, {**self.by, **by})


def list_series(context: Context, classes: Sequence[str]) -> list[Series]:
    """Markers of these classes in the order of the config, each in each specimen and place."""
    printer = Printer(context.results, context.language)
    found = []
    selected = context.results.select(CLASSES)
    for analyte in analytes_in(context, CLASSES):
        names = natural_order(set(selected.loc[selected["analyte"] == analyte, "level1"]))
        for name in names:
            by = {"series": name} if name else {}
            place = Place(CLASSES, "", analyte, by)
            told = {
                stat: printer.value(place, stat).text
                for stat in ("class", "kind", "direction", "platelets", "unit")
            }
            wanted = told["class"] in classes
            if not wanted and not (told["platelets"] == "Y" and PLATELETS in classes):
                continue
            label = analyte_label(context, analyte)
            if name:
                label = context.language.text(
                    "marker.in_place", marker=label, place=place_label(context.language, name)
                )
            found.append(
                Series(analyte, name, label, told["unit"], told["kind"], told["direction"])
            )
    return found


def dose_levels(context: Context) -> list[str]:
    """Dose levels by which the markers are summarised, in natural order."""
    return natural_order(context.results.levels(PARAMETERS, "dose"))


def group_label(language: Language, by: Mapping[str, str]) -> str:
    """Words for a dose level, or for all subjects."""
    return level_label(language, "dose", by["dose"]) if by else language.text("label.total")


def place_label(language: Language, name: str) -> str:
    """Words for a specimen or place, in lower case where they can be."""
    return level_label(language, "compartment", name).lower()


def medicine_names(language: Language, causes: Sequence[str]) -> str:
    """Names of the medications after which samples stand apart, in lower case where they can be."""
    codes = dict.fromkeys(code for cause in causes for code in cause.split("+"))
    names = [level_label(language, "medication", code).lower() for code in codes]
    return language.text("label.list_separator").join(names)


def first_area(context: Context, kind: str = "PDAUC") -> str:
    """Code of the area that tables show: the first of the settings; blank where there is none."""
    ends = context.settings["pharmacodynamics"]["parameters"]["areas"]
    return area_code(kind, float(ends[0])) if ends else ""


def block_cell(
    printer: Printer,
    place: Place,
    form: str,
    *,
    ranged: bool = False,
    reasons: Sequence[str] = (),
) -> Cell:
    """Geometric mean (CV%) [n], or median (min., max.) [n]; fewer than three values are listed.

    An en dash where the marker has no such parameter; the `reasons` where no value is there.
    """
    if not place.variable or not printer.exists(place):
        return printer.blank()
    if printer.value(place, "n").number == 0:
        empty = printer.cell(place, "{}", ("median", form))
        return replace(empty, reasons=tuple(reasons) or empty.reasons)
    if printer.few(place):
        return printer.listed(place, form)
    if ranged:
        stats = (("median", form), ("min", form), ("max", form), ("n", "count"))
        return printer.cell(place, "{} ({}, {}) [{}]", *stats)
    return printer.cell(place, "{} ({}) [{}]", ("geomean", form), ("gcv", "fixed1"), ("n", "count"))


def missing_reasons(context: Context, one: Series, code: str) -> list[str]:
    """Why values of a parameter are missing, the most frequent reason first."""
    rows = context.results.select(REASONS)
    rows = rows[(rows["analyte"] == one.analyte) & (rows["variable"] == code)]
    if one.name:
        rows = rows[rows["level2"] == one.name]
    rows = rows.sort_values(["value", "level1"], ascending=[False, True], kind="stable")
    return list(rows["level1"])


def count_cell(printer: Printer, place: Place, stat: str) -> Cell:
    """A count, or an en dash where the marker has no such parameter."""
    if not printer.exists(place, stat):
        return printer.blank()
    return printer.cell(place, "{}", (stat, "count"))

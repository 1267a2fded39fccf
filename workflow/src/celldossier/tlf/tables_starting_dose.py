"""First dose in humans (table 9), lowest active dose level (9a)."""

from __future__ import annotations

from typing import Any

from celldossier.terms.km_factors import km_factors
from celldossier.terms.language import print_unit
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import level_label, unit_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

FIRST = Place("dose_exploration.first_dose", "PLANNED")
ANIMAL = Place("dose_exploration.animal_dose", "DOSE")
HUMAN = Place("dose_exploration.human_dose", "DOSE")
ACTIVE = Place("dose_exploration.active_cells", "DOSE")
ACTIVITY = "dose_exploration.activity"
RANGE = "dose_exploration.activity_range"
LEVEL = "dose_exploration.dose_level"
METHODS = ("KM", "DUBOIS", "MOSTELLER", "ALLOMETRIC")


def draw_starting_dose(context: Context) -> Table | NotShown:
    """Human equivalents of animal doses by method, and doses by a number of active cells.

    Shown for a product that is declared to be wholly new, and as supportive for any other for
    which animals or active cells are declared.
    """
    language = context.language
    rules = context.settings["dose_exploration"]["starting_dose"]
    new = bool(context.settings["study"]["product"]["first_of_kind"])
    if not rules["animals"] and not rules["active_cells"]:
        return NotShown("NOSOURCE" if new else "NOTFIRST")
    printer = Printer(context.results, language)
    rows = []
    for animal in rules["animals"]:
        rows.extend(_animal_rows(context, printer, animal))
    for benchmark in rules["active_cells"]:
        rows.extend(_benchmark_rows(context, printer, benchmark))
    cells = unit_label(language, "10^6 cells")
    heads = ("dose_kg", "dose_total", "start", "margin", "within")
    units = (unit_label(language, "10^6 cells/kg"), cells, cells, "", "")
    columns = (
        Column(language.text("column.scaling_method"), align="left", width="34%"),
        *(
            Column(with_unit(language.text(f"column.first_dose.{head}"), unit))
            for head, unit in zip(heads, units, strict=True)
        ),
    )
    notes = [_planned_note(context, printer)]
    if not new:
        notes.insert(0, language.text("footnote.first_dose_supportive"))
    subjects = int(printer.value(FIRST, "n_infused").number)
    return Table(columns, tuple(rows), subjects, tuple(notes))


def draw_active_dose(context: Context) -> Table | NotShown:
    """Subjects with each sign of activity by dose level, and the lowest level with it."""
    language = context.language
    criteria = context.settings["dose_exploration"]["starting_dose"]["activity"]["criteria"]
    if not criteria:
        return NotShown("NOCRITER")
    printer = Printer(context.results, language)
    levels = _levels(context, printer)
    rows: list[Row] = []
    for criterion in criteria:
        rows.append(heading(language.label(criterion["label"])))
        places = [Place(ACTIVITY, criterion["code"], by={"dose": level}) for level in levels]
        found = Place(RANGE, criterion["code"])
        for key, pattern, stats, ends in (
            ("share", "{}/{} ({})", (("n", "count"), ("n_evaluable", "count"), ("pct", "fixed1")),
             (printer.cell(found, "{}", ("lowest", "count")),
              printer.cell(found, "{}", ("highest", "count")))),
            ("limits", "{} – {}", (("ci_low", "fixed1"), ("ci_high", "fixed1")), None),
            ("met", "{}", (("met", "count"),), None),
        ):  # fmt: skip
            cells = [printer.cell(place, pattern, *stats) for place in places]
            if key == "met":
                cells = [_yes_no(context, cell) for cell in cells]
            tail = ends or (printer.blank(), printer.blank())
            rows.append(Row((Cell(language.text(f"activity.{key}")), *cells, *tail), indent=1))
        proposed = printer.cell(found, "{}", ("proposed", "count"))
        if not proposed.reasons:
            met = _yes_no(context, printer.cell(found, "{}", ("proposed_met", "count")))
            label = Cell(
                language.text("activity.proposed", level=proposed.text), proposed.value_ids
            )
            cells = [met if level == proposed.text else printer.blank() for level in levels]
            rows.append(Row((label, *cells, printer.blank(), printer.blank()), indent=1))
    columns = (
        Column(language.text("column.activity"), align="left", width="30%"),
        *(_level_column(context, printer, level) for level in levels),
        Column(language.text("column.activity_lowest")),
        Column(language.text("column.activity_highest")),
    )
    return Table(columns, tuple(rows), printer.subjects)


def _animal_rows(context: Context, printer: Printer, animal: dict[str, Any]) -> list[Row]:
    language = context.language
    species = km_factors()[animal["species"]]
    place = ANIMAL.within(animal=animal["id"])
    printed = {
        stat: printer.cell(place, "{}", (stat, "significant"))
        for stat in ("dose", "weight", "km", "factor")
    }
    key = "" if printer.value(place, "in_range").text == "Y" else "_beyond"
    words = language.text(
        f"first_dose.animal{key}",
        study=language.label(animal["label"]),
        species=language.label({"en": species.en, "zh": species.zh}),
        finding=level_label(language, "finding", animal["finding"]),
        dose_unit=print_unit(unit_label(language, "10^6 cells/kg")),
        **{stat: cell.text for stat, cell in printed.items()},
    )
    identifiers = tuple(name for cell in printed.values() for name in cell.value_ids)
    rows = [heading(Cell(words, identifiers))]
    for method in METHODS:
        at = HUMAN.within(animal=animal["id"], method=method)
        cells = [
            printer.cell(at, "{}", (stat, "significant"))
            for stat in ("dose_kg", "dose", "start", "margin")
        ]
        within = _yes_no(context, printer.cell(at, "{}", ("within", "count")))
        label = language.text(f"first_dose.method.{method}")
        rows.append(Row((Cell(label), *cells, within), indent=1))
    return rows


def _benchmark_rows(context: Context, printer: Printer, benchmark: dict[str, Any]) -> list[Row]:
    language = context.language
    place = ACTIVE.within(benchmark=benchmark["id"])
    cells = printer.interval(place, "cells")
    shares = printer.interval(place, "share", "fixed1")
    head = Cell(language.text("first_dose.active", source=language.label(benchmark["label"])))
    origin = "declared" if benchmark["active_share"] is not None else "lots"
    blank = printer.blank()
    dose = printer.cell(
        place, "{} ({}, {})", *((s, "significant") for s in ("dose", "low", "high"))
    )
    within = _yes_no(context, printer.cell(place, "{}", ("within", "count")))
    unit = unit_label(language, "10^6 cells")
    return [
        heading(head),
        Row((Cell(with_unit(language.text("first_dose.active_cells"), unit)),
             blank, cells, blank, blank, blank), indent=1),
        Row((Cell(language.text(f"first_dose.active_share.{origin}")),
             blank, shares, blank, blank, blank), indent=1),
        Row((Cell(language.text("first_dose.active_dose")),
             blank, dose, blank, blank, within), indent=1),
    ]  # fmt: skip


def _planned_note(context: Context, printer: Printer) -> str:
    """Footnote with the planned first dose and the human that the doses are scaled to."""
    language = context.language
    forms = {
        "dose": "significant", "weight": "significant", "height": "significant",
        "km": "significant", "exponent": "significant", "area_dubois": "fixed2",
        "area_mosteller": "fixed2",
    }  # fmt: skip
    printed = {stat: printer.cell(FIRST, "{}", (stat, form)).text for stat, form in forms.items()}
    return language.text(
        "footnote.first_dose_human",
        unit=print_unit(unit_label(language, "10^6 cells")),
        **printed,
    )


def _levels(context: Context, printer: Printer) -> list[str]:
    """Dose levels, lowest planned dose first, as the stage has ordered them."""

    def order(level: str) -> float:
        return printer.value(Place(LEVEL, "DOSEP", by={"dose": level}), "order").number

    return sorted(context.results.levels(ACTIVITY, "dose"), key=order)


def _level_column(context: Context, printer: Printer, level: str) -> Column:
    language = context.language
    cell = printer.cell(Place(LEVEL, "DOSEP", by={"dose": level}), "{}", ("planned", "significant"))
    name = level_label(language, "dose", level)
    head = language.text("column.level_planned", level=name, dose=cell.text)
    return Column(
        name if cell.reasons else head,
        group=language.text("column.dose_level"),
        value_ids=cell.value_ids,
    )


def _yes_no(context: Context, cell: Cell) -> Cell:
    """A cell of Y or N in words."""
    if cell.text not in ("Y", "N"):
        return cell
    return Cell(context.language.text(f"label.answer.{cell.text}"), cell.value_ids, cell.reasons)

"""Anti-drug antibodies: incidence by target (table 78) and the individual subjects (listing)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import level_label, reason_label, target_label
from celldossier.tlf.listings import list_dataset
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

INCIDENCE = "immunogenicity.incidence"
NOT_EVALUABLE = "immunogenicity.not_evaluable"

_STATUSES = {
    "BASELINE_POSITIVE": 0,
    "PREVALENCE": 0,
    "TREATMENT_EMERGENT": 0,
    "TREATMENT_INDUCED": 1,
    "PERSISTENT": 2,
    "TRANSIENT": 2,
    "INDETERMINATE": 2,
    "POSITIVE_AT_END": 2,
    "TREATMENT_BOOSTED": 1,
    "NOT_BOOSTED": 0,
    "NEGATIVE": 0,
    "UNDETERMINED": 0,
    "NEUTRALISING": 0,
    "PASSIVE_POSITIVE": 0,
    "EMERGENT_ATTRIBUTABLE": 0,
    "INCONCLUSIVE_NEGATIVE": 0,
}
"""Rows of the table and their indent: an indented row is a part of the one above it."""


_COURSE = (
    ("course", "ADAONDY", "INDUCED"),
    ("course", "ADADURDY", "INDUCED"),
    ("titre", "TITERPK", "INDUCED"),
    ("course", "ADATEDY", "BOOSTED"),
    ("titre", "TITERBL", "BOOSTED"),
    ("titre", "TITERPK", "BOOSTED"),
)
"""Analysis, variable and status of the rows on the course of antibodies."""


def draw_ada_incidence(context: Context) -> Table | NotShown:
    """ADA status of the subjects, target by target: n/N (%) with Clopper-Pearson interval.

    N is of the line: a share of those in whom the status could be seen.
    """
    language = context.language
    # A study with one target may leave the target blank: it is a target none the less.
    targets = sorted(set(context.results.select(INCIDENCE)["analyte"]))
    if not targets:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    doses = natural_order(context.results.levels(INCIDENCE, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    for target in targets:
        name = target_label(context, target)
        rows.append(heading(language.text("label.ada_target", target=name)))
        places = [Place(INCIDENCE, "EVALUABLE", target, by) for by in groups]
        cells = [
            printer.cell(place, "{} / {}", ("n", "count"), ("n_infused", "count"))
            if printer.exists(place)
            else printer.blank()
            for place in places
        ]
        rows.append(Row((Cell(language.text("ada.EVALUABLE")), *cells)))
        for status, indent in _STATUSES.items():
            places = [Place(INCIDENCE, status, target, by) for by in groups]
            if not printer.exists(places[-1]):
                # Lines of an interference stand where the study names one.
                continue
            cells = [
                _share_cell(printer, place) if printer.exists(place) else printer.blank()
                for place in places
            ]
            label = Cell(language.text(f"ada.{status}"))
            rows.append(Row((label, *cells), indent=indent))
        rows.extend(_course_rows(context, printer, target, len(groups)))
        rows.extend(_reason_rows(context, printer, target, len(groups)))
    columns = [Column(language.text("column.ada_status"), align="left", width="24%")]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    columns.append(Column(language.text("label.total")))
    return Table(
        tuple(columns), tuple(rows), printer.subjects, footnotes=_interference_notes(context)
    )


def draw_ada_listing(context: Context) -> Table | NotShown:
    """Individual ADA status; the PDF prints the first rows, the CSV beside it holds all."""
    frame = context.dataset("ADIM")
    if frame.empty:
        return NotShown("NOTCOLL")
    columns = context.options.get("columns")
    return list_dataset(context, frame, "ADIM", columns if isinstance(columns, list) else None)


def _course_rows(context: Context, printer: Printer, target: str, groups: int) -> list[Row]:
    """Onset and duration of induced antibodies, titres of induced and boosted ones, in all."""
    rows = []
    for analysis, variable, status in _COURSE:
        place = Place(f"immunogenicity.{analysis}", variable, target, {"status": status})
        if printer.exists(place):
            label = Cell(context.language.text(f"ada.course.{variable}.{status}"))
            rows.append(Row((label, *[Cell("")] * (groups - 1), printer.median(place))))
    return rows


def _interference_notes(context: Context) -> tuple[str, ...]:
    """What counts as disturbed, where the study names something."""
    text, rules = context.language.text, context.settings["immunogenicity"]["interference"]
    separator = text("label.list_separator")
    notes = [
        text(key, names=separator.join(rules[part]["names"]), days=f"{rules[part]['days']:g}")
        for key, part in (
            ("ada.note.immunoglobulin", "immunoglobulin"),
            ("ada.note.b_cell_depletion", "b_cell_depletion"),
        )
        if rules[part]["names"]
    ]
    notes += [
        text(
            "ada.note.soluble_target",
            marker=rule["marker"],
            limit=f"{rule['limit']:g}",
            days=f"{rule['days']:g}",
        )
        for rule in rules["soluble_targets"]
    ]
    return tuple(notes)


def _reason_rows(context: Context, printer: Printer, target: str, groups: int) -> list[Row]:
    """Why infused subjects are not evaluable, in all."""
    selected = context.results.select(NOT_EVALUABLE)
    rows = []
    for reason in sorted(set(selected.loc[selected["analyte"] == target, "level1"])):
        place = Place(NOT_EVALUABLE, "EVALFL", target, {"reason": reason})
        label = context.language.text(
            "label.not_evaluable", reason=reason_label(context.language, reason)
        )
        count = printer.cell(place, "{}", ("n", "count"))
        rows.append(Row((Cell(label), *[Cell("")] * (groups - 1), count), indent=1))
    return rows


def _share_cell(printer: Printer, place: Place) -> Cell:
    if printer.value(place, "denominator").number == 0:
        # Nobody in whom it could be seen: 0/0 says it all.
        return printer.cell(place, "{}/{}", ("n", "count"), ("denominator", "count"))
    return printer.cell(
        place,
        "{}/{} ({}) [{}, {}]",
        ("n", "count"),
        ("denominator", "count"),
        ("pct", "fixed1"),
        ("ci_low", "fixed1"),
        ("ci_high", "fixed1"),
    )

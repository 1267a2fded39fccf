"""Toxicity and efficacy of the dose levels side by side (table 13)."""

from __future__ import annotations

from dataclasses import dataclass

from celldossier.io.resources import read_resource
from celldossier.tlf.cells import FORMATS, Place, Printer, heading
from celldossier.tlf.labels import level_label, percent
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table
from celldossier.tlf.tables_escalation import DLT, list_doses, why_not_shown

RESPONSE = "dose_exploration.dose_response"
ISOTONIC = "dose_exploration.isotonic"
UTILITY = "dose_exploration.dose_utility"
SELECTED = "dose_exploration.dose_selected"

PARTS = ("ESCALATION", "EXPANSION", "ALL")


@dataclass(frozen=True)
class Group:
    """One column: a dose level of a part of the study."""

    part: str
    dose: str

    def place(self, analysis: str, variable: str = "") -> Place:
        """Where its statistics stand."""
        return Place(analysis, variable, by={"part": self.part, "dose": self.dose})


def draw_dose_evidence(context: Context) -> Table | NotShown:
    """Intervals of toxicity, response, both together, and the doses that follow from them."""
    reason = why_not_shown(context, DLT)
    if reason:
        return NotShown(reason)
    language = context.language
    printer = Printer(context.results, language)
    found = context.results.levels(DLT, "part")
    groups = [Group(p, d) for p in PARTS if p in found for d in list_doses(context, p)]
    if not groups:
        # Arms were not collected: there is no level to set beside another.
        return NotShown("NOTCOLL")
    rows = [
        *_toxicity_rows(context, printer, groups),
        *_response_rows(context, printer, groups),
        *_joint_rows(context, printer, groups),
        *_selected_rows(context, printer, groups),
    ]
    columns = [Column(language.text("column.quantity"), align="left", width="28%")]
    columns += [
        Column(
            level_label(language, "dose", g.dose), group=language.text(f"escalation.part.{g.part}")
        )
        for g in groups
    ]
    return Table(tuple(columns), tuple(rows), printer.subjects)


def _rows(
    printer: Printer,
    places: list[Place],
    lines: list[tuple[str, str, tuple[tuple[str, str], ...]]],
) -> list[Row]:
    """One row a line: its label, a pattern, and the statistics that fill it."""
    return [
        Row((Cell(label), *[printer.cell(place, pattern, *stats) for place in places]), indent=1)
        for label, pattern, stats in lines
    ]


def _toxicity_rows(context: Context, printer: Printer, groups: list[Group]) -> list[Row]:
    text = context.language.text
    rule = context.settings["dose_exploration"]["escalation"]
    low, high = (
        rule["target"] + sign * w for sign, w in zip((-1, 1), rule["interval"], strict=True)
    )
    limits = {"low": percent(low), "high": percent(high)}
    places = [g.place(DLT, "DLT") for g in groups]
    rows = [heading(text("evidence.toxicity"))]
    rows += _rows(
        printer,
        places,
        [
            (
                text("evidence.dlt"),
                "{}/{} ({})",
                (("n_dlt", "count"), ("n_evaluable", "count"), ("pct", "fixed1")),
            ),
            (text("evidence.posterior"), "{} ({}, {})", _interval()),
            (text("evidence.under", **limits), "{}", (("under", "fixed2"),)),
            (text("evidence.within", **limits), "{}", (("within", "fixed2"),)),
            (text("evidence.over", **limits), "{}", (("over", "fixed2"),)),
        ],
    )
    isotonic = [g.place(ISOTONIC, "DLT") for g in groups]
    line = (text("evidence.isotonic"), "{}", (("rate", "fixed2"),))
    return [*rows, *_rows(printer, isotonic, [line])]


def _interval() -> tuple[tuple[str, str], ...]:
    return (("mean", "fixed2"), ("low", "fixed2"), ("high", "fixed2"))


def _response_rows(context: Context, printer: Printer, groups: list[Group]) -> list[Row]:
    text = context.language.text
    rule = context.settings["dose_exploration"]["escalation"]["efficacy"]
    places = [g.place(RESPONSE, rule["parameter"]) for g in groups]
    lines = [
        (
            text("evidence.response"),
            "{}/{} ({})",
            (("n_response", "count"), ("n", "count"), ("pct", "fixed1")),
        ),
        (text("evidence.posterior"), "{} ({}, {})", _interval()),
    ]
    if rule["null_rate"] is not None:
        words = text("evidence.above_null", rate=percent(rule["null_rate"]))
        lines.append((words, "{}", (("above", "fixed2"),)))
    names = read_resource("terms", "efficacy_parameters.yaml")["responses"]
    code = str(rule["parameter"])
    # A landmark of the study's own has no name there.
    head = context.language.label(names[code]) if code in names else code
    return [heading(head), *_rows(printer, places, lines)]


def _joint_rows(context: Context, printer: Printer, groups: list[Group]) -> list[Row]:
    text = context.language.text
    rule = context.settings["dose_exploration"]["escalation"]
    efficacy = rule["efficacy"]
    places = [g.place(UTILITY, efficacy["parameter"]) for g in groups]
    rows = [heading(text("evidence.both"))]
    lines: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
        (text("evidence.known"), "{}", (("n", "count"),)),
        *(
            (text(f"evidence.{stat}"), "{}", ((stat, "count"),))
            for stat in ("n_efficacy_only", "n_both", "n_neither", "n_toxicity_only")
        ),
    ]
    if efficacy["null_rate"] is not None:
        words = text(
            "evidence.joint",
            target=percent(rule["target"]),
            rate=percent(efficacy["null_rate"]),
        )
        lines.append((words, "{}", (("joint", "fixed2"),)))
    rows += _rows(printer, places, lines)
    if efficacy["minimum_rate"] is None:
        return rows
    benchmark = _first_benchmark(printer, groups)
    rows += _rows(
        printer,
        places,
        [
            (text("evidence.utility"), "{}", (("mean", "fixed1"),)),
            (text("evidence.desirable", benchmark=benchmark), "{}", (("above", "fixed2"),)),
            (text("evidence.score"), "{}", (("score", "fixed1"),)),
        ],
    )
    cells = []
    for place in places:
        value = printer.value(place, "admissible")
        if value.text:
            cells.append(Cell(text(f"evidence.admissible.{value.text}"), (value.value_id,)))
        else:
            cells.append(printer.cell(place, "{}", ("admissible", "count")))
    rows.append(Row((Cell(text("evidence.admissible")), *cells), indent=1))
    return rows


def _first_benchmark(printer: Printer, groups: list[Group]) -> str:
    value = printer.value(Place(SELECTED, by={"part": groups[0].part}), "benchmark")
    return FORMATS["fixed1"](value.number)


def _selected_rows(context: Context, printer: Printer, groups: list[Group]) -> list[Row]:
    """Which level each part selects; a part without one says why in its first column."""
    text = context.language.text
    rows = [heading(text("evidence.selected"))]
    for stat in ("mtd", "obd"):
        cells = []
        started: set[str] = set()
        for group in groups:
            place = Place(SELECTED, by={"part": group.part})
            value = printer.value(place, stat)
            if value.text:
                mark = text("evidence.mark") if value.text == group.dose else printer.blank().text
                cells.append(Cell(mark, (value.value_id,)))
            elif group.part in started:
                cells.append(printer.blank())
            else:
                cells.append(printer.cell(place, "{}", (stat, "count")))
            started.add(group.part)
        rows.append(Row((Cell(text(f"evidence.{stat}")), *cells), indent=1))
    return rows

"""Events of special interest: how many, how severe, when, how long, how treated (table 65)."""

from __future__ import annotations

from celldossier.io.resources import read_resource
from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import RESCUE
from celldossier.tlf.cells import Place, Printer, heading, median_range
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNTS = "study_data.special_interest"
GRADES = ("1", "2", "3", "4", "5", "UNKNOWN")


def draw_special_interest(context: Context) -> Table | NotShown:
    """Each event: subjects, worst grade, onset, duration, treatment; by dose and in total."""
    language = context.language
    events = _order(set(context.results.select(COUNTS)["variable"]))
    printer = Printer(context.results, language)
    totals = {event: Place(COUNTS, event) for event in events}
    if not any(printer.value(place, "n").number >= 0 for place in totals.values()):
        return NotShown("NOTCOLL")
    doses = natural_order(context.results.levels(COUNTS, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    for event in events:
        rows.append(heading(event_label(language, event)))
        places = [Place(COUNTS, event, "", by) for by in groups]
        rows.append(_row(language, "aesi.subjects", [_share(printer, place) for place in places]))
        if printer.value(totals[event], "n").number > 0:
            rows.extend(_detail_rows(language, printer, places))
    columns = [Column(language.text("column.event"), align="left", width="34%")]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    columns.append(Column(language.text("label.total")))
    return Table(tuple(columns), tuple(rows), _infused(printer, totals))


def event_label(language: Language, code: str) -> str:
    """Name of an event of special interest; an event of the study's own is named by its code."""
    known = read_resource("terms", "special_interest.yaml")
    return language.label(known[code]) if code in known else code


def _order(events: set[str]) -> list[str]:
    """Events in the order of their file, those of the study after them."""
    known = [code for code in read_resource("terms", "special_interest.yaml") if code in events]
    return [*known, *sorted(events - set(known))]


def _infused(printer: Printer, totals: dict[str, Place]) -> int:
    """Infused subjects: who is without an event was looked at too."""
    return int(max(printer.value(place, "n_infused").number for place in totals.values()))


def _row(language: Language, key: str, cells: list[Cell], indent: int = 0) -> Row:
    return Row((Cell(language.text(key)), *cells), indent=indent)


def _share(printer: Printer, place: Place) -> Cell:
    return printer.cell(place, "{} ({})", ("n", "count"), ("pct", "fixed1"))


def _detail_rows(language: Language, printer: Printer, places: list[Place]) -> list[Row]:
    """Rows of an event that occurred; a group without it has blank cells."""

    def cells(analysis: str, pattern: str, *stats: tuple[str, str], **levels: str) -> list[Cell]:
        found = [place.of(f"{COUNTS}{analysis}").within(**levels) for place in places]
        return [
            printer.cell(place, pattern, *stats)
            if printer.exists(place, stats[0][0])
            else printer.blank()
            for place in found
        ]

    def times(analysis: str) -> list[Cell]:
        """Median and range; one or two values are listed."""
        summary = cells(analysis, "{} ({}, {})", *median_range("fixed1"))
        found = [place.of(f"{COUNTS}{analysis}") for place in places]
        return [
            printer.listed(place, "fixed1")
            if printer.exists(place) and printer.few(place)
            else cell
            for place, cell in zip(found, summary, strict=True)
        ]

    share = (("n", "count"), ("pct", "fixed1"))
    rows = [_row(language, "aesi.episodes", cells("", "{}", ("n_episodes", "count")), 1)]
    for grade in GRADES:
        # A grade that nobody has is left out.
        if printer.value(places[-1].of(f"{COUNTS}_grade").within(grade=grade), "n").number > 0:
            row = cells("_grade", "{} ({})", *share, grade=grade)
            rows.append(_row(language, f"aesi.grade.{grade}", row, 1))
    rows.append(_row(language, "aesi.onset", times("_onset"), 1))
    rows.append(_row(language, "aesi.duration", times("_duration"), 1))
    rows.append(_row(language, "aesi.ongoing", cells("_duration", "{}", ("n_ongoing", "count")), 1))
    for treatment in RESCUE:
        place = places[-1].of(f"{COUNTS}_treatment").within(treatment=treatment)
        if printer.value(place, "n").number > 0:
            row = cells("_treatment", "{} ({})", *share, treatment=treatment)
            rows.append(_row(language, f"aesi.treatment.{treatment}", row, 1))
    return rows

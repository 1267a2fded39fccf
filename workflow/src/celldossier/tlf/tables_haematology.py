"""Table of the cytopenias by laboratory values (T47a)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, level_label, unit_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PLACE = "pharmacodynamics.cytopenia"
GRADES = ("G3", "G4")
LEVELS = ("UP_TO_1", "0", "1", "2", "3", "4")
"""Worst grades; the first where grades 0 and 1 are not told apart."""


def draw_cytopenias(context: Context) -> Table | NotShown:
    """Worst grade, nadir, onset and duration of grade 3 and 4, prolonged cytopenia."""
    language, results = context.language, context.results
    printer = Printer(results, language)
    found = set(results.select(f"{PLACE}_worst")["analyte"])
    settings = context.settings["pharmacodynamics"]["haematology"]
    analytes = [code for code in settings["counts"] if code in found]
    ungraded = results.analytes(f"{PLACE}_ungraded")
    if not analytes:
        return NotShown("BADUNIT" if ungraded else "NOTCOLL")
    doses = natural_order(results.levels(f"{PLACE}_worst", "dose"))
    groups: list[dict[str, str]] = [{}, *({"dose": dose} for dose in doses)]
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        own, listed = _count_rows(context, printer, analyte, groups)
        rows, few = [*rows, *own], few or listed
    columns = [
        Column(language.text("column.statistic"), align="left", width="36%"),
        Column(language.text("label.total")),
    ]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    note = language.text(
        f"cytopenia.note.{settings['crossing']}",
        confirm=settings["confirm"],
        day=f"{settings['prolonged_day']:g}",
        window=f"{settings['prolonged_window']:g}",
    )
    notes = [note, *footnote_if(few, language, "footnote.few_values")]
    notes += [
        language.text(
            "cytopenia.note.ungraded",
            marker=analyte_label(context, code),
            unit=unit_label(
                language, printer.value(Place(f"{PLACE}_ungraded", "", code), "unit").text
            ),
        )
        for code in ungraded
    ]
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def _count_rows(
    context: Context, printer: Printer, analyte: str, groups: Sequence[dict[str, str]]
) -> tuple[list[Row], bool]:
    """All rows of one blood count; whether a cell lists its values."""
    text = context.language.text
    worst = [Place(f"{PLACE}_worst", "GRADE", analyte, group) for group in groups]
    nadir = [Place(f"{PLACE}_nadir", "VALUE", analyte, group) for group in groups]
    unit = printer.value(nadir[0], "median").unit
    title = with_unit(analyte_label(context, analyte), unit_label(context.language, unit))
    rows = [heading(title)]
    grades = [grade for grade in LEVELS if printer.exists(worst[0].within(grade=grade))]
    number = [p.within(grade=grades[0]) for p in worst]
    rows.append(_row(text("cytopenia.n"), [printer.cell(p, "{}", ("n", "count")) for p in number]))
    share = (("n_found", "count"), ("pct", "fixed1"))
    for grade in grades:
        cells = [printer.cell(p.within(grade=grade), "{} ({})", *share) for p in worst]
        rows.append(_row(text("cytopenia.worst", grade=_grade(context, grade)), cells, 1))
    days = [Place(f"{PLACE}_nadir", "DAY", analyte, group) for group in groups]
    rows.append(_row(text("cytopenia.nadir"), [printer.median(p) for p in nadir]))
    rows.append(_row(text("cytopenia.nadir_day"), [printer.median(p, "fixed1") for p in days]))
    few = any(printer.few(place) for place in (*nadir, *days))
    for variable in GRADES:
        episodes = [Place(f"{PLACE}_episodes", variable, analyte, group) for group in groups]
        if printer.exists(episodes[0]):
            own, listed = _episode_rows(context, printer, episodes)
            rows, few = [*rows, *own], few or listed
    agreement = Place(f"{PLACE}_agreement", "GRADE", analyte)
    if printer.exists(agreement):
        stats = [(s, "count") for s in ("n_agree", "n_lab_higher", "n_event_higher")]
        cells = [printer.cell(agreement, "{} / {} / {}", *stats)]
        cells += [printer.blank() for _ in groups[1:]]
        rows.append(_row(text("cytopenia.agreement"), cells))
    return rows, few


def _episode_rows(
    context: Context, printer: Printer, places: Sequence[Place]
) -> tuple[list[Row], bool]:
    """Rows of the episodes of one grade."""
    text = context.language.text
    onset = [place.of(f"{PLACE}_onset") for place in places]

    def counted(stat: str) -> list[Cell]:
        return [printer.cell(p, "{}", (stat, "count")) for p in places]

    def duration(start: str) -> list[Cell]:
        own = [place.of(f"{PLACE}_duration").within(start=start) for place in places]
        return [printer.interval(p, "median", "fixed1") for p in own]

    prolonged = (("n_found", "count"), ("n", "count"), ("pct", "fixed1"))
    late = [p.of(f"{PLACE}_prolonged") for p in places]
    variable = places[0].variable
    rows = [_row(text(f"cytopenia.{variable}.at_baseline"), counted("n_start"))]
    # What nobody had has no duration: the row would be empty in each column.
    if printer.value(places[0], "n_start").number:
        rows.append(_row(text("cytopenia.duration_baseline"), duration("BASELINE"), 1))
    rows.append(_row(text(f"cytopenia.{variable}.onset"), counted("n_onset")))
    if printer.value(places[0], "n_onset").number:
        rows.append(
            _row(text("cytopenia.onset_day"), [printer.median(p, "fixed1") for p in onset], 1)
        )
        rows.append(_row(text("cytopenia.duration"), duration("ONSET"), 1))
    shares = [printer.cell(p, "{}/{} ({})", *prolonged) for p in late]
    rows += [
        _row(text("cytopenia.ongoing"), counted("n_ongoing"), 1),
        _row(text("cytopenia.again"), counted("n_again"), 1),
        _row(text("cytopenia.prolonged"), shares, 1),
    ]
    return rows, any(printer.few(place) for place in onset)


def _grade(context: Context, grade: str) -> str:
    return grade if grade.isdigit() else context.language.text("cytopenia.up_to_1")


def _row(label: str, cells: Sequence[Cell], indent: int = 0) -> Row:
    return Row((Cell(label), *cells), indent=indent)

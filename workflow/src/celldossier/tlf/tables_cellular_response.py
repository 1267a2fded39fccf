"""Cellular immune responses: responders by subject and over time (table 79)."""

from __future__ import annotations

from celldossier.terms.language import print_unit
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import analyte_label, reason_label, target_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

STAGE = "immunogenicity"
EVALUABLE, INCIDENCE = f"{STAGE}.cellular_evaluable", f"{STAGE}.cellular_incidence"
COURSE, READOUT = f"{STAGE}.cellular_course", f"{STAGE}.cellular_readout"
ONSET = f"{STAGE}.cellular_onset"
LEFT_OUT = {"not_evaluable": "AFTER", "unjudged": "RESPONSE"}
"""Counts of subjects, and of samples, that have no verdict, and their variable."""


def draw_cellular_responses(context: Context) -> Table | NotShown:
    """Responders among the evaluable subjects, then by nominal day with the readout."""
    found = context.results.select(EVALUABLE)[["analyte", "level1"]].drop_duplicates()
    if found.empty:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    subjects = 0
    units: list[str] = []
    for target, test in sorted(found.itertuples(index=False, name=None)):
        place = Place(EVALUABLE, "AFTER", str(target), {"test": str(test)})
        subjects = max(subjects, int(printer.value(place, "n").number))
        days = _days(context, place)
        values = [_readout(place, day) for day in days]
        unit = next((u for v in values if (u := printer.value(v, "median").unit)), "")
        units += [unit] if unit and unit not in units else []
        rows.append(
            heading(
                language.text(
                    "label.cellular_test",
                    test=with_unit(analyte_label(context, str(test)), unit),
                    target=target_label(context, str(target)),
                )
            )
        )
        rows += _subject_rows(context, printer, place)
        rows.append(heading(language.text("label.cellular_course")))
        rows += [_day_row(printer, place, day) for day in days]
        rows += _left_out_rows(context, printer, place)
    columns = (
        Column(language.text("column.cellular_group"), align="left", width="34%"),
        Column(language.text("column.judged_n"), width="14%"),
        Column(language.text("column.responders_ci"), width="26%"),
        Column(language.text("column.readout_quartiles")),
    )
    return Table(columns, tuple(rows), subjects, tuple(_describe_rules(context, units)))


def _days(context: Context, place: Place) -> list[str]:
    rows = context.results.select(COURSE)
    own = (rows["analyte"] == place.analyte) & (rows["level1"] == place.by["test"])
    return natural_order(set(rows.loc[own, "level2"]))


def _readout(place: Place, day: str) -> Place:
    return Place(READOUT, "VALUE", place.analyte, {**place.by, "time": day})


def _subject_rows(context: Context, printer: Printer, place: Place) -> list[Row]:
    text = context.language.text
    counts = printer.cell(place, "{} / {}", ("n", "count"), ("n_infused", "count"))
    rows = [Row((Cell(text("ada.EVALUABLE")), counts, printer.blank(), printer.blank()))]
    shares = [
        *((variable, {}, 0) for variable in ("BEFORE", "AFTER")),
        *(("AFTER", {"ada": name}, 1) for name in ("EMERGENT", "NONE")),
        *((variable, {}, 0) for variable in ("NEW", "LAST")),
    ]
    for variable, within, indent in shares:
        here = Place(INCIDENCE, variable, place.analyte, {**place.by, **within})
        label = Cell(text(f"cellular.{variable}{within.get('ada', '')}"))
        rows.append(Row((label, *_share_cells(printer, here), printer.blank()), indent=indent))
    onset = Place(ONSET, "FIRSTDY", place.analyte, place.by)
    day = Row(
        (
            Cell(text("cellular.FIRSTDY")),
            printer.cell(onset, "{}", ("n", "count")),
            printer.blank(),
            _quartiles(printer, onset),
        )
    )
    return [*rows, day]


def _day_row(printer: Printer, place: Place, day: str) -> Row:
    course = Place(COURSE, "RESPONSE", place.analyte, {**place.by, "time": day})
    cells = _share_cells(printer, course)
    return Row((Cell(day), *cells, _quartiles(printer, _readout(place, day))), indent=1)


def _share_cells(printer: Printer, place: Place) -> tuple[Cell, Cell]:
    return (
        printer.cell(place, "{}", ("denominator", "count")),
        _share(printer, place),
    )


def _share(printer: Printer, place: Place) -> Cell:
    stats = (("pct", "fixed1"), ("ci_low", "fixed1"), ("ci_high", "fixed1"))
    if printer.value(place, "denominator").number == 0:
        return printer.cell(place, "{}", ("pct", "fixed1"))
    return printer.cell(place, "{} ({}) [{}, {}]", ("n", "count"), *stats)


def _quartiles(printer: Printer, place: Place) -> Cell:
    stats = tuple((name, "significant") for name in ("median", "q1", "q3"))
    return printer.cell(place, "{} ({}, {})", *stats)


def _left_out_rows(context: Context, printer: Printer, place: Place) -> list[Row]:
    """Subjects, and samples, without a verdict, and why."""
    rows = []
    for name, variable in LEFT_OUT.items():
        analysis = f"{STAGE}.cellular_{name}"
        found = context.results.select(analysis)
        own = (found["analyte"] == place.analyte) & (found["level2"] == place.by["test"])
        for reason in sorted(set(found.loc[own, "level1"])):
            here = Place(analysis, variable, place.analyte, {**place.by, "reason": reason})
            label = context.language.text(
                f"cellular.{name}", reason=reason_label(context.language, reason)
            )
            count = printer.cell(here, "{}", ("n", "count"))
            rows.append(Row((Cell(label), count, printer.blank(), printer.blank())))
    return rows


def _describe_rules(context: Context, units: list[str]) -> list[str]:
    """The responder rules that the readouts of the study were judged by."""
    language = context.language
    settings = context.settings["immunogenicity"]["cellular"]
    rules = [
        language.text(
            "footnote.cellular_rule",
            fold=f"{rule['fold']:g}",
            difference=f"{rule['difference']:g}",
            unit=print_unit(rule["unit"]),
        )
        for rule in settings["rules"]
        if rule["unit"] in units
    ]
    controls = [
        language.text(
            "footnote.cellular_control",
            test=analyte_label(context, test),
            control=analyte_label(context, control),
        )
        for test, control in sorted(settings["controls"].items())
    ]
    return [*rules, *controls, language.text("footnote.cellular_baseline")]

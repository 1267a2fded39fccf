"""Tables of markers: parameters of cytokines and biochemistry (43, 45), samples apart (43a)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.marker_series import (
    BASELINE,
    PARAMETERS,
    PLATELETS,
    Series,
    block_cell,
    count_cell,
    dose_levels,
    first_area,
    group_label,
    list_series,
    medicine_names,
    missing_reasons,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

APART = "pharmacodynamics.marker_apart"
VALUE = "pharmacodynamics.marker_value"
CHANGE = "pharmacodynamics.marker_change"
RESPONSE = "pharmacodynamics.marker_response"
RETURN = "pharmacodynamics.marker_return"
CONDITION = "CONDITION"


def draw_marker_parameters(context: Context) -> Table | NotShown:
    """Baseline, peak, its time, fold and area of each marker that may rise, by dose level.

    Option ``classes``: classes of the markers (resources/terms/markers.yaml).
    """
    series = [
        one
        for one in list_series(context, context.options["classes"])
        if one.direction != "fall" and one.kind in ("continuous", "count")
    ]
    if not series:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    groups = [*({"dose": dose} for dose in dose_levels(context)), {}]
    area = first_area(context)
    rows: list[Row] = []
    for one in series:
        rows.append(heading(one.head))
        reasons = missing_reasons(context, one, area)[:1]
        for by in groups:
            cells = _parameter_cells(printer, one, by, area, reasons)
            rows.append(Row((Cell(group_label(language, by)), *cells)))
    text = language.text
    columns = (
        Column(text("column.dose_level"), align="left", width="9%"),
        Column(text("column.marker_baseline")),
        Column(text("column.marker_base_blq")),
        Column(text("column.marker_peak")),
        Column(text("column.marker_over")),
        Column(text("column.marker_last")),
        Column(text("column.marker_peak_time")),
        Column(text("column.marker_fold")),
        Column(text("column.marker_bounds")),
        Column(text("column.marker_area", area=area.removeprefix("PDAUC").replace("P", "."))),
        Column(text("column.marker_return")),
    )
    return Table(
        columns, tuple(rows), printer.subjects, analytes=tuple({one.analyte: 1 for one in series})
    )


def _parameter_cells(
    printer: Printer, one: Series, by: dict[str, str], area: str, reasons: list[str]
) -> tuple[Cell, ...]:
    def place(code: str) -> Place:
        return one.place(PARAMETERS, code, **by)

    fold = place("PDFOLD")
    bounds = (
        printer.cell(fold, "{} / {}", ("n_atleast", "count"), ("n_atmost", "count"))
        if printer.exists(fold)
        else printer.blank()
    )
    returned = one.place(RETURN, "PDTREC", **by)
    events = (
        printer.cell(
            returned, "{} [{}/{}]", ("median", "fixed1"), ("n_event", "count"), ("n", "count")
        )
        if printer.exists(returned)
        else printer.blank()
    )
    return (
        block_cell(printer, place("PDBASE"), "significant"),
        count_cell(printer, place("PDBASE"), "n_blq"),
        block_cell(printer, place("PDPEAK"), "significant"),
        count_cell(printer, place("PDPEAK"), "n_over"),
        count_cell(printer, place("PDPEAK"), "n_last"),
        block_cell(printer, place("PDTPEAK"), "fixed1", ranged=True),
        block_cell(printer, fold, "significant"),
        bounds,
        block_cell(printer, place(area), "significant", reasons=reasons),
        events,
    )


def draw_markers_apart(context: Context) -> Table | NotShown:
    """Markers some of whose samples stand apart: peaks of these, of the others, and of all."""
    language = context.language
    printer = Printer(context.results, language)
    selected = context.results.select(APART)
    series = list_series(context, context.options["classes"])
    rows: list[Row] = []
    shown = []
    for one in series:
        mine = selected[selected["analyte"] == one.analyte]
        causes = natural_order({*mine["level1"], *mine["level2"]} - {"", one.name, CONDITION})
        causes.append(CONDITION)
        present = [c for c in causes if printer.exists(one.place(APART, "PDPEAKX", cause=c))]
        if not present:
            continue
        shown.append(one.analyte)
        for number, cause in enumerate(present):
            place = one.place(APART, "PDPEAKX", cause=cause)
            whole = one.place(PARAMETERS, "PDPEAKA")
            others = one.place(PARAMETERS, "PDPEAK")
            first = number == 0
            rows.append(
                Row(
                    (
                        Cell(one.head if first else ""),
                        Cell(_cause_label(context, cause)),
                        count_cell(printer, place, "n"),
                        count_cell(printer, place, "n_samples"),
                        block_cell(printer, place, "significant"),
                        block_cell(printer, others, "significant") if first else Cell(""),
                        block_cell(printer, whole, "significant") if first else Cell(""),
                    )
                )
            )
    if not rows:
        return NotShown("NODATA" if series else "NOTCOLL")
    text = language.text
    columns = (
        Column(text("column.marker_unit"), align="left", width="24%"),
        Column(text("column.apart_cause"), align="left", width="16%"),
        Column(text("column.subjects_n")),
        Column(text("column.samples_n")),
        Column(text("column.peak_apart")),
        Column(text("column.peak_used")),
        Column(text("column.peak_all")),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=tuple(shown))


def _cause_label(context: Context, cause: str) -> str:
    """Words for why samples stand apart: their condition, or the medicines before them."""
    language = context.language
    if cause == CONDITION:
        return language.text("marker.condition")
    return language.text("marker.after", medicine=medicine_names(language, [cause]))


def draw_marker_visits(context: Context) -> Table | NotShown:
    """Values and changes from baseline by nominal day, with the responders of scores.

    Option ``classes``: classes of the markers, PLATELETS for those that platelets release.
    """
    classes = context.options["classes"]
    # What platelets release stands beside the markers of tissue; alone it is a cytokine.
    if not list_series(context, [name for name in classes if name != PLATELETS]):
        return NotShown("NOTCOLL")
    series = list_series(context, classes)
    language = context.language
    printer = Printer(context.results, language)
    doses = dose_levels(context)
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    for one in series:
        rows.append(heading(one.head))
        for visit in list_visits(context, one):
            place = one.place(VALUE, "VALUE", visit=visit)
            label = visit_label(context, visit)
            rows.append(
                Row(
                    (
                        Cell(label),
                        _quartile_cell(printer, place),
                        count_cell(printer, place, "n_blq"),
                        *(
                            _change_cell(printer, one.place(CHANGE, "CHANGE", visit=visit, **by))
                            for by in groups
                        ),
                    )
                )
            )
        rows += _response_rows(context, printer, one, groups)
        rows += _apart_rows(context, printer, one, len(groups))
    text = language.text
    columns = [
        Column(text("column.nominal_day"), align="left", width="17%"),
        Column(text("column.marker_value")),
        Column(text("statistic.n_blq")),
        *(Column(group_label(language, by), group=text("column.marker_change")) for by in groups),
    ]
    analytes = tuple({one.analyte: 1 for one in series})
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=analytes)


def list_visits(context: Context, one: Series) -> list[str]:
    """Visits of a marker in order: the baseline, then the nominal days."""
    rows = context.results.select(VALUE)
    rows = rows[rows["analyte"] == one.analyte]
    levels = {
        level
        for number in (1, 2, 3)
        for level in rows.loc[rows[f"group{number}"] == "visit", f"level{number}"]
    }
    printer = Printer(context.results, context.language)
    present = [v for v in levels if printer.exists(one.place(VALUE, "VALUE", visit=v))]
    days = sorted((visit for visit in present if visit != BASELINE), key=float)
    return [BASELINE] * (BASELINE in present) + days


def visit_label(context: Context, visit: str) -> str:
    """Words for a visit."""
    return context.language.text("marker.baseline") if visit == BASELINE else visit


def _quartile_cell(printer: Printer, place: Place) -> Cell:
    stats = (("median", "significant"), ("q1", "significant"), ("q3", "significant"))
    if printer.few(place):
        return printer.listed(place)
    return printer.cell(place, "{} ({}, {}) [{}]", *stats, ("n", "count"))


def _change_cell(printer: Printer, place: Place) -> Cell:
    """Median change with quartiles and n; a dash at the baseline and without one."""
    if not printer.exists(place) or printer.value(place, "n").number == 0:
        return printer.blank()
    return _quartile_cell(printer, place)


def _response_rows(
    context: Context, printer: Printer, one: Series, groups: list[dict[str, str]]
) -> list[Row]:
    total = one.place(RESPONSE, "PDRESP")
    if not printer.exists(total):
        return []
    mcid = printer.value(total, "mcid").number
    label = context.language.text("marker.responders", mcid=f"{mcid:g}")
    cells = [
        printer.cell(
            one.place(RESPONSE, "PDRESP", **by),
            "{}/{} ({})",
            ("n_found", "count"),
            ("n", "count"),
            ("pct", "fixed1"),
        )
        for by in groups
    ]
    return [Row((Cell(label), Cell(""), Cell(""), *cells))]


def _apart_rows(context: Context, printer: Printer, one: Series, width: int) -> list[Row]:
    """How many samples of the marker stand apart for their condition."""
    place = one.place(APART, "PDPEAKX", cause=CONDITION)
    if not printer.exists(place):
        return []
    label = context.language.text("marker.flagged_samples")
    cell = printer.cell(place, "{} [{}]", ("n_samples", "count"), ("n", "count"))
    return [Row((Cell(label), cell, *[Cell("")] * (width + 1)))]

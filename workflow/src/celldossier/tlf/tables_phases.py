"""The phases of cellular kinetics: table 29 and the listing of each subject's phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from celldossier.terms.order import natural_order
from celldossier.terms.parameters import order_parameters
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import (
    analyte_label,
    analytes_in,
    is_median_only,
    level_label,
    parameter_label,
    with_unit,
)
from celldossier.tlf.listings import list_dataset
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PATTERN = "cellular_kinetics.phase_pattern"
PHASE = "cellular_kinetics.phase"
REASON = "cellular_kinetics.phase_reason"
SUMMARY = "cellular_kinetics.summary"

PHASES = ("DISTRIBUTION", "EXPANSION", "CONTRACTION", "PERSISTENCE")
NONE = "none"

_HALF_LIVES = {"HLDIS": "DISTRIBUTION", "HLCON": "CONTRACTION", "HLPER": "PERSISTENCE"}
_HEADS = {
    "dose": "column.dose_level",
    "indication": "column.indication",
    "response": "column.best_response",
}
_RESPONSES = ("RESPONDER", "NONRESPONDER", "UNKNOWN")


@dataclass(frozen=True)
class _Group:
    """One column: its head, the head above it, and its place in the results."""

    label: str
    above: str
    by: dict[str, str]


def draw_phases(context: Context) -> Table | NotShown:
    """Sequences of phases, missing phases with reasons, and parameters of the phases.

    Options: ``by`` lists the groupings whose levels are columns (the total is the last column);
    ``parameters`` lists the registry codes to show.
    """
    analytes = analytes_in(context, PHASE)
    if not analytes:
        return NotShown("NOTCOLL")
    groups = _list_groups(context)
    printer = Printer(context.results, context.language)
    rows: list[Row] = []
    few = False
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        rows.extend(_pattern_rows(context, printer, analyte, groups))
        rows.extend(_missing_rows(context, printer, analyte, groups))
        rows.append(_subheading(context, "label.phase_parameters", groups))
        for code in _parameters(context, analyte):
            rows.append(_parameter_row(context, printer, code, analyte, groups))
            rows.extend(_half_life_rows(context, printer, code, analyte, groups))
            few = few or any(
                printer.few(place) for place in _places(SUMMARY, code, analyte, groups)
            )
    columns = (
        Column(context.language.text("column.phase_row"), align="left", width="24%"),
        Column(context.language.text("column.statistic"), align="left", width="19%"),
        *(Column(group.label, group=group.above) for group in groups),
    )
    notes = footnote_if(few, context.language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def draw_phase_listing(context: Context) -> Table | NotShown:
    """Each phase of each subject; the PDF prints the first rows, the CSV beside it holds all."""
    frame = context.dataset("ADPH")
    if frame.empty:
        return NotShown("NOTCOLL")
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows = frame[frame["PARCAT1"] == analyte]
    if rows.empty:
        return NotShown("NODATA")
    columns = context.options.get("columns")
    table = list_dataset(context, rows, "ADPH", columns if isinstance(columns, list) else None)
    # The footnote of the assay names the analyte and the unit of its concentrations.
    return replace(table, analytes=(analyte,))


def _list_groups(context: Context) -> list[_Group]:
    """The levels of the groupings that the declaration names, and the total."""
    language = context.language
    wanted = context.options.get("by", ["dose"])
    groups = []
    for key in wanted if isinstance(wanted, list) else [wanted]:
        levels = natural_order(context.results.levels(PHASE, key))
        if key == "response":
            levels = [level for level in _RESPONSES if level in levels]
        above = language.text(_HEADS[key])
        groups += [
            _Group(level_label(language, key, level), above, {key: level}) for level in levels
        ]
    return [*groups, _Group(language.text("label.total"), "", {})]


def _places(analysis: str, variable: str, analyte: str, groups: Sequence[_Group]) -> list[Place]:
    return [Place(analysis, variable, analyte, group.by) for group in groups]


def _subheading(context: Context, key: str, groups: Sequence[_Group]) -> Row:
    return Row((Cell(context.language.text(key)), *[Cell("")] * (len(groups) + 1)))


def _pattern_rows(
    context: Context, printer: Printer, analyte: str, groups: Sequence[_Group]
) -> list[Row]:
    """The sequences of phases that any subject had, the most frequent first."""
    patterns = context.results.levels(PATTERN, "pattern")
    counts = {
        pattern: printer.value(Place(PATTERN, "PATTERN", analyte, {"pattern": pattern}), "n").number
        for pattern in patterns
    }
    found = [pattern for pattern in patterns if counts[pattern] and pattern != NONE]
    found.sort(key=lambda pattern: (-counts[pattern], pattern))
    rows = [_subheading(context, "label.phase_pattern", groups)]
    for pattern in [*found, NONE]:
        label = context.language.text("label.phase_without") if pattern == NONE else pattern
        cells = [
            _share(printer, place.within(pattern=pattern))
            for place in _places(PATTERN, "PATTERN", analyte, groups)
        ]
        rows.append(Row((Cell(label), Cell(""), *cells), indent=1))
    return rows


def _missing_rows(
    context: Context, printer: Printer, analyte: str, groups: Sequence[_Group]
) -> list[Row]:
    """How many subjects lack each phase, and why."""
    language = context.language
    rows = [_subheading(context, "label.phases_missing", groups)]
    selected = context.results.select(REASON)
    for phase in PHASES:
        name = level_label(language, "phase", phase)
        cells = [
            printer.cell(place, "{} / {}", ("n_missing", "count"), ("n_all", "count"))
            for place in _places(PHASE, phase, analyte, groups)
        ]
        label = language.text("label.phase_missing", phase=name)
        rows.append(Row((Cell(label), Cell(""), *cells), indent=1))
        here = (selected["variable"] == phase) & (selected["analyte"] == analyte)
        reasons = set(selected.loc[here & (selected["group1"] == "reason"), "level1"])
        reasons |= set(selected.loc[here & (selected["group2"] == "reason"), "level2"])
        for reason in sorted(reasons):
            places = [
                place.within(reason=reason) for place in _places(REASON, phase, analyte, groups)
            ]
            cells = [
                printer.cell(place, "{}", ("n", "count")) if printer.exists(place) else Cell("0")
                for place in places
            ]
            rows.append(Row((Cell(language.reason(reason)), Cell(""), *cells), indent=2))
    return rows


def _parameter_row(
    context: Context, printer: Printer, code: str, analyte: str, groups: Sequence[_Group]
) -> Row:
    """The geometric mean (CV) or median (range), and the number of values behind it."""
    language = context.language
    places = _places(SUMMARY, code, analyte, groups)
    unit = printer.value(places[-1], "median").unit
    label = with_unit(parameter_label(code, language), unit)
    median = is_median_only(code)
    statistic = language.text("statistic.median_range_n" if median else "statistic.geomean_gcv_n")
    cells = [_value_cell(printer, place, median) for place in places]
    return Row((Cell(label), Cell(statistic), *cells), indent=1)


def _half_life_rows(
    context: Context, printer: Printer, code: str, analyte: str, groups: Sequence[_Group]
) -> list[Row]:
    """How many half-lives are missing because the phase is level, or rest on a short phase."""
    if code not in _HALF_LIVES:
        return []
    places = _places(PHASE, _HALF_LIVES[code], analyte, groups)
    rows = []
    for stat, flag in (("n_level", "LEVEL"), ("n_short", "SHORTSPN")):
        if printer.value(places[-1], stat).number:
            cells = [printer.cell(place, "{}", (stat, "count")) for place in places]
            label = Cell(context.language.reason(flag))
            rows.append(Row((label, Cell(context.language.text("statistic.n")), *cells), indent=2))
    return rows


def _value_cell(printer: Printer, place: Place, median: bool) -> Cell:
    if printer.few(place):
        return printer.listed(place)
    if median:
        forms = [(stat, "significant") for stat in ("median", "min", "max")]
        return printer.cell(place, "{} ({}, {}) [{}]", *forms, ("n", "count"))
    forms = [("geomean", "significant"), ("gcv", "integer"), ("n", "count")]
    return printer.cell(place, "{} ({}) [{}]", *forms)


def _share(printer: Printer, place: Place) -> Cell:
    return printer.cell(place, "{} ({})", ("n", "count"), ("pct", "fixed1"))


def _parameters(context: Context, analyte: str) -> list[str]:
    """Parameters that the declaration names and the stage has summarised."""
    rows = context.results.select(SUMMARY)
    found = set(rows.loc[rows["analyte"] == analyte, "variable"])
    return order_parameters(found & set(context.options["parameters"]))

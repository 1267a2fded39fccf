"""NCA parameters by group (shells T26 to T28 and T28b to T28f): a column a level."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from celldossier.settings.kinetics_summaries import GROUPINGS
from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.kinetics_parameters import (
    REASONS,
    SUMMARY,
    abbreviations,
    few_note,
    is_median_only,
    parameter_head,
    parameters_shown,
    reasons_of,
)
from celldossier.tlf.labels import analyte_label, general_code, level_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RATIO = "cellular_kinetics.ratio"
RATIO_BY_RESPONSE = "cellular_kinetics.ratio_by_response"
HETEROGENEITY = "cellular_kinetics.heterogeneity"

UNKNOWN = "UNKNOWN"
LEVEL_ORDER = {
    "response": ("RESPONDER", "NONRESPONDER"),
    "region": ("CHINA", "OTHER"),
    "hepatic": ("NORMAL", "MILD", "MODERATE", "SEVERE"),
    "renal": ("NORMAL", "MILD", "MODERATE", "SEVERE", "FAILURE"),
}
"""Levels that have an order of their own; the others stand in natural order, unknown last."""

DEFAULT_ROWS = ("n", "geomean_gcv", "median_range")
"""Rows of a parameter where the declaration names none."""

_CELLS = {
    "mean_sd": ("{} ({})", ("mean", "sd")),
    "median_range": ("{} ({}, {})", ("median", "min", "max")),
    "quartiles": ("{}, {}", ("q1", "q3")),
}
"""Pattern and statistics of the rows that are one cell a group."""


@dataclass(frozen=True)
class _Group:
    """One column: its head, the grouping above it, and its place in the results."""

    label: str
    by: dict[str, str] = field(default_factory=dict)
    grouping: str = ""


def draw_parameters_by_group(context: Context, analytes: Sequence[str]) -> Table | NotShown:
    """Rows of statistics for each parameter, one column a level, all subjects last.

    Options: ``by`` (a grouping, or several, each with the levels side by side),
    ``parameters``, ``statistics`` (rows, of n, counts, geomean_gcv, mean_sd,
    median_range, quartiles), ``reasons`` (whether the number of missing values is given
    by reason), ``ratios`` (registry codes whose ratios are shown), ``heterogeneity``
    (whether a column compares all levels at once), ``levels`` (least number of levels
    for which the table is made).

    Returns
    -------
    Table or NotShown
        Of several groupings those with one level are left out and named in a footnote,
        so that the table of all subjects remains; of one the table has the reason.
    """
    named = context.options.get("by")
    keys = [str(key) for key in named] if isinstance(named, list) else [str(named)]
    least = 2 if isinstance(named, list) else int(str(context.options.get("levels", 1)))
    absent = {key: _why_absent(context, key, least) for key in keys}
    if not isinstance(named, list) and absent[keys[0]]:
        return NotShown(absent[keys[0]])
    shown = [key for key in keys if not absent[key]]
    groups = [group for key in shown for group in _groups_of(context, key, several=len(keys) > 1)]
    if keys != ["response"]:
        groups.append(_Group(context.language.text("label.total")))
    drawing = _Drawing(context, Printer(context.results, context.language), groups, shown)
    notes = [_note_absent(context, key, absent[key]) for key in keys if absent[key]]
    return drawing.table(analytes, notes)


def _why_absent(context: Context, key: str, least: int) -> str:
    """Reason why a grouping is not shown, "" where it is."""
    asked = context.settings.get("cellular_kinetics", {}).get("summaries", {})
    if key not in asked.get("groupings", GROUPINGS):
        return "NOGRPASK"
    levels = context.results.levels(SUMMARY, key)
    if not levels:
        return "NOTCOLL"
    return "ONELEVEL" if len(levels) < least else ""


def _note_absent(context: Context, key: str, reason: str) -> str:
    language = context.language
    levels = context.results.levels(SUMMARY, key)
    words = language.reason(reason)
    if reason == "ONELEVEL":
        words = language.text("footnote.one_level", level=group_label(language, key, levels[0]))
    return language.text(
        "footnote.grouping_absent", grouping=language.text(f"grouping.{key}"), reason=words
    )


def order_group_levels(key: str, levels: Sequence[str]) -> list[str]:
    """Levels of a grouping in the order of its columns.

    >>> order_group_levels("age", [">=65", "UNKNOWN", "18-64", "<18"])
    ['<18', '18-64', '>=65', 'UNKNOWN']
    """
    known = [level for level in LEVEL_ORDER.get(key, ()) if level in levels]
    others = natural_order(set(levels) - {*known, UNKNOWN})
    if key == "age":
        others.sort(key=_start_of_band)
    return known + others + [level for level in (UNKNOWN,) if level in levels]


def _start_of_band(band: str) -> tuple[int, int]:
    """Place of an age band: below its first age, from it, and above it."""
    first = re.search("[0-9]+", band)
    return int(first[0]) if first else 0, 0 if band.startswith("<") else 1


def group_label(language: Language, key: str, level: str) -> str:
    """Words for a level of a grouping."""
    if level == UNKNOWN:
        return language.text("label.unknown_level")
    return level_label(language, key, level).replace(">=", "≥")


def _groups_of(context: Context, key: str, *, several: bool) -> list[_Group]:
    levels = order_group_levels(key, context.results.levels(SUMMARY, key))
    head = context.language.text(f"grouping.{key}") if several else ""
    return [
        _Group(group_label(context.language, key, level), {key: level}, head) for level in levels
    ]


@dataclass
class _Drawing:
    """The table while it is drawn: what it prints from, its columns, and what it met."""

    context: Context
    printer: Printer
    groups: Sequence[_Group]
    keys: Sequence[str]
    few: bool = False

    def table(self, analytes: Sequence[str], notes: Sequence[str]) -> Table:
        """All rows, analyte by analyte."""
        text = self.context.language.text
        rows: list[Row] = []
        for analyte in analytes:
            rows.append(heading(analyte_label(self.context, analyte)))
            for code in parameters_shown(self.context, analyte):
                rows.extend(self._parameter_rows(code, analyte))
        columns = [
            Column(text("column.parameter_unit"), align="left", width="22%"),
            Column(text("column.statistic"), align="left", width="16%"),
            *(Column(group.label, group=group.grouping) for group in self.groups),
        ]
        if self._response:
            columns.append(Column(text("column.gmr_response"), width="16%"))
        head = text("column.heterogeneity")
        columns += [Column(text(f"grouping.{key}"), group=head) for key in self._compared_keys]
        return Table(
            tuple(columns),
            tuple(rows),
            self.printer.subjects,
            (*notes, *abbreviations(self.context, analytes), *few_note(self.context, self.few)),
            tuple(analytes),
        )

    @property
    def _response(self) -> bool:
        return list(self.keys) == ["response"]

    @property
    def _compared_keys(self) -> list[str]:
        """Groupings whose levels are compared all at once, a column each."""
        return list(self.keys) if self.context.options.get("heterogeneity") else []

    def _parameter_rows(self, code: str, analyte: str) -> list[Row]:
        """The statistics of one parameter, then why values are missing."""
        language, printer = self.context.language, self.printer
        places = [Place(SUMMARY, code, analyte, group.by) for group in self.groups]
        self.few = self.few or any(printer.few(place) for place in places)
        wanted = self.context.options.get("statistics")
        lines = list(wanted) if isinstance(wanted, list) else list(DEFAULT_ROWS)
        if is_median_only(code):
            lines = [line for line in lines if line not in ("geomean_gcv", "mean_sd")]
        values = next(line for line in lines if line not in ("n", "counts"))
        label = parameter_head(language, printer, Place(SUMMARY, code, analyte))
        rows = []
        for number, line in enumerate(lines):
            cells = [self._cell(place, line, first=line == values) for place in places]
            head = (Cell("" if number else label), Cell(language.text(f"statistic.{line}")))
            is_place = line == "geomean_gcv"
            tail = self._comparisons(code, analyte) if is_place else self._blanks()
            rows.append(Row((*head, *cells, *tail)))
            if line == "geomean_gcv" and not self._response:
                rows.extend(self._ratio_rows(code, analyte))
        if self.context.options.get("reasons"):
            rows.extend(self._reason_rows(code, analyte))
        return rows

    def _cell(self, place: Place, line: str, *, first: bool) -> Cell:
        """One statistic of one group; a few values are listed once, in the first row that can."""
        printer = self.printer
        if line == "n":
            return printer.cell(place, "{}", ("n", "count"))
        if line == "counts":
            return printer.cell(
                place, "{} / {} / {}", *((stat, "count") for stat in ("n", "n_nc", "n_blq"))
            )
        if printer.few(place):
            return printer.listed(place) if first else printer.blank()
        if line == "geomean_gcv":
            return printer.cell(place, "{} ({})", ("geomean", "significant"), ("gcv", "integer"))
        pattern, stats = _CELLS[line]
        return printer.cell(place, pattern, *((stat, "significant") for stat in stats))

    def _is_compared(self, code: str) -> bool:
        wanted = self.context.options.get("ratios")
        return not isinstance(wanted, list) or general_code(code) in wanted

    def _ratio_cell(self, place: Place) -> Cell:
        return self.printer.interval(place, "gmr")

    def _ratio_rows(self, code: str, analyte: str) -> list[Row]:
        """Ratio of each level to the reference of its grouping, where it was estimated."""
        if not self._is_compared(code):
            return []
        text = self.context.language.text
        cells = []
        for group in self.groups:
            place = Place(RATIO, code, analyte, group.by)
            if group.by and self.printer.exists(place, "gmr"):
                cells.append(self._ratio_cell(place))
            elif group.by and self._is_reference(code, analyte, group):
                cells.append(Cell(text("label.reference_level")))
            else:
                cells.append(self.printer.blank())
        if all(not cell.value_ids for cell in cells):
            return []
        head = (Cell(""), Cell(text("statistic.ratio_to_reference")))
        return [Row((*head, *cells, *self._blanks()))]

    def _is_reference(self, code: str, analyte: str, group: _Group) -> bool:
        rows = self.context.results.select(RATIO)
        rows = rows[(rows["variable"] == code) & (rows["analyte"] == analyte)]
        ((key, level),) = group.by.items()
        named = rows[(rows["group1"] == key) & (rows["stat_name"] == "reference")]
        return level in set(named["value_text"])

    def _blanks(self) -> tuple[Cell, ...]:
        """Empty cells below the last columns, the ratio by response or the heterogeneity."""
        return (Cell(""),) * (1 if self._response else len(self._compared_keys))

    def _comparisons(self, code: str, analyte: str) -> tuple[Cell, ...]:
        """The last columns in the row of the geometric means."""
        if self._response:
            places = [Place(RATIO_BY_RESPONSE, code, analyte)]
        else:
            places = [
                Place(HETEROGENEITY, code, analyte, {"grouping": key})
                for key in self._compared_keys
            ]
        stat = "gmr" if self._response else "p"
        show = self._ratio_cell if self._response else self._p_cell
        return tuple(
            show(place)
            if self._is_compared(code) and self.printer.exists(place, stat)
            else self.printer.blank()
            for place in places
        )

    def _p_cell(self, place: Place) -> Cell:
        return self.printer.cell(place, "{}", ("p", "p"))

    def _reason_rows(self, code: str, analyte: str) -> list[Row]:
        """How many values are missing in each group, for which reason."""
        rows = []
        for reason in reasons_of(self.context, code, analyte):
            cells = [
                self.printer.cell(
                    Place(REASONS, code, analyte, {"reason": reason, **group.by}),
                    "{}",
                    ("n", "count"),
                )
                for group in self.groups
            ]
            words = self.context.language.reason(reason)
            rows.append(Row((Cell(words), Cell(""), *cells, *self._blanks()), indent=1))
        return rows

"""Quality attributes of the product lots given (table 16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.blocks import block_rows, count_row
from celldossier.tlf.cells import Place, Printer, footnote_if
from celldossier.tlf.labels import level_label, unit_label, variable_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

LOTS = "study_data.product_lots"
ATTRIBUTE = "study_data.product_attribute"
RELEASE = "study_data.product_release"
MOST_COLUMNS = 8
"""Columns of numbers that a page holds; with more, the sites are left to the data."""

_ATTRIBUTES = (
    ("VIABPCT", "fixed1"), ("TRANSPCT", "fixed1"), ("VCN", "fixed2"), ("CD3PCT", "fixed1"),
    ("CD4CD8", "fixed2"),
    ("TNPCT", "fixed1"), ("TSCMPCT", "fixed1"), ("TCMPCT", "fixed1"), ("TEMPCT", "fixed1"),
    ("TEFFPCT", "fixed1"), ("POTENCY", "significant"), ("EXPFOLD", "significant"),
    ("CULTDAYS", "fixed1"), ("VEINVEIN", "fixed1"),
)  # fmt: skip
"""Attributes in the order of the rows, with the format of their numbers."""
_JUDGED = (("n", "count"), ("n_judged", "count"), ("pct", "fixed1"))


def draw_product_attributes(context: Context) -> Table | NotShown:
    """Attributes of the lots given, by process and site where there are several, and in all."""
    language = context.language
    printer = Printer(context.results, language)
    total = Place(LOTS, "LOTID")
    if not printer.exists(total) or math.isnan(printer.value(total, "n").number):
        return NotShown("NOTCOLL")
    if printer.value(total, "n").number == 0:
        return NotShown("NOLOTUSED")
    processes, sites = (_levels(context, key) for key in ("process", "site"))
    wide = len(processes) + len(sites) >= MOST_COLUMNS
    groups = [*processes, *([] if wide else sites), {}]
    rows = _count_rows(printer, language, [Place(LOTS, "LOTID", by=by) for by in groups])
    few = False
    absent = []
    for variable, form in _ATTRIBUTES:
        if not _known(printer, variable):
            absent.append(variable_label(language, "ADPQ", variable))
            continue
        for level in _units(context, variable):
            places = [Place(ATTRIBUTE, variable, by={**by, **level}) for by in groups]
            unit = unit_label(language, printer.value(places[-1], "median").unit)
            label = with_unit(variable_label(language, "ADPQ", variable), unit)
            block, listed = block_rows(
                printer, language, label, places, form, counted="label.lots_of"
            )
            rows.extend(block)
            few = few or listed
    rows.extend(_release_rows(context, printer, groups))
    names = language.text("label.list_separator").join(absent)
    notes = [
        *([language.text("footnote.lots_not_recorded", attributes=names)] if absent else []),
        *footnote_if(few, language, "footnote.few_values"),
        *footnote_if(wide, language, "footnote.sites_not_shown"),
    ]
    subjects = int(printer.value(total, "n_subjects").number)
    return Table(_columns(language, printer, groups), tuple(rows), subjects, tuple(notes))


def _known(printer: Printer, variable: str) -> bool:
    """Whether any lot has the attribute; one with blocks by unit stands in them."""
    place = Place(ATTRIBUTE, variable)
    return not printer.exists(place) or printer.value(place, "n").number > 0


def _levels(context: Context, key: str) -> list[dict[str, str]]:
    """Levels of a grouping; none where all lots are of one, for that is the total."""
    found = context.results.levels(LOTS, key)
    known = [*natural_order(set(found) - {"MISSING"}), *({"MISSING"} & set(found))]
    return [{key: level} for level in known] if len(known) > 1 else []


def _units(context: Context, variable: str) -> list[dict[str, str]]:
    """Unit levels of an attribute: those of the potency; the others have one unit."""
    rows = context.results.select(ATTRIBUTE)
    rows = rows[rows["variable"] == variable]
    found: set[str] = set()
    for position in (1, 2, 3):
        found |= set(rows.loc[rows[f"group{position}"] == "unit", f"level{position}"])
    return [{"unit": unit} for unit in sorted(found)] or [{}]


def _columns(
    language: Language, printer: Printer, groups: Sequence[dict[str, str]]
) -> tuple[Column, ...]:
    columns = [Column(language.text("column.attribute"), align="left", width="30%")]
    for by in groups:
        n = printer.cell(Place(LOTS, "LOTID", by=by), "{}", ("n", "count"))
        key = next(iter(by), "")
        group = level_label(language, key, by[key]) if by else language.text("label.total")
        head = language.text("column.group_n", group=group, n=n.text)
        above = language.text(f"column.{key}") if by else ""
        columns.append(Column(head, group=above, value_ids=n.value_ids))
    return tuple(columns)


def _count_rows(printer: Printer, language: Language, places: Sequence[Place]) -> list[Row]:
    counts = (("lot.subjects", "n_subjects"), ("lot.made", "n_made"), ("lot.unused", "n_unused"))
    return [
        count_row(printer, language.text(key), places, "{}", (stat, "count"))
        for key, stat in counts
    ]


def _release_rows(
    context: Context, printer: Printer, groups: Sequence[dict[str, str]]
) -> list[Row]:
    """Lots outside the release specification, by attribute, and the release status."""
    language, results = context.language, context.results
    places = [Place(RELEASE, "OOSFL", by=by) for by in groups]
    label = language.text("lot.out_of_specification")
    rows = [count_row(printer, label, places, "{}/{} ({})", *_JUDGED)]
    for name in results.levels(RELEASE, "attribute"):
        places = [Place(RELEASE, "OOSVAR", by={**by, "attribute": name}) for by in groups]
        label = variable_label(language, "ADPQ", name)
        rows.append(count_row(printer, label, places, "{}", ("n", "count"), indent=1))
    rows.append(Row((Cell(language.text("lot.release_status")), *[Cell("")] * len(groups))))
    for status in natural_order(results.levels(RELEASE, "status")):
        places = [Place(RELEASE, "RELSTAT", by={**by, "status": status}) for by in groups]
        label = level_label(language, "status", status)
        share = (("n", "count"), ("pct", "fixed1"))
        rows.append(count_row(printer, label, places, "{} ({})", *share, indent=1))
    return rows

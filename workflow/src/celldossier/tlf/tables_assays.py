"""Tables of two assays in the same samples: agreement (30), and their ratio over time (30a)."""

from __future__ import annotations

from collections.abc import Sequence

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import analyte_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNTS = "cellular_kinetics.concordance"
RATIO = "cellular_kinetics.assay_ratio"
_CATEGORIES = ("both", "first", "second", "neither")


def list_pairs(context: Context) -> list[Place]:
    """The pairs of assays that were compared: analyte the first, variable the second."""
    rows = context.results.select(COUNTS)[["variable", "analyte"]].drop_duplicates()
    ordered = rows.sort_values(["analyte", "variable"], kind="stable")
    return [
        Place(COUNTS, str(second), str(first))
        for second, first in zip(ordered["variable"], ordered["analyte"], strict=True)
    ]


def pair_names(context: Context, place: Place) -> dict[str, str]:
    """Names of both assays of a pair."""
    return {
        "first": analyte_label(context, place.analyte),
        "second": analyte_label(context, place.variable),
    }


def draw_assay_concordance(context: Context) -> Table | NotShown:
    """Counts, correlation, regressions and limits of agreement of each pair of assays."""
    language = context.language
    printer = Printer(context.results, language)
    pairs = list_pairs(context)
    if not pairs:
        return NotShown("NOTPAIRED")
    rows: list[Row] = []
    for place in pairs:
        names = pair_names(context, place)
        rows.append(heading(language.text("assay.pair", **names)))
        rows.extend(_count_rows(context, printer, place))
        rows.extend(_estimate_rows(context, printer, place))
    columns = (
        Column(language.text("column.statistic"), align="left", width="62%"),
        Column(language.text("column.value")),
    )
    return Table(columns, tuple(rows), printer.subjects, (), _analytes(pairs))


def _count_rows(context: Context, printer: Printer, place: Place) -> list[Row]:
    text, names = context.language.text, pair_names(context, place)
    rows = [
        _row(text("assay.subjects"), printer.cell(place, "{}", ("n", "count"))),
        _row(text("assay.pairs"), printer.cell(place, "{}", ("n_pairs", "count"))),
    ]
    for category in _CATEGORIES:
        stats = ((f"n_{category}", "count"), (f"pct_{category}", "fixed1"))
        cell = printer.cell(place, "{} ({})", *stats)
        rows.append(_row(text(f"assay.{category}", **names), cell, indent=1))
    if printer.value(place, "n_above").number > 0:
        cell = printer.cell(place, "{}", ("n_above", "count"))
        rows.append(_row(text("assay.above"), cell, indent=1))
    used = printer.cell(place, "{} ({})", ("n_used", "count"), ("n_used_subjects", "count"))
    rows.append(_row(text("assay.used"), used))
    return rows


def _estimate_rows(context: Context, printer: Printer, place: Place) -> list[Row]:
    text, names = context.language.text, pair_names(context, place)
    fit, agreement = place.of(f"{COUNTS}_fit"), place.of("cellular_kinetics.assay_agreement")
    rows = [
        _row(text(f"assay.{name}"), printer.interval(fit, name, form))
        for name, form in (
            ("rho", "fixed3"),
            ("deming_slope", "fixed3"),
            ("deming_intercept", "fixed3"),
            ("pb_slope", "fixed3"),
            ("pb_intercept", "fixed3"),
        )
    ]
    unit = printer.value(agreement, "bias").unit
    for name in ("bias", "loa_low", "loa_high"):
        label = with_unit(text(f"assay.{name}", **names), unit)
        rows.append(_row(label, printer.interval(agreement, name)))
    for name in ("sd_between", "sd_within"):
        cell = printer.cell(agreement, "{}", (name, "fixed3"))
        rows.append(_row(text(f"assay.{name}"), cell))
    return rows


def draw_assay_ratio(context: Context) -> Table | NotShown:
    """Discordant results and the ratio of two assays at each nominal time."""
    language = context.language
    printer = Printer(context.results, language)
    pairs = [place for place in list_pairs(context) if _visits(context, place)]
    if not pairs:
        return NotShown("NOTPAIRED")
    rows: list[Row] = []
    few = False
    for place in pairs:
        names = pair_names(context, place)
        visits = _visits(context, place)
        unit = printer.value(place.of(RATIO).within(visit=visits[0]), "geomean").unit
        head = with_unit(language.text("assay.ratio_of", **names), unit)
        rows.append(heading(head))
        for visit in visits:
            at = place.of(RATIO).within(visit=visit)
            few = few or printer.few(at)
            counts = ("n_pairs", "n_first", "n_second", "n_neither", "n")
            cells = [printer.cell(at, "{}", (stat, "count")) for stat in counts]
            ratio = (
                [printer.listed(at), printer.blank()]
                if printer.few(at)
                else [
                    printer.interval(at, "geomean"),
                    printer.cell(at, "{}", ("gcv", "integer")),
                ]
            )
            rows.append(Row((Cell(visit), *cells, *ratio)))
    columns = [Column(language.text("column.nominal_day"), align="left", width="9%")]
    columns += [
        Column(language.text(f"assay.column.{name}"), width=width)
        for name, width in (
            ("pairs", "8%"),
            ("first", "14%"),
            ("second", "14%"),
            ("neither", "10%"),
            ("subjects", "10%"),
            ("geomean", "25%"),
            ("gcv", "10%"),
        )
    ]
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes), _analytes(pairs))


def _visits(context: Context, place: Place) -> list[str]:
    rows = context.results.select(RATIO)
    rows = rows[(rows["variable"] == place.variable) & (rows["analyte"] == place.analyte)]
    return natural_order(set(rows["level1"]))


def _analytes(pairs: Sequence[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for p in pairs for code in (p.analyte, p.variable)))


def _row(label: str, cell: Cell, indent: int = 0) -> Row:
    return Row((Cell(label), cell), indent=indent)

"""Dose levels side by side: exposure with and without the window (14a), overlap (19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from celldossier.terms.language import Language
from celldossier.tlf.cells import Place, Printer, footnote_if, heading
from celldossier.tlf.labels import (
    level_label,
    parameter_symbol,
    percent,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

EXPOSURE = "dose_exploration.exposure"
OVERLAP = "dose_exploration.overlap"
COEFFICIENT = "dose_exploration.overlap_coefficient"
LEVEL = "dose_exploration.dose_level"


def level_settings(context: Context) -> dict[str, Any]:
    """Settings of the part `levels`."""
    return dict(context.settings["dose_exploration"]["levels"])


def order_doses(context: Context) -> list[str]:
    """Dose levels from the lowest planned dose to the highest, as the stage found them."""
    printer = Printer(context.results, context.language)
    return sorted(
        context.results.levels(LEVEL, "dose"),
        key=lambda level: printer.value(Place(LEVEL, "DOSEP", by={"dose": level}), "order").number,
    )


def percent_level(context: Context) -> str:
    """Confidence level of the intervals, in percent."""
    return percent(level_settings(context)["confidence_level"])


def draw_exposure_window(context: Context) -> Table | NotShown:
    """Exposure of each dose level in all subjects and without doses outside the window (14a)."""
    language = context.language
    printer = Printer(context.results, language)
    analyte = str(context.settings["dose_exploration"]["analyte"])
    metrics = shown_metrics(context, printer)
    if not metrics:
        return NotShown("NOTCOLL")
    doses = order_doses(context)
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    few = False
    for metric in metrics:
        total = Place(EXPOSURE, metric, analyte, {"population": "ALL"})
        unit = printer.value(total, "median").unit
        title = with_unit(parameter_symbol(metric), unit)
        rows.append(heading(title))
        for population in ("ALL", "IN_WINDOW"):
            places = [
                Place(EXPOSURE, metric, analyte, {**by, "population": population}) for by in groups
            ]
            few = few or any(printer.few(place) for place in places)
            rows += _exposure_rows(printer, language, places, population)
    columns = level_columns(language, doses, language.text("column.quantity"), "38%")
    notes = [language.text("dose_levels.note.window", level=percent_level(context))]
    notes += footnote_if(few, language, "footnote.few_values")
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), analytes=(analyte,))


def _exposure_rows(
    printer: Printer, language: Language, places: Sequence[Place], population: str
) -> list[Row]:
    name = language.text(f"dose_levels.population.{population}")
    counts = (("n", "count"), ("n_infused", "count"))
    lines: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
        ("geomean_gcv", "{} ({})", (("geomean", "significant"), ("gcv", "integer"))),
        ("geomean_ci", "[{}, {}]", (("ci_low", "significant"), ("ci_high", "significant"))),
        (
            "median_range",
            "{} ({}, {})",
            tuple((stat, "significant") for stat in ("median", "min", "max")),
        ),
        ("n_notabove", "{}", (("n_notabove", "count"),)),
    ]
    if population == "IN_WINDOW":
        lines.append(("n_removed", "{}", (("n_removed", "count"),)))
        lines.append(("ratio_to_all", "{}", (("ratio_to_all", "fixed2"),)))
    rows = [Row((Cell(name), *[printer.cell(place, "{} / {}", *counts) for place in places]))]
    for statistic, pattern, stats in lines:
        cells = []
        for place in places:
            if printer.few(place) and statistic in ("geomean_ci", "median_range"):
                cells.append(printer.blank())
            elif printer.few(place) and statistic == "geomean_gcv":
                cells.append(printer.listed(place))
            else:
                cells.append(printer.cell(place, pattern, *stats))
        text = language.text(f"dose_levels.statistic.{statistic}")
        rows.append(Row((Cell(text), *cells), indent=1))
    return rows


def draw_exposure_overlap(context: Context) -> Table | NotShown:
    """Exposure of neighbouring levels: ratio, overlap, chance of a higher one (19)."""
    language = context.language
    printer = Printer(context.results, language)
    settings = level_settings(context)
    analyte = str(context.settings["dose_exploration"]["analyte"])
    metrics = shown_metrics(context, printer)
    if not metrics:
        return NotShown("NOTCOLL")
    pairs = find_pairs(context)
    if not pairs:
        return NotShown("ONEDLVL")
    rows: list[Row] = []
    for metric in metrics:
        unit = printer.value(Place(EXPOSURE, metric, analyte, {"population": "ALL"}), "median").unit
        rows.append(heading(with_unit(parameter_symbol(metric), unit)))
        for lower, higher in pairs:
            place = Place(OVERLAP, metric, analyte, {"lower": lower, "higher": higher})
            cells = [
                Cell(language.text("dose_levels.pair", lower=lower, higher=higher)),
                printer.cell(place, "{}", ("dose_ratio", "significant")),
                printer.cell(
                    place,
                    "{} ({}) / {} ({})",
                    *((f"{stat}_{side}", "count") for side in ("lower", "higher")
                      for stat in ("n", "n_notabove")),
                ),
                printer.cell(
                    place, "{} / {}", ("geomean_lower", "significant"),
                    ("geomean_higher", "significant"),
                ),
                _interval(printer, place, "ratio", "ratio_low", "ratio_high"),
                *_coefficients(printer, place, settings["overlap"]["estimators"]),
                _interval(printer, place, "p_higher", "p_higher_low", "p_higher_high"),
            ]  # fmt: skip
            rows.append(Row(tuple(cells)))
    names = [language.text(f"overlap.{name}") for name in _estimator_columns(settings)]
    group = language.text("overlap.coefficient")
    level = percent_level(context)
    columns = (
        Column(language.text("column.dose_levels_compared"), align="left", width="11%"),
        Column(language.text("dose_levels.column.dose_ratio")),
        Column(language.text("dose_levels.column.n")),
        Column(language.text("dose_levels.column.geomeans")),
        Column(language.text("dose_levels.column.ratio", level=level)),
        *(Column(name, group=group) for name in names),
        Column(language.text("dose_levels.column.p_higher", level=level)),
    )
    notes = (
        language.text("overlap.note.meaning"),
        language.text(
            "overlap.note.bootstrap",
            interval=language.text(f"overlap.interval.{settings['overlap']['interval']}"),
            resamples=settings["overlap"]["resamples"],
            seed=settings["overlap"]["seed"],
        ),
        language.text("overlap.note.notabove"),
    )
    return Table(columns, tuple(rows), printer.subjects, notes, analytes=(analyte,))


def _estimator_columns(settings: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for estimator in settings["overlap"]["estimators"]:
        names += [estimator, "EXACT"] if estimator == "NORMAL_EQUAL" else [estimator]
    return names


def _coefficients(printer: Printer, pair: Place, estimators: Sequence[str]) -> list[Cell]:
    """Overlap by each estimator with its bootstrap interval; the exact interval beside one."""
    cells = []
    for estimator in estimators:
        place = pair.of(COEFFICIENT).within(estimator=estimator)
        cells.append(_interval(printer, place, "ovl", "ci_low", "ci_high"))
        if estimator == "NORMAL_EQUAL":
            ends = (("exact_low", "fixed2"), ("exact_high", "fixed2"))
            cells.append(printer.cell(place, "[{}, {}]", *ends))
    return cells


def _interval(printer: Printer, place: Place, *stats: str) -> Cell:
    return printer.cell(place, "{} [{}, {}]", *((stat, "fixed2") for stat in stats))


def shown_metrics(context: Context, printer: Printer) -> list[str]:
    """Metrics of the settings that some subject has a value of."""
    analyte = str(context.settings["dose_exploration"]["analyte"])
    places = {
        metric: Place(EXPOSURE, metric, analyte, {"population": "ALL"})
        for metric in level_settings(context)["metrics"]
    }
    return [
        metric
        for metric, place in places.items()
        if printer.exists(place) and printer.value(place, "n").number > 0
    ]


def find_pairs(context: Context) -> list[tuple[str, str]]:
    """Neighbouring dose levels, the lower first."""
    doses = order_doses(context)
    return list(pairwise(doses))


def level_columns(
    language: Language, doses: Sequence[str], first: str, width: str
) -> tuple[Column, ...]:
    """The column of the quantities, one a dose level, and that of all subjects."""
    return (
        Column(first, align="left", width=width),
        *(
            Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
            for dose in doses
        ),
        Column(language.text("label.total")),
    )

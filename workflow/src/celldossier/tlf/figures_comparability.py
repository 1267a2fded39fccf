"""Ratios of the kinetics with the margin (F80), and profiles before and after a change (F80b)."""

from __future__ import annotations

import math

import pandas as pd

from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.comparability_parts import (
    RATIO,
    comparison_name,
    group_name,
    levels,
    list_analytes,
    list_approaches,
    list_groups,
    nothing_compared,
    parameter_heading,
)
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.figures_forest import ForestRow, draw_forest_page, split_pages
from celldossier.tlf.figures_profiles import draw_summary_page, windows_until
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import in_figure_style

MODELS = ("UNADJUSTED", "ADJUSTED")
PROFILE = "comparability.profile"
REFUSED = ("ASSAYDIFF", "ASSAYUNK", "BRIDGELEVEL")
"""Why the assay gate gives no verdict."""


@in_figure_style
def draw_ratio_forest(context: Context) -> Figure | NotShown:
    """A row a comparison, unadjusted and adjusted; the margin of a page is a band."""
    printer = Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    text, words = context.language.text, levels(context)
    reference, *changed = list_groups(context, printer)
    # A band belongs to all rows of its page: parameters of one margin share pages.
    blocks: dict[tuple[float, float] | None, list[list[ForestRow]]] = {}
    lines: list[dict[str, object]] = []
    value_ids: list[str] = []
    reasons: list[str] = []
    bare = refused = False
    for analyte in list_analytes(context):
        for parameter in context.settings["comparability"]["metrics"]:
            name = parameter_heading(context, parameter, analyte)
            found: dict[tuple[float, float] | None, list[ForestRow]] = {}
            for group in changed:
                for approach in list_approaches(context, analyte):
                    by = {"approach": approach, "group": group}
                    for kind, model in enumerate(MODELS):
                        place = Place(RATIO, parameter, analyte, {**by, "model": model})
                        if not printer.exists(place, "gmr"):
                            continue
                        label = text(
                            "change.row",
                            comparison=comparison_name(context, group, reference),
                            approach=text(f"change.approach.{approach}"),
                            model=text(f"change.model.{model}"),
                        )
                        if printer.value(place, "role").text == "PRIMARY":
                            label = text("figure.primary_row", row=label)
                        shown = printer.cell(place, "{} ({}, {})", *interval("gmr", "ratio"))
                        counts = (("n_test", "count"), ("n_reference", "count"))
                        count = printer.cell(place, "{}/{}", *counts)
                        value_ids += [*shown.value_ids, *count.value_ids]
                        reasons += shown.reasons
                        point = _point(printer, place)
                        lines.append(_line(printer, place))
                        band = _margin(lines[-1])
                        bare = bare or band is None
                        if printer.value(place, "verdict").note_code in REFUSED:
                            # A band behind it would give the verdict that may not be given.
                            refused, band = refused or band is not None, None
                        row = ForestRow(label, 1, count.text, shown.text, point, kind)
                        found.setdefault(band, []).append(row)
            for band, own in found.items():
                block = [ForestRow(plain(name), heading=True), *own]
                blocks.setdefault(band, []).append(block)
    if not blocks:
        return NotShown("NODATA")
    heads = (
        text("change.comparison"),
        text("change.n_both"),
        text("change.ratio", **words),
    )
    kinds = [text(f"change.model.{model}") for model in MODELS]
    notes = ["figure.note.margin_band"] if any(blocks) else []
    notes += ["figure.note.margin_none"] if bare else []
    notes += ["figure.note.margin_refused"] if refused else []
    notes.append("figure.note.primary_row")
    return Figure(
        pages=tuple(
            draw_forest_page(rows, heads, text("change.axis"), kinds, band)
            for band, own in blocks.items()
            for rows in split_pages(own)
        ),
        data=pd.DataFrame(lines),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(value_ids)),
        footnotes=tuple(text(note) for note in notes),
        analytes=tuple(list_analytes(context)),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=text("figure.change_forest.alternative"),
    )


def _margin(line: dict[str, object]) -> tuple[float, float] | None:
    """Margin of a row of the data, None where none was set."""
    lower, upper = float(str(line["MARGIN_LOWER"])), float(str(line["MARGIN_UPPER"]))
    return None if math.isnan(lower) else (lower, upper)


def _point(printer: Printer, place: Place) -> tuple[float, float, float] | None:
    estimate, low, high = (
        printer.value(place, stat).number for stat in ("gmr", "gmr_low", "gmr_high")
    )
    return None if math.isnan(estimate) else (estimate, low, high)


def _line(printer: Printer, place: Place) -> dict[str, object]:
    stats = ("n_test", "n_reference", "gmr", "gmr_low", "gmr_high", "margin_lower", "margin_upper")
    keys = {key.upper(): level for key, level in place.by.items()}
    keys["ROLE"] = printer.value(place, "role").text
    numbers = {stat.upper(): printer.value(place, stat).number for stat in stats}
    return {"PARAMCD": place.variable, "ANALYTE": place.analyte, **keys, **numbers}


@in_figure_style
def draw_profiles_by_group(context: Context) -> Figure | NotShown:
    """Medians with quartiles over nominal time, as measured; every point is an analysis result."""
    printer = Printer(context.results, context.language)
    if nothing_compared(printer):
        return NotShown(nothing_compared(printer))
    points = read_points(context)
    if points["y"].notna().sum() == 0:
        return NotShown("FEWVAL" if len(points) else "NODATA")
    rules, text = context.settings["comparability"], context.language.text
    groups = list_groups(context, printer)
    names = [plain(group_name(context.language, group, rules["by"])) for group in groups]
    curves = {
        analyte: rows
        for analyte in list_analytes(context)
        if (rows := points[points["analyte"] == analyte])["y"].notna().any()
    }
    end = max(float(rows["x"].max()) for rows in curves.values())
    columns = {"x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N", "y_unit": "AVALU"}
    columns |= {"analyte": "PARAMCD", "level": "GROUP"}
    largest = points.groupby(["analyte", "level"])["subjects"].max().groupby("analyte").sum()
    return Figure(
        pages=(draw_summary_page(context, curves, groups, names, windows_until(end)),),
        data=points[list(columns)].rename(columns=columns).reset_index(drop=True),
        subjects=int(largest.max()),
        footnotes=(text("figure.note.change_profiles"),),
        analytes=tuple(curves),
        alternative_text=text("figure.change_profiles.alternative"),
    )


def read_points(context: Context) -> pd.DataFrame:
    """One row a point: analyte, level, x (days), y, low, high, n, y_unit, subjects."""
    columns = ["analyte", "level", "x", "y", "low", "high", "n", "y_unit", "subjects"]
    rows = context.results.select(PROFILE)
    if rows.empty:
        return pd.DataFrame(columns=columns).astype({"y": float})
    names = {"median": "y", "q1": "low", "q3": "high", "n": "n"}
    # Keys of the results are sorted: day, group.
    wide = rows.assign(stat=rows["stat_name"].map(names)).pivot(
        index=["analyte", "level2", "level1"], columns="stat", values="value"
    )
    found = wide.reset_index().rename(columns={"level2": "level", "level1": "x"})
    about = rows.loc[rows["stat_name"] == "median", ["analyte", "level2", "level1", "unit", "n"]]
    about.columns = pd.Index(["analyte", "level", "x", "y_unit", "subjects"])
    points = found.merge(about, on=["analyte", "level", "x"])
    points["x"] = points["x"].astype(float)
    points = points.sort_values(["analyte", "level", "x"], kind="stable", ignore_index=True)
    return points[columns]

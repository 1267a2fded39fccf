"""Forests of covariates: of exposure (F72) and of outcomes (F72b)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.covariate_labels import contrast_label, group_label, order_covariates
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.figures_forest import ForestRow, draw_forest_page, split_pages
from celldossier.tlf.labels import endpoint_label, metric_label, percent
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import in_figure_style

FOREST = "exposure_response.covariate_forest"
FULL = "exposure_response.covariate_full"
OUTCOME = "exposure_response.covariate_outcome"

EQUIVALENCE = (0.8, 1.25)
"""Shaded band of the forest of exposure: a help for the eye, no decision rule."""


@dataclass
class _Pages:
    """Rows in blocks that stay together, and what was printed in them."""

    blocks: list[list[ForestRow]] = field(default_factory=list)
    value_ids: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)

    def add_row(
        self,
        printer: Printer,
        place: Place,
        stats: tuple[str, str, str],
        row: ForestRow,
        keys: dict[str, object],
    ) -> ForestRow:
        """A row with its ratio and counts printed, and its numbers among the data."""
        ratio = printer.cell(place, "{} ({}–{})", *((stat, "significant") for stat in stats))
        self.value_ids += ratio.value_ids
        self.reasons += ratio.reasons
        numbers = [printer.value(place, stat).number for stat in stats]
        self.lines.append(
            {
                **keys,
                **dict(zip(("RATIO", "LOW", "HIGH"), numbers, strict=True)),
                "N": printer.value(place, "n").number,
            }
        )
        point = None if math.isnan(numbers[0]) else (numbers[0], numbers[1], numbers[2])
        return ForestRow(row.label, row.indent, row.counts, ratio.text, point, row.kind)


@in_figure_style
def draw_covariate_forest(context: Context) -> Figure | NotShown:
    """Geometric mean ratios of exposure, one covariate at a time and all in one model (F72).

    Options: ``metric`` (AUC28).
    """
    metric = str(context.options.get("metric", "AUC28"))
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    printer = Printer(context.results, context.language)
    table = context.results.select(FOREST)
    table = table[(table["variable"] == metric) & (table["stat_name"] == "gmr")]
    if table.empty:
        return NotShown("NOTCOLL")
    place = Place(FOREST, metric, analyte)
    pages = _Pages()
    text = context.language.text
    stats = ("gmr", "gmr_low", "gmr_high")
    for group, names in order_covariates(context, set(table["level1"])):
        # Keys of the results are sorted: covariate, level.
        head: list[ForestRow] = [ForestRow(group_label(context.language, group), heading=True)]
        for name in names:
            for level in natural_order(table.loc[table["level1"] == name, "level2"]):
                cell = place.within(covariate=name, level=level)
                label, shown = contrast_label(context.language, printer, cell, name, level)
                count = printer.cell(cell, "{}", ("n", "count"))
                if printer.exists(cell, "reference"):
                    count = printer.cell(cell, "{}/{}", ("n", "count"), ("n_reference", "count"))
                pages.value_ids += [*shown, *count.value_ids]
                keys: dict[str, object] = {"METRIC": metric, "COVARIATE": name, "LEVEL": level}
                row = ForestRow(label, 1, count.text)
                block = [
                    *head,
                    pages.add_row(printer, cell, stats, row, {**keys, "MODEL": "UNIVARIABLE"}),
                ]
                head = []
                together = cell.of(FULL)
                if printer.exists(together, "gmr"):
                    row = ForestRow(text("figure.forest.full"), 2, kind=1)
                    block.append(
                        pages.add_row(printer, together, stats, row, {**keys, "MODEL": "FULL"})
                    )
                pages.blocks.append(block)
    level_text = percent(settings["ratio_confidence_level"])
    heads = (
        text("figure.forest.covariate"),
        text("figure.forest.n"),
        text("figure.forest.ratio", level=level_text),
    )
    title = text("figure.forest.axis", metric=metric_label(context.language, metric))
    kinds = [text("figure.forest.univariable"), text("figure.forest.full")]
    return Figure(
        pages=tuple(
            draw_forest_page(rows, heads, title, kinds, EQUIVALENCE)
            for rows in split_pages(pages.blocks)
        ),
        data=pd.DataFrame(pages.lines),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(pages.value_ids)),
        footnotes=(text("figure.note.forest"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(pages.reasons)),
        alternative_text=text(
            "figure.forest.alternative", metric=metric_label(context.language, metric)
        ),
    )


@in_figure_style
def draw_outcome_forest(context: Context) -> Figure | NotShown:
    """Odds or hazard ratios of covariates, alone, beside the exposure and together (F72b).

    A page for each endpoint. Options: ``covariates`` (those of the figure; all of them
    stand in the table).
    """
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    printer = Printer(context.results, context.language)
    table = context.results.select(OUTCOME)
    table = table[table["stat_name"] == "ratio"]
    if table.empty:
        return NotShown("NOTCOLL")
    wanted = {str(name) for name in context.options.get("covariates", [])} or set(table["level1"])
    text = context.language.text
    pages = _Pages()
    drawn = []
    level_text = percent(settings["confidence_level"])
    models = ("TOTAL", "WITH_EXPOSURE", "FULL")
    kinds = [text(f"level.covariate_model.{model}") for model in models]
    declared = [str(code) for code in settings["endpoints"]]
    for endpoint in [code for code in declared if code in set(table["variable"])]:
        own = table[(table["variable"] == endpoint) & table["level1"].isin(wanted)]
        start, measure = len(pages.blocks), "OR"
        for group, names in order_covariates(context, set(own["level1"])):
            head = [ForestRow(group_label(context.language, group), heading=True)]
            for name in names:
                levels = own.loc[own["level1"] == name, "level2"]
                for level in natural_order(levels.unique()):
                    block = list(head)
                    head = []
                    for kind, model in enumerate(models):
                        by = {"covariate": name, "level": level, "model": model}
                        place = Place(OUTCOME, endpoint, analyte, by)
                        if not printer.exists(place, "ratio"):
                            continue
                        measure = printer.value(place, "measure").text
                        label, indent, counts = kinds[kind], 2, ""
                        if not kind:
                            label, shown = contrast_label(
                                context.language, printer, place, name, level
                            )
                            indent = 1
                            pages.value_ids += shown
                        count = printer.cell(place, "{}/{}", ("events", "count"), ("n", "count"))
                        pages.value_ids += count.value_ids
                        counts = count.text
                        keys: dict[str, object] = {"ENDPOINT": endpoint, **by}
                        row = ForestRow(label, indent, counts, kind=kind)
                        stats = ("ratio", "ratio_low", "ratio_high")
                        block.append(pages.add_row(printer, place, stats, row, keys))
                    if len(block) > len(head):
                        pages.blocks.append(block)
        heads = (
            text("figure.forest.covariate"),
            text("figure.forest.events"),
            text(f"figure.forest.{measure.lower()}", level=level_text),
        )
        axis = text(
            f"figure.forest.{measure.lower()}_axis",
            endpoint=endpoint_label(context, endpoint),
        )
        drawn += [
            draw_forest_page(rows, heads, plain(axis), kinds, None)
            for rows in split_pages(pages.blocks[start:])
        ]
    if not drawn:
        return NotShown("NOTCOLL")
    return Figure(
        pages=tuple(drawn),
        data=pd.DataFrame(pages.lines),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(pages.value_ids)),
        footnotes=(text("figure.note.outcome_forest"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(pages.reasons)),
        alternative_text=text("figure.forest.outcome_alternative"),
    )

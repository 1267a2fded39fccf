"""Depth of lymphodepletion against exposure (F86)."""

from __future__ import annotations

import pandas as pd

from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.figures_axes import axis_title, plain
from celldossier.tlf.labels import metric_label, percent, variable_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_lymphodepletion_exposure import CORRELATION, lymphodepletion_missing

KEY = ["STUDYID", "USUBJID"]
DEPTHS = ("ALCINF", "ALCNAD")
UNIT = "10^9/L"


@in_figure_style
def draw_depth_exposure(context: Context) -> Figure | NotShown:
    """A panel a measure of depth and metric, a point a subject, both axes logarithmic."""
    printer = Printer(context.results, context.language)
    if lymphodepletion_missing(context, printer):
        return NotShown(lymphodepletion_missing(context, printer))
    rules = context.settings["special_considerations"]
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    points = read_points(
        context.dataset("ADSL"), context.dataset("ADPP"), analyte, rules["metrics"]
    )
    depths = [depth for depth in DEPTHS if (points["DEPTH"] == depth).any()]
    metrics = [metric for metric in rules["metrics"] if (points["METRIC"] == metric).any()]
    if not depths or not metrics:
        return NotShown("NODATA")
    text = context.language.text
    figure = new_figure(12 + 62 * len(metrics))
    panels = figure.subplots(len(metrics), len(depths), squeeze=False, sharex="col", sharey="row")
    value_ids: list[str] = []
    reasons: list[str] = []
    for row, metric in enumerate(metrics):
        for column, depth in enumerate(depths):
            axes = panels[row][column]
            own = points[(points["METRIC"] == metric) & (points["DEPTH"] == depth)]
            axes.scatter(own["X"], own["Y"], s=12, color=PALETTE[0], alpha=0.7, linewidths=0)
            axes.set_xscale("log")
            axes.set_yscale("log")
            place = Place(CORRELATION, depth, analyte, {"metric": metric})
            cell = printer.cell(place, "{} ({}, {})", *interval("rho", "fixed2"))
            value_ids += cell.value_ids
            reasons += cell.reasons
            level = percent(rules["confidence_level"])
            axes.set_title(plain(text("figure.depth_rho", rho=cell.text, level=level)))
            if column == 0:
                unit = str(own["Y_UNIT"].iloc[0]) if len(own) else ""
                axes.set_ylabel(axis_title(metric_label(context.language, metric), unit))
            if row == len(metrics) - 1:
                label = variable_label(context.language, "ADSL", depth)
                axes.set_xlabel(axis_title(label, UNIT))
    return Figure(
        pages=(figure,),
        data=points.reset_index(drop=True),
        subjects=points["USUBJID"].nunique(),
        value_ids=tuple(value_ids),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=text("figure.depth_exposure.alternative"),
    )


def read_points(
    adsl: pd.DataFrame, adpp: pd.DataFrame, analyte: str, metrics: list[str]
) -> pd.DataFrame:
    """Depth and exposure of each subject of the kinetics set who has both above 0."""
    subjects = adsl.loc[(adsl["SAFFL"] == "Y") & (adsl["PKFL"] == "Y")]
    course = adpp.loc[(adpp["PARCAT1"] == analyte) & (adpp["PROFTYP"] == "COURSE")]
    parts = []
    for metric in metrics:
        values = course.loc[course["PARAMCD"] == metric, [*KEY, "AVAL", "AVALU"]]
        both = subjects.merge(values, on=KEY, how="inner")
        for depth in DEPTHS:
            known = both.loc[(both[depth] > 0) & (both["AVAL"] > 0)]
            parts.append(
                pd.DataFrame(
                    {
                        "USUBJID": known["USUBJID"],
                        "DEPTH": depth,
                        "METRIC": metric,
                        "X": known[depth],
                        "Y": known["AVAL"],
                        "Y_UNIT": known["AVALU"],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)

"""Biodistribution: mean course of each compartment (F33)."""

from __future__ import annotations

import pandas as pd

from celldossier.tlf.figures_axes import plain
from celldossier.tlf.figures_data import curve_data, select_curve, series_level
from celldossier.tlf.figures_profiles import draw_summary_page, windows_until
from celldossier.tlf.labels import analytes_in
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import in_figure_style
from celldossier.tlf.tables_compartments import SUBJECTS, compartment_label, order_compartments


@in_figure_style
def draw_biodistribution(context: Context) -> Figure | NotShown:
    """Geometric mean of each compartment, a page an analyte or a marker of the images (F33).

    The number of quantifiable results stands below the axis.
    """
    pages, data, shown = [], [], []
    subjects = 0
    for analyte in analytes_in(context, SUBJECTS):
        points = select_curve(context, f"cellular_kinetics.compartment/{analyte}", "summary")
        names = [series_level(name, "compartment") or "" for name in points["series"]]
        points = points.assign(level=names)
        if not points["y"].notna().any():
            continue
        levels = [n for n in order_compartments(context, analyte) if n in set(points["level"])]
        labels = [plain(compartment_label(context, name)) for name in levels]
        windows = windows_until(float(points["x"].max()))
        pages.append(draw_summary_page(context, {analyte: points}, levels, labels, windows))
        data.append(curve_data(points).assign(PARAMCD=analyte))
        shown.append(analyte)
        subjects = max(subjects, int(points["n"].max()))
    if not pages:
        return NotShown("NOTCOLL")
    return Figure(
        pages=tuple(pages),
        data=pd.concat(data, ignore_index=True),
        subjects=subjects,
        footnotes=(context.language.text("figure.note.geometric_profile"),),
        analytes=tuple(shown),
        alternative_text=context.language.text("figure.biodistribution.alternative"),
    )

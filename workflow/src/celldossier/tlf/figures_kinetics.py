"""All profiles of one analyte, by indication and dose (F21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.figures_axes import (
    axis_title,
    plain,
    regular_grid,
    share_ticks,
    use_day_axis,
    use_log_axis,
)
from celldossier.tlf.figures_data import (
    curve_data,
    primary_analyte,
    read_medians,
    read_samples,
)
from celldossier.tlf.figures_profiles import windows_until
from celldossier.tlf.labels import analyte_label, level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    GREY,
    PALETTE,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@in_figure_style
def draw_spaghetti(context: Context) -> Figure | NotShown:
    """All profiles of one analyte, by indication and dose, with the median of the dose (F21).

    The upper rows show days 0 to 28, the lower ones the whole follow-up.
    Options: ``analyte`` (the primary one of the config).
    """
    analyte = primary_analyte(context)
    samples = read_samples(context, [analyte])
    samples = samples[samples["SHOWN"].notna()]
    if samples.empty:
        return NotShown("NOTCOLL")
    # As in the summaries of the same figure, a result below LLOQ is shown at half of it.
    below = samples["BLQFL"] == "Y"
    samples = samples.assign(SHOWN=samples["SHOWN"].where(~below, samples["ALLOQ"] / 2))
    groups = context.dataset("ADSL")[["USUBJID", "INDIC", "TRT01A"]]
    samples = samples.merge(groups, on="USUBJID", how="left", validate="many_to_one")
    indications = natural_order(samples["INDIC"].unique())
    doses = natural_order(samples["TRT01A"].unique())
    median = read_medians(context, analyte)
    end = float(samples["AFRLT"].max())
    limits = (float(samples["SHOWN"].min()), float(samples["SHOWN"].max()))
    windows = windows_until(end)
    row_height = max(36.0, min(55.0, 180.0 / (len(indications) * len(windows))))
    figures = []
    # Rows of all windows on one page as long as they fit.
    together = len(indications) * len(windows) * row_height <= 190
    for page in [windows] if together else [[window] for window in windows]:
        rows = [(window, indication) for window in page for indication in indications]
        figure = new_figure(row_height * len(rows) + 14, layout=None)
        grid = regular_grid(figure, len(rows), len(doses))
        for axes_row, (window, indication) in zip(grid, rows, strict=True):
            for axes, dose in zip(axes_row, doses, strict=True):
                cell = samples[(samples["INDIC"] == indication) & (samples["TRT01A"] == dose)]
                _draw_lines(axes, cell, _median_of(median, indication, dose))
                use_day_axis(axes, window, 170 / len(doses) - 8)
                use_log_axis(axes, *limits)
                share_ticks(axes, bottom=True, left=axes is axes_row[0])
                axes.set_title(_panel_title(context, indication, dose, cell))
        title = axis_title(analyte_label(context, analyte), samples["AVALU"].iloc[0])
        height = row_height * len(rows) + 14
        figure.text(0.5, 2.0 / height, context.language.text("figure.days"), ha="center")
        figure.text(0.012, 0.5, title, rotation=90, ha="left", va="center")
        figure.legend(
            handles=_spaghetti_legend(context), loc="upper center", ncols=3, borderaxespad=0.2
        )
        figures.append(figure)
    subjects = int(samples["USUBJID"].nunique())
    columns = ["USUBJID", "INDIC", "TRT01A", "PARAMCD", "AFRLT", "SHOWN", "AVALU", "BLQFL", "ALLOQ"]
    data = samples[columns].rename(columns={"AFRLT": "DAY", "SHOWN": "VALUE"})
    return Figure(
        pages=tuple(figures),
        data=pd.concat([data, curve_data(median)], ignore_index=True),
        subjects=subjects,
        footnotes=(context.language.text("figure.note.blq_half_lloq"),),
        analytes=(analyte,),
        alternative_text=context.language.text("figure.spaghetti.alternative", total=subjects),
    )


def _median_of(median: pd.DataFrame, indication: str, dose: str) -> pd.DataFrame:
    """The median of indication and dose where the stage has one, else of the dose."""
    for series in (f"dose={dose}/indication={indication}", f"dose={dose}"):
        rows = median[median["series"] == series]
        if rows["y"].notna().any():
            return rows
    return median.iloc[:0]


def _panel_title(context: Context, indication: str, dose: str, cell: pd.DataFrame) -> str:
    names = (
        level_label(context.language, "indication", indication),
        level_label(context.language, "dose", dose),
    )
    name = context.language.text("label.list_separator").join(names)
    return plain(f"{name} (n = {cell['USUBJID'].nunique()})")


def _draw_lines(axes: Axes, cell: pd.DataFrame, median: pd.DataFrame) -> None:
    from matplotlib.collections import LineCollection

    lines = [part[["AFRLT", "SHOWN"]].to_numpy() for _, part in cell.groupby("USUBJID")]
    axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.45, alpha=0.7))
    for lloq in sorted(cell["ALLOQ"].dropna().unique()):
        axes.axhline(lloq, color="#555555", linewidth=0.6, linestyle=":")
    axes.plot(median["x"], median["y"], color=PALETTE[1], linewidth=1.5)


def _spaghetti_legend(context: Context) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    return [
        Line2D([], [], color=GREY, linewidth=0.6, label=text("figure.spaghetti.subject")),
        Line2D([], [], color=PALETTE[1], linewidth=1.5, label=text("figure.spaghetti.median")),
        Line2D([], [], color="#555555", linestyle=":", linewidth=0.8, label=text("figure.lloq")),
    ]

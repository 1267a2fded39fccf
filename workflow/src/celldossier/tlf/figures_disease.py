"""Figures of the markers of the disease: waterfall of the best change, spider plot (F48, F48a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import place_axes, plain, use_day_axis
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import analyte_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, LINES, PAGE_WIDTH, PALETTE, in_figure_style, new_figure
from celldossier.tlf.tables_disease import DISEASE, REASONS, disease_markers

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")
"""Hatches of the bars of a response, so that it is never told by its colour alone."""

HIGHEST = 100.0
"""Percent at which a bar or a line is cut, and its value printed."""

RESPONSES = ("CR", "CRi", "sCR", "VGPR", "PR", "MR", "SD", "NR", "PD", "NE", "")
"""Best responses from the best to the worst; others follow, a missing one is last."""


class Style(NamedTuple):
    """Look of a response: colour, line style and hatch."""

    colour: str
    line: Any
    hatch: str


@in_figure_style
def draw_waterfall(context: Context) -> Figure | NotShown:
    """Best percent change of each evaluable subject, sorted, by best response; a page a marker."""
    return _draw(context, "best")


@in_figure_style
def draw_spider(context: Context) -> Figure | NotShown:
    """Percent change of each subject over time, by best response; a page a marker."""
    return _draw(context, "course")


def _draw(context: Context, kind: str) -> Figure | NotShown:
    markers = disease_markers(context)
    curves = {m: select_curve(context, f"{DISEASE}_{kind}/{m}") for m in markers}
    curves = {marker: rows for marker, rows in curves.items() if len(rows)}
    if not curves:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, context.language)
    text = context.language.text
    responses = best_responses(context)
    pages, data, notes, printed = [], [], [], []
    for marker, rows in curves.items():
        response = rows["series"].map(responses).fillna("")
        own = rows.assign(RESPONSE=response.astype(object))
        if kind == "best":
            own = own.sort_values("x", kind="stable", ignore_index=True)
        page = _draw_bars if kind == "best" else _draw_lines
        pages.append(page(context, marker, own))
        names = {"series": "USUBJID", "x": "RANK" if kind == "best" else "DAY", "y": "VALUE"}
        data.append(own[[*names, "RESPONSE"]].rename(columns=names).assign(ANALYTE=marker))
        note, values = _count_left_out(context, printer, marker)
        notes.append(note)
        printed += values
    subjects = max(rows["series"].nunique() for rows in curves.values())
    return Figure(
        pages=tuple(pages),
        data=pd.concat(data, ignore_index=True),
        subjects=subjects,
        value_ids=tuple(printed),
        footnotes=(text(f"figure.note.disease_{kind}", highest=f"{HIGHEST:g}"), *notes),
        analytes=tuple(curves),
        alternative_text=text(
            f"figure.disease_{kind}.alternative",
            markers=text("label.list_separator").join(analyte_label(context, m) for m in curves),
            total=subjects,
        ),
    )


def best_responses(context: Context) -> dict[str, str]:
    """Best overall response by subject; blank where it is not known."""
    adrs = context.dataset("ADRS")
    best = adrs[adrs["PARAMCD"] == "BOR"].drop_duplicates("USUBJID")
    return dict(zip(best["USUBJID"], best["AVALC"], strict=True))


def _count_left_out(context: Context, printer: Printer, marker: str) -> tuple[str, list[str]]:
    """Who is not shown and why, and the identifiers of the numbers printed."""
    text, place = context.language.text, Place(DISEASE, marker)
    cells = [("", printer.cell(place, "{}", (f"n_{code.lower()}", "count"))) for code in REASONS]
    words = [
        text("figure.disease.reason", reason=context.language.reason(code), n=cell.text)
        for code, (_, cell) in zip(REASONS, cells, strict=True)
        if cell.text != "0"
    ]
    shown = printer.cell(place, "{}/{}", ("n_evaluable", "count"), ("n_set", "count"))
    values = [*shown.value_ids, *(v for _, cell in cells for v in cell.value_ids)]
    key = "figure.disease.left_out" if words else "figure.disease.all_shown"
    note = text(
        key,
        marker=analyte_label(context, marker),
        shown=shown.text,
        reasons=text("label.sentence_separator").join(words),
    )
    return note, values


def _colours(rows: pd.DataFrame) -> dict[str, Style]:
    """Look of each response that occurs."""
    found = set(rows["RESPONSE"])
    ordered = [name for name in RESPONSES if name in found]
    ordered += sorted(found - set(RESPONSES))
    ordered.sort(key=lambda name: name == "")
    return {
        name: Style(
            GREY if name in ("", "NE") else PALETTE[place % len(PALETTE)],
            LINES[place % len(LINES)],
            HATCHES[place % len(HATCHES)],
        )
        for place, name in enumerate(ordered)
    }


def _page(context: Context, marker: str) -> tuple[MatplotlibFigure, Axes]:
    figure = new_figure(92.0, layout=None)
    axes = place_axes(figure, 17.0, 12.0, PAGE_WIDTH - 20.0, 60.0)
    text = context.language.text
    axes.set_ylabel(text("figure.disease.change"))
    axes.set_title(plain(analyte_label(context, marker)))
    lines = context.settings["pharmacodynamics"]["disease"]["reference_lines"].get(marker, ())
    for level in lines:
        axes.axhline(level, color=GREY, linewidth=0.7, linestyle="--", zorder=0.6)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_ylim(-106, HIGHEST + 16)
    return figure, axes


def _draw_bars(context: Context, marker: str, rows: pd.DataFrame) -> MatplotlibFigure:
    """Bars from the worst to the best change; an arrow where the fall may be deeper."""
    figure, axes = _page(context, marker)
    styles = _colours(rows)
    cut = rows["y"].clip(upper=HIGHEST)
    axes.bar(
        rows["x"],
        cut,
        width=0.8,
        color=[styles[name].colour for name in rows["RESPONSE"]],
        hatch=[styles[name].hatch for name in rows["RESPONSE"]],
        edgecolor="white",
        linewidth=0,
        zorder=2,
    )
    # The height of a bar near 0 is not to be seen: a mark says that there is a subject.
    small = rows[rows["y"].abs() < 1]
    colours = [styles[name].colour for name in small["RESPONSE"]]
    axes.scatter(small["x"], small["y"], s=10, marker="_", c=colours, zorder=3)
    above = rows[rows["y"] > HIGHEST]
    for x, y in zip(above["x"], above["y"], strict=True):
        axes.annotate(
            f"{y:.0f}",
            (x, HIGHEST + 1),
            ha="center",
            va="bottom",
            fontsize=7,
            rotation=90 if len(rows) > 40 else 0,
        )
    limit = rows[rows["high"].notna()]
    axes.scatter(limit["x"], limit["y"] - 3, s=14, marker="v", color="black", zorder=3)
    axes.set_xlim(0.2, len(rows) + 0.8)
    axes.set_xticks([])
    axes.set_xlabel(context.language.text("figure.disease.subjects"))
    _add_legend(context, figure, styles, bool(len(limit)), bars=True)
    return figure


def _draw_lines(context: Context, marker: str, rows: pd.DataFrame) -> MatplotlibFigure:
    """A line a subject; a point at each assessment."""
    figure, axes = _page(context, marker)
    styles = _colours(rows)
    for _, own in rows.groupby("series", sort=True):
        style = styles[str(own["RESPONSE"].iloc[0])]
        axes.plot(
            own["x"],
            own["y"].clip(upper=HIGHEST),
            color=style.colour,
            linestyle=style.line,
            marker="o",
            markersize=2,
            linewidth=0.8,
            alpha=0.85,
        )
    limit = rows[rows["high"].notna()]
    axes.scatter(limit["x"], limit["y"] - 3, s=14, marker="v", color="black", zorder=3)
    use_day_axis(axes, float(rows["x"].max()), PAGE_WIDTH - 20.0)
    axes.set_xlabel(context.language.text("figure.days"))
    _add_legend(context, figure, styles, bool(len(limit)), bars=False)
    return figure


def _add_legend(
    context: Context,
    figure: MatplotlibFigure,
    styles: dict[str, Style],
    limited: bool,
    *,
    bars: bool,
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = context.language.text
    handles: list[Artist] = []
    for name, style in styles.items():
        label = name or text("label.missing")
        handles.append(
            Patch(facecolor=style.colour, hatch=style.hatch, edgecolor="white", label=label)
            if bars
            else Line2D([], [], color=style.colour, linestyle=style.line, label=label)
        )
    if limited:
        handles.append(
            Line2D(
                [],
                [],
                color="black",
                marker="v",
                linestyle="",
                markersize=4,
                label=text("figure.disease.limit"),
            )
        )
    figure.legend(
        handles=handles,
        loc="upper center",
        ncols=min(6, len(handles)),
        title=text("column.best_response"),
    )

"""Figures of exposure and the time to an event: Kaplan-Meier by exposure (F58, F42)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.exposure_models import exposure_analyte, list_option
from celldossier.tlf.figures_axes import day_ticks, place_axes, plain, text_width, use_day_axis
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import endpoint_label, level_label, metric_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import LINES, PAGE_WIDTH, PALETTE, SMALL, in_figure_style, new_figure
from celldossier.tlf.tables_survival_models import COX, LOG_RANK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

AT_RISK = "exposure_response.survival_at_risk"
TICK_WIDTH = 45.0
"""Width by which the days of the axis are chosen, mm: no panel is narrower."""
SPLITS = ("HALF", "TERTILE")
ROW = 3.4
"""Height of a line of numbers at risk, mm."""
HEAD, TITLE, AXIS = 9.5, 5.0, 9.5
"""Heights of the texts of an endpoint, of the title of a panel, and of the time axis, mm."""


@dataclass(frozen=True)
class EndpointPanels:
    """What is drawn of one endpoint: the curves of each split, lowest exposure first."""

    endpoint: str
    metric: str
    splits: dict[str, dict[str, pd.DataFrame]]

    def height(self, tall: float) -> float:
        """Height with curves of `tall` mm."""
        most = max(len(own) for own in self.splits.values())
        return HEAD + TITLE + tall + AXIS + ROW * (most + 1)


@in_figure_style
def draw_survival_by_exposure(context: Context) -> Figure | NotShown:
    """Kaplan-Meier by halves and tertiles of the exposure from the landmark on, with risk tables.

    Options: ``endpoints``, a row of panels each; ``metric``.
    """
    metric = str(context.options["metric"])
    analyte = exposure_analyte(context)
    named = list_option(context, "endpoints")
    rows = [
        panels
        for endpoint in named
        if (panels := _read_panels(context, endpoint, metric)) is not None
    ]
    if not rows:
        tested = context.results.select(LOG_RANK)
        return NotShown("FEWSUBJ" if tested["variable"].isin(named).any() else "NOTAPPL")
    tall = 33.0 if len(rows) > 1 else 60.0
    figure = new_figure(sum(item.height(tall) for item in rows) + 1, layout=None)
    printer = Printer(context.results, context.language)
    printed: list[str] = []
    reasons: list[str] = []
    bottom = 1.0
    for item in reversed(rows):
        _draw_endpoint(context, printer, figure, item, analyte, bottom, tall, printed, reasons)
        bottom += item.height(tall)
    names = {"x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N"}
    data = [
        curve.assign(ENDPOINT=item.endpoint, SPLIT=split, GROUP=level)
        for item in rows
        for split, own in item.splits.items()
        for level, curve in own.items()
    ]
    text = context.language.text
    return Figure(
        pages=(figure,),
        data=pd.concat(data, ignore_index=True)[["ENDPOINT", "SPLIT", "GROUP", *names]].rename(
            columns=names
        ),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(printed)),
        footnotes=(text("figure.note.survival_by_exposure"),),
        analytes=(analyte,),
        reasons=tuple(dict.fromkeys(reasons)),
        alternative_text=text(
            "figure.survival_by_exposure.alternative",
            endpoints=text("label.list_separator").join(
                endpoint_label(context, item.endpoint) for item in rows
            ),
            metric=metric_label(context.language, metric),
            total=printer.subjects,
        ),
    )


def _read_panels(context: Context, endpoint: str, metric: str) -> EndpointPanels | None:
    splits = {}
    for split in SPLITS:
        curve = select_curve(context, f"exposure_response.survival/{endpoint}/{metric}/{split}")
        levels = natural_order(set(curve["series"]))
        if levels:
            splits[split] = {level: curve[curve["series"] == level] for level in levels}
    return EndpointPanels(endpoint, metric, splits) if splits else None


def _draw_endpoint(
    context: Context,
    printer: Printer,
    figure: MatplotlibFigure,
    item: EndpointPanels,
    analyte: str,
    bottom: float,
    tall: float,
    printed: list[str],
    reasons: list[str],
) -> None:
    """A row of panels: heads over both, curves, and numbers at risk below each."""
    language = context.language
    names = {
        level: plain(level_label(language, "exposure_group", level))
        for own in item.splits.values()
        for level in own
    }
    margin = 6.0 + max(text_width(name, SMALL) for name in names.values())
    wide = (PAGE_WIDTH - 3) / len(SPLITS) - margin
    most = max(len(own) for own in item.splits.values())
    strip = ROW * (most + 1)
    head = place_axes(figure, 0, bottom + strip + AXIS + tall + TITLE, PAGE_WIDTH, HEAD)
    head.set_axis_off()
    for place, line in enumerate(_head_lines(context, printer, item, analyte, printed, reasons)):
        head.text(
            0.01,
            0.72 - 0.42 * place,
            plain(line),
            transform=head.transAxes,
            va="center",
            fontsize=8 if place == 0 else SMALL,
        )
    for place, (split, own) in enumerate(item.splits.items()):
        left = margin + place * (margin + wide)
        axes = place_axes(figure, left, bottom + strip + AXIS, wide, tall)
        end = max(float(rows["x"].max()) for rows in own.values())
        _draw_curves(axes, own)
        begin = max(min(float(rows["x"].min()) for rows in own.values()), 0.0)
        # Not by the width left of the labels: both languages print the same numbers.
        days = day_ticks(end, TICK_WIDTH, "linear", begin)
        use_day_axis(axes, end, wide)
        axes.set_xticks(days, [str(day) for day in days])
        axes.set_ylim(-3, 103)
        axes.set_ylabel(language.text("figure.survival_by_exposure.share"))
        origin = "response" if item.endpoint == "DOR" else "infusion"
        axes.set_xlabel(language.text(f"figure.survival_by_exposure.days_{origin}"), labelpad=1)
        base = Place(LOG_RANK, item.endpoint, analyte, {"metric": item.metric, "split": split})
        test = printer.cell(base, "{}", ("p", "p"))
        printed += test.value_ids
        reasons += test.reasons
        axes.set_title(
            language.text(
                "figure.survival_by_exposure.title",
                split=level_label(language, "split", split),
                p=test.text,
            ),
            fontsize=SMALL,
            pad=2,
        )
        numbers = place_axes(figure, left, bottom, wide, strip)
        numbers.set_xlim(axes.get_xlim())
        numbers.set_axis_off()
        numbers.set_ylim(strip, 0)
        heading = language.text("figure.persistence.at_risk")
        numbers.text(
            -0.02, ROW * 0.5, heading, va="center", ha="right", fontsize=SMALL,
            transform=numbers.get_yaxis_transform(),
        )  # fmt: skip
        for number, level in enumerate(own):
            height = ROW * (number + 1.5)
            counts = base.of(AT_RISK).within(group=level)
            printed += _draw_counts(printer, numbers, counts, days, height)
            numbers.text(
                -0.02, height, names[level], va="center", ha="right", fontsize=SMALL,
                color=PALETTE[number], transform=numbers.get_yaxis_transform(),
            )  # fmt: skip


def _draw_curves(axes: Axes, own: dict[str, pd.DataFrame]) -> None:
    for number, rows in enumerate(own.values()):
        line = {"color": PALETTE[number], "linestyle": LINES[number]}
        axes.step(rows["x"], rows["y"], where="post", linewidth=1.3, **line)
        # A tick where a curve goes on without a step: somebody was censored then.
        flat = rows[rows["y"].eq(rows["y"].shift())]
        axes.plot(flat["x"], flat["y"], "|", color=PALETTE[number], markersize=3, mew=0.5)
    begin = min(float(rows["x"].min()) for rows in own.values())
    if begin > 0:
        axes.axvline(begin, color="#8A8A8A", linewidth=0.7, linestyle=":")


def _draw_counts(
    printer: Printer, axes: Axes, place: Place, days: Sequence[int], height: float
) -> list[str]:
    """Numbers at risk at the days that the axis labels and the stage counted."""
    printed: list[str] = []
    for day in days:
        at = place.within(day=f"D{day}")
        if printer.exists(at):
            cell = printer.cell(at, "{}", ("n", "count"))
            axes.text(day, height, cell.text, ha="center", va="center", fontsize=SMALL)
            printed += cell.value_ids
    return printed


def _head_lines(
    context: Context,
    printer: Printer,
    item: EndpointPanels,
    analyte: str,
    printed: list[str],
    reasons: list[str],
) -> list[str]:
    """Endpoint with its numbers, and the hazard ratios per doubling."""
    language = context.language
    test = Place(LOG_RANK, item.endpoint, analyte, {"metric": item.metric, "split": "HALF"})
    cells = {
        name: printer.cell(test, "{}", (name, "count"))
        for name in ("n", "events", "n_before", "events_before")
    }
    first = language.text(
        "figure.survival_by_exposure.head",
        endpoint=endpoint_label(context, item.endpoint),
        metric=metric_label(language, item.metric),
        **{name: cell.text for name, cell in cells.items()},
    )
    printed += [identifier for cell in cells.values() for identifier in cell.value_ids]
    ratios = []
    for adjustment in ("UNADJUSTED", "TUMOUR_BURDEN"):
        by = {"metric": item.metric, "adjustment": adjustment, "population": "PRIMARY"}
        place = Place(COX, item.endpoint, analyte, by)
        if not printer.exists(place, "hr"):
            continue
        cell = printer.cell(place, "{} ({}–{})", *interval("hr"))
        ratios.append(f"{language.text(f'figure.adjustment.{adjustment}')} {cell.text}")
        printed += cell.value_ids
        reasons += cell.reasons
    separator = language.text("label.sentence_separator")
    return [
        first,
        language.text("figure.survival_by_exposure.ratios", ratios=separator.join(ratios)),
    ]

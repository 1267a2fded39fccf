"""Forest of odds ratios within subgroups (F56, F61a, F63b)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import place_axes, plain, short_number, text_width
from celldossier.tlf.footnotes import reason_footnotes
from celldossier.tlf.labels import (
    endpoint_label,
    level_label,
    metric_label,
    order_levels,
    percent,
    unit_label,
    variable_label,
)
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import PAGE_WIDTH, PALETTE, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUBGROUP = "exposure_response.subgroup"
INTERACTION = "exposure_response.subgroup_interaction"
_OR = interval("or")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


@dataclass(frozen=True)
class _Line:
    """A row of the forest: its texts from left to right, and its point."""

    label: str
    counts: str = ""
    ratio: str = ""
    interaction: str = ""
    point: tuple[float, float, float] | None = None
    indent: bool = False
    overall: bool = False


@in_figure_style
def draw_subgroup_forest(context: Context) -> Figure | NotShown:
    """Odds ratio per doubling within subgroups, with the p value of interaction.

    The option ``endpoint`` is the code of a binary endpoint with a primary metric.
    """
    language, text = context.language, context.language.text
    settings = context.settings["exposure_response"]
    analyte, endpoint = exposure_analyte(context), str(context.options["endpoint"])
    pairs = {pair["endpoint"]: str(pair["metric"]) for pair in settings["primary"]}
    table = context.results.select(INTERACTION)
    table = table[(table["variable"] == endpoint) & (table["stat_name"] == "df")]
    if endpoint not in pairs or table.empty:
        asked = endpoint in settings["endpoints"]
        return NotShown("NOGRPASK" if asked else "NOENDPT")
    metric = pairs[endpoint]
    printer = Printer(context.results, language)
    place = Place(SUBGROUP, endpoint, analyte, {"metric": metric})
    collector = _Collector(context, printer)
    collector.add_overall(
        Place(
            "exposure_response.logistic",
            endpoint,
            analyte,
            {
                "metric": metric,
                "adjustment": _adjustment(settings),
                "population": "PRIMARY",
            },
        )
    )
    for variable in [str(item["variable"]) for item in settings["subgroups"]["variables"]]:
        collector.add_variable(place.within(subgroup=variable), variable)
    if not any(line.point for line in collector.lines):
        return NotShown(next(iter(collector.reasons), "NOSUBJ"))
    level = percent(settings["confidence_level"])
    heads = (
        text("figure.subgroup.name"),
        text("figure.subgroup.counts"),
        text("figure.subgroup.ratio", level=level),
        text("figure.subgroup.interaction"),
    )
    title = text("figure.subgroup.axis", metric=metric_label(language, metric))
    note = text(
        "figure.note.subgroups",
        adjustment=text(f"figure.adjustment.{_adjustment(settings)}"),
        min_events=settings["subgroups"]["min_events"],
    )
    return Figure(
        pages=(_draw(collector.lines, heads, title),),
        data=pd.DataFrame(collector.data).assign(ENDPOINT=endpoint, METRIC=metric),
        subjects=printer.subjects,
        value_ids=tuple(dict.fromkeys(collector.value_ids)),
        footnotes=(*collector.reason_footnotes, note),
        analytes=(analyte,),
        alternative_text=text(
            "figure.subgroup.alternative",
            endpoint=endpoint_label(context, endpoint),
            metric=metric_label(language, metric),
        ),
    )


def _adjustment(settings: Any) -> str:
    return str(settings["subgroups"]["adjustment"] or settings["primary_adjustment"])


class _Collector:
    """Lines of the forest, with the values that they print."""

    def __init__(self, context: Context, printer: Printer) -> None:
        self.context, self.printer = context, printer
        self.lines: list[_Line] = []
        self.value_ids: list[str] = []
        self.reasons: list[str] = []
        self.data: list[dict[str, object]] = []
        self.letters: dict[str, str] = {}

    def add_overall(self, place: Place) -> None:
        """The model of all subjects, which the subgroups are seen against."""
        label = self.context.language.text("figure.subgroup.overall")
        self._add(place, label, {"SUBGROUP": "", "LEVEL": ""})

    def add_variable(self, place: Place, variable: str) -> None:
        """A heading with the test of interaction, and a line for each level."""
        language = self.context.language
        interaction = place.of(INTERACTION)
        p = self.printer.cell(interaction, "{} ({})", ("p", "p"), ("q", "p"))
        self._note(p.value_ids, p.reasons)
        name = variable_label(language, "ADER", variable)
        self.lines.append(_Line(name, interaction=self._marked(p.text, p.reasons)))
        cut = ""
        if self.printer.exists(interaction, "cut"):
            value = self.printer.value(interaction, "cut")
            self.value_ids.append(value.value_id)
            unit = read_specification("ADER").variables[variable].unit
            cut = f"{short_number(value.number)} {unit_label(language, unit)}".strip()
        rows = self.context.results.select(SUBGROUP)
        # Keys of the results are sorted by name: level, metric, subgroup.
        rows = rows[(rows["variable"] == place.variable) & (rows["level3"] == variable)]
        rows = rows[rows["level2"] == place.by["metric"]]
        found = set(rows["level1"])
        for level in ["LOW", "HIGH"] if cut else order_levels("ADER", variable, found):
            if level not in found:
                continue
            label = (
                language.text(f"figure.subgroup.{level}", cut=cut)
                if cut
                else level_label(language, variable, level)
            )
            keys = {"SUBGROUP": variable, "LEVEL": level}
            self._add(place.within(level=level), label, keys)

    def _add(self, place: Place, label: str, keys: Mapping[str, str]) -> None:
        printer = self.printer
        counts = printer.cell(place, "{}/{}", ("events", "count"), ("n", "count"))
        ratio = printer.cell(place, "{} ({}–{})", *_OR)
        self._note([*counts.value_ids, *ratio.value_ids], ratio.reasons)
        numbers = [printer.value(place, stat).number for stat, _ in _OR]
        point = None
        if not any(math.isnan(number) for number in numbers):
            point = (numbers[0], numbers[1], numbers[2])
        self.lines.append(
            _Line(
                label,
                counts.text,
                self._marked(ratio.text, ratio.reasons),
                point=point,
                indent=bool(keys["SUBGROUP"]),
                overall=not keys["SUBGROUP"],
            )
        )
        self.data.append(
            {
                **keys,
                "N": printer.value(place, "n").number,
                "EVENTS": printer.value(place, "events").number,
                **dict(zip(("OR", "LOW", "HIGH"), numbers, strict=True)),
                "REASND": printer.value(place, "or").note_code,
            }
        )

    def _note(self, value_ids: Sequence[str], reasons: Sequence[str]) -> None:
        self.value_ids += value_ids
        self.reasons += reasons

    def _marked(self, cell: str, reasons: Sequence[str]) -> str:
        """What a cell prints, with the letter of its reason where there is no value."""
        if not reasons:
            return cell
        letters = "".join(self.letters.setdefault(r, _LETTERS[len(self.letters)]) for r in reasons)
        return f"{cell} ({letters})"

    @property
    def reason_footnotes(self) -> list[str]:
        """What the letters mean."""
        marked = [(letter, code) for code, letter in self.letters.items()]
        return reason_footnotes(marked, self.context.language)


def _draw(lines: Sequence[_Line], heads: tuple[str, str, str, str], title: str) -> Any:
    """Four columns of text as wide as their words need, and the ratios between them."""
    pitch, top, bottom, edge, space, indent = 4.6, 8.0, 12.0, 1.0, 3.0, 3.0
    height = pitch * len(lines) + top + bottom
    figure = new_figure(height, layout=None)
    label, counts, ratio, interaction = (
        max(text_width(plain(each), 7.5) for each in column)
        for column in (
            [heads[0], *(line.label for line in lines)],
            [heads[1], *(line.counts for line in lines)],
            [heads[2], *(line.ratio for line in lines)],
            [heads[3], *(line.interaction for line in lines)],
        )
    )
    # A heading of a variable may reach over the counts, which it does not have.
    label = max(
        text_width(plain(line.label), 7.5) + indent * line.indent for line in lines if line.counts
    )
    right = space + ratio + space + interaction + edge
    left = edge + label + space + counts + space
    axes = place_axes(figure, left, bottom, PAGE_WIDTH - left - right, pitch * len(lines))
    _draw_points(axes, lines)
    axes.set_xlabel(title)
    columns = (
        edge,
        edge + label + space + counts,
        PAGE_WIDTH - right + space,
        PAGE_WIDTH - edge,
    )
    words = [
        (x, height - top + 2.0, word, align)
        for x, word, align in zip(columns, heads, ("left", "right", "left", "right"), strict=True)
    ]
    for place, line in enumerate(lines):
        y = height - top - pitch * (place + 0.5)
        words += [
            (columns[0] + indent * line.indent, y, plain(line.label), "left"),
            (columns[1], y, line.counts, "right"),
            (columns[2], y, line.ratio, "left"),
            (columns[3], y, line.interaction, "right"),
        ]
    for x, y, word, align in words:
        if word:
            figure.text(x / PAGE_WIDTH, y / height, word, ha=align, va="center", fontsize=7.5)
    return figure


def _draw_points(axes: Axes, lines: Sequence[_Line]) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.axvline(1, color="#333333", linewidth=0.7)
    limits = [1.0]
    for place, line in enumerate(lines):
        if line.point is None:
            continue
        ratio, low, high = line.point
        color = PALETTE[1] if line.overall else PALETTE[0]
        axes.hlines(place, low, high, color=color, linewidth=1.1)
        axes.plot([ratio], [place], "D" if line.overall else "s", color=color, markersize=3.6)
        limits += [low, high]
        if line.overall:
            axes.axvline(ratio, color=color, linewidth=0.6, linestyle=(0, (2, 2)))
    axes.set_xscale("log")
    bottom, top = min(limits) / 1.1, max(limits) * 1.1
    axes.set_xlim(bottom, top)
    ticks = [tick for tick in _TICKS if bottom <= tick <= top]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)

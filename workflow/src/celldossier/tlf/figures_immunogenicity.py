"""Figure of the immunogenicity: the course of anti-drug antibodies of each subject (F78)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.figures_axes import day_ticks, place_axes, plain, text_width
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import GREY, PAGE_WIDTH, PALETTE, SMALL, in_figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_ROWS = 60
"""Rows of the printed figure; the data hold all."""

ROW, TOP, BOTTOM = 3.1, 9.0, 11.0
"""Height of a row, and margins above and below, mm."""

STATUS_ORDER = ("INDUCED", "BOOSTED", "NOT BOOSTED", "UNDETERMINED", "NEGATIVE", "")
"""Groups of rows: what the infusion may have changed comes first."""

INTERFERING = ("IVIG", "RITUXIMAB")
"""Classes of medication that disturb ADA results and are marked, beside those the study names."""


@in_figure_style
def draw_ada_timeline(context: Context) -> Figure | NotShown:
    """Results over time of each subject that was ever positive, one row a target (F78).

    Options: ``rows`` (largest number of printed rows, 60). A sample's result is that
    of its highest tier: stated result, confirmation, negative screening; a positive
    screening without confirmation is undetermined.
    """
    status = context.dataset("ADIM")
    if status.empty:
        return NotShown("NOTCOLL")
    ever = status[status["ADAPOSFL"] == "Y"]
    if ever.empty:
        return NotShown("NOADAPOS")
    rank = {name: place for place, name in enumerate(STATUS_ORDER)}
    ever = ever.assign(RANK=ever["ADASTAT"].map(rank).fillna(len(rank)))
    targets = natural_order(status["ISBDAGNT"].unique())
    ever = ever.assign(TARGET=ever["ISBDAGNT"].map(targets.index))
    ever = ever.sort_values(["RANK", "TARGET", "USUBJID"], kind="stable", ignore_index=True)
    adab = context.dataset("ADAB")
    settings = context.settings["immunogenicity"]
    adab = adab[~adab["PARAMCD"].isin(settings["neutralising_tests"])]
    tests = settings["tests"]
    samples = read_antibody_samples(adab[adab["PARAMCD"].isin(tests)] if tests else adab)
    keys = ["USUBJID", "ISBDAGNT"]
    data = ever[[*keys, "ADASTAT", "ADADUR"]].merge(samples, on=keys, how="left")
    rules = settings["interference"]
    named = [*rules["immunoglobulin"]["names"], *rules["b_cell_depletion"]["names"]]
    marked = {name.upper() for name in (*INTERFERING, *named)}
    drugs = context.dataset("ADCM")
    known = drugs["CMCLASS"].str.upper().isin(marked) | drugs["CMDECOD"].str.upper().isin(marked)
    drugs = drugs[known & drugs["ASTDY"].notna()]
    printed = ever.head(int(context.options.get("rows", MOST_ROWS)))
    several = len(targets) > 1
    rows = [
        plain(f"{row.USUBJID} {row.ISBDAGNT}" if several else str(row.USUBJID))
        for row in printed.itertuples()
    ]
    names = {str(name): _status_name(context, str(name)) for name in printed["ADASTAT"].unique()}
    left = 3.0 + max(text_width(row, SMALL) for row in rows)
    width = PAGE_WIDTH - left - 7.0 - max(text_width(name, SMALL) for name in names.values())
    height = ROW * len(printed) + TOP + BOTTOM
    figure = new_figure(height, layout=None)
    axes = place_axes(figure, left, BOTTOM, width, ROW * len(printed))
    _draw_rows(axes, printed, data, drugs, width)
    axes.set_yticks(range(len(rows)), labels=rows, fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    _draw_status(axes, printed, names, width)
    text = context.language.text
    figure.text((left + width / 2) / PAGE_WIDTH, 2.5 / height, text("figure.days"), ha="center")
    figure.legend(
        handles=_legend(context, data, bool(len(drugs))),
        loc="upper center",
        ncols=5,
        borderaxespad=0.3,
        handletextpad=0.3,
    )
    footnotes = [text("figure.note.titre")] if data["TITRE"].notna().any() else []
    if len(printed) < len(ever):
        footnotes.append(text("figure.note.first_rows", shown=len(printed), total=len(ever)))
    subjects = int(ever["USUBJID"].nunique())
    return Figure(
        pages=(figure,),
        data=data.rename(columns={"AFRLT": "DAY"}),
        subjects=subjects,
        footnotes=tuple(footnotes),
        alternative_text=text("figure.ada_timeline.alternative", total=subjects),
    )


def read_antibody_samples(adab: pd.DataFrame) -> pd.DataFrame:
    """One row a sample: USUBJID, ISBDAGNT, AFRLT, ABLFL, RESULT, TITRE.

    A positive screen awaits its confirmation where the target has a confirmatory tier at all;
    where it has none, the screen is the result, as for the status.
    """
    keys = ["USUBJID", "ISBDAGNT", "AFRLT", "ABLFL"]
    # A cellular response is no antibody, and a readout alone says neither positive nor negative.
    timed = adab[adab["AFRLT"].notna() & (adab["ISCAT"] != "CELLULAR") & (adab["AVALC"] != "VALUE")]
    tiers = {
        tier: rows.drop_duplicates(keys).set_index(keys)
        for tier, rows in timed.groupby("ISCAT", sort=True)
    }
    samples = timed[keys].drop_duplicates().sort_values(keys, kind="stable", ignore_index=True)
    index = pd.MultiIndex.from_frame(samples)
    result = np.full(len(samples), "", dtype=object)
    confirmed = set(timed.loc[timed["ISCAT"] == "CONFIRMATORY", "ISBDAGNT"])
    awaits = samples["ISBDAGNT"].isin(confirmed).to_numpy()
    for tier in ("SCREENING", "CONFIRMATORY", "", "RESULT"):
        if tier in tiers:
            found = tiers[tier]["AVALC"].reindex(index).fillna("").to_numpy(dtype=object)
            if tier == "SCREENING":
                found = np.where((found == "POSITIVE") & awaits, "UNDETERMINED", found)
            result = np.where(found != "", found, result)
    titre = (
        tiers["TITER"]["AVAL"].reindex(index).to_numpy(dtype=float)
        if "TITER" in tiers
        else np.full(len(samples), np.nan)
    )
    samples = samples.assign(RESULT=result, TITRE=titre)
    return samples[samples["RESULT"] != ""].reset_index(drop=True)


def _draw_rows(
    axes: Axes, printed: pd.DataFrame, data: pd.DataFrame, drugs: pd.DataFrame, width: float
) -> None:
    keys = ["USUBJID", "ISBDAGNT"]
    row_of = {key: row for row, key in enumerate(printed[keys].itertuples(index=False, name=None))}
    place = np.array([row_of.get(key, -1) for key in data[keys].itertuples(index=False, name=None)])
    shown = data.assign(ROW=place)[place >= 0]
    shown = shown[shown["AFRLT"].notna()]
    span = shown.groupby("ROW")["AFRLT"].agg(["min", "max"])
    axes.hlines(span.index, span["min"], span["max"], color="#DDDDDD", linewidth=0.7, zorder=1)
    for result, face, edge in _LOOKS:
        rows = shown[shown["RESULT"] == result]
        marker = "D" if result == "UNDETERMINED" else "o"
        axes.scatter(
            rows["AFRLT"],
            rows["ROW"],
            s=11,
            marker=marker,
            c=face,
            edgecolors=edge,
            linewidths=0.6,
            zorder=3,
        )
    baseline = shown[shown["ABLFL"] == "Y"]
    axes.scatter(
        baseline["AFRLT"],
        baseline["ROW"],
        s=30,
        marker="s",
        c="none",
        edgecolors="#333333",
        linewidths=0.5,
        zorder=2,
    )
    end = float(shown["AFRLT"].max())
    for row, day, titre in zip(shown["ROW"], shown["AFRLT"], shown["TITRE"], strict=True):
        if np.isfinite(titre):
            axes.text(day + 0.017 * end, row, f"{titre:.6g}", fontsize=SMALL, va="center_baseline")
    for subject, day in zip(drugs["USUBJID"], drugs["ASTDY"], strict=True):
        for key, row in row_of.items():
            if key[0] == subject:
                axes.plot([day], [row], "|", color=PALETTE[2], markersize=5, zorder=4)
    axes.set_ylim(len(printed) - 0.4, -0.6)
    axes.set_xlim(min(float(shown["AFRLT"].min()), 0.0) - 0.03 * end, end * 1.06)
    ticks = day_ticks(end, width, "linear")
    axes.set_xticks(ticks, labels=[str(day) for day in ticks])
    axes.grid(axis="y", visible=False)


def _status_name(context: Context, status: str) -> str:
    if not status:
        return context.language.text("figure.ada.no_status")
    return plain(level_label(context.language, "adastat", status))


def _draw_status(axes: Axes, printed: pd.DataFrame, names: dict[str, str], width: float) -> None:
    """Brackets with the ADA status, right of the rows."""
    for status, rows in printed.groupby("ADASTAT", sort=False):
        first, last = int(rows.index.min()), int(rows.index.max())
        axes.plot(
            [1 + 1.5 / width] * 2,
            [first - 0.35, last + 0.35],
            color=GREY,
            linewidth=1.0,
            transform=axes.get_yaxis_transform(),
            clip_on=False,
        )
        axes.text(
            1 + 3.0 / width,
            (first + last) / 2,
            names[str(status)],
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
        )


_LOOKS = (
    ("NEGATIVE", "white", PALETTE[0]),
    ("POSITIVE", PALETTE[1], PALETTE[1]),
    ("UNDETERMINED", "#DDDDDD", GREY),
)
"""Result, colour inside and colour of the rim; the fill tells them apart without colour."""


def _legend(context: Context, data: pd.DataFrame, drugs: bool) -> list[Artist]:
    from matplotlib.lines import Line2D

    text = context.language.text
    found = set(data["RESULT"])
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="D" if result == "UNDETERMINED" else "o",
            markerfacecolor=face,
            markeredgecolor=edge,
            markersize=3.5,
            label=text(f"figure.ada.{result}"),
        )
        for result, face, edge in _LOOKS
        if result in found
    ]
    handles.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="s",
            markerfacecolor="none",
            markeredgecolor="#333333",
            markersize=5.5,
            markeredgewidth=0.5,
            label=text("figure.ada.baseline"),
        )
    )
    if drugs:
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="|",
                color=PALETTE[2],
                markersize=6,
                label=text("figure.ada.interfering"),
            )
        )
    return handles

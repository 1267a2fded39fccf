"""Titres over time, and all that befell each subject beside its antibodies (F78a, F78b)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.figures_axes import (
    fitting_columns,
    place_axes,
    plain,
    text_width,
    use_day_axis,
)
from celldossier.tlf.figures_immunogenicity import INTERFERING, STATUS_ORDER, read_antibody_samples
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import (
    GREY,
    LINES,
    MARKERS,
    PAGE_WIDTH,
    PALETTE,
    SMALL,
    in_figure_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

KEYS = ["USUBJID", "ISBDAGNT"]
PER_PAGE = 40
"""Subjects on a page of the timeline."""
ROW = 4.0
"""Height of a row of the timeline, mm."""
PANEL, GAP = 70.0, 3.0
"""Height of a panel of titres with its head, and the distance of two beside each other, mm."""
RESPONSES = ("CR", "CRI", "PR", "PD")
"""Overall responses that are marked, the first of each."""
LOOKS: dict[str, dict[str, Any]] = {
    "NEGATIVE": {"marker": "o", "markerfacecolor": "white", "color": PALETTE[0]},
    "POSITIVE": {"marker": "o", "color": PALETTE[1]},
    "UNDETERMINED": {"marker": "D", "markerfacecolor": "#DDDDDD", "color": GREY},
    "INFUSION": {"marker": "v", "color": "#000000"},
    "IMMUNOGLOBULIN": {"marker": "|", "color": PALETTE[2], "markeredgewidth": 1.2},
    "CR": {"marker": "*", "color": PALETTE[2]},
    "CRI": {"marker": "P", "color": PALETTE[2]},
    "PR": {"marker": "^", "color": PALETTE[4]},
    "PD": {"marker": "X", "color": "#555555"},
}
"""Symbol of each kind of mark, in the order of the legend; CRS is a bar."""


@in_figure_style
def draw_titre_courses(context: Context) -> Figure | NotShown:
    """Titres of each subject over time, infusions and immunoglobulin marked below (F78a).

    A row of panels a target, a panel a status of the subjects. Samples without a titre
    are not joined to it as zero: they are no points.
    """
    samples = _read_samples(context)
    titres = samples[samples["TITRE"] > 0]
    if titres.empty:
        return NotShown("TITERNONE") if len(samples) else NotShown("NOTCOLL")
    marks = _read_marks(context, set(titres["USUBJID"]))
    targets = natural_order(titres["ISBDAGNT"].unique())
    statuses = [name for name in STATUS_ORDER if (titres["ADASTAT"] == name).any()]
    height = PANEL * len(targets) + 8.0
    figure = new_figure(height, layout=None)
    text = context.language.text
    start, end = min(float(titres["AFRLT"].min()), 0.0), max(float(titres["AFRLT"].max()), 1.0)
    width = (PAGE_WIDTH - 18.0 - GAP * (len(statuses) - 1)) / len(statuses)
    for number, target in enumerate(targets):
        of_target = titres[titres["ISBDAGNT"] == target]
        bottom = 11.0 + (len(targets) - 1 - number) * PANEL
        for column, status in enumerate(statuses):
            left = 15.0 + column * (width + GAP)
            axes = place_axes(figure, left, bottom, width, PANEL - 12.0)
            _draw_titres(axes, of_target, status, marks)
            use_day_axis(axes, end, width, "linear", start)
            if column:
                axes.tick_params(axis="y", labelleft=False)
            else:
                axes.set_ylabel(text("figure.titre"))
                axes.set_title(plain(str(target)), fontsize=SMALL, loc="left", pad=2)
    figure.text(0.5, 2.5 / height, text("figure.days"), ha="center")
    handles = [_status_handle(context, name) for name in statuses]
    handles += [_handle(context, kind) for kind in LOOKS if kind in set(marks["KIND"])]
    _add_legend(figure, handles)
    points = titres.rename(columns={"AFRLT": "DAY", "TITRE": "VALUE"}).assign(KIND="TITRE")
    data = pd.concat([points, marks], ignore_index=True)
    return Figure(
        pages=(figure,),
        data=_shown(data),
        subjects=int(titres["USUBJID"].nunique()),
        footnotes=(text("figure.note.titre_course"),),
        alternative_text=text(
            "figure.titre_course.alternative", total=int(titres["USUBJID"].nunique())
        ),
    )


@in_figure_style
def draw_subject_timelines(context: Context) -> Figure | NotShown:
    """Infusions, antibody samples, immunoglobulin, CRS and response, one row a subject (F78b).

    Options: ``rows`` (subjects on a page, 40). The report prints the first pages
    (`cellular_kinetics.figures.report_pages`); all subjects have a row.
    """
    samples = _read_samples(context)
    if samples.empty:
        return NotShown("NOTCOLL")
    rank = {name: place for place, name in enumerate(STATUS_ORDER)}
    order = samples.assign(RANK=samples["ADASTAT"].map(rank)).sort_values(
        ["RANK", "USUBJID"], kind="stable"
    )
    subjects = list(dict.fromkeys(order["USUBJID"]))
    marks = pd.concat(
        [
            samples.rename(columns={"AFRLT": "DAY"}).assign(KIND=samples["RESULT"]),
            _read_marks(context, set(subjects)),
            _read_events(context, set(subjects)),
        ],
        ignore_index=True,
    )
    per_page = int(context.options.get("rows", PER_PAGE))
    end = max(float(marks["DAY"].max()), 1.0)
    status = dict(zip(order["USUBJID"], order["ADASTAT"], strict=True))
    pages = tuple(
        _draw_page(context, subjects[start : start + per_page], status, marks, end)
        for start in range(0, len(subjects), per_page)
    )
    rules = context.settings["cellular_kinetics"]["figures"]
    printed = min(int(rules["report_pages"]), len(pages))
    text = context.language.text
    notes = [text("figure.note.subject_timelines")]
    if printed < len(pages):
        notes.append(
            text(
                "figure.note.printed_subjects",
                shown=min(printed * per_page, len(subjects)),
                total=len(subjects),
            )
        )
    return Figure(
        pages=pages,
        data=_shown(marks),
        subjects=len(subjects),
        footnotes=tuple(notes),
        alternative_text=text("figure.subject_timelines.alternative", total=len(subjects)),
        printed=printed,
    )


def _read_samples(context: Context) -> pd.DataFrame:
    """Samples of the binding antibodies of the subjects of ADIM, with their status."""
    settings = context.settings["immunogenicity"]
    adab, tests = context.dataset("ADAB"), settings["tests"]
    adab = adab[~adab["PARAMCD"].isin(settings["neutralising_tests"])]
    samples = read_antibody_samples(adab[adab["PARAMCD"].isin(tests)] if tests else adab)
    return context.dataset("ADIM")[[*KEYS, "ADASTAT"]].merge(samples, on=KEYS, how="inner")


def _read_marks(context: Context, subjects: set[Any]) -> pd.DataFrame:
    """Infusions and medication that disturbs the assay: USUBJID, KIND, DAY."""
    doses, drugs = context.dataset("ADEX"), context.dataset("ADCM")
    rules = context.settings["immunogenicity"]["interference"]
    named = [*rules["immunoglobulin"]["names"], *rules["b_cell_depletion"]["names"]]
    known = {name.upper() for name in (*INTERFERING, *named)}
    given = drugs["CMCLASS"].str.upper().isin(known) | drugs["CMDECOD"].str.upper().isin(known)
    cells = doses[doses["EXCAT"] == "CELL PRODUCT"]
    parts = [
        cells[["USUBJID", "AFRLT"]].rename(columns={"AFRLT": "DAY"}).assign(KIND="INFUSION"),
        drugs.loc[given, ["USUBJID", "ASTDY"]]
        .rename(columns={"ASTDY": "DAY"})
        .assign(KIND="IMMUNOGLOBULIN"),
    ]
    marks = pd.concat(parts, ignore_index=True)
    return marks[marks["DAY"].notna() & marks["USUBJID"].isin(subjects)].reset_index(drop=True)


def _read_events(context: Context, subjects: set[Any]) -> pd.DataFrame:
    """Episodes of CRS with their end, first response of each kind: USUBJID, KIND, DAY, END."""
    events, responses = context.dataset("ADAESI"), context.dataset("ADRS")
    crs = events[(events["AESI"] == "CRS") & events["ASTDY"].notna()]
    overall = responses[(responses["PARAMCD"] == "OVR") & responses["AVALC"].isin(RESPONSES)]
    overall = overall.sort_values(["USUBJID", "AFRLT"], kind="stable")
    overall = overall.drop_duplicates(["USUBJID", "AVALC"])
    parts = [
        pd.DataFrame(
            {
                "USUBJID": crs["USUBJID"],
                "KIND": "CRS",
                "DAY": crs["ASTDY"],
                # One that goes on or whose end is not known is drawn at its onset.
                "END": crs["AENDY"].fillna(crs["ASTDY"]),
            }
        ),
        pd.DataFrame(
            {"USUBJID": overall["USUBJID"], "KIND": overall["AVALC"], "DAY": overall["AFRLT"]}
        ),
    ]
    both = pd.concat(parts, ignore_index=True)
    return both[both["DAY"].notna() & both["USUBJID"].isin(subjects)].reset_index(drop=True)


def _draw_titres(axes: Axes, titres: pd.DataFrame, status: str, marks: pd.DataFrame) -> None:
    """Lines of the subjects of a status, on the scale of all titres of the target."""
    mine, look = titres[titres["ADASTAT"] == status], _line(status)
    for _, rows in mine.groupby(KEYS, sort=True):
        rows = rows.sort_values("AFRLT", kind="stable")
        axes.plot(rows["AFRLT"], rows["TITRE"], **look, linewidth=0.7, markersize=3)
    axes.set_yscale("log", base=2)
    low, high = float(titres["TITRE"].min()), float(titres["TITRE"].max())
    # Two steps of room below the lowest titre hold the marks.
    axes.set_ylim(low / 6, high * 1.5)
    ticks = 2.0 ** np.arange(np.floor(np.log2(high / low)) + 1) * low
    ticks = ticks[:: max(1, len(ticks) // 8)]
    axes.set_yticks(ticks, labels=[f"{tick:.6g}" for tick in ticks])
    axes.minorticks_off()
    events = marks[marks["USUBJID"].isin(mine["USUBJID"])]
    for kind, level in (("INFUSION", low / 2), ("IMMUNOGLOBULIN", low / 4)):
        rows = events[events["KIND"] == kind]
        axes.plot(rows["DAY"], [level] * len(rows), linestyle="none", markersize=4, **LOOKS[kind])


def _draw_page(
    context: Context,
    subjects: list[Any],
    status: dict[Any, str],
    marks: pd.DataFrame,
    end: float,
) -> MatplotlibFigure:
    words = {name: _status_word(context, name) for name in dict.fromkeys(status.values())}
    rows = [plain(f"{subject}  {words[status[subject]]}") for subject in subjects]
    left = 3.0 + max(text_width(row, SMALL) for row in rows)
    width = PAGE_WIDTH - left - 3.0
    height = ROW * len(rows) + 25.0
    figure = new_figure(height, layout=None)
    axes = place_axes(figure, left, 11.0, width, ROW * len(rows))
    place = {subject: row for row, subject in enumerate(subjects)}
    mine = marks[marks["USUBJID"].isin(subjects)]
    crs = mine[mine["KIND"] == "CRS"]
    axes.hlines(
        crs["USUBJID"].map(place) + 0.28,
        crs["DAY"],
        np.maximum(crs["END"], crs["DAY"] + 0.4),
        color=PALETTE[3],
        linewidth=2.2,
    )
    for kind, look in LOOKS.items():
        found = mine[mine["KIND"] == kind]
        # Responses stand above the line of the samples, so that none hides another.
        shift = -0.28 if kind in RESPONSES else 0.0
        axes.plot(
            found["DAY"],
            found["USUBJID"].map(place) + shift,
            linestyle="none",
            **({"markersize": 3.4, "markeredgewidth": 0.6} | look),
        )
    axes.set_ylim(len(rows) - 0.4, -0.6)
    use_day_axis(axes, end, width, "sqrt")
    axes.set_yticks(range(len(rows)), labels=rows, fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    text = context.language.text
    figure.text((left + width / 2) / PAGE_WIDTH, 2.5 / height, text("figure.days"), ha="center")
    seen = set(marks["KIND"])
    handles = [_handle(context, kind) for kind in (*LOOKS, "CRS") if kind in seen]
    _add_legend(figure, handles)
    return figure


def _add_legend(figure: MatplotlibFigure, handles: list[Artist]) -> None:
    columns = fitting_columns(handles, SMALL, 6)
    figure.legend(handles=handles, loc="upper center", ncols=columns, borderaxespad=0.3,
                  handletextpad=0.4, fontsize=SMALL)  # fmt: skip


def _line(status: str) -> dict[str, Any]:
    k = STATUS_ORDER.index(status)
    return {"color": PALETTE[k], "marker": MARKERS[k], "linestyle": LINES[k]}


def _status_word(context: Context, status: str) -> str:
    if not status:
        return context.language.text("figure.ada.no_status")
    return level_label(context.language, "adastat", status)


def _status_handle(context: Context, status: str) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=_status_word(context, status), markersize=3, **_line(status))


def _handle(context: Context, kind: str) -> Artist:
    from matplotlib.lines import Line2D

    label = context.language.text(f"figure.antibody_mark.{kind}")
    if kind == "CRS":
        return Line2D([], [], color=PALETTE[3], linewidth=2.2, label=label)
    look: dict[str, Any] = {"markersize": 4, "linestyle": "none"} | LOOKS[kind]
    return Line2D([], [], label=label, **look)


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    """Points as the CSV beside the figure holds them."""
    columns = ["USUBJID", "KIND", "ISBDAGNT", "ADASTAT", "DAY", "END", "VALUE"]
    shown = data.reindex(columns=columns)
    texts = ["ISBDAGNT", "ADASTAT"]
    shown[texts] = shown[texts].fillna("")
    return shown.sort_values(["USUBJID", "KIND", "DAY"], kind="stable", ignore_index=True)

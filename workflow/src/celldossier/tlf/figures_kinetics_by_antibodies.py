"""Cellular kinetics by antibody status (F78c before the infusion, F78d after it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from celldossier.terms.order import natural_order
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.figures_profiles import draw_summary_page, windows_until
from celldossier.tlf.labels import analytes_in, target_label
from celldossier.tlf.model import Context, Figure, NotShown
from celldossier.tlf.style import in_figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

ANALYSIS = "immunogenicity.kinetics_by_status"
LEVELS = {
    "baseline": ("BASELINE_N", "BASELINE_Y"),
    "emergent": ("NONE", "INDUCED", "BOOSTED"),
}


@in_figure_style
def draw_kinetics_by_status(context: Context) -> Figure | NotShown:
    """Medians with quartiles over nominal time, a page a target, groups by antibody status.

    Options: ``status`` (baseline: antibodies before the infusion; emergent: induced and
    boosted ones). Every point is an analysis result.
    """
    status = str(context.options.get("status", "baseline"))
    points = read_points(context)
    points = points[points["level"].isin(LEVELS[status])]
    if points["y"].notna().sum() == 0:
        return NotShown("NOTCOLL" if points.empty else "FEWVAL")
    text = context.language.text
    pages: list[MatplotlibFigure] = []
    seen: list[str] = []
    for target in natural_order(points["target"].unique()):
        of_target = points[points["target"] == target]
        curves = {
            code: rows
            for code in analytes_in(context, ANALYSIS)
            if (rows := of_target[of_target["analyte"] == code])["y"].notna().any()
        }
        levels = [name for name in LEVELS[status] if (of_target["level"] == name).any()]
        if not curves:
            continue
        name = target_label(context, target)
        heads = [plain(text(f"figure.kinetics_by.{level}", target=name)) for level in levels]
        end = max(float(rows["x"].max()) for rows in curves.values())
        pages.append(draw_summary_page(context, curves, levels, heads, windows_until(end)))
        seen += list(curves)
    largest = points.groupby(["target", "level"])["subjects"].max().groupby("target").sum()
    names = {"x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH", "n": "N", "y_unit": "AVALU"}
    names |= {"analyte": "PARAMCD", "target": "ISBDAGNT", "level": "STATUS"}
    return Figure(
        pages=tuple(pages),
        data=points[list(names)].rename(columns=names).reset_index(drop=True),
        subjects=int(largest.max()),
        footnotes=(
            text("figure.note.kinetics_by_status"),
            text(f"figure.note.kinetics_by_{status}"),
        ),
        analytes=tuple(dict.fromkeys(seen)),
        alternative_text=text(f"figure.kinetics_by.alternative_{status}"),
    )


def read_points(context: Context) -> pd.DataFrame:
    """One row a point: target, analyte, level, x (days), y, low, high, n, y_unit, subjects."""
    columns = ["target", "analyte", "level", "x", "y", "low", "high", "n", "y_unit", "subjects"]
    rows = context.results.select(ANALYSIS)
    if rows.empty:
        return pd.DataFrame(columns=columns).astype({"y": float})
    found: dict[tuple[str, ...], dict[str, object]] = {}
    names = {"median": "y", "q1": "low", "q3": "high", "n": "n"}
    for row in rows.to_dict("records"):
        by = {str(row[f"group{k}"]): str(row[f"level{k}"]) for k in (1, 2, 3)}
        key = (by["target"], str(row["analyte"]), by["status"], by["day"])
        point = found.setdefault(
            key,
            {"target": key[0], "analyte": key[1], "level": key[2], "x": float(key[3])},
        )
        point[names[str(row["stat_name"])]] = row["value"]
        if row["stat_name"] == "median":
            point |= {"y_unit": row["unit"], "subjects": row["n"]}
    points = pd.DataFrame(list(found.values()), columns=columns)
    return points.sort_values(["target", "analyte", "level", "x"], kind="stable", ignore_index=True)

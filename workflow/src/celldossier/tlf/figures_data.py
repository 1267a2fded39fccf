"""What the figures read: samples and summary points of the datasets and curves."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from celldossier.tlf.model import Context


def primary_analyte(context: Context) -> str:
    """Analyte of a figure that shows one: the option, or the primary analyte of the config."""
    if "analyte" in context.options:
        return str(context.options["analyte"])
    return str(context.settings["cellular_kinetics"]["primary_analyte"])


def read_samples(context: Context, analytes: Sequence[str] | None = None) -> pd.DataFrame:
    """Blood samples of the kinetics subjects, as displayed.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PARAMCD, AFRLT (days), SHOWN (the value, at LLOQ where below it,
        NaN where neither is known), BLQFL, ALLOQ, AVALU; sorted by subject,
        analyte and time.
    """
    samples = context.dataset("ADPC")
    samples = samples[(samples["ANL01FL"] == "Y") & samples["AFRLT"].notna()]
    if analytes is not None:
        samples = samples[samples["PARAMCD"].isin(list(analytes))]
    below = samples["BLQFL"] == "Y"
    shown = samples["AVAL"].where(~below, samples["ALLOQ"])
    samples = samples.assign(SHOWN=shown.where(shown > 0))
    columns = ["USUBJID", "PARAMCD", "AFRLT", "NFRLT", "SHOWN", "BLQFL", "ALLOQ", "AVALU"]
    return samples[columns].sort_values(
        ["USUBJID", "PARAMCD", "AFRLT"], kind="stable", ignore_index=True
    )


def select_curve(context: Context, curve_id: str, kind: str = "") -> pd.DataFrame:
    """Points of one curve, sorted by series and abscissa; of one kind where it is named."""
    curves = context.curves
    chosen = curves["curve_id"] == curve_id
    if kind:
        chosen &= curves["kind"] == kind
    return curves[chosen].sort_values(["series", "x"], kind="stable", ignore_index=True)


def read_medians(context: Context, analyte: str) -> pd.DataFrame:
    """Median profile with quartiles at every time of the geometric one, n the number quantifiable.

    Where the stage gives no median, since too few results are quantifiable, the point is
    empty: a line that is drawn through it breaks.
    """
    points = select_curve(context, f"cellular_kinetics.profile/{analyte}", "summary")
    median = select_curve(context, f"cellular_kinetics.profile_median/{analyte}", "summary")
    keys = ["series", "x"]
    # The median counts all samples; beside a figure stands the number quantifiable.
    both = median.merge(points[[*keys, "n"]], on=keys, how="outer", suffixes=("_all", ""))
    both["n"] = both["n"].fillna(both["n_all"])
    # A point that is there only for its count has the texts of the others.
    texts = ["curve_id", "x_unit", "y_unit", "kind"]
    source = median if len(median) else points
    for name in texts:
        both[name] = both[name].fillna(source[name].iloc[0] if len(source) else "")
    return both.drop(columns="n_all").sort_values(keys, kind="stable", ignore_index=True)


def series_level(series: str, key: str) -> str | None:
    """Level of a grouping variable in the name of a series; None where it is another grouping.

    >>> series_level("dose=DL1", "dose")
    'DL1'
    """
    name, _, level = series.partition("=")
    return level if name == key and "/" not in level else None


def curve_data(points: pd.DataFrame) -> pd.DataFrame:
    """Points of a curve as the CSV beside a figure names them."""
    names = {"series": "SERIES", "x": "DAY", "y": "VALUE", "low": "LOW", "high": "HIGH"}
    names |= {"n": "N", "y_unit": "AVALU"}
    return points[list(names)].rename(columns=names)


def show_pairs(points: pd.DataFrame) -> pd.DataFrame:
    """Both results of each pair as shown, `SHOWN1` and `SHOWN2`: at the limit where below it.

    Pairs without a place on logarithmic axes are left out.
    """
    shown = {
        f"SHOWN{side}": points[f"AVAL{side}"].where(
            points[f"BLQFL{side}"] != "Y", points[f"ALLOQ{side}"]
        )
        for side in (1, 2)
    }
    placed = points.assign(**shown)
    return placed[(placed["SHOWN1"] > 0) & (placed["SHOWN2"] > 0)]

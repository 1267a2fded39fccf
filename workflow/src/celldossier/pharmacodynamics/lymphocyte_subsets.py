"""Lymphocyte subsets in blood by visit, and the ratio of CD4 to CD8 in blood and product.

=================== ========= ================================================================
analysis            by        statistics
=================== ========= ================================================================
subsets             visit     block of the values, n_blq; variable VALUE, CHG (change from
                              baseline), PARENT (% of the parent, computed), analyte the subset
subsets_ratio       visit     block of CD4 over CD8 in the same sample, n_without: samples of
                              either of which the ratio is not known; variable VALUE, CHG
subsets_product     -         block of the ratio in the product lots (ADSL.CD4CD8)
=================== ========= ================================================================

Curves `subsets_course/<subset>` and `subsets_course/RATIO`: median and quartiles by planned day.
Results below their limit count as half of it; a ratio or a percent needs a quantifiable
denominator in the same unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.samples import (
    BASELINE,
    end_at_new_treatment,
    first_of_visit,
    keep_days,
    list_visits,
    marker_samples,
)
from celldossier.pharmacodynamics.study import Study
from celldossier.pharmacodynamics.summaries import add_block
from celldossier.results import ResultCollector

COURSE = "pharmacodynamics.subsets_course"
RATIO = "RATIO"
SAMPLE = ["USUBJID", "ADTM", "ASPEC"]


def collect_subsets(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the analyses of this module; give the curves."""
    settings = study.settings.target_cells
    infused = study.sources.adsl.loc[study.sources.adsl["SAFFL"] == "Y"].drop_duplicates("USUBJID")
    codes = dict.fromkeys([*settings.subsets, *settings.ratio, *settings.parents.values()])
    samples = {}
    for code in codes:
        rows = end_at_new_treatment(marker_samples(study, code), study.sources)
        samples[code] = rows[rows["USUBJID"].isin(infused["USUBJID"])]
    points: list[dict[str, object]] = []
    for code in settings.subsets:
        rows = samples[code]
        if rows.empty:
            continue
        parent = settings.parents.get(code, "")
        rows = rows.assign(CHG=_change(rows))
        if parent and _have_one_unit(rows, samples[parent]):
            rows = rows.assign(PARENT=100 * divide_in_sample(rows, samples[parent]))
        points += _add_visits(out, "subsets", code, rows, settings.days)
    numerator, denominator = (samples[code] for code in settings.ratio)
    if _have_one_unit(numerator, denominator):
        pairs = pair_ratio(numerator, denominator)
        points += _add_visits(out, "subsets_ratio", RATIO, pairs, settings.days)
    product = infused["CD4CD8"].dropna()
    if len(product):
        add_block(
            out,
            "subsets_product",
            product,
            variable="CD4CD8",
            analyte="",
            by={},
            where="SAFFL = Y",
            unit="",
            dataset="ADSL",
        )
    return points


def _have_one_unit(rows: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether both have samples, in one unit: a percent over a count means nothing."""
    return len(rows) > 0 and set(rows["UNIT"]) == set(other["UNIT"])


def divide_in_sample(rows: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """VALUE over that of the other marker in the same sample; NaN without a quantifiable one."""
    known = other[~other["BLQ"] & (other["VALUE"] > 0)].drop_duplicates(SAMPLE)
    keys = pd.MultiIndex.from_frame(rows[SAMPLE])
    below = known.set_index(SAMPLE)["VALUE"].reindex(keys).to_numpy(dtype=float)
    return pd.Series(rows["VALUE"].to_numpy(dtype=float) / below, index=rows.index)


def pair_ratio(numerator: pd.DataFrame, denominator: pd.DataFrame) -> pd.DataFrame:
    """Ratio in each sample in which either was measured; VALUE is NaN where it is not known."""
    ratio = numerator.assign(RATIO=divide_in_sample(numerator, denominator))
    alone = denominator.merge(numerator[SAMPLE].assign(PAIRED=True), on=SAMPLE, how="left")
    alone = alone[alone["PAIRED"].isna()].drop(columns="PAIRED").assign(RATIO=np.nan)
    parts = [part for part in (ratio, alone) if len(part)]
    both = pd.concat(parts, ignore_index=True).sort_values(["USUBJID", "DAY"], kind="stable")
    both = both.assign(VALUE=both["RATIO"], BLQ=both["BLQ"] & both["RATIO"].notna(), UNIT="")
    start = both[both["VISIT"] == BASELINE].drop_duplicates("USUBJID").set_index("USUBJID")
    both = both.assign(BASE=both["USUBJID"].map(start["VALUE"]).astype("float64"))
    return both.assign(CHG=_change(both)).reset_index(drop=True)


def _change(rows: pd.DataFrame) -> pd.Series:
    return (rows["VALUE"] - rows["BASE"]).where(rows["VISIT"] != BASELINE)


def _add_visits(
    out: ResultCollector, analysis: str, code: str, samples: pd.DataFrame, days: Sequence[float]
) -> list[dict[str, object]]:
    """Blocks by visit and the points of the curve of one marker."""
    rows = first_of_visit(samples)
    shown = set(list_visits(keep_days(rows, days)))
    unit = str(samples["UNIT"].iloc[0])
    points: list[dict[str, object]] = []
    for visit in list_visits(rows):
        own = rows[rows["VISIT"] == visit]
        for variable, column in (("VALUE", "VALUE"), ("CHG", "CHG"), ("PARENT", "PARENT")):
            wanted = visit in shown and not (variable == "CHG" and visit == BASELINE)
            if column not in own or not wanted:
                continue
            extra = {"n_blq": float(own["BLQ"].sum())}
            if analysis == "subsets_ratio":
                extra = {"n_without": float(own["VALUE"].isna().sum())}
            add_block(
                out,
                analysis,
                own[column],
                variable=variable,
                analyte=code,
                by={"visit": visit},
                where=f"SAFFL = Y; {visit}",
                unit="%" if variable == "PARENT" else unit,
                extra=extra if variable == "VALUE" else None,
            )
        values = own["VALUE"].dropna()
        day = 0.0 if visit == BASELINE else float(own["PLANNED"].min())
        drawn = {point["x"] for point in points}
        if len(values) and np.isfinite(day) and day not in drawn:
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            points.append(
                {
                    "curve_id": f"{COURSE}/{code}",
                    "series": "total",
                    "x": day,
                    "y": middle,
                    "low": low,
                    "high": high,
                    "n": float(len(values)),
                    "x_unit": "d",
                    "y_unit": unit,
                    "kind": "summary",
                }
            )
    return points

"""What is computed a second time, plainly, from the raw files of the example study.

Nothing of the package is imported: the rules of the analysis (R3 to R20) are written down here
once more, one subject at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

ANALYTES = {"CARPCR": "PCR", "CARFLOW": "FLOW"}
CUTOFF = "2025-12-15"
RESPONDERS = ["CR", "CRi", "PR"]
ORDER = [*RESPONDERS, "SD", "NR", "PD", "NE"]
TERMS = {
    "CRS": "Cytokine release syndrome",
    "ICANS": "Immune effector cell-associated neurotoxicity syndrome",
}
CHECKED = ["CMAX", "TMAX", "TLST", "TBQL", "AUC28", "AUCLST", "LAMZHL", "LAMZHLR", "CMAXTMAX"]


def days(text: str, zero: pd.Timestamp) -> float:
    """Days from the first infusion; a date without time of day counts in whole days."""
    time = pd.Timestamp(text)
    if len(text) <= 10:
        return float((time - zero.normalize()).days)
    return (time - zero).total_seconds() / 86400


def area(points: list[tuple[float, float]]) -> float:
    """Linear up, logarithmic down (R11)."""
    total = 0.0
    for (t1, c1), (t2, c2) in pairwise(points):
        falls = 0 < c2 < c1
        total += (t2 - t1) * ((c1 - c2) / math.log(c1 / c2) if falls else (c1 + c2) / 2)
    return total


def area_to(points: list[tuple[float, float]], end: float) -> float:
    inside = [point for point in points if point[0] <= end]
    beyond = [point for point in points if point[0] > end]
    if beyond and inside[-1][0] < end:
        (t1, c1), (t2, c2) = inside[-1], beyond[0]
        part = (end - t1) / (t2 - t1)
        falls = 0 < c2 < c1
        inside = [*inside, (end, c1 * (c2 / c1) ** part if falls else c1 + (c2 - c1) * part)]
    return area(inside)


def terminal_fit(after: list[tuple[float, float]]) -> tuple[float, float, float] | None:
    """Rate, adjusted R squared and length of window of the best terminal regression (R16)."""
    fits = []
    for k in range(3, len(after) + 1):
        time, conc = np.array(after[-k:]).T
        line = stats.linregress(time, np.log(conc))
        if line.slope < 0:
            r2adj = 1 - (1 - line.rvalue**2) * (k - 1) / (k - 2)
            fits.append((-line.slope, r2adj, time[-1] - time[0]))
    if not fits:
        return None
    best = max(fit[1] for fit in fits)
    return [fit for fit in fits if best - fit[1] < 1e-4][-1]


def profile_parameters(samples: pd.DataFrame, censored: float) -> dict[str, float]:
    """Parameters of one profile (columns time, nominal, conc; conc NaN where BLQ), R3 to R20."""
    before = samples[samples["time"] <= 0]
    rows = samples.drop(index=before.index[:-1]).sort_values("time")
    time = rows["time"].clip(lower=0).tolist()
    conc, nominal = rows["conc"].tolist(), rows["nominal"].tolist()
    if before.empty:
        time, conc, nominal = [0.0, *time], [0.0, *conc], [0.0, *nominal]
    value = dict.fromkeys(CHECKED, math.nan)
    known = [i for i, c in enumerate(conc) if c > 0]
    if not known:
        return value | {"CMAX": 0.0, "AUC28": 0.0, "AUCLST": 0.0}
    eligible = [i for i in known if nominal[i] >= 1]
    peak = max(eligible or known, key=lambda i: (conc[i], -i))
    first, last = min(i for i in known if time[i] > 0), known[-1]
    if eligible:
        value |= {"CMAX": conc[peak], "TMAX": time[peak], "CMAXTMAX": conc[peak] / time[peak]}
    value["TLST"] = time[last]
    blq = [math.isnan(c) for c in conc]
    lost = [i for i in range(peak + 1, len(conc) - 1) if blq[i] and blq[i + 1]]
    if lost:
        value["TBQL"] = time[lost[0]]
    points = []
    for i in range(last + 1):
        together = (i > first and blq[i - 1]) or blq[i + 1 : i + 2] == [True]
        if not blq[i]:
            points.append((time[i], conc[i]))
        elif i < first or i < peak or together:
            points.append((time[i], 0.0))
    value["AUCLST"] = area(points)
    fit = terminal_fit([(time[i], conc[i]) for i in known if i > peak])
    if fit:
        value["LAMZHLR"] = math.log(2) / fit[0]
        if fit[1] >= 0.8 and fit[2] / value["LAMZHLR"] >= 2:
            value["LAMZHL"] = value["LAMZHLR"]
    value["AUC28"] = partial_area(points, time, conc, known, fit, censored)
    return value


def partial_area(points, time, conc, known, fit, censored: float, end: float = 28.0) -> float:
    """AUC to `end` with its tail (R13 to R15)."""
    last = known[-1]
    if time[last] >= end:
        return area_to(points, end)
    rest, body = end - time[last], area(points)
    following = time[last + 1] if last + 1 < len(time) else math.inf
    if following <= end + 3:
        width = following - time[last]
        if censored < end and following > censored:
            return math.nan
        cut = min(rest, width)
        return body + conc[last] * cut * (1 - cut / width / 2)
    if censored < end:
        return math.nan
    if rest <= 3:
        previous = known[-2] if len(known) > 1 else None
        if previous is not None and conc[previous] > conc[last]:
            rate = math.log(conc[previous] / conc[last]) / (time[last] - time[previous])
            return body + conc[last] * (1 - math.exp(-rate * rest)) / rate
        return body + conc[last] * rest
    if fit is None:
        return math.nan
    tail = conc[last] * (1 - math.exp(-fit[0] * rest)) / fit[0]
    return body + tail if tail / (body + tail) <= 0.2 else math.nan


def kaplan_meier(rows: list[tuple[float, bool]], at: float) -> tuple[float, float, int]:
    """Median, survival at a time, and subjects at risk at it; one step after the other."""
    survival, median, at_time = 1.0, math.nan, 1.0
    for time in sorted({t for t, _ in rows}):
        risk = sum(t >= time for t, _ in rows)
        survival *= 1 - sum(e for t, e in rows if t == time) / risk
        if survival <= 0.5 and math.isnan(median):
            median = time
        if time <= at:
            at_time = survival
    return median, at_time, sum(t >= at for t, _ in rows)


def last_seen(raw: Callable[[str], pd.DataFrame]) -> pd.Series:
    """Latest complete date of any record of a subject who was not dead or lost by it."""
    parts = []
    for name in ("dm", "ex", "pc", "lb", "is", "ae", "fa", "rs", "ds", "cm"):
        table = raw(name)
        if name == "ds":
            table = table[~table["DSDECOD"].isin(["DEATH", "LOST TO FOLLOW-UP"])]
        for column in table.columns[table.columns.str.endswith("DTC")].difference(["DTHDTC"]):
            dated = table[table[column].str.len() >= 10]
            parts.append(dated.set_index("USUBJID")[column].str.slice(0, 10))
    return pd.concat(parts).groupby(level=0).max().clip(upper=CUTOFF)

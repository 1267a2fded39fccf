"""Observed rates by exposure group, and the fitted curves beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from celldossier.exposure_response.binary_fits import CellResult
from celldossier.exposure_response.plan import LANDMARK, PRIMARY
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats import proportion
from celldossier.stats.logistic import LogisticFit, predict_probability

BIN_LETTER = {2: "H", 3: "T", 4: "Q", 5: "V"}
"""Halves, tertiles, quartiles, quintiles: levels of the key `bin` are Q1, Q2, ..."""
CURVE_POINTS = 101


def collect_observed_rates(
    results: Sequence[CellResult],
    settings: ExposureResponseSettings,
    units: Mapping[str, str],
    out: ResultCollector,
) -> list[dict[str, object]]:
    """Add the analysis `quartiles`; give the curves of the unadjusted models.

    Returns
    -------
    list of dict
        Rows of CURVES: `exposure_response.probability/<ENDPOINT>/<METRIC>`, series
        ``fit`` (log2 exposure, probability, band) and ``observed`` (median of the bin,
        rate, Clopper-Pearson).
    """
    rows: list[dict[str, object]] = []
    for result in results:
        cell = result.cell
        if cell.adjustment != "UNADJUSTED" or cell.population not in (PRIMARY, LANDMARK):
            continue
        common = {
            "curve_id": f"exposure_response.probability/{cell.endpoint.code}/{cell.metric}",
            "x_unit": f"log2({units.get(cell.metric, '')})",
            "y_unit": "1",
        }
        rows += [common | row for row in _observed(result, settings, out)]
        if result.fit:
            rows += [common | row for row in _fitted(result, result.fit, settings)]
    return rows


def _fitted(
    result: CellResult, fit: LogisticFit, settings: ExposureResponseSettings
) -> list[dict[str, object]]:
    x = np.linspace(
        float(result.selection.exposure.min()),
        float(result.selection.exposure.max()),
        CURVE_POINTS,
    )
    y, low, high = predict_probability(fit, x, settings.confidence_level)
    n = float(fit.n)
    return [
        {"series": "fit", "kind": "fit", "x": a, "y": b, "low": c, "high": d, "n": n}
        for a, b, c, d in zip(x, y, low, high, strict=True)
    ]


def assign_bins(
    exposure: np.ndarray[tuple[int], np.dtype[np.float64]], bins: int, min_per_bin: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """Quantile group of each exposure, and the number of groups (0: too few subjects).

    One group less is made until each holds `min_per_bin` subjects; two are the least.
    A value at a boundary belongs to the lower group.
    """
    for k in range(bins, 1, -1):
        if exposure.size < k:
            continue
        edges = np.quantile(exposure, np.arange(1, k) / k)
        group = np.searchsorted(edges, exposure, side="left")
        if np.bincount(group, minlength=k).min() >= min_per_bin:
            return group, k
    return np.zeros(exposure.size, dtype=np.int64), 0


def _observed(
    result: CellResult, settings: ExposureResponseSettings, out: ResultCollector
) -> list[dict[str, object]]:
    chosen, cell = result.selection, result.cell
    add = partial(
        out.add,
        "quartiles",
        dataset="ADER",
        variable=cell.endpoint.code,
        analyte=settings.analyte,
        where="ERFL = Y",
    )
    by = {"metric": cell.metric}
    group, k = assign_bins(chosen.exposure, settings.bins, settings.min_per_bin)
    n = float(chosen.event.size)
    notes = {} if k else {"bins": chosen.reason or "FEWSUBJ"}
    add({"bins": float(k) if k else math.nan}, by=by, n=n, notes=notes)
    rows: list[dict[str, object]] = []
    for index in range(k):
        member = group == index
        x, size = chosen.exposure[member], int(member.sum())
        events = int(chosen.event[member].sum())
        low, high = proportion.clopper_pearson(events, size, settings.confidence_level)
        predicted = math.nan
        if result.fit and result.fit.fitted is not None:
            predicted = 100 * float(result.fit.fitted[member].mean())
        add(
            {
                "n": float(size),
                "events": float(events),
                "pct": 100 * events / size,
                "ci_low": 100 * low,
                "ci_high": 100 * high,
                "exposure_min": float(2 ** x.min()),
                "exposure_max": float(2 ** x.max()),
                "pct_predicted": predicted,
            },
            by={**by, "bin": f"{BIN_LETTER[k]}{index + 1}"},
            n=float(size),
            method="Clopper-Pearson",
            notes={} if not math.isnan(predicted) else {"pct_predicted": result.reason},
        )
        rows.append(
            {
                "series": "observed",
                "kind": "observed",
                "x": float(np.median(x)),
                "y": events / size,
                "low": low,
                "high": high,
                "n": float(size),
            }
        )
    return rows

"""Analysis results and curves of the comparison of two assays (S4.3-1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.assay_pairs import CATEGORIES
from celldossier.cellular_kinetics.summaries import STAGE, visit_name
from celldossier.datasets import conform
from celldossier.results import LISTED_BELOW, ResultCollector, explain_missing, list_few
from celldossier.settings.concordance import ConcordanceSettings
from celldossier.stats.agreement import estimate_agreement
from celldossier.stats.method_comparison import (
    Coefficient,
    Line,
    estimate_deming,
    estimate_rank_correlation,
)
from celldossier.stats.passing_bablok import estimate_passing_bablok

WHERE = "ANL01FL = Y"
"""The pairs of the regressions, as the column `filter` of the results says it."""


class Methods(NamedTuple):
    """The analytes of a pair."""

    first: str
    second: str


def summarise_concordance(
    adpair: pd.DataFrame, settings: ConcordanceSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Analysis results (dataset ARD) and curves (dataset CURVES) of each pair of assays.

    ===================== ===== =================================================================
    analysis              by    statistics
    ===================== ===== =================================================================
    concordance                 n (subjects), n_pairs, n_used, n_used_subjects, n_above; of each
                                category of AGREECAT n_<category>, pct_<category>
    concordance_fit             rho, deming_slope, deming_intercept, pb_slope, pb_intercept, each
                                with _low and _high
    assay_agreement             bias, loa_low, loa_high (ratios), each with _low and _high;
                                sd_between, sd_within (of natural logarithms)
    assay_ratio           visit n_pairs, n_first, n_second, n_neither; n (subjects), geomean,
                                geomean_low, geomean_high, gcv
    ===================== ===== =================================================================

    The analyte is the first of the pair, the variable the second.

    Curves ``cellular_kinetics.concordance/<SECOND>/<FIRST>``, kind fit: the lines `deming` and
    `passing_bablok` over the range of the first assay, in the units of both;
    ``cellular_kinetics.assay_ratio/<SECOND>/<FIRST>``, kind summary: the geometric mean ratio
    at each nominal time with its limits.
    """
    collector = ResultCollector(STAGE)
    points: list[dict[str, object]] = []
    for _, rows in adpair.groupby("PAIRCD", sort=True):
        place = Methods(str(rows["PARAMCD1"].iloc[0]), str(rows["PARAMCD2"].iloc[0]))
        used = rows[rows["ANL01FL"] == "Y"]
        _add_counts(collector, rows, used, place)
        lines = estimate_lines(used, settings)
        _add_fit(collector, used, place, lines, settings)
        _add_agreement(collector, used, place, rows["RATIOU"].iloc[0], settings)
        for nominal, at in rows[rows["NFRLT"].notna()].groupby("NFRLT", sort=True):
            visit = visit_name(float(str(nominal)))
            _add_ratio(collector, at, place, visit, settings.confidence_level)
        points += [*_line_points(rows, lines), *_ratio_points(rows, settings.confidence_level)]
    return collector.frame(), conform(pd.DataFrame(points), "CURVES")


def _add_counts(
    collector: ResultCollector, rows: pd.DataFrame, used: pd.DataFrame, place: Methods
) -> None:
    counts: dict[str, float] = {
        "n": rows["USUBJID"].nunique(),
        "n_pairs": len(rows),
        "n_used": len(used),
        "n_used_subjects": used["USUBJID"].nunique(),
        "n_above": int((rows["AGREECAT"] == "BOTH").sum()) - len(used),
    }
    shares = {}
    for category in CATEGORIES:
        counts[f"n_{category.lower()}"] = n = int((rows["AGREECAT"] == category).sum())
        shares[f"pct_{category.lower()}"] = 100 * n / len(rows)
    collector.add(
        "concordance",
        {**counts, **shares},
        dataset="ADPAIR",
        analyte=place.first,
        variable=place.second,
        units=dict.fromkeys(shares, "%"),
        n=counts["n"],
        method="count of pairs",
    )


def estimate_lines(used: pd.DataFrame, settings: ConcordanceSettings) -> tuple[Line, Line]:
    """Deming and Passing-Bablok regression of ln AVAL2 on ln AVAL1, limits over subjects."""
    x, y, subject = _logs(used)
    level = settings.confidence_level
    return (
        estimate_deming(x, y, subject, settings.error_ratio, level),
        estimate_passing_bablok(x, y, subject, level),
    )


def _add_fit(
    collector: ResultCollector,
    used: pd.DataFrame,
    place: Methods,
    lines: tuple[Line, Line],
    settings: ConcordanceSettings,
) -> None:
    x, y, subject = _logs(used)
    correlation = estimate_rank_correlation(x, y, subject, settings.confidence_level)
    statistics = {"rho": correlation.rho, "rho_low": correlation.low, "rho_high": correlation.high}
    reasons = dict.fromkeys(statistics, correlation.reason)
    for name, line in zip(("deming", "pb"), lines, strict=True):
        for part, value in (("slope", line.slope), ("intercept", line.intercept)):
            own = _spread(f"{name}_{part}", value)
            statistics |= own
            reasons |= dict.fromkeys(own, line.reason)
    collector.add(
        "concordance_fit",
        statistics,
        dataset="ADPAIR",
        analyte=place.first,
        variable=place.second,
        where=WHERE,
        n=float(used["USUBJID"].nunique()),
        method=(
            "Spearman; Deming (error ratio "
            f"{settings.error_ratio:g}) and equivariant Passing-Bablok regression of natural "
            "logarithms; limits by the jackknife over subjects"
        ),
        notes={stat: reasons[stat] for stat, value in statistics.items() if math.isnan(value)},
    )


def _add_agreement(
    collector: ResultCollector,
    used: pd.DataFrame,
    place: Methods,
    unit: str,
    settings: ConcordanceSettings,
) -> None:
    found = estimate_agreement(
        np.log(used["RATIO"].to_numpy(dtype=float)),
        used["USUBJID"].to_numpy(dtype=object),
        settings.confidence_level,
    )
    ratios = {
        stat: _exp(value)
        for name, part in (
            ("bias", found.bias),
            ("loa_low", found.lower),
            ("loa_high", found.upper),
        )
        for stat, value in _spread(name, part).items()
    }
    spreads = {"sd_between": found.between**0.5, "sd_within": found.within**0.5}
    statistics = {**ratios, **spreads}
    # Without repeated pairs there is no spread within subjects to be told from the rest.
    reason = found.reason or ("NOREPEAT" if math.isnan(found.within) else "OVERFLOW")
    collector.add(
        "assay_agreement",
        statistics,
        dataset="ADPAIR",
        analyte=place.first,
        variable=place.second,
        where=WHERE,
        unit=unit,
        units=dict.fromkeys(spreads, ""),
        n=float(found.n_subjects),
        method="Bland-Altman of natural logarithms, repeated pairs; limits after Zou (2013)",
        notes=explain_missing(statistics, reason),
    )


def _add_ratio(
    collector: ResultCollector,
    at: pd.DataFrame,
    place: Methods,
    visit: str,
    level: float,
) -> None:
    """Ratio of the assays at one nominal time, and who had a result of one of them only."""
    counts = {"n_pairs": float(len(at))}
    for category in CATEGORIES[1:]:
        counts[f"n_{category.lower()}"] = float((at["AGREECAT"] == category).sum())
    block = _geometric(at, level)
    n = block["n"]
    reason = "NOVALUE" if n == 0 else "FEWVAL" if n < LISTED_BELOW else "BLQHALF"
    statistics: dict[str, float | str] = {**counts, **block, **list_few(_subject_ratios(at))}
    collector.add(
        "assay_ratio",
        statistics,
        dataset="ADPAIR",
        analyte=place.first,
        variable=place.second,
        by={"visit": visit},
        where=f"{WHERE}; NFRLT = {visit}",
        unit=at["RATIOU"].iloc[0],
        units={**dict.fromkeys([*counts, "n"], ""), "gcv": "%"},
        n=n,
        method="geometric mean of the ratios of each subject; limits by t on logarithms",
        notes=explain_missing(block, reason),
    )


def _subject_ratios(rows: pd.DataFrame) -> np.ndarray:
    """Ratio of each subject; several pairs of one at one time count by their geometric mean."""
    used = rows[rows["ANL01FL"] == "Y"]
    logs = np.log(used["RATIO"]).groupby(used["USUBJID"]).mean()
    return np.asarray(np.exp(logs.to_numpy(dtype=float)))


def _is_mostly_below(rows: pd.DataFrame) -> bool:
    """Whether fewer than half of the pairs are quantifiable: their mean would be of the highest."""
    return 2 * int((rows["ANL01FL"] == "Y").sum()) < len(rows)


def _geometric(rows: pd.DataFrame, level: float) -> dict[str, float]:
    from scipy.special import stdtrit

    logs = np.log(_subject_ratios(rows))
    n, nan = logs.size, math.nan
    block = {"n": float(n), "geomean": nan, "geomean_low": nan, "geomean_high": nan, "gcv": nan}
    if n >= LISTED_BELOW and not _is_mostly_below(rows):
        mean, sd = float(logs.mean()), float(logs.std(ddof=1))
        half = float(stdtrit(n - 1, 0.5 + level / 2)) * sd / math.sqrt(n)
        block |= {
            "geomean": math.exp(mean),
            "geomean_low": math.exp(mean - half),
            "geomean_high": math.exp(mean + half),
            "gcv": 100 * math.sqrt(math.expm1(sd**2)),
        }
    return block


def _line_points(rows: pd.DataFrame, lines: tuple[Line, Line]) -> Iterator[dict[str, object]]:
    head, used = rows.iloc[0], rows[rows["ANL01FL"] == "Y"]
    for series, line in zip(("deming", "passing_bablok"), lines, strict=True):
        if math.isnan(line.slope.value):
            continue
        for x in np.geomspace(used["AVAL1"].min(), used["AVAL1"].max(), 50):
            yield {
                "curve_id": f"{STAGE}.concordance/{head['PARAMCD2']}/{head['PARAMCD1']}",
                "series": series,
                "x": x,
                "y": np.exp(line.intercept.value + line.slope.value * np.log(x)),
                "n": line.n_subjects,
                "x_unit": head["AVALU1"],
                "y_unit": head["AVALU2"],
                "kind": "fit",
            }


def _ratio_points(rows: pd.DataFrame, level: float) -> Iterator[dict[str, object]]:
    head = rows.iloc[0]
    for nominal, at in rows[rows["NFRLT"].notna()].groupby("NFRLT", sort=True):
        block = _geometric(at, level)
        yield {
            "curve_id": f"{STAGE}.assay_ratio/{head['PARAMCD2']}/{head['PARAMCD1']}",
            "series": "total",
            "x": nominal,
            "y": block["geomean"],
            "low": block["geomean_low"],
            "high": block["geomean_high"],
            "n": block["n"],
            "x_unit": "d",
            "y_unit": head["RATIOU"],
            "kind": "summary",
        }


def _logs(used: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    logs = np.log(used[["AVAL1", "AVAL2"]].to_numpy(dtype=float))
    return logs[:, 0], logs[:, 1], used["USUBJID"].to_numpy(dtype=object)


def _exp(value: float) -> float:
    """The exponential; NaN beyond the range of floating-point numbers."""
    return math.exp(value) if value < 700 else math.nan


def _spread(name: str, value: Coefficient) -> dict[str, float]:
    return {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}

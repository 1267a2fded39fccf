"""Cut points of the antibody assays, from the raw signals of drug-naive samples in ADAB.

Analysis (analyte = target, ISBDAGNT; variable = test, PARAMCD):

=========== ============================ ==================================================
analysis    by                           statistics
=========== ============================ ==================================================
cut_points  tier (ISCAT); where there    n, n_outliers, n_passes, n_positive (left out), scale,
            are signals, unit and,       shapiro_p, skewness, rule, reason, false_positive (%),
            where known, version of      cut_point (unit), bound (unit, where the study asks for
            the assay                    it), n_above (of those used and the outliers), n_runs,
                                         p_means, p_variances, form
=========== ============================ ==================================================

A tier without raw signals has `cut_point` and `n` only, with the reason.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.cut_points import CutPointSettings
from celldossier.stats.cut_points import (
    CutPoint,
    CutPointRules,
    RunComparison,
    compare_runs,
    drop_outliers,
    estimate_cut_point,
)

SCREENING, CONFIRMATORY = "SCREENING", "CONFIRMATORY"
TIERS = (SCREENING, CONFIRMATORY)

SIGNAL = "VALUE"
"""AVALC of a result that is a number and neither a titre nor a word."""

CELLULAR = "CELLULAR"

NO_SIGNAL, NOT_NAIVE, NOT_INHIBITION = "NOSIGNAL", "NONAIVE", "NOINHIB"
"""Why a tier has no cut point: no raw signals, none before the product, another unit than %."""

FEW_RUNS = "FEWRUNS"
"""Why nothing is said of fixed or floating: fewer than two runs with three samples."""


def summarise_cut_points(
    adab: pd.DataFrame, settings: CutPointSettings, out: ResultCollector
) -> None:
    """Add the cut points of each test, target and tier, or why there is none.

    Parameters
    ----------
    adab
        Dataset ADAB.
    """
    tested = adab[adab["ISCAT"] != CELLULAR]
    for (test, target), rows in tested.groupby(["PARAMCD", "ISBDAGNT"]):
        for tier in TIERS:
            signals = rows[(rows["ISCAT"] == tier) & (rows["AVALC"] == SIGNAL)]
            place = (str(test), str(target), tier)
            if signals.empty:
                _add_missing(place, {}, NO_SIGNAL, out)
            for (unit, version), own in signals.groupby(["AVALU", "ASSAYV"]):
                by = {"unit": str(unit)} | ({"version": str(version)} if version else {})
                naive = select_naive(own, settings)
                confirmed = find_confirmed(naive, rows) & settings.exclude_confirmed
                _add_tier(place, by, naive[~confirmed], int(confirmed.sum()), settings, out)


def select_naive(signals: pd.DataFrame, settings: CutPointSettings) -> pd.DataFrame:
    """One drug-naive sample a subject: at baseline, or the first of the visits that are named.

    A sample below the limit of quantitation has no signal and is left out; one above it
    stands at the limit.
    """
    visits = [visit.upper() for visit in settings.naive_visits]
    if visits:
        naive = signals[signals["AVISIT"].str.upper().isin(visits)]
    else:
        naive = signals[signals["ABLFL"] == "Y"]
    naive = naive[naive["AVAL"].notna()].sort_values(["USUBJID", "AFRLT", "SRCROW"])
    return naive.drop_duplicates("USUBJID")


def find_confirmed(naive: pd.DataFrame, tested: pd.DataFrame) -> np.ndarray:
    """Whether each sample was confirmed positive: antibodies before the product, no background.

    Parameters
    ----------
    naive
        Drug-naive signals of one test and target.
    tested
        All records of that test and target. A sample is known by subject, visit and time.
    """
    final = tested["ISCAT"].isin([CONFIRMATORY, "RESULT"]) & (tested["AVALC"] == "POSITIVE")
    keys = ["USUBJID", "AVISIT", "AFRLT"]
    return pd.MultiIndex.from_frame(naive[keys]).isin(
        pd.MultiIndex.from_frame(tested.loc[final, keys])
    )


def _add_tier(
    place: tuple[str, str, str],
    by: dict[str, str],
    naive: pd.DataFrame,
    n_positive: int,
    settings: CutPointSettings,
    out: ResultCollector,
) -> None:
    test, target, tier = place
    if tier == CONFIRMATORY and by["unit"] != "%":
        _add_missing(place, by, NOT_INHIBITION, out)
        return
    if naive.empty:
        _add_missing(place, by, NOT_NAIVE, out)
        return
    rules = make_rules(tier, settings)
    values = naive["AVAL"].to_numpy(dtype=float)
    found = estimate_cut_point(values, rules)
    runs = _compare(naive, found, rules, settings)
    statistics: dict[str, float | str] = {
        "n": float(found.n),
        "n_outliers": float(found.n_outliers),
        "n_passes": float(found.n_passes),
        "n_positive": float(n_positive),
        "scale": found.scale,
        "shapiro_p": found.p,
        "skewness": found.skewness,
        "rule": found.rule.upper() or math.nan,
        "reason": found.reason or math.nan,
        "false_positive": 100 * rules.false_positive,
        "cut_point": found.value,
        "n_above": math.nan if found.missing else float(np.sum(values > found.value)),
        "n_runs": float(runs.n_runs),
        "p_means": runs.p_means,
        "p_variances": runs.p_variances,
        "form": runs.form or math.nan,
    }
    if settings.lower_bound:
        statistics["bound"] = found.bound
    # The percentile has a cut point from fewer samples than its lower bound.
    own = dict.fromkeys(("p_means", "p_variances", "form"), FEW_RUNS)
    out.add(
        "cut_points",
        statistics,
        dataset="ADAB",
        variable=test,
        analyte=target,
        by={"tier": tier, **by},
        where=_naive_rows(tier, settings),
        units={
            "cut_point": by["unit"],
            "bound": by["unit"],
            "false_positive": "%",
        },
        n=float(values.size),
        method=f"{found.rule or 'none'}; Shapiro-Wilk; ANOVA and Levene between runs",
        notes=explain_missing(statistics, found.missing or "FEWTAIL", **own),
    )


def make_rules(tier: str, settings: CutPointSettings) -> CutPointRules:
    """Rules of a tier; percent inhibition is analysed as it is."""
    share = {
        SCREENING: settings.screening_false_positive,
        CONFIRMATORY: settings.confirmatory_false_positive,
    }
    return CutPointRules(
        false_positive=share[tier],
        rule=settings.rule,
        log_scale=settings.log_scale and tier == SCREENING,
        fence=settings.outlier_fence,
        passes=settings.outlier_passes,
        normality_p=settings.normality_p,
        skewness=settings.skewness_limit,
        fewest=settings.min_samples,
        confidence=settings.bound_confidence,
    )


def _compare(
    naive: pd.DataFrame, found: CutPoint, rules: CutPointRules, settings: CutPointSettings
) -> RunComparison:
    """Runs of the samples that are no outliers, on the scale of the cut point."""
    known = naive[naive["RUNID"] != ""]
    values = naive["AVAL"].to_numpy(dtype=float)
    own = known["AVAL"].to_numpy(dtype=float)
    if found.scale == "LOG":
        values, own = np.log(values), np.log(own)
    kept, _ = drop_outliers(values, rules.fence, rules.passes)
    inside = (own >= kept.min()) & (own <= kept.max())
    return compare_runs(own[inside], known["RUNID"][inside].tolist(), settings.run_alpha)


def _add_missing(
    place: tuple[str, str, str], by: dict[str, str], reason: str, out: ResultCollector
) -> None:
    test, target, tier = place
    out.add(
        "cut_points",
        {"n": 0.0, "cut_point": math.nan},
        dataset="ADAB",
        variable=test,
        analyte=target,
        by={"tier": tier, **by},
        where=f"ISCAT = {tier} and AVALC = {SIGNAL}",
        n=0.0,
        notes={"cut_point": reason},
    )


def _naive_rows(tier: str, settings: CutPointSettings) -> str:
    """Rows of ADAB that the cut point stands on."""
    visits = ", ".join(settings.naive_visits)
    rows = f"AVISIT in {visits}, first of a subject" if visits else "ABLFL = Y"
    confirmed = " and not confirmed positive" if settings.exclude_confirmed else ""
    return f"ISCAT = {tier} and AVALC = {SIGNAL} and {rows}{confirmed}"

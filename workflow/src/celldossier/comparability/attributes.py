"""Quality attributes of all lots, made before and after the change."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.comparability.study import Study
from celldossier.comparability.verdict import explain_verdict, judge, list_verdict
from celldossier.datasets import read_specification
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.stats.mean_difference import MeanDifference, estimate_difference
from celldossier.stats.mixed_model import estimate_mixed_model

RATIO, DIFFERENCE = "ratio", "difference"
SHARED = "linear mixed model, REML, random intercept of DONORID"
WHERE = "lots of a known group, given or not"


def choose_scale(study: Study, attribute: str) -> str:
    """Scale on which an attribute is compared: that of its margin, else of the settings."""
    margin = study.settings.find_attribute_margin(attribute)
    if margin:
        return margin.scale
    return RATIO if attribute in study.settings.ratio_attributes else DIFFERENCE


def read_attribute(study: Study, attribute: str) -> tuple[pd.Series, str]:
    """Values of an attribute, in the rows of the lots, and their unit.

    A potency in several units has no common scale: then all values are NaN.
    """
    values = study.lots[attribute].astype(float)
    if attribute != "POTENCY":
        return values, read_specification("ADPQ").variables[attribute].unit
    units = set(study.lots.loc[values.notna(), "POTENCU"])
    if len(units) > 1:
        return values * math.nan, ""
    return values, next(iter(units), "")


def share_donors(test: pd.Series, reference: pd.Series, donors: pd.Series) -> bool:
    """Whether two of the lots that have a value are of one donor."""
    known = pd.concat([test, reference]).dropna().index
    named = donors.loc[known]
    return bool(named[named != ""].duplicated().any())


def compare_lots(
    test: pd.Series, reference: pd.Series, donors: pd.Series, level: float
) -> MeanDifference:
    """Difference of means of lots by Welch, or with a random intercept of the donor.

    Parameters
    ----------
    test, reference
        Values of both groups, or their logarithms; NaN where there is none.
    donors
        Donor of each lot, in the rows of all lots; blank where not known.
    """
    if not share_donors(test, reference, donors):
        return estimate_difference(test, reference, level)
    values = pd.concat([test, reference]).dropna()
    n_test, n_reference = int(test.notna().sum()), int(reference.notna().sum())
    if min(n_test, n_reference) == 0:
        return MeanDifference(math.nan, n_test=n_test, n_reference=n_reference, reason="FEWSUBJ")
    after = values.index.isin(test.index).astype(float)
    named = donors.loc[values.index]
    # A lot whose donor is not known is of a donor of its own.
    clusters = named.where(named != "", "lot " + named.index.astype(str))
    design = np.column_stack([np.ones(values.size), after])
    fit = estimate_mixed_model(values, clusters, design, ["(Intercept)", "test"], level=level)
    if not fit.effects:
        return MeanDifference(math.nan, n_test=n_test, n_reference=n_reference, reason=fit.reason)
    effect = fit.effect("test")
    limits = (effect.low, effect.high, effect.p, effect.se, effect.df)
    return MeanDifference(effect.estimate, *limits, n_test, n_reference)


def summarise_attributes(study: Study, out: ResultCollector) -> None:
    """Add `attribute` (each group) and `attribute_contrast` (each group after the change)."""
    for attribute in study.settings.attributes:
        values, unit = read_attribute(study, attribute)
        if values[study.lots["GROUP"].isin(study.groups)].isna().all():
            # Not collected, in several units, or of lots without a group: nothing to compare.
            continue
        for group in study.groups:
            add_block(
                out,
                "attribute",
                values[study.lots["GROUP"] == group],
                dataset="ADPQ",
                variable=attribute,
                by={"group": group},
                where=WHERE,
                unit=unit,
            )
        before = values[study.lots["GROUP"] == study.reference]
        for group in study.changed:
            after = values[study.lots["GROUP"] == group]
            _add_contrast(study, out, attribute, group, before, after, unit)


def _add_contrast(
    study: Study,
    out: ResultCollector,
    attribute: str,
    group: str,
    before: pd.Series,
    after: pd.Series,
    unit: str,
) -> None:
    """Difference of means or ratio of geometric means, after and before, and its verdict."""
    settings = study.settings
    scale = choose_scale(study, attribute)
    logs = scale == RATIO
    # A value of 0 has no logarithm: the counts are of the lots that are compared.
    test, reference = (
        np.log(side.where(side > 0)) if logs else side.astype(float) for side in (after, before)
    )
    donors = study.lots["DONORID"]
    found = compare_lots(test, reference, donors, settings.confidence_level)
    shared = share_donors(test, reference, donors)
    few = min(found.n_test, found.n_reference) < settings.min_per_group
    reason = "FEWLOTS" if few else found.reason
    margin = settings.find_attribute_margin(attribute)
    limits = (margin.lower, margin.upper) if margin else None
    scaled = (math.log(limits[0]), math.log(limits[1])) if limits and logs else limits
    verdict = judge(found.estimate, found.se, found.df, scaled, settings.equivalence_level, reason)
    numbers = {
        "estimate": found.estimate,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "eq_low": verdict.low,
        "eq_high": verdict.high,
    }
    if few:
        numbers = dict.fromkeys(numbers, math.nan)
    elif logs:
        numbers = {name: math.exp(value) for name, value in numbers.items()}
    none = 1.0 if logs else 0.0
    low, high = numbers["estimate_low"], numbers["estimate_high"]
    statistics: dict[str, float | str] = {
        "n_test": float(found.n_test),
        "n_reference": float(found.n_reference),
        **numbers,
        "p": math.nan if few else found.p,
        # Whether the interval leaves "no difference" out, for the text: no test of equivalence.
        "differs": math.nan if math.isnan(low) else "N" if low <= none <= high else "Y",
        "scale": scale,
        "no_difference": none,
        **list_verdict(verdict, limits),
    }
    shown = "" if logs else unit
    out.add(
        "attribute_contrast",
        statistics,
        dataset="ADPQ",
        variable=attribute,
        by={"group": group},
        where=WHERE,
        units=dict.fromkeys((*numbers, "margin_lower", "margin_upper"), shown)
        | {"probability": "%"},
        n=float(found.n_test + found.n_reference),
        method=(SHARED if shared else "Welch t interval") + (" on ln" if logs else ""),
        notes=explain_missing(statistics, reason or "NOVALUE", **explain_verdict(verdict)),
    )

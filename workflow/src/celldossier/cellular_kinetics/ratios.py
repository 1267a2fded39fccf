"""Ratios of geometric means between the groups of each grouping, and their heterogeneity."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from celldossier.cellular_kinetics.groups import Group, list_groups
from celldossier.results import ResultCollector
from celldossier.settings.kinetics_summaries import KineticsSummaries
from celldossier.stats.heterogeneity import test_welch
from celldossier.stats.ratio import Ratio, estimate_ratio
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import UNKNOWN

WHERE = "ADSL.PKFL = Y; AVAL above 0"
LEVEL = 0.90

_METHOD = "ratio of geometric means, 90 % CI by Welch's t on natural logarithms"
_COMPARED = re.compile(r"^(CMAX|CMAXALL|CMAXTMAX|AUC[0-9]+(P[0-9]+)?(XE)?|EXPRATE|DOUBT)$")
# Parameters that are compared between groups. The rest depends on the length of follow-up,
# which differs between groups (sampling stops at a relapse, an earlier cohort is older).


def is_compared(code: str) -> bool:
    """Whether groups are compared by the parameter: not where it depends on follow-up.

    >>> is_compared("AUC28"), is_compared("AUCLST")
    (True, False)
    """
    return _COMPARED.match(code) is not None


def add_ratios(
    collector: ResultCollector,
    parameters: pd.DataFrame,
    levels: pd.DataFrame,
    settings: KineticsSummaries,
) -> None:
    """Add `ratio`, `heterogeneity` and `ratio_by_response`.

    `ratio` is of each level of a grouping to its reference, `heterogeneity` compares all
    levels at once (Welch's analysis of variance on logarithms). Subjects of unknown level
    are compared with nobody. All of it is descriptive: the groups were not randomised.
    """
    values = {
        (str(analyte), str(code)): rows
        for (analyte, code), rows in parameters.groupby(["PARCAT1", "PARAMCD"], sort=True)
        if is_compared(str(code))
    }
    for key in settings.groupings:
        if key == "response":
            _add_ratios_by_response(collector, values, levels)
            continue
        groups = {
            group.by[key]: group
            for group in list_groups(levels, (key,))
            if group.by[key] != UNKNOWN
        }
        if len(groups) > 1:
            _add_ratios_of(collector, values, key, groups, settings.reference_levels.get(key, ""))


def _add_ratios_of(
    collector: ResultCollector,
    values: Mapping[tuple[str, str], pd.DataFrame],
    key: str,
    groups: Mapping[str, Group],
    declared: str,
) -> None:
    names = natural_order(groups)
    reference = declared or max(names, key=lambda name: len(groups[name].subjects))
    for (analyte, code), rows in values.items():
        # A declared reference that nobody is in leaves the ratios empty, with the reason.
        taken = {
            name: rows.loc[rows["USUBJID"].isin(groups[name].subjects), "AVAL"] for name in names
        }
        for name in names:
            if name == reference:
                continue
            ratio = estimate_ratio(taken[name], taken.get(reference, []), level=LEVEL)
            collector.add(
                "ratio",
                {
                    **_statistics(ratio),
                    "n_test": ratio.n_test,
                    "n_reference": ratio.n_reference,
                    "reference": reference,
                },
                by={key: name},
                n=ratio.n_test + ratio.n_reference,
                method=_METHOD,
                notes=_notes(ratio, "" if reference in groups else "NOREFLEV"),
                dataset="ADPP",
                variable=code,
                analyte=analyte,
                where=WHERE,
            )
        found = test_welch([taken[name] for name in names])
        missing = {stat: found.reason for stat in ("f", "df1", "df2", "p") if found.reason}
        collector.add(
            "heterogeneity",
            {"f": found.f, "df1": found.df_between, "df2": found.df_within, "p": found.p},
            by={"grouping": key},
            n=found.n,
            method="Welch's analysis of variance on natural logarithms",
            notes=missing,
            dataset="ADPP",
            variable=code,
            analyte=analyte,
            where=WHERE,
        )


def _add_ratios_by_response(
    collector: ResultCollector,
    values: Mapping[tuple[str, str], pd.DataFrame],
    levels: pd.DataFrame,
) -> None:
    """Geometric mean ratio of responders to non-responders."""
    groups = {group.by["response"]: group for group in list_groups(levels, ("response",))}
    if not groups:
        return
    nobody = Group({}, frozenset())
    responders = groups.get("RESPONDER", nobody).subjects
    others = groups.get("NONRESPONDER", nobody).subjects
    for (analyte, code), rows in values.items():
        ratio = estimate_ratio(
            rows.loc[rows["USUBJID"].isin(responders), "AVAL"],
            rows.loc[rows["USUBJID"].isin(others), "AVAL"],
            level=LEVEL,
        )
        collector.add(
            "ratio_by_response",
            {
                **_statistics(ratio),
                "n_responder": ratio.n_test,
                "n_nonresponder": ratio.n_reference,
            },
            dataset="ADPP",
            variable=code,
            analyte=analyte,
            where=WHERE,
            n=ratio.n_test + ratio.n_reference,
            method=_METHOD,
            notes=_notes(ratio),
        )


def _statistics(ratio: Ratio) -> dict[str, float | str]:
    return {"gmr": ratio.ratio, "gmr_low": ratio.low, "gmr_high": ratio.high}


def _notes(ratio: Ratio, reason: str = "") -> dict[str, str]:
    """Why a statistic is missing: `reason` where it is given, else that of the estimate."""
    return {
        stat: reason or ratio.reason for stat, value in _statistics(ratio).items() if value != value
    }

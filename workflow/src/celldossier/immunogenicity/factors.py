"""Immune responses by factors of product and patient (S7.1-1): descriptive.

Analyses (analyte = target of the antibodies, or of the cellular response):

=============== ================== =================== ====================================
analysis        variable           by                  statistics
=============== ================== =================== ====================================
factor          BASELINE_POSITIVE, factor, level       n, denominator, pct, ci_low, ci_high
                TREATMENT_EMERGENT                     (%), of the evaluable subjects
cellular_factor AFTER              factor, level, test the same, of the judged subjects
=============== ================== =================== ====================================
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from celldossier.errors import ConfigError
from celldossier.immunogenicity.cellular_response import (
    SUBJECT,
    derive_cellular_samples,
    derive_cellular_subjects,
)
from celldossier.immunogenicity.emergence import EMERGENT
from celldossier.immunogenicity.status import POSITIVE, UNKNOWN
from celldossier.results import SHARE_UNITS, ResultCollector, describe_share
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.terms.order import natural_order

MISSING = "MISSING"


def summarise_factors(
    adab: pd.DataFrame,
    adsl: pd.DataFrame,
    adim: pd.DataFrame,
    settings: ImmunogenicitySettings,
    out: ResultCollector,
) -> None:
    """Share with antibodies, and with a cellular response, at each level of each factor.

    Parameters
    ----------
    adab, adsl, adim
        Datasets ADAB, ADSL and ADIM.
    settings
        Section `immunogenicity`; `impact.factors` names variables of ADSL.

    Raises
    ------
    ConfigError
        If a factor is no text variable of ADSL.
    """
    factors = settings.impact.factors
    _check_factors(adsl, factors)
    known = adsl[[*SUBJECT, *factors]]
    evaluable = adim.loc[adim["EVALFL"] == "Y"].merge(known, on=SUBJECT, suffixes=("_ADIM", ""))
    members = {
        "BASELINE_POSITIVE": evaluable["ADABLFL"] == "Y",
        "TREATMENT_EMERGENT": evaluable["ADASTAT"].isin(EMERGENT),
    }
    level = settings.confidence_level
    for target in natural_order(set(evaluable["ISBDAGNT"])):
        rows = evaluable.loc[evaluable["ISBDAGNT"] == target]
        for variable, shown in members.items():
            _add_factors(rows, shown, factors, ("factor", variable, target, {}), level, out)
    samples = derive_cellular_samples(adab, settings.cellular)
    subjects = derive_cellular_subjects(samples, adsl).merge(known, on=SUBJECT)
    judged = subjects.loc[subjects["AFTER"] != UNKNOWN]
    for (agent, test), rows in judged.groupby(["ISBDAGNT", "PARAMCD"]):
        place = ("cellular_factor", "AFTER", str(agent), {"test": str(test)})
        _add_factors(rows, rows["AFTER"] == POSITIVE, factors, place, level, out)


def _check_factors(adsl: pd.DataFrame, factors: Sequence[str]) -> None:
    wrong = [
        name
        for name in factors
        if name not in adsl or pd.api.types.is_numeric_dtype(adsl[name].dtype)
    ]
    if wrong:
        raise ConfigError(
            f"immunogenicity.impact.factors names {', '.join(wrong)}: "
            "a factor is a text variable of ADSL."
        )


def _add_factors(
    rows: pd.DataFrame,
    shown: pd.Series,
    factors: Sequence[str],
    place: tuple[str, str, str, dict[str, str]],
    level: float,
    out: ResultCollector,
) -> None:
    """One share for each level that a subject of the denominator has."""
    analysis, variable, target, by = place
    for factor in factors:
        values = rows[factor].where(rows[factor] != "", MISSING)
        if set(values) <= {MISSING}:
            continue
        for value in natural_order(set(values)):
            of_level = shown.loc[rows.index][values == value]
            count, n = int(of_level.sum()), len(of_level)
            out.add(
                analysis,
                describe_share(count, n, level),
                dataset="ADIM" if analysis == "factor" else "ADAB",
                variable=variable,
                analyte=target,
                by=by | {"factor": factor, "level": value},
                where="EVALFL = Y" if analysis == "factor" else "ISCAT = CELLULAR",
                units=SHARE_UNITS,
                n=float(n),
                method="Clopper-Pearson",
            )

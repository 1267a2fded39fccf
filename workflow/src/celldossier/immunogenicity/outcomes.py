"""Antibodies beside what follows them: landmark analysis of outcomes, CRS at a further infusion.

Analyses (analyte = target of the antibodies):

=============== ========= ========= ==================================================
analysis        variable  by        statistics
=============== ========= ========= ==================================================
landmark        endpoint  landmark  n, events and median with its limits of each group
                                    (_with, _without), n_unknown; hr with its limits,
                                    p (likelihood ratio); median in d from the landmark
reinfusion_crs  CRS       ada       n, denominator, pct, ci_low, ci_high (%)
reinfusion_crs  CRS                 n, n_unknown, p (Fisher)
=============== ========= ========= ==================================================

A subject must live, or respond, long enough to have antibodies found. A comparison by status
"at any time" would therefore favour those with antibodies by what made them visible; the status
at a landmark, among those still at risk at it, does not (Anderson JR et al. 1983, J Clin Oncol
1:710-719).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.immunogenicity.emergence import WITH, WITHOUT
from celldossier.immunogenicity.status import KEY, UNKNOWN
from celldossier.results import SHARE_UNITS, ResultCollector, describe_share, explain_missing
from celldossier.settings.immune_impact import ImpactSettings
from celldossier.stats.cox import estimate_cox, hazard_ratio
from celldossier.stats.proportion import test_fisher
from celldossier.stats.survival import estimate_quantile, estimate_survival

SUBJECT = ["STUDYID", "USUBJID"]
FURTHER = ("REPEAT", "RETREATMENT", "UNPLANNED")
"""Types of infusion (ADEX.DOSETYPE) that come after a first dose, parts of one dose left out."""
GROUPS = ((WITH, "with"), (WITHOUT, "without"))
HAZARD = ("hr", "hr_low", "hr_high", "p")


def find_status(spells: pd.DataFrame, day: pd.Series | float) -> list[str]:
    """Whether emergent ADA had been found by a day: what was known then, no later sample.

    Parameters
    ----------
    spells
        Rows of `celldossier.immunogenicity.emergence.derive_emergence`; NaN for a subject
        without a status.
    day
        Day from the first infusion, one for all or one a row.

    Returns
    -------
    list of str
        WITH; WITHOUT where a later sample had been taken by then; blank where none had, or where
        one by then left open whether the antibodies were boosted.
    """
    found = spells["ONSETDY"] <= day
    sampled = (spells["FIRSTDY"] <= day) & ~(spells["OPENDY"] <= day)
    return [str(state) for state in np.select([found, sampled], [WITH, WITHOUT], UNKNOWN)]


def summarise_landmarks(
    spells: pd.DataFrame,
    adim: pd.DataFrame,
    adtte: pd.DataFrame,
    adsl: pd.DataFrame,
    settings: ImpactSettings,
    out: ResultCollector,
) -> None:
    """Compare time to event from each landmark by the status known at it.

    Parameters
    ----------
    spells
        From `derive_emergence`.
    adim, adtte, adsl
        Datasets ADIM, ADTTE and ADSL. Competing events censor, as ADTTE has it: the hazard
        is that of the event itself.
    """
    times = _follow_up(adtte, adsl)
    statuses = adim[KEY].merge(spells, on=KEY, how="left")
    for endpoint in settings.endpoints:
        of_endpoint = times.loc[times["PARAMCD"] == endpoint]
        for target, rows in statuses.groupby("ISBDAGNT"):
            joined = rows.merge(of_endpoint, on=SUBJECT)
            if joined.empty:
                continue
            for day in settings.landmarks:
                _add_landmark(joined, str(target), endpoint, day, settings, out)


def _follow_up(adtte: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Days from the first infusion to the origin and to the end of each endpoint."""
    dated = adtte.loc[adtte["CNSR"].notna()].merge(adsl[[*SUBJECT, "TRTSDTM"]], on=SUBJECT)
    first, begin, end = (
        pd.to_datetime(dated[name].str[:10], errors="coerce")
        for name in ("TRTSDTM", "STARTDT", "ADT")
    )
    dated = dated.assign(
        BEGIN=(begin - first).dt.days, END=(end - first).dt.days, EVENT=dated["CNSR"] == 0
    )
    known = dated["BEGIN"].notna() & dated["END"].notna()
    return dated.loc[known, [*SUBJECT, "PARAMCD", "BEGIN", "END", "EVENT"]]


def _add_landmark(
    rows: pd.DataFrame,
    target: str,
    endpoint: str,
    day: float,
    settings: ImpactSettings,
    out: ResultCollector,
) -> None:
    at_risk = rows.loc[(rows["BEGIN"] <= day) & (rows["END"] > day)]
    at_risk = at_risk.assign(TIME=at_risk["END"] - day, STATE=find_status(at_risk, day))
    statistics: dict[str, float] = {"n_unknown": float((at_risk["STATE"] == UNKNOWN).sum())}
    notes: dict[str, str] = {}
    medians = []
    for state, name in GROUPS:
        part = at_risk.loc[at_risk["STATE"] == state]
        statistics |= {f"n_{name}": float(len(part)), f"events_{name}": float(part["EVENT"].sum())}
        spread = dict.fromkeys((f"median_{name}", f"median_low_{name}", f"median_high_{name}"))
        medians += list(spread)
        median: dict[str, float] = dict.fromkeys(spread, math.nan)
        if len(part):
            curve = estimate_survival(part["TIME"], part["EVENT"])
            found = estimate_quantile(curve, level=settings.confidence_level)
            median = dict(zip(spread, (found.value, found.low, found.high), strict=True))
        statistics |= median
        notes |= explain_missing(median, "NOTREACH" if len(part) else "NOGROUP")
    known = at_risk.loc[at_risk["STATE"] != UNKNOWN]
    few = min(statistics[f"n_{name}"] for _, name in GROUPS) < settings.min_subjects
    hazard, reason = (
        (dict.fromkeys(HAZARD, math.nan), "FEWSUBJ") if few else _hazard_ratio(known, settings)
    )
    statistics |= hazard
    out.add(
        "landmark",
        statistics,
        dataset="ADTTE",
        variable=endpoint,
        analyte=target,
        by={"landmark": f"{day:g}"},
        where="at risk at the landmark",
        units=dict.fromkeys(medians, "d"),
        n=float(len(known)),
        method="Kaplan-Meier; Cox model, profile likelihood",
        notes=notes | explain_missing(hazard, reason),
    )


def _hazard_ratio(known: pd.DataFrame, settings: ImpactSettings) -> tuple[dict[str, float], str]:
    """Hazard with emergent ADA over that without, and why there is none."""
    fit = estimate_cox(
        known["TIME"],
        known["EVENT"],
        (known["STATE"] == WITH).astype(float).to_numpy()[:, np.newaxis],
        ["ADA"],
        level=settings.confidence_level,
    )
    if not fit.coefficients:
        return dict.fromkeys(HAZARD, math.nan), fit.reason
    found = fit.coefficient("ADA")
    values = (*(hazard_ratio(x) for x in (found.estimate, found.low, found.high)), found.p)
    return dict(zip(HAZARD, values, strict=True)), found.reason or "OVERFLOW"


def summarise_reinfusion_crs(
    spells: pd.DataFrame,
    adim: pd.DataFrame,
    adex: pd.DataFrame,
    adaesi: pd.DataFrame,
    settings: ImpactSettings,
    out: ResultCollector,
) -> None:
    """Cytokine release syndrome after a further infusion, by ADA found before it.

    Of each subject the first further infusion counts before which the status was known; where it
    never was, the subject is counted as unknown.

    Parameters
    ----------
    spells
        From `derive_emergence`.
    adim, adex, adaesi
        Datasets ADIM, ADEX and ADAESI. An episode belongs to the last infusion before it.
    """
    further = adex.loc[adex["DOSETYPE"].isin(FURTHER) & adex["DOSENO"].notna()]
    further = further[[*SUBJECT, "DOSENO", "AFRLT"]].drop_duplicates([*SUBJECT, "DOSENO"])
    crs = adaesi.loc[adaesi["AESI"] == "CRS", [*SUBJECT, "DOSENO"]].drop_duplicates()
    further = further.merge(crs, on=[*SUBJECT, "DOSENO"], how="left", indicator="CRS")
    statuses = adim[KEY].merge(spells, on=KEY, how="left")
    for target, rows in statuses.groupby("ISBDAGNT"):
        joined = rows.merge(further, on=SUBJECT)
        joined = joined.assign(STATE=find_status(joined, joined["AFRLT"]))
        subjects = joined.groupby(SUBJECT).ngroups
        known = joined.loc[joined["STATE"] != UNKNOWN].sort_values([*SUBJECT, "DOSENO"])
        known = known.drop_duplicates(SUBJECT)
        table = []
        for state, _ in GROUPS:
            part = known.loc[known["STATE"] == state]
            count, n = int((part["CRS"] == "both").sum()), len(part)
            table.append((count, n - count))
            _add_crs(count, n, state, str(target), settings, out)
        few = min(sum(row) for row in table) < settings.min_subjects
        p = math.nan if few else test_fisher(table, settings.confidence_level).p
        statistics = {"n": float(subjects), "n_unknown": float(subjects - len(known)), "p": p}
        out.add(
            "reinfusion_crs",
            statistics,
            dataset="ADAESI",
            variable="CRS",
            analyte=str(target),
            where="ADEX.DOSETYPE a further infusion",
            n=float(subjects),
            method="Fisher's exact test",
            notes=explain_missing(statistics, "FEWSUBJ"),
        )


def _add_crs(
    count: int, n: int, state: str, target: str, settings: ImpactSettings, out: ResultCollector
) -> None:
    share = describe_share(count, n, settings.confidence_level)
    out.add(
        "reinfusion_crs",
        share,
        dataset="ADAESI",
        variable="CRS",
        analyte=target,
        by={"ada": state},
        where="ADEX.DOSETYPE a further infusion",
        units=SHARE_UNITS,
        n=float(n),
        method="Clopper-Pearson",
        notes=explain_missing(share, "NOGROUP"),
    )

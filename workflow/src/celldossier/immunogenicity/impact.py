"""Antibodies beside the kinetics, each in its order of time (S4.3-3, S7.1-1).

Analyses (analyte = target of the antibodies):

================= =========== ============== ==================================================
analysis          variable    by             statistics
================= =========== ============== ==================================================
baseline_exposure parameter   measured       n, geomean, gcv, min, max of each group
                                             (_positive, _negative), gmr, its limits and p
assay_ratio       RATIO       pair, ada,     block: second over first analyte, by nominal day
                              time           and state; unit as in ADPAIR
ratio_change      RATIO       pair           n, n_pairs, n_lost, n_unknown; ratio of the
                                             ratios, with its limits and p (mixed model)
================= =========== ============== ==================================================

A peak comes before any induced antibody can: exposure is compared by ADA at baseline alone.
Induced or boosted ADA are held against what follows their onset, within the subject.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.immunogenicity.emergence import WITH, state_at
from celldossier.immunogenicity.status import DECISION, KEY
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.immune_impact import ImpactSettings
from celldossier.stats.descriptive import describe
from celldossier.stats.mixed_model import estimate_mixed_model
from celldossier.stats.ratio import estimate_ratio

GROUPS = (("positive", "Y"), ("negative", "N"))
SHOWN = ("n", "geomean", "gcv", "min", "max")
CHANGE = ("ratio", "ratio_low", "ratio_high", "p")


def summarise_baseline_exposure(
    adim: pd.DataFrame, adpp: pd.DataFrame, settings: ImpactSettings, out: ResultCollector
) -> None:
    """Exposure of subjects with ADA at baseline over that of those without, by Welch's t on logs.

    Parameters
    ----------
    adim, adpp
        Datasets ADIM and ADPP; of ADPP the course from the first dose.
    """
    course = adpp.loc[(adpp["PROFTYP"] == "COURSE") & adpp["PARAMCD"].isin(settings.parameters)]
    known = adim.loc[adim["ADABLFL"].isin(["Y", "N"]) & (adim["NEVALRSN"] != DECISION)]
    joined = known[[*KEY, "ADABLFL"]].merge(course, on=["STUDYID", "USUBJID"])
    for (target, analyte, code), rows in joined.groupby(["ISBDAGNT", "PARCAT1", "PARAMCD"]):
        values = {name: rows.loc[rows["ADABLFL"] == flag, "AVAL"] for name, flag in GROUPS}
        statistics: dict[str, float] = {}
        notes: dict[str, str] = {}
        for name, part in values.items():
            block = {f"{stat}_{name}": value for stat, value in describe(part).items()}
            block = {key: block[key] for key in (f"{stat}_{name}" for stat in SHOWN)}
            statistics |= block
            notes |= explain_missing(block, "FEWVAL" if block[f"n_{name}"] else "NOGROUP")
        found = estimate_ratio(values["positive"], values["negative"], settings.confidence_level)
        few = min(found.n_test, found.n_reference) < settings.min_subjects
        ratio = (found.ratio, found.low, found.high, found.p)
        names = ("gmr", "gmr_low", "gmr_high", "p")
        compared = dict(zip(names, [math.nan] * 4 if few else ratio, strict=True))
        statistics |= compared
        notes |= explain_missing(compared, "FEWSUBJ" if few else found.reason)
        units = rows.loc[rows["AVALU"] != "", "AVALU"]
        unit = str(units.iloc[0]) if len(units) else ""
        amounts = [f"{stat}_{name}" for name, _ in GROUPS for stat in ("geomean", "min", "max")]
        percents = [f"gcv_{name}" for name, _ in GROUPS]
        out.add(
            "baseline_exposure",
            statistics,
            dataset="ADPP",
            variable=str(code),
            analyte=str(target),
            by={"measured": str(analyte)},
            where="PROFTYP = COURSE, ADIM.ADABLFL known",
            units=dict.fromkeys(amounts, unit) | dict.fromkeys(percents, "%"),
            n=float(found.n_test + found.n_reference),
            method="Welch t test of natural logarithms",
            notes=notes,
        )


def summarise_assay_ratio(
    spells: pd.DataFrame, adpair: pd.DataFrame, settings: ImpactSettings, out: ResultCollector
) -> None:
    """Ratio of two assays of one sample with and without emergent ADA, over time.

    Parameters
    ----------
    spells
        From `celldossier.immunogenicity.emergence.derive_emergence`.
    adpair
        Dataset ADPAIR. Pairs with ANL01FL = Y have a ratio.
    """
    joined = spells.merge(adpair, on=["STUDYID", "USUBJID"])
    joined = joined.assign(STATE=state_at(joined, joined["AFRLT"]))
    for (target, pair), rows in joined.groupby(["ISBDAGNT", "PAIRCD"]):
        used = rows.loc[(rows["ANL01FL"] == "Y") & (rows["STATE"] != "")]
        unit = str(rows["RATIOU"].iloc[0])
        for (state, day), part in used.groupby(["STATE", "NFRLT"]):
            add_block(
                out,
                "assay_ratio",
                part["RATIO"],
                dataset="ADPAIR",
                variable="RATIO",
                analyte=str(target),
                by={"pair": str(pair), "ada": str(state), "time": f"{day:g}"},
                where="ANL01FL = Y",
                unit=unit,
                n=float(part["USUBJID"].nunique()),
            )
        statistics, notes = estimate_ratio_change(used, settings)
        lost = rows.loc[(rows["AGREECAT"] == "FIRST") & (rows["STATE"] == WITH)]
        unknown = rows.loc[(rows["ANL01FL"] == "Y") & (rows["STATE"] == "")]
        counts = {"n_lost": float(len(lost)), "n_unknown": float(len(unknown))}
        out.add(
            "ratio_change",
            statistics | counts,
            dataset="ADPAIR",
            variable="RATIO",
            analyte=str(target),
            by={"pair": str(pair)},
            where="ANL01FL = Y",
            n=statistics["n"],
            method=(
                "linear mixed model of the logarithm: nominal day, state, mean state of the "
                "subject; random intercept"
            ),
            notes=notes,
        )


def estimate_ratio_change(
    pairs: pd.DataFrame, settings: ImpactSettings
) -> tuple[dict[str, float], dict[str, str]]:
    """Factor by which the ratio of two assays changes with the onset of ADA, within subjects.

    The ratio may move with time in every subject. Subjects without emergent ADA, and those
    days before it, tell how: each nominal day has its own mean. The mean state of a subject as
    a covariate leaves to the state only what changes within subjects, so that subjects who will
    have antibodies may differ from the others from the first.

    Parameters
    ----------
    pairs
        Rows of ADPAIR with a RATIO, and STATE (WITH or WITHOUT).

    Returns
    -------
    tuple
        Statistics, and the reason code of each that is missing: n (subjects with pairs in both
        states), n_pairs; ratio, ratio_low, ratio_high, p.

    References
    ----------
    Mundlak Y (1978), Econometrica 46:69-85 (mean of the subject as a covariate).
    """
    logs = np.log(pairs["RATIO"].to_numpy(dtype=float))
    frame = pairs.assign(LOG=logs, AFTER=(pairs["STATE"] == WITH).astype(float))
    timed = frame.loc[frame["NFRLT"].notna()]
    changing = timed.groupby("USUBJID")["AFTER"].nunique() > 1
    compared = dict.fromkeys(CHANGE, math.nan)
    counts = {"n": float(changing.sum()), "n_pairs": float(len(timed))}
    if changing.sum() < settings.min_subjects:
        return counts | compared, dict.fromkeys(compared, "FEWSUBJ")
    days = pd.get_dummies(timed["NFRLT"], dtype=float)
    share = timed.groupby("USUBJID")["AFTER"].transform("mean")
    model = estimate_mixed_model(
        timed["LOG"],
        timed["USUBJID"],
        np.column_stack([days, timed["AFTER"], share]),
        [*(f"day {day:g}" for day in days.columns), "AFTER", "SHARE"],
        level=settings.confidence_level,
    )
    if model.effects:
        effect = model.effect("AFTER")
        compared = {
            "ratio": math.exp(effect.estimate),
            "ratio_low": math.exp(effect.low),
            "ratio_high": math.exp(effect.high),
            "p": effect.p,
        }
    return counts | compared, explain_missing(compared, model.reason or "OVERFLOW")

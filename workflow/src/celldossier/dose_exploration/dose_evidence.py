"""Toxicity and efficacy of the dose levels together: intervals, utility, selected doses.

Nothing where the settings name no design (`escalation.design`) or dose-limiting toxicities (DLTs)
were not collected. Analyses, with the parts of `escalation`:

================ ========= =============== =======================================================
analysis         variable  by              statistics
================ ========= =============== =======================================================
dose_response    parameter part, or part   n, n_response, pct, mean, low, high, above
                           and dose
isotonic         DLT       part, dose      rate
dose_utility     parameter part, dose      n, n_both, n_toxicity_only, n_efficacy_only, n_neither,
                                           mean, above, score, joint, admissible
dose_selected              part            mtd, obd, benchmark
================ ========= =============== =======================================================

`above` of the response is the posterior probability that its rate is above `null_rate`; of the
utility, that it is above its benchmark. `joint` is the probability that the rate of DLT is at most
the target and that of response above `null_rate`. `score` is the rank-based desirability score.
The rate of response takes every infused subject whose response is known; the utility needs subjects
in whom both outcomes are known, and a level is admissible by all who are known of either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from celldossier.dose_exploration.escalation import PARTS, read_options
from celldossier.dose_exploration.escalation_data import (
    ESCALATION,
    derive_dlt_status,
    order_levels,
    select_part,
)
from celldossier.dose_exploration.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.dose_escalation import DoseEscalationSettings
from celldossier.stats.escalation_designs import make_decision_table
from celldossier.stats.escalation_estimates import (
    estimate_isotonic_rates,
    estimate_rate,
    select_mtd,
)
from celldossier.stats.escalation_utility import (
    Counts,
    Desirability,
    UtilityOptions,
    estimate_desirability,
    estimate_joint_probability,
    find_score,
    score_ranks,
    select_obd,
)

UTILITY_STATS = ("mean", "above", "score", "joint", "admissible")


def summarise_dose_evidence(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Response, isotonic rates, utility and selected doses by part; no curves."""
    settings = study.settings.escalation
    if settings.design is None:
        return []
    status = derive_dlt_status(study.sources, settings, study.dosing)
    if status.empty or (status["REASON"] == "NOTCOLL").all():
        return []
    levels = order_levels(study.sources, settings)
    several = (status["PART"] != ESCALATION).any()
    for part, name in PARTS.items():
        if part != ESCALATION and not several:
            continue
        _add_part(select_part(status, name), part, levels, settings, out)
    return []


def _add_part(
    rows: pd.DataFrame,
    part: str,
    levels: Sequence[str],
    settings: DoseEscalationSettings,
    out: ResultCollector,
) -> None:
    for level in ("", *levels):
        here = rows if not level else rows[rows["LEVEL"] == level]
        _add_response(here, {"part": part, **({"dose": level} if level else {})}, settings, out)
    mtd = _add_isotonic(rows, part, levels, settings, out)
    rule = _read_utility(settings)
    found = _add_utilities(rows, part, levels, settings, rule, out)
    obd = select_obd(found, mtd) if rule else -1
    no_obd = "NOTASKED" if rule is None else "NOOBD"
    out.add(
        "dose_selected",
        {
            "mtd": levels[mtd] if mtd >= 0 else "",
            "obd": levels[obd] if obd >= 0 else "",
            "benchmark": rule.benchmark if rule else math.nan,
        },
        dataset="ADSL",
        by={"part": part},
        n=float(rows["EVALUABLE"].sum()),
        notes={
            **({} if mtd >= 0 else {"mtd": "NOMTD"}),
            **({} if obd >= 0 else {"obd": no_obd}),
            **({} if rule else {"benchmark": "NOTASKED"}),
        },
    )


def _read_utility(settings: DoseEscalationSettings) -> UtilityOptions | None:
    scores, efficacy = settings.utility, settings.efficacy
    if efficacy.minimum_rate is None:
        return None
    return UtilityOptions(
        toxicity=settings.target,
        efficacy=efficacy.minimum_rate,
        scores=(scores.efficacy_only, scores.neither, scores.both, scores.toxicity_only),
        toxicity_cutoff=settings.elimination_cutoff,
        efficacy_cutoff=efficacy.cutoff,
    )


def _add_response(
    rows: pd.DataFrame, by: dict[str, str], settings: DoseEscalationSettings, out: ResultCollector
) -> None:
    known = rows["RESPONSE"].dropna()
    n, y = len(known), int(known.sum())
    limit = settings.efficacy.null_rate
    interval = (limit, limit) if limit is not None else (0.5, 0.5)
    found = estimate_rate(y, n, interval, settings.prior, settings.credible_level)
    values = {
        "pct": 100 * y / n if n else math.nan,
        "mean": found.mean if n else math.nan,
        "low": found.low if n else math.nan,
        "high": found.high if n else math.nan,
        "above": found.over if n and limit is not None else math.nan,
    }
    missing = explain_missing(values, "NORSPOST")
    if n and limit is None:
        missing["above"] = "NOTASKED"
    out.add(
        "dose_response",
        {"n": float(n), "n_response": float(y), **values},
        dataset="ADRS",
        variable=settings.efficacy.parameter,
        by=by,
        where=f"PARAMCD = {settings.efficacy.parameter}",
        unit="1",
        units={"n": "", "n_response": "", "pct": "%"},
        n=float(n),
        method="beta posterior",
        notes=missing,
    )


def _add_isotonic(
    rows: pd.DataFrame,
    part: str,
    levels: Sequence[str],
    settings: DoseEscalationSettings,
    out: ResultCollector,
) -> int:
    """Isotonic rates of the levels; gives the index of the maximum tolerated dose, or -1."""
    counted = rows[rows["EVALUABLE"]].groupby("LEVEL")["DLT"].agg(["sum", "size"])
    counted = counted.reindex(list(levels), fill_value=0)
    y, n = counted["sum"].to_numpy(dtype=int), counted["size"].to_numpy(dtype=int)
    for level, rate, size in zip(levels, estimate_isotonic_rates(y, n), n, strict=True):
        out.add(
            "isotonic",
            {"rate": float(rate)},
            dataset="ADAE",
            variable="DLT",
            by={"part": part, "dose": level},
            unit="1",
            n=float(size),
            method="pooled adjacent violators",
            notes={"rate": "NODLTEVL"} if math.isnan(rate) else {},
        )
    # The rule of elimination is the same for all designs with a target; 3+3 has none of its own.
    largest = max(int(n.max(initial=0)), 1)
    table = make_decision_table("BOIN", settings.target, largest, read_options(settings))
    eliminated = table.codes[n, y] == -2
    if len(levels) and table.stops_lowest[n[0], y[0]]:
        eliminated[0] = True
    return int(select_mtd(y, n, settings.target, eliminated)[0]) if len(levels) else -1


def _add_utilities(
    rows: pd.DataFrame,
    part: str,
    levels: Sequence[str],
    settings: DoseEscalationSettings,
    rule: UtilityOptions | None,
    out: ResultCollector,
) -> list[Desirability | None]:
    """Utility of each level; none for one without a subject in whom both outcomes are known."""
    both = rows[rows["EVALUABLE"] & rows["RESPONSE"].notna()]
    counts = [_count(both[both["LEVEL"] == level]) for level in levels]
    size = settings.cohort_size
    sizes = {*range(0, settings.max_at_dose + 1, size), *(each.n for each in counts)}
    ranks = score_ranks(sorted(sizes), rule) if rule else None
    found: list[Desirability | None] = []
    for level, each in zip(levels, counts, strict=True):
        values: dict[str, float | str] = dict.fromkeys(UTILITY_STATS, math.nan)
        notes = dict.fromkeys(UTILITY_STATS, "NOBOTH" if each.n == 0 else "NOTASKED")
        judged = _judge(rows[rows["LEVEL"] == level], each, rule) if rule and each.n else None
        if judged and rule is not None and ranks is not None:
            score = find_score(ranks, each) if judged.admissible else math.nan
            # A code that a reader finds in the terms: why a dose may not be given further.
            verdict = "TOXIC" if judged.too_toxic else "FUTILE" if judged.futile else "Y"
            values |= {"mean": judged.mean, "above": judged.above, "score": score}
            values["admissible"] = verdict
            notes = {"score": "NOTADMIS"} if math.isnan(score) else {}
        if each.n and settings.efficacy.null_rate is not None:
            values["joint"] = estimate_joint_probability(
                each, settings.target, settings.efficacy.null_rate
            )
        elif each.n:
            notes["joint"] = "NOTASKED"
        found.append(judged)
        out.add(
            "dose_utility",
            {
                "n": float(each.n),
                "n_both": float(each.both),
                "n_toxicity_only": float(each.toxicity_only),
                "n_efficacy_only": float(each.efficacy_only),
                "n_neither": float(each.neither),
                **values,
            },
            dataset="ADRS",
            variable=settings.efficacy.parameter,
            by={"part": part, "dose": level},
            n=float(each.n),
            method="quasi-binomial",
            notes=notes,
        )
    return found


def _judge(rows: pd.DataFrame, counts: Counts, rule: UtilityOptions) -> Desirability:
    """Utility of a level; whether it is admissible by all who are known of either outcome.

    A subject who died of a toxicity before any assessment of response is no less a toxicity.
    """
    toxic, known = rows.loc[rows["EVALUABLE"], "DLT"], rows["RESPONSE"].dropna()
    return estimate_desirability(
        counts, rule, (int(toxic.sum()), len(toxic)), (int(known.sum()), len(known))
    )


def _count(rows: pd.DataFrame) -> Counts:
    toxic, works = rows["DLT"].astype(bool), rows["RESPONSE"] == 1
    return Counts(
        efficacy_only=int((works & ~toxic).sum()),
        neither=int((~works & ~toxic).sum()),
        both=int((works & toxic).sum()),
        toxicity_only=int((~works & toxic).sum()),
    )

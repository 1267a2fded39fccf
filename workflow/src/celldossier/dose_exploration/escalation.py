"""Rules of the dose escalation, dose-limiting toxicities (DLTs), and cohorts against the rules.

Nothing where the settings name no design (`escalation.design`); the rules alone where DLTs were
not collected. Analyses:

=================== ==================== ======================= ===================================
analysis            variable             by                      statistics
=================== ==================== ======================= ===================================
escalation_rule                          design                  protocol (Y or N), target, cutoff,
                                                                 prior_a, prior_b, and phi1, phi2,
                                                                 lambda_e, lambda_d or interval_low,
                                                                 interval_high
escalation_boundary                      design, n               escalate_le, deescalate_ge,
                                                                 eliminate_ge, stop_lowest_ge
dlt                 DLT                  part, or part and dose  n_infused, n_evaluable, n_dlt, pct,
                                                                 mean, low, high, under, within,
                                                                 over, terms; of a level rank (from
                                                                 the lowest), and of the escalation
                                                                 decision
dlt_reason          NDLTRSN              part, dose, reason      n
cohort                                   cohort                  name, level, next, n_infused,
                                                                 n_evaluable, n_dlt, n_level,
                                                                 dlt_level, n_level_all,
                                                                 dlt_level_all, n_pending
replay                                   basis, cohort, design   decision, expected, outcome
replay_total                             basis, design           n, n_agree, n_above, n_below,
                                                                 n_ended, n_norule
=================== ==================== ======================= ===================================

A part is ESCALATION, EXPANSION (all others) or ALL. The basis is EVALUABLE, as the design has it,
or INFUSED: subjects are often found not to be evaluable after the decision was taken. Rates are
shares; mean, low and high are those of the posterior of the rate, and under, within and over its
probabilities below, in and above the interval around the target.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from celldossier.dose_exploration.escalation_data import (
    ESCALATION,
    EXPANSION,
    derive_dlt_status,
    index_levels,
    order_levels,
    select_part,
)
from celldossier.dose_exploration.escalation_replay import (
    ABOVE,
    BELOW,
    STOP,
    Limits,
    divide_cohorts,
    replay_design,
    summarise_cohorts,
)
from celldossier.dose_exploration.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.dose_escalation import DesignName, DoseEscalationSettings
from celldossier.stats.escalation_designs import (
    LETTERS,
    DecisionTable,
    DesignOptions,
    make_decision_table,
)
from celldossier.stats.escalation_estimates import estimate_rate

PARTS = {ESCALATION: ESCALATION, EXPANSION: EXPANSION, "ALL": ""}
"""Parts that are summarised, by the name that selects their subjects."""


def read_options(settings: DoseEscalationSettings) -> DesignOptions:
    """What the settings choose of what the designs leave open."""
    low, high = settings.interval
    return DesignOptions(
        phi1=settings.boin_phi1,
        phi2=settings.boin_phi2,
        low=low,
        high=high,
        prior=settings.prior,
        cutoff=settings.elimination_cutoff,
        smallest=settings.elimination_from,
        offset=settings.lowest_dose_offset,
    )


def list_designs(settings: DoseEscalationSettings) -> list[DesignName]:
    """Designs to tabulate: that of the protocol first."""
    own = [settings.design] if settings.design else []
    return list(dict.fromkeys([*own, *settings.compared]))


def summarise_escalation(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Rules, DLTs by dose level, and the replay of the cohorts; no curves."""
    settings = study.settings.escalation
    if settings.design is None:
        return []
    status = derive_dlt_status(study.sources, settings, study.dosing)
    levels = order_levels(study.sources, settings)
    escalation = select_part(status, ESCALATION)
    collected = not status.empty and not (status["REASON"] == "NOTCOLL").all()
    largest = max(settings.max_at_dose, _largest_level(escalation))
    options = read_options(settings)
    tables = {
        design: make_decision_table(design, settings.target, largest, options)
        for design in list_designs(settings)
    }
    _add_rules(tables, settings, len(escalation), out)
    if not collected:
        return []
    for part, name in PARTS.items():
        rows = select_part(status, name)
        if part != ESCALATION and not (status["PART"] != ESCALATION).any():
            continue
        for rank, level in enumerate(("", *levels)):
            here = rows if not level else rows[rows["LEVEL"] == level]
            own = tables[settings.design] if part == ESCALATION and level else None
            _add_toxicities(here, part, level, rank, settings, own, out)
    _add_replay(escalation, levels, tables, settings, out)
    return []


def read_interval(settings: DoseEscalationSettings) -> tuple[float, float]:
    """Interval of the rate that is neither too low nor too high."""
    low, high = settings.interval
    return settings.target - low, settings.target + high


def _largest_level(escalation: pd.DataFrame) -> int:
    return 0 if escalation.empty else int(escalation.groupby("LEVEL").size().max())


def _add_rules(
    tables: dict[DesignName, DecisionTable],
    settings: DoseEscalationSettings,
    subjects: int,
    out: ResultCollector,
) -> None:
    for design, table in tables.items():
        counted = design.startswith("3+3")
        # 3+3 counts; it has neither a target nor a prior.
        rule: dict[str, float] = {
            "target": settings.target,
            "cutoff": settings.elimination_cutoff,
            "prior_a": settings.prior[0],
            "prior_b": settings.prior[1],
        }
        out.add(
            "escalation_rule",
            {
                "protocol": "Y" if design == settings.design else "N",
                **({} if counted else rule),
                **table.limits,
            },
            dataset="ADSL",
            by={"design": design},
            n=float(subjects),
        )
        for row in table.boundaries().to_dict("records"):
            if row["n"] > settings.max_at_dose:
                break
            missing = "NORULE" if counted and row["n"] not in (3, 6) else "NOCOUNT"
            limits = {
                "escalate_le": row["escalate_if_le"],
                "deescalate_ge": row["deescalate_if_ge"],
                "eliminate_ge": row["eliminate_if_ge"],
                "stop_lowest_ge": row["stop_lowest_if_ge"],
            }
            out.add(
                "escalation_boundary",
                limits,
                dataset="ADSL",
                by={"design": design, "n": str(row["n"])},
                n=float(subjects),
                notes=explain_missing(limits, missing),
            )


def _add_toxicities(
    rows: pd.DataFrame,
    part: str,
    level: str,
    rank: int,
    settings: DoseEscalationSettings,
    rule: DecisionTable | None,
    out: ResultCollector,
) -> None:
    by = {"part": part, **({"dose": level} if level else {})}
    counted = rows[rows["EVALUABLE"]]
    n, y = len(counted), int(counted["DLT"].sum())
    found = estimate_rate(y, n, read_interval(settings), settings.prior, settings.credible_level)
    estimates = {
        "pct": 100 * y / n if n else math.nan,
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "under": found.under,
        "within": found.within,
        "over": found.over,
    }
    if not n:
        # The prior alone says nothing about the dose.
        estimates = dict.fromkeys(estimates, math.nan)
    terms = _count_terms(counted.loc[counted["DLT"], "TERMS"])
    # What the protocol's rule says of all subjects of the level, at the end of the escalation.
    decision = {} if rule is None else {"decision": LETTERS[int(rule.decide(n, y))]}
    silent = {key: "NORULE" for key, value in decision.items() if not value}
    out.add(
        "dlt",
        {
            "n_infused": float(len(rows)),
            "n_evaluable": float(n),
            "n_dlt": float(y),
            **estimates,
            "terms": terms,
            **({"rank": float(rank)} if level else {}),
            **decision,
        },
        dataset="ADAE",
        variable="DLT",
        by=by,
        where="DLTEVLFL = Y" if part == ESCALATION else "",
        unit="1",
        units={"n_infused": "", "n_evaluable": "", "n_dlt": "", "pct": "%", "terms": ""},
        n=float(n),
        method="beta posterior",
        notes={
            **explain_missing(estimates, "NODLTEVL"),
            **({} if terms else {"terms": "NOEVENT"}),
            **silent,
        },
    )
    for reason, number in rows.loc[rows["REASON"] != "", "REASON"].value_counts().items():
        out.add(
            "dlt_reason",
            {"n": float(number)},
            dataset="ADSL",
            variable="NDLTRSN",
            by={**by, "reason": str(reason)},
            n=float(len(rows)),
        )


def _count_terms(terms: pd.Series) -> str:
    """Events with the number of subjects who had them, the most frequent first."""
    each = Counter(name for names in terms for name in names.split("; "))
    ordered = sorted(each.items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{name} ({count})" for name, count in ordered)


def _add_replay(
    escalation: pd.DataFrame,
    levels: Sequence[str],
    tables: dict[DesignName, DecisionTable],
    settings: DoseEscalationSettings,
    out: ResultCollector,
) -> None:
    known = escalation.assign(LEVEL=index_levels(levels, escalation["LEVEL"]))
    known = known[known["LEVEL"].notna() & known["START"].notna()]
    if known.empty:
        return
    known = known.astype({"LEVEL": int})
    cohorts = summarise_cohorts(divide_cohorts(known, settings.cohort_size), settings.dlt_window)
    names = {STOP: "STOP", **dict(enumerate(levels))}
    for row in cohorts.to_dict("records"):
        last = math.isnan(row["NEXT"])
        counts = ("INFUSED", "EVALUABLE", "DLTS", "N", "Y", "NALL", "YALL", "PENDING")
        stats = (
            *("n_infused", "n_evaluable", "n_dlt", "n_level", "dlt_level"),
            *("n_level_all", "dlt_level_all", "n_pending"),
        )
        out.add(
            "cohort",
            {
                "name": row["NAME"] or str(row["STEP"]),
                "level": levels[row["LEVEL"]],
                "next": "END" if last else levels[int(row["NEXT"])],
                **{s: float(row[c]) for s, c in zip(stats, counts, strict=True)},
            },
            dataset="ADSL",
            by={"cohort": str(row["STEP"])},
            where="PART = ESCALATION",
            n=float(row["INFUSED"]),
        )
    limits = Limits(len(levels), settings.max_at_dose, settings.max_total)
    for design, table in tables.items():
        for basis in ("EVALUABLE", "INFUSED"):
            steps = replay_design(cohorts, table, limits, everyone=basis == "INFUSED")
            _add_steps(steps, names, {"design": design, "basis": basis}, out)


def _add_steps(
    steps: pd.DataFrame, names: dict[int, str], by: dict[str, str], out: ResultCollector
) -> None:
    for row in steps.to_dict("records"):
        known = row["OUTCOME"] != "NORULE"
        out.add(
            "replay",
            {
                "decision": row["DECISION"],
                "expected": names[int(row["EXPECTED"])] if known else "",
                "outcome": row["OUTCOME"],
            },
            dataset="ADSL",
            by={**by, "cohort": str(row["STEP"])},
            notes={} if known else {"decision": "NORULE", "expected": "NORULE"},
        )
    outcome = steps["OUTCOME"]
    out.add(
        "replay_total",
        {
            "n": float(len(steps)),
            "n_agree": float((outcome == "AGREE").sum()),
            "n_above": float(outcome.isin(ABOVE).sum()),
            "n_below": float(outcome.isin(BELOW).sum()),
            "n_ended": float((outcome == "ENDED").sum()),
            "n_norule": float((outcome == "NORULE").sum()),
        },
        dataset="ADSL",
        by=by,
    )

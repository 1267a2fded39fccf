"""Exposure-response of one table, without a study around it (``celldossier er``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from celldossier.errors import InputDataError
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.exposure_response.standalone_table import (
    ModelRows,
    Question,
    check_question,
    pair_times,
    read_rows,
)
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.count_models import Distribution, estimate_count_model
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_diagnostics import test_proportional_hazards
from celldossier.stats.cox_results import CoxFit, HazardCoefficient
from celldossier.stats.logistic import Coefficient, Method, choose_method, estimate_logistic
from celldossier.stats.ordinal import estimate_proportional_odds

Model = Literal["logistic", "firth", "ordinal", "cox", "firth-cox", "poisson", "negbin"]
COLUMNS = (
    *("TERM", "ESTIMATE", "SE", "CI_LOW", "CI_HIGH", "P"),
    *("N", "EVENTS", "METHOD", "REASND"),
)
"""Columns of the output, one row a term."""
COX_METHODS = {"ML": "COX", "FIRTH": "FIRTH-COX"}


@dataclass(frozen=True)
class Answer:
    """A question, its rows, and the rows of the output."""

    question: Question
    rows: ModelRows
    terms: pd.DataFrame


def estimate_table(
    data: pd.DataFrame,
    outcome: str,
    metric: str,
    covariates: Sequence[str] = (),
    model: Model | None = None,
    log2: bool = False,
    settings: ExposureResponseSettings | None = None,
    time: str = "",
) -> pd.DataFrame:
    """Fit one exposure-response model to a table.

    Parameters
    ----------
    data
        One row a subject; text cells as read from a file.
    outcome
        Column with 0 and 1, or with ordered grades.
    metric
        Column with the exposure; with `log2` it must be positive to be used.
    covariates
        Columns; one that is not numbers enters by its levels against the first.
    model
        The model; None chooses by the rules of the stage: more than two grades give
        proportional odds; too few events no model; else Firth or maximum
        likelihood by the event count, Firth where the data are separated. With `time` the
        model is a Cox model, by the same rules.
    log2
        Whether the metric enters as its logarithm to base 2.
    settings
        Thresholds of the rules, and the confidence level.
    time
        Column of the time to the event (outcome 1) or to censoring (0); for a count, of the
        time in which it was counted.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; estimates are log odds, log hazards or log rates. Rows that are not complete are
        left out: N counts those used. A Cox model has a row ``PH(...)`` for the test of
        proportional hazards of each term, and ``PH(GLOBAL)`` of several.

    Raises
    ------
    InputDataError
        If a column is missing or holds what it may not; all faults are listed.
    """
    answers = answer_questions(
        data, [outcome], [metric], covariates, model, log2, settings, [time] if time else []
    )
    return answers[0].terms


def answer_questions(
    data: pd.DataFrame,
    outcomes: Sequence[str],
    metrics: Sequence[str],
    covariates: Sequence[str] = (),
    model: Model | None = None,
    log2: bool = False,
    settings: ExposureResponseSettings | None = None,
    times: Sequence[str] = (),
    source: str = "",
) -> list[Answer]:
    """Fit a model of each outcome by each metric, each metric in a model of its own.

    Parameters are those of `estimate_table`, with `source` the name of the file for the
    faults, and `times` one column for all outcomes or one each.

    Raises
    ------
    InputDataError
        With the faults of all questions.
    """
    settings = settings or ExposureResponseSettings()
    questions = [
        Question(outcome, metric, tuple(covariates), model, time, log2)
        for outcome, time in zip(outcomes, pair_times(outcomes, times), strict=True)
        for metric in metrics
    ]
    faults = [fault for item in questions for fault in check_question(data, item, source)]
    if faults:
        raise InputDataError(list(dict.fromkeys(faults)))
    answers = []
    for question in questions:
        rows = read_rows(data, question)
        fit = _fit_odds
        if question.counts:
            fit = _fit_counts
        elif question.time:
            fit = _fit_hazard
        answers.append(Answer(question, rows, fit(question, rows, settings)))
    return answers


def join_answers(answers: Sequence[Answer]) -> pd.DataFrame:
    """All rows of the output; with OUTCOME and METRIC where there are several questions."""
    if len(answers) == 1:
        return answers[0].terms
    return pd.concat(
        [
            item.terms.assign(OUTCOME=item.question.outcome, METRIC=item.question.metric)
            for item in answers
        ],
        ignore_index=True,
    )


def _fit_odds(
    question: Question, rows: ModelRows, settings: ExposureResponseSettings
) -> pd.DataFrame:
    y, model = rows.outcome, question.model
    design, names = rows.design.to_numpy(dtype=float), [str(name) for name in rows.design.columns]
    level = settings.confidence_level
    if model == "ordinal" or (model is None and np.unique(y).size > 2):
        fit = estimate_proportional_odds(y, design, names, level)
        events = int((y > y.min()).sum()) if y.size else 0
        if model is None and 0 < events < settings.min_events:
            return _frame(_empty(names), y.size, events, "", "FEWEVENT")
        return _frame(fit.coefficients or _empty(names), y.size, events, "PO", fit.reason)
    n, events = y.size, int(y.sum())
    method: Method = "FIRTH"
    if model is None:
        method = choose_method(events, n, len(names), settings.firth_below)
        if reason := _refuse(min(events, n - events), rows, settings):
            return _frame(_empty(names), n, events, "", reason)
    elif model == "logistic":
        method = "ML"
    found = estimate_logistic(
        y,
        design,
        names,
        method,
        level=level,
        keep_firth_when_separated=model is None,
        intercept_interval=True,
    )
    kept = "SEPARFIX" if found.separation else ""
    return _frame(found.coefficients or _empty(names), n, events, found.method, found.reason, kept)


def _fit_hazard(
    question: Question, rows: ModelRows, settings: ExposureResponseSettings
) -> pd.DataFrame:
    names = [str(name) for name in rows.design.columns]
    n, events = rows.outcome.size, int(rows.outcome.sum())
    if question.model is None and (reason := _refuse(events, rows, settings)):
        return _frame(_empty(names), n, events, "", reason)
    few = events < settings.firth_below * len(names)
    firth = question.model == "firth-cox" or (question.model is None and few)
    fit = estimate_cox(
        rows.time if rows.time is not None else [],
        rows.outcome,
        rows.design.to_numpy(dtype=float),
        names,
        "FIRTH" if firth else "ML",
        level=settings.confidence_level,
        keep_firth_when_monotone=question.model is None,
    )
    terms = _frame(
        fit.coefficients or _empty(names),
        n,
        events,
        COX_METHODS[fit.method],
        fit.reason,
        "MONOTFIX" if fit.monotone else "",
    )
    return terms if fit.reason else pd.concat([terms, _test_hazards(fit)], ignore_index=True)


def _refuse(rarer: int, rows: ModelRows, settings: ExposureResponseSettings) -> str:
    """Reason of the rules of the stage against a model that was not asked for by name."""
    design = rows.design.to_numpy(dtype=float)
    # Where an outcome does not occur at all, the model itself says so.
    if rarer > 0 and (reason := refuse_events(rarer, rarer, design.shape[1], settings)):
        return reason
    confounded = len(design) > 0 and is_confounded(design[:, 0], design[:, 1:], settings)
    return "COLLIN" if confounded else ""


def _fit_counts(
    question: Question, rows: ModelRows, settings: ExposureResponseSettings
) -> pd.DataFrame:
    names = [str(name) for name in rows.design.columns]
    n = rows.outcome.size
    distribution: Distribution = "POISSON" if question.model == "poisson" else "NEGBIN"
    fit = estimate_count_model(
        rows.outcome,
        np.ones(n) if rows.time is None else rows.time,
        rows.design.to_numpy(dtype=float),
        names,
        distribution,
        level=settings.confidence_level,
    )
    return _frame(
        fit.coefficients or _empty(names), n, int(rows.outcome.sum()), distribution, fit.reason
    )


def _test_hazards(fit: CoxFit) -> pd.DataFrame:
    """The test of proportional hazards of each term, and of all together where several."""
    tests = test_proportional_hazards(fit)
    names = list(tests) if len(fit.coefficients) > 1 else list(tests)[:1]
    terms = [
        Coefficient(
            f"PH({name})",
            math.nan,
            p=tests[name].p,
            # With as many terms as events nothing is left to test.
            reason="FEWEVENT" if math.isnan(tests[name].p) else "PHTEST",
        )
        for name in names
    ]
    return _frame(terms, fit.n, fit.events, "SCHOENFELD", "")


def _empty(names: Sequence[str]) -> list[Coefficient]:
    return [Coefficient(name, math.nan) for name in names]


def _frame(
    terms: Sequence[Coefficient] | Sequence[HazardCoefficient],
    n: int,
    events: int,
    method: str,
    reason: str,
    kept: str = "",
) -> pd.DataFrame:
    """Rows of the output; `kept` says why a penalised estimate stands where none else exists."""
    rows = []
    for term in terms:
        code = reason or term.reason
        if not code:
            code = "THRESHOLD" if math.isnan(term.low) else kept
        rows.append(
            {
                "TERM": term.name,
                "ESTIMATE": term.estimate,
                "SE": term.se,
                "CI_LOW": term.low,
                "CI_HIGH": term.high,
                "P": term.p,
                "N": n,
                "EVENTS": events,
                "METHOD": method,
                "REASND": code,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))

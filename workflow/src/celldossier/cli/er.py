"""``celldossier er``: exposure-response models of one table, without a study around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = """\
One row of the table is a subject. Cells that are blank, a point or NA are missing, and their rows
are left out; each metric has a model of its own.

Output, one row a term: TERM, ESTIMATE (log odds, log hazard or log rate, per unit of the
metric, per doubling with --log2), SE, CI_LOW, CI_HIGH, P, N, EVENTS, METHOD, REASND (why a value
is empty, or why the penalised estimate stands). With several outcomes or metrics each has its
block of rows, and the columns OUTCOME and METRIC follow. Intervals and tests are of the
(penalised) profile likelihood.

Models:
  logistic   outcome 0 or 1; no estimate (SEPAR) where the data are separated
  firth      the same with Firth's penalty
  ordinal    proportional odds of grades; rows low|high are the thresholds
  cox        event 0 or 1 with --time, Efron's ties; no estimate (MONOTONE) where the
             likelihood has no maximum; rows PH(...) test proportional hazards
  firth-cox  the same with Firth's penalty
  poisson    counts, with --time per unit of their follow-up; EVENTS is their sum
  negbin     the same with a variance that exceeds the mean (negative binomial)
Without --model the rules of the stage choose: grades give ordinal, --time gives cox; fewer than 8
events (or non-events), or 5 per term, give no model (FEWEVENT, EPPLOW), nor does a covariate
whose correlation with the metric is above 0.8 (COLLIN); fewer than 10 per term give Firth's
penalty, which is kept where there is no estimate without it."""

EPILOG = "Exit codes: 0 well; 2 usage; 3 faults of the table, all of them listed."


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier er``."""
    parser = subparsers.add_parser(
        "er",
        help="exposure-response models of one table",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", metavar="DATA", type=Path, help="table: CSV, TSV, XLSX, ...")
    parser.add_argument(
        "--outcome",
        metavar="COL[,COL]",
        type=_split,
        required=True,
        help="columns: 0 and 1, a grade or a count",
    )
    parser.add_argument(
        "--metric", metavar="COL[,COL]", type=_split, required=True, help="columns of the exposure"
    )
    parser.add_argument(
        "--covariates",
        metavar="A,B",
        type=_split,
        default=[],
        help="columns, in all models; one of texts enters by its levels against the first",
    )
    parser.add_argument(
        "--model",
        choices=("logistic", "firth", "ordinal", "cox", "firth-cox", "poisson", "negbin"),
        help="without it, the method follows the rules of the stage",
    )
    parser.add_argument(
        "--time",
        metavar="COL[,COL]",
        type=_split,
        default=[],
        help="columns of the time to the event or to censoring, or of the follow-up of a count: "
        "one for all outcomes, or one each",
    )
    parser.add_argument("--log2", action="store_true", help="take the metric to base 2 logarithms")
    parser.add_argument(
        "--level", metavar="LEVEL", type=_read_level, help="confidence level (0.95)"
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="file of the estimates"
    )
    parser.set_defaults(run=estimate_models)


def estimate_models(options: argparse.Namespace) -> int:
    """Read a table, fit a model of each outcome by each metric, and write their terms.

    Raises
    ------
    ConfigError
        If the options do not fit together (exit code 2).
    InputDataError
        If the table has faults, all of them listed (exit code 3).
    """
    from celldossier.exposure_response.standalone import answer_questions, join_answers
    from celldossier.exposure_response.standalone_table import describe_left_out
    from celldossier.io.files import write_table
    from celldossier.io.tables import read_input_table
    from celldossier.settings.exposure_response import ExposureResponseSettings

    _check_options(options)
    data = read_input_table(options.data)
    settings = ExposureResponseSettings()
    if options.level:
        settings = ExposureResponseSettings(confidence_level=options.level)
    answers = answer_questions(
        data,
        options.outcome,
        options.metric,
        options.covariates,
        options.model,
        options.log2,
        settings,
        options.time,
        options.data.name,
    )
    terms = join_answers(answers)
    write_table(terms, options.output)
    _explain(terms)
    for answer in answers:
        print(describe_left_out(answer.question, len(data), answer.rows), file=sys.stderr)
    return 0


def _check_options(options: argparse.Namespace) -> None:
    from celldossier.errors import ConfigError

    faults = [
        f"--{option} names no column."
        for option in ("outcome", "metric")
        if not getattr(options, option)
    ]
    timed = options.model in ("cox", "firth-cox")
    if timed and not options.time:
        faults.append(f"The model {options.model} needs --time, the time to the event.")
    if options.time and options.model in ("logistic", "firth", "ordinal"):
        faults.append(f"--time belongs to hazards and counts, not to the model {options.model}.")
    if len(options.time) not in (0, 1, len(options.outcome)):
        faults.append(
            f"--time names {len(options.time)} columns for {len(options.outcome)} outcomes; "
            "it takes one for all, or one each."
        )
    for option in ("outcome", "metric", "covariates"):
        names = getattr(options, option)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            faults.append(f"--{option} names {', '.join(twice)} twice.")
    if faults:
        raise ConfigError(faults)


def _explain(terms: pd.DataFrame) -> None:
    """Say what each reason of the output means, and which terms it is for."""
    from celldossier.io.resources import read_resource

    words = read_resource("terms", "reason_codes.yaml")
    for code in sorted(set(terms["REASND"]) - {""}):
        names = ", ".join(dict.fromkeys(terms.loc[terms["REASND"] == code, "TERM"]))
        print(f"Note: {code} for {names}: {words[code]['en']}.", file=sys.stderr)


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _read_level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0.5 < level < 1:
        raise argparse.ArgumentTypeError(f"{text} is no level above 0.5 and below 1")
    return level

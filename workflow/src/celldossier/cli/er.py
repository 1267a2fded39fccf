"""``celldossier er``: one exposure-response model of one table, without a study around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier er``."""
    parser = subparsers.add_parser(
        "er",
        help="exposure-response model of one table",
        description=(
            "One row a subject. Output, one row a term: TERM, ESTIMATE (log odds per unit of the "
            "metric, per doubling with --log2), SE, CI_LOW, CI_HIGH, P, N, EVENTS, METHOD, REASND."
        ),
    )
    parser.add_argument("data", metavar="DATA", type=Path, help="table: CSV, TSV, XLSX, ...")
    parser.add_argument("--outcome", metavar="COL", required=True, help="column: 0, 1 or a grade")
    parser.add_argument("--metric", metavar="COL", required=True, help="column of the exposure")
    parser.add_argument(
        "--covariates", metavar="A,B", default="", help="columns, separated by commas"
    )
    parser.add_argument(
        "--model",
        choices=("logistic", "firth", "ordinal", "cox"),
        help="without it, the method follows the rules of the stage",
    )
    parser.add_argument("--time", metavar="COL", help="column of the time, for the model cox")
    parser.add_argument("--log2", action="store_true", help="take the metric to base 2 logarithms")
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="file of the estimates"
    )
    parser.set_defaults(run=estimate_model)


def estimate_model(options: argparse.Namespace) -> int:
    """Read a table, fit one model and write its terms.

    Raises
    ------
    ConfigError
        If the options do not fit together (exit code 2).
    InputDataError
        If the table has faults, all of them listed (exit code 3).
    """
    from celldossier.errors import ConfigError
    from celldossier.exposure_response.standalone import estimate_table
    from celldossier.io.files import write_table
    from celldossier.io.resources import read_resource
    from celldossier.io.tables import read_input_table

    if options.model == "cox":
        raise ConfigError("The model cox is not part of this version; use logistic or ordinal.")
    if options.time:
        raise ConfigError("--time belongs to the model cox.")
    covariates = [name.strip() for name in options.covariates.split(",") if name.strip()]
    data = read_input_table(options.data)
    terms = estimate_table(
        data, options.outcome, options.metric, covariates, options.model, options.log2
    )
    write_table(terms, options.output)
    words = read_resource("terms", "reason_codes.yaml")
    for code in sorted(set(terms["REASND"]) - {""}):
        names = ", ".join(terms.loc[terms["REASND"] == code, "TERM"])
        print(f"Note: {code} for {names}: {words[code]['en']}.", file=sys.stderr)
    used = int(terms["N"].iloc[0])
    print(f"{len(data)} rows: {used} used, {len(data) - used} not complete.", file=sys.stderr)
    return 0

"""``celldossier exposure_response``: ADER and the exposure-response analyses."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier exposure_response estimate``."""
    stage = subparsers.add_parser("exposure_response", help="exposure-response analyses")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    estimate = verbs.add_parser(
        "estimate",
        help="run the plan of models -> ADER, ADEREND, ard/exposure_response*.parquet",
    )
    add_run_argument(estimate)
    estimate.set_defaults(run=estimate_stage)


def estimate_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write ADER, the analysis results and the curves."""
    from celldossier.exposure_response.stage import analyse_exposure_response
    from celldossier.exposure_response.study import Sources
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.exposure_response import ExposureResponseSettings

    run = RunFolder(options.run_folder)
    settings = ExposureResponseSettings.model_validate(run.settings("exposure_response"))
    output = analyse_exposure_response(read_sources(run, Sources), settings)
    write_output(run, "exposure_response", output)
    return 0

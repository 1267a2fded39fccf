"""``celldossier dose_exploration``: planned and actual doses."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier dose_exploration summarise``."""
    stage = subparsers.add_parser("dose_exploration", help="planned and actual doses")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise", help="describe the doses: ADSL, ADEX -> ard/dose_exploration.parquet"
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read ADSL and ADEX of a run and write the analysis results of the doses."""
    from celldossier.dose_exploration.stage import summarise_doses
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.dose_exploration import DoseExplorationSettings

    run = RunFolder(options.run_folder)
    settings = DoseExplorationSettings.model_validate(run.settings("dose_exploration"))
    output = summarise_doses(run.dataset("ADSL"), run.dataset("ADEX"), settings)
    run.write_results(output.results, "dose_exploration")
    return 0

"""``celldossier dose_exploration``: doses given, escalation, starting dose, sample size."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier dose_exploration summarise``."""
    stage = subparsers.add_parser("dose_exploration", help="doses and their escalation")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise", help="explore the doses -> ADDA, ard/dose_exploration*.parquet"
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write ADDA, the analysis results and the curves."""
    from celldossier.dose_exploration.stage import explore_doses
    from celldossier.dose_exploration.study import Sources
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.dose_exploration import DoseExplorationSettings
    from celldossier.settings.dosing import DosingSettings

    run = RunFolder(options.run_folder)
    settings = DoseExplorationSettings.model_validate(run.settings("dose_exploration"))
    dosing = DosingSettings.model_validate(run.settings("study_data")["dosing"])
    output = explore_doses(read_sources(run, Sources), settings, dosing)
    write_output(run, "dose_exploration", output)
    return 0

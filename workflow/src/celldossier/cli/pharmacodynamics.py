"""``celldossier pharmacodynamics``: parameters of markers and their relation to the cells."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier pharmacodynamics summarise``."""
    stage = subparsers.add_parser("pharmacodynamics", help="pharmacodynamic markers")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise",
        help="derive and describe the parameters -> ADPDP, ard/pharmacodynamics*.parquet",
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write ADPDP, the analysis results and the curves."""
    from celldossier.io.run_folder import RunFolder
    from celldossier.pharmacodynamics.stage import analyse_pharmacodynamics
    from celldossier.pharmacodynamics.study import Sources
    from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

    run = RunFolder(options.run_folder)
    settings = PharmacodynamicsSettings.model_validate(run.settings("pharmacodynamics"))
    output = analyse_pharmacodynamics(read_sources(run, Sources), settings)
    write_output(run, "pharmacodynamics", output)
    return 0

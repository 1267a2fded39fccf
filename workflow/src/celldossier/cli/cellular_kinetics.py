"""``celldossier cellular_kinetics``: parameters of the cells' kinetics and their summaries."""

from __future__ import annotations

import argparse
from pathlib import Path

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier cellular_kinetics estimate``."""
    stage = subparsers.add_parser("cellular_kinetics", help="non-compartmental analysis of a run")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    estimate = verbs.add_parser(
        "estimate",
        help="the datasets of study_data -> the datasets, results and curves of the stage",
    )
    add_run_argument(estimate)
    estimate.add_argument(
        "--half-life", metavar="FILE", type=Path, help="reviewed lambda-z windows, half_life.csv"
    )
    estimate.set_defaults(run=estimate_stage)


def estimate_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run, analyse the kinetics and write what the stage hands on."""
    from celldossier.cellular_kinetics.stage import analyse_cellular_kinetics
    from celldossier.cellular_kinetics.window_decisions import check_windows
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.tables import read_input_table
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings

    run = RunFolder(options.run_folder)
    settings = CellularKineticsSettings.model_validate(run.settings("cellular_kinetics"))
    windows = check_windows(read_input_table(options.half_life)) if options.half_life else None
    output = analyse_cellular_kinetics(
        adpc=run.dataset("ADPC"),
        adsl=run.dataset("ADSL"),
        adex=run.dataset("ADEX"),
        adrs=run.dataset("ADRS"),
        adcm=run.dataset("ADCM"),
        adpd=run.dataset("ADPD"),
        adtte=run.dataset("ADTTE"),
        adbrg=run.dataset("ADBRG"),
        settings=settings,
        windows=windows,
    )
    write_output(run, "cellular_kinetics", output)
    return 0

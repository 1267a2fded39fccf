"""``celldossier cellular_kinetics``: parameters of the cells' kinetics and their summaries."""

from __future__ import annotations

import argparse
from pathlib import Path

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier cellular_kinetics estimate``."""
    stage = subparsers.add_parser("cellular_kinetics", help="non-compartmental analysis of a run")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    estimate = verbs.add_parser(
        "estimate",
        help="ADPC, ADSL, ADEX, ADRS, ADCM, ADTTE -> the datasets, results and curves of the stage",
    )
    add_run_argument(estimate)
    estimate.add_argument(
        "--half-life", metavar="FILE", type=Path, help="reviewed lambda-z windows, half_life.csv"
    )
    estimate.set_defaults(run=estimate_stage)


def estimate_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run, analyse the kinetics and write what the stage hands on."""
    from celldossier.cellular_kinetics.reviewed_windows import check_windows
    from celldossier.cellular_kinetics.stage import analyse_cellular_kinetics
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
        settings=settings,
        windows=windows,
    )
    run.write_dataset(output.adnca, "ADNCA")
    run.write_dataset(output.adpp, "ADPP")
    run.write_dataset(output.adlz, "ADLZ")
    run.write_dataset(output.adph, "ADPH")
    run.write_dataset(output.adsa, "ADSA")
    run.write_dataset(output.adppx, "ADPPX")
    run.write_dataset(output.adpair, "ADPAIR")
    run.write_dataset(output.adtiss, "ADTISS")
    run.write_dataset(output.adpers, "ADPERS")
    run.write_results(output.results, "cellular_kinetics")
    run.write_curves(output.curves, "cellular_kinetics")
    return 0

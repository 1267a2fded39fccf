"""``celldossier comparability``: before and after a manufacturing change."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier comparability compare``."""
    stage = subparsers.add_parser("comparability", help="before and after a manufacturing change")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    compare = verbs.add_parser(
        "compare",
        help="compare product, kinetics and outcomes -> ard/comparability.parquet",
    )
    add_run_argument(compare)
    compare.set_defaults(run=compare_stage)


def compare_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write the analysis results."""
    from celldossier.comparability.stage import compare_groups
    from celldossier.comparability.study import Sources, read_bridges
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings
    from celldossier.settings.comparability import ComparabilitySettings

    run = RunFolder(options.run_folder)
    settings = ComparabilitySettings.model_validate(run.settings("comparability"))
    kinetics = CellularKineticsSettings.model_validate(run.settings("cellular_kinetics"))
    output = compare_groups(
        read_sources(run, Sources),
        settings,
        kinetics.primary_analyte,
        read_bridges(run.results("cellular_kinetics")),
    )
    write_output(run, "comparability", output)
    return 0

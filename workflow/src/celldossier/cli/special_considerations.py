"""``celldossier special_considerations``: age groups, lymphodepletion and what else stands in 8."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier special_considerations summarise``."""
    stage = subparsers.add_parser(
        "special_considerations", help="groups that the guideline looks at by themselves"
    )
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise",
        help="compare exposure and outcomes of the groups -> ard/special_considerations.parquet",
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write the analysis results."""
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings
    from celldossier.settings.special_considerations import SpecialConsiderationsSettings
    from celldossier.special_considerations.stage import summarise_special_considerations
    from celldossier.special_considerations.study import Sources

    run = RunFolder(options.run_folder)
    settings = SpecialConsiderationsSettings.model_validate(run.settings("special_considerations"))
    kinetics = CellularKineticsSettings.model_validate(run.settings("cellular_kinetics"))
    output = summarise_special_considerations(
        read_sources(run, Sources),
        settings,
        kinetics.primary_analyte,
        kinetics.persistence.landmarks,
    )
    write_output(run, "special_considerations", output)
    return 0

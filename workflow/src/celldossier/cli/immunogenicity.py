"""``celldossier immunogenicity``: status of anti-drug antibodies."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier immunogenicity summarise``."""
    stage = subparsers.add_parser("immunogenicity", help="status of anti-drug antibodies")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise",
        help="derive the status and its rates: ADAB, ADSL -> ADIM, ard/immunogenicity.parquet",
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read ADAB and ADSL of a run; write ADIM and the analysis results."""
    from celldossier.immunogenicity.stage import summarise_immunogenicity
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.immunogenicity import ImmunogenicitySettings

    run = RunFolder(options.run_folder)
    settings = ImmunogenicitySettings.model_validate(run.settings("immunogenicity"))
    output = summarise_immunogenicity(run.dataset("ADAB"), run.dataset("ADSL"), settings)
    write_output(run, "immunogenicity", output)
    return 0

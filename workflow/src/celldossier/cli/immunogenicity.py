"""``celldossier immunogenicity``: status of anti-drug antibodies."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument
from celldossier.cli.stage_files import read_sources, write_output


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier immunogenicity summarise``."""
    stage = subparsers.add_parser("immunogenicity", help="status of anti-drug antibodies")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    summarise = verbs.add_parser(
        "summarise",
        help="derive the status and its rates -> ADIM, ADIMC, ard/immunogenicity.parquet",
    )
    add_run_argument(summarise)
    summarise.set_defaults(run=summarise_stage)


def summarise_stage(options: argparse.Namespace) -> int:
    """Read the datasets of a run; write ADIM, ADIMC and the analysis results."""
    from celldossier.immunogenicity.stage import analyse_immunogenicity
    from celldossier.immunogenicity.study import Sources
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.bioanalysis import BioanalysisSettings
    from celldossier.settings.immunogenicity import ImmunogenicitySettings
    from celldossier.settings.study import StudySettings

    run = RunFolder(options.run_folder)
    settings = ImmunogenicitySettings.model_validate(run.settings("immunogenicity"))
    product = StudySettings.model_validate(run.settings("study")).product
    assays = BioanalysisSettings.model_validate(run.settings("bioanalysis")).assays
    output = analyse_immunogenicity(read_sources(run, Sources), settings, product, assays)
    write_output(run, "immunogenicity", output)
    return 0

"""``celldossier run_comparison``: the run before its report, against the frozen reference run."""

from __future__ import annotations

import argparse
from pathlib import Path

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier run_comparison compare``."""
    stage = subparsers.add_parser(
        "run_comparison", help="what differs from the run that the config names as reference"
    )
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    compare = verbs.add_parser("compare", help="compare the run with its reference_run")
    add_run_argument(compare)
    compare.add_argument(
        "--tlfs",
        type=Path,
        default=Path("config/tlfs.yaml"),
        help="declaration of the tables, listings and figures, config/tlfs.yaml",
    )
    compare.set_defaults(run=compare_with_reference)


def compare_with_reference(options: argparse.Namespace) -> int:
    """Write ``<run>/comparison/``; differences are no failure here.

    Raises
    ------
    ConfigError
        If the config names no reference run, or one that is not there.
    RunError
        If the reference run is not what it was when it was frozen.
    """
    from celldossier.cli.diff import write_comparison
    from celldossier.cli.manifest import describe_run
    from celldossier.cli.run_content import read_run
    from celldossier.errors import ConfigError, RunError
    from celldossier.io.archive import list_reference_files, locate_frozen
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.run_record import find_faults
    from celldossier.run_comparison.compare import compare_runs
    from celldossier.run_comparison.summary import summarise_comparison

    run = RunFolder(options.run_folder)
    name = run.settings("run").get("reference_run")
    if name is None:
        raise ConfigError("The config names no reference_run: there is nothing to compare with.")
    list_reference_files(name)
    reference = locate_frozen(name)
    faults = find_faults(reference)
    if faults:
        raise RunError([f"The reference run {reference} is not what was frozen.", *faults])
    # The manifest of this run is written last; what it will say is known now.
    record = describe_run(options.run_folder, options.tlfs)
    found = compare_runs(read_run(reference), read_run(options.run_folder, record))
    write_comparison(found, summarise_comparison(found), run.path("comparison"))
    return 0

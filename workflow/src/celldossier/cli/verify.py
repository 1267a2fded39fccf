"""``celldossier verify RUN``: whether a run still is what its manifest says."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier verify``."""
    parser = subparsers.add_parser("verify", help="hold a run against its manifest")
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.set_defaults(run=verify_run)


def verify_run(options: argparse.Namespace) -> int:
    """Compare every file of a run with the manifest.

    Raises
    ------
    RunError
        If files are missing, new or changed; all of them are named.
    """
    from celldossier.errors import RunError
    from celldossier.io.files import read_json
    from celldossier.io.run_record import MANIFEST, find_faults

    faults = find_faults(options.run_folder)
    if faults:
        raise RunError(faults)
    recorded = read_json(options.run_folder / MANIFEST)["files"]
    print(f"{len(recorded)} files of {options.run_folder} agree with the manifest.")
    return 0

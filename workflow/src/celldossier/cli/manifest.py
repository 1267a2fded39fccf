"""``celldossier manifest``: what a run holds and what it was made of, by hash."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier manifest``."""
    parser = subparsers.add_parser("manifest", help="write the hash of every file of a run")
    add_run_argument(parser)
    parser.add_argument(
        "--tlfs",
        type=Path,
        default=Path("config/tlfs.yaml"),
        help="declaration of the tables, listings and figures, config/tlfs.yaml",
    )
    parser.set_defaults(run=write_manifest)


def write_manifest(options: argparse.Namespace) -> int:
    """Write ``manifest.json`` of a run.

    Everything in it but ``run_record`` follows from the files of the run, its inputs and the
    program, so that two runs of the same input can be compared by it.
    """
    import os
    import platform
    from datetime import UTC, datetime

    from celldossier.io.files import write_json
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.run_record import MANIFEST, hash_run

    run = RunFolder(options.run_folder)
    content = {
        **describe_run(options.run_folder, options.tlfs),
        "files": hash_run(run.root),
        "run_record": {
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": platform.platform(),
            "processors": os.cpu_count(),
            "commit": find_commit(),
        },
    }
    write_json(content, run.path(MANIFEST))
    return 0


def describe_run(folder: Path, tlfs: Path) -> dict[str, Any]:
    """What a run is made of now: version, settings of the run, inputs, code, environment.

    Parameters
    ----------
    folder
        Folder of the run, which holds its settings.
    tlfs
        Declaration of the tables, listings and figures.
    """
    from celldossier import __version__
    from celldossier.io.files import hash_file
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.run_record import hash_code, list_environment, locate_inputs
    from celldossier.settings.study_data import StudyDataSettings

    run = RunFolder(folder)
    inputs = locate_inputs(StudyDataSettings.model_validate(run.settings("study_data")))
    hashes = {name: hash_file(path) for name, path in inputs.items()}
    if tlfs.is_file():
        hashes["tlfs.yaml"] = hash_file(tlfs)
    return {
        "celldossier": __version__,
        "run": run.settings("run"),
        "inputs": hashes,
        "code": hash_code(),
        "environment": list_environment(),
    }


def find_commit() -> str:
    """Commit of the program's own repository, "" where it is installed without one.

    The hashes of the code say what ran; the commit says where to look it up.
    """
    import subprocess

    from celldossier.io.resources import shared_path

    if not (shared_path() / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=shared_path(),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        # No git on this machine: the hashes stand for themselves.
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""

"""``celldossier manifest`` and ``celldossier verify``: what a run holds, by hash."""

from __future__ import annotations

import argparse
from typing import Any

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier manifest``."""
    parser = subparsers.add_parser("manifest", help="write the hash of every file of a run")
    add_run_argument(parser)
    parser.set_defaults(run=write_manifest)


def write_manifest(options: argparse.Namespace) -> int:
    """Write ``manifest.json`` of a run.

    Everything in it but ``run_record`` follows from the files of the run, so
    that two runs of the same input can be compared by it.
    """
    import os
    import platform
    from datetime import UTC, datetime

    from celldossier import __version__
    from celldossier.io.files import write_json
    from celldossier.io.run_folder import RunFolder

    run = RunFolder(options.run_folder)
    content: dict[str, Any] = {
        "celldossier": __version__,
        "run": run.settings("run"),
        "files": hash_run(run.root),
        "run_record": {
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.platform(),
            "processors": os.cpu_count(),
        },
    }
    write_json(content, run.path("manifest.json"))
    return 0


def hash_run(root: Any) -> dict[str, str]:
    """SHA-256 of each file of a run but the manifest, by its path below the run's folder."""
    from pathlib import Path

    from celldossier.io.files import hash_file

    root = Path(root)
    files = (path for path in root.rglob("*") if path.is_file())
    hashes = {
        path.relative_to(root).as_posix(): hash_file(path)
        for path in files
        if path.name != "manifest.json" and not path.name.startswith(".snakemake")
    }
    return dict(sorted(hashes.items()))

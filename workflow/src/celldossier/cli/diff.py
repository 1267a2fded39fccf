"""``celldossier diff RUN_A RUN_B``: what differs between two runs, and why."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celldossier.run_comparison.content import Comparison

DIFFERS = 6
"""Exit code where anything differs."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier diff``."""
    parser = subparsers.add_parser(
        "diff", help="compare two runs; exit code 6 where anything differs"
    )
    parser.add_argument("old", metavar="RUN_A", type=Path, help="folder of the old run")
    parser.add_argument("new", metavar="RUN_B", type=Path, help="folder of the new run")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for differences.csv, differences.json, en.html and zh.html",
    )
    parser.set_defaults(run=compare)


def compare(options: argparse.Namespace) -> int:
    """Compare two runs, print the counts and causes, and write the files where asked.

    Raises
    ------
    RunError
        If a folder holds no run.
    """
    from celldossier.cli.run_content import read_run
    from celldossier.run_comparison.compare import compare_runs
    from celldossier.run_comparison.summary import summarise_comparison

    found = compare_runs(read_run(options.old), read_run(options.new))
    changes = summarise_comparison(found)
    if options.output is not None:
        write_comparison(found, changes, options.output)
    for line in changes["totals"]:
        print(
            f"{line['kind']:<12} {line['equal']} equal, {line['changed']} changed, "
            f"{line['added']} added, {line['removed']} removed"
        )
    for cause in changes["causes"]:
        print(f"{cause['kind']}: {cause['name']} ({cause['differences']} differences)")
    if changes["equal"]:
        print("Nothing differs.")
        return 0
    return DIFFERS


def write_comparison(found: Comparison, changes: dict[str, Any], folder: Path) -> None:
    """Write the comparison: every difference as CSV, the summary as JSON, a page a language."""
    from celldossier.io.files import write_json
    from celldossier.io.run_folder import LANGUAGES
    from celldossier.io.spreadsheets import csv_bytes
    from celldossier.run_comparison.page import render_comparison

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "differences.csv").write_bytes(csv_bytes(found.differences))
    write_json(changes, folder / "differences.json")
    for language in LANGUAGES:
        page = render_comparison(changes, language)
        (folder / f"{language}.html").write_text(page, encoding="utf-8")

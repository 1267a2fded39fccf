"""``celldossier tlf``: tables, listings and figures of a run, one job a language."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from celldossier.cli.arguments import add_run_argument

if TYPE_CHECKING:
    import pandas as pd


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier tlf render``."""
    stage = subparsers.add_parser("tlf", help="tables, listings and figures")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    render = verbs.add_parser("render", help="make every declared output in one language")
    add_run_argument(render)
    render.add_argument("--lang", choices=["zh", "en"], required=True, help="language")
    render.add_argument(
        "--tlfs",
        type=Path,
        required=True,
        help="declaration of the tables, listings and figures, config/tlfs.yaml",
    )
    render.set_defaults(run=render_language)


def render_language(options: argparse.Namespace) -> int:
    """Write ``<run>/tlf/<lang>/``: tlfs.json, and HTML, CSV and SVG of each output."""
    from celldossier.datasets import read_specification
    from celldossier.io.files import hash_file
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.tables import read_checks
    from celldossier.settings.model import SECTIONS
    from celldossier.settings.read import read_model
    from celldossier.settings.tlfs import TlfCatalogue
    from celldossier.terms.language import Language
    from celldossier.tlf.stage import RunInputs, render_tlfs

    run = RunFolder(options.run_folder)

    def file_hash(path: str) -> str:
        file = run.path(*path.split("/"))
        return hash_file(file) if file.exists() else ""

    def dataset(name: str) -> pd.DataFrame:
        if read_specification(name).layer == "checks":
            return read_checks(run.path("checks", f"{name.lower()}.csv"))
        return run.dataset(name)

    inputs = RunInputs(
        results=run.results,
        curves=run.curves,
        dataset=dataset,
        settings={section: run.settings(section) for section in SECTIONS},
        file_hash=file_hash,
    )
    catalogue = read_model(options.tlfs, TlfCatalogue)
    folder = run.path("tlf", options.lang)
    folder.mkdir(parents=True, exist_ok=True)
    # Outputs that are declared no longer must not stay behind.
    for old in sorted(folder.iterdir()):
        old.unlink()
    for name, content in render_tlfs(catalogue, inputs, Language(options.lang)):
        (folder / name).write_bytes(content)
    return 0

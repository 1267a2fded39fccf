"""``celldossier init``: a commented config of a new study, from the files of its folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier init``."""
    parser = subparsers.add_parser(
        "init", help="write a new study's config from the files of a folder"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with the raw files")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="config to be written; config/studies/<study>.yaml where not given",
    )
    parser.add_argument("--study", default="", metavar="ID", help="identifier of the study")
    parser.set_defaults(run=write_new_config)


def write_new_config(options: argparse.Namespace) -> int:
    """Write the config; a file that is there already is never touched.

    Raises
    ------
    ConfigError
        If the folder holds no table, the identifier cannot name a run, or the file is
        there already (exit code 2).
    """
    import re

    from celldossier.cli.new_config import render_new_config
    from celldossier.errors import ConfigError
    from celldossier.io.find_tables import find_tables
    from celldossier.study_data.guess import guess_study

    if not options.folder.is_dir():
        raise ConfigError(f"The folder {options.folder} does not exist.")
    files, faults = find_tables(options.folder)
    if not files:
        raise ConfigError(
            [f"The folder {options.folder} holds no table that can be read.", *faults]
        )
    guess = guess_study(files, options.study)
    run = re.sub(r"[^A-Za-z0-9._-]+", "-", guess.study).strip("-._")[:64] or "NEW-STUDY"
    if options.study and run != options.study:
        raise ConfigError(
            f"--study '{options.study}' cannot name a run: use letters, digits, dot, underscore "
            "and hyphen."
        )
    path = options.output or Path("config", "studies", f"{run.lower()}.yaml")
    text = render_new_config(guess, options.folder, run, given=bool(options.study))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ConfigError(f"The file {path} is there already; it is not overwritten.") from error
    for fault in faults:
        print(f"Not read: {fault}")
    print(
        f"{path} written: {len(guess.sources)} domains, {text.count('# guessed:')} guesses to "
        f"confirm, {text.count('# to be completed:')} entries to complete. Then run "
        f"'celldossier check --configfile {path}'."
    )
    return 0

"""The config of a new study as text, from its template `resources/init/config.yaml.j2`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from celldossier.datasets import read_specification
from celldossier.io.resources import shared_path
from celldossier.study_data.guess import StudyGuess

NEEDED = ("DM", "EX")
"""Domains without which there is no analysis."""


def render_new_config(guess: StudyGuess, folder: Path, run: str, given: bool) -> str:
    """Write a config with every guess and every gap marked.

    Parameters
    ----------
    folder
        Folder of the raw files.
    run
        Name of the run and of the study.
    given
        Whether the user gave it.
    """
    environment = Environment(
        loader=FileSystemLoader(shared_path("resources", "init")),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters["y"] = _quote
    specifications = {name: read_specification(name) for name in guess.sources}
    text = environment.get_template("config.yaml.j2").render(
        guess=guess,
        folder=folder.as_posix(),
        run=run,
        given=given,
        needed=NEEDED,
        codes={assay.code: make_code(assay.code) for assay in guess.assays},
        labels={
            name: {variable: own.en for variable, own in specification.variables.items()}
            for name, specification in specifications.items()
        },
        codelists={
            name: {variable: own.codelist for variable, own in specification.variables.items()}
            for name, specification in specifications.items()
        },
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def make_code(text: str) -> str:
    """An analyte code from a test code.

    >>> make_code("IL-6"), make_code("6MWT")
    ('IL_6', 'A_6MWT')
    """
    code = re.sub(r"[^A-Z0-9_]", "_", text.upper())[:36]
    return code if re.match(r"[A-Z]", code) else f"A_{code}"


def _quote(text: str) -> str:
    """A text as YAML: a JSON string, in which no sign can end a comment or start a tag."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text)
    reserved = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}
    if plain and text.casefold() not in reserved:
        return text
    return json.dumps(text, ensure_ascii=False)

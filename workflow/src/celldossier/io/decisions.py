"""The files in which a study writes down its decisions on the data, read as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from celldossier.errors import ConfigError
from celldossier.io.tables import TableFault, read_table

NOTES = ("README.md",)
"""Files of the folder that hold no decisions."""

WINDOW_USES = ("IN", "OUT")
"""What a reviewed lambda-z window says of its points: they are the regression, or left out."""


@dataclass(frozen=True)
class DecisionFile:
    """One file of the folder as it was read; `fault` says why it could not be."""

    name: str
    table: pd.DataFrame | None
    fault: str = ""


def list_decision_files(folder: str, working_directory: Path = Path()) -> list[Path]:
    """Files of the folder of decisions, sorted; none where the study names no folder.

    Parameters
    ----------
    folder
        Key ``study_data.decisions``: a folder below the working directory, or "".

    Raises
    ------
    ConfigError
        If the folder does not exist or lies outside the working directory.
    """
    if not folder:
        return []
    place = working_directory / folder
    if not place.resolve().is_relative_to(working_directory.resolve()):
        raise ConfigError(
            f"study_data.decisions names {folder}, which lies outside the project. Name a folder "
            "below the folder from which the program is started."
        )
    if not place.is_dir():
        raise ConfigError(
            f"study_data.decisions names the folder {folder}, which does not exist. Make it, or "
            "leave the key out where nothing was decided."
        )
    return sorted(
        path
        for path in place.iterdir()
        if path.is_file() and path.name not in NOTES and not path.name.startswith(".")
    )


def read_decision_files(folder: str, working_directory: Path = Path()) -> list[DecisionFile]:
    """Read every file of the folder of decisions; a fault is kept, not raised.

    Raises
    ------
    ConfigError
        As `list_decision_files`.
    """
    files = []
    for path in list_decision_files(folder, working_directory):
        try:
            if not path.resolve().is_relative_to(working_directory.resolve()):
                raise TableFault("FILEOUTSIDE", "it leads outside the project")
            files.append(DecisionFile(path.name, read_table(path)))
        except TableFault as fault:
            files.append(DecisionFile(path.name, None, fault.detail or fault.rule))
    return files

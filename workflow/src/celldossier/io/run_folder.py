"""The folder of a run, ``results/<run>/``: where each file lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from celldossier.errors import RunError
from celldossier.io.files import read_json, read_parquet, write_table

LANGUAGES: tuple[Literal["zh", "en"], ...] = ("zh", "en")
"""Languages of the report, the regulator's first."""


@dataclass(frozen=True)
class RunFolder:
    """Paths and access to the files of one run; nothing outside `root` is written.

    Parameters
    ----------
    root
        The folder ``results/<run>``.
    """

    root: Path

    def path(self, *parts: str) -> Path:
        """Path of a file of the run.

        Raises
        ------
        RunError
            If the path would leave the run's folder.
        """
        path = self.root.joinpath(*parts)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise RunError(f"The path {'/'.join(parts)} leaves the run's folder {self.root}.")
        return path

    def settings(self, section: str) -> Any:
        """Effective settings of a section, as written by the rule ``settings``."""
        return read_json(self.path("settings", f"{section}.json"))

    def dataset(self, name: str) -> pd.DataFrame:
        """An analysis dataset, such as ``ADSL``."""
        return read_parquet(self.path("adam", f"{name}.parquet"))

    def write_dataset(self, frame: pd.DataFrame, name: str) -> None:
        """Write an analysis dataset."""
        write_table(frame, self.path("adam", f"{name}.parquet"))

    def results(self, stage: str) -> pd.DataFrame:
        """Analysis results of a stage."""
        return read_parquet(self.path("ard", f"{stage}.parquet"))

    def write_results(self, frame: pd.DataFrame, stage: str) -> None:
        """Write the analysis results of a stage (dataset ARD)."""
        write_table(frame, self.path("ard", f"{stage}.parquet"))

    def curves(self, stage: str) -> pd.DataFrame:
        """Fitted curves and summary points of a stage."""
        return read_parquet(self.path("ard", f"{stage}_curves.parquet"))

    def write_curves(self, frame: pd.DataFrame, stage: str) -> None:
        """Write the curves of a stage (dataset CURVES)."""
        write_table(frame, self.path("ard", f"{stage}_curves.parquet"))

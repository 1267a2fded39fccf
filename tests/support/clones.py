"""Copies of the project in which the workflow is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PARTS = (
    *("Snakefile", "uv.lock", "environment.yml", "requirements.lock"),
    *("config", "resources", "report_templates", "workflow"),
)
MINI = "config/studies/mini.yaml"
LEFT_OUT = shutil.ignore_patterns("*.egg-info", "*.pyc.*")
"""Also compiled modules that another process is just writing."""


@dataclass(frozen=True)
class Clone:
    """A copy of the project in which the workflow is run."""

    root: Path

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        # The copy's own package is used, so that another path of the project is part of the test.
        environment["PYTHONPATH"] = str(self.root / "workflow" / "src")
        return environment

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone, with its output as text."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def snakemake(self, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess[str]:
        """Run the workflow as the README says."""
        profile = ["--workflow-profile", "workflow/profiles/default"]
        return self.call(
            sys.executable, "-m", "snakemake", "--cores", str(cores), *profile, *arguments
        )

    def celldossier(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line of the program."""
        return self.call(sys.executable, "-m", "celldossier", *arguments)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there, once."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")


def clone_project(target: Path) -> Clone:
    """Copy what the workflow needs into a new folder."""
    target.mkdir(parents=True)
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            # With what was compiled: otherwise each command in the clone compiles its modules anew.
            shutil.copytree(source, target / part, ignore=LEFT_OUT)
        else:
            shutil.copy2(source, target / part)
    return Clone(target)


def expect_success(result: subprocess.CompletedProcess[str]) -> None:
    """Fail with what the command printed."""
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]

"""Runs of the workflow in folders of their own; every test reads from these few runs.

The full study runs twice, in two folders and with different ``--cores``; the
mini study runs once, and tests that change something work on a copy of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from clones import MINI, Clone, clone_project, expect_success


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which the mini study has run; not to be changed."""
    clone = clone_project(tmp_path_factory.mktemp("mini") / "project")
    expect_success(clone.snakemake("--configfile", MINI))
    return clone


@pytest.fixture
def mini_copy(mini: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished mini study, to be changed."""
    target = tmp_path / "project"
    shutil.copytree(mini.root, target, symlinks=True)
    return Clone(target)


@pytest.fixture(scope="session")
def full_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, Clone]:
    """The example study, run twice: two folders, one core and two."""
    folder = tmp_path_factory.mktemp("full")
    first = clone_project(folder / "first" / "project")
    second = clone_project(folder / "second" / "deeper" / "project")
    for clone, cores in ((first, 1), (second, 2)):
        expect_success(clone.snakemake(cores=cores))
    return first, second


@pytest.fixture(scope="session")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which the public CDISC pilot study has run."""
    clone = clone_project(tmp_path_factory.mktemp("pilot") / "project")
    expect_success(clone.snakemake("--configfile", "config/studies/cdisc_pilot.yaml"))
    return clone


@pytest.fixture
def planned() -> Callable[[Clone], set[str]]:
    """Give the rules that a run of the mini study would execute now."""

    def rules(clone: Clone, *arguments: str) -> set[str]:
        result = clone.snakemake("--dry-run", "--configfile", MINI, *arguments)
        expect_success(result)
        return {
            line.split()[1].rstrip(":")
            for line in result.stdout.splitlines()
            if line.startswith(("rule ", "localrule "))
        }

    return rules

"""Each command of the workflow opens only what its rule names: an edit of it re-runs the rule."""

from __future__ import annotations

import csv
import io
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from clones import MINI, Clone, expect_success

WATCH = """
import os, sys

opened = set()


def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str | bytes):
        writes = os.O_WRONLY | os.O_RDWR
        if not arguments[2] & writes:
            opened.add(os.path.abspath(os.fsdecode(arguments[0])))


sys.addaudithook(watch)
from celldossier.cli import main

code = main(sys.argv[2:])
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write("\\n".join(sorted(opened)))
sys.exit(code)
"""
COMMANDS = "workflow/src/celldossier/cli/"


@dataclass(frozen=True)
class Job:
    """One job of the run that calls the program: what it names, and what it opened."""

    rule: str
    declared: set[str]
    opened: set[str]


@pytest.fixture(scope="module")
def jobs(mini: Clone, tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """Call every command of the finished run again, in a copy, and write down what it opens."""
    import shutil

    folder = tmp_path_factory.mktemp("watched")
    clone = Clone(folder / "project")
    shutil.copytree(mini.root, clone.root, symlinks=True)
    summary = clone.snakemake("--configfile", MINI, "--detailed-summary")
    expect_success(summary)
    rows = csv.DictReader(
        io.StringIO(summary.stdout), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True
    )
    found: dict[str, Job] = {}
    watch = folder / "watch.py"
    watch.write_text(WATCH, encoding="utf-8")
    for row in rows:
        command = shlex.split(row["shellcmd"].partition(" > ")[0])
        if command[0] != "celldossier" or row["shellcmd"] in found:
            continue
        listing = folder / "opened.txt"
        expect_success(clone.call(sys.executable, str(watch), str(listing), *command[1:]))
        found[row["shellcmd"]] = Job(
            rule=row["rule"],
            declared=set(row["input-file(s)"].split(",")),
            opened=set(files_below(clone.root, listing.read_text(encoding="utf-8").splitlines())),
        )
    return list(found.values())


def files_below(root: Path, names: list[str]) -> list[str]:
    """Files of the project among those opened; compiled modules count as their source."""
    below = []
    for name in names:
        path = Path(name)
        if path.parent.name == "__pycache__":
            path = path.parents[1] / f"{path.name.split('.')[0]}.py"
        if path.is_relative_to(root) and path.is_file():
            below.append(path.relative_to(root).as_posix())
    return below


def undeclared(job: Job) -> list[str]:
    """Files that a job opened and its rule does not name."""
    folders = tuple(f"{name}/" for name in job.declared)
    return sorted(
        name
        for name in job.opened - job.declared
        if not name.startswith(folders)
        # The command line loads the parser of every command; their work is done elsewhere.
        and not name.startswith(COMMANDS)
    )


def test_every_rule_that_calls_the_program_is_watched(jobs: list[Job]) -> None:
    assert {job.rule for job in jobs} == {
        *("study_data", "gate", "study_data_summary", "cellular_kinetics", "pharmacodynamics"),
        "dose_exploration",
        *("immunogenicity", "exposure_response", "tlf", "clause_matrix", "render_report"),
        *("special_considerations", "comparability", "manifest"),
    }
    # The watch itself works: a resource, a dataset and a module were seen.
    kinetics = next(job for job in jobs if job.rule == "cellular_kinetics")
    assert {
        "resources/terms/nca_parameters.yaml",
        "results/MINI/adam/ADPC.parquet",
        "workflow/src/celldossier/cellular_kinetics/stage.py",
    } <= kinetics.opened


def test_no_command_opens_a_file_that_its_rule_does_not_name(jobs: list[Job]) -> None:
    assert {job.rule: undeclared(job) for job in jobs if undeclared(job)} == {}


def test_a_rule_names_the_datasets_and_settings_that_its_command_opens_and_no_others(
    jobs: list[Job],
) -> None:
    idle = {
        job.rule: sorted(
            name
            for name in job.declared - job.opened
            if name.startswith(("results/MINI/adam/", "results/MINI/ard/", "results/MINI/settings"))
        )
        for job in jobs
        # Which datasets the tables read is said by config/tlfs.yaml, not by the rule.
        if job.rule != "tlf"
    }
    assert {rule: names for rule, names in idle.items() if names} == {}

"""What a run was made of is recorded by parts, so that an edit of one is no edit of another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from celldossier.io import run_record
from celldossier.io.resources import shared_path
from celldossier.run_comparison.causes import ENTRY, FLOORS, TEXTS


def test_an_edit_changes_the_hash_of_its_part_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("__init__.py", "errors.py", "stats/ratio.py", "stats/deep/more.py", "cli/tlf.py")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(run_record, "PACKAGE", tmp_path)
    before = run_record.hash_code()
    assert {"__init__", "errors", "stats", "cli/tlf"} == set(before) - set(run_record.SHARED)
    (tmp_path / "stats/deep/more.py").write_text("x = 2\n", encoding="utf-8")
    after = run_record.hash_code()
    assert {part for part in before if before[part] != after[part]} == {"stats"}
    (tmp_path / "stats/deep/more.py").rename(tmp_path / "stats/deep/other.py")
    assert run_record.hash_code()["stats"] != after["stats"]


def test_the_parts_that_every_stage_rests_on_are_those_of_the_rules() -> None:
    """An edit that re-runs a stage is a possible cause of what differs in it, and no other is."""
    rules = shared_path("workflow", "rules", "common.smk").read_text(encoding="utf-8")
    (floors,) = re.findall(r"^FLOORS = (\[.*?\])", rules, re.MULTILINE | re.DOTALL)
    assert {name.removesuffix(".py") for name in re.findall(r'"([\w.]+)"', floors)} == set(FLOORS)
    (entry,) = re.findall(r"^ENTRY = \[(.*?)^\]", rules, re.MULTILINE | re.DOTALL)
    (modules,) = re.findall(r"for name in \((.*?)\)", entry)
    names = {f"cli/{name}" for name in re.findall(r'"(\w+)"', modules)} | {"__init__"}
    assert names == set(ENTRY)
    assert set(FLOORS) | set(ENTRY) | set(TEXTS) <= set(run_record.hash_code())


def test_the_libraries_that_are_recorded_are_installed() -> None:
    environment = run_record.list_environment()
    assert [name for name in run_record.LIBRARIES if not environment[name]] == []
    assert environment["python"].count(".") == 2

"""tests/requirements.yaml names tests and clauses that exist, and leaves no test file out."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TESTS = ROOT / "tests"
KEYS = ["requirement", "clauses", "risk", "tests"]


@pytest.fixture(scope="module")
def requirements() -> dict[str, dict[str, Any]]:
    """The requirements by their id; a key given twice is refused by the project's own reader."""
    from celldossier.settings.read import read_yaml

    return read_yaml(TESTS / "requirements.yaml")


def defined_tests() -> dict[str, set[str]]:
    """Test functions of each test file, by its path below tests/."""
    return {
        path.relative_to(TESTS).as_posix(): {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }
        for path in TESTS.rglob("test_*.py")
    }


def test_every_requirement_says_what_it_is_for_and_which_tests_hold_it(
    requirements: dict[str, dict[str, Any]],
) -> None:
    assert requirements
    for name, entry in requirements.items():
        assert list(entry) == KEYS, name
        assert entry["requirement"].endswith(".") and entry["risk"].endswith("."), name
        assert entry["tests"], name


def test_every_test_that_a_requirement_names_exists(
    requirements: dict[str, dict[str, Any]],
) -> None:
    defined = defined_tests()
    missing = []
    for name, entry in requirements.items():
        for test in entry["tests"]:
            file, _, function = test.partition("::")
            if file not in defined or (function and function not in defined[file]):
                missing.append(f"{name}: {test}")
    assert missing == []


def test_every_clause_that_a_requirement_names_exists(
    requirements: dict[str, dict[str, Any]],
) -> None:
    known = {
        clause["id"]
        for path in (ROOT / "resources" / "guideline").glob("*/clauses.yaml")
        for clause in yaml.safe_load(path.read_text(encoding="utf-8"))["clauses"]
    }
    named = {clause for entry in requirements.values() for clause in entry["clauses"]}
    assert named - known == set()


def test_every_test_file_serves_a_requirement(requirements: dict[str, dict[str, Any]]) -> None:
    named = {test.partition("::")[0] for entry in requirements.values() for test in entry["tests"]}
    assert set(defined_tests()) - named == set()

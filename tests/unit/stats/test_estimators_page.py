"""The page that says what each estimator was held against is complete and names what exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
STATS = ROOT / "workflow" / "src" / "celldossier" / "stats"
TEXT = (ROOT / "docs" / "estimators.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|")
][2:]


MODULES = {path.stem for path in STATS.glob("*.py")} - {"__init__"}


def test_every_module_of_estimators_has_a_row() -> None:
    listed = {name for row in ROWS for name in row[0].split(", ")}
    assert not MODULES - listed


def test_every_row_says_against_what_and_names_tests_that_exist_and_use_the_module() -> None:
    for modules, estimator, against, tests in ROWS:
        if not MODULES & set(modules.split(", ")):
            continue
        assert estimator and against and tests, modules
        paths = [ROOT / "tests" / name for name in tests.split(", ")]
        assert all(path.is_file() for path in paths), tests
        used = " ".join(path.read_text(encoding="utf-8") for path in paths)
        if "test_account_of_r.py" in tests:
            used += (ROOT / "tests" / "support" / "answers_of_ours.py").read_text(encoding="utf-8")
        assert any(re.search(rf"\b{name}\b", used) for name in modules.split(", ")), modules

"""Faults of raw data and the findings that must name them, gathered from ``faults_<topic>.py``.

Each part of the project keeps the faults of its rules in a module of its own beside this one.
Such a module may hold

- ``FAULTS``: faults that are planted each in a copy of the small study, all copies in one run;
- ``WHOLE_FILE_FAULTS``: faults that need a study of their own;
- ``FOLLOWS``: for a rule, the further findings that its fault brings with it;
- ``SINGLE``: for a rule, the test that makes it fire otherwise, as ``<file>::<test>`` below
  ``tests/unit/study_data``.

A rule needs a place in one of them: a test demands it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from small_study import SmallStudy

Spoil = Callable[[SmallStudy], object]


@dataclass(frozen=True)
class Fault:
    """One fault: how to plant it, and the finding that must name it."""

    rule: str
    spoil: Spoil
    domain: str
    row: int | None
    column: str
    value: str
    severity: str = "error"


def cell(domain: str, row: int, column: str, value: str) -> Spoil:
    """Write one cell."""
    return lambda study: study.set(domain, row, column, value)


def cells(*places: tuple[str, int, str, str]) -> Spoil:
    """Write several cells: domain, row, column and value of each."""

    def spoil(study: SmallStudy) -> None:
        for place in places:
            study.set(*place)

    return spoil


def copy(domain: str, row: int, **changes: str) -> Spoil:
    """Add a copy of a row."""
    return lambda study: study.repeat(domain, row, changes)


def gather_modules() -> list[ModuleType]:
    """Every ``faults_<topic>.py`` beside this file, by name."""
    paths = sorted(Path(__file__).parent.glob("faults_*.py"))
    return [importlib.import_module(path.stem) for path in paths]


def gather_faults(name: str) -> list[Fault]:
    """All faults of the lists of this name."""
    return [fault for module in gather_modules() for fault in getattr(module, name, [])]


def gather_follows() -> dict[str, set[str]]:
    """Further findings that the fault of a rule brings with it, by rule."""
    follows: dict[str, set[str]] = {}
    for module in gather_modules():
        for rule, others in getattr(module, "FOLLOWS", {}).items():
            follows.setdefault(rule, set()).update(others)
    return follows


def gather_single() -> dict[str, str]:
    """Test that makes a rule fire, for the rules without a fault in the lists."""
    return {
        rule: test
        for module in gather_modules()
        for rule, test in getattr(module, "SINGLE", {}).items()
    }

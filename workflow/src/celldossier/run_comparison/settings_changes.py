"""Settings of two runs: each key that differs, with its old and its new value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from celldossier.io.files import canonical_json

NAMES_OF_RUNS = frozenset({"run.run", "run.reference_run"})
"""Keys that name runs and change no result."""
IDENTIFIERS = ("id", "analyte", "code", "name", "version", "endpoint", "metric", "file", "from")
"""Keys by which the parts of a list are told apart, the first that all have and none shares."""


@dataclass(frozen=True)
class SettingChange:
    """A key of the config that differs; ``old`` or ``new`` is None where it has no such key."""

    section: str
    key: str
    old: str | None
    new: str | None


def compare_settings(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[list[SettingChange], int]:
    """Keys of the effective settings that differ, and the number of those that do not.

    Parameters
    ----------
    old, new
        Effective sections by name, `run` among them.
    """
    changes, equal = [], 0
    for section in sorted({*old, *new}):
        first, second = old.get(section, {}), new.get(section, {})
        before, after = (dict(flatten_settings(part, section)) for part in (first, second))
        changes += _compare_orders(first, second, section)
        for key in sorted({*before, *after} - NAMES_OF_RUNS):
            if before.get(key) == after.get(key):
                equal += 1
            else:
                changes.append(SettingChange(section, key, before.get(key), after.get(key)))
    return changes, equal


def _compare_orders(old: Any, new: Any, section: str) -> list[SettingChange]:
    """Lists whose parts have names and stand in another order; a new or lost part is none."""
    orders = [dict(_list_orders(value, section)) for value in (old, new)]
    changes = []
    for key in sorted({*orders[0]} & {*orders[1]}):
        one, two = (
            [name for name in order[key] if name in orders[1 - side][key]]
            for side, order in enumerate(orders)
        )
        if one != two:
            changes.append(SettingChange(section, f"{key} (order)", ", ".join(one), ", ".join(two)))
    return changes


def _list_orders(value: Any, key: str) -> Iterator[tuple[str, list[str]]]:
    """Names of the parts of each list in a section, as they stand."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _list_orders(part, f"{key}.{name}")
    elif _has_parts(value):
        names = _name_parts(value)
        yield key, names
        for name, part in zip(names, value, strict=True):
            yield from _list_orders(part, f"{key}[{name}]")


def _has_parts(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and bool(value)
        and all(isinstance(part, Mapping) for part in value)
    )


def flatten_settings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every leaf of a section with its key, in the form in which a reader would name it.

    >>> dict(flatten_settings({"assays": [{"analyte": "PCR", "lloq": 50}]}, "bioanalysis"))
    {'bioanalysis.assays[PCR].analyte': 'PCR', 'bioanalysis.assays[PCR].lloq': '50'}
    """
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from flatten_settings(part, f"{key}.{name}")
    elif _has_parts(value):
        names = _name_parts(value)
        for name, part in zip(names, value, strict=True):
            yield from flatten_settings(part, f"{key}[{name}]")
    else:
        yield key, _print_leaf(value)


def _name_parts(parts: Sequence[Any]) -> list[str]:
    for identifier in IDENTIFIERS:
        names = [part.get(identifier) for part in parts]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return [_print_leaf(name) for name in names]
    return [str(number) for number in range(1, len(parts) + 1)]


def _print_leaf(value: Any) -> str:
    if isinstance(value, str):
        # Where a folder lies on this machine is no matter of the run, and of no reader.
        path = PurePosixPath(value)
        return f".../{path.name}" if path.is_absolute() else value or '""'
    return " ".join(canonical_json(value).split())

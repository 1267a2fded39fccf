"""Tell whether uv.lock was made for what pyproject.toml asks for.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple


class Dependency(NamedTuple):
    """One requirement, in a form that does not depend on how it was written."""

    name: str
    extras: frozenset[str]
    versions: frozenset[str]
    """The parts of the version range, such as >=2.3 and <3."""


def normal_name(name: str) -> str:
    """Write the name of a package as the index does: lower case, hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_dependency(line: str) -> Dependency:
    """Read a requirement such as ``pandera[pandas]>=0.24``; raise ValueError for other forms."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?([^;@]*)", line.replace(" ", ""))
    if match is None:
        raise ValueError(f"The set-up cannot read the dependency {line!r} in pyproject.toml.")
    name, extras, versions = match.groups(default="")
    return Dependency(
        normal_name(name),
        frozenset(extras.split(",")) - {""},
        frozenset(versions.split(",")) - {""},
    )


def declared_dependencies(pyproject: dict[str, Any]) -> dict[str, set[Dependency]]:
    """Read what pyproject.toml asks for: the main dependencies (under "") and each group."""
    groups = {"": pyproject["project"]["dependencies"], **pyproject.get("dependency-groups", {})}
    return {name: {read_dependency(line) for line in lines} for name, lines in groups.items()}


def locked_dependencies(lock: dict[str, Any]) -> dict[str, set[Dependency]]:
    """Read what uv.lock was made for, in the form of `declared_dependencies`."""
    metadata = next(p for p in lock["package"] if p["name"] == "celldossier")["metadata"]
    groups = {"": metadata["requires-dist"], **metadata.get("requires-dev", {})}
    return {
        name: {
            Dependency(
                entry["name"],
                frozenset(entry.get("extras", ())),
                frozenset(entry.get("specifier", "").split(",")) - {""},
            )
            for entry in entries
        }
        for name, entries in groups.items()
    }


def lock_fits(root: Path) -> bool:
    """Tell whether the lock in this folder was made for the dependencies that are now named."""
    import tomllib  # new in Python 3.11; an older one imports this module, too, to say no

    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    return declared_dependencies(pyproject) == locked_dependencies(lock)

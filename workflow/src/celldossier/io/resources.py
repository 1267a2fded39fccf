"""Where the files that belong to the program lie: resources, templates, example configs.

In a clone they stand at the root of the project, where people read and change
them; in a wheel they are shipped inside the package, under `_shared`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parents[1]
_SHARED = _PACKAGE / "_shared"
_PROJECT = _PACKAGE.parents[2]


def shared_path(*parts: str) -> Path:
    """Path of a file or folder that belongs to the program.

    Parameters
    ----------
    parts
        Path below the project root, such as ``("resources", "datasets", "ADSL.yaml")``.
    """
    root = _SHARED if _SHARED.is_dir() else _PROJECT
    return root.joinpath(*parts)


@lru_cache(maxsize=64)
def read_resource(*parts: str) -> Any:
    """Content of a YAML file below ``resources/``, read once a process; do not change it."""
    return yaml.load(
        shared_path("resources", *parts).read_text(encoding="utf-8"),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
    )


def list_resources(*parts: str, suffix: str = ".yaml") -> list[Path]:
    """Files of one kind in a folder below ``resources/``, sorted by name."""
    return sorted(shared_path("resources", *parts).glob(f"*{suffix}"))

"""What a reviewer needs to repeat the run: hashes of what went in, versions of what computed."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "snakemake",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "firthmodels",
    "matplotlib",
    "pyarrow",
    "pydantic",
    "jinja2",
    "weasyprint",
)
"""Libraries whose versions the provenance page prints; the lock file holds all of them."""


def describe_provenance(
    inputs: Mapping[str, str],
    settings: Mapping[str, str],
    datasets: Mapping[str, str],
    lock_hash: str,
    seeds: Sequence[tuple[str, int]] = (),
) -> dict[str, Any]:
    """Provenance of a run, in the form that the template prints.

    Parameters
    ----------
    inputs, settings, datasets
        SHA-256 by file: raw files, effective settings, analysis datasets.
    lock_hash
        SHA-256 of the lock file, "" where the program runs without one.
    seeds
        Seed by the step that draws random numbers; empty where none does.

    Notes
    -----
    No time and no machine stand here: equal input gives an equal report. They
    stand in the run record of manifest.json.
    """
    return {
        "program": version("celldossier"),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "libraries": [{"name": name, "version": version(name)} for name in LIBRARIES],
        "lock_sha256": lock_hash,
        "inputs": [{"file": file, "sha256": digest} for file, digest in inputs.items()],
        "settings": [{"section": name, "sha256": digest} for name, digest in settings.items()],
        "datasets": [{"name": name, "sha256": digest} for name, digest in datasets.items()],
        "seeds": [{"step": step, "seed": seed} for step, seed in seeds],
    }


def name_source(path: Path) -> str:
    """Name of a raw file that is the same on every machine: relative, or the package's own."""
    parts = path.as_posix().split("/site-packages/")
    if len(parts) == 2:
        return f"package:{parts[1]}"
    return path.as_posix() if not path.is_absolute() else path.name

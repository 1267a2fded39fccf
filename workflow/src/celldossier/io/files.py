"""Reading and writing of the run's own files, with the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from celldossier.errors import RunError


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def canonical_json(value: Any, ascii_only: bool = False) -> str:
    """JSON with sorted keys and no spaces to choose: equal content gives equal bytes.

    Parameters
    ----------
    ascii_only
        Write other signs as escapes, for a text that goes through a shell: what that
        makes of them depends on the locale.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=ascii_only, allow_nan=False, indent=1)


def write_json(value: Any, path: Path) -> None:
    """Write canonical JSON, with a line end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(canonical_json(value) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON; a missing or broken file of the run is an error that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"The file {path} does not exist; run the workflow first.") from error
    except json.JSONDecodeError as error:
        raise RunError(f"The file {path} is not valid JSON: {error}.") from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a dataset: Parquet or, by the file's ending, CSV with full double precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path, engine="pyarrow", compression="zstd", index=False)
    else:
        frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a dataset of the run; a missing or broken file is an error that names it."""
    import pyarrow

    try:
        return pd.read_parquet(path, engine="pyarrow")
    except FileNotFoundError as error:
        raise RunError(f"The file {path} does not exist; run the workflow first.") from error
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise RunError(f"The file {path} cannot be read as Parquet: {error}.") from error

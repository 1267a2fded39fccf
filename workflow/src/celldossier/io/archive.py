"""Frozen runs, ``archive/<NAME>/``: a finished run with all that it was made from, read-only."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from celldossier.errors import ConfigError, RunError
from celldossier.io.files import hash_file, read_json, write_json
from celldossier.io.run_record import FREEZE, MANIFEST, find_faults

ARCHIVE = Path("archive")
"""Folder of the frozen runs, below the working directory."""
INPUTS = "inputs"
"""Folder of a frozen run that holds what it was made from."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def locate_frozen(name: str, working_directory: Path = Path()) -> Path:
    """Folder of the frozen run of that name, whether it exists or not.

    Raises
    ------
    ConfigError
        If the name is not that of a folder: letters, digits, dot, underscore and hyphen, the
        first a letter or a digit, at most 64 of them.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of a frozen run: it has at most 64 letters, digits, dots, "
            "underscores and hyphens, and begins with a letter or a digit. It is a name and no "
            "path."
        )
    return working_directory / ARCHIVE / name


def list_reference_files(name: str | None, working_directory: Path = Path()) -> list[Path]:
    """Files of the frozen run that a config names as its reference; none where it names none.

    Raises
    ------
    ConfigError
        If the archive holds no such run.
    """
    if name is None:
        return []
    folder = locate_frozen(name, working_directory)
    if not (folder / FREEZE).is_file():
        raise ConfigError(
            f"reference_run names {name}, which is no frozen run: {folder / FREEZE} does not "
            "exist. Keep a finished run under that name with 'celldossier freeze', or leave the "
            "key out."
        )
    return sorted(path for path in folder.rglob("*") if path.is_file())


def freeze_run(name: str, run: Path, inputs: Mapping[str, Path], working_directory: Path) -> Path:
    """Copy a finished run and its inputs to ``archive/<name>``, read-only.

    Parameters
    ----------
    run
        Folder of the run.
    inputs
        File by its name below ``inputs/``. Those that the manifest names must be what they were
        when the run was made.

    Returns
    -------
    Path
        The folder of the frozen run.

    Raises
    ------
    ConfigError
        If the name is none, or is taken.
    RunError
        If the run is not finished, is not what its manifest says, or its inputs have changed.
    """
    target = locate_frozen(name, working_directory)
    if os.path.lexists(target):
        raise ConfigError(
            f"The archive has a run '{name}' already; a frozen run is never replaced. Choose "
            "another name."
        )
    before = _check_run(run, inputs)
    target.parent.mkdir(parents=True, exist_ok=True)
    # What is half copied never stands under the name.
    partial = Path(tempfile.mkdtemp(prefix=".freeze-", dir=target.parent))
    try:
        _copy_run(run, partial)
        for place, source in inputs.items():
            copied = partial / INPUTS / place
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copied)
        files = {f"{INPUTS}/{place}": hash_file(partial / INPUTS / place) for place in inputs}
        manifest = hash_file(partial / MANIFEST)
        record = {"name": name, "files": files | {MANIFEST: manifest}}
        write_json(record, partial / FREEZE)
        faults = find_faults(partial)
        faults += [
            f"The input {place} has changed."
            for place, digest in before.items()
            if files[f"{INPUTS}/{place}"] != digest
        ]
        if manifest != hash_file(run / MANIFEST):
            faults.append("The run was made again.")
        if faults:
            raise RunError(["The run changed while it was copied.", *faults])
        _make_read_only(partial, run.stat().st_mode)
        partial.rename(target)
    except BaseException:
        _remove(partial)
        raise
    return target


def _check_run(run: Path, inputs: Mapping[str, Path]) -> dict[str, str]:
    """Hold a run against its records; the hash of each input, as it is copied later."""
    manifest = read_json(run / MANIFEST)
    if (run / FREEZE).exists():
        raise RunError(f"The run {run} is a frozen run already.")
    if "inputs" not in manifest:
        raise RunError(
            f"The manifest of {run} does not say what the run was made from; run the workflow "
            "again with this version of the program."
        )
    faults = find_faults(run)
    found = {name: hash_file(path) for name, path in inputs.items()}
    for name, digest in manifest["inputs"].items():
        if name not in inputs:
            faults.append(f"The input {name} of the run is no longer there.")
        elif found[name] != digest:
            faults.append(f"The input {name} has changed since the run was made.")
    for path in sorted(run.rglob("*")):
        if not path.resolve().is_relative_to(run.resolve()):
            faults.append(f"{path.relative_to(run).as_posix()} leads outside the run's folder.")
    if faults:
        raise RunError([f"The run {run} cannot be frozen.", *faults])
    return found


def _copy_run(run: Path, target: Path) -> None:
    for path in sorted(run.rglob("*")):
        if path.is_file() and not path.name.startswith(".snakemake"):
            copied = target / path.relative_to(run)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)


def _make_read_only(folder: Path, mode: int) -> None:
    """Take away all rights to write; who could not read a file or the run cannot read its copy."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod((mode if path == folder else path.stat().st_mode) & 0o555)


def _remove(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder)

"""What a run was made of, by hash: its inputs, the program's own files, the libraries.

Two runs are compared by these records: what differs here is what may have changed a result.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from celldossier.errors import RunError
from celldossier.io.decisions import list_decision_files
from celldossier.io.files import hash_file, read_json
from celldossier.io.resources import shared_path
from celldossier.io.tables import locate_raw_files

if TYPE_CHECKING:
    from celldossier.settings.study_data import StudyDataSettings

PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "firthmodels", "scikit-learn", "pyarrow")
"""Libraries that compute or store numbers; the lock file holds all of them."""
SHARED = {
    "resources/datasets": "*.yaml",
    "resources/guideline": "*.yaml",
    "resources/standards": "*.yaml",
    "resources/terms": "*.yaml",
    "report_templates": "*",
}
"""Folders beside the package whose files are part of the program, and which files."""
FREEZE = "freeze.json"
"""File of a frozen run that records the hash of its inputs and of its manifest."""
MANIFEST = "manifest.json"


def hash_code() -> dict[str, str]:
    """SHA-256 of each part of the program.

    Returns
    -------
    dict
        By part: a package (``stats``), a module of the command line (``cli/tlf``), a folder of
        ``resources``. The parts are those that the rules tell apart: an edit of one stage is no
        edit of another.
    """
    parts: dict[str, list[Path]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        inner = file.relative_to(PACKAGE)
        whole = len(inner.parts) == 1 or inner.parts[0] == "cli"
        part = inner.with_suffix("").as_posix() if whole else inner.parts[0]
        parts.setdefault(part, []).append(file)
    hashes = {part: _hash_together(files, PACKAGE) for part, files in parts.items()}
    for folder, pattern in SHARED.items():
        place = shared_path(*folder.split("/"))
        hashes[folder] = _hash_together(sorted(place.rglob(pattern)), place)
    return dict(sorted(hashes.items()))


def list_environment() -> dict[str, str]:
    """Version of Python and of each library that computes, and the SHA-256 of the lock file."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    lock = shared_path("uv.lock")
    found["uv.lock"] = hash_file(lock) if lock.is_file() else ""
    return found


def locate_inputs(settings: StudyDataSettings, working_directory: Path = Path()) -> dict[str, Path]:
    """Files that a run is made from, by the name under which a frozen run keeps them.

    Returns
    -------
    dict
        ``raw/<file as the config names it>`` and ``decisions/<file>``; a raw file that does not
        exist is left out.
    """
    places: dict[str, Path] = {}
    located = locate_raw_files(settings, working_directory)
    for domain, sources in settings.sources.items():
        for source in sources:
            for file in (source.file, *source.supplement):
                path = located.get(domain) if file == source.file else None
                path = located.get(f"{domain}:{file}", path)
                if path is not None and path.is_file():
                    places[f"raw/{name_raw_file(file)}"] = path
    for path in list_decision_files(settings.decisions, working_directory):
        places[f"decisions/{path.name}"] = path
    return dict(sorted(places.items()))


def name_raw_file(file: str) -> str:
    """Name of a raw file below ``raw/``: as the config has it, never a way out of the folder.

    >>> name_raw_file("central/../pc.csv"), name_raw_file("../study/pc.csv")
    ('pc.csv', 'pc.csv')
    """
    name = PurePosixPath(os.path.normpath(file))
    return name.name if ".." in name.parts or name.is_absolute() else name.as_posix()


def hash_run(root: Path) -> dict[str, str]:
    """SHA-256 of each file of a run but the manifest, by its path below the run's folder."""
    files = (path for path in root.rglob("*") if path.is_file())
    hashes = {
        path.relative_to(root).as_posix(): hash_file(path)
        for path in files
        if path != root / MANIFEST and not path.name.startswith(".snakemake")
    }
    return dict(sorted(hashes.items()))


def find_faults(root: Path) -> list[str]:
    """What differs between a run, frozen or not, and its records; a sentence a file.

    Raises
    ------
    RunError
        If the run has no manifest: it is not finished; or its record is none.
    """
    recorded = dict(_read_record(root / MANIFEST))
    present = hash_run(root)
    if (root / FREEZE).is_file():
        recorded |= _read_record(root / FREEZE)
        del present[FREEZE]
        present[MANIFEST] = hash_file(root / MANIFEST)
    return [
        *(f"The file {name} is missing." for name in recorded if name not in present),
        *(f"The file {name} is not in the manifest." for name in present if name not in recorded),
        *(
            f"The file {name} has changed since the manifest was written."
            for name in recorded
            if name in present and present[name] != recorded[name]
        ),
    ]


def _read_record(path: Path) -> dict[str, str]:
    content = read_json(path)
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict):
        raise RunError(f"The file {path} lists no files; run the workflow again.")
    return files


def _hash_together(files: Iterable[Path], base: Path) -> str:
    lines = [
        f"{file.relative_to(base).as_posix()} {hash_file(file)}" for file in files if file.is_file()
    ]
    return sha256("\n".join(lines).encode()).hexdigest()

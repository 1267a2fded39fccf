"""Reads a run, frozen or not, in the form in which two of them are compared."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from celldossier.run_comparison.content import RunContent
    from celldossier.settings.study_data import StudyDataSettings


def read_run(folder: Path, record: dict[str, Any] | None = None) -> RunContent:
    """What is known of the run in a folder.

    Parameters
    ----------
    record
        What the run is made of (`celldossier.cli.manifest.describe_run`), for a run that is not
        finished; otherwise its manifest says so.

    Raises
    ------
    RunError
        If the folder holds no run, or is not what its manifest says: what the run was made of is
        known by it alone.
    """
    from celldossier.errors import RunError
    from celldossier.io.files import hash_file, read_json
    from celldossier.io.run_folder import LANGUAGES, RunFolder
    from celldossier.io.run_record import MANIFEST, find_faults
    from celldossier.run_comparison.content import RunContent

    run = RunFolder(folder)
    if not run.path("settings", "run.json").is_file():
        raise RunError(f"The folder {folder} holds no run: it has no settings/run.json.")
    if record is None and not run.path(MANIFEST).is_file():
        record = {}
    elif record is None:
        if faults := find_faults(folder):
            raise RunError([f"The run {folder} is not what its manifest says.", *faults])
        record = read_json(run.path(MANIFEST))
    inputs = record.get("inputs")
    settings = {path.stem: read_json(path) for path in sorted(run.path("settings").glob("*.json"))}

    @lru_cache(maxsize=4)
    def table(place: str) -> pd.DataFrame | None:
        return _read_table(run.path(*place.split("/")))

    @lru_cache(maxsize=1)
    def places() -> dict[tuple[str, int], str]:
        from celldossier.io.stages import STAGES
        from celldossier.run_comparison.raw_tables import trace_subjects

        frames = {name: table(f"adam/{name}.parquet") for name in STAGES["study_data"].datasets}
        return trace_subjects({name: f for name, f in frames.items() if f is not None})

    def digest(place: str) -> str:
        path = run.path(*place.split("/"))
        return hash_file(path) if path.is_file() else ""

    def raw(domain: str) -> tuple[pd.DataFrame, tuple[str, ...]] | None:
        return _read_raw(folder, settings.get("study_data", {}), inputs or {}, domain, places())

    return RunContent(
        name=folder.resolve().name,
        version=str(record.get("celldossier", "")),
        commit=str(record.get("run_record", {}).get("commit", "")),
        settings=settings,
        code=record.get("code"),
        environment=record.get("environment"),
        inputs=inputs,
        table=table,
        digest=digest,
        outputs=tuple(
            path.relative_to(run.root).as_posix()
            for path in sorted(run.root.glob("tlf/*/*.csv"))
            # A language that the config no longer names leaves its files behind.
            if path.parent.name in settings.get("report", {}).get("languages", LANGUAGES)
        ),
        raw=raw,
    )


def _read_table(path: Path) -> pd.DataFrame | None:
    """A table of the run: Parquet with its types, CSV as text; None where there is none.

    ``tlfs.json`` gives the texts of the outputs.
    """
    import pandas as pd

    from celldossier.io.files import read_json, read_parquet
    from celldossier.run_comparison.outputs import list_texts

    if not path.is_file():
        return None
    if path.suffix == ".parquet":
        return read_parquet(path)
    if path.suffix == ".json":
        return list_texts(read_json(path))
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except pd.errors.EmptyDataError:
        # A figure without data has a file without columns.
        return pd.DataFrame()


def _read_raw(
    folder: Path,
    content: dict[str, Any],
    inputs: dict[str, str],
    domain: str,
    places: dict[tuple[str, int], str],
) -> tuple[pd.DataFrame, tuple[str, ...]] | None:
    """Raw records of a domain with the columns of their keys; None where they cannot be had."""
    from pydantic import ValidationError

    from celldossier.io.files import hash_file
    from celldossier.io.run_record import locate_inputs, name_raw_file
    from celldossier.io.tables import read_domains
    from celldossier.run_comparison.raw_tables import gather_domain, list_keys
    from celldossier.settings.study_data import StudyDataSettings

    try:
        settings = StudyDataSettings.model_validate(content)
    except ValidationError:
        # Frozen by a version with other keys: which files differ is known, their rows are not.
        return None
    settings = _keep_domain(_locate_root(folder, settings), domain)
    found = locate_inputs(settings)
    sources = {str(name): own for name, own in settings.sources.items()}.get(domain, ())
    files = {f"raw/{name_raw_file(f)}" for s in sources for f in (s.file, *s.supplement)}
    if any(f not in found or hash_file(found[f]) != inputs.get(f) for f in files):
        return None
    table = gather_domain(read_domains(settings)[domain], sources, places)
    return None if table is None else (table, list_keys(domain, sources))


def _locate_root(folder: Path, settings: StudyDataSettings) -> StudyDataSettings:
    """The settings with the root of the raw files of a frozen run, where it is one."""
    from celldossier.io.archive import INPUTS
    from celldossier.io.run_record import FREEZE

    if not (folder / FREEZE).is_file():
        return settings
    return settings.model_copy(update={"root": str(folder / INPUTS / "raw")})


def _keep_domain(settings: StudyDataSettings, domain: str) -> StudyDataSettings:
    sources = {name: own for name, own in settings.sources.items() if name == domain}
    return settings.model_copy(update={"sources": sources, "decisions": ""})

"""Reading of the raw tables of a study: every cell as text, nothing guessed.

CSV, TSV, XLSX, XPT (SAS transport, version 5), SAS7BDAT and Parquet give the same
form: one text column a raw column ("" where the cell is empty), indexed by the row
number counted from 1 after the header. No text is taken for a missing value and
no number is parsed here: that is the matter of the stage, which lists the faults.
SAS files go through pyreadstat, never through pandas.read_sas (which loses rows
of transport files). Nothing is unpickled, and no archive is unpacked but the
workbook itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from celldossier.errors import InputDataError, RunError
from celldossier.io.delimited import read_delimited
from celldossier.io.resources import read_resource
from celldossier.io.table_faults import CellFault, Layout, RawTable, TableFault
from celldossier.io.typed_tables import read_parquet, read_sas
from celldossier.io.workbooks import read_workbook
from celldossier.settings.sources import Source, read_standard

if TYPE_CHECKING:
    from celldossier.settings.study_data import StudyDataSettings

__all__ = ["RawDomain", "TableFault", "locate_raw_files", "read_domains", "read_table"]

PACKAGE_PREFIX = "package:"
SHARED_PREFIX = "shared:"
SHARED_VARIABLE = "CELLDOSSIER_SHARED"
"""The one variable of the environment that a root may stand on: a config names no other."""
SUPPLEMENT_COLUMNS = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")


@dataclass(frozen=True)
class RawDomain:
    """One file of a raw domain as it was read.

    Parameters
    ----------
    name
        Domain, such as DM.
    file
        The file as the config names it; with its sheet, or its number among the
        sources, where the domain has several sources of that file.
    table
        Text columns with the names of the file, indexed by row number, as far as the
        config can use them; None where the file could not be read.
    fault, detail, hint
        Rule of the finding that says why it could not, what the reader said, and what
        may help.
    columns
        All columns of the file; those of `table` where blank.
    cell_faults
        Cells of the table that hold the failure of a formula.
    supplements
        Supplemental qualifiers of the file, each as it was read.
    """

    name: str
    file: str
    table: pd.DataFrame | None
    fault: str = ""
    detail: str = ""
    hint: str = ""
    columns: tuple[str, ...] = ()
    cell_faults: tuple[CellFault, ...] = ()
    supplements: tuple[RawDomain, ...] = ()


def read_domains(
    settings: StudyDataSettings, working_directory: Path = Path()
) -> dict[str, tuple[RawDomain, ...]]:
    """Read the raw files of every domain that the config names; faults are kept, not raised.

    Parameters
    ----------
    settings
        Section ``study_data``.
    working_directory
        Folder that a relative ``root`` starts from.
    """
    return {
        name: tuple(
            _read_source(name, label, source, settings.root, working_directory)
            for label, source in zip(label_sources(sources), sources, strict=True)
        )
        for name, sources in settings.sources.items()
    }


def label_sources(sources: Sequence[Source]) -> list[str]:
    """What each source of a domain is called: its file, made unique where it must be."""
    labels = [source.file for source in sources]
    if len(set(labels)) < len(labels):
        labels = [f"{s.file}[{s.sheet}]" if s.sheet else s.file for s in sources]
    if len(set(labels)) < len(labels):
        labels = [f"{label}#{number}" for number, label in enumerate(labels, start=1)]
    return labels


def locate_raw_files(
    settings: StudyDataSettings, working_directory: Path = Path()
) -> dict[str, Path]:
    """Path of each raw file, by domain and name of the file, whether it exists or not.

    A file whose place cannot be told (package not installed, path that leaves
    the root) is left out; reading it gives the finding.
    """
    paths: dict[str, Path] = {}
    for name, sources in settings.sources.items():
        for source in sources:
            for file in (source.file, *source.supplement):
                key = name if (file, len(sources)) == (source.file, 1) else f"{name}:{file}"
                try:
                    paths[key] = _locate(settings.root, file, working_directory)
                except TableFault:
                    continue
    return paths


def read_table(path: Path, sheet: str = "") -> pd.DataFrame:
    """Read all columns of one raw table as text; see `read_raw_table`."""
    return read_raw_table(path, Layout(sheet=sheet)).frame


def read_raw_table(path: Path, layout: Layout) -> RawTable:
    """Read one raw table as text.

    Parameters
    ----------
    path
        File; its ending says the format: .csv, .tsv, .xlsx, .xpt, .sas7bdat, .parquet.

    Returns
    -------
    RawTable
        One column of text a raw column, "" for an empty cell, index ``row`` (1 for the
        first row after the header; empty lines are skipped but counted).

    Raises
    ------
    TableFault
        With the rule FILEMISSING, FILETYPE, FILENOTUTF8, FILEENCODING, FILEUNREADABLE,
        FILEEMPTY, HEADERMISSING, DELIMITERWRONG, SHEETMISSING or COLUMNTWICE.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise TableFault("FILETYPE", path.suffix)
    if not path.is_file():
        raise TableFault("FILEMISSING")
    if path.stat().st_size == 0:
        raise TableFault("FILEEMPTY")
    return reader(path, layout)


def _read_source(
    name: str, label: str, source: Source, root: str, working_directory: Path
) -> RawDomain:
    layout = Layout(
        sheet=source.sheet,
        encoding=source.encoding,
        delimiter=source.delimiter,
        header_row=source.header_row,
        wanted=list_wanted_columns(name, source),
    )
    try:
        table = read_raw_table(_locate(root, source.file, working_directory), layout)
    except TableFault as fault:
        return RawDomain(name, label, None, fault.rule, fault.detail, fault.hint)
    return RawDomain(
        name,
        label,
        table.frame,
        columns=table.names,
        cell_faults=table.cell_faults,
        supplements=tuple(
            _read_supplement(name, file, source, root, working_directory)
            for file in source.supplement
        ),
    )


def _read_supplement(
    name: str, file: str, source: Source, root: str, working_directory: Path
) -> RawDomain:
    layout = Layout(
        encoding=source.encoding,
        delimiter=source.delimiter,
        wanted=frozenset(SUPPLEMENT_COLUMNS),
    )
    try:
        table = read_raw_table(_locate(root, file, working_directory), layout)
    except TableFault as fault:
        return RawDomain(name, file, None, fault.rule, fault.detail, fault.hint)
    return RawDomain(name, file, table.frame, columns=table.names, cell_faults=table.cell_faults)


def list_wanted_columns(name: str, source: Source) -> frozenset[str] | None:
    """Columns that the mapping of a source can use; the others are never read into memory.

    None where the study joins supplements, whose IDVAR may name any column.
    """
    if source.supplement:
        return None
    wanted = {*read_resource("datasets", f"{name}.yaml")["variables"]}
    wanted |= {*source.columns.values(), *source.keep, *source.distinct}
    wanted |= {column for text in source.columns.values() for column in list_columns(text)}
    wanted |= {time.column for time in source.relative_time.values()}
    if source.long is not None:
        wanted |= {*source.long.columns, source.long.value}
    standard = read_standard(source.standard)
    wanted |= {column for columns in standard.get("columns", {}).values() for column in columns}
    for key in ("texts", "imputed"):
        wanted |= {column for names in standard.get(key, {}).values() for column in names}
    wanted |= {time["column"] for time in standard.get("relative_time", {}).values()}
    return frozenset(wanted)


def list_columns(template: str) -> list[str]:
    """Raw columns that a template such as ``{SITE}-{SUBJECT}`` puts together."""
    return re.findall(r"\{([^{}]+)\}", template)


def _locate(root: str, file: str, working_directory: Path) -> Path:
    """Path of a raw file below the root; a path that leaves the root is refused."""
    if root.startswith(PACKAGE_PREFIX):
        package, _, inner = root.removeprefix(PACKAGE_PREFIX).partition("/")
        # find_spec of a top-level name looks the package up without importing it.
        specification = find_spec(package) if package.isidentifier() else None
        places = list(specification.submodule_search_locations or ()) if specification else []
        if not places:
            raise TableFault("PACKAGEMISSING", package)
        folder = Path(places[0], inner)
    elif root.startswith(SHARED_PREFIX):
        base = os.environ.get(SHARED_VARIABLE, "")
        folder = Path(base, root.removeprefix(SHARED_PREFIX))
        if not base or "\0" in root:
            raise TableFault("SHAREDMISSING", root)
        if not folder.resolve().is_relative_to(Path(base).resolve()):
            raise TableFault("FILEOUTSIDE", root)
    else:
        folder = working_directory / root
    # Such a name can be that of no file, and the system's own functions fail on it.
    if "\0" in file or "\0" in root or any(len(os.fsencode(p)) > 255 for p in Path(file).parts):
        raise TableFault("FILEMISSING")
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TableFault("FILEOUTSIDE", root)
    return path


READERS: dict[str, Callable[[Path, Layout], RawTable]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".xlsx": read_workbook,
    ".xpt": lambda path, layout: read_sas(path, "read_xport", layout),
    ".sas7bdat": lambda path, layout: read_sas(path, "read_sas7bdat", layout),
    ".parquet": read_parquet,
}
"""Reader of a table by the ending of its file."""


def read_input_table(path: Path) -> pd.DataFrame:
    """Read one table that a user hands to a command; see `read_table`.

    Raises
    ------
    InputDataError
        With a sentence that says why the file cannot be read.
    """
    try:
        return read_table(path)
    except TableFault as fault:
        reasons = {
            "FILEMISSING": "it does not exist",
            "FILEEMPTY": "it is empty",
            "FILETYPE": f"its ending '{fault.detail}' is none of {', '.join(READERS)}",
            "FILENOTUTF8": f"line {fault.detail} is not UTF-8 text",
            "COLUMNTWICE": f"it has more than one column named {fault.detail}",
            "DELIMITERWRONG": f"its cells are not separated by '{fault.detail}'",
        }
        reason = reasons.get(fault.rule, fault.detail)
        raise InputDataError(f"The file {path} cannot be read: {reason}.") from fault


def read_checks(path: Path) -> pd.DataFrame:
    """Read a checks file of the run (findings, exclusions, accounting) as text columns.

    Raises
    ------
    RunError
        If the file is missing or no such file.
    """
    return read_run_table(path, "study_data derive")


def read_run_table(path: Path, command: str) -> pd.DataFrame:
    """Read a CSV file of the run, which `command` makes, as text columns; RunError if it cannot."""
    try:
        return read_table(path)
    except TableFault as fault:
        raise RunError(
            f"The file {path} cannot be read ({fault}); run 'celldossier {command}' first."
        ) from fault

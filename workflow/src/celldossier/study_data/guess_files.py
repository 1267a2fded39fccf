"""What one file of a new study may be: its domain, its columns, and the forms of its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from celldossier.datasets import Specification, read_specification
from celldossier.io.resources import read_resource
from celldossier.io.table_faults import FoundFile
from celldossier.settings.sources import DOMAINS_OF
from celldossier.study_data.mapping_values import read_date, read_number
from celldossier.study_data.parsing import parse_dates, parse_numbers
from celldossier.study_data.units import UnitTable

KINDS = {name: kind for kind, names in DOMAINS_OF.items() for name in names}
"""Kind of assay of each domain with results."""
LEAST_SHARE = 0.5
"""Least share of the required variables by which columns alone name a domain."""
SHOWN_VALUES = 12


@dataclass
class SourceGuess:
    """What a file may be.

    Parameters
    ----------
    columns
        Variable, raw column and why (``case`` or ``synonym``); columns of the canonical
        name need no entry.
    absent
        Required variables for which no column was found.
    decimal, dates
        Form of numbers and dates, "" and () where the canonical form is used.
    doubtful_dates
        Forms that all read the dates, differently.
    values
        Variable: raw value: canonical value ("" where it is to be completed).
    unknown_units
        Units that the program does not know.
    """

    domain: str
    file: FoundFile
    why: str
    columns: list[tuple[str, str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    decimal: str = ""
    dates: tuple[str, ...] = ()
    doubtful_dates: tuple[str, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    unknown_units: tuple[str, ...] = ()
    supplement: str = ""

    def texts(self, variable: str) -> pd.Series:
        """Cells of the column that a variable is read from; empty where there is none."""
        names = {own: column for own, column, _ in self.columns}
        column = names.get(variable, variable)
        if column not in self.file.table.columns:
            return pd.Series(dtype=object)
        return self.file.table[column].str.strip()


def fold_name(text: str) -> str:
    """A name as names are compared.

    >>> fold_name("Subject_ID"), fold_name("dm-final.csv")
    ('subjectid', 'dmfinal')
    """
    stem = re.sub(r"\.(csv|tsv|xlsx|xpt|sas7bdat|parquet)$", "", text.casefold())
    return re.sub(r"[\s_\-]+", "", stem)


def read_names() -> Mapping[str, Any]:
    """What `celldossier init` recognises: ``resources/init/names.yaml``."""
    content: Mapping[str, Any] = read_resource("init", "names.yaml")
    return content


def find_source(domain: str, files: Sequence[FoundFile]) -> SourceGuess | None:
    """The file of a domain: by its name, else by the columns that the domain requires."""
    starts = [fold_name(text) for text in read_names()["files"][domain]]
    by_name = [file for file in files if fold_name(file.name) in starts] or [
        file
        for file in files
        if any(len(start) > 2 and fold_name(file.name).startswith(start) for start in starts)
    ]
    if by_name:
        return _guess_source(domain, by_name[0], "name")
    required = _own_required(domain)
    best: tuple[float, FoundFile] | None = None
    for file in files:
        share = len(required & set(file.table.columns)) / len(required) if required else 0.0
        if share >= LEAST_SHARE and (best is None or share > best[0]):
            best = (share, file)
    return _guess_source(domain, best[1], "columns") if best else None


def _own_required(domain: str) -> set[str]:
    """Required variables that no other domain has: those alone tell domains apart."""
    specification = read_specification(domain)
    return {
        name
        for name, variable in specification.variables.items()
        if variable.required and name.startswith(domain[:2])
    }


def _guess_source(domain: str, file: FoundFile, why: str) -> SourceGuess:
    guess = SourceGuess(domain, file, why)
    specification = read_specification(domain)
    _guess_columns(guess, specification)
    _guess_numbers(guess, specification)
    _guess_dates(guess, specification)
    _guess_values(guess, specification)
    if domain in KINDS:
        guess.unknown_units = _find_unknown_units(guess)
    return guess


def _find_unknown_units(guess: SourceGuess) -> tuple[str, ...]:
    """Units that would need a conversion which the program does not know.

    A test that has one unit throughout needs none.
    """
    codes = guess.texts(f"{guess.domain}TESTCD")
    units = guess.texts(f"{guess.domain}ORRESU")
    if not len(codes) or not len(units):
        return ()
    pairs = pd.DataFrame({"code": codes, "unit": units}).drop_duplicates()
    pairs = pairs[pairs["unit"] != ""]
    several = pairs[pairs["code"].map(pairs["code"].value_counts()) > 1]
    table = UnitTable()
    return tuple(unit for unit in sorted(set(several["unit"])) if table.find(unit) is None)


def _guess_columns(guess: SourceGuess, specification: Specification) -> None:
    columns = list(guess.file.table.columns)
    taken = set(columns) & set(specification.variables)
    folded = {fold_name(column): column for column in reversed(columns) if column not in taken}
    synonyms = read_names()["columns"]
    for variable, declared in specification.variables.items():
        if variable in columns:
            continue
        general = "--" + variable.removeprefix(guess.domain[:2])
        others = [*synonyms.get(variable, ()), *synonyms.get(general, ())]
        tries = [(variable, "case"), *((other, "synonym") for other in others)]
        for name, why in tries:
            column = folded.get(fold_name(name))
            if column is not None:
                guess.columns.append((variable, column, why))
                del folded[fold_name(name)]
                break
        else:
            if declared.required:
                guess.absent.append(variable)


def _guess_numbers(guess: SourceGuess, specification: Specification) -> None:
    """A decimal comma, where commas make numbers of cells that are none without."""
    for variable, declared in specification.variables.items():
        if declared.type == "text" and not variable.endswith("ORRES"):
            continue
        text = pd.Series(guess.texts(variable).unique(), dtype=object)
        commas = text[text.str.contains(",", regex=False).astype(bool)]
        if (
            len(commas)
            and parse_numbers(commas.map(lambda t: read_number(t, ",", "") or t)).notna().all()
        ):
            guess.decimal = ","
            return


def _guess_dates(guess: SourceGuess, specification: Specification) -> None:
    texts = pd.Series(dtype=object)
    for variable in specification.variables:
        if variable.endswith("DTC"):
            own = guess.texts(variable)
            texts = pd.concat([texts, pd.Series(own[own != ""].unique(), dtype=object)])
    texts = pd.Series(texts.unique(), dtype=object)
    strange = texts[parse_dates(texts).bad.to_numpy(dtype=bool)] if len(texts) else texts
    if strange.empty:
        return
    readings: dict[tuple[str, ...], str] = {}
    for form in read_names()["dates"]:
        read = tuple(read_date(text, (form,)) or text for text in strange)
        if not parse_dates(pd.Series(read, dtype=object)).bad.any():
            readings.setdefault(read, form)
    if len(readings) == 1:
        guess.dates = tuple(readings.values())
    else:
        guess.doubtful_dates = tuple(readings.values())


def _guess_values(guess: SourceGuess, specification: Specification) -> None:
    """Values outside a codelist: by the list of names, else to be completed."""
    known = read_names()["values"]
    for variable, declared in specification.variables.items():
        if not declared.codelist:
            continue
        found = sorted(set(guess.texts(variable)) - {"", *declared.codelist})
        listed = {key.casefold(): value for key, value in known.get(variable, {}).items()}
        if found:
            guess.values[variable] = {
                text: listed.get(text.casefold(), "") for text in found[:SHOWN_VALUES]
            }

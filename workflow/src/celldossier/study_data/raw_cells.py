"""Checks of raw files as they stand: columns that look misspelt or are blank, signs nobody sees."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import pandas as pd

from celldossier.datasets import list_specifications
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import Place

SIMILARITY = 0.85
"""Share of equal signs from which a column's name looks like that of a variable."""
STANDARD_ENDINGS = (
    *("SEQ", "GRPID", "REFID", "SPID", "LNKID", "LNKGRP", "CAT", "SCAT", "STRESC", "STRESN"),
    *("STRESU", "ORRES", "ORRESU", "ORNRLO", "ORNRHI", "STNRLO", "STNRHI", "NRIND", "STAT"),
    *("REASND", "BLFL", "LOBXFL", "DRVFL", "EVAL", "EVALID", "LOC", "LAT", "DIR", "METHOD", "NAM"),
    *("LOINC", "SPEC", "SPCCND", "FAST", "TPT", "TPTNUM", "ELTM", "TPTREF", "RFTDTC", "DTC"),
    *("STDTC", "ENDTC", "DY", "STDY", "ENDY", "DUR", "STRF", "ENRF", "LLOQ", "ULOQ", "TEST"),
    *("TESTCD", "TERM", "DECOD", "MODIFY", "BODSYS", "BDSYCD", "SOC", "SOCCD", "LLT", "PTCD"),
    *("TRT", "DOSE", "DOSU", "DOSFRM", "DOSFRQ", "ROUTE", "LOT", "INDC", "REL", "OUT", "TOXGR"),
)
"""Endings of SDTM variables: such a column is what it says and no misspelling of another."""


def check_raw_cells(domain: Domain, table: pd.DataFrame, file: str) -> None:
    """Check the columns and the signs of a raw file; one finding a column, with a count.

    Parameters
    ----------
    table
        The file as it was read, indexed by row.
    file
        Its name, as the config gives it.
    """
    _check_names(domain, table)
    for column in table.columns:
        text = table[column]
        # Each distinct text is looked at once: a file has far fewer of them than cells.
        distinct = [str(value) for value in pd.unique(text)]
        if len(table) and not any(value.strip() for value in distinct):
            _report_blank(domain, str(column))
            continue
        strange = [value for value in distinct if not value.isprintable() or value != value.strip()]
        hidden = [value for value in strange if not _shows(value.strip())]
        _report(domain, table, file, "BLANKSAROUND", column, [v for v in strange if v != v.strip()])
        _report(domain, table, file, "NONPRINTING", column, hidden)
        _report(domain, table, file, "SIGNLOST", column, [v for v in distinct if "\ufffd" in v])


def _shows(text: str) -> bool:
    """Whether every sign can be seen; the wide blank of Chinese text may stand inside."""
    return text.replace("\u3000", "").isprintable()


def _report(
    domain: Domain, table: pd.DataFrame, file: str, rule_id: str, column: object, values: list[str]
) -> None:
    if not values:
        return
    rows = table[column].isin(values).to_numpy()
    first = int(rows.argmax())
    row = int(table.index[first])
    here = (domain.frame["SRCFILE"] == file) & (domain.frame["SRCROW"] == row)
    subjects = domain.subject[here]
    place = Place(
        domain=domain.name,
        file=file,
        row=row,
        column=str(column),
        subject=str(subjects.iloc[0]) if len(subjects) else "",
        value=str(table[column].iloc[first]),
    )
    domain.findings.add(rule_id, place, {"count": str(int(rows.sum()))})


def _report_blank(domain: Domain, column: str) -> None:
    # A variable that must be there has a rule of its own for each blank cell.
    read = {
        domain.raw_columns[name]: specification.required
        for name, specification in domain.specification.variables.items()
    }
    if read.get(column) is False:
        domain.report_file("COLUMNBLANK", column=column)


def _check_names(domain: Domain, table: pd.DataFrame) -> None:
    """Find columns that nothing reads and whose name is close to a variable without a column."""
    read = set(domain.raw_columns.values())
    missing = [
        name
        for name in domain.specification.variables
        if name not in domain.given and domain.raw_columns[name] not in table.columns
    ]
    variables = {name for each in list_specifications() for name in each.variables}
    for column in table.columns:
        name = str(column)
        standard = name in variables or name[2:] in STANDARD_ENDINGS
        if name in read or standard or not missing:
            continue
        likeness = {variable: _likeness(name, variable) for variable in missing}
        nearest = max(likeness, key=lambda variable: likeness[variable])
        if likeness[nearest] >= SIMILARITY:
            domain.report_file("COLUMNMISSPELT", column=name, canonical=nearest)


def _likeness(name: str, variable: str) -> float:
    plain = re.sub(r"[\W_]+", "", name).upper()
    return SequenceMatcher(None, plain, variable).ratio()

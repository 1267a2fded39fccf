"""Checks of raw files as they stand: columns that look misspelt or are blank, signs nobody sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import pandas as pd

from celldossier.datasets import list_specifications
from celldossier.io.tables import RawDomain
from celldossier.study_data.domain import Domain, Part
from celldossier.study_data.findings import Place
from celldossier.study_data.mapping import list_used_columns

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


def check_raw_file(domain: Domain, part: Part, raw: RawDomain) -> None:
    """Check the columns and the signs of one raw file; one finding a column, with a count.

    Columns that the mapping cannot use are known by their names only.
    """
    table = raw.table
    if table is None:
        return
    _check_names(domain, part, raw.columns or tuple(str(name) for name in table.columns))
    for name in table.columns:
        column, text = str(name), table[name]
        # Each distinct text is looked at once: a file has far fewer of them than cells.
        distinct = [str(value) for value in pd.unique(text)]
        if len(table) and not any(value.strip() for value in distinct):
            _report_blank(domain, part, column)
            continue
        around = [value for value in distinct if value != value.strip()]
        hidden = [value for value in distinct if not _shows(value.strip())]
        lost = [value for value in distinct if "\ufffd" in value]
        for rule_id, values in (
            ("BLANKSAROUND", around),
            ("NONPRINTING", hidden),
            ("SIGNLOST", lost),
        ):
            if values:
                _report(domain, part, rule_id, column, table[text.isin(values)])


def _shows(text: str) -> bool:
    """Whether every sign can be seen; the wide blank of Chinese text may stand inside."""
    return text.isprintable() or text.replace("\u3000", "").isprintable()


def _report(domain: Domain, part: Part, rule_id: str, column: str, rows: pd.DataFrame) -> None:
    """One finding at the first of the rows, with their number."""
    subject = part.raw_columns.get("USUBJID", "USUBJID")
    place = Place(
        domain=domain.name,
        file=part.file,
        row=int(rows.index[0]),
        column=column,
        subject=str(rows[subject].iloc[0]).strip() if subject in rows else "",
        value=str(rows[column].iloc[0]),
    )
    domain.findings.add(rule_id, place, {"count": str(len(rows))})


def _report_blank(domain: Domain, part: Part, column: str) -> None:
    # A variable that must be there has a rule of its own for each blank cell.
    read = {
        part.raw_columns[name]: variable.required
        for name, variable in domain.specification.variables.items()
    }
    if read.get(column) is False:
        domain.report_file("COLUMNBLANK", file=part.file, column=column)


def _check_names(domain: Domain, part: Part, columns: Sequence[str]) -> None:
    """Find columns that nothing reads and whose name is close to a variable without a column."""
    read = list_used_columns(part)
    missing = [
        name
        for name in domain.specification.variables
        if name not in part.given
        and part.raw_columns[name] not in part.columns
        and not part.holds_template(name)
    ]
    if not missing:
        return
    variables = {name for each in list_specifications() for name in each.variables}
    for column in columns:
        if column in read or column in variables or column[2:] in STANDARD_ENDINGS:
            continue
        likeness = {variable: _likeness(column, variable) for variable in missing}
        nearest = max(likeness, key=lambda variable: likeness[variable])
        if likeness[nearest] >= SIMILARITY:
            domain.report_file("COLUMNMISSPELT", file=part.file, column=column, canonical=nearest)


def _likeness(name: str, variable: str) -> float:
    """Share of equal signs; 0 where a quick look shows that it is below the limit."""
    matcher = SequenceMatcher(None, re.sub(r"[\W_]+", "", name).upper(), variable)
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < SIMILARITY:
        return 0.0
    return matcher.ratio()

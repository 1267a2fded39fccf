"""Checks that need no other domain: columns, blanks, codelists, numbers, dates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.study_data.dates import DateRules, read_dates
from celldossier.study_data.domain import Domain, Part
from celldossier.study_data.parsing import is_before, parse_numbers

MUST_HOLD_RECORDS = ("DM", "EX", "PC")
"""Domains whose file may not be empty; without the others' records a study can still run."""

BLANK_IS_READ_LATER = {
    "EX": ("EXDOSE",),
    "PC": ("PCORRES", "PCORRESU", "PCDTC"),
    "LB": ("LBORRES", "LBORRESU", "LBDTC"),
    "QS": ("QSORRES", "QSDTC"),
    "MO": ("MOORRES", "MODTC"),
    "MI": ("MIORRES", "MIDTC"),
    "TR": ("TRORRES", "TRDTC"),
    "IS": ("ISORRES", "ISDTC"),
    "AE": ("AETOXGR",),
    "FA": ("FAORRES", "FADTC"),
    "RS": ("RSSTRESC", "RSDTC"),
    "DS": ("DSSTDTC",),
    "CM": ("CMSTDTC",),
}
"""Required columns in which a blank has a rule and a reason of its own."""

PERIODS = {
    "EX": ("EXSTDTC", "EXENDTC"),
    "AE": ("AESTDTC", "AEENDTC"),
    "CM": ("CMSTDTC", "CMENDTC"),
}


def check_structure(domain: Domain, rules: DateRules) -> None:
    """Check one domain by itself and fill its `numbers` and `dates`."""
    for part in domain.parts:
        if part.usable:
            _check_columns(domain, part)
    if domain.usable and domain.frame.empty and domain.name in MUST_HOLD_RECORDS:
        domain.report_file("FILEEMPTY")
    _check_blanks(domain)
    _check_codelists(domain)
    for variable, specification in domain.specification.variables.items():
        if specification.type != "text" and variable not in domain.given:
            domain.numbers[variable] = pd.Series(np.nan, index=domain.frame.index)
        elif specification.type != "text":
            _read_numbers(domain, variable)
        elif variable.endswith("DTC"):
            read_dates(domain, variable, rules)
    if domain.name in PERIODS:
        _check_periods(domain, *PERIODS[domain.name])


def _check_columns(domain: Domain, part: Part) -> None:
    for variable, specification in domain.specification.variables.items():
        mapped = variable in part.source.columns or variable in part.source.relative_time
        column = part.raw_columns[variable]
        absent = variable not in part.given and column not in part.columns
        absent = absent and not part.holds_template(variable)
        if absent and (specification.required or mapped):
            domain.report_file("COLUMNMISSING", file=part.file, column=column, canonical=variable)
            part.absent.add(variable)
            domain.usable = False
    # A mapping of a variable that does not exist would be lost in silence.
    known = {*domain.specification.variables}
    for section in ("columns", "values", "constants", "relative_time"):
        for variable in getattr(part.source, section):
            if variable not in known:
                domain.report_file("MAPPINGUNKNOWN", file=part.file, value=f"{section}.{variable}")
                domain.usable = False
    for variable in part.source.dates:
        if variable != "ALL" and (variable not in known or not variable.endswith("DTC")):
            domain.report_file("MAPPINGUNKNOWN", file=part.file, value=f"dates.{variable}")
            domain.usable = False


def _check_blanks(domain: Domain) -> None:
    for variable, specification in domain.specification.variables.items():
        later = BLANK_IS_READ_LATER.get(domain.name, ())
        if specification.required and variable in domain.given and variable not in later:
            blank = domain.active & (domain.frame[variable] == "")
            domain.report("VALUEMISSING", blank, variable)
            domain.exclude(blank, "VALUEMISSING", domain.raw_columns[variable])


def _check_codelists(domain: Domain) -> None:
    for variable, specification in domain.specification.variables.items():
        if specification.codelist and variable in domain.given:
            text = domain.frame[variable]
            wrong = domain.active & ~text.isin(["", *specification.codelist])
            allowed = ", ".join(specification.codelist)
            domain.report("NOTINCODELIST", wrong, variable, allowed=allowed)
            domain.exclude(wrong, "NOTINLIST", domain.raw_columns[variable] + "=" + text)


def _read_numbers(domain: Domain, variable: str) -> None:
    text = domain.frame[variable]
    numbers = parse_numbers(text)
    domain.numbers[variable] = numbers
    domain.report("TEXTINNUMERIC", domain.active & (text != "") & numbers.isna(), variable)


def _check_periods(domain: Domain, start: str, end: str) -> None:
    first, last = domain.dates[start], domain.dates[end]
    wrong = domain.active & is_before(last, first.time, first.has_time)
    domain.report("ENDBEFORESTART", wrong, end, start=domain.frame[start])

"""Texts of raw cells as the canonical variables hold them: by the mapping, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd

from celldossier.datasets.specification import Variable
from celldossier.settings.sources import Source, SubjectIds

_SIGNED = re.compile(r"([<>≤≥]=?\s*)?([+-]?)(.+)", re.DOTALL)
_PLAIN = re.compile(r"[0-9]*\.[0-9]*([eE][+-]?[0-9]+)?")
_ZONE = re.compile(r"(.*\d:\d\d.*?)(Z|[+-]\d\d:?\d\d)")
_EPOCHS = {
    # A workbook of 1900 counts a 29 February 1900 that never was: right from 1 March 1900 on.
    "excel": datetime(1899, 12, 30),
    "excel-1904": datetime(1904, 1, 1),
    "sas-date": datetime(1960, 1, 1),
    "sas-datetime": datetime(1960, 1, 1),
}
_FIRST_DAY = {"excel": 61.0}
_LAST_DAY = 109_574.0  # about the year 2200, from the earliest epoch
_SERIAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def map_texts(text: np.ndarray, change: Callable[[str], str]) -> np.ndarray:
    """Change each different text once."""
    codes, uniques = pd.factorize(text)
    return np.array([change(cell) for cell in uniques], dtype=object)[codes]


def clean_texts(text: pd.Series, missing_texts: tuple[str, ...]) -> np.ndarray:
    """Cells without the spaces around them; "" for those that mean a missing value."""
    missing = frozenset(missing_texts)

    def clean(cell: str) -> str:
        stripped = cell.strip()
        return "" if stripped in missing else stripped

    return map_texts(text.to_numpy(dtype=object), clean)


def read_values(
    cells: np.ndarray, variable: str, declared: Variable, source: Source
) -> tuple[np.ndarray, np.ndarray]:
    """Canonical texts of a column, and which records hold a date or number with two readings.

    A value that the mapping names is taken as it says; the others follow the form that
    the source declares for numbers, dates, units and identifiers.
    """
    values = source.values.get(variable, {})
    change = _find_change(variable, declared, source)
    codes, uniques = pd.factorize(cells)
    texts, doubtful = [], []
    for cell in uniques:
        text: str | None = values.get(cell)
        if text is None:
            text = change(cell) if cell and change is not None else cell
        texts.append(cell if text is None else text)
        doubtful.append(text is None)
    if not texts:
        return cells, np.zeros(len(cells), dtype=bool)
    return np.array(texts, dtype=object)[codes], np.array(doubtful)[codes]


def _find_change(
    variable: str, declared: Variable, source: Source
) -> Callable[[str], str | None] | None:
    if variable == "USUBJID" and source.subject_ids != SubjectIds():
        return partial(normalise_subject, rules=source.subject_ids)
    forms = source.dates.get(variable, source.dates.get("ALL", ()))
    if variable.endswith("DTC"):
        return partial(read_date, forms=forms) if forms else None
    if declared.type != "text" or variable.endswith("ORRES"):
        if source.decimal != "." or source.thousands:
            return partial(read_number, decimal=source.decimal, thousands=source.thousands)
        return None
    if variable.endswith("U") and source.units and not declared.codelist:
        return lambda cell: source.units.get(cell, cell)
    return None


def normalise_subject(text: str, rules: SubjectIds) -> str:
    """Identifier of a subject after the rules of its source.

    >>> normalise_subject("Yes P02", SubjectIds(strip=("Yes ",), prefix="LBCL-"))
    'LBCL-P02'
    """
    for start in rules.strip:
        if text.startswith(start):
            text = text[len(start) :].strip()
            break
    if rules.spaces != "as_is":
        text = re.sub(r"\s+", "-" if rules.spaces == "hyphen" else "", text)
    if rules.case != "as_is":
        text = text.upper() if rules.case == "upper" else text.lower()
    return text if text.startswith(rules.prefix) else rules.prefix + text


def read_number(text: str, decimal: str, thousands: str) -> str | None:
    """A number with a point; a text that is no number of the declared form stays as it is.

    Groups must be of three digits, so that a decimal sign is never taken for a separator.
    None where a point stands in a file of decimal commas: it is no sign of the declared form,
    and would be taken for a decimal point.

    >>> read_number("<1.234,5", ",", "."), read_number("1.5", ",", ".")
    ('<1234.5', None)
    """
    match = _SIGNED.fullmatch(text)
    if match is None:
        return text
    relation, sign, body = match.groups()
    whole, mark, fraction = body.partition(decimal)
    if thousands and thousands in whole:
        if not re.fullmatch(rf"[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+", whole):
            return None if _PLAIN.fullmatch(body) else text
        whole = whole.replace(thousands, "")
    elif decimal != "." and "." in whole and _PLAIN.fullmatch(body):
        return None
    number = f"{whole}.{fraction}" if mark else whole
    if not re.fullmatch(r"[0-9]*(\.[0-9]*)?([eE][+-]?[0-9]+)?", number) or number in ("", "."):
        return text
    return f"{relation or ''}{sign}{number}"


def read_date(text: str, forms: tuple[str, ...]) -> str | None:
    """A date as ISO 8601; None where two forms read different dates.

    A text that no form reads stays as it is: it may be ISO 8601 already, or is found.

    >>> read_date("08/03/2024", ("%d/%m/%Y",)), read_date("45359.5", ("excel",))
    ('2024-03-08', '2024-03-08T12:00')
    """
    readings = {iso for form in forms if (iso := _read_form(text, form))}
    if len(readings) > 1:
        return None
    return readings.pop() if readings else text


def _read_form(text: str, form: str) -> str:
    """ISO 8601 of a text by one form; "" where the form does not fit."""
    if form == "without-zone":
        match = _ZONE.fullmatch(text)
        return match.group(1) if match else ""
    if form in _EPOCHS:
        return _read_serial(text, form)
    try:
        moment = datetime.strptime(text, form)
    except ValueError:
        return ""
    if "%d" not in form and "%j" not in form:
        month = any(sign in form for sign in ("%m", "%b", "%B"))
        return moment.strftime("%Y-%m") if month else moment.strftime("%Y")
    if "%H" not in form and "%I" not in form:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds" if "%S" in form else "minutes")


def _read_serial(text: str, form: str) -> str:
    if not _SERIAL.fullmatch(text):
        return ""
    days = float(text) / (86_400 if form == "sas-datetime" else 1)
    if not _FIRST_DAY.get(form, 0.0) <= days <= _LAST_DAY:
        return ""
    # Serial times are binary fractions of a day: whole seconds are what they mean.
    seconds = round(days * 86_400)
    moment = _EPOCHS[form] + timedelta(seconds=seconds)
    if seconds % 86_400 == 0 and form != "sas-datetime":
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds" if seconds % 60 else "minutes")

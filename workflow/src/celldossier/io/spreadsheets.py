"""CSV files that people open in a spreadsheet."""

from __future__ import annotations

import re

import pandas as pd

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as CSV, safe to open in a spreadsheet.

    A text that a spreadsheet would take for a formula (it begins with = + - @
    and is no number) gets a leading apostrophe (OWASP, CSV injection).
    """
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [_defuse(str(value)) for value in safe[name]]
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")


def _defuse(text: str) -> str:
    if text.startswith(_FORMULA_START) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text

"""Reasons, flags and dispositions as small integers until they are written down.

A text of 30 parameters a profile would take most of the time of an NCA of many profiles. Code 0
is the blank; every other text gets the next number when it is first used, so that a number
means nothing outside this process and never reaches an output.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]

BLANK = 0
_TEXTS: list[str] = [""]
_NUMBERS: dict[str, int] = {"": BLANK}


def code_of(text: str) -> int:
    """The number of a text."""
    number = _NUMBERS.get(text)
    if number is None:
        number = len(_TEXTS)
        _NUMBERS[text] = number
        _TEXTS.append(text)
    return number


def codes_of(texts: Iterable[str]) -> list[int]:
    """The numbers of several texts."""
    return [code_of(text) for text in texts]


def blanks(shape: int | tuple[int, ...], order: Any = "C") -> Codes:
    """An array of blanks."""
    return np.zeros(shape, dtype=np.int16, order=order)


def either(*cases: tuple[Bools, str]) -> Codes:
    """The code of the first case that holds, the blank where none does."""
    result = blanks(np.shape(cases[0][0]))
    for mask, text in reversed(cases):
        result[mask] = code_of(text)
    return result


def is_one_of(codes: Codes, texts: Iterable[str]) -> Bools:
    """Where the code is that of one of the texts."""
    members = np.zeros(max(len(_TEXTS), *(number + 1 for number in codes_of(texts))), dtype=bool)
    members[codes_of(texts)] = True
    return members[codes]


def has_flag(codes: Codes, flags: Iterable[str]) -> Bools:
    """Where one of the flags stands in the text, which may hold several."""
    wanted = set(flags)
    numbers = [number for number, text in enumerate(_TEXTS) if wanted & set(text.split(";"))]
    return np.isin(codes, numbers)


def first_given(first: Codes, second: Codes) -> Codes:
    """`first`, and `second` where it is blank."""
    return np.where(first != BLANK, first, second)


def join_flags(first: Codes, second: Codes) -> Codes:
    """Both flags, joined by a semicolon where both are given."""
    joined = np.where(first != BLANK, first, second)
    both = np.flatnonzero((first != BLANK) & (second != BLANK))
    if len(both):
        pairs, place = np.unique(np.stack([first[both], second[both]]), axis=1, return_inverse=True)
        texts = [f"{_TEXTS[one]};{_TEXTS[other]}" for one, other in pairs.T]
        joined[both] = np.array(codes_of(texts), dtype=np.int16)[place.ravel()]
    return joined


def to_texts(codes: Codes) -> npt.NDArray[np.object_]:
    """The texts themselves."""
    return np.array(_TEXTS, dtype=object)[codes]


class TextColumn:
    """A column of texts of many rows, filled part by part with their codes.

    Each text has a number of its own here, of one byte while there are no more than 255.

    Parameters
    ----------
    shape
        Shape of the column; it may be a table.
    """

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self._places: npt.NDArray[Any] = np.empty(shape, dtype=np.uint8)
        self._texts: list[str] = []
        # Place of each code, -1 of those that have not come yet.
        self._table = np.full(1, -1, dtype=np.int16)

    def put(self, at: Any, codes: Codes) -> None:
        """Write the codes of a part, or of a part of a table with its columns first."""
        if len(self._table) < len(_TEXTS):
            further = np.full(len(_TEXTS) - len(self._table), -1, dtype=np.int16)
            self._table = np.append(self._table, further)
        places = np.take(self._table, codes)
        unknown = places < 0
        if unknown.any():
            for number in np.unique(codes[unknown]).tolist():
                self._table[number] = len(self._texts)
                self._texts.append(_TEXTS[number])
            places = np.take(self._table, codes)
            if len(self._texts) > _BYTE and self._places.dtype == np.uint8:
                self._places = self._places.astype(np.int16)
        self._places[at] = places.T

    def finish(self, count: int | None = None) -> pd.Categorical:
        """The first `count` rows (all by default), with the texts that occur in order."""
        places = self._places.ravel()[:count]
        categories = sorted(self._texts)
        table = [categories.index(text) for text in self._texts]
        if places.dtype != np.uint8:
            return make_categorical(np.take(np.array(table, dtype=np.int16), places), categories)
        # Byte by byte is much quicker than an index of 8 bytes for each.
        swapped = bytes(table).ljust(256, b"\0")
        ordered = np.frombuffer(bytearray(places.data).translate(swapped), dtype=np.uint8)
        small = len(categories) <= np.iinfo(np.int8).max
        return make_categorical(ordered.view(np.int8) if small else ordered, categories)


_BYTE = 255
"""Most texts that one byte numbers."""


def make_categorical(places: npt.NDArray[Any], categories: list[str]) -> pd.Categorical:
    """A categorical from the places of its categories, which are not looked at again."""
    dtype = pd.CategoricalDtype(categories)
    return pd.Categorical.from_codes(places, dtype=dtype, validate=False)

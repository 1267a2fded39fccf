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


def to_categorical(codes: Codes) -> pd.Categorical:
    """The texts as a categorical, whose categories are those that occur, in order."""
    found = np.flatnonzero(np.bincount(codes.ravel(), minlength=1))
    categories = sorted(_TEXTS[number] for number in found)
    place = np.zeros(len(_TEXTS), dtype=np.int8 if len(found) < 128 else np.int16)
    place[[_NUMBERS[text] for text in categories]] = np.arange(len(categories))
    return make_categorical(place[codes], categories)


def make_categorical(places: npt.NDArray[Any], categories: list[str]) -> pd.Categorical:
    """A categorical from the places of its categories, which are not looked at again."""
    dtype = pd.CategoricalDtype(categories)
    return pd.Categorical.from_codes(places, dtype=dtype, validate=False)

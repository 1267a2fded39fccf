"""The order in which a reader expects the levels of a group."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def natural_order(levels: Iterable[str]) -> list[str]:
    """Levels in the order that a reader expects: numbers by size, DL2 before DL10.

    >>> natural_order(["DL10", "DL2", "7", "28", "-1"])
    ['-1', '7', '28', 'DL2', 'DL10']
    """

    def key(level: str) -> tuple[Any, ...]:
        try:
            return (0, float(level), ())
        except ValueError:
            parts = re.split(r"(\d+(?:\.\d+)?)", level)
            # Text parts stand at even places, numbers between them.
            return (1, 0.0, tuple(float(p) if i % 2 else p for i, p in enumerate(parts)))

    return sorted(levels, key=key)

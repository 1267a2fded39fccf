"""Decision tables of dose escalation designs, in one form for all of them.

A table holds a code for every number of subjects n and of dose-limiting toxicities (DLTs) y of
a dose, so that a simulation looks decisions up by fancy indexing (`table.codes[n, y]`) and a
report prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from celldossier.stats.escalation_rules import (
    DE_ESCALATE,
    ELIMINATE,
    ESCALATE,
    STAY,
    UNDEFINED,
    Codes,
    Flags,
    decide_by_3plus3,
    decide_by_equal_intervals,
    decide_by_i3plus3,
    decide_by_rate,
    decide_by_unit_mass,
    find_boin_boundaries,
    find_excess,
)

DesignName = Literal["BOIN", "mTPI", "mTPI-2", "keyboard", "i3+3", "3+3", "3+3H"]
DESIGNS: tuple[DesignName, ...] = get_args(DesignName)

LETTERS: Mapping[int, str] = {
    ESCALATE: "E",
    STAY: "S",
    DE_ESCALATE: "D",
    ELIMINATE: "DU",
    UNDEFINED: "",
}
"""How decision tables print the codes."""


@dataclass(frozen=True)
class DesignOptions:
    """What the designs leave to the protocol.

    Parameters
    ----------
    phi1, phi2
        BOIN: the highest rate of DLT that is too low and the lowest that is too high; none
        for 0.6 and 1.4 times the target.
    low, high
        Width of the interval around the target, below and above it (mTPI, mTPI-2, keyboard,
        i3+3).
    prior
        The two parameters of the beta prior of the rate of DLT.
    cutoff
        A dose is eliminated, and all above it, where Pr(rate > target) is larger.
    smallest
        Subjects of a dose from which on it can be eliminated.
    offset
        Stricter rule at the lowest dose: the trial stops there where Pr(rate > target) is above
        cutoff - offset; none for no such rule.
    """

    phi1: float | None = None
    phi2: float | None = None
    low: float = 0.05
    high: float = 0.05
    prior: tuple[float, float] = (1.0, 1.0)
    cutoff: float = 0.95
    smallest: int = 3
    offset: float | None = None


@dataclass(frozen=True, eq=False)
class DecisionTable:
    """Decisions of a design for all n = 0..N and y = 0..n.

    Parameters
    ----------
    design, target, options
        What the table was made for.
    codes
        N + 1 rows (n) and columns (y): 1 escalate, 0 stay, -1 de-escalate, -2 eliminate the
        dose and those above it and de-escalate, -9 no rule (y > n, n = 0, or of 3+3 an n other
        than 3 and 6). ``np.maximum(code, -1)`` is the move of a defined code.
    stops_lowest
        Where the trial stops if the dose is the lowest: its elimination, or the stricter rule.
    limits
        lambda_e and lambda_d, phi1 and phi2 of BOIN; ends of the interval of the others.

    Notes
    -----
    Of 3+3 the table says what a finished cohort of three calls for; the rest of the rule is that
    a dose is never given to more than six, and that the maximum tolerated dose (MTD) is the
    highest below the first eliminated one. With de-escalation that dose is first filled up to six
    subjects and held to the same limit; without it, it is declared with those it has.
    """

    design: DesignName
    target: float
    options: DesignOptions
    codes: Codes
    stops_lowest: Flags
    limits: Mapping[str, float]

    @property
    def n_max(self) -> int:
        """Largest number of subjects of a dose."""
        return len(self.codes) - 1

    def decide(self, n: ArrayLike, y: ArrayLike) -> NDArray[np.int8]:
        """Codes of pairs of counts; of more subjects than the table has, no rule."""
        subjects, events = np.asarray(n, dtype=int), np.asarray(y, dtype=int)
        known = (subjects >= 0) & (subjects <= self.n_max) & (events >= 0) & (events <= subjects)
        found = self.codes[np.where(known, subjects, 0), np.where(known, events, 0)]
        return np.where(known, found, UNDEFINED).astype(np.int8)

    def letters(self, n: int) -> list[str]:
        """E, S, D, DU for y = 0..n."""
        return [LETTERS[int(code)] for code in self.codes[n, : n + 1]]

    def boundaries(self) -> pd.DataFrame:
        """Limits of y for each n from 1 on; NaN where no y calls for it.

        Returns
        -------
        pandas.DataFrame
            n, escalate_if_le, deescalate_if_ge, eliminate_if_ge, stop_lowest_if_ge.
        """
        rows = [
            {
                "n": n,
                "escalate_if_le": _last(self.codes[n, : n + 1] == ESCALATE),
                "deescalate_if_ge": _first(
                    np.isin(self.codes[n, : n + 1], (DE_ESCALATE, ELIMINATE))
                ),
                "eliminate_if_ge": _first(self.codes[n, : n + 1] == ELIMINATE),
                "stop_lowest_if_ge": _first(self.stops_lowest[n, : n + 1]),
            }
            for n in range(1, self.n_max + 1)
        ]
        return pd.DataFrame(rows)


def make_decision_table(
    design: DesignName, target: float, n_max: int, options: DesignOptions | None = None
) -> DecisionTable:
    """Decision table of a design.

    Parameters
    ----------
    design
        One of `DESIGNS`; ``3+3H`` is the variant of 3+3 that tolerates two DLTs among six.
    target
        Rate of DLT that is aimed at; 3+3 has none, and elimination by probability none either.
    n_max
        Largest number of subjects of a dose.
    options
        What the design leaves to the protocol.

    Raises
    ------
    ValueError
        Where the target does not lie between phi1 and phi2, or the interval not in 0..1.
    """
    chosen = options or DesignOptions()
    if design in ("3+3", "3+3H"):
        codes = decide_by_3plus3(n_max, 2 if design == "3+3H" else 1)
        return DecisionTable(design, target, chosen, codes, codes == ELIMINATE, {})
    codes, limits = _base_rule(design, target, n_max, chosen)
    over = find_excess(target, chosen.prior, chosen.cutoff, chosen.smallest, n_max)
    codes[over] = ELIMINATE
    stops = over
    if chosen.offset is not None:
        stricter = chosen.cutoff - chosen.offset
        stops = over | find_excess(target, chosen.prior, stricter, chosen.smallest, n_max)
    return DecisionTable(design, target, chosen, codes, stops, limits)


def _base_rule(
    design: DesignName, target: float, n_max: int, options: DesignOptions
) -> tuple[Codes, dict[str, float]]:
    if design == "BOIN":
        phi1 = 0.6 * target if options.phi1 is None else options.phi1
        phi2 = 1.4 * target if options.phi2 is None else options.phi2
        if not 0 < phi1 < target < phi2 < 1:
            raise ValueError("0 < phi1 < target < phi2 < 1 is needed")
        lower, upper = find_boin_boundaries(target, phi1, phi2)
        limits = {"phi1": phi1, "phi2": phi2, "lambda_e": lower, "lambda_d": upper}
        return decide_by_rate(lower, upper, n_max), limits
    low, high = options.low, options.high
    if not (0 <= target - low < target + high <= 1 and low >= 0 and high >= 0):
        raise ValueError("0 <= target - low < target + high <= 1 is needed")
    limits = {"interval_low": target - low, "interval_high": target + high}
    if design == "i3+3":
        return decide_by_i3plus3(target, low, high, n_max), limits
    # mTPI-2 and the keyboard design are one rule under two names.
    rule = decide_by_unit_mass if design == "mTPI" else decide_by_equal_intervals
    return rule(target, low, high, options.prior, n_max), limits


def _first(flags: Flags) -> float:
    return float(flags.argmax()) if flags.any() else np.nan


def _last(flags: Flags) -> float:
    return float(len(flags) - 1 - flags[::-1].argmax()) if flags.any() else np.nan

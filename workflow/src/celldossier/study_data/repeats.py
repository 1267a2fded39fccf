"""Records that repeat a key: which they are, and where its first record stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.study_data.domain import Domain, Mask
from celldossier.terms.finding_rules import Severity


@dataclass(frozen=True)
class Repeats:
    """Records whose key a record before them has.

    Parameters
    ----------
    again
        Whether a record is such a one.
    first
        Position of the first record of the key; its own where a record is not looked at.
    """

    again: Mask
    first: pd.Series

    def report(
        self,
        domain: Domain,
        rule_id: str,
        variable: str = "",
        *,
        rows: Mask | None = None,
        severity: Severity | None = None,
        **fields: pd.Series,
    ) -> None:
        """One finding a repeated record, with row and file of the first as ``first``, ``origin``.

        Parameters
        ----------
        rows
            Repeated records to be reported; all of them where not given.
        """
        domain.report(
            rule_id,
            self.again if rows is None else self.again & rows,
            variable,
            severity=severity,
            first=self.take(domain.frame["SRCROW"]),
            origin=self.take(domain.frame["SRCFILE"]),
            **fields,
        )

    def take(self, values: pd.Series) -> pd.Series:
        """For each record the value of the first record of its key."""
        return values.take(self.first.to_numpy()).set_axis(values.index)


def find_repeats(domain: Domain, rows: Mask, keys: Sequence[pd.Series] | pd.Series) -> Repeats:
    """Find records that repeat a key, by their order in the files of the domain.

    Rows are counted anew in each file, and a wide layout makes several records of one
    row: a row number does not tell records apart, their position does.

    Parameters
    ----------
    rows
        Records that are looked at.
    keys
        What makes the key, aligned with the records; a missing value is no key.
    """
    own = pd.Series(np.arange(len(domain.frame)), index=domain.frame.index)
    looked_at = own[rows]
    chosen = [key[rows] for key in ([keys] if isinstance(keys, pd.Series) else keys)]
    found = looked_at.groupby(chosen).transform("min") if len(looked_at) else looked_at
    first = found.reindex(own.index).fillna(own).astype("int64")
    return Repeats(first != own, first)

"""Records that stand twice: exact copies, and other values under the same key."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.study_data.domain import Domain
from celldossier.study_data.exposure import CELL_PRODUCT
from celldossier.terms.finding_rules import Severity

OWN_RULE = ("DM", "PC", "LB", "QS", "MO", "MI", "IS", "RS", "FA", "LOTS")
"""Domains whose own rule finds repeated keys: that a record is a copy is only a note there."""
KEY_SEVERITIES: dict[str, Severity] = {"AE": "note", "CM": "note", "DS": "error"}
"""Domains without a rule of their own on repeated keys.

One day may bring the same event or drug twice, under other verbatim terms.
"""


def check_duplicate_records(domain: Domain, tables: Mapping[str, pd.DataFrame]) -> None:
    """Find exact copies of a record, and records of one key with different values.

    Running numbers (--SEQ) are left aside: a copy often has a number of its own.

    Parameters
    ----------
    tables
        The raw files of the domain by name, as they were read: a record is a copy only
        where the columns that nothing reads are equal too.
    """
    frame = domain.frame[domain.active]
    keys = ["USUBJID", *(key for key in domain.specification.keys if key in frame.columns)]
    keys = list(dict.fromkeys(keys))
    repeated = frame[frame.duplicated(keys, keep=False)]
    if repeated.empty:
        return
    content = repeated.drop(columns=["SRCFILE", "SRCROW"]).assign(RAW=_join_raw(repeated, tables))
    copies = content.duplicated(keep="first")
    first = domain.frame["SRCROW"].copy()
    first[repeated.index] = repeated.groupby(keys)["SRCROW"].transform("first")
    rows = _mask(domain, copies)
    known = pd.Series(domain.name in OWN_RULE, index=rows.index)
    if domain.name == "EX":
        known = domain.frame["EXCAT"] == CELL_PRODUCT
    domain.report("RECORDDUPLICATE", rows & ~known, first=first)
    domain.report("RECORDDUPLICATE", rows & known, severity="note", first=first)
    if domain.name in KEY_SEVERITIES:
        others = repeated.duplicated(keys, keep="first") & ~copies
        domain.report(
            *("KEYDUPLICATE", _mask(domain, others)),
            severity=KEY_SEVERITIES[domain.name],
            first=first,
            keys=", ".join(keys),
        )


def _join_raw(records: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """All raw cells of each record as one text, without running numbers."""
    parts = [pd.Series("", index=records.index, dtype=object)]
    for file, own in records.groupby("SRCFILE", sort=False):
        table = tables.get(str(file))
        if table is not None:
            kept = [name for name in table.columns if not str(name).endswith("SEQ")]
            cells = table.loc[own["SRCROW"], kept]
            joined = ["\x1f".join(row) for row in cells.itertuples(index=False)]
            parts.append(pd.Series(joined, index=own.index, dtype=object))
    whole = pd.concat(parts)
    return whole[~whole.index.duplicated(keep="last")].reindex(records.index)


def _mask(domain: Domain, rows: pd.Series) -> pd.Series:
    return rows.reindex(domain.frame.index, fill_value=False)

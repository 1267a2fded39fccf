"""Records that stand twice: exact copies, and other values under the same key."""

from __future__ import annotations

import pandas as pd

from celldossier.study_data.domain import Domain
from celldossier.study_data.repeats import find_repeats
from celldossier.terms.finding_rules import Severity
from celldossier.terms.study_terms import CELL_PRODUCT

OWN_RULE = ("DM", "PC", "LB", "QS", "MO", "MI", "TR", "IS", "RS", "FA", "LOTS")
"""Domains whose own rule finds repeated keys: that a record is a copy is only a note there."""
COUNTED_BY_SUBJECT = ("AE", "CM")
"""Domains whose subjects are counted, so that a copy changes no number of the report."""
KEY_SEVERITIES: dict[str, Severity] = {
    "AE": "note",
    "CM": "note",
    "DS": "error",
    "BE": "warning",
    "RUNS": "error",
}
"""Domains without a rule of their own on repeated keys.

One day may bring the same event or drug twice, under other verbatim terms.
"""


def check_duplicate_records(domain: Domain) -> None:
    """Find exact copies of a record, and records of one key with different values.

    A copy is equal in every variable that is read; a running number (--SEQ) is none of them.
    """
    frame = domain.frame[domain.active]
    keys = [
        name
        for name in dict.fromkeys(["USUBJID", *domain.specification.keys])
        if name in domain.specification.variables
    ]
    repeated = frame[frame.duplicated(keys, keep=False)]
    if repeated.empty:
        return
    chosen = pd.Series(domain.frame.index.isin(repeated.index), index=domain.frame.index)
    every = [domain.frame[name] for name in domain.specification.variables]
    copies = find_repeats(domain, chosen, every)
    known = pd.Series(domain.name in OWN_RULE, index=chosen.index)
    if domain.name == "EX":
        known = domain.frame["EXCAT"] == CELL_PRODUCT
    severity: Severity | None = "warning" if domain.name in COUNTED_BY_SUBJECT else None
    copies.report(domain, "RECORDDUPLICATE", rows=~known, severity=severity)
    copies.report(domain, "RECORDDUPLICATE", rows=known, severity="note")
    if domain.name in KEY_SEVERITIES:
        others = find_repeats(domain, chosen, [domain.frame[name] for name in keys])
        others.report(
            *(domain, "KEYDUPLICATE"),
            rows=~copies.again,
            severity=KEY_SEVERITIES[domain.name],
            keys=pd.Series(", ".join(keys), index=chosen.index),
        )

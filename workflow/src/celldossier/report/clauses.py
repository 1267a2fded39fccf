"""The clause matrix: what of the guideline the outputs of this run answer.

A status is derived from outputs that exist and hold enough subjects, never
typed. The fields of a clause are described at the head of
``resources/guideline/<version>/clauses.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Status = Literal["addressed", "not_applicable", "not_provided", "not_available"]
NOT_BUILT = "NOTBUILT"
TOO_FEW = "TOOFEW"


@dataclass(frozen=True)
class Output:
    """A table, figure, listing or block of the report, as evidence.

    Attributes
    ----------
    shown
        Whether it was made; if not, `reason` is the reason code.
    subjects
        Subjects whose data it shows.
    """

    id: str
    shown: bool
    subjects: int
    reason: str = ""


@dataclass(frozen=True)
class ClauseStatus:
    """One row of the clause matrix.

    Attributes
    ----------
    reason
        Reason code, name of the condition, or keys of the texts owed.
    evidence
        Outputs that answer the clause, or a part of it, and exist.
    """

    id: str
    section: str
    status: Status
    reason: str
    reason_kind: Literal["", "code", "condition", "owed", "statement"]
    evidence: tuple[str, ...]


def derive_clause_matrix(
    clauses: Sequence[Mapping[str, Any]],
    outputs: Mapping[str, Output],
    conditions: Mapping[str, bool],
    product_class: str,
    narratives: Mapping[str, Any],
    minimum_subjects: int,
) -> list[ClauseStatus]:
    """Status of each clause, in the order of the guideline.

    Parameters
    ----------
    outputs
        Every output of the run by its id, blocks of the report among them.
    conditions
        Outcome of each named condition for this study.
    product_class
        Class of the product.
    narratives
        Sponsor texts by key.
    minimum_subjects
        Subjects that an output must hold to count as evidence.
    """
    return [
        _derive_status(clause, outputs, conditions, product_class, narratives, minimum_subjects)
        for clause in clauses
    ]


def _derive_status(
    clause: Mapping[str, Any],
    outputs: Mapping[str, Output],
    conditions: Mapping[str, bool],
    product_class: str,
    narratives: Mapping[str, Any],
    minimum_subjects: int,
) -> ClauseStatus:
    def status(
        status: Status,
        reason: str = "",
        kind: Literal["", "code", "condition", "owed", "statement"] = "",
        evidence: Sequence[str] = (),
    ) -> ClauseStatus:
        return ClauseStatus(clause["id"], clause["section"], status, reason, kind, tuple(evidence))

    failed = _failed_condition(clause["applies"], conditions, product_class)
    if failed:
        return status("not_applicable", failed, "condition")
    evidence = list(clause.get("evidence", []))
    either = list(clause.get("either", []))
    named = [*evidence, *either, *clause.get("partial", [])]
    present = [name for name in named if name in outputs and outputs[name].shown]
    for name in [*evidence, *clause.get("requires", [])]:
        reason = _missing(outputs.get(name), minimum_subjects)
        if reason:
            return status("not_available", reason, "code", present)
    reasons = [_missing(outputs.get(name), minimum_subjects) for name in either]
    if reasons and all(reasons):
        return status("not_available", reasons[0], "code", present)
    owed_when = clause.get("owed_when", {})
    owed = [
        key
        for key in clause.get("owed", [])
        if key not in narratives and conditions.get(owed_when.get(key, ""), True)
    ]
    if owed:
        return status("not_provided", ", ".join(owed), "owed", present)
    if clause.get("statement"):
        return status("addressed", clause["statement"], "statement", present)
    return status("addressed", evidence=present)


def _failed_condition(
    applies: Mapping[str, Any], conditions: Mapping[str, bool], product_class: str
) -> str:
    """Name of the first condition that does not hold, "" if all hold."""
    if "classes" in applies and product_class not in applies["classes"]:
        return "classes"
    if applies.get("gene_modified") and not conditions["gene_modified"]:
        return "gene_modified"
    if "condition" in applies and not conditions[applies["condition"]]:
        return str(applies["condition"])
    return ""


def _missing(output: Output | None, minimum_subjects: int) -> str:
    """Reason code why an output is no evidence, "" if it is."""
    if output is None:
        return NOT_BUILT
    if not output.shown:
        return output.reason
    return TOO_FEW if output.subjects < minimum_subjects else ""


def check_evidence_ids(clauses: Sequence[Mapping[str, Any]], known: Sequence[str]) -> list[str]:
    """Evidence ids that no declaration knows; `requires` may name outputs to come."""
    named = {
        name
        for clause in clauses
        for key in ("evidence", "either", "partial")
        for name in clause.get(key, [])
    }
    return sorted(named - set(known))


def make_matrix_table(
    matrix: Sequence[ClauseStatus], reasons_en: Sequence[str], reasons_zh: Sequence[str]
) -> pd.DataFrame:
    """The clause matrix as the file ``report/clause_matrix.csv``."""
    return pd.DataFrame(
        {
            "CLAUSE": [row.id for row in matrix],
            "SECTION": [row.section for row in matrix],
            "STATUS": [row.status for row in matrix],
            "REASON_EN": list(reasons_en),
            "REASON_ZH": list(reasons_zh),
            "EVIDENCE": [" ".join(row.evidence) for row in matrix],
        }
    )

"""Dataset DECISIONS: each decision with what stood before it and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from celldossier.datasets import conform
from celldossier.study_data.apply_decisions import Effect
from celldossier.study_data.decisions import SETS, Decision
from celldossier.study_data.gate import count_findings

if TYPE_CHECKING:
    from celldossier.study_data.stage import StudyData

ALL_TOGETHER = "ALL"
"""In place of a decision's id: what all decisions together change."""


def list_effects(
    decisions: Sequence[Decision], effects: Sequence[Effect], data: StudyData, plain: StudyData
) -> pd.DataFrame:
    """Dataset DECISIONS.

    Parameters
    ----------
    decisions
        Every decision that could be read.
    data, plain
        The stage's outcome with the decisions, and without any of them.
    """
    reasons = {
        (record["domain"], record["file"], record["row"]): record["reason"]
        for record in plain.exclusions.to_dict("records")
    }
    rows: list[dict[str, Any]] = []
    for effect in effects:
        before = effect.before
        if effect.measure == "USE":
            before = reasons.get((effect.domain, effect.file, effect.row), "USED")
        rows.append(
            {
                **_describe(effect.decision),
                "domain": effect.domain or effect.decision["domain"],
                "file": effect.file,
                "row": effect.row,
                "column": effect.column or effect.decision.cells.get("column", ""),
                "measure": effect.measure,
                "before": before,
                "after": effect.after,
            }
        )
    applied = {effect.decision.id for effect in effects}
    for decision in decisions:
        if decision.id not in applied:
            nothing = {"domain": decision["domain"], "measure": "NONE"}
            rows.append({**_describe(decision), **nothing})
    rows += [
        {"id": ALL_TOGETHER, "kind": "TOTAL", **total}
        for total in (*_compare_records(plain, data), *_compare_sets(plain, data))
    ]
    counts = count_findings(plain.findings), count_findings(data.findings)
    rows += [
        {
            **{"id": ALL_TOGETHER, "kind": "TOTAL", "measure": name.upper()},
            **{"before": str(counts[0][name]), "after": str(counts[1][name])},
        }
        for name in ("errors", "warnings", "accepted")
    ]
    return conform(pd.DataFrame(rows), "DECISIONS")


def _describe(decision: Decision) -> dict[str, str]:
    return {
        "id": decision.id,
        "kind": decision.kind,
        "subject": decision["subject"],
        "rule": decision.cells.get("rule", ""),
        **{name: decision[name] for name in ("reason", "author", "date")},
    }


def _compare_records(plain: StudyData, data: StudyData) -> list[dict[str, str]]:
    """Records used of each domain, before and after."""
    collected = data.accounting[data.accounting["file"] != ""]
    before, after = (
        accounting.groupby("domain")["records_used"].sum()
        for accounting in (plain.accounting, collected)
    )
    return [
        {"domain": str(name), "measure": "RECORDS", "before": str(before[name]), "after": str(used)}
        for name, used in zip(after.index, after.tolist(), strict=True)
    ]


def _compare_sets(plain: StudyData, data: StudyData) -> list[dict[str, str]]:
    """Subjects of each analysis set, before and after."""
    flags = {"SAF": "SAFFL", **{name: flag for name, (flag, _) in SETS.items()}}
    adsl = plain.datasets["ADSL"], data.datasets["ADSL"]
    return [
        {
            "measure": f"SET_{name}",
            **{
                moment: str(int((frame[flag] == "Y").sum()))
                for moment, frame in zip(("before", "after"), adsl, strict=True)
            },
        }
        for name, flag in flags.items()
    ]

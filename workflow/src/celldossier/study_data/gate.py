"""The gate after the checks: counts of the findings, and the errors in readable order."""

from __future__ import annotations

import pandas as pd

from celldossier.terms.finding_rules import SEVERITIES


def open_errors(findings: pd.DataFrame) -> pd.DataFrame:
    """Errors that no decision of the study accepts: they stop the run."""
    return findings[(findings["severity"] == "error") & (findings["decision"] == "")]


def count_findings(findings: pd.DataFrame) -> dict[str, int]:
    """Number of errors, warnings and notes, and of findings that a decision accepts."""
    undecided = findings[findings["decision"] == ""]
    counts = {
        f"{severity}s": int((undecided["severity"] == severity).sum()) for severity in SEVERITIES
    }
    return {**counts, "accepted": len(findings) - len(undecided)}


def list_errors(findings: pd.DataFrame, shown: int) -> list[str]:
    """Messages of the errors in English, at most `shown` a rule and domain, the rest counted."""
    lines = []
    for (rule_id, domain), group in open_errors(findings).groupby(
        ["rule_id", "domain"], sort=False
    ):
        lines += [f"{message} [{rule_id}]" for message in group["message_en"].head(shown)]
        if len(group) > shown:
            lines.append(f"{len(group) - shown} more findings of {rule_id} in {domain}.")
    return lines


def list_findings(findings: pd.DataFrame) -> list[dict[str, str | int | None]]:
    """Findings as plain records, ready for JSON; the row is None for a whole file."""
    return [
        {**{str(name): value for name, value in record.items()}, "row": row}
        for record, row in zip(
            findings.drop(columns="row").to_dict("records"),
            [None if pd.isna(row) else int(row) for row in findings["row"]],
            strict=True,
        )
    ]

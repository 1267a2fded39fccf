"""How many models of the plan were run and refused, for each endpoint and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from celldossier.exposure_response.plan import ModelOutcome
from celldossier.results import ResultCollector


def collect_plan_summary(
    outcomes: Sequence[ModelOutcome], analyte: str, out: ResultCollector
) -> None:
    """Add `plan_summary`: models planned, run and refused, by endpoint, by model and in all.

    The variable is the code of the endpoint, blank for all of them.
    """
    parts: dict[tuple[str, str], list[ModelOutcome]] = {("", ""): list(outcomes)}
    for outcome in outcomes:
        parts.setdefault((outcome.cell.endpoint.code, ""), []).append(outcome)
        parts.setdefault(("", outcome.cell.model), []).append(outcome)
    for (endpoint, model), members in parts.items():
        refused = sum(1 for each in members if each.reason)
        roles = Counter(each.cell.role for each in members)
        out.add(
            "plan_summary",
            {
                "n_planned": float(len(members)),
                "n_run": float(len(members) - refused),
                "n_refused": float(refused),
                **{f"n_{role.lower()}": float(roles[role]) for role in _ROLES},
            },
            dataset="ADER",
            variable=endpoint,
            analyte=analyte,
            by={"model": model} if model else {},
            where="ERFL = Y",
        )


_ROLES = ("PRIMARY", "SECONDARY", "SENSITIVITY")

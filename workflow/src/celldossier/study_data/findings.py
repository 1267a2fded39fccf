"""Findings: every fault of the raw data, by rule, with place and value, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from celldossier.datasets import conform, empty_dataset
from celldossier.io.resources import list_resources, read_resource
from celldossier.settings.sources import DOMAINS

SEVERITIES = ("error", "warning", "note")
Severity = Literal["error", "warning", "note"]
EVERY_DOMAIN = "ALL"
"""In place of the domains of a rule: it applies to each of them."""


class Rule(BaseModel):
    """One rule of a file in ``resources/terms/finding_rules``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity
    domains: tuple[str, ...]
    en: str
    zh: str
    setting: str = ""


def read_rules() -> dict[str, Rule]:
    """Rules of the checks, by identifier.

    Raises
    ------
    KeyError
        If a rule stands in two files: a fault of the program.
    """
    rules: dict[str, Rule] = {}
    for path in list_resources("terms", "finding_rules"):
        for rule_id, content in read_resource("terms", "finding_rules", path.name).items():
            if rule_id in rules:
                raise KeyError(f"the rule {rule_id} stands twice; again in {path.name}")
            rules[rule_id] = Rule.model_validate(content)
    return rules


@dataclass(frozen=True)
class Place:
    """Where a finding is: the record, cell or subject; `row` is None for a whole file."""

    domain: str
    file: str
    row: int | None = None
    column: str = ""
    subject: str = ""
    value: str = ""


class FindingCollector:
    """Collects findings; `frame` gives them sorted as the dataset ``FINDINGS``."""

    def __init__(self) -> None:
        self._rules = read_rules()
        self._rows: list[dict[str, Any]] = []

    def add(
        self,
        rule_id: str,
        place: Place,
        fields: Mapping[str, str] | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Add one finding.

        Parameters
        ----------
        fields
            What fills the message's own braces, beside those of the place.
        severity
            Where a setting of the study decides it; else the rule's.

        Raises
        ------
        KeyError
            If the rule is unknown, does not apply to the domain, or its message
            asks for a field that is not given: a fault of the program.
        """
        rule = self._rules[rule_id]
        if place.domain not in rule.domains and EVERY_DOMAIN not in rule.domains:
            raise KeyError(f"rule {rule_id} does not apply to the domain {place.domain}")
        values = {
            **asdict(place),
            "row": "" if place.row is None else str(place.row),
            **(fields or {}),
        }
        self._rows.append(
            {
                **asdict(place),
                "severity": severity or rule.severity,
                "rule_id": rule_id,
                "message_en": rule.en.format_map(values),
                "message_zh": rule.zh.format_map(values),
            }
        )

    def frame(self) -> pd.DataFrame:
        """All findings: errors first, then by domain, row, rule and place."""
        if not self._rows:
            return empty_dataset("FINDINGS")
        frame = pd.DataFrame(self._rows)
        order = pd.DataFrame(
            {
                "severity": frame["severity"].map({s: i for i, s in enumerate(SEVERITIES)}),
                "domain": frame["domain"].map({d: i for i, d in enumerate(DOMAINS)}),
                **{name: frame[name] for name in ("row", "rule_id", "column", "subject", "value")},
            }
        )
        order = order.sort_values(list(order.columns), kind="stable", na_position="first")
        return conform(frame.loc[order.index].reset_index(drop=True), "FINDINGS")


def format_number(value: float) -> str:
    """A number for a message: shortest form, without a trailing point."""
    return f"{value:.10g}"

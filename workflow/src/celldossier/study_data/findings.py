"""Findings: every fault of the raw data, by rule, with place and value, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Any, Literal

import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.settings.sources import DOMAINS
from celldossier.terms.finding_rules import SEVERITIES, Rule, Severity, read_rules

__all__ = ["EVERY_DOMAIN", "FindingCollector", "Place", "Rule", "format_number", "read_rules"]

EVERY_DOMAIN = "ALL"
"""In place of the domains of a rule: it applies to each of them."""
OF_DECISIONS = "DECISIONS"
"""In place of a raw domain: a finding on the study's decisions."""
PLACE = ("file", "row", "column", "subject", "value")


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
    """Collects findings; `frame` gives them sorted as the dataset ``FINDINGS``.

    Parameters
    ----------
    severities
        Severity by rule, where the study has chosen another than that of the rule.
    """

    def __init__(self, severities: Mapping[str, Severity] | None = None) -> None:
        self._severities = dict(severities or {})
        self._columns: dict[str, list[Any]] = {
            name: []
            for name in (
                *("severity", "rule_id", "topic", "rule_severity", "domain", *PLACE),
                *("message_en", "message_zh", "decision"),
            )
        }

    def add(
        self,
        rule_id: str,
        place: Place,
        fields: Mapping[str, str] | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Add one finding; see `add_many`."""
        cells = {name: [getattr(place, name)] for name in PLACE}
        self.add_many(rule_id, place.domain, cells, fields, severity)

    def add_many(
        self,
        rule_id: str,
        domain: str,
        cells: Mapping[str, Sequence[Any]],
        fields: Mapping[str, Sequence[str] | str] | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Add findings of one rule, one an element of the cells.

        Parameters
        ----------
        cells
            ``file``, ``row`` (None for a whole file), ``column``, ``subject``, ``value``, of
            equal length.
        fields
            What fills the message's own braces, beside those of the place: one text
            for all, or one a finding.
        severity
            Where the domain, or another setting of the study, decides it; else the rule's.

        Raises
        ------
        KeyError
            If the rule is unknown, does not apply to the domain, or its message
            asks for a field that is not given: a fault of the program.
        """
        rule = read_rules()[rule_id]
        if domain not in rule.domains and EVERY_DOMAIN not in rule.domains:
            raise KeyError(f"rule {rule_id} does not apply to the domain {domain}")
        count = len(cells["row"])
        rows = ["" if row is None else str(row) for row in cells["row"]]
        values = {**cells, "row": rows, "domain": domain, **(fields or {})}
        # A severity that no setting of the study decides is the rule's own in that domain.
        own_severity = rule.severity if rule.setting else severity or rule.severity
        own = self._columns
        for name in PLACE:
            own[name].extend(cells[name])
        for name, text in (
            ("severity", self._severities.get(rule_id) or severity or rule.severity),
            ("rule_id", rule_id),
            ("topic", rule.topic),
            ("rule_severity", own_severity),
            ("domain", domain),
            ("decision", ""),
        ):
            own[name].extend([text] * count)
        own["message_en"].extend(_write_messages(rule.en, _label(values, rule, "en"), count))
        own["message_zh"].extend(_write_messages(rule.zh, _label(values, rule, "zh"), count))

    def accept(self, positions: Sequence[int], decision: str) -> None:
        """Mark findings as accepted by a decision; they keep their severity."""
        for position in positions:
            self._columns["decision"][position] = decision

    def table(self) -> pd.DataFrame:
        """All findings in the order in which they were found."""
        return pd.DataFrame(self._columns)

    def frame(self) -> pd.DataFrame:
        """All findings: errors first, then by domain, row, rule and place."""
        frame = self.table()
        if frame.empty:
            return empty_dataset("FINDINGS")
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


@lru_cache(maxsize=512)
def _split_message(text: str) -> tuple[str, tuple[str, ...]]:
    """A message as a %-pattern and the names of its fields: quicker to fill many times."""
    pattern, names = "", []
    for literal, name, _, _ in Formatter().parse(text):
        pattern += literal.replace("%", "%%")
        if name is not None:
            pattern += "%s"
            names.append(name)
    return pattern, tuple(names)


def _label(
    values: Mapping[str, Sequence[str] | str], rule: Rule, language: Literal["en", "zh"]
) -> Mapping[str, Sequence[str] | str]:
    """The fields with the wording of the language in the place of codes."""
    worded: dict[str, Sequence[str] | str] = dict(values)
    for name, labels in rule.labels.items():
        codes = values[name]
        if isinstance(codes, str):
            worded[name] = labels[codes][language]
        else:
            worded[name] = [labels[code][language] for code in codes]
    return worded


def _write_messages(text: str, values: Mapping[str, Sequence[str] | str], count: int) -> list[str]:
    pattern, names = _split_message(text)
    parts = [
        [values[name]] * count if isinstance(values[name], str) else values[name] for name in names
    ]
    return [pattern % filled for filled in zip(*parts, strict=True)] if parts else [pattern] * count

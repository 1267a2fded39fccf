"""The findings as a page for people: grouped by rule, with index, exclusions and decisions.

Every text of the data is escaped by the template; the page needs no script and no
other file, and equal findings give equal bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from celldossier.datasets import read_specification
from celldossier.io.resources import shared_path
from celldossier.settings.sources import DOMAINS
from celldossier.study_data.gate import count_findings
from celldossier.terms.finding_rules import SEVERITIES, read_rules
from celldossier.terms.language import Language, LanguageCode
from celldossier.terms.templates import close_chinese_gaps, make_environment

EXAMPLES = 3
"""Findings of a rule that the page shows at once."""
LISTED = 500
"""Findings of a rule, and subjects, that the page can unfold; the CSV holds all of them."""
PLACE = re.compile(r"^\{file\}(, row \{row\}|第\{row\}行)?(: |：)")
"""How messages begin; a heading of many findings has no place of its own."""
SLOT = Markup('<span class="slot">…</span>')


@dataclass(frozen=True)
class Checks:
    """What the checks of a study gave: datasets FINDINGS, EXCLUSIONS, ACCOUNTING, DECISIONS."""

    study: str
    cutoff: str
    findings: pd.DataFrame
    exclusions: pd.DataFrame
    accounting: pd.DataFrame
    decisions: pd.DataFrame


def render_findings_page(checks: Checks, language_code: LanguageCode) -> str:
    """The page of findings in one language, as HTML that stands alone."""
    language = Language(language_code)
    environment = make_environment(language_code)
    findings = _number_rows(checks.findings).rename(columns={f"message_{language_code}": "message"})
    rules = [
        _describe_rule(str(rule_id), group, language)
        for severity in SEVERITIES
        for rule_id, group in findings[findings["severity"] == severity].groupby(
            "rule_id", sort=True
        )
    ]
    decisions = _number_rows(checks.decisions)
    style = shared_path("report_templates", "style", "findings.css").read_text("utf-8")
    page = environment.get_template("findings.html.j2").render(
        language=language_code,
        style=Markup(style),
        text=language.text,
        reason=language.reason,
        study=checks.study,
        cutoff=checks.cutoff,
        counts=count_findings(checks.findings),
        rules=rules,
        domains=_index_domains(findings, language),
        subjects=_index_subjects(findings),
        subjects_in_all=int(findings.loc[findings["subject"] != "", "subject"].nunique()),
        accounting=checks.accounting.to_dict("records"),
        exclusions=_group_exclusions(checks.exclusions),
        decisions=decisions[decisions["kind"] != "TOTAL"].to_dict("records"),
        totals=decisions[decisions["kind"] == "TOTAL"].to_dict("records"),
        listed=LISTED,
    )
    return close_chinese_gaps(page) if language_code == "zh" else page


def _number_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Row numbers as text, "" where there is none."""
    rows = pd.to_numeric(frame["row"], errors="coerce")
    return frame.assign(row=["" if row != row else str(int(row)) for row in rows])


def _describe_rule(rule_id: str, group: pd.DataFrame, language: Language) -> dict[str, Any]:
    rule = read_rules()[rule_id]
    severity, own_severity = (str(group[name].iloc[0]) for name in ("severity", "rule_severity"))
    accepted = group[group["decision"] != ""]
    domains = group["domain"].value_counts().reindex(_in_order(group["domain"]))
    return {
        "id": rule_id,
        "severity": severity,
        "changed_from": own_severity if own_severity != severity else "",
        "setting": rule.setting,
        "locked": rule.locked,
        "wording": _blank_fields(language.label({"en": rule.en, "zh": rule.zh})),
        "count": len(group),
        "accepted": len(accepted),
        "decisions": sorted(accepted["decision"].unique()),
        "domains": [(str(name), int(count)) for name, count in domains.items()],
        "examples": group.head(EXAMPLES).to_dict("records"),
        "more": group.iloc[EXAMPLES:LISTED].to_dict("records"),
    }


def _blank_fields(message: str) -> Markup:
    """A rule's message with its fields left open, without the place that opens it."""
    parts = re.split(r"'?\{\w+\}'?", PLACE.sub("", message))
    return SLOT.join([parts[0][:1].upper() + parts[0][1:], *parts[1:]])


def _in_order(domains: pd.Series) -> list[str]:
    found = set(domains)
    return [*sorted(found - set(DOMAINS)), *(name for name in DOMAINS if name in found)]


def _count_severities(group: pd.DataFrame) -> dict[str, int]:
    return {name: int((group["severity"] == name).sum()) for name in SEVERITIES}


def _index_domains(findings: pd.DataFrame, language: Language) -> list[dict[str, Any]]:
    """Each domain with findings: its label, their number by severity, its rules."""
    rows = []
    for name in _in_order(findings["domain"]):
        group = findings[findings["domain"] == name]
        label = read_specification(name).label
        rows.append(
            {
                "name": name,
                "label": language.label({"en": label["en"], "zh": label["zh"]}),
                **_count_severities(group),
                "rules": sorted(group["rule_id"].unique()),
            }
        )
    return rows


def _index_subjects(findings: pd.DataFrame) -> list[dict[str, Any]]:
    """Subjects with findings, those with the most errors first."""
    own = findings[findings["subject"] != ""]
    if own.empty:
        return []
    counts = own.groupby(["subject", "severity"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(SEVERITIES), fill_value=0)
    counts = counts.sort_index().sort_values(list(SEVERITIES), ascending=False, kind="stable")
    shown = counts.head(LISTED)
    within = own[own["subject"].isin(shown.index)]
    rules: dict[str, list[str]] = {}
    for subject, rule_id in zip(within["subject"], within["rule_id"], strict=True):
        rules.setdefault(subject, []).append(rule_id)
    return [
        {
            "name": subject,
            **dict(zip(SEVERITIES, row, strict=True)),
            "rules": sorted(set(rules[subject])),
        }
        for subject, row in zip(shown.index, shown.to_numpy().tolist(), strict=True)
    ]


def _group_exclusions(exclusions: pd.DataFrame) -> list[dict[str, Any]]:
    """Excluded records by domain and reason."""
    groups = []
    for domain in _in_order(exclusions["domain"]):
        own = exclusions[exclusions["domain"] == domain]
        for code, group in own.groupby("reason", sort=True):
            groups.append(
                {
                    "domain": domain,
                    "reason": str(code),
                    "count": len(group),
                    "rows": group.head(LISTED).to_dict("records"),
                }
            )
    return groups

"""The rules of the raw data checks: severity, domains, wording in both languages.

They stand in ``resources/terms/finding_rules``, one file a topic. Settings and the
stage ``study_data`` read them here.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from celldossier.io.resources import list_resources, read_resource

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Rule(BaseModel):
    """One rule of a file in ``resources/terms/finding_rules``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity
    domains: tuple[str, ...]
    en: str
    zh: str
    setting: str = Field("", description="Setting that decides the severity, where there is one.")
    acceptable: bool = Field(
        False, description="An error that a study may accept by decision, or lower by setting."
    )
    labels: dict[str, dict[str, dict[Literal["en", "zh"], str]]] = Field(
        default_factory=dict,
        description="Field of the message that holds a code: the code's wording by language.",
    )
    topic: str = Field(description="File of the rule.")

    @property
    def locked(self) -> bool:
        """Whether its findings stop a run whatever the study says."""
        return self.severity == "error" and not self.acceptable


@lru_cache(maxsize=1)
def read_rules() -> MappingProxyType[str, Rule]:
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
            rules[rule_id] = Rule.model_validate({**content, "topic": path.stem})
    return MappingProxyType(rules)


def find_severity_faults(severities: dict[str, Severity]) -> list[str]:
    """What is wrong with the severities that a study chooses, one sentence a fault."""
    faults = []
    for rule_id, severity in severities.items():
        rule = read_rules().get(rule_id)
        if rule is None:
            faults.append(f"there is no rule {rule_id}")
        elif rule.setting:
            faults.append(f"the severity of {rule_id} is set by {rule.setting}")
        elif rule.locked and severity != "error":
            faults.append(
                f"{rule_id} is locked, since numbers would be wrong or missing "
                "without it; mend the data or the mapping"
            )
    return faults

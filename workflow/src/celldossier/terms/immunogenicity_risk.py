"""Rules of the risk class of immunogenicity (terms/immunogenicity_risk.yaml)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource

Risk = Literal["raised", "low"]
StudyOwed = Literal["owed", "expected", "decide"]


class RiskRule(BaseModel):
    """One rule: for which products it holds, what it decides, where the guideline says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...]
    sources: tuple[str, ...] = ()
    gene_modified: bool | None = None
    risk: Risk
    study: StudyOwed
    lines: str
    en: str
    zh: str

    def holds(self, product_class: str, source: str, gene_modified: bool) -> bool:
        """Whether the rule is one for such a product."""
        return (
            product_class in self.classes
            and (not self.sources or source in self.sources)
            and self.gene_modified in (None, gene_modified)
        )


@lru_cache(maxsize=1)
def risk_rules() -> dict[str, RiskRule]:
    """Rules by code, in their order: the first that holds decides."""
    declared = read_resource("terms", "immunogenicity_risk.yaml")["rules"]
    return {code: RiskRule.model_validate(rest) for code, rest in declared.items()}


def product_words(kind: Literal["classes", "sources"], code: str) -> dict[str, str]:
    """Name of a product class or of an origin in both languages."""
    names: dict[str, dict[str, str]] = read_resource("terms", "immunogenicity_risk.yaml")[kind]
    return names[code]

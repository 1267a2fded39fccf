"""Names of the exposure metrics."""

from __future__ import annotations

from celldossier.terms.language import Language
from celldossier.terms.parameters import find_parameter


def metric_label(language: Language, code: str) -> str:
    """Symbol of an exposure metric: a parameter of the NCA, or one with a term of its own."""
    term = f"metric.{code}"
    return language.text(term) if language.has(term) else find_parameter(code).symbol

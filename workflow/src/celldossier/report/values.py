"""Values by name in the text: every number in the prose has a home in the analysis results."""

from __future__ import annotations

import math
from collections.abc import Callable

from markupsafe import Markup, escape

from celldossier.errors import RunError
from celldossier.results import AnalysisResults, make_value_id
from celldossier.terms.language import (
    Language,
    format_count,
    format_fixed,
    format_p,
    format_significant,
    print_unit,
)

STYLES: dict[str, Callable[[float], str]] = {
    "sig3": lambda number: format_significant(number, 3),
    "sig4": lambda number: format_significant(number, 4),
    "int": format_count,
    "pct0": lambda number: f"{format_fixed(number, 0)}%",
    "pct1": lambda number: f"{format_fixed(number, 1)}%",
    "p": format_p,
    "fixed1": lambda number: format_fixed(number, 1),
    "fixed2": lambda number: format_fixed(number, 2),
}
"""How a number may be written in the text."""


class ReportValues:
    """Access of the templates to the analysis results; counts what the text prints."""

    def __init__(self, results: AnalysisResults, language: Language) -> None:
        self._results = results
        self._language = language
        self.printed: list[str] = []

    def value(self, value_id: str, style: str = "sig3") -> Markup:
        """The value, formatted, in a span that carries its identifier.

        Raises
        ------
        RunError
            If no stage has computed it.
        """
        try:
            found = self._results.get(value_id)
        except KeyError as error:
            raise RunError(
                f"The report asks for the value {value_id}, which no stage has computed."
            ) from error
        self.printed.append(value_id)
        if found.text:
            text = found.text
        elif math.isnan(found.number):
            text = self._language.reason(found.note_code)
        else:
            text = STYLES[style](found.number)
        return Markup('<span class="value" data-value-id="{}">{}</span>').format(
            value_id, escape(text)
        )

    def worded(self, value_id: str, key: str) -> Markup:
        """A value that is a code, in the words of the catalogue: the term ``<key>.<code>``.

        In a span that carries its identifier; a missing one in the words of its reason.
        """
        found = self._results.get(value_id)
        if not found.text:
            return self.value(value_id)
        self.printed.append(value_id)
        return Markup('<span class="value" data-value-id="{}">{}</span>').format(
            value_id, escape(self._language.text(f"{key}.{found.text}"))
        )

    @staticmethod
    def find_id(analysis_id: str, variable: str, analyte: str, stat: str, **by: str) -> str:
        """Identifier of a statistic, as `make_value_id` forms it."""
        return make_value_id(analysis_id, variable, analyte, by, stat)

    def unit(self, value_id: str) -> str:
        """Unit of a value as printed, "" where it has none or was not computed."""
        return print_unit(self._results.get(value_id).unit) if value_id in self._results else ""

    def has(self, value_id: str) -> bool:
        """Whether the value was computed and is not missing."""
        if value_id not in self._results:
            return False
        found = self._results.get(value_id)
        return bool(found.text) or not math.isnan(found.number)

    def number(self, value_id: str) -> float:
        """The bare number, for rules of wording only; NaN where it was not computed."""
        if value_id not in self._results:
            return math.nan
        return self._results.get(value_id).number

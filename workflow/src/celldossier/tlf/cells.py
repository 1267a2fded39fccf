"""Cells of tables from analysis results: reading and formatting, never computing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from celldossier.results import AnalysisResults, Value
from celldossier.terms.language import (
    Language,
    format_count,
    format_fixed,
    format_p,
    format_significant,
    print_unit,
)
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Cell, Row

FEW = 3
"""Below this number of values they are listed instead of summarised (science.md G-19)."""

FORMATS: Mapping[str, Callable[[float], str]] = {
    "count": format_count,
    "integer": lambda value: format_fixed(value, 0),
    "significant": format_significant,
    "fixed1": lambda value: format_fixed(value, 1),
    "fixed2": lambda value: format_fixed(value, 2),
    "fixed3": lambda value: format_fixed(value, 3),
    "p": format_p,
    # A limit a thousand times the other bounds nothing; its digits would say otherwise.
    "ratio": lambda value: ">1000" if value > 1000 else format_significant(value),
}
"""Number formats by name; both languages print numbers in the same way."""

Stat = tuple[str, str]
"""Name of a statistic and name of its format."""


def interval(name: str, form: str = "significant", suffix: str = "") -> tuple[Stat, Stat, Stat]:
    """An estimate and its two limits, as the stages name them.

    >>> interval("or", "fixed2")
    (('or', 'fixed2'), ('or_low', 'fixed2'), ('or_high', 'fixed2'))
    """
    estimate, low, high = (f"{name}{end}{suffix}" for end in ("", "_low", "_high"))
    return (estimate, form), (low, form), (high, form)


def median_range(form: str = "significant") -> tuple[Stat, Stat, Stat]:
    """Median, minimum and maximum."""
    return ("median", form), ("min", form), ("max", form)


@dataclass(frozen=True)
class Place:
    """Where a block of statistics stands in the analysis results."""

    analysis: str
    variable: str = ""
    analyte: str = ""
    by: Mapping[str, str] = field(default_factory=dict)

    def within(self, **levels: str) -> Place:
        """The same block within a further level of grouping."""
        return Place(self.analysis, self.variable, self.analyte, {**self.by, **levels})

    def of(self, analysis: str) -> Place:
        """The same variable, analyte and group in another analysis."""
        return Place(analysis, self.variable, self.analyte, self.by)


class Printer:
    """Prints analysis results of one table as cells.

    Parameters
    ----------
    results, language
        Analysis results to read, and the language of the words in a cell.

    Attributes
    ----------
    subjects
        Largest number of subjects behind any value printed so far.
    """

    def __init__(self, results: AnalysisResults, language: Language) -> None:
        self._results = results
        self._language = language
        self.subjects = 0

    def exists(self, place: Place, stat: str = "n") -> bool:
        """Whether a stage has computed the statistic (it may be missing with a reason)."""
        return self._find(place, stat) is not None

    def value(self, place: Place, stat: str) -> Value:
        """The statistic itself.

        Raises
        ------
        KeyError
            If no stage has computed it: a table never shows a number without a home.
        """
        value = self._find(place, stat)
        if value is None:
            raise KeyError(
                f"no stage has computed {place.analysis}/{place.variable}/{place.analyte}/"
                f"{dict(place.by)}/{stat}"
            )
        return value

    def cell(self, place: Place, pattern: str, *stats: Stat) -> Cell:
        """A cell that prints one statistic or several.

        Parameters
        ----------
        pattern
            Pattern with one ``{}`` a statistic, such as ``"{} ({}, {})"``.
        stats
            Name of the statistic and name of its format.

        Returns
        -------
        Cell
            A missing statistic prints "NC" and hands its reason code on; where
            the first is missing the whole cell is one "NC".
        """
        values = [self.value(place, stat) for stat, _ in stats]
        for value, (stat, _) in zip(values, stats, strict=True):
            self._count_subjects(value, stat)
        missing = self._language.text("label.not_calculated")
        texts = [self._text(value, form) for value, (_, form) in zip(values, stats, strict=True)]
        # A code is the reason of a missing value; beside a value that is there it means nothing.
        reasons = tuple(
            dict.fromkeys(v.note_code for v, text in zip(values, texts, strict=True) if not text)
        )
        texts = [text or missing for text in texts]
        identifiers = tuple(value.value_id for value in values)
        if texts[0] == missing:
            return Cell(missing, identifiers, reasons)
        return Cell(pattern.format(*texts), identifiers, reasons)

    def interval(
        self, place: Place, name: str, form: str = "significant", suffix: str = ""
    ) -> Cell:
        """An estimate with its limits: ``0.45 (0.29, 0.59)``; see `interval`."""
        return self.cell(place, "{} ({}, {})", *interval(name, form, suffix))

    def median(self, place: Place, form: str = "significant") -> Cell:
        """Median (minimum, maximum); one or two values are listed."""
        if self.few(place):
            return self.listed(place, form)
        return self.cell(place, "{} ({}, {})", *median_range(form))

    def geomean(self, place: Place, suffix: str = "") -> Cell:
        """Geometric mean (geometric CV, %); one or two values are listed."""
        if self.few(place, suffix):
            return self.listed(place, suffix=suffix)
        stats = ((f"geomean{suffix}", "significant"), (f"gcv{suffix}", "integer"))
        return self.cell(place, "{} ({})", *stats)

    def few(self, place: Place, suffix: str = "") -> bool:
        """Whether there are so few values that they are listed."""
        n = self.value(place, f"n{suffix}").number
        return 0 < n < FEW

    def listed(self, place: Place, form: str = "significant", suffix: str = "") -> Cell:
        """The values of a block of one or two, in brackets.

        They stand in the statistic ``values``; where a stage has not written it,
        minimum and maximum are those values.
        """
        values = self._find(place, f"values{suffix}")
        if values is not None:
            numbers = [float(part) for part in values.text.split(";")]
            identifiers: tuple[str, ...] = (values.value_id,)
        else:
            n = self.value(place, f"n{suffix}").number
            ends = [self.value(place, f"{stat}{suffix}") for stat in ("min", "max")]
            ends = ends[: int(n)]
            numbers = [value.number for value in ends]
            identifiers = tuple(value.value_id for value in ends)
        return Cell(f"[{'; '.join(FORMATS[form](number) for number in numbers)}]", identifiers)

    def blank(self) -> Cell:
        """A cell in which nothing belongs: an en dash."""
        return Cell(self._language.text("label.blank"))

    def _find(self, place: Place, stat: str) -> Value | None:
        return self._results.find(place.analysis, place.variable, place.analyte, place.by, stat)

    def _count_subjects(self, value: Value, stat: str) -> None:
        for number in (value.n, value.number if stat == "n" else math.nan):
            if math.isfinite(number):
                self.subjects = max(self.subjects, int(number))

    @staticmethod
    def _text(value: Value, form: str) -> str:
        return value.text or FORMATS[form](value.number)


def text_cells(texts: Iterable[str]) -> tuple[Cell, ...]:
    """Cells of words that hold no analysis result."""
    return tuple(Cell(text) for text in texts)


def heading(text: str | Cell) -> Row:
    """A row that spans the table and names the rows below it."""
    return Row((Cell(text) if isinstance(text, str) else text,), "heading")


def sentence_cell(language: Language, key: str, parts: Mapping[str, Cell], **words: str) -> Cell:
    """A text of the catalogue that is filled with cells, and knows what they print.

    Parameters
    ----------
    parts
        Cells by the names that the text leaves open.
    words
        What else it leaves open.
    """
    return Cell(
        language.text(key, **words, **{name: cell.text for name, cell in parts.items()}),
        tuple(identifier for cell in parts.values() for identifier in cell.value_ids),
        tuple(dict.fromkeys(code for cell in parts.values() for code in cell.reasons)),
    )


def level_cell(language: Language, key: str, value: Value) -> Cell:
    """A result that is a code, in the words of its vocabulary."""
    return Cell(level_label(language, key, value.text), (value.value_id,))


def given_cell(language: Language, *texts: str) -> Cell:
    """Texts of the config; those that the sponsor has not given say so."""
    missing = language.text("label.not_provided")
    if not any(texts):
        return Cell(missing)
    separator = language.text("label.sentence_separator")
    return Cell(separator.join(print_unit(text) if text else missing for text in texts))


def footnote_if(condition: bool, language: Language, *keys: str) -> Sequence[str]:
    """Footnotes that the data call for."""
    return [language.text(key) for key in keys] if condition else []

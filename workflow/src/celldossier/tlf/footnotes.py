"""Footnotes: what every table and figure must say beside its numbers (science.md F)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any

from celldossier import __version__
from celldossier.settings.tlfs import Tlf
from celldossier.terms.language import Language, print_unit
from celldossier.tlf.model import Table


def declared_footnotes(tlf: Tlf, language: Language, settings: Mapping[str, Any]) -> list[str]:
    """Footnotes of the declaration; the settings fill in their numbers.

    A text may hold a setting by its place, ``{cellular_kinetics[lambda_z][min_points]}``,
    so that a footnote cannot disagree with what was computed.
    """
    return [
        language.text(f"footnote.{key.format(**settings)}", **settings) for key in tlf.footnotes
    ]


LINES_OF_ASSAYS = 4
"""More analytes than that share a line where they have the method and the matrix in common."""


def assay_footnotes(
    analytes: Sequence[str], language: Language, settings: Mapping[str, Any]
) -> list[str]:
    """Platform, matrix and lower limit of quantitation of each analyte, and a missing marker."""
    declared = {assay["analyte"]: assay for assay in settings["bioanalysis"]["assays"]}
    unmarked = settings.get("cellular_kinetics", {}).get("no_specific_marker", ())
    known = [declared[code] for code in analytes if code in declared]
    if len(known) > LINES_OF_ASSAYS:
        lines = _group_assays(known, language)
    else:
        lines = [_describe_assay(assay, language) for assay in known]
    for code in analytes:
        if code not in declared:
            lines.append(language.text("footnote.assay_not_declared", analyte=code))
        elif code in unmarked:
            label = language.label(declared[code]["label"])
            lines.append(language.text("footnote.assay_unmarked", analyte=label))
    return lines


def _describe_assay(assay: Mapping[str, Any], language: Language) -> str:
    lloq = assay["lloq"]
    return language.text(
        "footnote.assay" if lloq is not None else "footnote.assay_lloq_by_record",
        analyte=language.label(assay["label"]),
        platform=language.label(assay["platform"]),
        matrix=language.label(assay["matrix"]),
        lloq=f"{lloq:.10g}" if lloq is not None else "",
        unit=print_unit(assay["unit"]),
    )


def _group_assays(assays: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    """One line a method and matrix, with the limit of each analyte in brackets."""
    groups: dict[tuple[str, str], list[str]] = {}
    for assay in assays:
        label, lloq = language.label(assay["label"]), assay["lloq"]
        if lloq is not None:
            label = language.text(
                "footnote.analyte_with_lloq",
                analyte=label,
                lloq=f"{lloq:.10g}",
                unit=print_unit(assay["unit"]),
            )
        method = (language.label(assay["platform"]), language.label(assay["matrix"]))
        groups.setdefault(method, []).append(label)
    separator = language.text("label.list_separator")
    lines = [
        language.text(
            "footnote.assays_of_a_method",
            platform=platform,
            matrix=matrix,
            analytes=separator.join(labels),
        )
        for (platform, matrix), labels in groups.items()
    ]
    return [*lines, language.text("footnote.lloq_in_brackets")]


def source_footnotes(
    tlf: Tlf, language: Language, settings: Mapping[str, Any], input_hash: str
) -> list[str]:
    """Data cut-off, then source datasets, program and hash of the inputs."""
    sources = [*tlf.datasets, f"ard/{tlf.stage}"]
    return [
        language.text("footnote.data_cutoff", date=settings["study"]["data_cutoff"]),
        language.text(
            "footnote.source",
            sources=language.text("label.list_separator").join(sources),
            program=f"celldossier {__version__} ({tlf.drawing})",
            hash=input_hash,
        ),
    ]


def _letter(position: int) -> str:
    """Letters a to z, then aa, ab, ..."""
    first, second = divmod(position, len(ascii_lowercase))
    return (ascii_lowercase[first - 1] if first else "") + ascii_lowercase[second]


def mark_reasons(table: Table) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """Letters of the missing values of a table.

    Returns
    -------
    tuple
        The marks of each cell, row by row, and the pairs (letter, reason code)
        in the order in which they first appear.
    """
    letters: dict[str, str] = {}
    for row in table.rows:
        for cell in row.cells:
            for code in cell.reasons:
                letters.setdefault(code, _letter(len(letters)))
    marks = [
        [",".join(letters[code] for code in cell.reasons) for cell in row.cells]
        for row in table.rows
    ]
    return marks, [(letter, code) for code, letter in letters.items()]


def reason_footnotes(reasons: Iterable[tuple[str, str]], language: Language) -> list[str]:
    """What "NC" means, then what each letter means, in the words of the reason codes."""
    lines = [
        language.text("footnote.reason", mark=letter, reason=language.reason(code)).strip()
        for letter, code in reasons
    ]
    return [language.text("footnote.not_calculated"), *lines] if lines else []

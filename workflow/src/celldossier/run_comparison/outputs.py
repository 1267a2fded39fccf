"""Printed outputs of two runs: cells of tables, records of listings, verdicts on clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from celldossier.run_comparison.causes import Attribution
from celldossier.run_comparison.content import (
    Gathering,
    RunContent,
    compare_file,
    complete_rows,
)
from celldossier.run_comparison.records import Counts, Layout, TableDifferences, compare_tables

CELLS = ("ROW", "COLUMN", "TEXT", "VALUE_IDS")
"""Columns of a table's CSV that are compared; VALUES are the results themselves."""
CLAUSES = "report/clause_matrix.csv"


def add_outputs(
    old: RunContent,
    new: RunContent,
    gathering: Gathering,
    attribution: Attribution,
    differing: frozenset[str],
) -> None:
    """Compare the CSV files of tables, listings and figures.

    Parameters
    ----------
    differing
        Identifiers of the results that differ.
    """
    for place in sorted({*old.outputs, *new.outputs}):
        name = place.removeprefix("tlf/").removesuffix(".csv")
        tables = [run.table(place) for run in (old, new)]
        known = next((table for table in tables if table is not None), None)
        if known is None:
            continue
        if not set(CELLS) <= set(known):
            file = compare_file(old, new, place, Layout(keys=()))
            if file is not None:
                cause = (
                    attribution.print(attribution.wording("tlf")) if file.counts.differing else ""
                )
                gathering.add("output", name, _one_row(file), cause)
            continue
        before, after = (
            known.iloc[:0][list(CELLS)] if table is None else table[list(CELLS)] for table in tables
        )
        found = compare_cells(before, after)
        causes = _cell_causes(found.rows, attribution, differing)
        gathering.add("cell", name, found, causes)


def compare_cells(old: pd.DataFrame, new: pd.DataFrame) -> TableDifferences:
    """Printed cells of a table: those of a result by its identifiers, words by what they say.

    A cell that stands elsewhere, since rows came in, is the same cell.
    """
    place = ("ROW", "COLUMN")
    parts = []
    for numbers in (True, False):
        before, after = (side[(side["VALUE_IDS"] != "") == numbers] for side in (old, new))
        keys = ("VALUE_IDS",) if numbers else ()
        layout = Layout(keys=keys, trace=place, named=(*place, "VALUE_IDS"))
        parts.append(
            compare_tables(before.reset_index(drop=True), after.reset_index(drop=True), layout)
        )
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    names = vars(parts[0].counts)
    counts = Counts(**{name: sum(getattr(part.counts, name) for part in parts) for name in names})
    return TableDifferences(rows, counts)


def _cell_causes(
    rows: pd.DataFrame, attribution: Attribution, differing: frozenset[str]
) -> list[str]:
    """Causes of each cell: of the results that it prints, else of the words of the table."""
    texts: dict[frozenset[str], str] = {}
    found = []
    for key in rows["key"]:
        _, _, listed = key.partition("VALUE_IDS=")
        identifiers = [part for part in listed.split("; ") if part]
        stages = frozenset(part.split(".", 1)[0] for part in identifiers if part in differing)
        if stages not in texts:
            causes = attribution.outputs(stages) if stages else attribution.wording("tlf")
            texts[stages] = attribution.print(causes)
        found.append(texts[stages])
    return found


def add_texts(
    old: RunContent, new: RunContent, gathering: Gathering, attribution: Attribution
) -> None:
    """Compare titles, footnotes and state of the outputs, which stand in no cell."""
    for language in sorted({place.split("/")[1] for place in (*old.outputs, *new.outputs)}):
        layout = Layout(keys=("OUTPUT", "PART"))
        found = compare_file(old, new, f"tlf/{language}/tlfs.json", layout)
        if found is not None:
            causes = attribution.print(attribution.wording("tlf")) if len(found.rows) else ""
            gathering.add("wording", language, found, causes)


def list_texts(outputs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Texts of the outputs that stand in no cell: OUTPUT, PART, TEXT.

    Parameters
    ----------
    outputs
        Content of ``tlfs.json``. Numbers and images are left out: a number follows from the outputs
        before it, and an image from its data.
    """
    rows = [
        (str(output["id"]), part, str(text))
        for output in outputs
        for part in ("title", "status", "reason_code", "footnotes")
        for text in (output[part] if part == "footnotes" else [output[part]])
    ]
    return pd.DataFrame(rows, columns=["OUTPUT", "PART", "TEXT"], dtype=object)


def add_clauses(
    old: RunContent, new: RunContent, gathering: Gathering, attribution: Attribution
) -> None:
    """Compare the clause matrix: what the report says to each clause of the guideline."""
    found = compare_file(old, new, CLAUSES, Layout(keys=("CLAUSE",)))
    if found is not None:
        causes = attribution.print(attribution.wording("report")) if len(found.rows) else ""
        gathering.add("verdict", "clauses", found, causes)


def _one_row(found: TableDifferences) -> TableDifferences:
    """A listing or the data of a figure repeat records: they are counted, not listed again."""
    counts = found.counts
    if not counts.differing:
        return found
    row = {
        "change": "changed",
        "variable": "records",
        "old": str(counts.old),
        "new": str(counts.new),
    }
    return TableDifferences(complete_rows(pd.DataFrame([row])), counts)

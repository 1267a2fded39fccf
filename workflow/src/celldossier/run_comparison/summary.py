"""The comparison as one document: counts, causes and all that a page can show, ready for JSON."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.run_comparison.causes import CAUSE_KINDS
from celldossier.run_comparison.content import Comparison, RunContent

KINDS = (
    *("setting", "decision", "input", "raw_record", "code", "environment"),
    *("finding", "exclusion", "accounting", "dataset", "parameter", "result", "curve"),
    *("cell", "output", "wording", "verdict"),
)
"""Kinds of differences, in the order of a page: what went in first, then what came out."""
LISTED = ("setting", "decision", "input", "code", "environment", "finding", "verdict")
"""Kinds whose differences stand in the document one by one; of the others, counts."""
COUNTED = ("old", "new", "equal", "moved", "changed", "added", "removed")


def summarise_comparison(found: Comparison) -> dict[str, Any]:
    """What a page says of two runs; equal runs give equal documents.

    Returns
    -------
    dict
        ``runs``, ``equal`` (whether nothing differs), ``totals`` by kind, ``tables``, ``causes``,
        ``listed`` by kind, ``raw_records`` by file and subject, ``words`` (results that are
        words), ``key_results``.
    """
    differences = found.differences
    return {
        "runs": {
            side: {"name": run.name, "celldossier": run.version, "commit": run.commit}
            for side, run in (("old", found.old), ("new", found.new))
        },
        "equal": differences.empty,
        "totals": _total(found.counts),
        "tables": _clean(found.counts),
        "causes": _list_causes(found),
        "listed": {kind: _clean(differences[differences["kind"] == kind]) for kind in LISTED},
        "raw_records": _group_places(found.places),
        "words": _clean(differences[_is_word(differences)]),
        "key_results": list_key_results(found.old, found.new),
    }


def _is_word(differences: pd.DataFrame) -> pd.Series:
    """Which differences are of results that are words; ``values`` lists the numbers of a few."""
    words = (differences["kind"] == "result") & (differences["variable"] == "value_text")
    return words & ~differences["key"].str.endswith("/values")


def _total(counts: pd.DataFrame) -> list[dict[str, Any]]:
    """Records of each kind by what became of them."""
    totals = [
        {
            "kind": kind,
            **{name: int(counts.loc[counts["kind"] == kind, name].sum()) for name in COUNTED},
        }
        for kind in KINDS
    ]
    return [line for line in totals if line["old"] or line["new"]]


def _list_causes(found: Comparison) -> list[dict[str, Any]]:
    """Each cause, however many subjects it has, with the number of differences it may explain."""
    times: Counter[tuple[str, str]] = Counter()
    for text, number in found.differences["causes"].value_counts().items():
        names = {(cause.kind, cause.name) for cause in found.causes.get(str(text), ())}
        for cause in names:
            times[cause] += int(number)
    places = found.places
    causes = []
    for kind, name in sorted(times, key=lambda item: (CAUSE_KINDS.index(item[0]), item[1])):
        own = places[places["file"] == name] if kind == "data" else places.iloc[:0]
        causes.append(
            {
                "kind": kind,
                "name": name,
                "differences": times[kind, name],
                "records": int((own["row"] != "").sum()),
                "subjects": int(own.loc[own["subject"] != "", "subject"].nunique()),
                **_old_and_new(found.differences, kind, name),
            }
        )
    return causes


def _old_and_new(differences: pd.DataFrame, kind: str, name: str) -> dict[str, str]:
    """Old and new value of a setting or a library."""
    if kind not in ("setting", "environment"):
        return {"old": "", "new": ""}
    own = differences[(differences["kind"] == kind) & (differences["key"] == name)]
    return (
        {"old": own["old"].iloc[0], "new": own["new"].iloc[0]}
        if len(own)
        else {
            "old": "",
            "new": "",
        }
    )


def _group_places(places: pd.DataFrame) -> list[dict[str, Any]]:
    """Raw records that differ, by file, subject and change, with their rows."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for place in places.to_dict("records"):
        key = (place["file"], place["subject"], place["change"], place["columns"])
        rows = groups.setdefault(key, [])
        if place["row"] != "":
            rows.append(int(place["row"]))
    return [
        {
            **dict(zip(("file", "subject", "change", "columns"), key, strict=True)),
            "records": len(groups[key]),
            "rows": shorten_rows(groups[key]),
        }
        for key in sorted(groups)
    ]


def shorten_rows(rows: Sequence[int]) -> str:
    """Row numbers as ranges.

    >>> shorten_rows([4, 5, 6, 9])
    '4-6, 9'
    """
    ranges: list[list[int]] = []
    for row in sorted(rows):
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def list_key_results(old: RunContent, new: RunContent) -> list[dict[str, Any]]:
    """The results of `resources/terms/key_results.yaml` in both runs, equal ones too."""
    values = [_read_results(run) for run in (old, new)]
    names = [_places_of(run.settings) for run in (old, new)]
    rows = []
    for entry in read_resource("terms", "key_results.yaml"):
        # The primary analyte may be another one now: both are looked for.
        for pattern, own in sorted({entry["value_id"].format(**own): own for own in names}.items()):
            expression = re.compile("([^/]*)".join(map(re.escape, pattern.split("*"))))
            for value_id in sorted({*values[0], *values[1]}):
                match = expression.fullmatch(value_id)
                if match is None:
                    continue
                one, two = values[0].get(value_id), values[1].get(value_id)
                known = two or one or {"unit": ""}
                rows.append(
                    {
                        "value_id": value_id,
                        "label": {name: entry[name].format(**own) for name in ("en", "zh")},
                        "level": " ".join(map(unquote, match.groups())),
                        "form": entry["form"],
                        "unit": known["unit"],
                        "old": None if one is None else one["value"],
                        "new": None if two is None else two["value"],
                        "equal": one == two,
                    }
                )
    return rows


def _places_of(settings: Mapping[str, Any]) -> dict[str, str]:
    kinetics = settings.get("cellular_kinetics", {})
    areas = kinetics.get("partial_areas") or [[0, 28]]
    return {
        "primary": kinetics.get("primary_analyte", ""),
        "area": f"AUC{areas[0][1]:g}".replace(".", "P"),
    }


def _read_results(run: RunContent) -> dict[str, dict[str, Any]]:
    """Value and unit of the results that a key result may be, by identifier."""
    stages = {
        entry["value_id"].split(".")[0] for entry in read_resource("terms", "key_results.yaml")
    }
    read = {}
    for stage in sorted(stages):
        table = run.table(f"ard/{stage}.parquet")
        if table is None:
            continue
        columns = (table["value_id"], table["value"], table["unit"], table["note_code"])
        for value_id, value, unit, note in zip(*columns, strict=True):
            number = float(value) if math.isfinite(value) else None
            read[value_id] = {"value": number, "unit": unit, "note": note}
    return read


def _clean(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: missing numbers are None, whole numbers stay whole."""
    records = frame.to_dict("records")
    return [{str(name): _clean_cell(cell) for name, cell in row.items()} for row in records]


def _clean_cell(cell: Any) -> Any:
    if isinstance(cell, float):
        if cell != cell or cell in (float("inf"), float("-inf")):
            return None
        return int(cell) if cell.is_integer() else cell
    return cell.item() if hasattr(cell, "item") else cell

"""The stage `tlf`: every declared table, listing and figure of a run, in one language.

The report reads only what this stage writes: ``tlfs.json``, the ordered list of
all declared outputs, shown or not with the reason, and the files that it names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.files import canonical_json
from celldossier.io.spreadsheets import csv_bytes
from celldossier.io.stages import STAGES
from celldossier.results import AnalysisResults
from celldossier.settings.tlfs import Tlf, TlfCatalogue
from celldossier.terms.language import Language
from celldossier.tlf.drawings import find_drawing
from celldossier.tlf.footnotes import (
    assay_footnotes,
    declared_footnotes,
    mark_reasons,
    reason_footnotes,
    source_footnotes,
)
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.write import (
    all_value_ids,
    image_names,
    page_bytes,
    table_record,
    table_values,
)


@dataclass(frozen=True)
class RunInputs:
    """What the stage reads of a run.

    Attributes
    ----------
    results, curves
        Analysis results (ARD) and curves (CURVES) of a stage, by its name.
    dataset
        Analysis dataset by name.
    settings
        Effective sections of the config, by name.
    file_hash
        SHA-256 of a file of the run, by its path within the run; blank where
        there is no such file.
    """

    results: Callable[[str], pd.DataFrame]
    curves: Callable[[str], pd.DataFrame]
    dataset: Callable[[str], pd.DataFrame]
    settings: Mapping[str, Any]
    file_hash: Callable[[str], str]


def render_tlfs(
    catalogue: TlfCatalogue, inputs: RunInputs, language: Language
) -> Iterator[tuple[str, bytes]]:
    """Make every output that the catalogue declares.

    Yields
    ------
    tuple
        File name and content: the files of each output, ``tlfs.json`` last.

    Raises
    ------
    KeyError
        If a table asks for a value that no stage has computed, or reads a
        dataset that it does not declare: then its hash would not be true.
    """
    stage_results = cache(lambda stage: AnalysisResults([inputs.results(stage)]))
    stage_curves = cache(inputs.curves)
    datasets = cache(inputs.dataset)
    file_hash = cache(inputs.file_hash)
    # Made by hand: conform would load pandera, which costs a second, for an empty frame.
    no_curves = pd.DataFrame(columns=list(read_specification("CURVES").variables))
    records = []
    for tlf, number in zip(catalogue.tlfs, number_tlfs(catalogue, language), strict=True):
        context = Context(
            language=language,
            results=stage_results(tlf.stage),
            curves=stage_curves(tlf.stage) if _shows_curves(tlf) else no_curves,
            dataset=_declared_only(tlf, datasets),
            settings=inputs.settings,
            options=tlf.options,
        )
        output = find_drawing(tlf.draw)(context)
        record = _start_record(tlf, number, language, hash_inputs(tlf, file_hash))
        if isinstance(output, NotShown):
            record |= {"status": "not_shown", "reason_code": output.reason}
            record["reason"] = language.reason(output.reason)
        elif isinstance(output, Table):
            yield from _table_files(tlf, record, output, context)
        else:
            yield from _figure_files(tlf, record, output, context)
        records.append(record)
    yield "tlfs.json", (canonical_json(records) + "\n").encode("utf-8")


def number_tlfs(catalogue: TlfCatalogue, language: Language) -> list[str]:
    """Numbers in print, "Table 4.1-1": by kind within each section of the guideline.

    Outputs that are not shown keep their number, so that it is the same in each study.
    """
    counts: Counter[tuple[str, str]] = Counter()
    numbers = []
    for tlf in catalogue.tlfs:
        counts[tlf.kind, tlf.section] += 1
        place = f"{tlf.section.removeprefix('S')}-{counts[tlf.kind, tlf.section]}"
        numbers.append(language.text(f"label.{tlf.kind}_number", number=place))
    return numbers


def input_paths(tlf: Tlf) -> list[str]:
    """Files of the run from which the output is made, in a fixed order."""
    return [
        f"ard/{tlf.stage}.parquet",
        *([f"ard/{tlf.stage}_curves.parquet"] if _shows_curves(tlf) else []),
        *(_dataset_path(name) for name in sorted(tlf.datasets)),
        *(f"settings/{section}.json" for section in sorted(tlf.settings)),
    ]


def _dataset_path(name: str) -> str:
    if read_specification(name).layer == "checks":
        return f"checks/{name.lower()}.csv"
    return f"adam/{name}.parquet"


def _shows_curves(tlf: Tlf) -> bool:
    return tlf.kind == "figure" and STAGES[tlf.stage].curves


def hash_inputs(tlf: Tlf, file_hash: Callable[[str], str]) -> str:
    """First 12 hexadecimal digits of the SHA-256 over the hashes of the output's own inputs."""
    lines = [f"{path} {file_hash(path)}" for path in input_paths(tlf)]
    return sha256("\n".join(lines).encode("ascii")).hexdigest()[:12]


def _declared_only(
    tlf: Tlf, dataset: Callable[[str], pd.DataFrame]
) -> Callable[[str], pd.DataFrame]:
    def read(name: str) -> pd.DataFrame:
        if name not in tlf.datasets:
            raise KeyError(f"{tlf.id} reads the dataset {name}, which tlfs.yaml does not name")
        return dataset(name)

    return read


def _start_record(tlf: Tlf, number: str, language: Language, input_hash: str) -> dict[str, Any]:
    return {
        "id": tlf.id,
        "number": number,
        "title": language.label(tlf.title.model_dump()),
        "kind": tlf.kind,
        "section": tlf.section,
        "status": "shown",
        "reason_code": "",
        "reason": "",
        "subjects": 0,
        "table": None,
        "images": [],
        "alternative_text": "",
        "value_ids": [],
        "footnotes": [],
        "landscape": tlf.landscape,
        "hash": input_hash,
    }


def _table_files(
    tlf: Tlf, record: dict[str, Any], table: Table, context: Context
) -> Iterator[tuple[str, bytes]]:
    language, settings = context.language, context.settings
    marks, reasons = mark_reasons(table)
    record["subjects"] = table.subjects
    record["table"] = table_record(table, marks)
    record["value_ids"] = list(dict.fromkeys(all_value_ids(table)))
    record["footnotes"] = [
        *reason_footnotes(reasons, language),
        *table.footnotes,
        *declared_footnotes(tlf, language, settings),
        *assay_footnotes(table.analytes, language, settings),
        *source_footnotes(tlf, language, settings, record["hash"]),
    ]
    values = table.full if table.full is not None else table_values(table, context.results)
    yield f"{tlf.id}.csv", csv_bytes(values)
    yield f"{tlf.id}.html", page_bytes(record, {}, language)


def _figure_files(
    tlf: Tlf, record: dict[str, Any], figure: Figure, context: Context
) -> Iterator[tuple[str, bytes]]:
    # Only a run with figures loads what figures need.
    from celldossier.tlf.style import figure_svg

    language, settings = context.language, context.settings
    names = image_names(tlf.id, len(figure.pages))
    images = {
        name: figure_svg(page, salt=name) for name, page in zip(names, figure.pages, strict=True)
    }
    record["subjects"] = figure.subjects
    record["images"] = names[: figure.printed]
    record["alternative_text"] = figure.alternative_text
    record["value_ids"] = list(dict.fromkeys(figure.value_ids))
    reasons = [("", code) for code in dict.fromkeys(figure.reasons)]
    record["footnotes"] = [
        *reason_footnotes(reasons, language),
        *figure.footnotes,
        *declared_footnotes(tlf, language, settings),
        *assay_footnotes(figure.analytes, language, settings),
        *source_footnotes(tlf, language, settings, record["hash"]),
    ]
    yield from images.items()
    yield f"{tlf.id}.csv", csv_bytes(figure.data)
    # The page of its own holds all pages, also those that the report leaves out.
    yield f"{tlf.id}.html", page_bytes({**record, "images": names}, images, language)

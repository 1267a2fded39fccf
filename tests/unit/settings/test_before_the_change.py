"""The example before the change of manufacture holds the lots of process A and nobody else."""

from __future__ import annotations

import csv

from celldossier.io.resources import shared_path
from celldossier.settings.model import Settings, effective_sections
from celldossier.settings.read import check_values, merge, read_yaml

FILES = [
    shared_path("config", "config.yaml"),
    shared_path("config", "studies", "ctx101_before.yaml"),
]


def test_its_subjects_are_those_with_a_lot_of_process_a() -> None:
    with shared_path("resources", "studies", "CTX-101", "lots.csv").open(encoding="utf-8") as file:
        lots = list(csv.DictReader(file))
    settings = check_values(merge([read_yaml(file) for file in FILES]), Settings, FILES)
    (subjects,), (kept,) = (settings.study_data.sources[name] for name in ("DM", "LOTS"))
    assert kept.keep == {"PROCESS": ("A",)}
    expected = {lot["USUBJID"] for lot in lots if lot["PROCESS"] == "A"}
    assert 0 < len(expected) < len(lots)
    assert set(subjects.keep["USUBJID"]) == expected
    assert len(subjects.keep["USUBJID"]) == len(expected)


def test_it_differs_from_the_example_in_nothing_else() -> None:
    before, after = (
        effective_sections(check_values(merge([read_yaml(f) for f in files]), Settings, files))
        for files in (FILES, FILES[:1])
    )
    for name in ("DM", "LOTS"):
        for sections in (before, after):
            (source,) = sections["study_data"]["sources"][name]
            source["keep"] = {}
    assert before == after

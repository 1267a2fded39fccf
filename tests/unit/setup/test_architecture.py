"""docs/architecture.md walks with one number and one setting: each step exists, and they move."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_study import STUDY, ManyStudies, make_study

from celldossier.cellular_kinetics.stage import KineticsOutput, analyse_cellular_kinetics
from celldossier.io.resources import shared_path
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.read import read_model
from celldossier.settings.tlfs import TlfCatalogue
from celldossier.terms.language import Language
from celldossier.tlf.stage import RunInputs, render_tlfs

DOCS = Path(__file__).resolve().parents[3] / "docs"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (DOCS / "architecture.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| [")
]


def test_every_step_of_the_walks_is_a_file_and_the_functions_that_are_defined_there() -> None:
    assert len(ROWS) > 25
    for file, functions, told in ROWS:
        shown, target = re.fullmatch(r"\[(.*)\]\((.*)\)", file).groups()  # type: ignore[union-attr]
        path = (DOCS / target).resolve()
        assert path.is_file(), file
        assert path.as_posix().endswith(shown), file
        assert told.endswith("."), file
        named = set(re.findall(r"`(\w+)`", functions))
        assert bool(named) == (path.suffix == ".py"), file
        if named:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            defined = {
                node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
            assert named <= defined, (file, named - defined)


def analyse(result: str, settings: CellularKineticsSettings) -> tuple[KineticsOutput, Any]:
    """Kinetics of four infused subjects, the highest of whose results is the text `result`."""
    study = ManyStudies([make_study(), make_study()]).merge()
    study.set("PC", 5, "PCORRES", result)
    datasets = study.derive().datasets
    names = ("ADPC", "ADSL", "ADEX", "ADRS", "ADCM", "ADPD", "ADTTE", "ADBRG")
    sources = {name.lower(): datasets[name] for name in names}
    return analyse_cellular_kinetics(**sources, settings=settings), study.bioanalysis


def render(result: str = "35000", **settings: Any) -> dict[str, Any]:
    """Record of T25 in Chinese, as ``tlfs.json`` hands it to the report."""
    kinetics = CellularKineticsSettings.model_validate(settings)
    output, bioanalysis = analyse(result, kinetics)
    sections = {
        "cellular_kinetics": kinetics,
        "bioanalysis": bioanalysis,
        "study": STUDY,
    }
    inputs = RunInputs(
        results=lambda stage: output.results,
        curves=lambda stage: output.curves,
        dataset=lambda name: pd.DataFrame(),
        settings={name: section.model_dump(mode="json") for name, section in sections.items()},
        file_hash=lambda path: "",
    )
    catalogue = read_model(shared_path("config", "tlfs.yaml"), TlfCatalogue)
    wanted = TlfCatalogue(tlfs=tuple(tlf for tlf in catalogue.tlfs if tlf.id == "T25"))
    files = dict(render_tlfs(wanted, inputs, Language("zh")))
    record: dict[str, Any] = json.loads(files["tlfs.json"])[0]
    return record


def find_text(record: dict[str, Any], value_id: str) -> str:
    """Text of the one cell that prints a value and nothing else."""
    cells = [cell for row in record["table"]["rows"] for cell in row["cells"]]
    return next(cell["text"] for cell in cells if cell["value_ids"] == [value_id])


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """T25 of the study as it is."""
    return render()


def test_a_raw_concentration_moves_the_cell_that_the_walk_leads_to(given: dict[str, Any]) -> None:
    place = "cellular_kinetics.summary/CMAX/PCR/max"
    assert find_text(given, place) == "35000"
    assert find_text(render("61340"), place) == "61300"


def test_a_setting_moves_the_footnote_that_the_walk_leads_to(given: dict[str, Any]) -> None:
    assert any("调整R² ≥ 0.8，" in note for note in given["footnotes"])
    moved = render(lambda_z={"min_r2adj": 0.87})
    assert any("调整R² ≥ 0.87，" in note for note in moved["footnotes"])

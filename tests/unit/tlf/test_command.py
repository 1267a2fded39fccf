"""The command `celldossier tlf render`: files of a run in, files of the outputs out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from celldossier.cli import main
from celldossier.io.run_folder import RunFolder
from celldossier.settings.model import SECTIONS

CATALOGUE = """
tlfs:
- id: T24
  section: S4.1
  title: {en: Concentrations, zh: 浓度}
  draw: tables_kinetics.concentrations
  stage: cellular_kinetics
- id: L78
  section: S7.1
  title: {en: Listing, zh: 列表}
  draw: tables_immunogenicity.ada_listing
  stage: immunogenicity
  datasets: [ADIM]
"""


@pytest.fixture
def run(
    tmp_path: Path,
    settings: dict[str, Any],
    stage_results: dict[str, pd.DataFrame],
    make_adim: Any,
) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    (folder.root / "settings").mkdir(parents=True)
    for section in SECTIONS:
        path = folder.path("settings", f"{section}.json")
        path.write_text(json.dumps(settings.get(section, {})), encoding="utf-8")
    for stage, frame in stage_results.items():
        folder.write_results(frame, stage)
    folder.write_dataset(make_adim(41), "ADIM")
    (tmp_path / "tlfs.yaml").write_text(CATALOGUE, encoding="utf-8")
    return folder


def render(run: RunFolder, language: str = "zh") -> int:
    tlfs = str(run.root.parent / "tlfs.yaml")
    return main(["tlf", "render", "--run", str(run.root), "--lang", language, "--tlfs", tlfs])


def test_the_command_writes_page_data_and_list_and_nothing_stale_stays(run: RunFolder) -> None:
    stale = run.path("tlf", "zh", "T99.html")
    stale.parent.mkdir(parents=True)
    stale.write_text("old", encoding="utf-8")
    assert render(run) == 0
    written = sorted(path.name for path in stale.parent.iterdir())
    assert written == ["L78.csv", "L78.html", "T24.csv", "T24.html", "tlfs.json"]
    listed = json.loads(run.path("tlf", "zh", "tlfs.json").read_text(encoding="utf-8"))
    assert [record["number"] for record in listed] == ["表4.1-1", "列表7.1-1"]
    listing = pd.read_csv(run.path("tlf", "zh", "L78.csv"))
    assert len(listing) == listed[1]["table"]["rows_in_all"] == 41


def test_a_changed_dataset_changes_the_hash_of_what_shows_it_and_of_nothing_else(
    run: RunFolder, make_adim: Any
) -> None:
    def hashes() -> list[str]:
        assert render(run, "en") == 0
        path = run.path("tlf", "en", "tlfs.json")
        return [record["hash"] for record in json.loads(path.read_text(encoding="utf-8"))]

    before = hashes()
    run.write_dataset(make_adim(12), "ADIM")
    after = hashes()
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_run_that_lacks_a_stage_is_an_error_that_names_the_file(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run.path("ard", "immunogenicity.parquet").unlink()
    assert render(run) == 5
    assert "immunogenicity.parquet" in capsys.readouterr().err


def test_a_typo_in_the_declaration_is_an_error_with_its_place(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.root.parent / "tlfs.yaml"
    path.write_text(CATALOGUE.replace("draw:", "drwa:", 1), encoding="utf-8")
    assert render(run) == 2
    message = capsys.readouterr().err
    assert "drwa" in message and "draw" in message

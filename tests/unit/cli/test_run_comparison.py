"""A run before its report is compared with the frozen run that its config names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from finished_run import CONFIG, RUN, make_run

from celldossier.cli import main
from celldossier.errors import ConfigError
from celldossier.io.archive import list_reference_files
from celldossier.io.run_folder import RunFolder
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml

COMPARE = ["run_comparison", "compare", "--run", str(RUN)]
FROZEN = Path("archive/first")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that names its own frozen copy as the reference."""
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path)
    assert main(["freeze", "first", "--run", str(RUN), "--configfile", CONFIG]) == 0
    place = run.path("settings", "run.json")
    content = json.loads(place.read_text(encoding="utf-8"))
    assert content["reference_run"] is None
    place.write_text(json.dumps({**content, "reference_run": "first"}), encoding="utf-8")
    return run


def read_changes() -> dict[str, object]:
    return json.loads((RUN / "comparison/differences.json").read_text(encoding="utf-8"))


def test_to_name_a_reference_changes_nothing_and_differences_are_no_failure(
    run: RunFolder,
) -> None:
    # The old manifest says what is no longer so: it is written after the report.
    run.path("manifest.json").write_text('{"code": {"stats": "old"}}', encoding="utf-8")
    assert main(COMPARE) == 0
    assert read_changes()["equal"] is True
    run.path("settings", "report.json").write_text("{}", encoding="utf-8")
    assert main(COMPARE) == 0
    assert read_changes()["equal"] is False
    assert {path.name for path in (RUN / "comparison").iterdir()} == {
        *("differences.csv", "differences.json", "en.html", "zh.html"),
    }


def test_a_reference_that_was_altered_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    place = FROZEN / "settings" / "report.json"
    place.chmod(0o644)
    place.write_text("{}", encoding="utf-8")
    assert main(COMPARE) == 5
    assert "settings/report.json has changed" in capsys.readouterr().err
    assert not (RUN / "comparison").exists()


def test_without_a_reference_there_is_nothing_to_compare(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run.path("settings", "run.json").write_text("{}", encoding="utf-8")
    assert main(COMPARE) == 2
    assert "names no reference_run" in capsys.readouterr().err


def test_the_files_of_a_reference_are_inputs_and_a_missing_one_is_explained(
    run: RunFolder,
) -> None:
    files = list_reference_files("first")
    assert FROZEN / "manifest.json" in files and FROZEN / "inputs/raw/pc.csv" in files
    assert list_reference_files(None) == []
    with pytest.raises(ConfigError, match="which is no frozen run"):
        list_reference_files("second")


@pytest.mark.parametrize("name", ["../first", "/tmp/first", "archive/first", "..", ""])
def test_a_reference_is_a_name_and_no_path(run: RunFolder, name: str) -> None:
    with pytest.raises(ConfigError, match="is no name of a frozen run"):
        list_reference_files(name)
    values = {**read_yaml(Path(CONFIG)), "reference_run": name}
    with pytest.raises(ConfigError, match="reference_run"):
        check_values(values, Settings, [Path(CONFIG)])

"""The command line: light to start, sentences instead of tracebacks, promised exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from celldossier import __version__
from celldossier.cli import COMMANDS, main
from celldossier.io.files import canonical_json, write_json
from celldossier.io.run_folder import RunFolder
from celldossier.results import ResultCollector


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"celldossier {__version__}"


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["analyse"])
    assert stop.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert command in capsys.readouterr().out


def test_the_help_loads_no_heavy_library() -> None:
    program = (
        "import sys; from celldossier.cli import make_parser; make_parser();"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'statsmodels', 'weasyprint'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_linear_algebra_is_held_to_one_thread_before_numpy_is_loaded() -> None:
    program = (
        "import os; os.environ['OMP_NUM_THREADS'] = '8'; import celldossier.cli;"
        "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["1", "1"]


def test_a_missing_config_file_is_a_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--configfile", str(tmp_path / "absent.yaml")]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "results" / "STUDY")
    collector = ResultCollector("cellular_kinetics")
    collector.add(
        "summary", {"geomean": 12.5}, dataset="ADPP", variable="CMAX", analyte="PCR", n=7, unit="x"
    )
    folder.write_results(collector.frame(), "cellular_kinetics")
    write_json({}, folder.path("settings", "cellular_kinetics.json"))
    write_json({"run": "STUDY"}, folder.path("settings", "run.json"))
    sources = {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}}
    write_json({"root": "raw", "sources": sources}, folder.path("settings", "study_data.json"))
    return folder


def test_explain_prints_number_subjects_dataset_and_rule(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    value_id = "cellular_kinetics.summary/CMAX/PCR/geomean"
    assert main(["explain", value_id, "--run", str(run.root)]) == 0
    printed = capsys.readouterr().out
    for text in ("12.5", "ADPP", "workflow/rules/cellular_kinetics.smk"):
        assert text in printed


def test_explain_names_the_nearest_value_where_there_is_none(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    value_id = "cellular_kinetics.summary/CMAX/PCR/geomaen"
    assert main(["explain", value_id, "--run", str(run.root)]) == 2
    assert "'cellular_kinetics.summary/CMAX/PCR/geomean'" in capsys.readouterr().err


def test_verify_lists_missing_new_and_changed_files_together(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["manifest", "--run", str(run.root)]) == 0
    assert main(["verify", str(run.root)]) == 0
    manifest = json.loads(run.path("manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {
        "ard/cellular_kinetics.parquet",
        "settings/cellular_kinetics.json",
        "settings/run.json",
        "settings/study_data.json",
    }
    run.path("ard/cellular_kinetics.parquet").unlink()
    run.path("settings/run.json").write_text("{}")
    run.path("settings/new.json").write_text("{}")
    assert main(["verify", str(run.root)]) == 5
    printed = capsys.readouterr().err
    assert "ard/cellular_kinetics.parquet is missing" in printed
    assert "settings/run.json has changed" in printed
    assert "settings/new.json is not in the manifest" in printed


def test_a_path_never_leaves_the_folder_of_the_run(run: RunFolder) -> None:
    from celldossier.errors import RunError

    with pytest.raises(RunError, match="leaves the run's folder"):
        run.path("..", "elsewhere.json")


def test_a_terminal_that_lacks_a_sign_does_not_end_the_command(tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_text("受试者: 1\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "celldossier", "check", "--configfile", str(config)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert r"the key '\u53d7\u8bd5\u8005' is unknown" in result.stderr


def test_json_for_the_shell_is_ascii_and_says_the_same() -> None:
    value = {"title": "受试者 µ😀", "n": 1.5}
    text = canonical_json(value, ascii_only=True)
    assert text.isascii()
    assert json.loads(text) == json.loads(canonical_json(value)) == value


def test_what_happens_after_a_command_cannot_change_its_exit_code(tmp_path: Path) -> None:
    # Threads of Arrow now and then abort the interpreter while it is torn down.
    code = (
        "import atexit, os, sys\n"
        "from celldossier.cli import main\n"
        "atexit.register(os._exit, 134)\n"
        "sys.argv[1:] = ['nca', 'missing.csv', '-o', 'out.csv']\n"
        "sys.exit(main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 3
    assert "missing.csv" in result.stderr

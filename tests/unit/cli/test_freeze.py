"""A finished run is kept with all that it was made from, read-only, or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from finished_run import CONFIG, RAW, RUN, make_run

from celldossier.cli import main
from celldossier.io import archive
from celldossier.io.files import hash_file
from celldossier.io.run_folder import RunFolder

OPTIONS = ["--run", str(RUN), "--configfile", CONFIG]
FROZEN = Path("archive/first")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_frozen_run_holds_every_output_and_every_input_with_the_same_bytes(
    run: RunFolder,
) -> None:
    assert main(["freeze", "first", *OPTIONS]) == 0
    inputs = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert {"raw/pc.csv", "raw/lots.csv", "decisions/half_life.csv", "tlfs.yaml"} <= set(inputs)
    kept = files_of(FROZEN)
    assert kept == {
        *files_of(RUN),
        *(f"inputs/{name}" for name in inputs),
        f"inputs/config/1-{CONFIG}",
        "freeze.json",
    }
    for name in files_of(RUN):
        assert hash_file(FROZEN / name) == hash_file(RUN / name)
    assert hash_file(FROZEN / "inputs/raw/pc.csv") == hash_file(Path(RAW) / "pc.csv")
    assert hash_file(FROZEN / f"inputs/config/1-{CONFIG}") == hash_file(Path(CONFIG))


def test_a_frozen_run_is_read_only_and_can_be_verified(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze", "first", *OPTIONS]) == 0
    writes = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    assert not [path for path in [FROZEN, *FROZEN.rglob("*")] if path.stat().st_mode & writes]
    assert main(["verify", str(FROZEN)]) == 0
    for file in ("inputs/raw/pc.csv", "manifest.json", "ard/cellular_kinetics.parquet"):
        place = FROZEN / file
        content = place.read_bytes()
        place.chmod(0o644)
        place.write_bytes(content + b"\n")
        assert main(["verify", str(FROZEN)]) == 5
        assert f"{file} has changed" in capsys.readouterr().err
        place.write_bytes(content)


def test_who_could_not_read_a_file_cannot_read_its_copy(run: RunFolder) -> None:
    """Raw files hold what was measured in persons."""
    raw = Path(RAW) / "pc.csv"
    raw.chmod(0o600)
    RUN.chmod(0o750)
    assert main(["freeze", "first", *OPTIONS]) == 0
    assert stat.S_IMODE((FROZEN / "inputs/raw/pc.csv").stat().st_mode) == 0o400
    assert stat.S_IMODE(FROZEN.stat().st_mode) == 0o550


def test_a_name_is_used_once(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["freeze", "first", *OPTIONS]) == 0
    before = hash_file(FROZEN / "freeze.json")
    assert main(["freeze", "first", *OPTIONS]) == 2
    assert "never replaced" in capsys.readouterr().err
    assert hash_file(FROZEN / "freeze.json") == before


@pytest.mark.parametrize(
    "name", ["../first", "/tmp/first", "a/b", "..", ".", "", ".hidden", "first\n", "a" * 65, "a\0"]
)
def test_a_name_that_is_a_path_is_refused_and_nothing_is_written(
    run: RunFolder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze", name, *OPTIONS]) == 2
    assert "no name of a frozen run" in capsys.readouterr().err
    assert not Path("archive").exists()


def test_an_unfinished_run_is_refused(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (RUN / "manifest.json").unlink()
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert "run the workflow first" in capsys.readouterr().err
    assert not FROZEN.exists()


def test_a_run_that_is_not_what_its_manifest_says_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run.path("ard/new.parquet").write_bytes(b"x")
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert "ard/new.parquet is not in the manifest" in capsys.readouterr().err
    assert not FROZEN.exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (f"{RAW}/pc.csv", "raw/pc.csv has changed since the run was made"),
        ("config/decisions/MINI/half_life.csv", "decisions/half_life.csv has changed"),
        ("config/tlfs.yaml", "tlfs.yaml has changed"),
    ],
)
def test_inputs_that_have_changed_since_the_run_are_refused(
    run: RunFolder, file: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path(file).open("a", encoding="utf-8") as handle:
        handle.write("\n")
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert message in capsys.readouterr().err
    assert not FROZEN.exists()


def test_a_missing_input_is_named(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(RAW) / "pc.csv").unlink()
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert "raw/pc.csv of the run is no longer there" in capsys.readouterr().err


def test_the_config_of_another_run_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("more.yaml").write_text("report: {minimum_subjects: 9}\n", encoding="utf-8")
    assert main(["freeze", "first", *OPTIONS, "more.yaml"]) == 2
    assert "the section report differs" in capsys.readouterr().err


def test_a_link_that_leads_out_of_the_run_is_not_followed(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s", encoding="utf-8")
    (RUN / "ard" / "link.txt").symlink_to(secret)
    assert main(["manifest", "--run", str(RUN)]) == 0
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert "ard/link.txt leads outside the run's folder" in capsys.readouterr().err
    assert not FROZEN.exists()


@pytest.mark.parametrize("place", [Path(RAW) / "pc.csv", Path(CONFIG), RUN / "manifest.json"])
def test_what_changes_while_it_is_copied_is_not_kept(
    run: RunFolder,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy_run = archive._copy_run

    def copy_and_change(source: Path, target: Path) -> None:
        copy_run(source, target)
        place.write_bytes(place.read_bytes() + b"\n")

    monkeypatch.setattr(archive, "_copy_run", copy_and_change)
    assert main(["freeze", "first", *OPTIONS]) == 5
    assert "changed while it was copied" in capsys.readouterr().err
    assert list(Path("archive").iterdir()) == []


def test_a_copy_that_breaks_off_leaves_nothing_behind(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(source: Path, target: Path, follow_symlinks: bool = True) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(archive.shutil, "copyfile", break_off)
    with pytest.raises(OSError, match="No space left"):
        main(["freeze", "first", *OPTIONS])
    assert list(Path("archive").iterdir()) == []


def test_only_the_manifest_of_the_run_itself_is_left_out_of_the_record(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run.path("ard", "manifest.json").write_text("{}", encoding="utf-8")
    assert main(["manifest", "--run", str(RUN)]) == 0
    assert main(["freeze", "first", *OPTIONS]) == 0
    assert main(["verify", str(FROZEN)]) == 0
    run.path("ard", "manifest.json").write_text("{ }", encoding="utf-8")
    assert main(["verify", str(RUN)]) == 5
    assert "ard/manifest.json has changed" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{}", "[]", '{"files": 1}'])
def test_a_manifest_that_lists_nothing_is_a_sentence(
    run: RunFolder, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run.path("manifest.json").write_text(content, encoding="utf-8")
    assert main(["verify", str(RUN)]) == 5
    assert "lists no files" in capsys.readouterr().err


def test_a_frozen_run_is_not_frozen_again(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze", "first", *OPTIONS]) == 0
    assert main(["freeze", "second", "--run", str(FROZEN), "--configfile", CONFIG]) == 5
    assert "is a frozen run already" in capsys.readouterr().err


def test_the_manifest_says_what_the_run_was_made_of_without_time_or_place(
    run: RunFolder, tmp_path: Path
) -> None:
    first = (RUN / "manifest.json").read_text(encoding="utf-8")
    assert main(["manifest", "--run", str(RUN)]) == 0
    contents = [json.loads(text) for text in (first, (RUN / "manifest.json").read_text("utf-8"))]
    for content in contents:
        assert content.pop("run_record")
    assert contents[0] == contents[1]
    assert {"stats", "study_data", "cli/tlf", "resources/terms"} <= set(contents[0]["code"])
    assert contents[0]["environment"]["numpy"]
    assert str(tmp_path) not in json.dumps(contents[0])

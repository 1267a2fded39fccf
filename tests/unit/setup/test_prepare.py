"""The set-up does what is to be done, once, and says what it cannot do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import prepare
import show_report
import system_libraries
from prepare import Stamp, wanted_stamp
from system_libraries import Library, Machine

ROOT = Path(__file__).resolve().parents[3]
REPORT = Stamp("digest", "/home/a/celldossier", "3.11", dev=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a folder whose set-up is complete but for the stamp, with this Python in its `.venv`."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    fonts = tmp_path / ".venv/lib/python3.11/site-packages/pylopdf_fonts_zh_cn"
    fonts.mkdir(parents=True)
    for name in prepare.FONT_FILES:
        (fonts / name).touch()
    (tmp_path / ".venv" / "setup").mkdir()
    return tmp_path


@pytest.fixture
def installations(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Put a recorder in place of the installation: each entry says whether dev was asked for."""
    calls: list[bool] = []

    def record(venv: Path, found: Stamp | None, wanted: Stamp) -> None:
        calls.append(wanted.dev)
        prepare.write_stamp(venv, wanted)

    monkeypatch.setattr(prepare, "prepare_environment", record)
    monkeypatch.setattr(prepare, "prepare_libraries", lambda ready, dev: None)
    return calls


def test_a_second_call_installs_nothing(project: Path, installations: list[bool]) -> None:
    prepare.prepare(project, dev=False)
    prepare.prepare(project, dev=False)
    assert installations == [False]


def test_the_tools_of_development_once_installed_stay(
    project: Path, installations: list[bool]
) -> None:
    prepare.prepare(project, dev=False)
    prepare.prepare(project, dev=True)
    prepare.prepare(project, dev=False)
    assert installations == [False, True]
    (project / "uv.lock").write_text("version = 2\n")
    prepare.prepare(project, dev=False)
    assert installations == [False, True, True]


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_a_change_of_the_lock_installs_again(
    project: Path, installations: list[bool], name: str
) -> None:
    prepare.prepare(project, dev=False)
    (project / name).write_text("changed = true\n")
    prepare.prepare(project, dev=False)
    assert len(installations) == 2


def test_a_font_that_was_taken_away_installs_again(
    project: Path, installations: list[bool]
) -> None:
    prepare.prepare(project, dev=False)
    next(project.rglob(prepare.FONT_FILES[1])).unlink()
    prepare.prepare(project, dev=False)
    assert len(installations) == 2


def test_a_python_that_was_taken_away_installs_again(
    project: Path, installations: list[bool]
) -> None:
    prepare.prepare(project, dev=False)
    (project / ".venv" / "bin" / "python").unlink()
    prepare.prepare(project, dev=False)
    assert len(installations) == 2


def test_a_project_that_was_moved_installs_again(project: Path, installations: list[bool]) -> None:
    prepare.prepare(project, dev=False)
    moved = project.rename(project.with_name("moved"))
    prepare.prepare(moved, dev=False)
    assert len(installations) == 2


def test_an_environment_made_by_hand_keeps_its_tools_of_development(
    project: Path, installations: list[bool]
) -> None:
    (project / ".venv" / "setup").rmdir()
    prepare.prepare(project, dev=False)
    assert installations == [True]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lock": "x"}', '{"other": 1}'])
def test_a_stamp_that_cannot_be_read_counts_as_none(project: Path, content: str) -> None:
    (project / ".venv" / "setup" / "stamp.json").write_text(content)
    assert prepare.read_stamp(project / ".venv") is None


def test_a_stamp_is_read_as_it_was_written(project: Path) -> None:
    prepare.write_stamp(project / ".venv", REPORT)
    assert prepare.read_stamp(project / ".venv") == REPORT


@pytest.mark.parametrize(
    ("found", "asked", "dev"),
    [
        (None, False, False),
        (None, True, True),
        (REPORT, False, False),
        (REPORT, True, True),
        (REPORT._replace(dev=True), False, True),
    ],
)
def test_the_development_group_is_kept_or_added(
    found: Stamp | None, asked: bool, dev: bool
) -> None:
    wanted = wanted_stamp(found, "digest", "/home/a/celldossier", "3.11", asked)
    assert wanted == REPORT._replace(dev=dev)


@pytest.mark.parametrize(
    ("version", "answer"),
    [((3, 10), False), ((3, 11), True), ((3, 12), True), ((3, 13), True), ((3, 14), False)],
)
def test_python_is_taken_within_its_range(version: tuple[int, int], answer: bool) -> None:
    assert prepare.supports(version) is answer


@pytest.mark.parametrize(
    ("config", "answer"),
    [
        ("", False),
        ("global.cert='/etc/ssl/certs/ca.crt'\nglobal.extra-index-url='file:///a'", False),
        ("global.index-url='https://mirror.example/simple'", True),
        ("install.index_url='https://mirror.example/simple'", True),
        (":env:.index-url='https://mirror.example/simple'", True),
    ],
)
def test_a_mirror_of_pip_is_seen(config: str, answer: bool) -> None:
    assert prepare.pip_uses_another_index(config) is answer


def test_variables_that_lead_out_of_the_environment_are_dropped_and_mirrors_are_kept() -> None:
    variables = {
        "PATH": "/usr/bin",
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_USER": "1",
        "PYTHONPATH": "/elsewhere",
        "UV_PROJECT_ENVIRONMENT": "/elsewhere",
        "VIRTUAL_ENV": "/elsewhere",
    }
    kept = prepare.clean_environment(variables)
    assert kept["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert kept["PATH"] == "/usr/bin"
    assert not any("elsewhere" in value for value in kept.values())
    assert "PIP_USER" not in kept


@pytest.fixture
def machine_without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Pretend a machine that lacks some libraries; give the list of what apt-get was asked for."""

    def pretend(*names: str, may_install: bool, apt_works: bool = True) -> list[str]:
        asked: list[str] = []

        def missing(wanted: tuple[Library, ...]) -> tuple[Library, ...]:
            installed = asked if apt_works else []
            return tuple(
                library
                for library in wanted
                if library.name in names and library.debian not in installed
            )

        def run(command: tuple[str, ...], **options: object) -> subprocess.CompletedProcess[str]:
            if "install" in command:
                asked.extend(command[command.index("--no-install-recommends") + 1 :])
            return subprocess.CompletedProcess(command, 0 if apt_works else 100, "", "E: broken\n")

        machine = Machine("Linux", True, False, may_install, False)
        monkeypatch.setattr(system_libraries, "missing_libraries", missing)
        monkeypatch.setattr(system_libraries, "this_machine", lambda: machine)
        monkeypatch.setattr(prepare.subprocess, "run", run)
        return asked

    return pretend


@pytest.mark.parametrize("ready", [True, False])
def test_missing_pango_is_installed_where_we_may(
    machine_without: Callable[..., list[str]], ready: bool
) -> None:
    asked = machine_without("pango", "harfbuzz-subset", may_install=True)
    prepare.prepare_libraries(ready, dev=False)
    assert asked == ["libpango-1.0-0", "libharfbuzz-subset0"]


@pytest.mark.parametrize("ready", [True, False])
def test_missing_pango_ends_the_setup_where_we_may_not_install(
    machine_without: Callable[..., list[str]], ready: bool
) -> None:
    asked = machine_without("pango", may_install=False)
    with pytest.raises(prepare.SetupError, match=r"sudo apt-get install -y libpango-1\.0-0"):
        prepare.prepare_libraries(ready, dev=False)
    assert asked == []


def test_an_apt_that_fails_shows_its_words_and_says_what_to_type(
    machine_without: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    machine_without("pango", may_install=True, apt_works=False)
    with pytest.raises(prepare.SetupError, match=r"apt-get install -y libpango-1\.0-0"):
        prepare.prepare_libraries(ready=False, dev=False)
    assert "E: broken" in capsys.readouterr().out


def test_a_library_that_is_only_wanted_does_not_end_the_setup(
    machine_without: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    machine_without("pdftotext", may_install=False)
    prepare.prepare_libraries(ready=False, dev=True)
    assert "pdftotext (poppler-utils) is not there" in capsys.readouterr().out


def test_a_library_that_changes_the_bytes_of_the_report_ends_the_setup_where_it_is_missing(
    machine_without: Callable[..., list[str]],
) -> None:
    machine_without("harfbuzz-subset", may_install=False)
    with pytest.raises(prepare.SetupError, match=r"apt-get install -y libharfbuzz-subset0"):
        prepare.prepare_libraries(ready=False, dev=False)


def test_a_library_that_is_only_wanted_is_asked_for_once(
    machine_without: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = machine_without("pdftotext", may_install=True, apt_works=False)
    prepare.prepare_libraries(ready=True, dev=True)
    assert asked == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("dev", "expected"), [(False, []), (True, ["poppler-utils"])])
def test_the_reader_of_pdfs_is_installed_for_the_tests_alone(
    machine_without: Callable[..., list[str]], dev: bool, expected: list[str]
) -> None:
    asked = machine_without("pdftotext", may_install=True)
    prepare.prepare_libraries(ready=False, dev=dev)
    assert asked == expected


def test_make_says_which_python_is_needed_where_there_is_none() -> None:
    answer = subprocess.run(
        ["make", "setup", "PYTHON=/nowhere/python3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "needs Python 3.11, 3.12 or 3.13" in answer.stderr


def test_the_reports_of_the_run_are_listed_pdf_first(tmp_path: Path) -> None:
    for code in ("zh", "en"):
        folder = tmp_path / "results" / "CTX-101" / "report" / code
        folder.mkdir(parents=True)
        for suffix in ("pdf", "html"):
            (folder / f"clinical-pharmacology-report.{suffix}").touch()
    assert show_report.report_lines(tmp_path, "CTX-101", ["zh", "en"]) == [
        "  Chinese, PDF: results/CTX-101/report/zh/clinical-pharmacology-report.pdf",
        "  English, PDF: results/CTX-101/report/en/clinical-pharmacology-report.pdf",
        "  Chinese, HTML: results/CTX-101/report/zh/clinical-pharmacology-report.html",
        "  English, HTML: results/CTX-101/report/en/clinical-pharmacology-report.html",
    ]
    with pytest.raises(FileNotFoundError, match=r"there is no results/OTHER/report/zh/"):
        show_report.report_lines(tmp_path, "OTHER", ["zh", "en"])


def test_a_report_in_one_language_alone_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "R" / "report" / "zh"
    folder.mkdir(parents=True)
    (folder / "clinical-pharmacology-report.pdf").touch()
    assert show_report.report_lines(tmp_path, "R", ["zh"]) == [
        "  Chinese, PDF: results/R/report/zh/clinical-pharmacology-report.pdf"
    ]


def test_of_several_config_files_the_later_ones_name_the_run_and_its_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "results" / "LATER" / "report" / "zh"
    folder.mkdir(parents=True)
    (folder / "clinical-pharmacology-report.pdf").touch()
    first, second = tmp_path / "first.yaml", tmp_path / "second file.yaml"
    first.write_text("run: FIRST\nreport: {languages: [zh, en]}\n", encoding="utf-8")
    second.write_text("run: LATER\nreport: {languages: [zh]}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert show_report.main([str(first), str(second)]) == 0
    assert "results/LATER/report/zh/" in capsys.readouterr().out
    assert show_report.main([str(first)]) == 1

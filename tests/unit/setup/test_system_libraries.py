"""The set-up sees which libraries are missing, installs them where it may, or says what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

import system_libraries
from system_libraries import LIBRARIES, Machine, apt_commands, missing_libraries, what_to_type

ROOT_ON_DEBIAN = Machine("Linux", True, False, True, False)
SUDOER_ON_DEBIAN = Machine("Linux", True, False, False, True)
USER_ON_DEBIAN = Machine("Linux", True, False, False, False)
USER_ON_FEDORA = Machine("Linux", False, True, False, False)
ROOT_WITHOUT_APT = Machine("Linux", False, False, True, False)
USER_ON_MACOS = Machine("Darwin", False, False, False, False)

PANGO = tuple(library for library in LIBRARIES if library.name == "pango")
NEEDED = tuple(library for library in LIBRARIES if library.needed)
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libfontconfig1 libharfbuzz-subset0"


def test_nothing_is_missing_where_every_library_loads() -> None:
    assert missing_libraries(LIBRARIES, lambda file: True) == ()


def test_everything_is_missing_where_no_library_loads() -> None:
    assert missing_libraries(LIBRARIES, lambda file: False) == LIBRARIES


def test_a_library_that_loads_under_its_name_on_macos_is_not_missing() -> None:
    assert missing_libraries(LIBRARIES, lambda file: file.endswith(".dylib")) == ()


def test_one_library_that_does_not_load_is_named_alone() -> None:
    assert missing_libraries(LIBRARIES, lambda file: not file.startswith("libpango-1.0")) == PANGO


def test_the_linker_and_the_path_are_really_asked() -> None:
    assert system_libraries.is_there("libc.so.6") or system_libraries.is_there("libSystem.dylib")
    assert system_libraries.is_there("make")
    assert not system_libraries.is_there("libpango-of-another-world.so.0")


def test_the_libraries_are_those_that_weasyprint_opens() -> None:
    """A release of WeasyPrint that opens another library turns this test red."""
    import weasyprint

    folder = Path(weasyprint.__file__).parent
    source = (folder / "text" / "ffi.py").read_text(encoding="utf-8")
    opened = source.split("gobject = _dlopen(", 1)[1]
    for library in LIBRARIES:
        assert library.files[0] in opened, library
    # harfbuzz-vector may fail to open, and Debian 12 has no such library.
    assert opened.count("_dlopen(") + 1 == len(LIBRARIES) + 1


def test_a_library_whose_absence_changes_the_bytes_of_the_pdf_is_needed() -> None:
    """Without harfbuzz-subset, WeasyPrint cuts the fonts another way."""
    assert missing_libraries(NEEDED, lambda file: "subset" not in file) == (NEEDED[-1],)
    assert NEEDED[-1].name == "harfbuzz-subset"


def test_root_installs_by_apt() -> None:
    update, install = apt_commands(ROOT_ON_DEBIAN, NEEDED)
    assert update[:3] == ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    assert update[-1] == "update"
    assert " ".join(install).endswith(f"install -y --no-install-recommends {PACKAGES}")


def test_a_user_with_passwordless_sudo_installs_by_apt_and_is_never_asked() -> None:
    commands = apt_commands(SUDOER_ON_DEBIAN, NEEDED)
    assert len(commands) == 2
    assert all(command[:3] == ("sudo", "-n", "env") for command in commands)


@pytest.mark.parametrize(
    "machine", [USER_ON_DEBIAN, USER_ON_FEDORA, ROOT_WITHOUT_APT, USER_ON_MACOS]
)
def test_nothing_is_installed_where_we_may_not(machine: Machine) -> None:
    assert apt_commands(machine, NEEDED) == ()


def test_a_user_of_debian_without_rights_is_told_what_to_type() -> None:
    text = what_to_type(USER_ON_DEBIAN, PANGO)
    assert text.splitlines() == [
        "The PDF report needs system libraries that were not found: pango.",
        "On Debian or Ubuntu, as an administrator, type:",
        "    sudo apt-get update && sudo apt-get install -y libpango-1.0-0",
        "and then the same make command again.",
        "Without an administrator's rights, use conda in place of make:",
        "    conda env create -f environment.yml",
        "    conda activate celldossier",
        "    pip install --no-deps -e .",
        "    snakemake --cores all --workflow-profile workflow/profiles/default",
    ]


def test_root_is_not_told_to_use_sudo() -> None:
    assert "sudo" not in what_to_type(ROOT_ON_DEBIAN, NEEDED)


@pytest.mark.parametrize(
    ("machine", "line"),
    [
        (USER_ON_DEBIAN, f"sudo apt-get update && sudo apt-get install -y {PACKAGES}"),
        (USER_ON_FEDORA, "sudo dnf install -y pango harfbuzz fontconfig glib2"),
        (USER_ON_MACOS, "brew install pango"),
    ],
)
def test_each_system_gets_its_own_line_and_no_other(machine: Machine, line: str) -> None:
    text = what_to_type(machine, NEEDED)
    assert f"    {line}\n" in text
    other_installers = {"apt-get", "dnf", "brew"} - set(line.split())
    assert not any(installer in text for installer in other_installers)


def test_an_unknown_system_gets_every_line() -> None:
    text = what_to_type(ROOT_WITHOUT_APT, NEEDED)
    for installer in ("apt-get", "dnf", "brew", "conda"):
        assert installer in text

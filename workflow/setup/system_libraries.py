"""The system libraries that the PDF writer loads, and how a machine gets them.

WeasyPrint draws text with pango, which is no Python package. This module knows
which libraries it opens, sees which of them are missing, and says how the
machine gets them: by apt-get where that may be used, else by a line to type.
Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from typing import NamedTuple


class Library(NamedTuple):
    """A shared library that WeasyPrint opens, or a program that the tests call.

    Attributes
    ----------
    name
        What a person calls it.
    files
        The names under which it may be loaded (Linux, then macOS) or called.
    debian
        The Debian and Ubuntu package that holds it.
    without
        What it means to go on without it; empty where we cannot.
    """

    name: str
    files: tuple[str, ...]
    debian: str
    without: str = ""

    @property
    def needed(self) -> bool:
        """Tell whether the set-up ends where it is missing."""
        return not self.without


LIBRARIES = (
    # libgobject comes with libpango-1.0-0, under a package name that differs between releases.
    Library("gobject", ("libgobject-2.0.so.0", "libgobject-2.0.0.dylib"), "libpango-1.0-0"),
    Library("pango", ("libpango-1.0.so.0", "libpango-1.0.0.dylib"), "libpango-1.0-0"),
    Library("pangoft2", ("libpangoft2-1.0.so.0", "libpangoft2-1.0.0.dylib"), "libpangoft2-1.0-0"),
    Library("harfbuzz", ("libharfbuzz.so.0", "libharfbuzz.0.dylib"), "libharfbuzz0b"),
    Library("fontconfig", ("libfontconfig.so.1", "libfontconfig.1.dylib"), "libfontconfig1"),
    # WeasyPrint can do without, but then cuts the fonts another way: the same report would
    # have other bytes on another machine.
    Library(
        "harfbuzz-subset",
        ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
        "libharfbuzz-subset0",
    ),
)

DEVELOPMENT = (
    Library(
        "pdftotext",
        ("pdftotext",),
        "poppler-utils",
        without="tests that read the text of a PDF will fail",
    ),
)
"""What the tests want beside `LIBRARIES`."""


class Machine(NamedTuple):
    """What decides how a library can be installed here."""

    system: str
    """As ``platform.system()`` gives it: Linux, Darwin, ..."""
    has_apt: bool
    has_dnf: bool
    is_root: bool
    has_passwordless_sudo: bool


def this_machine() -> Machine:
    """Look at the machine that we run on."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    has_apt = shutil.which("apt-get") is not None
    return Machine(
        system=platform.system(),
        has_apt=has_apt,
        has_dnf=shutil.which("dnf") is not None,
        is_root=is_root,
        # Asked only where the answer matters: some machines report each use of sudo.
        has_passwordless_sudo=has_apt and not is_root and _sudo_asks_no_password(),
    )


def _sudo_asks_no_password() -> bool:
    if shutil.which("sudo") is None:
        return False
    answer = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return answer.returncode == 0


def is_there(file: str) -> bool:
    """Tell whether there is a library that the linker opens, or a program, of this name."""
    if shutil.which(file) is not None:
        return True
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def missing_libraries(
    wanted: tuple[Library, ...], has: Callable[[str], bool] = is_there
) -> tuple[Library, ...]:
    """List those of the libraries that are there under none of their names."""
    return tuple(library for library in wanted if not any(has(file) for file in library.files))


def debian_packages(libraries: tuple[Library, ...]) -> tuple[str, ...]:
    """Name the Debian packages of the libraries, each once, in their order."""
    return tuple(dict.fromkeys(library.debian for library in libraries))


def apt_commands(machine: Machine, libraries: tuple[Library, ...]) -> tuple[tuple[str, ...], ...]:
    """Give the commands that install the libraries, or none where we may not install.

    We may where apt-get is there and we are root, or sudo asks for no password:
    a set-up that stops in the middle to ask for one would hang in a script.
    """
    if not machine.has_apt or not (machine.is_root or machine.has_passwordless_sudo):
        return ()
    prefix = () if machine.is_root else ("sudo", "-n")
    apt = (*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    # Another apt-get may be at work, for example the daily update of a new machine.
    options = ("-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0")
    packages = debian_packages(libraries)
    return (
        (*apt, *options, "update"),
        (*apt, *options, "install", "-y", "--no-install-recommends", *packages),
    )


def what_to_type(machine: Machine, libraries: tuple[Library, ...]) -> str:
    """Say exactly what a user types to get the libraries where we may not install them."""
    sudo = "" if machine.is_root else "sudo "
    packages = " ".join(debian_packages(libraries))
    ways = {
        "Debian or Ubuntu": f"{sudo}apt-get update && {sudo}apt-get install -y {packages}",
        "Fedora": f"{sudo}dnf install -y pango harfbuzz fontconfig glib2",
        "macOS": "brew install pango",
    }
    if machine.system == "Darwin":
        ways = {"macOS": ways["macOS"]}
    elif machine.has_apt:
        ways = {"Debian or Ubuntu": ways["Debian or Ubuntu"]}
    elif machine.has_dnf:
        ways = {"Fedora": ways["Fedora"]}
    names = ", ".join(library.name for library in libraries)
    lines = [f"The PDF report needs system libraries that were not found: {names}."]
    for distribution, command in ways.items():
        lines += [f"On {distribution}, as an administrator, type:", f"    {command}"]
    lines += [
        "and then the same make command again.",
        "Without an administrator's rights, use conda in place of make:",
        "    conda env create -f environment.yml",
        "    conda activate celldossier",
        "    pip install --no-deps -e .",
        "    snakemake --cores all --workflow-profile workflow/profiles/default",
    ]
    return "\n".join(lines)

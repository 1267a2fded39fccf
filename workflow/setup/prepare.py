"""Make `.venv` with the locked versions, and see that the PDF writer can work.

`make` calls this before everything else. It needs Python, pip and the standard
library only, and is quick where nothing is to be done: a stamp in `.venv/setup`
records what was installed from which lock.

uv.lock is the source of truth. uv installs it, itself fetched by pip in a
pinned version; where uv cannot be had, or pip is told to use another index
than the one in the lock, pip installs requirements.lock, which is
exported from uv.lock and carries the same hashes.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import lock_agreement
import system_libraries

OLDEST_PYTHON = (3, 11)
FIRST_PYTHON_NOT_SUPPORTED = (3, 14)
"""The range of `requires-python` in pyproject.toml; a test holds them in agreement."""

ROOT = Path(__file__).resolve().parents[2]
FONT_PACKAGE = "pylopdf-fonts-zh-cn"
FONT_FILES = ("NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf")


class SetupError(Exception):
    """The set-up cannot go on; the text tells the user what to type."""


class Stamp(NamedTuple):
    """What `.venv` was made from."""

    lock: str
    """SHA-256 over uv.lock and pyproject.toml."""
    root: str
    """The folder of the project: the scripts of an environment name it, so it cannot be moved."""
    python: str
    """Version of the environment's Python, such as 3.11."""
    dev: bool
    """Whether the development group (tests, linters) is installed too."""


def supports(version: tuple[int, ...]) -> bool:
    """Tell whether this version of Python can run celldossier."""
    return OLDEST_PYTHON <= version < FIRST_PYTHON_NOT_SUPPORTED


def lock_digest(root: Path) -> str:
    """Hash the files that decide what is installed."""
    digest = hashlib.sha256()
    for name in ("uv.lock", "pyproject.toml"):
        content = (root / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_stamp(venv: Path) -> Stamp | None:
    """Read the stamp of an environment; None where there is none that can be read."""
    try:
        return Stamp(**json.loads((venv / "setup" / "stamp.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        # A stamp that is cut off or of another form counts as none: the set-up runs again.
        return None


def write_stamp(venv: Path, stamp: Stamp) -> None:
    """Write the stamp as the last act of a set-up, in one step."""
    partial = venv / "setup" / "stamp.json.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(json.dumps(stamp._asdict(), indent=2) + "\n", encoding="utf-8")
    partial.replace(venv / "setup" / "stamp.json")


def wanted_stamp(found: Stamp | None, lock: str, root: str, python: str, dev: bool) -> Stamp:
    """Say what the environment shall hold: a development group once installed stays."""
    return Stamp(lock, root, python, dev or (found is not None and found.dev))


def missing_fonts(venv: Path) -> tuple[str, ...]:
    """List the files of the Chinese font that the environment lacks."""
    folders = list(venv.glob("lib*/python3*/site-packages/pylopdf_fonts_zh_cn"))
    return tuple(
        name for name in FONT_FILES if not any((folder / name).is_file() for folder in folders)
    )


def python_of(venv: Path) -> str:
    """Ask the environment's Python for its version; empty where there is none that runs."""
    command = [str(venv / "bin" / "python"), "-I", "-S", "-c"]
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([*command, question], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip()


def clean_environment(variables: dict[str, str]) -> dict[str, str]:
    """Leave out what would send pip or uv to another place than `.venv`.

    The index settings stay: a mirror or a proxy is the user's own affair.
    """
    elsewhere = {
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_USER",
        "PYTHONHOME",
        "PYTHONPATH",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "VIRTUAL_ENV",
    }
    kept = {name: value for name, value in variables.items() if name not in elsewhere}
    return {
        **kept,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # pip writes into .venv alone, which a warning about root does not know.
        "PIP_ROOT_USER_ACTION": "ignore",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def pip_uses_another_index(pip_config: str) -> bool:
    """Tell from `pip config list` whether pip is sent to a mirror.

    uv.lock names the files of the public index, so uv would pass the mirror by;
    requirements.lock holds hashes alone and is served by any mirror.
    """
    names = (line.split("=", 1)[0] for line in pip_config.splitlines())
    return any(name.split(".")[-1].replace("_", "-") == "index-url" for name in names)


def host_python() -> str:
    """Name the Python that has pip and makes `.venv`: this one, or the one that `.venv` is of."""
    # With `.venv` activated, `python3` is a link in it, and has no pip.
    activated = Path(sys.prefix) == ROOT / ".venv"
    return str(Path(sys.executable).resolve()) if activated else sys.executable


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"set-up: {text}", flush=True)


def run(*command: str | Path) -> None:
    """Run a command in the project's folder; raise where it fails."""
    subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=clean_environment(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        check=True,
    )


def prepare_libraries(ready: bool, dev: bool) -> None:
    """See that the libraries of the PDF writer load; install them where we may.

    What is needed is looked for at each call, what is only wanted once: else a
    machine that has no package for it would ask apt-get each time.
    """
    wanted = system_libraries.LIBRARIES + (system_libraries.DEVELOPMENT if dev else ())
    missing = system_libraries.missing_libraries(wanted)
    if not any(library.needed for library in missing) and (ready or not missing):
        return
    machine = system_libraries.this_machine()
    # One by one kind: an old release lacks the package of what is only wanted.
    for needed in (True, False):
        libraries = tuple(library for library in missing if library.needed is needed)
        if not libraries:
            continue
        commands = system_libraries.apt_commands(machine, libraries)
        if commands:
            say(f"installing {', '.join(system_libraries.debian_packages(libraries))} by apt-get")
        for command in commands:
            answer = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            if answer.returncode != 0:
                say(f"this command failed: {' '.join(command)}")
                print(answer.stdout + answer.stderr, end="", flush=True)
                break
        still_missing = system_libraries.missing_libraries(libraries)
        if still_missing and needed:
            raise SetupError(system_libraries.what_to_type(machine, still_missing))
        for library in still_missing:
            say(f"{library.name} ({library.debian}) is not there: {library.without}.")


def fetch_uv(venv: Path) -> Path:
    """Get uv by pip, in the version and with the hashes of uv.txt, and give its path."""
    uv = venv / "setup" / "uv" / "bin" / "uv"
    pin = ROOT / "workflow" / "setup" / "uv.txt"
    copy = venv / "setup" / "uv" / "uv.txt"
    if not (uv.exists() and copy.exists() and copy.read_bytes() == pin.read_bytes()):
        say("fetching uv by pip")
        pip = (host_python(), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes")
        run(*pip, "--upgrade", "--target", uv.parents[1], "-r", pin)
        copy.write_bytes(pin.read_bytes())
    return uv


def install_by_uv(venv: Path, dev: bool) -> None:
    """Install exactly what uv.lock names."""
    uv = fetch_uv(venv)
    quiet = () if sys.stderr.isatty() else ("--quiet",)
    again = ("--reinstall-package", FONT_PACKAGE) if missing_fonts(venv) else ()
    group = ("--group", "dev") if dev else ("--no-dev",)
    sync = ("sync", "--locked", "--compile-bytecode", "--python", venv / "bin" / "python")
    run(uv, *sync, *group, *quiet, *again)


def install_by_pip(venv: Path, dev: bool) -> None:
    """Install requirements.lock, or requirements-dev.lock, which holds the former too."""
    make_environment(venv)  # pip does not take away what the lock no longer names
    lock = "requirements-dev.lock" if dev else "requirements.lock"
    pip = (host_python(), "-m", "pip", "--python", venv / "bin" / "python", "install")
    run(*pip, "--quiet", "--no-deps", "--require-hashes", "-r", lock)
    run(*pip, "--quiet", "--no-deps", "-e", ".")


def make_environment(venv: Path) -> None:
    """Make an empty environment in place of what is there."""
    # Without pip: Debian's Python lacks the copy of pip that would be put in.
    run(host_python(), "-m", "venv", "--clear", "--without-pip", venv)


def install(venv: Path, dev: bool) -> None:
    """Install the lock by uv, or by pip where uv cannot."""
    config = subprocess.run(
        [host_python(), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if config.returncode != 0:
        raise SetupError(
            f"{host_python()} has no pip that works: {config.stderr.strip()}\n"
            "On Debian or Ubuntu, type:\n    sudo apt-get install -y python3-pip\n"
            "elsewhere:\n    python3 -m ensurepip\n"
            "and then the same make command again."
        )
    forced = os.environ.get("CELLDOSSIER_SETUP_WITHOUT_UV", "") not in ("", "0")
    if not forced and not pip_uses_another_index(config.stdout):
        try:
            install_by_uv(venv, dev)
            return
        except (OSError, subprocess.CalledProcessError):
            say("uv could not install the lock; its own words stand above. Trying pip.")
    say("installing by pip, which takes some minutes")
    install_by_pip(venv, dev)


def prepare_environment(venv: Path, found: Stamp | None, wanted: Stamp) -> None:
    """Bring `.venv` to what is wanted, and prove that it works."""
    # uv sees this too, but fails as it does where the network is away, and then we
    # would go on with pip and the versions of an old lock.
    if not lock_agreement.lock_fits(ROOT):
        raise SetupError("uv.lock does not fit pyproject.toml. Type:\n    make lock")
    if not wanted.python or (found is not None and found.root != wanted.root):
        make_environment(venv)
    what = "with the tools of development" if wanted.dev else "for the report"
    say(f"installing the locked packages {what} into .venv (once; up to some minutes)")
    try:
        install(venv, wanted.dev)
    except subprocess.CalledProcessError as error:
        raise SetupError(
            f"The locked packages could not be installed ({error}).\n"
            "The lines above say why. Where the network needs a mirror, type\n"
            "    python3 -m pip config set global.index-url ADDRESS-OF-THE-MIRROR\n"
            "and then the same make command again."
        ) from error
    python = venv / "bin" / "python"
    # The package itself is not compiled by an installation that only points to it. A module
    # that does not compile, because someone is at work on it, is the linters' affair.
    subprocess.run([str(python), "-m", "compileall", "-qq", "workflow/src"], cwd=ROOT, check=False)
    if missing_fonts(venv):
        raise SetupError(
            f"The Chinese font is not in .venv: {', '.join(missing_fonts(venv))}.\n"
            "Type:\n    rm -r .venv\nand then the same make command again."
        )
    try:
        run(python, "-c", "import celldossier, weasyprint")
    except subprocess.CalledProcessError as error:
        raise SetupError(
            "The packages are installed, but do not load; the lines above say why.\n"
            "Type:\n    rm -r .venv\nand then the same make command again."
        ) from error
    write_stamp(venv, wanted._replace(python=python_of(venv)))


def prepare(root: Path, dev: bool) -> None:
    """Do what is still to be done, and nothing where all is done."""
    venv = root / ".venv"
    found = read_stamp(venv)
    python = python_of(venv)
    if python and not supports(tuple(int(part) for part in python.split("."))):
        python = ""  # as good as none: it is made anew
    # An environment that someone made by `uv sync` holds the development group.
    by_hand = python != "" and not (venv / "setup").exists()
    wanted = wanted_stamp(found, lock_digest(root), str(root), python, dev or by_hand)
    ready = found == wanted and not missing_fonts(venv)
    prepare_libraries(ready, wanted.dev)
    if not ready:
        prepare_environment(venv, found, wanted)
        say("done")


def write_locks(venv: Path) -> None:
    """Write uv.lock anew for pyproject.toml, keeping versions that still fit, and export it."""
    if not python_of(venv):
        make_environment(venv)
    uv = fetch_uv(venv)
    run(uv, "lock", "--python", venv / "bin" / "python")
    export = (uv, "export", "--quiet", "--locked", "--no-emit-project", "--no-header")
    run(*export, "--no-dev", "-o", "requirements.lock")
    run(*export, "--group", "dev", "-o", "requirements-dev.lock")


def main(arguments: list[str] | None = None) -> int:
    """Run the set-up; the exit code is 2 where the user has to do something first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--dev", action="store_true", help="install tests and linters too")
    parser.add_argument(
        "--supports", action="store_true", help="only tell by the exit code if this Python will do"
    )
    parser.add_argument(
        "--lock", action="store_true", help="only write uv.lock and what is exported from it"
    )
    options = parser.parse_args(arguments)
    if not supports(sys.version_info[:2]):
        if not options.supports:
            print("set-up: celldossier needs Python 3.11, 3.12 or 3.13.", file=sys.stderr)
        return 2
    if options.supports:
        return 0
    # Two calls at once, for example of make -j: the second waits, and finds all done.
    with (ROOT / "pyproject.toml").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if options.lock:
                write_locks(ROOT / ".venv")
            else:
                prepare(ROOT, options.dev)
        except SetupError as error:
            print("\n".join(f"set-up: {line}" for line in str(error).splitlines()), file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

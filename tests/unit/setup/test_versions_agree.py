"""pyproject.toml, uv.lock, the exported requirements and environment.yml name the same versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import lock_agreement
import prepare

ROOT = Path(__file__).resolve().parents[3]


def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def read_requirements(path: Path) -> dict[tuple[str, str], set[str]]:
    """Hashes of each (name, version) of an exported requirements file."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = {}
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            match = re.match(r"([a-z0-9-]+)==(\S+)", line)
            assert match, f"not a pinned requirement: {line}"
            requirements[match[1], match[2]] = set(
                re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)
            )
    return requirements


def locked_closure(lock: dict[str, Any], group: str | None) -> dict[tuple[str, str], set[str]]:
    """Hashes of each (name, version) that the project needs, on any machine and Python."""
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in lock["package"]:
        packages.setdefault(package["name"], []).append(package)
    (project,) = packages["celldossier"]
    waiting = list(project["dependencies"])
    if group:
        waiting += project["dev-dependencies"][group]
    seen: set[tuple[str, str, tuple[str, ...]]] = set()
    closure = {}
    while waiting:
        edge = waiting.pop()
        extras = tuple(edge.get("extra", ()))
        for package in packages[edge["name"]]:
            if edge.get("version", package["version"]) != package["version"]:
                continue
            step = (package["name"], package["version"], extras)
            if step in seen:
                continue
            seen.add(step)
            files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
            closure[step[:2]] = {file["hash"] for file in files}
            waiting += package.get("dependencies", [])
            for extra in extras:
                waiting += package["optional-dependencies"][extra]
    return closure


def test_the_lock_was_made_for_the_dependencies_of_pyproject() -> None:
    declared = lock_agreement.declared_dependencies(read_toml("pyproject.toml"))
    assert lock_agreement.locked_dependencies(read_toml("uv.lock")) == declared
    assert {"", "dev"} <= declared.keys()


@pytest.mark.parametrize(
    ("file", "group"), [("requirements.lock", None), ("requirements-dev.lock", "dev")]
)
def test_exported_requirements_hold_the_versions_and_hashes_of_the_lock(
    file: str, group: str | None
) -> None:
    exported = read_requirements(ROOT / file)
    assert exported == locked_closure(read_toml("uv.lock"), group)
    assert all(exported.values()), "a requirement has no hash"


def test_all_files_name_the_same_range_of_python() -> None:
    oldest = ".".join(map(str, prepare.OLDEST_PYTHON))
    first_not = ".".join(map(str, prepare.FIRST_PYTHON_NOT_SUPPORTED))
    wanted = {f">={oldest}", f"<{first_not}"}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (python,) = [line for line in environment["dependencies"] if str(line).split()[0] == "python"]
    found = {
        "pyproject.toml": read_toml("pyproject.toml")["project"]["requires-python"],
        "uv.lock": read_toml("uv.lock")["requires-python"],
        "environment.yml": python.removeprefix("python"),
    }
    assert {
        name: set(text.replace(" ", "").split(",")) for name, text in found.items()
    } == dict.fromkeys(found, wanted)


def test_conda_takes_every_python_package_from_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    by_pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert by_pip == [["-r requirements.lock"]]
    by_conda = {str(e).split()[0] for e in environment["dependencies"] if not isinstance(e, dict)}
    locked = {name for name, _ in read_requirements(ROOT / "requirements.lock")}
    assert by_conda & locked == set()
    assert {"python", "pip", "pango", "harfbuzz", "fontconfig", "glib"} == by_conda


def test_uv_itself_is_pinned_with_hashes() -> None:
    ((name, _), hashes), *others = read_requirements(ROOT / "workflow" / "setup" / "uv.txt").items()
    assert (name, others) == ("uv", [])
    assert hashes


def test_the_font_that_the_setup_looks_for_is_locked() -> None:
    names = {name for name, _ in read_requirements(ROOT / "requirements.lock")}
    assert prepare.FONT_PACKAGE in names


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("babel>=2.17", ("babel", set(), {">=2.17"})),
        ("snakemake[reports] >=9.27, <10", ("snakemake", {"reports"}, {">=9.27", "<10"})),
        ("Types_PyYAML", ("types-pyyaml", set(), set())),
    ],
)
def test_a_requirement_is_read_whatever_its_spelling(
    line: str, expected: tuple[str, set[str], set[str]]
) -> None:
    assert lock_agreement.read_dependency(line) == expected


@pytest.mark.parametrize("line", ["x @ file:///tmp/x", "x>=1; sys_platform == 'win32'", ""])
def test_a_requirement_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="cannot read the dependency"):
        lock_agreement.read_dependency(line)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (["pandas>=2.3,<3"], True),
        (["pandas<3,>=2.3"], True),
        (["pandas>=2.2,<3"], False),
        (["pandas[excel]>=2.3,<3"], False),
        (["pandas>=2.3,<3", "scipy"], False),
        ([], False),
    ],
)
def test_a_lock_fits_only_the_dependencies_it_was_made_for(
    tmp_path: Path, asked: list[str], fits: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[project]\ndependencies = {asked!r}\n")
    (tmp_path / "uv.lock").write_text(
        '[[package]]\nname = "celldossier"\n[package.metadata]\n'
        'requires-dist = [{ name = "pandas", specifier = ">=2.3,<3" }]\n'
    )
    assert lock_agreement.lock_fits(tmp_path) is fits

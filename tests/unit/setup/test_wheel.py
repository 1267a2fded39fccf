"""An installation by wheel carries what the package reads, and works away from the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = "tests/reference/nca/input_theoph.csv"


def shared_names() -> list[str]:
    """Folders and files that the wheel carries beside the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["shared"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files where a wheel puts them, away from the project."""
    site = tmp_path_factory.mktemp("installed") / "site"
    package = site / "celldossier"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "workflow/src/celldossier", package, ignore=ignore)
    for name in shared_names():
        target = package / "_shared" / name
        target.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy2(ROOT / name, target)
    return site


def call(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command line in a folder that is not the project's."""
    code = "import sys, celldossier.cli as c; print(c.__file__); sys.exit(c.main(sys.argv[1:]))"
    result = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.startswith(str(site)), "the project's own package was taken"
    return result


def test_the_kinetics_of_a_file_are_estimated_away_from_the_project(
    installed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parameters.csv"
    result = call(installed, tmp_path, "nca", str(ROOT / SAMPLES), "-o", str(out))
    assert result.returncode == 0, result.stderr
    assert ",AUCLST," in out.read_text(encoding="utf-8")


def test_the_shipped_config_and_data_pass_the_check_away_from_the_project(
    installed: Path, tmp_path: Path
) -> None:
    shared = installed / "celldossier" / "_shared"
    config = tmp_path / "study.yaml"
    text = (shared / "config/studies/mini.yaml").read_text(encoding="utf-8")
    old = "root: resources/studies/MINI"
    assert text.count(old) == 1
    config.write_text(text.replace(old, f"root: {shared / 'resources/studies/MINI'}"), "utf-8")
    # Decisions are the study's own files: a folder below the one where it works.
    shutil.copytree(shared / "config/decisions", tmp_path / "config/decisions")
    result = call(installed, tmp_path, "check", "--configfile", str(config))
    assert result.returncode == 0, result.stderr
    assert "can be used" in result.stdout


def test_every_part_of_the_project_that_the_package_reads_is_carried() -> None:
    """The first word of each `shared_path` in the package names a carried part."""
    import re

    sources = (ROOT / "workflow/src/celldossier").rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"shared_path\(\s*\"([^\"]+)\"", text))
    assert {"resources", "report_templates", "uv.lock"} <= named <= set(shared_names())


@pytest.mark.slow
def test_the_built_wheel_holds_these_files_and_no_others_beside_the_package(tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(ROOT / ".venv/setup/uv/bin/uv")
    if not Path(uv).is_file():
        pytest.skip("uv, which builds the wheel, is not here")
    result = subprocess.run(
        [uv, "build", "--quiet", "--wheel", "-o", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if "/_shared/" in name}
    wanted = {
        f"celldossier/_shared/{path.relative_to(ROOT).as_posix()}"
        for name in shared_names()
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.is_file()
    }
    assert carried == wanted
    assert not (ROOT / "workflow/src/celldossier/_shared").exists()

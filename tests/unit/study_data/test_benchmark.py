"""The benchmark of size runs: it copies the example, and reads, checks and derives all of it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from celldossier.io.resources import shared_path

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "study_data.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    specification = importlib.util.spec_from_file_location("study_data_benchmark", SCRIPT)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


def test_a_small_run_uses_every_record_and_finds_no_error(
    benchmark: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = shared_path("resources", "studies", "CTX-101")
    subjects = len(read(source, "dm"))
    folder = tmp_path / "large"
    # One subject more than the example has asks for a second copy of all.
    command = ["study_data.py", "--subjects", str(subjects + 1), "--folder", str(folder)]
    monkeypatch.setattr(sys, "argv", command)
    assert benchmark.main() == 0
    printed = capsys.readouterr().out
    written = int(re.search(r"(\d+) records written", printed)[1])  # type: ignore[index]
    counted = re.search(r"(\d+) records read, (\d+) used, \d+ findings, 0 of them", printed)
    assert counted is not None and [int(number) for number in counted.groups()] == [written] * 2
    for step in ("generate", "read", "map, check and derive", "all"):
        assert re.search(rf"^{step} +\d+\.\d s +\d+ MB peak$", printed, re.MULTILINE)
    # The copies are subjects of their own, each some days earlier.
    first, copied = read(source, "dm"), read(folder, "dm")
    assert len(copied) == 2 * subjects == copied["USUBJID"].nunique()
    days = pd.to_datetime(first["RFICDTC"]) - pd.to_datetime(copied["RFICDTC"][subjects:].array)
    assert set(days.dt.days) == {1}


def test_a_folder_that_is_there_is_not_written_again(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dm.csv").write_text("kept", encoding="utf-8")
    monkeypatch.setattr(benchmark, "run", lambda folder, config: 3)
    monkeypatch.setattr(sys, "argv", ["study_data.py", "--folder", str(tmp_path)])
    assert benchmark.main() == 1
    assert (tmp_path / "dm.csv").read_text(encoding="utf-8") == "kept"

"""`celldossier diff`: exit code, files, and texts of the runs that would harm a reader."""

from __future__ import annotations

import csv
import io
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from finished_run import CONFIG, RAW, RUN, make_run

from celldossier.cli import main
from celldossier.io.files import write_json, write_table
from celldossier.io.run_folder import RunFolder
from celldossier.results import ResultCollector

OUT = Path("out")
FILES = {"differences.csv", "differences.json", "en.html", "zh.html"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run with its frozen copy in archive/first."""
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path)
    assert main(["freeze", "first", "--run", str(RUN), "--configfile", CONFIG]) == 0
    return run


def compare(*folders: str) -> int:
    return main(["diff", *(folders or ("archive/first", str(RUN))), "-o", str(OUT)])


def set_mean(run: RunFolder, value: float | str) -> None:
    collector = ResultCollector("cellular_kinetics")
    where = {"dataset": "ADPP", "variable": "CMAX", "analyte": "PCR", "n": 7}
    collector.add("summary", {"geomean": value}, **where)
    run.write_results(collector.frame(), "cellular_kinetics")


def edit_raw(old: str, new: str) -> None:
    place = Path(RAW) / "pc.csv"
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new, 1), encoding="utf-8")


def remake_manifest() -> None:
    assert main(["manifest", "--run", str(RUN)]) == 0


def rows() -> list[dict[str, str]]:
    text = (OUT / "differences.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


class Tags(HTMLParser):
    """Tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_equal_runs_give_exit_code_0_and_all_files(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare() == 0
    assert "Nothing differs." in capsys.readouterr().out
    assert {path.name for path in OUT.iterdir()} == FILES
    assert rows() == []
    changes = json.loads((OUT / "differences.json").read_text(encoding="utf-8"))
    assert changes["equal"] and changes["causes"] == []
    assert "Nothing differs" in (OUT / "en.html").read_text(encoding="utf-8")


def test_a_raw_record_and_its_result_are_found_with_exit_code_6(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (Path(RAW) / "pc.csv").read_text(encoding="utf-8").splitlines()
    head, first = (next(csv.reader([line])) for line in lines[:2])
    result, subject = (first[head.index(name)] for name in ("PCORRES", "USUBJID"))
    edit_raw(f"{result},", "424242,")
    set_mean(run, 13.5)
    remake_manifest()
    assert compare() == 6
    found = rows()
    (raw,) = [row for row in found if row["kind"] == "raw_record"]
    assert (raw["subject"], raw["key"]) == (subject, "raw file=pc.csv; raw row=1")
    assert (raw["variable"], raw["old"], raw["new"]) == ("PCORRES", result, "424242")
    (mean,) = [row for row in found if row["kind"] == "result"]
    assert mean["key"] == "cellular_kinetics.summary/CMAX/PCR/geomean"
    assert (mean["old"], mean["new"], float(mean["absolute"])) == ("12.5", "13.5", 1.0)
    changes = json.loads((OUT / "differences.json").read_text(encoding="utf-8"))
    (key,) = changes["key_results"]
    assert (key["old"], key["new"]) == (12.5, 13.5)
    for language in ("en", "zh"):
        text = Tags((OUT / f"{language}.html").read_text(encoding="utf-8")).text
        assert "13.5" in text and "+8.0%" in text and subject in text
    assert "raw_record" in capsys.readouterr().out


def test_a_setting_is_named_with_its_values(run: RunFolder) -> None:
    place = run.path("settings", "cellular_kinetics.json")
    content = json.loads(place.read_text(encoding="utf-8"))
    content["lambda_z"]["min_r2adj"] = 0.95
    place.write_text(json.dumps(content), encoding="utf-8")
    set_mean(run, 13.5)
    remake_manifest()
    assert compare() == 6
    key = "cellular_kinetics.lambda_z.min_r2adj"
    (mean,) = [row for row in rows() if row["kind"] == "result"]
    assert mean["causes"] == f"setting:{key}"
    assert key in (OUT / "zh.html").read_text(encoding="utf-8")


def test_markup_and_formulas_of_the_runs_are_shown_and_never_run(run: RunFolder) -> None:
    set_mean(run, HOSTILE)
    place = run.path("settings", "report.json")
    content = json.loads(place.read_text(encoding="utf-8"))
    content["narratives"] = {"k": {"en": f'=HYPERLINK("x"){HOSTILE}', "zh": "x"}}
    place.write_text(json.dumps(content), encoding="utf-8")
    remake_manifest()
    assert compare() == 6
    for language in ("en", "zh"):
        page = Tags((OUT / f"{language}.html").read_text(encoding="utf-8"))
        assert "script" not in page.tags
        assert HOSTILE in page.text
    news = [row["new"] for row in rows()]
    assert any(new.startswith("'=HYPERLINK") for new in news)
    assert not any(new.startswith("=") for new in news)


def test_the_same_runs_give_the_same_bytes_and_no_place_of_this_machine(
    run: RunFolder, tmp_path: Path
) -> None:
    set_mean(run, 13.5)
    remake_manifest()
    assert compare() == 6
    first = {path.name: path.read_bytes() for path in OUT.iterdir()}
    shutil.rmtree(OUT)
    # The folders may be named by their whole path.
    assert compare(str(tmp_path / "archive/first"), str(tmp_path / RUN)) == 6
    assert {path.name: path.read_bytes() for path in OUT.iterdir()} == first
    assert not [name for name, content in first.items() if str(tmp_path).encode() in content]


def test_raw_files_that_changed_after_the_run_are_not_taken_for_its_own(run: RunFolder) -> None:
    edit_raw("PCR", "PCX")
    assert compare() == 0
    remake_manifest()
    edit_raw("PCX", "PCY")
    assert compare() == 6
    assert {row["kind"] for row in rows()} == {"input"}


def test_a_run_that_is_not_what_its_manifest_says_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its record would name the wrong causes."""
    set_mean(run, 13.5)
    assert compare() == 5
    assert "ard/cellular_kinetics.parquet has changed" in capsys.readouterr().err
    assert not OUT.exists()
    # A run without a manifest can be compared; what it was made of is not known.
    run.path("manifest.json").unlink()
    assert compare() == 6
    (mean,) = [row for row in rows() if row["kind"] == "result"]
    assert mean["causes"] == "code:not recorded; environment:not recorded"


def test_footnotes_are_read_and_a_language_that_is_no_longer_made_is_not(run: RunFolder) -> None:
    output = {"id": "T25", "title": "Cmax", "status": "shown", "reason_code": "", "footnotes": []}
    for language in ("en", "zh"):
        write_json([output], run.path("tlf", language, "tlfs.json"))
        write_table(pd.DataFrame({"A": ["1"]}), run.path("tlf", language, "F22.csv"))
    remake_manifest()
    # The config of the run names English alone.
    assert compare() == 6
    found = [(row["kind"], row["object"]) for row in rows() if row["kind"] != "input"]
    assert set(found) == {("output", "en/F22"), ("wording", "en")}


@pytest.mark.parametrize("folder", ["absent", "config"])
def test_a_folder_without_a_run_is_a_sentence_and_exit_code_5(
    run: RunFolder, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare("archive/first", folder) == 5
    assert f"The folder {folder} holds no run" in capsys.readouterr().err
    assert not OUT.exists()

"""The example study: raw files in, a bilingual report out, the same bytes each time."""

from __future__ import annotations

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pikepdf
import pytest
from clones import Clone

from celldossier.simulation.layouts import RAW_COLUMNS

RUN = Path("results/CTX-101")
REPORT = "clinical-pharmacology-report"


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Spans(HTMLParser):
    """Collects the text of every element that carries a value identifier."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs).get("data-value-id")
        if given:
            self.ids.extend(given.split())


def read_value_ids(page: Path) -> list[str]:
    parser = Spans()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.ids


def test_two_runs_with_other_cores_in_other_folders_give_the_same_bytes(
    full_run: Clone, second_full_run: Clone
) -> None:
    first, second = (all_files(clone.root / RUN) for clone in (full_run, second_full_run))
    # The second run has no English report, and so no manifest.
    once = {name for name in first if name.startswith("report/en/")} | {"manifest.json"}
    assert set(first) - set(second) == once and set(second) <= set(first)
    assert [name for name in second if first[name] != second[name]] == []
    manifest = json.loads(first["manifest.json"])
    assert manifest["run_record"]


def test_the_manifest_names_every_file_and_verify_holds_the_run_against_it(full_run) -> None:
    clone = full_run
    result = clone.celldossier("verify", str(RUN))
    assert result.returncode == 0, result.stderr
    manifest = json.loads((clone.root / RUN / "manifest.json").read_text(encoding="utf-8"))
    present = {name for name in all_files(clone.root / RUN) if ".snakemake" not in name}
    assert present == set(manifest["files"]) | {"manifest.json"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pdf_has_bookmarks_embedded_fonts_and_its_language(full_run, language: str) -> None:
    with pikepdf.open(full_run.root / RUN / "report" / language / f"{REPORT}.pdf") as pdf:
        assert len(pdf.pages) > 30
        assert str(pdf.Root.Lang).startswith(language)
        assert pdf.Root.PageMode == "/UseOutlines"
        with pdf.open_outline() as outline:
            titles = [str(item.title) for item in outline.root]
        assert len(titles) >= 9 + 5
        fonts = {
            str(font["/BaseFont"]): font
            for page in pdf.pages
            for font in page.get("/Resources", {}).get("/Font", {}).values()
        }
        for font in fonts.values():
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert "/FontFile3" in descriptor or "/FontFile2" in descriptor
        assert any("Noto" in name for name in fonts)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_number_of_the_report_has_a_home_in_the_analysis_results(
    full_run, language: str
) -> None:
    run = full_run.root / RUN
    known = set(
        pd.concat(
            pd.read_parquet(file, columns=["value_id"])
            for file in sorted((run / "ard").glob("*.parquet"))
            if not file.stem.endswith("_curves")
        )["value_id"]
    )
    printed = read_value_ids(run / "report" / language / f"{REPORT}.html")
    assert len(printed) > 500
    assert set(printed) - known == set()


def test_both_languages_print_the_same_values_table_by_table(full_run) -> None:
    def values(language: str) -> dict[str, list]:
        text = (full_run.root / RUN / "tlf" / language / "tlfs.json").read_text("utf-8")
        return {
            item["id"]: sorted(re.findall(r'"([a-z_]+\.[a-z_]+/[^"]+)"', json.dumps(item)))
            for item in json.loads(text)
        }

    chinese, english = values("zh"), values("en")
    assert chinese == english
    assert sum(map(len, chinese.values())) > 500


def test_the_prose_of_both_languages_prints_the_same_values(full_run) -> None:
    run = full_run.root / RUN / "report"
    chinese, english = (read_value_ids(run / lang / f"{REPORT}.html") for lang in ("zh", "en"))
    assert sorted(chinese) == sorted(english)


def test_the_23_shells_are_there_in_both_languages(full_run) -> None:
    asked = [1, 2, 4, 5, 6, 14, 16, *range(20, 28), *range(51, 57), 60, 61, 62, 78]
    for language in ("zh", "en"):
        text = (full_run.root / RUN / "tlf" / language / "tlfs.json").read_text("utf-8")
        shown = {int(item["id"][1:3]) for item in json.loads(text) if item["status"] == "shown"}
        assert set(asked) - shown == set()


def test_the_clause_matrix_holds_every_clause_with_a_derived_status(full_run) -> None:
    matrix = pd.read_csv(full_run.root / RUN / "report/clause_matrix.csv", keep_default_na=False)
    assert list(matrix) == ["CLAUSE", "SECTION", "STATUS", "REASON_EN", "REASON_ZH", "EVIDENCE"]
    assert len(matrix) == 58
    status = matrix.set_index("CLAUSE")["STATUS"]
    assert status["S4.1-3"] == "addressed"
    assert status["S3.2-11"] == "not_applicable"
    unaddressed = matrix[matrix["STATUS"] != "addressed"]
    assert (unaddressed["REASON_EN"] != "").all()
    assert (unaddressed["REASON_ZH"] != "").all()


def test_every_raw_record_is_used_or_excluded_with_a_reason(full_run) -> None:
    checks = full_run.root / RUN / "checks"
    accounting = pd.read_csv(checks / "accounting.csv", keep_default_na=False)
    excluded = pd.read_csv(checks / "exclusions.csv", keep_default_na=False)
    assert (
        accounting["records_in"] == accounting["records_used"] + accounting["records_excluded"]
    ).all()
    assert accounting["records_excluded"].sum() == len(excluded)
    assert (excluded["reason"] != "").all()
    raw = full_run.root / "resources/studies/CTX-101"
    # A domain that the study did not collect has no file.
    collected = accounting[accounting["file"] != ""]
    names = [*RAW_COLUMNS, "be", "runs"]
    assert set(collected["file"]) == {f"{name}.csv" for name in names}
    for record in collected.to_dict("records"):
        lines = (raw / record["file"]).read_text(encoding="utf-8").splitlines()
        assert record["records_in"] == len(lines) - 1


def test_the_clean_example_gives_no_error_finding(full_run) -> None:
    findings = pd.read_csv(full_run.root / RUN / "checks/findings.csv", keep_default_na=False)
    assert (findings["severity"] != "error").all()


def test_explain_names_the_number_its_rows_and_the_hash_of_its_inputs(full_run) -> None:
    value_id = "cellular_kinetics.summary/CMAX/PCR/geomean"
    result = full_run.celldossier("explain", value_id, "--run", str(RUN))
    assert result.returncode == 0, result.stderr
    ard = pd.read_parquet(full_run.root / RUN / "ard/cellular_kinetics.parquet")
    value = ard.set_index("value_id").loc[value_id, "value"]
    assert repr(float(value)) in result.stdout
    assert re.search(r"adam/ADPP\.parquet sha256 [0-9a-f]{64}", result.stdout)


def test_no_output_names_the_machine_or_the_folder(full_run) -> None:
    clone = full_run
    for name, content in all_files(clone.root / RUN).items():
        assert str(clone.root).encode() not in content, name


def test_the_geometric_mean_cmax_is_that_of_the_raw_file(full_run) -> None:
    """Independent of the program: pandas and numpy on the raw CSV, by rules R8 to R10."""
    import numpy as np

    clone = full_run
    raw = pd.read_csv(clone.root / "resources/studies/CTX-101/pc.csv", keep_default_na=False)
    blood = raw[(raw["PCTESTCD"] == "CARPCR") & (raw["PCSPEC"] == "BLOOD")]
    late = blood[(blood["PCTPTNUM"] >= 1) & (blood["PCORRES"] != "BLQ")]
    peak = late["PCORRES"].astype(float).groupby(late["USUBJID"]).max()
    ard = pd.read_parquet(clone.root / RUN / "ard/cellular_kinetics.parquet").set_index("value_id")
    reported = ard.loc["cellular_kinetics.summary/CMAX/PCR/geomean", "value"]
    assert reported == pytest.approx(float(np.exp(np.log(peak).mean())), rel=1e-12)


def test_the_pdf_text_holds_the_reported_numbers(full_run) -> None:
    run = full_run.root / RUN
    ard = pd.read_parquet(run / "ard/cellular_kinetics.parquet").set_index("value_id")
    from celldossier.terms.language import format_significant

    reported = format_significant(ard.loc["cellular_kinetics.summary/CMAX/PCR/geomean", "value"], 3)
    for language in ("zh", "en"):
        file = run / "report" / language / f"{REPORT}.pdf"
        text = subprocess.run(
            ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
        ).stdout
        assert reported in text
        assert ("细胞动力学" in text) == (language == "zh")

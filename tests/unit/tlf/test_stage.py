"""The stage as a whole: numbers of the outputs, both languages, hashes, and files."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from celldossier.io.resources import shared_path
from celldossier.settings.read import read_model
from celldossier.settings.tlfs import Tlf, TlfCatalogue
from celldossier.terms.language import Language
from celldossier.tlf.footnotes import assay_footnotes
from celldossier.tlf.model import Figure
from celldossier.tlf.stage import RunInputs, hash_inputs, number_tlfs, render_tlfs

TITLE = {"en": "Title", "zh": "标题"}
Files = dict[str, bytes]


def make_catalogue(*entries: dict[str, Any]) -> TlfCatalogue:
    defaults = {"section": "S4.1", "title": TITLE, "draw": "tables_kinetics.concentrations"}
    defaults |= {"stage": "cellular_kinetics"}
    return TlfCatalogue.model_validate({"tlfs": [{**defaults, **entry} for entry in entries]})


DRAWN_ELSEWHERE = (
    *("T17", "T67", "T67a", "T57", "T57a", "T56b", "T56c", "T56e", "T62b", "T63b", "T68", "T69"),
    *("T69a", "T70", "T70a", "T65b", "T49a", "T49b", "T71", "T72a", "T72b", "T72c", "T72d"),
    *("T06a", "T06b", "L06", "T77", "T79", "L79", "T79a", "T79b", "T79c", "T79d"),
    "T80a",
)
"""Tables that the made-up run has no results of; tests of their own draw them."""

DRAWN_HERE = ("T14", "T81", "T81a")
"""Of the stages of the doses and of the markers, what the made-up run has results of."""


def is_drawn_here(tlf: Tlf) -> bool:
    """Whether the made-up run has results of the output; figures have tests of their own."""
    if tlf.kind == "figure" or tlf.id in DRAWN_ELSEWHERE:
        return False
    return tlf.stage not in ("dose_exploration", "pharmacodynamics") or tlf.id in DRAWN_HERE


@pytest.fixture(scope="module")
def tables() -> TlfCatalogue:
    """The declared tables and listings that the made-up run has results of."""
    catalogue = read_model(shared_path("config", "tlfs.yaml"), TlfCatalogue)
    assert {*DRAWN_ELSEWHERE, *DRAWN_HERE} <= {tlf.id for tlf in catalogue.tlfs}
    return TlfCatalogue(tlfs=tuple(tlf for tlf in catalogue.tlfs if is_drawn_here(tlf)))


@pytest.fixture(scope="module")
def rendered(tables: TlfCatalogue, inputs: RunInputs) -> dict[str, Files]:
    return {code: dict(render_tlfs(tables, inputs, Language(code))) for code in ("zh", "en")}


def records(files: Files) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(files["tlfs.json"])
    return read


def test_both_languages_print_the_same_value_ids_table_by_table(
    rendered: dict[str, Files],
) -> None:
    chinese, english = records(rendered["zh"]), records(rendered["en"])
    assert [r["id"] for r in chinese] == [r["id"] for r in english]
    for zh, en in zip(chinese, english, strict=True):
        cells = [
            [[c["value_ids"] for c in row["cells"]] for row in record["table"]["rows"]]
            for record in (zh, en)
        ]
        assert cells[0] == cells[1], zh["id"]
        assert zh["value_ids"] == en["value_ids"]
        assert zh["hash"] == en["hash"]
    printed = sum(len(record["value_ids"]) for record in english)
    assert printed > 400


def test_every_declared_table_is_shown_with_its_footnotes(rendered: dict[str, Files]) -> None:
    for language, cut_off, source in (
        ("en", "Data cut-off: 2025-12-15.", "Hash of the inputs: {}."),
        ("zh", "数据截止日期：2025-12-15。", "输入文件哈希：{}。"),
    ):
        for record in records(rendered[language]):
            assert record["status"] == "shown", record["id"]
            # T63a holds one model, which was refused.
            assert (record["subjects"] >= 3) == (record["id"] != "T63a"), record["id"]
            assert cut_off in record["footnotes"]
            assert record["footnotes"][-1].endswith(source.format(record["hash"]))
            assert {f"{record['id']}.csv", f"{record['id']}.html"} <= set(rendered[language])


def test_outputs_of_the_kinetics_name_assay_and_limit_of_each_analyte(
    rendered: dict[str, Files],
) -> None:
    for record in records(rendered["en"]):
        if record["id"] in ("T24", "T25", "T26", "T27"):
            notes = record["footnotes"]
            assert (
                "PCR label: platform, blood; LLOQ 50 copies/µg unless a record states another."
                in notes
            )
            assert "FLOW label: platform, blood; LLOQ as given with each record." in notes


def test_a_half_life_never_stands_without_its_rule_and_the_cut_off(
    rendered: dict[str, Files],
) -> None:
    with_half_life = [
        record
        for record in records(rendered["en"])
        if any("/LAMZHL/" in value_id for value_id in record["value_ids"])
    ]
    assert [record["id"] for record in with_half_life] == ["T25", "T26", "T27", "T28"]
    for record in with_half_life:
        rule = (
            "at least 3 points after the peak, adjusted R² ≥ 0.8, window of at least 2 half-lives"
        )
        assert any(rule in note and "2025-12-15" in note for note in record["footnotes"])


def test_the_half_lives_of_phases_never_stand_without_their_window_and_the_cut_off(
    rendered: dict[str, Files],
) -> None:
    named = [r for r in records(rendered["en"]) if any("/HLCON/" in v for v in r["value_ids"])]
    assert [record["id"] for record in named] == ["T29", "T29a"]
    for record in named:
        for end in ("HLCONLL", "HLCONUL"):
            assert any(f"/{end}/" in value_id for value_id in record["value_ids"])
        assert any("follow-up to the data cut-off (2025-12-15)" in n for n in record["footnotes"])


def test_every_missing_value_is_explained_below_its_table(rendered: dict[str, Files]) -> None:
    marked = 0
    for record in records(rendered["en"]):
        marks = {
            letter
            for row in record["table"]["rows"]
            for cell in row["cells"]
            for letter in cell["mark"].split(",")
            if letter
        }
        marked += len(marks)
        for letter in marks:
            assert any(note.startswith(f"{letter} ") for note in record["footnotes"])
        for row in record["table"]["rows"]:
            for cell in row["cells"]:
                if "NC" in cell["text"].split(" ")[0]:
                    assert cell["mark"], (record["id"], cell)
    assert marked >= 5


def test_outputs_are_numbered_by_kind_within_their_section() -> None:
    catalogue = make_catalogue(
        {"id": "T01", "section": "S2"},
        {"id": "T24"},
        {"id": "F20"},
        {"id": "T25"},
        {"id": "L38"},
        {"id": "T06", "section": "S4.3"},
    )
    assert number_tlfs(catalogue, Language("en")) == [
        "Table 2-1", "Table 4.1-1", "Figure 4.1-1", "Table 4.1-2", "Listing 4.1-1", "Table 4.3-1",
    ]  # fmt: skip
    assert number_tlfs(catalogue, Language("zh"))[:3] == ["表2-1", "表4.1-1", "图4.1-1"]


def test_the_page_of_a_figure_holds_also_the_pages_that_the_report_leaves_out(
    inputs: RunInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure as MatplotlibFigure

    pages = tuple(MatplotlibFigure(figsize=(1, 1)) for _ in range(3))
    for page, name in zip(pages, "abc", strict=True):
        page.text(0.5, 0.5, name)
    figure = Figure(pages, pd.DataFrame({"A": [1]}), subjects=3, printed=2)
    monkeypatch.setattr("celldossier.tlf.stage.find_drawing", lambda name: lambda context: figure)
    files = dict(render_tlfs(make_catalogue({"id": "F20"}), inputs, Language("en")))
    assert records(files)[0]["images"] == ["F20.svg", "F20-2.svg"]
    assert {"F20.svg", "F20-2.svg", "F20-3.svg"} <= set(files)
    assert files["F20.html"].count(b"<img") == 3


def test_an_output_that_is_not_shown_keeps_its_number_and_says_why(inputs: RunInputs) -> None:
    nothing = {name: frame.iloc[:0] for name, frame in {"x": inputs.results("study_data")}.items()}
    empty = replace(inputs, results=lambda stage: nothing["x"])
    catalogue = make_catalogue(
        {"id": "T24"}, {"id": "T25", "draw": "tables_kinetics.nca_parameters"}
    )
    files = dict(render_tlfs(catalogue, empty, Language("zh")))
    assert set(files) == {"tlfs.json"}
    assert [(r["number"], r["status"], r["reason_code"]) for r in records(files)] == [
        ("表4.1-1", "not_shown", "NOTCOLL"),
        ("表4.1-2", "not_shown", "NOTCOLL"),
    ]
    assert records(files)[0]["reason"] == "本研究未收集"


def test_the_hash_changes_with_its_own_inputs_only() -> None:
    tlf = make_catalogue({"id": "T24", "datasets": ["ADNCA"], "settings": ["bioanalysis"]}).tlfs[0]
    files = {
        "ard/cellular_kinetics.parquet": "1",
        "adam/ADNCA.parquet": "2",
        "settings/bioanalysis.json": "3",
        "ard/study_data.parquet": "4",
    }

    def hash_of(changed: str = "") -> str:
        return hash_inputs(tlf, lambda path: files[path] + ("x" if path == changed else ""))

    assert len(hash_of()) == 12
    assert hash_of("ard/study_data.parquet") == hash_of()
    for path in list(files)[:3]:
        assert hash_of(path) != hash_of()


def test_a_dataset_that_is_not_declared_cannot_be_read(inputs: RunInputs) -> None:
    catalogue = make_catalogue(
        {"id": "L78", "draw": "tables_immunogenicity.ada_listing", "stage": "immunogenicity"}
    )
    with pytest.raises(KeyError, match="ADIM"):
        dict(render_tlfs(catalogue, inputs, Language("en")))


def test_a_value_that_no_stage_computed_stops_the_rendering(inputs: RunInputs) -> None:
    results = inputs.results("cellular_kinetics")
    without = results[~results["value_id"].str.endswith("CMAX/PCR/dose=DL1/geomean")]
    assert len(without) == len(results) - 1
    broken = replace(inputs, results=lambda stage: without)
    catalogue = make_catalogue(
        {"id": "T26", "draw": "tables_kinetics.nca_parameters", "options": {"by": "dose"}}
    )
    with pytest.raises(KeyError, match="no stage has computed"):
        dict(render_tlfs(catalogue, broken, Language("en")))


def test_two_runs_give_the_same_bytes(
    rendered: dict[str, Files], tables: TlfCatalogue, inputs: RunInputs
) -> None:
    assert dict(render_tlfs(tables, inputs, Language("en"))) == rendered["en"]


def test_markup_in_the_data_is_text_on_the_page(rendered: dict[str, Files]) -> None:
    page = rendered["en"]["T02.html"].decode()
    assert "not included: &lt;b&gt;own words&lt;/b&gt;" in page
    assert "<b>own words" not in page


def test_cells_on_the_page_carry_their_value_ids(rendered: dict[str, Files]) -> None:
    page = rendered["zh"]["T02.html"].decode()
    place = "study_data.populations/-/-/population=CK"
    assert f'<td class="center" data-value-id="{place}/n {place}/pct">9 (90.0)</td>' in page
    assert '<meta charset="utf-8">' in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_csv_of_a_table_holds_every_printed_value_in_full(rendered: dict[str, Files]) -> None:
    import io

    frame = pd.read_csv(io.BytesIO(rendered["en"]["T25.csv"]), keep_default_na=False)
    line = frame[frame["VALUE_IDS"] == "cellular_kinetics.summary/CMAX/PCR/geomean"].iloc[0]
    assert line["TEXT"] == "27700"
    assert float(line["VALUES"]) == pytest.approx((34712 * 12050 * 51000) ** (1 / 3), rel=1e-15)


def test_many_analytes_share_a_line_where_they_share_a_method(settings: dict[str, Any]) -> None:
    codes = ["IL6", "IFNG", "CRP", "NEUT", "LYM"]
    platforms = dict(zip(codes, ["immunoassay"] * 3 + ["cell counter"] * 2, strict=True))
    assays = [
        {
            "analyte": code,
            "label": {"en": code, "zh": code},
            "platform": {"en": platforms[code], "zh": platforms[code]},
            "matrix": {"en": "blood", "zh": "全血"},
            "lloq": 1.5 if code == "IL6" else None,
            "unit": "pg/mL",
        }
        for code in codes
    ]
    declared = {**settings, "bioanalysis": {"assays": assays}}
    assert len(assay_footnotes(codes[:4], Language("en"), declared)) == 4
    assert assay_footnotes([*codes, "XX"], Language("en"), declared)[:2] == [
        "immunoassay, blood: IL6 (1.5 pg/mL), IFNG, CRP.",
        "cell counter, blood: NEUT, LYM.",
    ]
    for words in (Language("en"), Language("zh")):
        lines = assay_footnotes([*codes, "XX"], words, declared)
        assert len(lines) == 4 and "XX" in lines[-1]

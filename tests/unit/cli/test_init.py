"""`celldossier init`: a config that can be loaded, each guess and each gap marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from celldossier.cli import main
from celldossier.cli.new_config import make_code
from celldossier.io.find_tables import guess_layout
from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import read_model
from celldossier.study_data.stage import derive_study_data

CTX101 = shared_path("resources", "studies", "CTX-101")


def initialise(folder: Path, output: Path, *more: str) -> Settings:
    assert main(["init", str(folder), "-o", str(output), *more]) == 0
    return read_model(output, Settings)


def derive(settings: Settings):
    raw = read_domains(settings.study_data)
    return derive_study_data(raw, settings.study_data, settings.bioanalysis, settings.study)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("init") / "ctx.yaml"
    return path, initialise(CTX101, path)


def test_the_config_of_the_example_folder_reads_all_its_domains(written):
    _, settings = written
    found = {domain.lower() for domain in settings.study_data.sources}
    assert found >= {"dm", "ex", "pc", "lb", "is", "ae", "rs", "cm", "lots"}
    for domain, (source,) in settings.study_data.sources.items():
        assert source.file == f"{domain.lower()}.csv"
    data = derive(settings)
    faults = data.findings[data.findings["severity"] == "error"]
    # What is left is a matter of the results (cellular responses), not of files and columns.
    assert set(faults["domain"]) <= {"IS"}
    accounting = data.accounting[data.accounting["file"] != ""]
    assert (accounting["records_in"] > 0).all()


def test_assays_units_and_limits_are_those_of_the_results(written):
    _, settings = written
    assays = {assay.analyte: assay for assay in settings.bioanalysis.assays}
    assert (assays["CARFLOW"].domain, assays["CARFLOW"].unit) == ("CK", "cells/uL")
    assert (assays["IL6"].domain, assays["IL6"].unit, assays["IL6"].lloq) == ("PD", "pg/mL", 1.5)
    assert settings.study_data.blq_texts == ("BLQ",)
    assert settings.study.id == "CTX-101"


def test_guesses_say_why_and_gaps_say_what(written):
    text = written[0].read_text(encoding="utf-8")
    assert "file: dm.csv  # guessed: by the name of the file" in text
    assert "product_class: other_immune  # to be completed: car_t, tcr_t," in text
    assert "data_cutoff: 2025-" in text and "# guessed: the last date in the files" in text
    # A file that was not taken is named.
    assert "truth_subjects.csv" in text


def write_chinese_study(folder: Path) -> Path:
    tables = {
        "受试者": [
            "研究编号;受试者编号;年龄;性别;体重;剂量组",
            "研究甲;01-001;45;女;70,5;低剂量",
            "研究甲;01-002;51;男;60,0;低剂量",
        ],
        "输注": [
            "受试者编号;EXCAT;药物;剂量;剂量单位;输注日期",
            "01-001;CELL PRODUCT;X;98,5;10^6 cells;2024年3月1日",
            "01-002;CELL PRODUCT;X;101,0;10^6 cells;2024年3月2日",
        ],
        "ck": [
            "受试者编号;检测代码;结果;单位;样本类型;采样日期;计划时间",
            "01-001;CARPCR;低于定量下限;copies/ug;BLOOD;2024年3月1日;0",
            "01-001;CARPCR;1200,5;copies/ug;BLOOD;2024年3月8日;7",
        ],
    }
    folder.mkdir()
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_bytes("\n".join([*lines, ""]).encode("gb18030"))
    return folder


def test_a_chinese_export_with_semicolons_is_recognised(tmp_path):
    folder = write_chinese_study(tmp_path / "raw")
    settings = initialise(folder, tmp_path / "new.yaml", "--study", "S-1")
    (dm,), (pc,) = settings.study_data.sources["DM"], settings.study_data.sources["PC"]
    assert (dm.encoding, dm.delimiter, dm.decimal) == ("gb18030", ";", ",")
    assert dm.columns["USUBJID"] == "受试者编号"
    assert dm.values["SEX"] == {"女": "F", "男": "M"}
    assert pc.dates == {"ALL": ("%Y年%m月%d日",)}
    assert settings.study_data.blq_texts == ("低于定量下限",)
    assert (settings.study.id, settings.study.trials[0].id) == ("S-1", "研究甲")
    data = derive(settings)
    assert data.datasets["ADSL"].set_index("USUBJID")["WTBL"].to_dict() == {
        "01-001": 70.5,
        "01-002": 60.0,
    }
    assert data.datasets["ADEX"]["ADTM"].tolist() == ["2024-03-01", "2024-03-02"]
    assert 1200.5 in data.datasets["ADPC"]["AVAL"].tolist()


def test_dates_with_two_readings_are_left_to_be_completed(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "dm.csv").write_text("USUBJID,ARM,DTHDTC\nA,x,01/02/2024\nB,x,03/04/2024\n")
    settings = initialise(folder, tmp_path / "new.yaml")
    assert settings.study_data.sources["DM"][0].dates == {}
    text = (tmp_path / "new.yaml").read_text(encoding="utf-8")
    assert '# dates: ["%d/%m/%Y", "%m/%d/%Y"]  # to be completed' in text
    # A domain that every study needs is there, to be completed.
    assert "EX: {file: ex.csv}  # to be completed" in text


def test_texts_of_the_files_can_neither_break_nor_extend_the_config(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    evil = "x: !!python/object/apply:os.system [id] #\"'{{ 7*7 }}"
    (folder / "dm.csv").write_text(
        f'USUBJID,ARM,SEX,STUDYID\nA,x,"{evil.replace(chr(34), chr(34) * 2)}",S\n'
    )
    settings = initialise(folder, tmp_path / "new.yaml")
    assert settings.study_data.sources["DM"][0].values == {"SEX": {}}
    assert "49" not in (tmp_path / "new.yaml").read_text(encoding="utf-8")


def test_a_config_that_is_there_is_never_overwritten(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("mine", encoding="utf-8")
    assert main(["init", str(CTX101), "-o", str(path)]) == 2
    assert "it is not overwritten" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["nowhere"], "does not exist"),
        (["."], "no table that can be read"),
        ([str(CTX101), "--study", "a b"], "cannot name a run"),
    ],
)
def test_what_cannot_be_initialised_is_said(tmp_path, monkeypatch, capsys, arguments, part):
    monkeypatch.chdir(tmp_path)
    assert main(["init", *arguments]) == 2
    assert part in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_used(tmp_path, capsys):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "dm.csv").write_text("USUBJID,ARM\nA,x\n")
    (folder / "pc.csv").write_text("A,B\n1\n")
    initialise(folder, tmp_path / "new.yaml")
    assert "pc.csv: FILEUNREADABLE" in capsys.readouterr().out


def test_the_layout_of_a_tab_file_needs_no_entry(tmp_path):
    (tmp_path / "a.tsv").write_text("A\tB\n1\t2\n")
    layout = guess_layout(tmp_path / "a.tsv")
    assert (layout.encoding, layout.delimiter) == ("auto", "auto")
    assert make_code("2B-4") == "A_2B_4"

"""Encodings, delimiters, headers, workbooks: read as declared, named where they are not."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.io import delimited
from celldossier.io.table_faults import Layout, TableFault
from celldossier.io.tables import label_sources, read_domains, read_raw_table
from celldossier.settings.sources import Source
from celldossier.settings.study_data import StudyDataSettings

TEXT = "USUBJID,ARM\nA,剂量一\nB,é\n"


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def as_lists(table):
    return table.frame.to_numpy().tolist()


def fault_of(path, **layout):
    with pytest.raises(TableFault) as caught:
        read_raw_table(path, Layout(**layout))
    return caught.value.rule, caught.value.detail, caught.value.hint


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8", "utf-8-sig"])
def test_text_is_read_in_its_declared_encoding(tmp_path, encoding):
    path = write(tmp_path / "dm.csv", TEXT.encode(encoding))
    declared = encoding.removesuffix("-sig")
    assert as_lists(read_raw_table(path, Layout(encoding=declared))) == [
        ["A", "剂量一"],
        ["B", "é"],
    ]


def test_auto_takes_utf_8_only_and_names_what_the_bytes_could_be(tmp_path):
    path = write(tmp_path / "dm.csv", TEXT.encode("gb18030"))
    assert fault_of(path) == ("FILENOTUTF8", "2", "gb18030")
    assert fault_of(write(path, TEXT.encode("utf-16"))) == ("FILENOTUTF8", "1", "utf-16")


def test_a_declared_encoding_that_does_not_fit_is_named(tmp_path):
    path = write(tmp_path / "dm.csv", b"USUBJID\nA\n\xff\xff\n")
    assert fault_of(path, encoding="gb18030") == ("FILEENCODING", "3", "gb18030")


@pytest.mark.parametrize(("name", "sign"), [(";", ";"), ("tab", "\t"), ("|", "|"), (",", ",")])
def test_cells_are_split_at_the_declared_sign(tmp_path, name, sign):
    path = write(tmp_path / "dm.csv", TEXT.replace(",", sign))
    assert as_lists(read_raw_table(path, Layout(delimiter=name)))[0] == ["A", "剂量一"]


def test_a_wrong_delimiter_is_one_fault(tmp_path):
    path = write(tmp_path / "dm.csv", "A;B;C\n1;2,5;3\n1;2;3\n")
    assert fault_of(path) == ("DELIMITERWRONG", ",", ";")
    assert fault_of(path, delimiter="tab") == ("DELIMITERWRONG", "tab", ";")


def test_the_header_may_stand_below_the_first_line(tmp_path):
    path = write(tmp_path / "dm.csv", "Study S1\nexported,by,hand\nA,B\n1,2\n")
    table = read_raw_table(path, Layout(header_row=3))
    assert table.names == ("A", "B")
    assert as_lists(table) == [["1", "2"]]
    assert table.frame.index.tolist() == [1]
    assert fault_of(path, header_row=9) == ("HEADERMISSING", "9", "")
    book = openpyxl.Workbook()
    for row in (["Study S1"], ["A", "B"], [1, "x"]):
        book.active.append(row)
    book.save(tmp_path / "dm.xlsx")
    assert as_lists(read_raw_table(tmp_path / "dm.xlsx", Layout(header_row=2))) == [["1", "x"]]
    assert fault_of(tmp_path / "dm.xlsx", header_row=4) == ("HEADERMISSING", "4", "")


def test_cells_with_errors_and_formulas_without_value_are_found(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["USUBJID", "AGE", "WTBL"])
    book.active.append(["A", "#N/A", "=B2*2"])
    book.active["B2"].data_type = "e"
    book.save(tmp_path / "dm.xlsx")
    table = read_raw_table(tmp_path / "dm.xlsx", Layout())
    assert as_lists(table) == [["A", "", ""]]
    assert [(f.row, f.column, f.text) for f in table.cell_faults] == [
        (1, "AGE", "#N/A"),
        (1, "WTBL", "formula without a stored value"),
    ]


def test_an_error_in_a_mapped_cell_is_a_finding(study, tmp_path):
    book = openpyxl.Workbook()
    table = study.tables["DM"].assign(OTHER="1")
    book.active.append(list(table.columns))
    for row in table.to_numpy().tolist():
        book.active.append(row)
    for column in ("AGE", "OTHER"):
        place = book.active.cell(3, list(table.columns).index(column) + 1)
        place.value, place.data_type = "#REF!", "e"
    book.save(tmp_path / "dm.xlsx")
    study.sources["DM"] = {"file": "dm.xlsx"}
    raw = read_domains(
        StudyDataSettings.model_validate({"root": ".", "sources": study.sources}), tmp_path
    )
    findings = study.derive(replaced={"DM": raw["DM"]}).findings
    found = findings[findings["rule_id"] == "CELLERROR"]
    assert found[["domain", "file", "row", "column", "subject", "value"]].to_numpy().tolist() == [
        ["DM", "dm.xlsx", 2.0, "AGE", "B", "#REF!"]
    ]


def test_a_root_below_the_shared_folder_stays_below_it(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    write(tmp_path / "set" / "dm.csv", "USUBJID\nA\n")
    sources = {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}}

    def read(root):
        settings = StudyDataSettings.model_validate({"root": root, "sources": sources})
        return read_domains(settings)["DM"][0]

    monkeypatch.delenv("CELLDOSSIER_SHARED", raising=False)
    assert read("shared:set").fault == "SHAREDMISSING"
    monkeypatch.setenv("CELLDOSSIER_SHARED", str(tmp_path))
    assert read("shared:set").table["USUBJID"].tolist() == ["A"]
    assert read("shared:../set").fault == "FILEOUTSIDE"
    # No other variable is looked up.
    assert read("$CELLDOSSIER_SHARED/set").fault == "FILEMISSING"


@pytest.mark.parametrize("epoch", [datetime(1899, 12, 30), datetime(1904, 1, 1)])
def test_date_cells_are_read_in_the_date_system_of_the_workbook(tmp_path, epoch):
    book = openpyxl.Workbook()
    book.epoch = epoch
    book.active.append(["PCDTC"])
    book.active.append([datetime(2024, 3, 1, 9, 30)])
    book.save(tmp_path / "pc.xlsx")
    assert as_lists(read_raw_table(tmp_path / "pc.xlsx", Layout())) == [["2024-03-01T09:30:00"]]


def test_only_wanted_columns_are_read_whatever_their_number(tmp_path):
    names = [f"X{number}" for number in range(5000)]
    line = ",".join(["1"] * 5000)
    path = write(tmp_path / "wide.csv", "\n".join([",".join(names), *[line] * 100]) + "\n")
    table = read_raw_table(path, Layout(wanted=frozenset({"X7", "X4999", "ELSEWHERE"})))
    assert list(table.frame.columns) == ["X7", "X4999"]
    assert len(table.names) == 5000


def test_sources_of_one_file_are_told_apart():
    def label(*sources):
        return label_sources([Source.model_validate(source) for source in sources])

    assert label({"file": "a.csv"}, {"file": "b.csv"}) == ["a.csv", "b.csv"]
    assert label({"file": "a.xlsx", "sheet": "x"}, {"file": "a.xlsx", "sheet": "y"}) == [
        "a.xlsx[x]",
        "a.xlsx[y]",
    ]
    assert label({"file": "a.csv"}, {"file": "a.csv"}) == ["a.csv#1", "a.csv#2"]


def read_both(text, delimiter=","):
    """Answer of the reader with its fast path, and of the slow reader alone."""

    def outcome(read):
        try:
            table = read()
        except TableFault as fault:
            return fault.rule, fault.detail, fault.hint
        return table.names, table.frame.index.tolist(), as_lists(table)

    layout = Layout()
    fast = outcome(
        lambda: (
            delimited.read_plain(text, delimiter, layout)
            or delimited.read_slowly(text, delimiter, layout)
        )
    )
    return fast, outcome(lambda: delimited.read_slowly(text, delimiter, layout))


WEIRD = st.lists(
    st.sampled_from(
        [
            "a",
            "1,5",
            ",",
            ",",
            '"',
            '""',
            "\n",
            "\n",
            "\r\n",
            "\r",
            " ",
            "受",
            ";",
            "é",
            "\ufeff",
            "\t",
            "NA",
        ]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=600, deadline=None)
@given(text=WEIRD)
def test_both_readers_of_text_agree_on_anything(text):
    fast, slow = read_both(text)
    assert fast == slow


CELL = st.text(st.sampled_from('a1,;" 受é\n\r\t'), max_size=5)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    quoting=st.sampled_from([csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_well_formed_text_comes_back_as_it_was_written(rows, quoting, ending):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=quoting, lineterminator=ending)
    writer.writerows([["x", "y", "z"], *rows])
    fast, slow = read_both(stream.getvalue())
    assert fast == slow
    assert fast[2] == rows


def test_large_files_go_through_the_fast_reader(tmp_path, monkeypatch):
    text = "USUBJID,LBORRES\n" + "".join(f'"S{n % 50}",{n % 7}\n' for n in range(200_000))
    path = write(tmp_path / "lb.csv", text)
    monkeypatch.setattr(delimited, "read_slowly", None)
    table = read_raw_table(path, Layout())
    assert len(table.frame) == 200_000
    # Equal texts are one object, whatever the number of cells.
    assert len({id(cell) for cell in table.frame["USUBJID"]}) == 50


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=120) | WEIRD.map(lambda text: text.encode()))
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_whatever_bytes_a_file_holds_there_is_a_table_or_a_named_finding(
    tmp_path_factory, ending, content
):
    path = write(tmp_path_factory.mktemp("raw") / f"dm{ending}", content)
    try:
        table = read_raw_table(path, Layout())
    except TableFault as fault:
        assert fault.rule.isupper()
    else:
        assert isinstance(table.frame, pd.DataFrame)

"""Raw tables of every format are read as the same text; what cannot be read is named."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from celldossier.errors import InputDataError, RunError
from celldossier.io.tables import (
    TableFault,
    locate_raw_files,
    read_checks,
    read_domains,
    read_input_table,
    read_table,
)
from celldossier.settings.study_data import StudyDataSettings

ROWS = [["A", "1.5", "NA"], ["B", "", "None"], ["受试者", "0.1", "x"]]
HEADER = ["USUBJID", "PCORRES", "VISIT"]


def as_lists(table: pd.DataFrame) -> list[list[str]]:
    return table.to_numpy().tolist()


def fault_of(path, sheet=""):
    with pytest.raises(TableFault) as caught:
        read_table(path, sheet)
    return caught.value


def write_text(path, rows, delimiter, encoding="utf-8"):
    lines = [delimiter.join(row) for row in [HEADER, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def write_workbook(path, rows):
    workbook = openpyxl.Workbook()
    workbook.active.title = "other"
    sheet = workbook.create_sheet("raw")
    for row in [HEADER, *rows]:
        sheet.append(row)
    workbook.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize(("ending", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_delimited_text_is_read_with_and_without_a_byte_order_mark(
    tmp_path, ending, delimiter, encoding
):
    table = read_table(write_text(tmp_path / f"raw{ending}", ROWS, delimiter, encoding))
    assert list(table.columns) == HEADER
    assert as_lists(table) == ROWS
    assert table.index.tolist() == [1, 2, 3]


def test_no_text_is_taken_for_a_missing_value(tmp_path):
    words = ["NA", "None", "nan", "NULL", "N/A", "", "-"]
    rows = [[word, word, word] for word in words]
    table = read_table(write_text(tmp_path / "raw.csv", rows, ","))
    assert table["VISIT"].tolist() == words


def test_empty_lines_are_skipped_but_counted(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("A,B\n1,2\n\n3,4\n\n", encoding="utf-8")
    table = read_table(path)
    assert as_lists(table) == [["1", "2"], ["3", "4"]]
    assert table.index.tolist() == [1, 3]


def test_quoted_cells_may_hold_delimiters_and_line_ends(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text('A,B\n"x, ""y""","1\n2"\n', encoding="utf-8")
    assert as_lists(read_table(path)) == [['x, "y"', "1\n2"]]


def test_other_encodings_are_refused_with_the_line(tmp_path):
    path = write_text(tmp_path / "raw.csv", ROWS, ",", "gb18030")
    fault = fault_of(path)
    assert (fault.rule, fault.detail, fault.hint) == ("FILENOTUTF8", "4", "gb18030")


def test_a_row_with_too_many_cells_is_a_fault_that_names_it(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("A,B\n1,2\n1,2,3\n", encoding="utf-8")
    fault = fault_of(path)
    assert fault.rule == "FILEUNREADABLE"
    assert "row 2 (line 3) has 3 cells where the header has 2" in fault.detail


def test_all_rows_of_another_length_are_named_at_once_and_many_are_counted(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("A,B\n1\n1,2\n1,2,3\n" + "1,2,3\n" * 10, encoding="utf-8")
    detail = fault_of(path).detail
    assert "row 1 (line 2) has 1 cells; row 3 (line 4) has 3 cells;" in detail
    assert "; and 2 more rows where the header has 2" in detail


def test_a_nul_character_is_a_fault_that_names_the_line(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_bytes(b"A,B\n1,2\n1,\x002\n")
    fault = fault_of(path)
    assert (fault.rule, fault.detail) == ("FILEUNREADABLE", "line 3 holds a NUL character")


def test_an_unclosed_quote_is_a_fault(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text('A,B\n"1,2\n', encoding="utf-8")
    assert fault_of(path).rule == "FILEUNREADABLE"


def test_a_sheet_of_a_workbook_is_read_as_text(tmp_path):
    rows = [
        ["A", 1.5, datetime(2024, 3, 1, 9, 30)],
        ["B", 3, date(2024, 3, 2)],
        [None, None, None],
        ["受试者", 0.1, "NA"],
    ]
    table = read_table(write_workbook(tmp_path / "raw.xlsx", rows), "raw")
    assert as_lists(table) == [
        ["A", "1.5", "2024-03-01T09:30:00"],
        ["B", "3", "2024-03-02"],
        ["受试者", "0.1", "NA"],
    ]
    assert table.index.tolist() == [1, 2, 4]


def test_a_missing_sheet_is_named(tmp_path):
    fault = fault_of(write_workbook(tmp_path / "raw.xlsx", ROWS), "PC")
    assert (fault.rule, fault.detail) == ("SHEETMISSING", "PC")


def test_a_workbook_that_is_none_is_a_fault(tmp_path):
    path = tmp_path / "raw.xlsx"
    path.write_bytes(b"no zip archive")
    assert fault_of(path).rule == "FILEUNREADABLE"


def test_a_transport_file_keeps_all_rows_and_its_dates(tmp_path):
    # pandas.read_sas drops the last row here, since its last text is blank.
    frame = pd.DataFrame(
        {
            "USUBJID": ["A", "B", "C"],
            "PCDTC": [date(2024, 3, 1), date(2024, 3, 2), None],
            "DOSE": [1.0, np.nan, 0.1],
            "VISIT": ["NA", "x", ""],
        }
    )
    path = tmp_path / "pc.xpt"
    pyreadstat.write_xport(frame, str(path), file_format_version=5, table_name="PC")
    assert as_lists(read_table(path)) == [
        ["A", "2024-03-01", "1", "NA"],
        ["B", "2024-03-02", "", "x"],
        ["C", "", "0.1", ""],
    ]


@pytest.mark.parametrize("ending", [".xpt", ".sas7bdat", ".parquet"])
def test_a_broken_binary_file_is_a_fault(tmp_path, ending):
    path = tmp_path / f"raw{ending}"
    path.write_bytes(b"\x00\x01 this is not it" * 50)
    assert fault_of(path).rule == "FILEUNREADABLE"


def test_parquet_gives_numbers_dates_and_blanks_as_text(tmp_path):
    frame = pd.DataFrame(
        {
            "USUBJID": ["A", None],
            "DOSE": [np.nan, 100.0],
            "SEQ": [1, 2],
            "DTC": pd.to_datetime(["2024-03-01T09:30", None]),
            "FLAG": [True, False],
        }
    )
    frame.to_parquet(tmp_path / "raw.parquet")
    assert as_lists(read_table(tmp_path / "raw.parquet")) == [
        ["A", "", "1", "2024-03-01T09:30:00", "TRUE"],
        ["", "100", "2", "", "FALSE"],
    ]


def test_two_columns_of_one_name_are_a_fault(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("A,B,A\n1,2,3\n", encoding="utf-8")
    fault = fault_of(path)
    assert (fault.rule, fault.detail) == ("COLUMNTWICE", "A")


def test_missing_empty_and_unknown_files_are_told_apart(tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "raw.pkl").touch()
    assert fault_of(tmp_path / "raw.csv").rule == "FILEMISSING"
    assert fault_of(tmp_path / "empty.csv").rule == "FILEEMPTY"
    # Pickles and archives are never opened.
    for name in ("raw.pkl", "raw.zip", "raw.csv.gz", "raw"):
        assert fault_of(tmp_path / name).rule == "FILETYPE"


def settings_of(root, file="dm.csv"):
    return StudyDataSettings.model_validate(
        {"root": root, "sources": {"DM": {"file": file}, "EX": {"file": "ex.csv"}}}
    )


def test_faults_of_the_files_are_kept_for_the_findings(tmp_path):
    write_text(tmp_path / "dm.csv", ROWS, ",")
    domains = read_domains(settings_of("."), tmp_path)
    assert domains["DM"][0].table is not None and domains["DM"][0].fault == ""
    assert (domains["EX"][0].table, domains["EX"][0].fault) == (None, "FILEMISSING")
    assert domains["EX"][0].file == "ex.csv"


def test_a_file_may_not_lie_outside_the_root(tmp_path):
    (tmp_path / "raw").mkdir()
    write_text(tmp_path / "dm.csv", ROWS, ",")
    settings = settings_of("raw", "../dm.csv")
    assert read_domains(settings, tmp_path)["DM"][0].fault == "FILEOUTSIDE"
    assert set(locate_raw_files(settings, tmp_path)) == {"EX"}


@pytest.mark.parametrize("name", ["a\0b.csv", "d" * 300 + ".csv", "药" * 100 + ".csv"])
def test_a_name_that_no_file_can_have_is_a_missing_file(name, tmp_path):
    assert read_domains(settings_of(".", name), tmp_path)["DM"][0].fault == "FILEMISSING"


def test_a_folder_inside_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    folder = tmp_path / "rawpackage" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "rawpackage" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    write_text(folder / "dm.csv", ROWS, ",")
    monkeypatch.syspath_prepend(tmp_path)
    domains = read_domains(settings_of("package:rawpackage/data"))
    assert as_lists(domains["DM"][0].table) == [[row[0]] for row in ROWS]
    # Columns that the mapping cannot use are named, not read.
    assert domains["DM"][0].columns == tuple(HEADER)


@pytest.mark.parametrize("package", ["nosuchpackage", "os.path", "..", ""])
def test_a_package_that_is_not_installed_is_a_fault(package):
    domain = read_domains(settings_of(f"package:{package}/data"))["DM"][0]
    assert (domain.fault, domain.detail) == ("PACKAGEMISSING", package)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", None, "it does not exist"),
        ("a.csv", b"", "it is empty"),
        ("a.txt", b"A\n1\n", "its ending '.txt' is none of .csv, .tsv, "),
        ("a.csv", b"A\n\xff\n", "line 2 is not UTF-8 text"),
        ("a.csv", b"A,A\n1,2\n", "more than one column named A"),
        ("a.csv", b"A,B\n1\n", "row 1 (line 2) has 1 cells where the header has 2"),
    ],
)
def test_a_table_of_a_command_that_cannot_be_read_is_a_sentence(name, content, sentence, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputDataError) as error:
        read_input_table(path)
    assert str(error.value).startswith(f"The file {path} cannot be read: ")
    assert sentence in str(error.value)


def test_a_missing_checks_file_says_what_to_run(tmp_path):
    with pytest.raises(RunError, match="celldossier study_data derive"):
        read_checks(tmp_path / "findings.csv")


def claim_dimension(path, last, extra=b""):
    """Rewrite a workbook so that its sheets claim to reach a cell, and hold a further row."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if name.startswith("xl/worksheets/"):
                content = re.sub(
                    rb'<dimension ref="[^"]*"', b'<dimension ref="A1:%b"' % last, content
                )
                content = content.replace(b"</sheetData>", extra + b"</sheetData>")
            archive.writestr(name, content)
    return path


def test_the_size_that_a_sheet_claims_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr("celldossier.io.workbooks.MAX_CELLS", 4000)
    path = write_workbook(tmp_path / "raw.xlsx", ROWS)
    expected = read_table(path, "raw")
    row = b'<row r="3000"><c r="A3000" t="n"><v>1</v></c></row>'
    claim_dimension(path, b"XFD3000", row)
    table = read_table(path, "raw")
    assert table.shape[0] == expected.shape[0] + 1 and table.index[-1] == 2999


def test_a_sheet_with_too_many_cells_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("celldossier.io.workbooks.MAX_CELLS", 20_000)
    for number, row in enumerate(
        (
            b'<row r="900"><c r="XFD900" t="n"><v>1</v></c></row>'
            b'<row r="901"><c r="XFD901" t="n"><v>1</v></c></row>',
            b'<row r="999999999"><c r="A999999999" t="n"><v>1</v></c></row>',
        )
    ):
        path = write_workbook(tmp_path / f"raw{number}.xlsx", ROWS)
        fault = fault_of(claim_dimension(path, b"B2", row), "raw")
        assert (fault.rule, fault.detail) == ("SHEETTOOLARGE", "20 000")


def test_a_time_of_day_that_the_format_of_a_cell_hides_is_read(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["A", "B", "C"])
    sheet.append([datetime(2024, 3, 1, 10, 30), datetime(2024, 3, 1), datetime(2024, 3, 1)])
    for cell, form in (("A2", "yyyy-mm-dd"), ("B2", "yyyy-mm-dd"), ("C2", "yyyy-mm-dd hh:mm")):
        sheet[cell].number_format = form
    workbook.save(tmp_path / "raw.xlsx")
    cells = read_table(tmp_path / "raw.xlsx").iloc[0].tolist()
    assert cells[0].startswith("2024-03-01T10:30") and cells[1] == "2024-03-01"
    assert cells[2].startswith("2024-03-01T00:00")

"""Contents of the files: CSV that is safe to open, SVG with the same bytes, escaped pages."""

from __future__ import annotations

import pandas as pd
import pytest

from celldossier.io.spreadsheets import csv_bytes
from celldossier.terms.language import Language
from celldossier.tlf.footnotes import mark_reasons
from celldossier.tlf.model import Cell, Column, Row, Table
from celldossier.tlf.write import image_names, page_bytes, table_record


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+A1", "'+A1"),
        ("-cmd", "'-cmd"),
        ("@sum", "'@sum"),
        ("-0.52", "-0.52"),
        ("+3e-4", "+3e-4"),
        ("-1", "-1"),
        ("a=b", "a=b"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_defused(text: str, written: str) -> None:
    assert csv_bytes(pd.DataFrame({"A": [text]})).decode() == f"A\n{written}\n"


def test_numbers_keep_their_sign_and_full_precision() -> None:
    assert csv_bytes(pd.DataFrame({"A": [-1 / 3]})).decode() == f"A\n{-1 / 3!r}\n"


def test_pages_of_a_figure_are_numbered_from_the_second() -> None:
    assert image_names("F20", 3) == ["F20.svg", "F20-2.svg", "F20-3.svg"]


def make_table() -> Table:
    columns = (Column("A", align="left"), Column("B", group="G"), Column("C", group="G"))
    rows = (
        Row((Cell("PCR <x>"),), kind="heading"),
        Row((Cell("name"), Cell(""), Cell(""))),
        Row((Cell("row"), Cell("NC", ("id/1",), ("NOPEAK", "BLQALL")), Cell("2"))),
        Row((Cell("row"), Cell("NC", ("id/2",), ("BLQALL",)), Cell("3"))),
    )
    return Table(columns, rows, 3)


def test_each_reason_has_one_letter_in_a_table() -> None:
    marks, reasons = mark_reasons(make_table())
    assert reasons == [("a", "NOPEAK"), ("b", "BLQALL")]
    assert [row[1] for row in marks[2:]] == ["a,b", "b"]


def test_neighbouring_columns_share_the_head_above_them() -> None:
    record = table_record(make_table(), mark_reasons(make_table())[0])
    assert record["groups"] == [{"label": "", "span": 1}, {"label": "G", "span": 2}]
    assert [row["kind"] for row in record["rows"]] == ["heading", "label", "body", "body"]


def test_a_parameter_and_its_statistics_are_not_torn_apart_by_a_page_end() -> None:
    def row(name: str, value: str, indent: int = 0) -> Row:
        return Row((Cell(name), Cell(value)), indent=indent)

    rows = (
        Row((Cell("PCR"),), kind="heading"),
        row("Cmax", "n"), row("", "mean"), row("", "median"),
        row("Age", ""), row("n", "3", 1), row("mean", "40", 1),
        row("Stage", ""), *(row(level, "1", 1) for level in "abcdefghij"),
    )  # fmt: skip
    table = Table((Column("A"), Column("B")), rows, 3)
    keep = [row["keep"] for row in table_record(table, mark_reasons(table)[0])["rows"]]
    assert keep[:7] == [False, True, True, False, True, True, False]
    # A long block may go over two pages, but not leave its name behind.
    assert keep[7:] == [True, *[False] * 10]


def test_words_below_a_row_do_not_chain_it_to_the_next_one() -> None:
    def row(*words: str, indent: int = 0) -> Row:
        return Row(tuple(Cell(word) for word in words), indent=indent)

    rows = (
        row("Level", "1"),
        row("which event it was", "", indent=1),  # ends its block
        row("Level", "2"),
        row("names what is below", "", indent=1),
        row("value", "3", indent=2),
        row("names what is below", ""),
        row("value", "4", indent=1),
    )
    table = Table((Column("a"), Column("b")), rows, 1)
    records = table_record(table, mark_reasons(table)[0])["rows"]
    assert [record["keep"] for record in records] == [True, False, True, True, False, True, False]
    labels = [record["kind"] == "label" for record in records]
    assert labels == [False, False, False, True, False, True, False]


def test_a_page_stands_alone_with_its_style_and_images() -> None:
    record = {
        "id": "F22", "number": "Figure 4.1-1", "title": "A & B", "kind": "figure",
        "status": "shown", "reason": "", "table": None, "images": ["F22.svg"],
        "alternative_text": 'says "so"', "footnotes": ["note"], "landscape": True,
    }  # fmt: skip
    page = page_bytes(record, {"F22.svg": b"<svg/>"}, Language("en")).decode()
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page
    assert 'alt="says &#34;so&#34;"' in page
    assert "A &amp; B" in page
    assert 'class="tlf figure landscape"' in page
    # The style keeps its quotation marks.
    assert 'font-family: "Noto Sans SC"' in page

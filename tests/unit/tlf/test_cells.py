"""Cells of tables: numbers from the analysis results, printed and never computed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.terms.language import Language, print_unit
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading, interval
from celldossier.tlf.fields import (
    Field,
    Reader,
    estimate,
    head_fields,
    level,
    read_row,
    stat,
    where,
    word,
)
from celldossier.tlf.labels import equal_to, order_levels, percent, with_unit
from celldossier.tlf.model import Cell, Context

PLACE = Place("kinetics.summary", "CMAX", "PCR")


def make_printer(statistics: dict[str, Any], notes: dict[str, str] | None = None) -> Printer:
    out = ResultCollector("kinetics")
    out.add(
        "summary", statistics, dataset="ADPP", variable="CMAX", analyte="PCR", notes=notes or {}
    )
    return Printer(AnalysisResults([out.frame()]), Language("en"))


def test_a_geometric_mean_has_three_digits_and_its_cv_is_a_whole_percent() -> None:
    printer = make_printer({"geomean": 34712.3, "gcv": 155.44})
    cell = printer.cell(PLACE, "{} ({})", ("geomean", "significant"), ("gcv", "integer"))
    assert cell.text == "34700 (155)"
    assert cell.value_ids == (
        "kinetics.summary/CMAX/PCR/geomean",
        "kinetics.summary/CMAX/PCR/gcv",
    )


def test_a_value_that_no_stage_has_computed_raises() -> None:
    with pytest.raises(KeyError, match=r"no stage has computed .*CMAX.*median"):
        make_printer({"geomean": 1.0}).cell(PLACE, "{}", ("median", "significant"))


def test_a_missing_value_prints_nc_with_its_reason() -> None:
    printer = make_printer({"geomean": math.nan}, {"geomean": "BLQHALF"})
    cell = printer.cell(PLACE, "{}", ("geomean", "significant"))
    assert (cell.text, cell.reasons) == ("NC", ("BLQHALF",))


def test_only_the_missing_part_of_a_cell_is_nc() -> None:
    printer = make_printer({"geomean": 5.0, "gcv": math.nan}, {"gcv": "FEWVAL"})
    cell = printer.cell(PLACE, "{} ({})", ("geomean", "significant"), ("gcv", "integer"))
    assert (cell.text, cell.reasons) == ("5.00 (NC)", ("FEWVAL",))


def test_a_code_beside_a_value_that_is_there_is_no_reason() -> None:
    cell = make_printer({"n": 4.0}, {"n": "NOTCOLL"}).cell(PLACE, "{}", ("n", "count"))
    assert (cell.text, cell.reasons) == ("4", ())


@pytest.mark.parametrize(
    ("statistics", "listed"),
    [
        ({"n": 2.0, "values": "34712; 0.5"}, "[34700; 0.500]"),
        ({"n": 2.0, "min": 3.0, "max": 7.0}, "[3.00; 7.00]"),
        ({"n": 1.0, "min": 3.0, "max": 3.0}, "[3.00]"),
    ],
)
def test_fewer_than_three_values_are_listed(statistics: dict[str, Any], listed: str) -> None:
    printer = make_printer(statistics)
    assert printer.few(PLACE)
    assert printer.listed(PLACE).text == listed


@pytest.mark.parametrize("n", [0.0, 3.0])
def test_no_value_and_three_values_are_not_listed(n: float) -> None:
    assert not make_printer({"n": n}).few(PLACE)


def test_the_subjects_of_a_table_are_the_largest_n_behind_its_values() -> None:
    printer = make_printer({"n": 7.0, "n_nc": 40.0})
    printer.cell(PLACE, "{}", ("n", "count"))
    printer.cell(PLACE, "{}", ("n_nc", "count"))
    assert printer.subjects == 7


def test_levels_are_ordered_as_a_reader_expects() -> None:
    assert natural_order(["DL10", "DL2", "28", "-1", "7"]) == ["-1", "7", "28", "DL2", "DL10"]
    assert order_levels("ADSL", "AGEGR1", [">=65", "18-64", "<18"]) == ["<18", "18-64", ">=65"]


def test_units_are_printed_for_readers() -> None:
    assert print_unit("d*copies/ug") == "d·copies/µg"
    assert print_unit("10^6 cells/m2") == "10⁶ cells/m²"
    assert print_unit("CAR units/gU") == "CAR units/gU"
    assert with_unit("Ratio", "1") == "Ratio"


def test_an_estimate_stands_before_its_two_limits() -> None:
    statistics = {"or": 1.234, "or_low": 0.5, "or_high": 3.0, "or_alone": 2.0}
    statistics |= {"or_low_alone": 1.0, "or_high_alone": 4.0}
    printer = make_printer(statistics)
    assert printer.interval(PLACE, "or").text == "1.23 (0.500, 3.00)"
    assert printer.interval(PLACE, "or", "fixed1", suffix="_alone").text == "2.0 (1.0, 4.0)"
    assert [name for name, _ in interval("or", suffix="_alone")] == [
        *("or_alone", "or_low_alone", "or_high_alone")
    ]


def test_two_values_are_listed_where_three_have_a_mean() -> None:
    block = {"geomean": 10.0, "gcv": 20.4, "median": 9.0, "min": 4.0, "max": 16.0}
    three, two = make_printer({**block, "n": 3}), make_printer({**block, "n": 2})
    assert (three.geomean(PLACE).text, two.geomean(PLACE).text) == ("10.0 (20)", "[4.00; 16.0]")
    assert three.median(PLACE, "fixed1").text == "9.0 (4.0, 16.0)"
    assert two.median(PLACE, "fixed1").text == "[4.0; 16.0]"


def test_a_heading_keeps_the_identifiers_of_what_it_says() -> None:
    assert heading("Cells").cells == (Cell("Cells"),)
    assert heading(Cell("n = 4", ("a/n",))).cells[0].value_ids == ("a/n",)


def test_a_table_of_fields_reads_each_cell_below_its_head() -> None:
    out = ResultCollector("exposure_response")
    by = {"adjustment": "UNADJUSTED"}
    statistics = {"n": 12.0, "or": 2.0, "or_low": 1.0, "or_high": 4.0, "model": "FIRTH"}
    out.add("logistic", statistics, dataset="ADER", variable="OBJRESP", by=by)
    context = Context(
        language=Language("en"),
        results=AnalysisResults([out.frame()]),
        curves=out.frame(),
        dataset={}.__getitem__,
        settings={},
    )
    fields = (
        Field("column.adjustment", level("adjustment"), "13%", align="left"),
        Field("statistic.n", stat("n", "count"), group="column.with_event"),
        Field("column.odds_ratio", estimate("or"), "17%"),
        Field("column.model", word("model", "model")),
        Field("statistic.p", where("p", stat("p", "p"))),
    )
    reader = Reader.of(context)
    row = read_row(reader, fields, Place("exposure_response.logistic", "OBJRESP", "", by), 1)
    text = context.language.text
    assert [cell.text for cell in row.cells] == [
        text("level.adjustment.UNADJUSTED"),
        "12",
        "2.00 (1.00, 4.00)",
        text("level.model.FIRTH"),
        text("label.blank"),
    ]
    columns = head_fields(context, fields)
    assert [column.label for column in columns[:2]] == [
        text("column.adjustment"),
        text("statistic.n"),
    ]
    assert [column.group for column in columns[:2]] == ["", text("column.with_event")]
    assert (row.indent, reader.printer.subjects) == (1, 12)


def test_a_share_of_the_settings_is_printed_in_percent_without_idle_digits() -> None:
    assert [percent(share) for share in (0.9, 0.95, 0.975, 0.8)] == ["90", "95", "97.5", "80"]


def test_a_bounded_p_value_keeps_its_own_sign() -> None:
    assert (equal_to("0.021"), equal_to("<0.001")) == ("= 0.021", "<0.001")

"""Tables of lymphodepletion (5) and of the lots given (16): rows, columns, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from products_given import ProductsGiven, make_products_given
from table_texts import heads, texts

from celldossier.datasets import empty_dataset
from celldossier.results import ResultCollector
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_lymphodepletion import draw_lymphodepletion
from celldossier.tlf.tables_product import draw_product_attributes

ContextFor = Callable[..., Context]
Settings = dict[str, Any]
Draw = Callable[[ProductsGiven], Table | NotShown]


@pytest.fixture
def lymphodepletion(context_for: ContextFor, settings: Settings) -> Draw:
    return lambda given: draw_lymphodepletion(context_for(given.summarise(), settings))


@pytest.fixture
def lots(context_for: ContextFor, settings: Settings) -> Draw:
    return lambda given: draw_product_attributes(context_for(given.summarise(), settings))


def after(table: Table | NotShown, *labels: str) -> list[str]:
    """The row of the last label, sought from the row of the one before on."""
    rows = texts(table)
    at = 0
    for label in labels:
        at = next(i for i in range(at, len(rows)) if rows[i][0] == label)
    return rows[at][1:]


def test_regimens_and_deviations_are_counted_by_dose(lymphodepletion: Draw) -> None:
    table = lymphodepletion(make_products_given())
    assert heads(table)[1:] == ["DL1 (N = 3)", "DL2 (N = 5)", "All (N = 8)"]
    both = after(table, "Cyclophosphamide + Fludarabine")
    assert both == ["3 (100.0)", "3 (60.0)", "6 (75.0)"]
    assert after(table, "Fludarabine") == ["0 (0.0)", "1 (20.0)", "1 (12.5)"]
    assert after(table, "No lymphodepletion") == ["0 (0.0)", "1 (20.0)", "1 (12.5)"]
    deviating = after(table, "Deviation from the planned regimen, n/N (%)")
    assert deviating == ["0/3 (0.0)", "3/5 (60.0)", "3/8 (37.5)"]
    assert isinstance(table, Table) and table.subjects == 8


def test_each_drug_has_doses_in_each_of_its_units(lymphodepletion: Draw) -> None:
    table = lymphodepletion(make_products_given())
    cy = "Cyclophosphamide"
    assert after(table, cy, "Subjects given the drug, n (%)")[-1] == "6 (75.0)"
    assert after(table, cy, "Drug of the regimen not given, n")[-1] == "2"
    # Subject 5 alone had milligrams: listed, not summarised, and absent from DL1.
    assert after(table, cy, "Actual Dose of a Day (mg), n") == ["–", "1", "1"]
    assert after(table, cy, "Actual Dose of a Day (mg), n", "Mean (SD)") == ["–", "[900]", "[900]"]
    assert after(table, cy, "Actual Total Dose (mg/m²), n", "Median (min., max.)") == [
        *("1500 (1500, 1500)", "–", "1500 (1500, 1500)"),
    ]
    # The second "Fludarabine" is the heading of the drug, after those of cyclophosphamide.
    flu = ("Fludarabine", "Fludarabine")
    rows = texts(table)
    at = max(i for i, row in enumerate(rows) if row[0] == "Fludarabine")
    part = {row[0]: row[1:] for row in rows[at : at + 4]}
    assert part["Total dose off its plan, n/N (%)"] == ["0/3 (0.0)", "1/4 (25.0)", "1/7 (14.3)"]
    assert len(rows[at]) == 1, flu
    assert isinstance(table, Table)
    assert any("Fewer than three values" in note for note in table.footnotes)


def test_depth_is_shown_and_what_was_not_collected_says_so(lymphodepletion: Draw) -> None:
    table = lymphodepletion(make_products_given())
    label = "Lymphocyte Nadir (10⁹/L), n"
    assert after(table, label) == ["3", "5", "8"]
    assert after(table, label, "Median (min., max.)")[-1] == "0.025 (0.010, 0.300)"
    day = after(table, "Day of the Lymphocyte Nadir (days), n", "Median (min., max.)")
    assert day[-1] == "2.0 (0.0, 4.0)"
    assert after(table, "Interleukin-7 at Infusion (pg/mL)") == ["NC", "NC", "NC"]
    assert after(table, "Interleukin-15 at Infusion (pg/mL), n") == ["2", "4", "6"]
    assert isinstance(table, Table)
    reasons = {code for row in table.rows for cell in row.cells for code in cell.reasons}
    assert reasons == {"NOTCOLL"}


def test_later_lymphodepletion_has_rows_only_where_there_was_any(lymphodepletion: Draw) -> None:
    given = make_products_given()
    later = "Subjects with lymphodepletion before a later infusion, n (%)"
    assert after(lymphodepletion(given), later) == ["0 (0.0)", "1 (20.0)", "1 (12.5)"]
    once = replace(given, adld=given.adld[given.adld["LDNO"] == 1])
    assert later not in {row[0] for row in texts(lymphodepletion(once))}


@pytest.mark.parametrize(
    ("product_class", "reason"),
    [("car_t", "NOTCOLL"), ("car_nk", "NOTCOLL"), ("mesenchymal", "NOTCLASS")],
)
def test_without_records_the_class_of_the_product_decides_what_is_said(
    product_class: str, reason: str, context_for: ContextFor, settings: Settings
) -> None:
    given = replace(make_products_given(), adld=empty_dataset("ADLD"))
    study = {**settings["study"], "product": {"product_class": product_class}}
    context = context_for(given.summarise(), {**settings, "study": study})
    assert draw_lymphodepletion(context) == NotShown(reason)


def test_lots_stand_by_process_and_site_with_potency_in_each_unit(lots: Draw) -> None:
    table = lots(make_products_given())
    assert heads(table)[1:] == ["A (N = 5)", "B (N = 4)", "N (N = 5)", "S (N = 4)", "All (N = 9)"]
    assert isinstance(table, Table)
    groups = [column.group for column in table.columns[1:]]
    assert groups == [*["Manufacturing process"] * 2, *["Manufacturing site"] * 2, ""]
    assert after(table, "Subjects given the lots, n") == ["4", "4", "5", "3", "8"]
    assert after(table, "Viability (%), n", "Mean (SD)")[-1] == "88.6 (9.1)"
    assert after(table, "Transduction Efficiency (%), n") == ["5", "3", "5", "3", "8"]
    assert after(table, "Potency (%), n")[:2] == ["5", "–"]
    assert after(table, "Potency (pg/mL), n", "Median (min., max.)")[1] == "750 (600, 900)"
    assert table.subjects == 8


def test_attributes_that_no_lot_has_are_named_below_the_table(lots: Draw) -> None:
    table = lots(make_products_given())
    assert isinstance(table, Table)
    assert not any(row[0].startswith("CD4 to CD8") for row in texts(table))
    note = next(note for note in table.footnotes if note.startswith("Not in the lot list"))
    assert "CD4 to CD8 Ratio" in note and "Viability" not in note


def test_lots_out_of_specification_and_their_status_are_counted(lots: Draw) -> None:
    given = make_products_given()
    table = lots(given)
    label = "Lots outside the release specification, n/N (%)"
    assert after(table, label)[-1] == "1/9 (11.1)"
    assert after(table, label, "Viability")[:2] == ["1", "0"]
    assert after(table, "released")[-1] == "8 (88.9)"
    assert after(table, "missing")[-1] == "1 (11.1)"
    unjudged = lots(given.with_lots(OOSFL="", OOSVAR=""))
    assert set(after(unjudged, label)) == {"NC"}


def test_one_process_and_one_site_need_no_columns_of_their_own(lots: Draw) -> None:
    given = make_products_given()
    assert heads(lots(given.with_lots(PROCESS="A", SITE="N")))[1:] == ["All (N = 9)"]


def test_more_sites_than_a_page_holds_are_left_to_the_data(lots: Draw) -> None:
    given = make_products_given()
    sites = given.with_lots(SITE=[f"SITE{number}" for number in range(10)])
    table = lots(sites)
    assert heads(table)[1:] == ["A (N = 5)", "B (N = 4)", "All (N = 9)"]
    assert isinstance(table, Table)
    assert any("values by site" in note for note in table.footnotes)


def test_without_lots_or_without_a_link_to_an_infusion_the_reason_is_given(
    lots: Draw, context_for: ContextFor, settings: Settings
) -> None:
    given = make_products_given()
    nothing = context_for(ResultCollector("none").frame(), settings)
    assert draw_product_attributes(nothing) == NotShown("NOTCOLL")
    assert lots(replace(given, adpq=empty_dataset("ADPQ"))) == NotShown("NOTCOLL")
    unlinked = replace(given, adex=given.adex.assign(LOTID=""))
    assert lots(unlinked) == NotShown("NOLOTUSED")


def test_chinese_names_drugs_and_attributes(context_for: ContextFor, settings: Settings) -> None:
    results: pd.DataFrame = make_products_given().summarise()
    table = draw_lymphodepletion(context_for(results, settings, "zh"))
    assert after(table, "环磷酰胺 + 氟达拉滨")[-1] == "6 (75.0)"
    table = draw_product_attributes(context_for(results, settings, "zh"))
    assert after(table, "细胞活率 (%)，批数")[-1] == "9"

"""Cellular responses of each subject: dataset, listing and figure hold the same samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from immune_study import make_adsl, make_readouts

from celldossier.datasets import empty_dataset
from celldossier.immunogenicity.cellular_dataset import derive_adimc
from celldossier.settings.cellular_response import CellularSettings
from celldossier.tlf.figures_cellular_response import (
    draw_cellular_courses,
    draw_cellular_listing,
)
from celldossier.tlf.model import Context, Figure, NotShown, Table

Contexts = Callable[..., Context]
COURSES = {
    # Three times the baseline of 20 is 60, and 50 above it 70: only 90 shows a response.
    "A": {0.0: 20.0, 28.0: 60.0, 90.0: 90.0},
    "B": {0.0: 20.0, 28.0: 0.0},
    "C": {28.0: 500.0},
}


@pytest.fixture
def adimc() -> pd.DataFrame:
    rows = [
        {"USUBJID": name, "AFRLT": day, "AVAL": value}
        for name, course in COURSES.items()
        for day, value in course.items()
    ]
    rows.append({"USUBJID": "D", "AFRLT": 28.0, "AVAL": 9.0})
    adsl = make_adsl(["A", "B", "C", "D"])
    adsl.loc[adsl["USUBJID"] == "D", "SAFFL"] = "N"
    return derive_adimc(make_readouts(rows), adsl, CellularSettings())


def test_each_sample_of_the_infused_has_its_control_and_verdict(adimc: pd.DataFrame) -> None:
    assert set(adimc["USUBJID"]) == {"A", "B", "C"}
    own = adimc[adimc["USUBJID"] == "A"].sort_values("CELLDY")
    assert own["CELLFL"].tolist() == ["", "N", "Y"]
    assert own["CELLRSN"].tolist() == ["NOCTRLRD", "", ""]
    last = own.iloc[-1]
    assert (last["CONTROL"], last["FOLD"], last["DIFF"]) == (20, 4.5, 70)
    alone = adimc[adimc["USUBJID"] == "C"].iloc[0]
    assert alone["CELLFL"] == "" and alone["CELLRSN"] == "NOCTRLRD"
    assert math.isnan(alone["CONTROL"])


def test_a_readout_below_its_limit_is_flagged_and_has_no_value() -> None:
    rows = [
        {"USUBJID": "A", "AFRLT": 0.0, "AVAL": 20.0},
        {"USUBJID": "A", "AFRLT": 28.0, "AVAL": math.nan, "BLQFL": "Y", "ALLOQ": 5.0},
    ]
    found = derive_adimc(make_readouts(rows), make_adsl(["A"]), CellularSettings())
    assert found["BLQFL"].tolist() == ["N", "Y"]
    assert math.isnan(found["AVAL"].iloc[1]) and found["CELLFL"].iloc[1] == "N"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_figure_has_each_readout_once_and_responders_apart(
    make_context: Contexts, adimc: pd.DataFrame, lang: str
) -> None:
    drawn = draw_cellular_courses(make_context(lang, count=4, replace={"ADIMC": adimc}))
    assert isinstance(drawn, Figure)
    marks = [
        sorted(
            float(value)
            for line in axes.lines
            if line.get_linestyle() == "None"
            for value in line.get_ydata()
        )
        for axes in drawn.pages[0].axes
    ]
    # The readout of 0 stands at half of the lowest other, 20.
    assert marks == [[20, 60, 90], [10, 20], [500]]
    groups = drawn.data.drop_duplicates("USUBJID").set_index("USUBJID")["GROUP"].to_dict()
    assert groups == {"A": "RESPONDER", "B": "NONRESPONDER", "C": "UNJUDGED"}
    assert len(drawn.data) == len(adimc) and drawn.subjects == 3
    filled = drawn.pages[0].axes[0].lines
    assert any(line.get_marker() == "o" and list(line.get_ydata()) == [90] for line in filled)


def test_the_listing_has_a_row_for_each_sample_with_its_reason(
    make_context: Contexts, adimc: pd.DataFrame
) -> None:
    columns = ["USUBJID", "CELLDY", "AVAL", "CONTROL", "CELLFL", "CELLRSN"]
    context = make_context("en", count=4, replace={"ADIMC": adimc}, columns=columns)
    table = draw_cellular_listing(context)
    assert isinstance(table, Table)
    printed = [[cell.text for cell in row.cells] for row in table.rows]
    assert printed[0] == ["A", "0.00", "20", "", "", "no control to hold the readout against"]
    assert ["A", "90.00", "90", "20", "Y", ""] in printed
    assert table.full is not None and len(table.full) == len(printed) == len(adimc)


def test_without_readouts_the_reason_is_given(make_context: Contexts, adimc: pd.DataFrame) -> None:
    def draw(frame: Any) -> list[Any]:
        context = make_context("en", count=4, replace={"ADIMC": frame})
        return [draw_cellular_courses(context), draw_cellular_listing(context)]

    assert draw(empty_dataset("ADIMC")) == [NotShown("NOTCOLL"), NotShown("NOTCOLL")]
    words = adimc.assign(AVAL=math.nan, BLQFL="N", CELLFL="Y")
    assert draw(words)[0] == NotShown("NOVALUE")

"""The listing of individual parameters: bounds, reasons, one analyte in print, all in the CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.tlf.listings_kinetics import draw_nca_listing
from celldossier.tlf.model import NotShown, Table


def draw(context_for: Any, settings: Any, frame: pd.DataFrame, language: str = "en") -> Any:
    context = context_for(
        conform(pd.DataFrame(), "ARD"),
        settings,
        language,
        {"ADPP": frame},
        parameters=["CMAX", "TMAX", "LAMZHL", "LAMZNPT"],
    )
    return draw_nca_listing(context)


def test_one_analyte_is_printed_and_the_csv_holds_all(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    table = draw(context_for, settings, make_adpp())
    assert isinstance(table, Table)
    assert [row.cells[0].text for row in table.rows] == ["S-001", "S-002"]
    assert table.analytes == ("PCR",)
    assert table.full is not None
    assert set(table.full["PARCAT1"]) == {"PCR", "FLOW"}
    assert table.subjects == 2


def test_a_parameter_that_the_run_does_not_have_makes_no_column(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    table = draw(context_for, settings, make_adpp())
    assert [column.label for column in table.columns][2:] == [
        "Cmax (copies/µg)",
        "t1/2 (copies/µg)",
        "n(λz) (copies/µg)",
    ]
    assert [row.cells[4].text for row in table.rows] == ["9", "9"]


def test_a_peak_at_the_last_sample_is_printed_as_a_lower_bound(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    for language in ("en", "zh"):
        table = draw(context_for, settings, make_adpp(), language)
        assert [row.cells[2].text for row in table.rows] == ["≥34700", "69400"]
        assert any("≥" in note for note in table.footnotes)


def test_a_parameter_of_a_reviewed_window_is_marked(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    frame = make_adpp()
    frame.loc[(frame["PARAMCD"] == "LAMZNPT") & (frame["USUBJID"] == "S-001"), "FLAG"] = "LZREV"
    for language in ("en", "zh"):
        table = draw(context_for, settings, frame, language)
        assert [row.cells[4].text for row in table.rows] == ["9†", "9"]
        assert any("†" in note for note in table.footnotes)
    assert not any("†" in note for note in draw(context_for, settings, make_adpp()).footnotes)


def test_where_doses_are_repeated_each_row_says_whether_it_is_of_a_dose_or_of_the_course(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    course = make_adpp()
    frame = pd.concat([course, course.assign(PROFTYP="DOSE", DOSENO=2)], ignore_index=True)
    table = draw(context_for, settings, frame)
    assert [row.cells[2].text for row in table.rows] == ["all", "2", "all", "2"]
    assert "Dose" in [column.label for column in table.columns]


def test_a_missing_parameter_says_why(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    table = draw(context_for, settings, make_adpp())
    assert [row.cells[3].reasons for row in table.rows] == [("R2LOW",), ("R2LOW",)]


def test_a_long_listing_is_cut_in_print_only(
    context_for: Any, settings: Any, make_adpp: Callable[..., pd.DataFrame]
) -> None:
    table = draw(context_for, settings, make_adpp(45))
    assert len(table.rows) == 40
    assert table.subjects == 45
    assert any("45" in note for note in table.footnotes)


def test_no_kinetics_data_are_said_to_be_not_collected(context_for: Any, settings: Any) -> None:
    assert draw(context_for, settings, empty_dataset("ADPP")) == NotShown("NOTCOLL")

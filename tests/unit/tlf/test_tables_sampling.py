"""Tables 7 and 7a and listing 7: planned and collected samples, adequacy of the sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sampling_given import RULES, make_adsa, make_sampling_results
from table_texts import texts

from celldossier.datasets import empty_dataset
from celldossier.settings.sampling import SamplingRules
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_sampling import (
    draw_sampling_adequacy,
    draw_sampling_listing,
    draw_sampling_times,
)

Draw = Callable[..., Context]


@pytest.fixture
def context(context_for: Draw, settings: dict[str, Any]) -> Callable[..., Context]:
    kinetics = {**settings["cellular_kinetics"], "sampling": RULES.model_dump(mode="json")}

    def make(results: Any = None, **options: Any) -> Context:
        given = make_sampling_results() if results is None else results
        return context_for(given, {**settings, "cellular_kinetics": kinetics}, **options)

    return make


def test_a_nominal_time_has_its_planned_missed_and_further_samples(context: Draw) -> None:
    rows = texts(draw_sampling_times(context()))
    assert [row[0] for row in rows[1:5]] == ["0", "7", "10", "28"]
    # Planned, after two BLQ, missed, further, collected, analysed, BLQ; no window is declared.
    assert rows[2][1:9] == ["4", "0", "1", "0", "3", "3", "0", "NC"]
    assert rows[4][1:9] == ["3", "1", "0", "1", "3", "3", "3", "NC"]
    assert rows[2][9:] == ["0.20", "0.20"]


def test_without_a_schedule_the_planned_columns_are_empty_with_the_reason(context: Draw) -> None:
    table = draw_sampling_times(context(make_sampling_results(SamplingRules())))
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[1].cells[1:5]] == ["NC"] * 4
    assert table.rows[1].cells[1].reasons == ("NOSCHED",)
    assert table.rows[1].cells[5].text == "4"


def test_each_criterion_has_its_counts_and_the_reasons_below_it(context: Draw) -> None:
    table = draw_sampling_adequacy(context())
    rows = {row[0]: row[1:] for row in texts(table)[:20]}
    peak = "Peak bracketed: results within 4 d before and after Tmax"
    assert rows[peak] == ["0 / 2 (0.0)", "2 / 2 (100.0)", "2 / 4 (50.0)"]
    assert rows["not met: no result near the peak after it"] == ["2", "0", "2"]
    assert rows["All samples in their windows"] == ["0 / 0"] * 3
    assert rows["not judged: no sampling window is declared"] == ["2", "2", "4"]
    assert rows["met: sampling ended with two consecutive results below the limit"] == [
        "2",
        "2",
        "4",
    ]


def test_a_dose_without_a_sampling_time_near_its_median_peak_is_marked(context: Draw) -> None:
    rows = texts(draw_sampling_adequacy(context()))
    marked = next(row for row in rows if row[0].startswith("Nominal time nearest"))
    assert marked[1] == "10.0 (10.2)"
    assert marked[2] == "10.0 (18.5) [not near]"


def test_the_listing_has_a_row_a_subject_with_measures_and_reasons(context: Draw) -> None:
    listing = draw_sampling_listing(context(datasets={"ADSA": make_adsa()}))
    assert isinstance(listing, Table) and listing.subjects == 4
    first = listing.rows[0].cells
    assert [cell.text for cell in first[:5]] == ["S-001", "DL1", "Y (2.00)", "N (11.0)", "Y (5.00)"]
    assert first[3].reasons == ("NONEAFT",) and first[9].text == "NA"
    assert listing.full is not None and len(listing.full) == 64
    nothing = draw_sampling_listing(context(datasets={"ADSA": empty_dataset("ADSA")}))
    assert nothing == NotShown("NOTCOLL")

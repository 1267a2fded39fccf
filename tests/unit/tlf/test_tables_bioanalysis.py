"""Tables of assay versions, runs and samples (6, 6a, 6b, listing 6)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from table_texts import texts

from celldossier.datasets import conform, empty_dataset
from celldossier.results import ResultCollector
from celldossier.study_data.bioanalysis_summary import add_runs, add_samples
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_bioanalysis import (
    draw_bioanalytical_methods,
    draw_run_acceptance,
    draw_sample_gaps,
    draw_sample_reconciliation,
)

SOURCE = {"STUDYID": "S", "SRCDOM": "BE", "SRCFILE": "be.csv"}


def samples() -> pd.DataFrame:
    rows = [
        ("S1", "REPORTED", "", "Y", 9.0, "N"),
        ("S2", "REPORTED", "", "Y", 99.0, "Y"),
        ("S3", "COLLECTED", "LOST", "N", float("nan"), ""),
        ("S4", "RECEIVED", "NORECORD", "N", float("nan"), ""),
    ]
    names = ["BEREFID", "STATE", "GAPRSN", "RESFL", "DCOLANL", "STABFL"]
    frame = pd.DataFrame(rows, columns=names).assign(
        **SOURCE, USUBJID="A", PARAMCD="PCR", ASPEC="BLOOD", SRCROW=range(4)
    )
    return conform(frame, "ADSAMP")


def runs() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            **{"STUDYID": "S", "SRCDOM": "RUNS", "SRCFILE": "runs.csv", "SRCROW": [1, 2, 3]},
            **{"RUNID": ["1", "2", "2R"], "PARAMCD": "PCR", "ASSAYV": "1", "LAB": "LAB A"},
            **{"STATUS": ["ACCEPTED", "REJECTED", "ACCEPTED"], "REASON": ["", "SPILT", ""]},
            **{
                "QCPASS": [6.0, 2, 5],
                "QCTOT": 6.0,
                "REPEATOF": ["", "", "2"],
                "NRESULT": [9, 0, 4],
            },
        }
    )
    return conform(frame, "ADRUN")


@pytest.fixture
def make(
    context_for: Callable[..., Context], settings: dict[str, Any], stage_results: dict[str, Any]
) -> Callable[..., Context]:
    def make_context(adrun: pd.DataFrame, adsamp: pd.DataFrame) -> Context:
        collector = ResultCollector("study_data")
        add_runs(collector, adrun)
        add_samples(collector, adsamp)
        frame = pd.concat([stage_results["study_data"], collector.frame()], ignore_index=True)
        return replace(context_for(frame, settings), dataset=lambda _: adsamp)

    return make_context


def test_runs_show_reasons_repeats_and_shares_of_controls(make: Callable[..., Context]) -> None:
    table = draw_run_acceptance(make(runs(), samples()))
    assert texts(table) == [
        ["PCR label"],
        ["1", "LAB A", "3", "2 (66.7)", "1", "SPILT: 1", "1", "NC", "13/18 (72.2)", "13"],
    ]


def test_samples_missing_at_a_step_stand_below_it_with_the_reason(
    make: Callable[..., Context],
) -> None:
    table = draw_sample_reconciliation(make(runs(), samples()))
    assert texts(table) == [
        ["Collected, n", "4"],
        ["collected, not received: lost", "1"],
        ["Received, n", "3"],
        ["received, not analysed: no record says why", "1"],
        ["Analysed, n", "2"],
        ["Reported, n", "2"],
        ["With a result in the data, n", "2"],
        ["Days from collection to analysis, median (max)", "54 (99)"],
        ["Beyond the declared stability, n/N", "1/2"],
    ]


def test_the_listing_names_the_samples_with_a_gap_or_kept_too_long(
    make: Callable[..., Context],
) -> None:
    table = draw_sample_gaps(make(runs(), samples()))
    assert isinstance(table, Table)
    assert [row[1] for row in texts(table)] == ["S2", "S3", "S4"]


def test_what_was_not_collected_is_said(make: Callable[..., Context]) -> None:
    nothing = make(empty_dataset("ADRUN"), empty_dataset("ADSAMP"))
    for draw in (draw_run_acceptance, draw_sample_reconciliation, draw_sample_gaps):
        assert draw(nothing) == NotShown("NOTCOLL")


def test_each_version_of_a_method_has_its_row(make: Callable[..., Context]) -> None:
    context = make(runs(), samples())
    given = deepcopy(dict(context.settings))
    first = given["bioanalysis"]["assays"][0]
    first |= {"version": "", "uloq": 900, "stability_days": 30}
    first["versions"] = [
        {"version": "1", "valid_until": "2024-06-30", "reagent_lot": "K1"},
        {"version": "2", "lloq": 25, "valid_from": "2024-07-01"},
    ]
    table = draw_bioanalytical_methods(replace(context, settings=given))
    one, two = (row for row in texts(table) if row[0].startswith("PCR label"))
    assert [one[2], one[4], one[6], one[7]] == [
        *("1; – to 2024-06-30", "– / 50 / 900", "not provided; K1", "30 d"),
    ]
    assert [two[2], two[4]] == ["2; 2024-07-01 to –", "– / 25 / 900"]

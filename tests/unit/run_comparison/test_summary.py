"""The document of a comparison: each difference counted once, key results of both runs."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest
from two_runs import PEAKS, HandMadeRun, make_run

from celldossier.io.files import canonical_json
from celldossier.run_comparison.compare import compare_runs
from celldossier.run_comparison.page import render_comparison
from celldossier.run_comparison.summary import KINDS, summarise_comparison


def summarise(old: HandMadeRun, new: HandMadeRun) -> dict[str, object]:
    return summarise_comparison(compare_runs(old.content(), new.content()))


def test_totals_add_up_for_each_kind() -> None:
    changes = summarise(make_run(), make_run({**PEAKS, "S-2": 260.0, "S-4": 10.0}))
    assert [line["kind"] for line in changes["totals"]] == [
        kind for kind in KINDS if kind in {line["kind"] for line in changes["totals"]}
    ]
    for line in changes["totals"]:
        assert line["old"] == line["equal"] + line["changed"] + line["removed"]
        assert line["new"] == line["equal"] + line["changed"] + line["added"]


def test_a_cause_is_counted_over_all_its_subjects() -> None:
    old, new = make_run(), make_run({**PEAKS, "S-2": 260.0, "S-3": 500.0})
    found = compare_runs(old.content(), new.content())
    (cause,) = summarise_comparison(found)["causes"]
    assert (cause["kind"], cause["name"]) == ("data", "pc.csv")
    assert (cause["records"], cause["subjects"]) == (2, 2)
    assert cause["differences"] == (found.differences["causes"] != "").sum()


def test_raw_records_are_grouped_with_their_rows() -> None:
    changes = summarise(make_run(), make_run({"S-0": 50.0, **PEAKS, "S-3": 500.0}))
    assert changes["raw_records"] == [
        {
            **{"file": "pc.csv", "subject": "S-0", "change": "added", "columns": ""},
            **{"records": 2, "rows": "1-2"},
        },
        {
            **{"file": "pc.csv", "subject": "S-3", "change": "changed", "columns": "PCORRES"},
            **{"records": 1, "rows": "8"},
        },
    ]


def test_key_results_follow_the_primary_analyte_of_either_run() -> None:
    old, new = make_run(), make_run()
    new.settings["cellular_kinetics"]["primary_analyte"] = "FLOW"
    place = "ard/cellular_kinetics.parquet"
    table = new.tables[place]
    new.tables[place] = pd.concat(
        [table, table.assign(value_id=table["value_id"].str.replace("/PCR/", "/FLOW/"))],
        ignore_index=True,
    )
    mean = pytest.approx(700 / 3)
    found = {line["value_id"]: line for line in summarise(old, new)["key_results"]}
    flow = found["cellular_kinetics.summary/CMAX/FLOW/geomean"]
    pcr = found["cellular_kinetics.summary/CMAX/PCR/geomean"]
    assert (flow["old"], flow["new"], flow["equal"]) == (None, mean, False)
    assert (pcr["old"], pcr["new"], pcr["equal"]) == (mean, mean, True)


def test_a_missing_or_infinite_value_can_be_written() -> None:
    old, new = make_run(), make_run()
    place = "ard/cellular_kinetics.parquet"
    old.tables[place] = old.tables[place].assign(value=math.inf)
    new.tables[place] = new.tables[place].assign(value=math.nan, note_code="NOTCOLL")
    changes = summarise(old, new)
    assert {(line["old"], line["new"]) for line in changes["key_results"]} == {(None, None)}
    assert not changes["key_results"][0]["equal"]
    assert canonical_json(changes)


def test_equal_runs_give_equal_documents_of_no_difference() -> None:
    first, second = (summarise(make_run(), make_run()) for _ in range(2))
    assert first == second
    assert first["equal"] and not first["causes"] and not first["raw_records"]


def test_results_in_words_are_listed_and_lists_of_numbers_are_not() -> None:
    old, new = make_run(), make_run()
    place = "ard/pharmacodynamics.parquet"
    for run, text in ((old, "MET"), (new, "NOTMET")):
        table = run.tables[place].assign(value=math.nan, value_text=text)
        identifiers = ["pharmacodynamics.summary/CMAX/PCR/verdict"]
        identifiers.append("pharmacodynamics.summary/CMAX/PCR/values")
        run.tables[place] = table.iloc[:2].assign(value_id=identifiers)
    (word,) = summarise(old, new)["words"]
    assert word["key"].endswith("/verdict")
    assert (word["old"], word["new"]) == ("MET", "NOTMET")


def test_the_program_is_named_by_version_and_commit() -> None:
    old, new = make_run().content(), replace(make_run().content(), commit="0123456789abcdef")
    runs = summarise_comparison(compare_runs(old, new))["runs"]
    assert runs["new"] == {"name": "RUN", "celldossier": "0", "commit": "0123456789abcdef"}
    page = render_comparison(summarise_comparison(compare_runs(old, new)), "zh")
    assert "celldossier 0 (0123456789ab)生成" in page and "celldossier 0生成" in page


def test_the_area_is_named_by_the_interval_of_the_config() -> None:
    old, new = make_run(), make_run()
    place = "ard/cellular_kinetics.parquet"
    for run in (old, new):
        run.settings["cellular_kinetics"]["partial_areas"] = [[0, 14.5]]
        table = run.tables[place]
        run.tables[place] = table.assign(
            value_id=table["value_id"].str.replace("/CMAX/", "/AUC14P5/")
        )
    (area,) = summarise(old, new)["key_results"]
    assert area["value_id"] == "cellular_kinetics.summary/AUC14P5/PCR/geomean"
    assert area["label"] == {"en": "AUC14P5, geometric mean", "zh": "AUC14P5几何均值"}

"""Each key of the config that differs is named with its old and its new value, the rest counted."""

from __future__ import annotations

from typing import Any

from celldossier.run_comparison.settings_changes import SettingChange, compare_settings

OLD: dict[str, Any] = {
    "run": {"run": "A"},
    "study_data": {"root": "data", "missing_texts": ["NA"]},
    "bioanalysis": {"assays": [{"analyte": "PCR", "lloq": 50}, {"analyte": "FLOW", "lloq": 1}]},
}


def change(**sections: object) -> list[SettingChange]:
    return compare_settings(OLD, {**OLD, **sections})[0]


def test_equal_settings_are_counted() -> None:
    assert compare_settings(OLD, OLD) == ([], 6)


def test_a_key_is_named_by_what_identifies_its_part_of_a_list() -> None:
    assays = [{"analyte": "FLOW", "lloq": 1}, {"analyte": "PCR", "lloq": 25}]
    assert change(bioanalysis={"assays": assays}) == [
        SettingChange("bioanalysis", "bioanalysis.assays (order)", "PCR, FLOW", "FLOW, PCR"),
        SettingChange("bioanalysis", "bioanalysis.assays[PCR].lloq", "50", "25"),
    ]


def test_a_part_that_is_new_or_gone_is_no_other_order() -> None:
    first, second = OLD["bioanalysis"]["assays"]
    (*found,) = change(bioanalysis={"assays": [{"analyte": "ADA", "lloq": 2}, first]})
    assert not [item for item in found if "order" in item.key]
    found = change(bioanalysis={"assays": [second, {"analyte": "ADA", "lloq": 2}, first]})
    assert [item.key for item in found if "order" in item.key] == ["bioanalysis.assays (order)"]


def test_a_key_that_is_new_or_gone_has_no_value_on_the_other_side() -> None:
    found = change(study_data={"root": "data", "time": {"unit": "d"}})
    assert [(item.key, item.old, item.new) for item in found] == [
        ("study_data.missing_texts", '[ "NA" ]', None),
        ("study_data.time.unit", None, "d"),
    ]


def test_parts_that_share_a_name_are_told_apart_by_number() -> None:
    parts = [{"name": "a", "x": 1}, {"name": "a", "x": 2}]
    (found,) = [
        item
        for item in compare_settings(
            {"s": {"list": parts}}, {"s": {"list": [parts[0], {"name": "a", "x": 3}]}}
        )[0]
    ]
    assert found.key == "s.list[2].x"


def test_names_of_runs_are_no_settings_of_an_analysis() -> None:
    assert change(run={"run": "B", "reference_run": "A"}) == []


def test_a_place_on_this_machine_is_not_told() -> None:
    (found,) = change(study_data={"root": "/home/someone/data2", "missing_texts": ["NA"]})
    assert found.new == ".../data2"
    sources = {"PC": [{"file": "/home/someone/pc.csv", "sheet": "2"}]}
    keys = [item.key for item in change(study_data={"sources": sources})]
    assert "study_data.sources.PC[.../pc.csv].sheet" in keys
    assert not [key for key in keys if "someone" in key]


def test_keys_below_a_key_that_had_none_are_named_alone() -> None:
    source = {"file": "dm.csv", "keep": {}}
    (found,) = compare_settings(
        {"s": {"DM": [source]}}, {"s": {"DM": [{**source, "keep": {"USUBJID": ["A"]}}]}}
    )[0]
    assert (found.key, found.old, found.new) == ("s.DM[dm.csv].keep.USUBJID", None, '[ "A" ]')

"""Every reported number has one home and one identifier."""

import math

import pytest

from celldossier.errors import InputDataError
from celldossier.results import AnalysisResults, ResultCollector, make_value_id


def test_a_value_id_sorts_its_keys_and_encodes_its_levels() -> None:
    value_id = make_value_id("s.a", "CMAX", "PCR", {"dose": "DL2 / 150", "by": "x=1"}, "geomean")
    assert value_id == "s.a/CMAX/PCR/by=x%3D1/dose=DL2%20%2F%20150/geomean"
    assert make_value_id("s.a", "", "CD19 CAR", {}, "n") == "s.a/-/CD19%20CAR/n"


def test_a_missing_value_needs_a_reason() -> None:
    collector = ResultCollector("stage")
    with pytest.raises(ValueError, match="without a reason"):
        collector.add("a", {"mean": math.nan}, dataset="ADPP")
    collector.add("a", {"mean": math.nan}, dataset="ADPP", notes={"mean": "NODATA"})
    assert collector.frame()["note_code"].tolist() == ["NODATA"]


def test_the_same_value_id_twice_is_refused() -> None:
    collector = ResultCollector("stage")
    collector.add("a", {"n": 1.0}, dataset="ADPP")
    collector.add("a", {"n": 2.0}, dataset="ADPP")
    with pytest.raises(InputDataError, match="value_id"):
        collector.frame()


def test_values_are_read_back_by_place_and_by_name() -> None:
    collector = ResultCollector("stage")
    collector.add("a", {"n": 3.0, "word": "x"}, dataset="ADPP", variable="CMAX", by={"dose": "D1"})
    results = AnalysisResults([collector.frame()])
    found = results.find("stage.a", "CMAX", by={"dose": "D1"})
    assert found is not None
    assert found.number == 3.0
    assert results.get("stage.a/CMAX/-/dose=D1/word").text == "x"
    assert results.find("stage.a", "CMAX", by={"dose": "D2"}) is None
    assert results.levels("stage.a", "dose") == ["D1"]
    with pytest.raises(KeyError):
        results.get("stage.a/TMAX/-/n")


def test_more_than_three_groups_are_refused() -> None:
    groups = {key: "x" for key in "abcd"}
    with pytest.raises(ValueError, match="at most three"):
        ResultCollector("stage").add("a", {"n": 1.0}, dataset="X", by=groups)

"""Every reported number has one home and one identifier."""

import math

import pytest

from celldossier.errors import InputDataError
from celldossier.results import AnalysisResults, ResultCollector, add_block, make_value_id


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


def test_more_than_four_groups_are_refused() -> None:
    groups = {key: "x" for key in "abcde"}
    with pytest.raises(ValueError, match="at most 4"):
        ResultCollector("stage").add("a", {"n": 1.0}, dataset="X", by=groups)


def add_cell(values: list[float], **rules: object) -> dict[str, tuple[float, str, float, str]]:
    collector = ResultCollector("stage")
    place = {"dataset": "ADPP", "variable": "CMAX", "where": "", "unit": "ng/mL"}
    add_block(collector, "a", values, **place, **rules)  # type: ignore[arg-type]
    names = ["value", "value_text", "n", "note_code"]
    rows = collector.frame().set_index("stat_name")[names]
    return {str(name): tuple(row) for name, row in zip(rows.index, rows.to_numpy(), strict=True)}


def test_few_values_stand_beside_their_statistics_in_rising_order() -> None:
    assert add_cell([5.0, math.nan, 2.0])["values"][1] == "2; 5"
    assert "values" not in add_cell([5.0, 2.0, 3.0])
    assert "values" not in add_cell([math.nan])
    assert add_cell([math.nan], absent="NOTCOLL")["mean"][3] == "NOTCOLL"
    assert add_cell([1.0])["sd"][3] == "FEWVAL"


def test_a_withheld_statistic_keeps_its_reason_and_a_withheld_mean_lists_no_values() -> None:
    found = add_cell([1.0, 2.0], withheld={"geomean": "BLQHALF"})
    assert math.isnan(found["geomean"][0])
    assert found["geomean"][3] == "BLQHALF"
    assert found["mean"][0] == 1.5
    assert "values" in found
    assert "values" not in add_cell([1.0, 2.0], withheld={"mean": "MIXUNIT"})


def test_the_geometric_part_of_a_block_may_count_the_values_above_zero() -> None:
    assert add_cell([0.0, 1.0, 4.0])["geomean"][2] == 3
    found = add_cell([0.0, 1.0, 4.0], of_positive=True)
    assert found["geomean"][:3] == (pytest.approx(2.0), "", 2)
    assert found["mean"][2] == 3
    nothing = add_cell([0.0, 0.0, 0.0], of_positive=True)
    assert nothing["geomean"][3] == "NOVALUE"
    assert nothing["mean"][0] == 0

"""Precision at the numbers obtained and planned, from made-up exposures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from precision_study import EXPOSURE, make_precision_results
from pydantic import ValidationError

from celldossier.results import AnalysisResults
from celldossier.settings.precision import PrecisionSettings
from celldossier.stats.precision import expected_width, interval_factor


def summarise(**precision: object) -> AnalysisResults:
    return AnalysisResults([make_precision_results(**precision)])


def exposure(results: AnalysisResults, stat: str, **by: str) -> float:
    found = results.find("dose_exploration.precision_exposure", "CMAX", "PCR", by, stat)
    assert found is not None
    return found.number


def test_the_interval_is_that_of_the_logarithms_at_both_sizes() -> None:
    results = summarise(planned_by_dose={"DL1": 9})
    logs = np.log(EXPOSURE["DL1"])
    sd = float(logs.std(ddof=1))
    assert exposure(results, "n", dose="DL1") == 4
    assert exposure(results, "geomean", dose="DL1") == pytest.approx(math.exp(logs.mean()))
    limits = [exposure(results, stat, dose="DL1") for stat in ("ci_low", "ci_high")]
    assert limits[1] / limits[0] == pytest.approx(exposure(results, "ratio", dose="DL1"))
    assert exposure(results, "ratio", dose="DL1") == pytest.approx(interval_factor(sd, 4) ** 2)
    assert exposure(results, "ratio_planned", dose="DL1") == pytest.approx(
        interval_factor(sd, 9) ** 2
    )
    high = exposure(results, "sd_high", dose="DL1")
    assert high > sd
    for stat, size in (("ratio_high", 4), ("ratio_planned_high", 9)):
        expected = interval_factor(high, size) ** 2
        assert exposure(results, stat, dose="DL1") == pytest.approx(expected)


def test_only_positive_values_of_infused_subjects_count() -> None:
    results = summarise()
    assert exposure(results, "n") == 6
    assert exposure(results, "geomean") == pytest.approx(
        math.exp(np.log([*EXPOSURE["DL1"], *EXPOSURE["DL2"]]).mean())
    )


def test_what_cannot_be_known_is_empty_with_a_reason() -> None:
    results = summarise(planned_by_dose={"DL1": 9, "DL3": 6})

    def reason(stat: str, dose: str) -> str:
        place = ("dose_exploration.precision_exposure", "CMAX", "PCR", {"dose": dose}, stat)
        found = results.find(*place)
        assert found is not None and math.isnan(found.number)
        return found.note_code

    assert reason("ratio", "DL2") == "FEWVAL"
    assert reason("ratio_planned", "DL2") == "NOSIZE"
    # A level that is planned and was not given has a size, and no value.
    assert reason("geomean", "DL3") == "NOVALUE"
    events = results.find(
        "dose_exploration.precision_silent", "EVENT", "", {"dose": "DL3", "size": "PLANNED"}, "rate"
    )
    assert events is not None and events.number == pytest.approx(100 * (1 - 0.05 ** (1 / 6)))


def test_zeros_are_counted_apart_and_most_of_a_group_leaves_it_without_a_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With the 0 of DL2-9, one of two values of level 2 is above 0, then one of four.
    monkeypatch.setitem(EXPOSURE, "DL2", (5.0,))
    half = summarise()
    assert exposure(half, "n_notabove", dose="DL2") == 1
    assert exposure(half, "geomean", dose="DL2") == pytest.approx(5.0)
    monkeypatch.setitem(EXPOSURE, "DL2", (5.0, 0.0, 0.0))
    results = summarise()
    assert exposure(results, "n", dose="DL2") == 1
    assert exposure(results, "n_notabove", dose="DL2") == 3
    for stat in ("geomean", "ratio"):
        place = ("dose_exploration.precision_exposure", "CMAX", "PCR", {"dose": "DL2"}, stat)
        found = results.find(*place)
        assert found is not None and math.isnan(found.number) and found.note_code == "BLQHALF"


def test_a_size_beyond_any_study_is_empty_with_its_reason() -> None:
    results = summarise(factors=[1.0005])
    place = ("dose_exploration.precision_size", "CMAX", "PCR", {"factor": "1.0005"})
    for stat in ("n_needed", "n_assured"):
        found = results.find(*place, stat)
        assert found is not None and math.isnan(found.number) and found.note_code == "MANYSUBJ"


def test_a_value_has_no_reason_for_its_absence() -> None:
    frame = summarise(planned_by_dose={"DL1": 9, "DL3": 6}).frame
    assert (frame.loc[frame["value"].notna(), "note_code"] == "").all()
    assert (frame.loc[frame["value"].isna(), "note_code"] != "").all()


def test_the_planned_total_is_the_sum_of_the_levels_unless_it_is_declared() -> None:
    assert exposure(summarise(planned_by_dose={"DL1": 9, "DL2": 5}), "n_planned") == 14
    assert exposure(summarise(planned_total=40), "n_planned") == 40
    assert math.isnan(exposure(summarise(), "n_planned"))
    with pytest.raises(ValidationError, match="planned_total is smaller"):
        PrecisionSettings(planned_by_dose={"DL1": 9}, planned_total=8)


def test_events_have_chances_and_widths_at_each_size() -> None:
    results = summarise(planned_total=20, event_rates=[0.1])

    def event(stat: str, **by: str) -> float:
        place = ("dose_exploration.precision_events", "EVENT", "", {"rate": "0.1", **by}, stat)
        found = results.find(*place)
        assert found is not None
        return found.number

    assert event("n", size="OBTAINED") == 7
    assert event("chance", size="OBTAINED") == pytest.approx(100 * (1 - 0.9**7))
    assert event("chance", size="PLANNED") == pytest.approx(100 * (1 - 0.9**20))
    assert event("width_wilson", size="OBTAINED", dose="DL1") == pytest.approx(
        100 * expected_width(0.1, 4, "wilson")
    )
    needed = results.find(
        "dose_exploration.precision_event_size", "EVENT", "", {"rate": "0.1"}, "n_needed"
    )
    assert needed is not None and needed.number == 29


def test_subjects_are_counted_by_part_of_the_study() -> None:
    results = summarise()
    parts = {
        part: results.find("dose_exploration.precision_part", "PART", "", {"part": part}, "n")
        for part in ("ESCALATION", "EXPANSION")
    }
    assert [value.number for value in parts.values() if value] == [4, 3]

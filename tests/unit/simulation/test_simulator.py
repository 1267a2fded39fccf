"""Seeds, streams, the specification and the command line of the simulator."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from celldossier.cli import simulate
from celldossier.errors import ConfigError
from celldossier.simulation.kinetics import MeasuredConcentrations
from celldossier.simulation.records import format_numbers, round_significant, shift_days
from celldossier.simulation.sampling import choose_blood_samples
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota, open_stream
from celldossier.simulation.study import simulate_study

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
MINI = STUDIES / "MINI" / "simulation.yaml"


def run_command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    simulate.add_parser(parser.add_subparsers())
    options = parser.parse_args(["simulate", *arguments])
    return int(options.run(options))


def test_a_stream_depends_on_its_name_and_on_the_seed_alone() -> None:
    first = open_stream(1, "kinetics").standard_normal(5)
    open_stream(1, "antibodies").standard_normal(100)
    assert np.array_equal(first, open_stream(1, "kinetics").standard_normal(5))
    assert not np.array_equal(first, open_stream(1, "kinetic").standard_normal(5))
    assert not np.array_equal(first, open_stream(2, "kinetics").standard_normal(5))


def test_a_quota_is_met_exactly() -> None:
    assert draw_quota(open_stream(1, "x"), 100, 7).sum() == 7


def test_the_same_specification_gives_the_same_study_and_another_seed_another() -> None:
    specification = simulate.read_specification(MINI)
    first, second = simulate_study(specification), simulate_study(specification)
    other = simulate_study(specification.reseeded(specification.seed + 1))
    for name, frame in first.raw.items():
        pd.testing.assert_frame_equal(frame, second.raw[name])
        assert not frame.equals(other.raw[name]), name


@pytest.mark.parametrize("infused", [6, 7, 25, 121])
def test_any_number_of_subjects_gives_a_whole_study(infused: int) -> None:
    study = simulate_study(simulate.read_specification(MINI).resized(infused))
    cells = study.raw["ex"].query("EXCAT == 'CELL PRODUCT'")
    first = cells.query("EPOCH == 'TREATMENT' and EXPLFL == 'Y'")
    assert cells["USUBJID"].nunique() == len(first) == infused
    assert study.raw["pc"]["USUBJID"].nunique() == infused


def test_numbers_are_written_without_exponent_and_with_six_digits() -> None:
    found = format_numbers([1234567.0, 0.0000123456789, 12.5, 50.0, np.nan])
    assert found == ["1234570", "0.0000123457", "12.5", "50", ""]
    assert round_significant([123456.7])[0] == 123457


def test_days_are_added_to_the_minute_and_a_missing_day_gives_no_moment() -> None:
    start = np.array(["2024-02-28T23:00", "2024-02-28T23:00"], dtype="datetime64[m]")
    moved = shift_days(start, [1 + 90 / 1440, np.nan])
    assert str(moved[0]) == "2024-03-01T00:30"
    assert np.isnat(moved[1])


def test_sampling_ends_with_progression_and_after_two_blq(ctx101: StudySpecification) -> None:
    nominal = np.array(ctx101.sampling.days)
    times = np.tile(nominal, (3, 1))
    pcr = np.full(times.shape, 1000.0)
    pcr[1, nominal >= 21] = 10.0  # BLQ at days 21 and 28: the last sample is day 28
    pcr[2, np.isin(nominal, [28, 90, 180])] = 10.0  # single BLQ, then two
    measured = MeasuredConcentrations(
        pcr=pcr,
        flow=pcr,
        collected=np.ones(times.shape, dtype=bool),
        carry=np.zeros(3, dtype=bool),
    )
    taken = choose_blood_samples(ctx101, times, measured, np.array([100.0, 900.0, 900.0]), 50.0)
    assert [nominal[row].max() for row in taken] == [90, 28, 180]


def test_the_command_writes_all_files_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(str(MINI), "-o", str(tmp_path / "new"), "--subjects", "8") == 0
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {
        "dm.csv", "ex.csv", "pc.csv", "lb.csv", "is.csv", "ae.csv", "fa.csv", "rs.csv",
        "tr.csv", "ds.csv", "cm.csv", "lots.csv", "be.csv", "runs.csv", "truth.json",
        "truth_subjects.csv",
    }  # fmt: skip
    assert "8 infused" in capsys.readouterr().out


def test_another_seed_on_the_command_line_changes_the_data(tmp_path: Path) -> None:
    run_command(str(MINI), "-o", str(tmp_path), "--seed", "99")
    assert (tmp_path / "pc.csv").read_bytes() != (MINI.parent / "pc.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sead": 3}, "sead"),
        ({"seed": -1}, "seed"),
        ({"study": "ctx 101"}, "study"),
        ({"crs": {"onset_day": 3}}, "crs"),
        ({"dosing": {"levels": [], "actual_ln_sd": 0.1}}, "levels"),
    ],
)
def test_a_faulty_specification_is_refused_with_the_place_of_the_fault(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    content = yaml.safe_load(MINI.read_text(encoding="utf-8")) | change
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        run_command(str(faulty), "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_rising_probabilities_of_higher_grades_are_refused() -> None:
    content = yaml.safe_load(MINI.read_text(encoding="utf-8"))
    content["crs"]["reference_probability"] = {1: 0.2, 2: 0.5, 3: 0.1, 4: 0.05}
    with pytest.raises(ValueError, match="never rising"):
        StudySpecification.model_validate(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1, 2]", "mapping"), ("a: [", "not valid YAML"), (None, "cannot be read")],
)
def test_a_file_that_is_no_specification_is_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "specification.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        run_command(str(path), "-o", str(tmp_path / "out"))


@pytest.mark.parametrize("arguments", [["--subjects", "2"], ["--seed", "-5"]])
def test_options_out_of_range_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"subjects|seed"):
        run_command(str(MINI), "-o", str(tmp_path / "out"), *arguments)

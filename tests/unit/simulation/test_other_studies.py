"""The raw data of NKX-201 and MSX-301: reproducible to the byte, small, and free of slips."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from celldossier.cli import simulate
from celldossier.errors import ConfigError
from celldossier.simulation.car_nk import layouts as car_nk_layouts
from celldossier.simulation.kinds import KINDS, kind_of, simulate_any
from celldossier.simulation.mesenchymal import layouts as mesenchymal_layouts

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
LAYOUTS = {
    "NKX-201": car_nk_layouts.RAW_COLUMNS,
    "MSX-301": mesenchymal_layouts.RAW_COLUMNS,
}
LARGEST = 3_500_000  # bytes: all raw files of a study

Domains = dict[str, pd.DataFrame]


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def raw(name: str) -> Domains:
    return {
        domain: pd.read_csv(STUDIES / name / f"{domain}.csv", dtype=str, keep_default_na=False)
        for domain in (*LAYOUTS[name], "truth_subjects")
    }


def test_the_committed_files_are_what_the_specification_gives(name: str, tmp_path: Path) -> None:
    spec = simulate.read_specification(STUDIES / name / "simulation.yaml")
    simulate.write_study(simulate_any(spec), tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    committed = [p for p in (STUDIES / name).iterdir() if p.suffix != ".yaml"]
    assert written == sorted(path.name for path in committed)
    for file in written:
        assert (tmp_path / file).read_bytes() == (STUDIES / name / file).read_bytes(), file
    assert sum(path.stat().st_size for path in committed) < LARGEST


def test_each_file_has_its_columns_and_one_row_a_record(name: str, raw: Domains) -> None:
    for domain, columns in LAYOUTS[name].items():
        frame = raw[domain]
        # The samples are named after the results are laid out.
        traced = [f"{domain.upper()}{name}" for name in ("REFID", "RUNID")]
        assert list(frame.columns) == columns + (traced if domain in ("pc", "is") else [])
        key = {"dm": ["USUBJID"], "lots": ["LOTID"]}.get(domain)
        assert not frame.duplicated(key or ["USUBJID", f"{domain.upper()}SEQ"]).any(), domain


def test_a_site_lies_in_one_country_and_a_level_waits_for_the_one_below(raw: Domains) -> None:
    dm = raw["dm"]
    assert (dm.groupby("SITEID")["COUNTRY"].nunique() == 1).all()
    assert set(dm["COUNTRY"]) == {"CHN", "USA"}
    assert (dm["RACE"] == "ASIAN").tolist() == (dm["COUNTRY"] == "CHN").tolist()
    cohorts = dm[(dm["PART"] == "ESCALATION") & (dm["RFXSTDTC"] != "")]
    days = pd.to_datetime(cohorts["RFXSTDTC"]).dt.normalize().groupby(cohorts["COHORT"])
    first, last = days.min().sort_values(), days.max()
    assert len(first) == 3
    waited = first.iloc[1:].to_numpy() - last[first.index[:-1]].to_numpy()
    assert (waited >= pd.Timedelta(days=28)).all()


def test_nothing_happens_before_consent_after_death_or_after_the_cutoff(
    name: str, raw: Domains
) -> None:
    content = yaml.safe_load((STUDIES / name / "simulation.yaml").read_text(encoding="utf-8"))
    cutoff = pd.Timestamp(content["enrolment"]["data_cutoff"])
    subjects = raw["dm"].set_index("USUBJID")
    consent = pd.to_datetime(subjects["RFICDTC"])
    death = pd.to_datetime(subjects["DTHDTC"], errors="coerce") + pd.Timedelta(days=1)
    for domain, frame in raw.items():
        if domain in ("dm", "lots", "be", "runs", "truth_subjects"):
            continue
        for column in frame.columns[frame.columns.str.endswith("DTC")]:
            moment = pd.to_datetime(frame[column], format="ISO8601", errors="coerce")
            assert not (moment < frame["USUBJID"].map(consent)).any(), (domain, column)
            assert not (moment >= frame["USUBJID"].map(death)).any(), (domain, column)
            assert not (moment > cutoff).any(), (domain, column)


def test_every_lot_serves_several_subjects_and_was_released_before_use(raw: Domains) -> None:
    cells = raw["ex"].loc[raw["ex"]["EXCAT"] == "CELL PRODUCT"]
    joined = cells.merge(raw["lots"], left_on="EXLOT", right_on="LOTID", how="left")
    assert (joined["RELDTC"] != "").all() and joined["RELDTC"].notna().all()
    assert (joined["RELDTC"] < joined["EXSTDTC"]).all()
    assert (raw["lots"]["USUBJID"] == "").all()
    assert cells.groupby("EXLOT")["USUBJID"].nunique().max() > 3
    assert raw["lots"]["DONORID"].nunique() < len(raw["lots"])


def test_doses_of_a_cycle_are_a_week_apart_and_cycles_follow() -> None:
    doses = pd.read_csv(STUDIES / "NKX-201" / "ex.csv", dtype=str, keep_default_na=False)
    cells = doses.loc[(doses["EXCAT"] == "CELL PRODUCT") & (doses["EXPLFL"] == "Y")]
    start = pd.to_datetime(cells["EXSTDTC"])
    first = start.groupby(cells["USUBJID"]).transform("min")
    late = (start - first) / pd.Timedelta(days=1) - cells["EXTPTNUM"].astype(float)
    assert late.abs().max() < 1.2
    assert set(cells["EXTPTNUM"]) == {"0", "7", "14", "35", "42", "49", "70", "77", "84"}
    assert (cells.groupby("USUBJID").size() % 3 == 0).all()


def test_worst_crs_grades_in_ae_and_fa_are_those_of_the_truth() -> None:
    folder = STUDIES / "NKX-201"
    truth = pd.read_csv(folder / "truth_subjects.csv", dtype=str, keep_default_na=False)
    truth = truth.query("INFUSFL == 'Y'").set_index("USUBJID")["CRSGR"]
    events = pd.read_csv(folder / "ae.csv", dtype=str, keep_default_na=False)
    events = events.loc[events["AEDECOD"] == "Cytokine release syndrome"]
    grades = pd.read_csv(folder / "fa.csv", dtype=str, keep_default_na=False)
    grades = grades.loc[grades["FATESTCD"] == "GRADE"]
    for frame, column in ((events, "AETOXGR"), (grades, "FAORRES")):
        worst = frame.groupby("USUBJID")[column].max().reindex(truth.index, fill_value="0")
        assert (worst == truth).all()


def test_the_truth_counts_what_the_raw_files_hold(name: str, raw: Domains) -> None:
    truth = json.loads((STUDIES / name / "truth.json").read_text(encoding="utf-8"))
    assert truth["counts"]["records"] == {domain: len(raw[domain]) for domain in LAYOUTS[name]}
    assert truth["counts"]["infused"] == raw["ex"]["USUBJID"].nunique()
    assert truth["nulls"]


def test_half_of_the_results_of_nk_cells_by_flow_cannot_be_quantified() -> None:
    samples = pd.read_csv(STUDIES / "NKX-201" / "pc.csv", dtype=str, keep_default_na=False)
    below = samples["PCORRES"].eq("BLQ").groupby(samples["PCTESTCD"]).mean()
    assert below["CARFLOW"] > 0.3 and below["CARPCR"] > 0.15


def test_a_specification_without_kind_is_a_car_t_study() -> None:
    assert kind_of({}) is KINDS["car_t"]
    assert kind_of({"kind": "mesenchymal"}) is KINDS["mesenchymal"]
    assert kind_of({"kind": "plasma"}) is None


def run_command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    simulate.add_parser(parser.add_subparsers())
    options = parser.parse_args(["simulate", *arguments])
    return int(options.run(options))


@pytest.mark.parametrize("subjects", ["6", "13"])
def test_the_command_takes_every_kind_of_study(name: str, tmp_path: Path, subjects: str) -> None:
    spec = STUDIES / name / "simulation.yaml"
    assert run_command(str(spec), "-o", str(tmp_path), "--subjects", subjects, "--seed", "5") == 0
    doses = pd.read_csv(tmp_path / "ex.csv", dtype=str)
    assert doses["USUBJID"].nunique() == int(subjects)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "specification.yaml"
    path.write_text("kind: plasma\nstudy: X\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="plasma"):
        run_command(str(path), "-o", str(tmp_path / "out"))

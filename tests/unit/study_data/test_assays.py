"""Specimens, assays that change, the subject's own background, and cellular responses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_study import BIOANALYSIS, assay, make_study

from celldossier.immunogenicity.status import derive_adim, derive_samples
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.tlf.figures_immunogenicity import read_antibody_samples


def by_row(frame):
    return frame.set_index("SRCROW").sort_index()


def declare(study, *more, **changes):
    known = [
        {**own, **changes.get(own["analyte"], {})}
        for own in BIOANALYSIS.model_dump(mode="json")["assays"]
    ]
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": [*known, *more]})


# --- specimens ---


def test_a_flagged_specimen_is_used_and_flagged_or_excluded(study):
    study.set("PC", 2, "PCSPCCND", "Hemolyzed")
    study.set("PC", 3, "PCSPCCND", "Normal")
    adpc = by_row(study.derive().datasets["ADPC"])
    assert adpc["CONDFL"].tolist() == ["N", "Y", "N", "N", "N"]
    assert adpc.loc[2, "SPCCND"] == "Hemolyzed"
    study.options["flagged_specimens"] = "exclude"
    data = study.derive()
    assert data.exclusions[["domain", "row", "reason", "detail"]].to_numpy().tolist() == [
        ["PC", 2, "SPECCOND", "Hemolyzed"]
    ]


def test_where_no_condition_is_recorded_nothing_is_said_of_it(study):
    assert set(study.derive().datasets["ADPD"]["CONDFL"]) == {""}


# --- changes ---


def test_a_change_names_its_values_in_the_order_of_time(study):
    for row in range(1, 6):
        study.set("PC", row, "PCASSAYV", "2.0" if row > 3 else "1.0")
        study.set("PC", row, "PCMETHOD", "qPCR")
    found = study.derive().findings.query("rule_id == 'ASSAYCHANGE'").iloc[0]
    assert "qPCR / 1.0 (2024-03-01); qPCR / 2.0 (2024-04-01)" in found["message_en"]
    adpc = by_row(study.derive().datasets["ADPC"])
    assert adpc.loc[[3, 4], "PCASSAYV"].tolist() == ["1.0", "2.0"]


def test_one_limit_in_two_units_is_no_change(study):
    study.set("PC", 5, "PCORRESU", "copies/ng DNA")
    study.set("PC", 5, "PCORRES", "35")
    study.set("PC", 5, "PCLLOQ", "0.05")
    study.set("PC", 5, "PCULOQ", "100")
    assert "LLOQCHANGE" not in set(study.derive().findings["rule_id"])


def test_a_change_within_a_subject_is_found_by_subject(study):
    study.set("PC", 5, "PCLLOQ", "14")
    found = study.derive().findings.query("rule_id == 'LLOQCHANGESUBJECT'")
    assert found["subject"].tolist() == ["B"]
    assert "50 (2024-04-01); 14 (2024-04-11)" in found["message_en"].iloc[0]


# --- the subject's own cells ---


def test_an_endogenous_marker_has_a_baseline_and_no_predose_finding(study):
    study.set("PC", 1, "PCORRES", "400")
    assert "PREDOSEQUANTIFIABLE" in set(study.derive().findings["rule_id"])
    declare(study, PCR={"background": "endogenous"})
    data = study.derive()
    assert "PREDOSEQUANTIFIABLE" not in set(data.findings["rule_id"])
    adpc = by_row(data.datasets["ADPC"])
    assert adpc["BASE"].tolist()[:3] == [400, 400, 400]
    assert adpc.loc[2, "CHG"] == 800 and np.isnan(adpc.loc[1, "CHG"])
    # A baseline below the limit gives none (R24), nor does a result below it a change.
    assert adpc.loc[[3, 5], "CHG"].isna().all()


def test_a_specific_marker_has_no_change_from_baseline(study):
    study.set("PC", 1, "PCORRES", "400")
    assert study.derive().datasets["ADPC"][["BASE", "CHG"]].isna().all().all()


# --- cellular responses and readouts ---


@pytest.fixture
def cellular(study):
    declare(study, assay("ELISPOT", "ADA", "IFNGSPOT", "SFU/10^6 cells"))
    records = [("2024-03-01T08:00", "12"), ("2024-03-29T08:00", "85"), ("2024-03-29T09:00", "9")]
    for day, spots in records:
        study.repeat(
            "IS",
            1,
            {
                **{"ISTESTCD": "IFNGSPOT", "ISCAT": "CELLULAR", "ISORRES": spots},
                **{"ISORRESU": "SFC/10^6 PBMC", "ISDTC": day},
            },
        )
    study.set("IS", 8, "ISORRESU", "SFU/10^5 cells")
    return study


def test_a_cellular_response_is_a_number_with_baseline_in_the_unit_of_its_assay(cellular):
    data = cellular.derive()
    assert data.errors == 0
    rows = by_row(data.datasets["ADAB"]).loc[[6, 7, 8]]
    assert rows["AVAL"].tolist() == [12, 85, 90]
    assert rows["AVALC"].tolist() == ["VALUE"] * 3
    assert set(rows["AVALU"]) == {"SFU/10^6 cells"}
    assert rows["BASE"].tolist() == [12, 12, 12]
    assert rows["CHG"].tolist()[1:] == [73, 78]


def test_a_cellular_response_in_a_wrong_unit_is_an_error(cellular):
    cellular.set("IS", 7, "ISORRESU", "%")
    data = cellular.derive()
    assert data.findings.iloc[0][["rule_id", "domain", "row"]].tolist() == ["UNITWRONG", "IS", 7]
    assert data.exclusions["row"].tolist() == [7]


def test_the_antibody_status_is_the_same_with_and_without_cellular_responses(cellular):
    plain = make_study().derive().datasets
    with_spots = cellular.derive().datasets
    settings = ImmunogenicitySettings()
    first, second = (
        derive_adim(data["ADAB"], data["ADSL"], settings) for data in (plain, with_spots)
    )
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(derive_samples(plain["ADAB"]), derive_samples(with_spots["ADAB"]))
    pd.testing.assert_frame_equal(
        read_antibody_samples(plain["ADAB"]), read_antibody_samples(with_spots["ADAB"])
    )
    for flag in ("IMFL", "NIMRSN"):
        assert plain["ADSL"][flag].tolist() == with_spots["ADSL"][flag].tolist()


@pytest.mark.parametrize("unit", ["MFI", "S/N", "signal to noise", "AU"])
def test_a_readout_is_carried_as_observed_and_is_no_titre(study, unit):
    study.set("IS", 3, "ISCAT", "RESULT")
    study.set("IS", 3, "ISORRES", "2450")
    study.set("IS", 3, "ISORRESU", unit)
    data = study.derive()
    assert data.errors == 0
    row = by_row(data.datasets["ADAB"]).loc[3]
    assert (row["AVAL"], row["AVALC"]) == (2450, "VALUE")


def test_a_number_without_unit_in_a_tier_of_status_stays_an_error(study):
    study.set("IS", 1, "ISORRES", "0.21")
    assert study.derive().findings["rule_id"].iloc[0] == "RESULTUNMAPPED"

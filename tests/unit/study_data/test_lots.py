"""The list of lots, and what it says against leukapheresis and infusion."""

from __future__ import annotations

import pytest


def lots(data):
    return data.datasets["ADPQ"].set_index("LOTID")


def found(data, rule):
    findings = data.findings
    return findings[findings["rule_id"] == rule]


def test_vein_to_vein_time_is_counted_and_fills_a_blank(study):
    data = study.derive()
    # Leukapheresis on 5 January and 5 February, infusion on 1 March and 1 April (2024).
    assert lots(data)["VEINVEIC"].tolist() == [56, 56]
    assert lots(data)["VEINVEIN"].tolist() == [56, 56]
    study.set("LOTS", 1, "VEINVEIN", "57")
    study.set("LOTS", 2, "VEINVEIN", "58")
    data = study.derive()
    assert lots(data)["VEINVEIN"].tolist() == [57, 58]
    # One day apart is the convention of counting, two are not.
    assert found(data, "VEINTOVEIN")["row"].tolist() == [2]


def test_a_lot_of_several_subjects_has_no_subject_and_counts_them(study):
    study.set("LOTS", 1, "USUBJID", "")
    study.set("LOTS", 1, "DONORID", "D7")
    study.set("EX", 3, "EXLOT", "L1")
    study.set("LOTS", 2, "USUBJID", "")
    row = lots(study.derive()).loc["L1"]
    assert row[["USUBJID", "DONORID", "NSUBJ", "INFUSFL"]].tolist() == ["", "D7", 2, "Y"]
    assert row["VEINVEIC"] != row["VEINVEIC"]
    assert lots(study.derive()).loc["L2", ["NSUBJ", "INFUSFL"]].tolist() == [0, "N"]


def test_a_lot_outside_its_specification_is_flagged(study):
    study.set("LOTS", 1, "VIABPCT", "69.9")
    study.set("LOTS", 2, "VIABPCT", "70")
    assert set(lots(study.derive())["OOSFL"]) == {""}
    study.options["dosing"] = {"release_limits": {"VIABPCT": [70, 100], "VCN": [0.5, 2.9]}}
    data = study.derive()
    assert lots(data)["OOSFL"].tolist() == ["Y", "Y"]
    assert lots(data)["OOSVAR"].tolist() == ["VIABPCT", "VCN"]
    assert found(data, "LOTOUTOFSPEC")["row"].tolist() == [1, 2]


def test_the_first_lot_gives_the_product_covariates(study):
    study.set("LOTS", 1, "TCMPCT", "35")
    study.set("LOTS", 1, "SITE", "SHANGHAI")
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["A", ["TCMPCT", "VCN", "MFGSITE", "PROCESS"]].tolist() == [
        *(35, 2.5, "SHANGHAI", "P1"),
    ]
    assert adsl.loc["C", ["MFGSITE", "PROCESS"]].tolist() == ["", ""]
    assert adsl.loc["C", ["TCMPCT", "VEINVEIN"]].isna().all()


@pytest.mark.parametrize(("value", "faults"), [("0", 0), ("100", 0), ("-0.1", 1), ("100.1", 1)])
def test_a_percentage_lies_from_0_to_100(study, value, faults):
    study.set("LOTS", 1, "TRANSPCT", value)
    assert len(found(study.derive(), "LOTPERCENT")) == faults


@pytest.mark.parametrize(
    ("name", "values", "faults"),
    [
        ("VIABPCT", ("0.85", "0.9"), 1),
        ("TRANSPCT", ("0.42", ""), 1),
        # One of two, and a lot that failed, are no file of shares.
        ("VIABPCT", ("0.85", "90"), 0),
        ("TRANSPCT", ("0", "42"), 0),
        ("TCMPCT", ("0.5", "0.4"), 0),
    ],
)
def test_a_file_of_shares_in_place_of_percentages_stops_the_run(study, name, values, faults):
    for row, value in enumerate(values, start=1):
        study.set("LOTS", row, name, value)
    data = study.derive()
    assert len(found(data, "LOTSHARE")) == faults
    assert data.errors == faults

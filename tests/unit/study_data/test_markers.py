"""Markers from laboratory, scores, images and tissue in one dataset."""

from __future__ import annotations

import pytest
from small_study import BIOANALYSIS, assay, make_study, to_table

from celldossier.settings.bioanalysis import BioanalysisSettings


def add(study, domain, records):
    """Give the study a further domain."""
    study.tables[domain] = to_table(records)
    study.sources[domain] = {"file": f"{domain.lower()}.csv"}


@pytest.fixture
def study():
    study = make_study()
    declared = [
        assay("WOMAC", "PD", "WOMAC01", "score"),
        assay("DEFECT", "PD", "DEFAREA", "mm2"),
        assay("MOCART", "PD", "HISTO", "score"),
    ]
    study.bioanalysis = BioanalysisSettings.model_validate(
        {"assays": [*BIOANALYSIS.model_dump(mode="json")["assays"], *declared]}
    )
    add(
        study,
        "QS",
        [
            {"USUBJID": "A", "QSTESTCD": "WOMAC01", "QSORRES": "40", "QSDTC": "2024-02-20"},
            {"USUBJID": "A", "QSTESTCD": "WOMAC01", "QSORRES": "-4", "QSDTC": "2024-06-01"},
        ],
    )
    places = [("LEFT KNEE", "2", "2024-02-20"), ("LEFT KNEE", "1.5", "2024-06-01")]
    places += [("RIGHT KNEE", "3", "2024-02-20"), ("RIGHT KNEE", "3", "2024-06-01")]
    add(
        study,
        "MO",
        [
            {
                **{"USUBJID": "A", "MOTESTCD": "DEFAREA", "MOORRES": value, "MOORRESU": "cm2"},
                **{"MOLOC": place, "MODTC": day, "MOMETHOD": "MRI"},
            }
            for place, value, day in places
        ],
    )
    add(
        study,
        "MI",
        [
            {
                **{"USUBJID": "A", "MITESTCD": "HISTO", "MIORRES": "7", "MISPEC": "CARTILAGE"},
                **{"MILOC": "LEFT KNEE", "MIDTC": "2024-06-01"},
            }
        ],
    )
    return study


def test_each_domain_of_markers_becomes_records_of_one_dataset(study):
    data = study.derive()
    assert data.errors == 0
    adpd = data.datasets["ADPD"]
    assert adpd["SRCDOM"].value_counts().to_dict() == {"LB": 5, "QS": 2, "MO": 4, "MI": 1}
    counts = data.accounting.set_index("domain")["records_used"]
    assert counts[["LB", "QS", "MO", "MI"]].tolist() == [5, 2, 4, 1]
    tissue = adpd[adpd["SRCDOM"] == "MI"].iloc[0]
    assert tissue[["ASPEC", "ALOC", "AVAL"]].tolist() == ["CARTILAGE", "LEFT KNEE", 7]


def test_each_place_has_a_baseline_of_its_own(study):
    adpd = study.derive().datasets["ADPD"].query("SRCDOM == 'MO'").set_index("SRCROW").sort_index()
    assert adpd["AVALU"].unique().tolist() == ["mm2"]
    assert adpd["BASE"].tolist() == [200, 200, 300, 300]
    assert adpd["ABLFL"].tolist() == ["Y", "N", "Y", "N"]
    assert adpd["CHG"].fillna(-999).tolist() == [-999, -50, -999, 0]
    assert adpd["PCHG"].fillna(-999).tolist() == [-999, -25, -999, 0]


def test_a_score_needs_no_unit_and_may_be_negative(study):
    adpd = study.derive().datasets["ADPD"].query("SRCDOM == 'QS'").set_index("SRCROW")
    assert adpd["AVALU"].tolist() == ["score", "score"]
    assert adpd["AVAL"].tolist() == [40, -4]


def test_a_measure_without_unit_is_an_error(study):
    study.set("MO", 2, "MOORRESU", "")
    findings = study.derive().findings
    assert findings[["rule_id", "domain", "row"]].iloc[0].tolist() == ["UNITUNKNOWN", "MO", 2]


def test_a_domain_of_markers_that_cannot_be_read_leaves_the_others(study):
    study.drop("MO", "MOORRES")
    data = study.derive()
    assert set(data.datasets["ADPD"]["SRCDOM"]) == {"LB", "QS", "MI"}
    assert data.exclusions["domain"].value_counts().to_dict() == {"MO": 4}


def test_scores_alone_make_a_subject_evaluable_for_pharmacodynamics(study):
    study.remove("LB")
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    assert adsl["PDFL"].to_dict() == {"A": "Y", "B": "N", "C": "N"}


def test_a_marker_above_its_limit_is_flagged_and_used_as_reported(study):
    # Of the record, else of the text, else of the assay, converted with the result.
    declared = [
        own | ({"uloq": 100} if own["analyte"] == "IL6" else {})
        for own in study.bioanalysis.model_dump(mode="json")["assays"]
    ]
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": declared})
    study.set("LB", 1, "LBULOQ", "4")
    study.set("LB", 2, "LBORRES", ">2500")
    study.set("LB", 4, "LBORRES", "0.2")
    data = study.derive()
    rows = data.datasets["ADPD"].query("SRCDOM == 'LB'").set_index("SRCROW").sort_index()
    assert rows["AULOQ"].tolist() == [4, 2500, 100, 100, 100]
    assert rows["ALQFL"].tolist() == ["Y", "Y", "N", "Y", "N"]
    assert rows["AVAL"].fillna(-1).tolist() == [5, 2500, 80, 200, -1]
    found = data.findings.query("rule_id == 'ABOVEULOQ'")
    assert found[["row", "severity"]].values.tolist() == [[n, "warning"] for n in (1, 2, 4)]


def test_a_place_above_the_limit_of_its_assay_is_flagged(study):
    declared = [
        own | ({"uloq": 250} if own["analyte"] == "DEFECT" else {})
        for own in study.bioanalysis.model_dump(mode="json")["assays"]
    ]
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": declared})
    adpd = study.derive().datasets["ADPD"].query("SRCDOM == 'MO'").set_index("SRCROW").sort_index()
    assert adpd["ALQFL"].tolist() == ["N", "N", "Y", "Y"]

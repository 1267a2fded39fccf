"""Checks across domains and over whole tests, where one planted cell is not enough."""

from __future__ import annotations

import pytest
from small_study import BIOANALYSIS, STUDY, SmallStudy, assay

from celldossier.io.tables import RawDomain
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.study import StudySettings
from celldossier.study_data.crossdomain import simplify
from celldossier.study_data.stage import StudyData, derive_study_data


def derive(study: SmallStudy, **changes: object) -> StudyData:
    """Run the stage on another product or cut-off."""
    settings = STUDY.model_dump()
    settings["product"] |= changes.pop("product", {})
    raw = {
        name: (RawDomain(name, f"{name.lower()}.csv", table),)
        for name, table in study.tables.items()
    }
    return derive_study_data(
        raw, study.settings, study.bioanalysis, StudySettings(**(settings | changes))
    )


def values(data: StudyData, rule: str) -> list[list[str]]:
    """Severity, domain and value of the findings of a rule."""
    found = data.findings[data.findings["rule_id"] == rule]
    return found[["severity", "domain", "value"]].to_numpy().tolist()


def test_what_the_guideline_asks_of_the_product_is_a_warning(study):
    data = derive(study, product={"co_expressed": ["car", "truncated EGFR"]})
    assert values(data, "CKONEMETHOD") == [["warning", "PC", "PCR"]]
    # The antibodies of the study are against the receptor, whose name may be written otherwise.
    assert values(data, "COEXPRESSEDADA") == [["warning", "IS", "truncated EGFR"]]
    warning = ["warning", "IS"]
    named = [[*warning, "car"], [*warning, "truncated EGFR"]]
    assert values(data, "COEXPRESSEDASSAY") == named
    declared = [assay("EGFRT", "ADA", "ADA_EGFRT", "titer") | {"target": "Truncated-EGFR"}]
    study.bioanalysis = BioanalysisSettings.model_validate(
        {"assays": [*BIOANALYSIS.model_dump()["assays"], *declared]}
    )
    again = derive(study, product={"co_expressed": ["car", "truncated EGFR"]})
    assert values(again, "COEXPRESSEDASSAY") == named[:1]
    flow = BioanalysisSettings.model_validate(
        {"assays": [*BIOANALYSIS.model_dump()["assays"], assay("FLOW", "CK", "CARF", "cells/uL")]}
    )
    study.bioanalysis = flow
    assert values(derive(study), "CKONEMETHOD") == []
    study.bioanalysis = BIOANALYSIS
    assert values(derive(study, product={"gene_modified": False}), "CKONEMETHOD") == []


def test_a_test_in_two_units_is_a_note_with_both(study):
    assert values(study.derive(), "UNITMIXED") == [["note", "LB", "ng/mL, pg/mL"]]
    study.set("LB", 4, "LBORRESU", "pg/mL")
    assert values(study.derive(), "UNITMIXED") == []


def test_a_declared_assay_without_any_record_is_a_warning(study):
    assert values(study.derive(), "TESTNEVER") == []
    study.bioanalysis = BioanalysisSettings.model_validate(
        {"assays": [*BIOANALYSIS.model_dump()["assays"], assay("CRP", "PD", "CRP", "mg/L")]}
    )
    assert values(study.derive(), "TESTNEVER") == [["warning", "LB", "CRP"]]
    study.empty("LB")
    assert values(study.derive(), "TESTNEVER") == []


def test_an_assay_of_kinetics_without_a_limit_is_a_warning(study):
    assert values(study.derive(), "ASSAYNOLLOQ") == []
    study.drop("PC", "PCLLOQ")
    for row, result in ((1, "10"), (3, "20"), (4, "10")):
        study.set("PC", row, "PCORRES", result)
    assert values(study.derive(), "ASSAYNOLLOQ") == [["warning", "PC", "PCR"]]


def test_consents_after_the_cut_off_are_counted(study):
    data = derive(study, data_cutoff="2024-01-31")
    assert values(data, "CUTOFFCONSENT") == [["warning", "DM", "2024-02-02"]]
    assert values(study.derive(), "CUTOFFCONSENT") == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("S1-007", "s1_07", True),
        ("\uff33\uff11-7", "S1-7", True),
        ("S1-01-011", "S1-011-01", False),
        ("S1-10", "S1-1", False),
        ("S1-100", "S1-10", False),
    ],
)
def test_identifiers_are_alike_that_differ_in_their_spelling_only(one, other, alike):
    assert (simplify(one) == simplify(other)) is alike


def test_two_subjects_of_dm_that_look_alike_are_named(study):
    study.repeat("DM", 3, {"USUBJID": "c"})
    found = study.derive().findings
    found = found[found["rule_id"] == "SUBJECTLOOKALIKE"]
    assert found[["domain", "row", "value"]].to_numpy().tolist() == [["DM", 4, "c"]]
    assert "'C' of DM" in found["message_en"].iloc[0]


def test_a_standard_column_that_nothing_reads_is_no_misspelling(study):
    for name in ("PCSEQ", "PCSTRESN", "PCTPT", "PCLLOQX1", "VISITNUM"):
        study.tables["PC"] = study.tables["PC"].assign(**{name: "1"})
    assert values(study.derive(), "COLUMNMISSPELT") == []


def test_a_copy_with_a_running_number_of_its_own_is_still_a_copy(study):
    study.tables["CM"] = study.tables["CM"].assign(CMSEQ=["1", "2"])
    study.repeat("CM", 2, {"CMSEQ": "3"})
    assert values(study.derive(), "RECORDDUPLICATE") == [["warning", "CM", ""]]
    study.set("CM", 3, "CMINDC", "FEVER")
    data = study.derive()
    assert values(data, "RECORDDUPLICATE") == []
    assert values(data, "KEYDUPLICATE") == [["note", "CM", ""]]


def test_a_copy_of_a_dose_is_an_error(study):
    study.repeat("EX", 1)
    assert values(study.derive(), "RECORDDUPLICATE") == [["error", "EX", ""]]

"""Copies per mass of DNA to cells per volume: the published numbers, and what is asked for."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from small_study import BIOANALYSIS, WORD, assay, make_study

from celldossier.cellular_kinetics.analysis_datasets import select_samples
from celldossier.settings.bioanalysis import DNA_PER_CELL, BioanalysisSettings
from celldossier.study_data.cell_conversion import convert_copies

CONVERSION = {
    "analyte": "PCRCELL",
    "label": {"en": "CAR-positive cells (from PCR)", "zh": "CAR阳性细胞（由PCR换算）"},
    "source": "PCR",
    "white_cells": "WBC",
}


def cells(copies, white, vcn=1.0):
    return convert_copies(pd.Series([copies]), pd.Series([white]), vcn)[0]


# science.md G-7: 50 cells/uL read as copies/ug at these leukocyte counts, VCN 1.
@pytest.mark.parametrize(
    ("white", "copies"), [(100, 75758), (500, 15152), (2000, 3788), (6000, 1263)]
)
def test_fifty_cells_read_otherwise_in_copies_at_each_count(white, copies):
    assert cells(copies, white) == pytest.approx(50, rel=5e-4)
    assert round(50 / white / DNA_PER_CELL) == copies


def test_a_microgram_holds_151515_genomes_and_a_peak_is_a_fifth_of_the_cells():
    assert round(1 / DNA_PER_CELL) == 151515
    assert cells(32700, 1.0) == pytest.approx(0.216, abs=5e-4)
    assert cells(32700, 1.0, vcn=3) == pytest.approx(0.216 / 3, abs=2e-4)


@given(copies=st.floats(1, 1.5e5), white=st.floats(1, 2e5), vcn=st.floats(1, 5))
def test_up_to_the_genomes_of_a_microgram_there_are_no_more_cells_than_leukocytes(
    copies, white, vcn
):
    assert cells(copies, white, vcn) <= white


@pytest.fixture
def study():
    study = make_study()
    declared = BIOANALYSIS.model_dump(mode="json")["assays"]
    study.bioanalysis = BioanalysisSettings.model_validate(
        {
            "assays": [*declared, assay("WBC", "PD", "WBC", "10^9/L")],
            "conversions": [CONVERSION],
        }
    )
    for day, count in (("2024-03-08T22:00", "0.5"), ("2024-03-09T08:00", "4")):
        study.repeat(
            "LB",
            1,
            {**{"LBTESTCD": "WBC", "LBORRES": count, "LBORRESU": "10^9/L"}, "LBDTC": day}
            | {"LBLLOQ": "", "LBORNRHI": ""},
        )
    return study


def converted(data):
    adpc = data.datasets["ADPC"]
    return adpc[adpc["DTYPE"] == "CONVERTED"].set_index("SRCROW")


def test_the_nearest_count_and_the_lot_of_the_dose_are_used(study):
    data = study.derive()
    assert data.errors == 0
    rows = converted(data)
    # Only sample 2 has a count within a day; the nearer one is 12 h later: 500/uL; VCN 2.5.
    assert rows.index.tolist() == [2]
    row = rows.loc[2]
    assert row[["PARAMCD", "AVALU", "VCN", "WBC"]].tolist() == ["PCRCELL", "cells/uL", 2.5, 500]
    assert row["AVAL"] == pytest.approx(1200 * 6.6e-6 / 2.5 * 500)
    assert row["ALLOQ"] == pytest.approx(50 * 6.6e-6 / 2.5 * 500)
    measured = data.datasets["ADPC"].query("DTYPE == ''")
    assert len(measured) == 5 and set(measured["PARAMCD"]) == {"PCR"}
    # The record itself is counted once.
    assert data.accounting.set_index("domain").loc["PC", "records_used"] == 5


def test_the_assumption_of_a_conversion_is_printed_as_a_finding(study):
    findings = study.derive().findings
    note = findings[findings["rule_id"] == "CELLSASSUMED"].iloc[0]
    assert note["severity"] == "note"
    for text in ("6.6e-06", "ADPQ.VCN", "WBC", "PCRCELL", "1 d"):
        assert text in note["message_en"] and text in note["message_zh"]


def test_without_a_count_or_a_copy_number_nothing_is_converted(study):
    study.set("LOTS", 1, "VCN", "")
    data = study.derive()
    assert converted(data).empty
    note = data.findings[data.findings["rule_id"] == "CELLSNOTCONVERTED"].iloc[0]
    assert note["message_en"].startswith("pc.csv: 5 results of PCR")
    assert "CELLSASSUMED" not in set(data.findings["rule_id"])


def test_a_declared_copy_number_and_a_window_hold(study):
    conversion = {**CONVERSION, "vcn": 2, "window": 0.4}
    study.bioanalysis = BioanalysisSettings.model_validate(
        {**study.bioanalysis.model_dump(mode="json"), "conversions": [conversion]}
    )
    assert converted(study.derive()).empty
    study.set("LB", 6, "LBDTC", "2024-03-08T12:00")
    rows = converted(study.derive())
    assert rows["AVAL"].tolist() == [pytest.approx(1200 * 6.6e-6 / 2 * 500)]


@pytest.mark.parametrize("kinetics", [False, True])
def test_a_derived_analyte_enters_the_kinetics_only_where_it_is_asked_for(study, kinetics):
    conversion = {**CONVERSION, "kinetics": kinetics}
    study.bioanalysis = BioanalysisSettings.model_validate(
        {**study.bioanalysis.model_dump(mode="json"), "conversions": [conversion]}
    )
    samples = select_samples(study.derive().datasets["ADPC"])
    assert ("PCRCELL" in set(samples["PARAMCD"])) == kinetics


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "FLOW"}, "copies/ug"),
        ({"white_cells": "PCR"}, "no assay of domain PD"),
        ({"analyte": "PCR"}, "is an assay already"),
        ({"vcn": 0}, "vcn"),
        ({"vcn": "guess"}, "vcn"),
    ],
)
def test_a_conversion_that_cannot_be_meant_is_refused(change, message):
    declared = [*BIOANALYSIS.assays, assay("WBC", "PD", "WBC", "10^9/L")]
    declared.append(assay("FLOW", "CK", "FLOW", "cells/uL"))
    with pytest.raises(ValidationError, match=message):
        BioanalysisSettings.model_validate(
            {"assays": declared, "conversions": [{**CONVERSION, "label": WORD, **change}]}
        )


@pytest.mark.parametrize(("copies", "found"), [("1515151", False), ("1515152", True)])
def test_more_copies_than_cells_can_hold_are_an_error(copies, found):
    study = make_study()
    study.set("PC", 5, "PCORRES", copies)
    study.set("PC", 5, "PCULOQ", "")
    assert ("COPIESIMPLAUSIBLE" in set(study.derive().findings["rule_id"])) == found

"""Conversions of units: exact within a dimension, declared across, never silent."""

from __future__ import annotations

import itertools
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_study import assay, make_study

from celldossier.settings.bioanalysis import Assay, BioanalysisSettings
from celldossier.study_data.units import UnitTable

TABLE = UnitTable()
UNITS = [unit.name for unit in TABLE.units]
DIMENSION = {unit.name: unit.dimension for unit in TABLE.units}
PAIRS = [(a, b) for a, b in itertools.permutations(UNITS, 2) if DIMENSION[a] == DIMENSION[b]]
TRIPLES = [
    (a, b, c) for (a, b), c in itertools.product(PAIRS, UNITS) if DIMENSION[c] == DIMENSION[a]
]
VALUES = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


def convert(value, unit, target):
    return TABLE.convert(pd.Series([value]), unit, target)[0]


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (1, "copies/ng", "copies/ug", 1000),
        (5000, "copies/mL", "copies/uL", 5),
        (1, "10^9/L", "cells/uL", 1000),
        (250000, "cells/mL", "10^9/L", 0.25),
        (1.5, "ng/mL", "pg/mL", 1500),
        (12.5, "g/dL", "g/L", 125),
        (2, "10^6 cells/kg", "cells/kg", 2e6),
        (3e7, "cells/m2", "10^6 cells/m2", 30),
        (1, "10^8 cells", "10^6 cells", 100),
        (12, "SFC/10^5 PBMC", "SFU/10^6 cells", 120),
        (1, "ukat/L", "U/L", 60),
        (2.5, "cm2", "mm2", 250),
        (100.4, "°F", "°C", 38),
        (37, "°C", "°F", 98.6),
        (-40, "F", "C", -40),
        (0.5, "fraction", "%", 50),
    ],
)
def test_a_value_in_another_unit_of_its_dimension(value, unit, target, expected):
    assert convert(value, unit, target) == pytest.approx(expected, rel=1e-14)


@given(value=VALUES, pair=st.sampled_from(PAIRS))
def test_a_conversion_and_its_inverse_cancel(value, pair):
    back = convert(convert(value, *pair), *reversed(pair))
    # A temperature loses what is small against the offset of the scale.
    assert back == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(value=VALUES, triple=st.sampled_from(TRIPLES))
def test_two_conversions_in_a_row_are_one(value, triple):
    first, second, third = triple
    both = convert(convert(value, first, second), second, third)
    assert both == pytest.approx(convert(value, first, third), rel=1e-12, abs=1e-12)


def test_no_unit_converts_across_dimensions():
    for unit, target in itertools.permutations(UNITS, 2):
        linked = TABLE.find_conversion(unit, target) is not None
        assert linked == (DIMENSION[unit] == DIMENSION[target]), (unit, target)


@pytest.mark.parametrize(
    ("unit", "target"),
    [
        ("copies/ug", "cells/uL"),
        ("copies/mL", "cells/mL"),
        ("copies/ug", "copies/mL"),
        ("% of CD3+", "% of lymphocytes"),
        ("% of CD3+", "%"),
        ("% of leukocytes", "% of lymphocytes"),
        ("IU/mL", "ng/mL"),
        ("umol/L", "mg/dL"),
        ("U/L", "IU/L"),
        ("10^6 cells/kg", "10^6 cells/m2"),
        ("10^6 cells", "10^6 cells/kg"),
        ("mg/m2", "mg/kg"),
        ("MFI", "S/N"),
        ("MFI", "titer"),
        ("score", "%"),
        ("mm3", "cells/uL"),
    ],
)
def test_what_looks_alike_is_not_mixed_up(unit, target):
    assert TABLE.find_conversion(unit, target) is None
    assert math.isnan(TABLE.factor(unit, target))


def test_a_scale_with_another_zero_has_no_mere_factor():
    assert math.isnan(TABLE.factor("°F", "°C"))


def declare(**more):
    return Assay.model_validate(assay("X", "PD", "X", "mg/dL", **more))


@pytest.mark.parametrize(
    ("molar_mass", "value", "expected"),
    # Creatinine 113.12 g/mol: 88.4 umol/L is 1 mg/dL; bilirubin 584.66 g/mol: 17.1 umol/L is.
    [(113.12, 88.4, 1.0), (584.66, 17.1, 1.0)],
)
def test_amount_of_substance_becomes_mass_by_a_declared_molar_mass(molar_mass, value, expected):
    link = TABLE.find_conversion("umol/L", "mg/dL", declare(molar_mass=molar_mass))
    assert link.declared
    assert value * link.factor == pytest.approx(expected, rel=1e-3)
    back = TABLE.find_conversion("mg/dL", "umol/L", declare(molar_mass=molar_mass))
    assert link.factor * back.factor == pytest.approx(1, rel=1e-12)


def test_a_declared_factor_holds_for_the_unit_of_the_assay_only():
    own = Assay.model_validate(assay("IL6", "PD", "IL6", "pg/mL", declared_factors={"IU/mL": 10}))
    assert TABLE.find_conversion("IU/mL", "pg/mL", own).factor == 10
    assert TABLE.find_conversion("IU/L", "pg/mL", own).factor == pytest.approx(0.01)
    assert TABLE.find_conversion("IU/mL", "ng/mL", own) is None


def test_limits_and_reference_values_follow_a_scale_with_another_zero(study):
    study.bioanalysis = BioanalysisSettings.model_validate(
        {"assays": [assay("TEMP", "PD", "TEMP", "°C"), *study.bioanalysis.assays]}
    )
    row = study.repeat(
        "LB",
        3,
        {
            "LBTESTCD": "TEMP",
            "LBORRES": "100.4",
            "LBORRESU": "F",
            "LBLLOQ": "",
        },
    )
    study.set("LB", row, "LBORNRHI", "98.6")
    data = make_study_result(study)
    found = data.set_index("SRCROW").loc[row]
    assert found[["AVAL", "ANRHI"]].astype(float).round(9).tolist() == [38, 37]
    assert found["AVALU"] == "°C"


def make_study_result(study):
    data = study.derive()
    assert data.errors == 0
    return data.datasets["ADPD"]


def test_a_unit_of_another_dimension_stays_an_error_without_a_declaration():
    study = make_study()
    study.set("LB", 3, "LBORRESU", "IU/mL")
    findings = study.derive().findings
    assert findings.iloc[0][["rule_id", "row"]].tolist() == ["UNITWRONG", 3]

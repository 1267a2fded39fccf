"""Baseline covariates: groups, organ function by published formulas, sets with reasons."""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import BIOANALYSIS, assay

from celldossier.settings.baseline import BaselineSettings
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.study_data.baseline import (
    derive_organ_function,
    group_by_median,
    group_paediatric_age,
    group_region,
)
from celldossier.study_data.organ_function import (
    estimate_clearance,
    estimate_gfr,
    group_hepatic,
    group_renal,
)


def found(data, rule):
    findings = data.findings
    return findings[findings["rule_id"] == rule]


def subjects(study):
    return study.derive().datasets["ADSL"].set_index("USUBJID")


# --- groups ---


def test_paediatric_groups_are_those_of_ich_e11():
    ages = pd.Series([0.5, 1.99, 2, 11.9, 12, 17.9, 18, float("nan")])
    groups = ["<2", "<2", "2-11", "2-11", "12-17", "12-17", ">=18", ""]
    assert group_paediatric_age(ages).tolist() == groups


def test_the_region_is_china_or_not():
    country = pd.Series(["CHN", "chn", "USA", ""])
    assert group_region(country, ("CHN",)).tolist() == ["CHINA", "CHINA", "OTHER", ""]


def test_burden_is_high_above_the_median_of_its_own_unit():
    burden = pd.Series([1.0, 2.0, 3.0, 5000.0, 9000.0, 4.0, float("nan")])
    unit = pd.Series(["%", "%", "%", "mm2", "mm2", "mg", "%"])
    assert group_by_median(burden, [unit]).tolist() == [
        *("LOW", "LOW", "HIGH", "LOW", "HIGH", "", ""),
    ]


# --- organ function ---


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        # At the knot of the equation the powers are 1.
        (0.9, 50, "M", 142 * 0.9938**50),
        (0.7, 50, "F", 142 * 0.9938**50 * 1.012),
        # Worked by hand from the printed equation, in whole mL/min/1.73 m2 as laboratories report.
        (1.0, 50, "M", 92),
        (1.0, 50, "F", 69),
        (2.0, 70, "M", 35),
        # The calculator of the National Kidney Foundation, as the tests of pharmaverse/admiral
        # (test-compute_kidney.R) quote it.
        (1.09, 55, "M", 80),
        (85 / 88.4, 65, "F", 66),
    ],
)
def test_gfr_follows_ckd_epi_2021(creatinine, age, sex, expected):
    value = estimate_gfr(pd.Series([creatinine]), pd.Series([float(age)]), pd.Series([sex]))
    whole = isinstance(expected, int)
    assert (round(value.iloc[0]) if whole else value.iloc[0]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("creatinine", "age", "weight", "sex", "expected"),
    # From the same calculator and tests.
    [(1.09, 55, 90, "M", 97), (85 / 88.4, 65, 60, "F", 55)],
)
def test_clearance_follows_cockcroft_and_gault(creatinine, age, weight, sex, expected):
    value = estimate_clearance(
        *(pd.Series([float(number)]) for number in (creatinine, age, weight)), pd.Series([sex])
    )
    assert round(value.iloc[0]) == expected


@pytest.mark.parametrize(
    ("measure", "group"),
    [
        ("ckd_epi_2021", "MODERATE"),
        ("ckd_epi_2021_indexed", "MILD"),
        ("cockcroft_gault", "MODERATE"),
    ],
)
def test_the_renal_group_is_of_the_person_unless_the_study_asks_for_the_index(measure, group):
    # A small woman: 62 mL/min for 1.73 m2, but 51 mL/min of her own; 1.43 m2.
    columns = {"AGE": [40.0], "SEX": ["F"], "WTBL": [48.0], "CREATBL": [1.14], "BSABL": [1.43]}
    frame = pd.DataFrame({**columns, "HEPGRP": [""], "RENGRP": [""]})
    settings = BaselineSettings(renal_measure=measure)
    found = derive_organ_function(frame, {}, settings)
    assert found["EGFRABL"].iloc[0] == pytest.approx(found["EGFRBL"].iloc[0] * 1.43 / 1.73)
    assert found["RENGRP"].tolist() == [group]


def test_without_body_size_there_is_no_group_of_the_person():
    columns = {"AGE": [40.0], "SEX": ["F"], "WTBL": [48.0], "CREATBL": [1.14]}
    frame = pd.DataFrame({**columns, "BSABL": [float("nan")], "HEPGRP": [""], "RENGRP": [""]})
    found = derive_organ_function(frame, {}, BaselineSettings())
    assert found["RENGRP"].tolist() == [""] and found["RENGRPS"].tolist() == [""]


def test_gfr_and_clearance_are_for_adults_of_known_sex():
    creatinine, weight = pd.Series([1.0] * 3), pd.Series([70.0] * 3)
    age, sex = pd.Series([17.0, 40.0, 40.0]), pd.Series(["M", "U", "F"])
    assert estimate_gfr(creatinine, age, sex).notna().tolist() == [False, False, True]
    clearance = estimate_clearance(creatinine, age, weight, sex)
    assert clearance.notna().tolist() == [False, False, True]
    assert clearance.iloc[2] == pytest.approx((140 - 40) * 70 / 72 * 0.85)


def test_renal_groups_end_at_90_60_30_and_15():
    values = pd.Series([90, 89.9, 60, 59.9, 30, 29.9, 15, 14.9, float("nan")])
    assert group_renal(values).tolist() == [
        *("NORMAL", "MILD", "MILD", "MODERATE", "MODERATE", "SEVERE", "SEVERE", "FAILURE", ""),
    ]


def test_hepatic_groups_are_those_of_the_nci_working_group():
    cases = [
        (1.0, 1.0, "NORMAL"),
        (1.0, 1.1, "MILD"),
        (1.01, float("nan"), "MILD"),
        (1.5, 1.0, "MILD"),
        (1.51, 1.0, "MODERATE"),
        (3.0, 9.0, "MODERATE"),
        (3.1, 1.0, "SEVERE"),
        (0.5, float("nan"), ""),
    ]
    bilirubin, ast, groups = zip(*cases, strict=True)
    assert group_hepatic(pd.Series(bilirubin), pd.Series(ast)).tolist() == list(groups)


def test_laboratory_at_baseline_comes_in_the_unit_of_its_variable(study):
    more = BioanalysisSettings.model_validate({"assays": [assay("CREAT", "PD", "CREAT", "umol/L")]})
    study.bioanalysis = BIOANALYSIS.model_copy(
        update={"assays": (*BIOANALYSIS.assays, *more.assays)}
    )
    own = {"LBTESTCD": "CREAT", "LBORRES": "88.4", "LBORRESU": "umol/L", "LBLLOQ": ""}
    study.repeat("LB", 1, own)
    adsl = subjects(study)
    assert adsl.loc["A", "CREATBL"] == pytest.approx(1.0)
    assert adsl.loc["A", "EGFRBL"] == pytest.approx(142 * (1 / 0.7) ** -1.2 * 0.9938**45 * 1.012)
    assert adsl.loc["A", ["RENGRP", "RENGRPS"]].tolist() == ["MILD", "DERIVED"]
    assert adsl.loc["A", "IL6BL"] == 6
    assert adsl.loc["B", "IL6BL"] == pytest.approx(2)
    study.set("DM", 1, "RENGRP", "NORMAL")
    assert subjects(study).loc["A", ["RENGRP", "RENGRPS"]].tolist() == ["NORMAL", "GIVEN"]


# --- sets ---


def test_dose_limiting_toxicity_is_judged_in_the_escalation(study):
    assert set(subjects(study)["NDLTRSN"]) == {"NOTCOLL"}
    for row, part in ((1, "ESCALATION"), (2, "EXPANSION"), (3, "ESCALATION")):
        study.set("DM", row, "PART", part)
    # Without a column for toxicities nothing is known of them; a blank one says that none was.
    assert set(subjects(study)["NDLTRSN"]) == {"NOTCOLL"}
    study.set("AE", 1, "AEDLT", "")
    adsl = subjects(study)
    assert adsl["NDLTRSN"].tolist() == ["", "NOTESCAL", "NOTINFUSED"]
    assert adsl["DLTEVLFL"].tolist() == ["Y", "N", "N"]


def test_an_early_death_is_evaluable_only_with_a_dose_limiting_toxicity(study):
    study.set("DM", 2, "PART", "ESCALATION")
    study.set("DM", 2, "DTHDTC", "2024-04-15")
    study.set("RS", 5, "RSDTC", "2024-04-12")
    study.set("AE", 1, "AEDLT", "N")
    assert subjects(study).loc["B", "NDLTRSN"] == "SHORTFU"
    study.set("AE", 4, "AEDLT", "Y")
    assert subjects(study).loc["B", "NDLTRSN"] == ""
    study.set("EX", 3, "EXDOSE", "300")
    assert subjects(study).loc["B", "NDLTRSN"] == "DOSEOUT"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("2024-04", ""),
        ("2024-06", "SHORTFU"),
        ("2024-03", "SHORTFU"),
        ("2024-04-01T08:00", "SHORTFU"),
        ("2024-04-30", "SHORTFU"),
    ],
)
def test_a_toxicity_that_may_have_begun_in_the_period_makes_evaluable(study, start, reason):
    study.set("DM", 2, "PART", "ESCALATION")
    study.set("DM", 2, "DTHDTC", "2024-04-15")
    study.set("RS", 5, "RSDTC", "2024-04-12")
    study.set("AE", 4, "AEDLT", "Y")
    study.set("AE", 4, "AESTDTC", start)
    study.set("AE", 4, "AEENDTC", "")
    assert subjects(study).loc["B", "NDLTRSN"] == reason
    # The same where a date in part is left as it is.
    study.options["time"] = {"partial_dates": {"event_start": "none"}}
    assert subjects(study).loc["B", "NDLTRSN"] == reason


def test_the_last_day_of_the_period_is_one_of_the_calendar(study):
    study.set("DM", 2, "PART", "ESCALATION")
    study.set("AE", 1, "AEDLT", "N")
    study.set("DM", 2, "DTHDTC", "")
    study.set("AE", 4, "AEENDTC", "")
    study.set("RS", 5, "RSDTC", "2024-04-12")
    study.set("DS", 2, "DSSTDTC", "2024-04-12")
    for day, reason in (("28", "SHORTFU"), ("29", "")):
        # Infused at noon.
        study.set("PC", 5, "PCDTC", f"2024-04-{day}T09:00")
        assert subjects(study).loc["B", "NDLTRSN"] == reason


def test_a_split_first_dose_is_in_its_window_as_a_whole(study):
    study.set("DM", 2, "PART", "ESCALATION")
    study.set("AE", 1, "AEDLT", "N")
    study.options["dosing"] = {"split_window": 5}
    study.set("EX", 3, "EXPDOSE", "20")
    study.set("EX", 3, "EXDOSE", "20")
    later = {"EXSTDTC": "2024-04-03T12:00", "EXENDTC": "", "EXPDOSE": "180"}
    row = study.repeat("EX", 3, {**later, "EXDOSE": "100"})
    assert subjects(study).loc["B", "NDLTRSN"] == "DOSEOUT"
    study.set("EX", row, "EXDOSE", "180")
    study.set("EX", 3, "EXDOSE", "10")
    # Half of a tenth: 190 of 200 were given.
    assert subjects(study).loc["B", "NDLTRSN"] == ""


def test_who_has_no_product_has_the_reason_that_the_study_states(study):
    study.set("DM", 2, "LEUKDTC", "")
    study.set("DM", 2, "MFGSTAT", "")
    adsl = subjects(study)
    assert adsl["NMANURSN"].tolist() == ["", "NOLEUK", "FAILED"]
    assert adsl["NLEUKRSN"].tolist() == ["", "NOLEUK", ""]
    study.set("DM", 2, "NOINFRSN", "WITHDRAWAL")
    study.set("DM", 3, "MFGSTAT", "")
    adsl = subjects(study)
    assert adsl["NLEUKRSN"].tolist() == ["", "WITHDRAWAL", ""]
    assert adsl["NMANURSN"].tolist() == ["", "NOLEUK", "NOMANU"]
    study.drop("DM", "MFGSTAT")
    assert set(subjects(study)["NMANURSN"]) == {"NOTCOLL"}


def test_an_unknown_response_makes_nobody_evaluable_for_response(study):
    assert subjects(study)["NEFFRSN"].tolist() == ["", "NORSPOST", "NOTINFUSED"]


def test_follow_up_ends_with_the_last_record_or_death(study):
    adsl = subjects(study)
    assert adsl.loc["A", "FUDUR"] == adsl.loc["A", "LSTDY"]
    assert adsl.loc["B", "FUDUR"] == 70
    assert adsl.loc["C", "FUDUR"] != adsl.loc["C", "FUDUR"]


# --- design ---


def test_an_arm_that_the_protocol_does_not_have_is_an_error(study):
    study.options["dosing"] = {"arms": ["DL1"]}
    findings = found(study.derive(), "ARMUNKNOWN")
    assert findings[["severity", "row"]].to_numpy().tolist() == [["error", 2], ["error", 3]]


def test_a_cohort_waits_for_the_one_before(study):
    for row, cohort in ((1, "C1"), (2, "C2")):
        study.set("DM", row, "COHORT", cohort)
    # The second cohort began on day 31 of the first.
    assert found(study.derive(), "COHORTORDER").empty
    study.options["dosing"] = {"dlt_period": 35}
    data = study.derive()
    assert found(data, "COHORTORDER")["row"].tolist() == [2]


def test_minors_follow_adults_of_their_indication(study):
    assert found(study.derive(), "MINORSBEFOREADULTS").empty
    study.set("EX", 2, "EXSTDTC", "2024-05-01T10:00")
    study.set("EX", 2, "EXENDTC", "2024-05-01T10:20")
    assert found(study.derive(), "MINORSBEFOREADULTS")["row"].tolist() == [2]
    # A study without any adult: every infused minor has none before.
    study.set("DM", 1, "AGE", "16")
    assert found(study.derive(), "MINORSBEFOREADULTS")["row"].tolist() == [1, 2]

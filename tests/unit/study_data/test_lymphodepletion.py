"""Lymphodepletion: drugs against their plan, depth, cytokines at infusion."""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import BIOANALYSIS, assay

from celldossier.settings.bioanalysis import BioanalysisSettings


def drugs(data):
    return data.datasets["ADLD"].set_index(["USUBJID", "LDNO", "LDTRT"])


def found(data, rule):
    findings = data.findings
    return findings[findings["rule_id"] == rule]


def give(study, subject, drug, *days, dose="30", planned="30", unit="mg/m2"):
    for day in days:
        start = "2024-03-01" if subject == "A" else "2024-04-01"
        date = (pd.Timestamp(start) + pd.Timedelta(days=day)).strftime("%Y-%m-%dT09:00")
        own = {"USUBJID": subject, "EXTRT": drug, "EXDOSE": dose, "EXPDOSE": planned}
        study.repeat("EX", 1, {**own, "EXDOSU": unit, "EXSTDTC": date, "EXENDTC": ""})


def blood(study, *counts, code="LYM", unit="10^9/L"):
    """Add results of subject A: day and value."""
    wanted = code
    known = {item.analyte for item in study.bioanalysis.assays}
    if wanted not in known:
        more = BioanalysisSettings.model_validate(
            {"assays": [assay(wanted, "PD", code, "pg/mL" if code.startswith("IL") else "10^9/L")]}
        )
        assays = (*study.bioanalysis.assays, *more.assays)
        study.bioanalysis = BIOANALYSIS.model_copy(update={"assays": assays})
    for day, value in counts:
        date = pd.Timestamp("2024-03-01T10:00") + pd.Timedelta(days=day)
        study.repeat(
            "LB",
            1,
            {
                "LBTESTCD": code,
                "LBORRES": value,
                "LBORRESU": unit,
                "LBLLOQ": "",
                "LBORNRHI": "",
                "LBDTC": date.strftime("%Y-%m-%dT%H:%M"),
            },
        )


def test_a_drug_has_one_record_with_days_total_and_ratio_to_the_plan(study):
    give(study, "A", "Cyclophosphamide", -5, -4, dose="400", planned="500")
    data = study.derive()
    row = drugs(data).loc[("A", 1, "CYCLOPHOSPHAMIDE")]
    wanted = ["LDDOSEP", "LDDOSEA", "LDDAYS", "LDTOTP", "LDTOTA", "LDSTDY", "LDENDY"]
    assert row[wanted].tolist() == [500, 400, 2, 1000, 800, -5, -4]
    assert row["LDRATIO"] == pytest.approx(0.8)
    assert row["LDDOSED"] == 400
    assert row[["LDDOSEU", "LDDEVFL", "LDOMFL"]].tolist() == ["mg/m2", "Y", "N"]
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl.loc["A", "LDREG"] == "CYCLOPHOSPHAMIDE + FLU"
    assert adsl["LDFL"].tolist() == ["Y", "N", "N"]


def test_the_plan_of_the_config_knows_of_days_that_were_not_given(study):
    study.options["dosing"] = {
        "lymphodepletion": {"plan": {"FLU": {"dose": 30, "unit": "mg/m2", "days": 3}}}
    }
    data = study.derive()
    row = drugs(data).loc[("A", 1, "FLU")]
    assert row[["LDDAYSP", "LDDAYS", "LDTOTP", "LDTOTA", "LDDEVFL"]].tolist() == [3, 1, 90, 30, "Y"]


def test_a_subject_without_a_drug_of_the_regimen_is_found(study):
    study.options["dosing"] = {
        "lymphodepletion": {"plan": {"FLU": {"dose": 30, "unit": "mg/m2", "days": 1}}}
    }
    data = study.derive()
    assert found(data, "LDMISSING")["subject"].tolist() == ["B"]
    row = drugs(data).loc[("B", 1, "FLU")]
    assert row[["LDOMFL", "LDDAYS", "LDTOTA"]].tolist() == ["Y", 0, 0]
    assert (row["SRCDOM"], row["SRCROW"]) == ("EX", 3)


def test_drugs_may_stand_among_the_medications(study):
    study.options["medication_classes"] = {"LYMPHODEPLETION": ["FLU", "BENDAMUSTINE"]}
    for name, date in (("Flu", "2024-02-26"), ("Bendamustine", "2024-02-27")):
        study.repeat("CM", 2, {"USUBJID": "A", "CMDECOD": name, "CMSTDTC": date})
    table = study.tables["CM"].assign(CMDOSE="90", CMDOSU="mg/m2")
    study.tables["CM"] = table
    records = drugs(study.derive())
    assert records.loc[("A", 1, "BENDAMUSTINE"), ["LDTOTA", "SRCDOM"]].tolist() == [90, "CM"]
    # The same drug in both domains counts once, as EX has it.
    assert records.loc[("A", 1, "FLU"), ["LDTOTA", "SRCDOM"]].tolist() == [30, "EX"]


def test_each_cycle_has_a_lymphodepletion_of_its_own(study):
    study.repeat("EX", 2, {"EXSTDTC": "2024-04-05T10:00", "EXENDTC": "", "EXTPTNUM": "35"})
    give(study, "A", "FLU", 31, 32)
    records = drugs(study.derive())
    assert records.loc[("A", 2, "FLU"), ["LDDAYS", "LDSTDY", "LDENDY"]].tolist() == [2, -4, -3]
    assert records.loc[("A", 1, "FLU"), "LDDAYS"] == 1


def test_depth_is_measured_from_before_the_first_drug_to_the_nadir(study):
    blood(study, (-10, "1.2"), (-5, "1.0"), (-1, "0.2"), (3, "0.05"), (30, "0.01"))
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row[["ALCPRELD", "ALCNAD", "ALCINF"]].tolist() == [1.0, 0.05, 0.2]
    assert row["ALCNADY"] == 3
    assert row["ALCDEPL"] == pytest.approx(95)


def test_leukocytes_are_followed_as_lymphocytes_are(study):
    blood(study, (-9, "6"), (-6, "5"), (-2, "3"), (-1, "2"), (4, "0.4"), code="WBC")
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row[["WBCPRELD", "WBCINF", "WBCNAD"]].tolist() == [5.0, 2.0, 0.4]


def test_the_time_to_the_infusion_is_that_of_the_last_drug(study):
    give(study, "A", "Cyclophosphamide", -5, -3)
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    # Fludarabine on 26 February, the infusion on 1 March 2024.
    assert adsl.loc["A", "LDINFDY"] == 3
    assert adsl.loc[["B", "C"], "LDINFDY"].isna().all()


def test_a_count_below_quantitation_is_a_nadir_of_at_most_the_limit(study):
    blood(study, (-10, "1.2"), (-5, "1.0"), (-3, "0.1"), (-1, "<0.1"), (9, "<0.1"))
    for row in range(6, 11):
        study.set("LB", row, "LBLLOQ", "0.1")
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row[["ALCNAD", "ALCNBLQ", "ALCPBLQ"]].tolist() == [0.1, "Y", "N"]
    # The first of those below the limit, which are lower than the earlier one at it.
    assert row["ALCNADY"] == -1
    assert row[["ALCINF", "ALCIBLQ"]].tolist() == [0.1, "Y"]
    assert row["ALCDEPL"] == pytest.approx(90)
    assert row[["WBCNBLQ", "IL7IBLQ", "IL15IBLQ"]].tolist() == ["", "", ""]


def test_the_depth_from_a_count_below_quantitation_is_not_known(study):
    blood(study, (-10, "1.2"), (-5, "<0.1"), (-1, "0.1"))
    for row in range(6, 9):
        study.set("LB", row, "LBLLOQ", "0.1")
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row[["ALCPRELD", "ALCPBLQ", "ALCNAD", "ALCNBLQ"]].tolist() == [0.1, "Y", 0.1, "N"]
    assert row["ALCDEPL"] != row["ALCDEPL"]


def test_a_low_limit_does_not_hide_a_lower_quantified_count(study):
    blood(study, (-10, "1.2"), (-1, "0.05"), (3, "<0.1"))
    study.set("LB", 8, "LBLLOQ", "0.1")
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row[["ALCNAD", "ALCNBLQ"]].tolist() == [0.05, "N"]


def test_cytokines_at_infusion_are_the_last_within_the_window(study):
    blood(study, (-6, "4"), (-2, "11"), (-1, "19"), (2, "50"), code="IL15", unit="pg/mL")
    blood(study, (-6, "4"), code="IL7", unit="pg/mL")
    row = study.derive().datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert row["IL15INF"] == 19
    assert row["IL7INF"] != row["IL7INF"]


@pytest.mark.parametrize(
    ("end", "frequency", "days", "total", "reason"),
    [
        ("2024-02-28", "QD", 3, 90, ""),
        ("2024-02-28", "Q12H", 3, 180, ""),
        # Every other day: the first and the third.
        ("2024-02-28", "QOD", 3, 60, ""),
        ("2024-02-28", "ONCE", 3, 30, ""),
        ("2024-02-28", "", 3, None, "NOFREQ"),
        ("2024-02-28", "PRN", 3, None, "NOFREQ"),
        ("2024-02-26", "BID", 1, 60, ""),
        ("2024-02-26", "", 1, 30, ""),
        ("", "", 1, 30, ""),
    ],
)
def test_a_record_of_several_days_holds_as_many_doses_as_its_frequency_says(
    study, end, frequency, days, total, reason
):
    plan = {"FLU": {"dose": 30, "unit": "mg/m2", "days": 3}}
    study.options["dosing"] = {"lymphodepletion": {"plan": plan}}
    study.set("EX", 1, "EXPDOSE", "")
    study.set("EX", 1, "EXENDTC", end)
    study.set("EX", 1, "EXDOSFRQ", frequency)
    data = study.derive()
    row = drugs(data).loc[("A", 1, "FLU")]
    assert row[["LDDAYS", "LDSTDY", "LDENDY", "LDRSN"]].tolist() == [days, -4, days - 5, reason]
    assert (None if pd.isna(row["LDTOTA"]) else row["LDTOTA"]) == total
    assert row["LDTOTP"] == 90
    assert found(data, "LDFREQUENCY")["row"].tolist() == ([1] if reason else [])


def test_an_infusion_over_midnight_is_one_dose(study):
    study.set("EX", 1, "EXSTDTC", "2024-02-26T22:00")
    study.set("EX", 1, "EXENDTC", "2024-02-27T02:00")
    row = drugs(study.derive()).loc[("A", 1, "FLU")]
    assert row[["LDDAYS", "LDTOTA", "LDRSN"]].tolist() == [1, 30, ""]


def test_days_that_two_records_share_count_once(study):
    study.set("EX", 1, "EXENDTC", "2024-02-27")
    study.set("EX", 1, "EXDOSFRQ", "QD")
    give(study, "A", "FLU", -3, -2)
    study.set("EX", 4, "EXDOSFRQ", "")
    study.set("EX", 5, "EXDOSFRQ", "")
    row = drugs(study.derive()).loc[("A", 1, "FLU")]
    assert row[["LDDAYS", "LDTOTA", "LDENDY"]].tolist() == [3, 120, -2]


def test_a_completed_date_of_a_medication_counts_no_doses(study):
    study.options["medication_classes"] = {"LYMPHODEPLETION": ["BENDAMUSTINE"]}
    own = {"USUBJID": "A", "CMDECOD": "Bendamustine", "CMDOSE": "90", "CMDOSU": "mg/m2"}
    dates = {"CMSTDTC": "2024-02-26", "CMENDTC": "2024-02", "CMDOSFRQ": "QD"}
    study.repeat("CM", 2, {**own, **dates})
    row = drugs(study.derive()).loc[("A", 1, "BENDAMUSTINE")]
    assert pd.isna(row["LDTOTA"]) and row["LDRSN"] == "NODATE"

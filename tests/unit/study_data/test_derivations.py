"""What the raw records of the small study become."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from small_study import make_study

from celldossier.study_data.parsing import days_since, parse_dates, parse_numbers
from celldossier.study_data.subject_level import body_surface_area, standardise_log
from celldossier.study_data.units import UnitTable


@pytest.fixture(scope="module")
def datasets():
    return make_study().derive().datasets


def by_row(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("SRCROW").sort_index()


# --- text to numbers and dates ---


@pytest.mark.parametrize(
    ("text", "number"), [("1.5", 1.5), ("-2e3", -2000), (".5", 0.5), ("7.", 7), ("007", 7)]
)
def test_a_plain_decimal_is_a_number(text, number):
    assert parse_numbers(pd.Series([text])).tolist() == [number]


@pytest.mark.parametrize("text", ["", "1,5", "1_000", "0x10", "inf", "nan", "1e999", "１", "1 2"])
def test_anything_else_is_no_number(text):
    assert parse_numbers(pd.Series([text])).isna().all()


@pytest.mark.parametrize(
    "text",
    [
        "2024-3-1",
        "01-03-2024",
        "2024-02-30",
        "2024-03-01T25:00",
        "2024-03-01T10:00Z",
        "0000",
        "2024-",
    ],
)
def test_what_is_no_local_iso_date_is_bad(text):
    assert parse_dates(pd.Series([text])).bad.tolist() == [True]


def test_precision_of_dates_is_kept():
    dates = parse_dates(
        pd.Series(["2024-02", "2024", "2024-02-29", "2024-02-29 10:30", "2024-02-29T10:30:15", ""])
    )
    assert dates.partial.tolist() == [True, True, False, False, False, False]
    assert dates.has_time.tolist() == [False, False, False, True, True, False]
    assert not dates.bad.any()
    assert dates.text.tolist()[3] == "2024-02-29T10:30"
    last = dates.last_day.dt.strftime("%Y-%m-%d").tolist()
    assert last[:3] == ["2024-02-29", "2024-12-31", "2024-02-29"]


def test_a_date_without_time_counts_in_whole_days_from_the_day_of_infusion():
    zero = pd.Series(pd.to_datetime(["2024-03-01T22:00"] * 4))
    dates = parse_dates(pd.Series(["2024-03-01", "2024-03-02", "2024-02-29", "2024-03-02T10:00"]))
    assert days_since(dates, zero).tolist() == [0, 1, -1, 0.5]


# --- subjects ---


def test_the_body_surface_of_du_bois_for_70_kg_and_170_cm_is_1_81():
    area = body_surface_area(pd.Series([70.0, 0.0]), pd.Series([170.0, 170.0]))
    assert round(area[0], 2) == 1.81
    assert math.isnan(area[1])


def test_tumour_burden_is_standardised_within_indication_and_unit():
    values = pd.Series([1.0, 10.0, 100.0, 7.0, 8.0, 0.0, np.nan])
    indication = pd.Series(["ALL", "ALL", "ALL", "NHL", "NHL", "NHL", "NHL"])
    unit = pd.Series(["%", "%", "%", "mm2", "%", "mm2", "mm2"])
    result = standardise_log(values, [indication, unit])
    assert result[:3].round(12).tolist() == [-1, 0, 1]
    # A single subject of a unit has no spread; 0 and missing have no logarithm.
    assert result[3:].isna().all()


def test_time_zero_is_the_start_of_the_first_infusion_of_the_cell_product(datasets):
    adsl = datasets["ADSL"].set_index("USUBJID")
    assert adsl["TRTSDTM"].tolist() == ["2024-03-01T10:00", "2024-04-01T12:00", ""]
    assert adsl["TRT01P"].tolist() == ["DL1", "DL2", "DL2"]
    assert adsl["TRT01A"].tolist() == ["DL1", "DL2", ""]
    assert adsl["DTHDY"].tolist()[1] == 70
    assert adsl["LSTDY"].tolist()[:2] == [275, 70]
    assert adsl["PROCESS"].tolist() == ["P1", "P2", ""]
    assert adsl["AGEGR1"].tolist() == ["18-64", "<18", ">=65"]


def test_each_absence_from_a_population_has_its_reason(datasets):
    adsl = datasets["ADSL"].set_index("USUBJID")
    flags = {name: adsl[name].tolist() for name in ("SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")}
    assert flags == {
        "SAFFL": ["Y", "Y", "N"],
        "PKFL": ["Y", "Y", "N"],
        "PDFL": ["Y", "Y", "N"],
        "IMFL": ["Y", "N", "N"],
        "ERFL": ["Y", "Y", "N"],
    }
    assert adsl["NSAFRSN"].tolist() == ["", "", "MANUFACTURING FAILURE"]
    assert adsl["NIMRSN"].tolist() == ["", "NOADAPOST", "NOTINFUSED"]
    assert adsl["MANUFL"].tolist() == ["Y", "Y", "N"]


def test_what_was_not_collected_is_neither_yes_nor_no(study):
    study.drop("DM", "LEUKDTC")
    study.set("DM", 1, "MFGSTAT", "")
    study.set("DM", 2, "MFGSTAT", "")
    study.set("DM", 3, "MFGSTAT", "")
    study.remove("LB")
    data = study.derive()
    adsl = data.datasets["ADSL"]
    assert set(adsl["LEUKFL"]) == set(adsl["MANUFL"]) == {""}
    assert set(adsl["NPDRSN"]) == {"NOTCOLL"}
    assert data.datasets["ADPD"].empty
    row = data.accounting.set_index("domain").loc["LB"]
    assert (row["file"], row["records_in"]) == ("", 0)


def test_subjects_that_the_study_leaves_out_take_their_records_with_them(study):
    study.sources["DM"]["keep"] = {"ARM": ["DL1"]}
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADSL"]["USUBJID"].tolist() == ["A"]
    assert set(data.datasets["ADPC"]["USUBJID"]) == {"A"}
    assert set(data.exclusions["reason"]) == {"NOTSELECTED"}


# --- doses ---


def test_doses_are_numbered_and_held_against_the_plan(datasets):
    adex = by_row(datasets["ADEX"])
    assert adex["DOSENO"].fillna(0).tolist() == [0, 1, 1]
    assert adex["DOSERAT"].round(3).tolist() == [1, 0.98, 1.05]
    assert adex["INWINFL"].tolist() == ["Y", "Y", "Y"]
    assert adex["DOSEKG"].round(3).fillna(0).tolist() == [0, 1.4, 4.2]
    assert adex["AFRLT"].tolist() == [-4, 0, 0]


def test_a_second_infusion_is_number_two_and_leaves_time_zero_where_it_is(study):
    study.repeat("EX", 2, {"EXSTDTC": "2024-05-01T10:00", "EXENDTC": ""})
    datasets = study.derive().datasets
    assert by_row(datasets["ADEX"]).loc[4, ["DOSENO", "AFRLT"]].tolist() == [2, 61]
    assert datasets["ADSL"]["TRTSDTM"].tolist()[0] == "2024-03-01T10:00"


def test_a_dose_at_the_limit_of_the_window_is_inside_whatever_its_rounding(study):
    # 2.4 / 3 is 0.7999999999999999 in binary numbers.
    study.set("EX", 2, "EXDOSE", "2.4")
    study.set("EX", 2, "EXPDOSE", "3")
    study.set("EX", 3, "EXDOSE", "2.39")
    study.set("EX", 3, "EXPDOSE", "3")
    data = study.derive()
    assert by_row(data.datasets["ADEX"])["INWINFL"].tolist() == ["Y", "Y", "N"]
    assert data.findings.query("rule_id == 'DOSEWINDOW'")["row"].tolist() == [3]


# --- concentrations ---


def test_concentrations_have_actual_and_nominal_days_and_their_limit(datasets):
    adpc = by_row(datasets["ADPC"])
    assert adpc["BLQFL"].tolist() == ["Y", "N", "Y", "Y", "N"]
    assert adpc["AVAL"].dropna().tolist() == [1200, 35000]
    assert adpc["AFRLT"].round(6).tolist() == [-0.041667, 7, 28.25, -0.166667, 10]
    assert adpc["NFRLT"].tolist() == [0, 7, 28, 0, 10]
    assert set(adpc["AVALU"]) == {"copies/ug"}
    assert set(adpc["ALLOQ"]) == {50}
    assert set(adpc["PARAMCD"]) == {"PCR"}


def test_equal_to_the_limit_is_quantifiable(study):
    study.set("PC", 2, "PCORRES", "50")
    data = study.derive()
    assert by_row(data.datasets["ADPC"]).loc[2, ["AVAL", "BLQFL"]].tolist() == [50, "N"]
    assert data.errors == 0


def test_above_the_upper_limit_is_used_as_reported_and_flagged(study):
    study.set("PC", 5, "PCORRES", ">100000")
    row = by_row(study.derive().datasets["ADPC"]).loc[5]
    assert (row["AVAL"], row["ALQFL"], row["AVALC"]) == (100000, "Y", ">100000")


def test_values_and_limits_are_converted_together(study):
    study.set("PC", 5, "PCORRESU", "copies/ng DNA")
    study.set("PC", 5, "PCORRES", "35")
    study.set("PC", 5, "PCLLOQ", "0.05")
    study.set("PC", 5, "PCULOQ", "100")
    data = study.derive()
    row = by_row(data.datasets["ADPC"]).loc[5]
    assert row[["AVAL", "ALLOQ", "AULOQ", "AVALU"]].tolist() == [35000, 50, 100000, "copies/ug"]
    assert data.errors == 0


def test_a_blq_in_another_unit_takes_the_limit_of_the_assay_converted(study):
    assay = study.bioanalysis.assays[0].model_copy(update={"lloq": 50.0})
    study.bioanalysis = study.bioanalysis.model_copy(
        update={"assays": (assay, *study.bioanalysis.assays[1:])}
    )
    study.set("PC", 1, "PCLLOQ", "")
    study.set("PC", 1, "PCORRESU", "copies/ng DNA")
    data = study.derive()
    row = by_row(data.datasets["ADPC"]).loc[1]
    assert row[["BLQFL", "ALLOQ", "AVALU"]].tolist() == ["Y", 50, "copies/ug"]
    found = data.findings[data.findings["rule_id"] == "LLOQFROMCONFIG"]
    assert len(found) == 1 and "0.05" in found["message_en"].iloc[0]


def test_a_sample_without_time_of_day_takes_its_nominal_time_or_is_excluded(study):
    study.set("PC", 2, "PCDTC", "2024-03-08")
    study.set("PC", 5, "PCDTC", "2024-04-11")
    study.set("PC", 5, "PCTPTNUM", "")
    data = study.derive()
    adpc = by_row(data.datasets["ADPC"])
    assert adpc.loc[2, "AFRLT"] == 7
    assert 5 not in adpc.index
    assert data.exclusions[["domain", "row", "reason"]].to_numpy().tolist() == [["PC", 5, "NOTIME"]]


def test_nominal_hours_become_days(study):
    study.sources["PC"]["nominal_time_unit"] = "hours"
    study.set("PC", 2, "PCTPTNUM", "168")
    assert by_row(study.derive().datasets["ADPC"]).loc[2, "NFRLT"] == 7


def test_samples_of_subjects_who_were_not_infused_are_excluded(study):
    study.set("PC", 5, "USUBJID", "C")
    study.set("LB", 5, "USUBJID", "C")
    data = study.derive()
    assert data.exclusions[["domain", "row", "subject", "reason"]].to_numpy().tolist() == [
        ["LB", 5, "C", "NOINFUSION"],
        ["PC", 5, "C", "NOINFUSION"],
    ]


def test_other_specimens_are_listed_but_not_analysed(study):
    study.repeat("PC", 2, {"PCSPEC": "BONE MARROW"})
    assert by_row(study.derive().datasets["ADPC"])["ANL01FL"].tolist() == ["Y"] * 5 + ["N"]


def test_not_detected_is_read_as_the_study_maps_it(study):
    study.set("PC", 3, "PCORRES", "ND")
    study.sources["PC"]["values"] = {"PCORRES": {"ND": "BLQ"}}
    data = study.derive()
    assert data.errors == 0
    assert by_row(data.datasets["ADPC"]).loc[3, "BLQFL"] == "Y"
    study.sources["PC"]["values"] = {"PCORRES": {"ND": "NOT DONE"}}
    data = study.derive()
    assert data.errors == 0
    assert data.exclusions["reason"].tolist() == ["NOTDONE"]


# --- markers and antibodies ---


def test_baseline_is_the_last_result_at_or_before_the_infusion(datasets):
    adpd = by_row(datasets["ADPD"])
    # A date without time on the day of the infusion counts as day 0.
    assert adpd["ABLFL"].tolist() == ["N", "Y", "N", "Y", "N"]
    assert adpd["BASE"].tolist() == [6, 6, 6, 2, 2]
    assert adpd["AVAL"].tolist()[3] == 2  # 0.002 ng/mL in pg/mL
    assert adpd["ALLOQ"].tolist()[3] == 1
    assert adpd["ANRHI"].tolist()[3] == 7


def test_antibody_results_keep_tier_and_titre(datasets):
    adab = by_row(datasets["ADAB"])
    assert adab["AVALC"].tolist() == ["NEGATIVE", "POSITIVE", "POSITIVE", "TITER", "NEGATIVE"]
    assert adab.loc[4, "AVAL"] == 160
    assert adab["ABLFL"].tolist() == ["Y", "N", "N", "N", "Y"]


def test_a_titre_beyond_the_range_keeps_the_limit_and_a_flag(study):
    study.set("IS", 4, "ISORRES", ">1:2560")
    study.repeat("IS", 4, {"ISORRES": "< 20", "ISDTC": "2024-04-29T08:00"})
    data = study.derive()
    titres = data.datasets["ADAB"].query("ISCAT == 'TITER'").sort_values("AFRLT")
    assert titres["AVALC"].tolist() == ["TITER", "TITER"]
    assert titres["AVAL"].fillna(-1).tolist() == [2560, -1]
    assert titres[["ALQFL", "BLQFL"]].values.tolist() == [["Y", "N"], ["N", "Y"]]
    assert titres[["AULOQ", "ALLOQ"]].fillna(-1).values.tolist() == [[2560, -1], [-1, 20]]
    assert data.findings.query("rule_id == 'ABOVEULOQ'")["row"].tolist() == [4]


def test_without_tiers_a_titre_means_positive(study):
    study.set("IS", 4, "ISCAT", "RESULT")
    row = by_row(study.derive().datasets["ADAB"]).loc[4]
    assert (row["AVALC"], row["AVAL"]) == ("POSITIVE", 160)


# --- events, medication, response ---


def test_events_of_special_interest_and_emergence(datasets):
    adae = by_row(datasets["ADAE"])
    # Anaemia of grade 3 that lasts beyond day 28 is a prolonged cytopenia.
    assert adae["AESI"].tolist() == ["CRS", "", "", "CYTOPENIA"]
    assert adae["ASTDY"].tolist()[0] == 2.5
    assert adae["AENDY"].tolist()[0] == 5
    # A partial date counts as emergent if its last possible day does not come before.
    assert adae["TRTEMFL"].tolist() == ["Y", "N", "Y", "Y"]
    # Where the month of the infusion is all that is known, its day is taken; else the first.
    assert adae["ASTDY"].tolist() == [2.5, -29, 0, 0]
    assert adae["ASTDTF"].tolist() == ["", "D", "D", ""]


@pytest.mark.parametrize(
    ("start", "end", "emergent"),
    [
        ("2024-03-01", "", "Y"),
        ("2024-03-01T09:59", "", "N"),
        ("2024-03-01T10:00", "", "Y"),
        ("2024-03-01", "2024-03-01", "Y"),
        ("2024-03-01", "2024-03-01T08:00", "N"),
        ("2024-02-29", "2024-03-09", "N"),
        ("2024", "2024-02", "N"),
        ("2024", "2024-02-28", "N"),
        ("2024", "2024-03", "Y"),
    ],
)
def test_an_event_of_the_day_of_infusion_is_emergent_unless_it_is_known_to_be_earlier(
    study, start, end, emergent
):
    # The infusion of subject A began on 2024-03-01 at 10:00.
    study.set("AE", 1, "AESTDTC", start)
    study.set("AE", 1, "AEENDTC", end)
    reported = study.derive().datasets["ADAE"].query("SRCDOM == 'AE'")
    assert by_row(reported).loc[1, "TRTEMFL"] == emergent


def test_medication_is_classified_in_any_case_of_letters(datasets):
    adcm = by_row(datasets["ADCM"])
    assert adcm["CMCLASS"].tolist() == ["TOCILIZUMAB", "ANTIPYRETIC"]
    assert adcm["ASTDY"].tolist() == [2.625, 1]


def test_the_best_response_comes_from_the_assessments_after_infusion(datasets):
    best = datasets["ADRS"].query("PARAMCD == 'BOR'").set_index("USUBJID")
    # The CR before the infusion is not one of them; NE says nothing.
    assert best["AVALC"].to_dict() == {"A": "PR", "B": "NE"}
    assert best["RESPFL"].to_dict() == {"A": "Y", "B": ""}
    assert best["SRCROW"].to_dict() == {"A": 3, "B": 5}
    assert by_row(datasets["ADRS"].query("PARAMCD == 'OVR'"))["RESPFL"].tolist() == [
        *("Y", "N", "Y", "N"),
        "",
    ]


@pytest.mark.parametrize(
    ("start", "best"),
    [("2024-02-15", "PR"), ("2024-05-31", "SD"), ("2024-06-01", "PR"), ("2024-06-02", "PR")],
)
def test_a_response_to_a_new_therapy_is_no_response_to_the_product(study, start, best):
    study.options = {"medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"]}}
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": start})
    adrs = study.derive().datasets["ADRS"]
    found = adrs.query("PARAMCD == 'BOR'").set_index("USUBJID")["AVALC"]
    assert found["A"] == best
    assert (adrs["PARAMCD"] == "OVR").sum() == 5


# --- units ---


@pytest.mark.parametrize(
    ("raw", "unit", "factor"),
    [
        ("copies/µg DNA", "copies/ug", 1),
        ("copies/μg gDNA", "copies/ug", 1),
        ("Copies / uG", "copies/ug", 1),
        ("ng/mL", "pg/mL", 1000),
        ("ug/L", "ng/mL", 1),
        ("cells/mL", "cells/uL", 0.001),
        ("mg/L", "mg/L", 1),
    ],
)
def test_spellings_and_exact_conversions_are_known(raw, unit, factor):
    assert UnitTable().factor(raw, unit) == factor


@pytest.mark.parametrize(
    ("raw", "unit"), [("copies/ug", "cells/uL"), ("copies/ug", "copies/mL"), ("x", "copies/ug")]
)
def test_there_is_no_factor_between_dimensions(raw, unit):
    assert math.isnan(UnitTable().factor(raw, unit))


def test_records_of_routine_care_before_consent_are_used_where_the_study_has_such(study):
    study.set("RS", 1, "RSDTC", "2023-12-28")
    study.set("LB", 1, "LBDTC", "2023-12-28T08:00")
    data = study.derive()
    found = data.findings[data.findings["rule_id"] == "ROUTINEBEFORECONSENT"]
    assert found[["domain", "severity"]].to_numpy().tolist() == [
        *(["LB", "warning"], ["RS", "warning"])
    ]
    assert data.exclusions.empty and data.errors == 0
    assert (data.datasets["ADRS"]["ADTM"] == "2023-12-28").any()
    study.options["routine_care"] = ["LB"]
    data = study.derive()
    assert data.exclusions[["domain", "row", "reason"]].to_numpy().tolist() == [
        ["RS", 1, "PRECONSENT"]
    ]
    found = data.findings[data.findings["rule_id"] == "SAMPLEBEFORECONSENT"]
    assert found[["domain", "severity"]].to_numpy().tolist() == [["RS", "error"]]

"""Rescue medication: classes, timing, masking of fever, steroid equivalents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_study import components, derive, give, make_cohort, report

from celldossier.study_data.medication import convert_steroids, days_that_mask_fever


def test_medication_is_placed_by_the_onset_of_crs():
    cm = [give("S", "TOCILIZUMAB", 1), give("S", "TOCILIZUMAB", 3), give("S", "ANAKINRA", 2)]
    datasets = derive(["S"], ae=[report("S", 2, 2, 5)], cm=cm).datasets
    adcm = datasets["ADCM"].sort_values(["CMDECOD", "ASTDY"])
    assert adcm["CMCLASS"].tolist() == ["ANAKINRA", "TOCILIZUMAB", "TOCILIZUMAB"]
    assert adcm["CRSRELDY"].tolist() == [0, -1, 1]
    assert adcm["CRSRELFL"].tolist() == ["AFTER", "BEFORE", "AFTER"]
    assert adcm["FRSTFL"].tolist() == ["Y", "Y", "N"]
    assert adcm["ICNRELFL"].tolist() == ["", "", ""]
    # The first dose within the episode, not the one before it.
    assert datasets["ADAESI"][["TOCIDY", "ANAKDY"]].to_numpy().tolist() == [[3, 2]]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Dexamethasone sodium phosphate", "STEROID"),
        ("HYDROCORTISONE SODIUM SUCCINATE", "STEROID"),
        ("Prednisolone acetate", "STEROID"),
        ("NOREPINEPHRINE BITARTRATE", "VASOPRESSOR"),
        ("Noradrenaline acid tartrate", "VASOPRESSOR"),
        ("PHENYLEPHRINE HYDROCHLORIDE", "VASOPRESSOR"),
        ("Tocilizumab-aazg", "TOCILIZUMAB"),
        ("Metamizole sodium", "ANTIPYRETIC"),
        ("SODIUM PHOSPHATE", ""),
        ("Hydrocortisone butyrate", ""),
        ("Vasopressin antagonist", ""),
    ],
)
def test_a_salt_or_an_ester_is_of_the_class_of_its_drug(name, group):
    data = derive(["S"], cm=[give("S", name, 1)])
    assert data.datasets["ADCM"]["CMCLASS"].tolist() == [group]
    near = data.findings["rule_id"].eq("MEDICATIONNEARMISS").sum()
    assert near == (group == "" and name != "SODIUM PHOSPHATE")


def test_a_steroid_that_acts_where_it_is_applied_is_no_near_miss():
    cream = give("S", "HYDROCORTISONE BUTYRATE", 1, CMROUTE="TOPICAL")
    assert "MEDICATIONNEARMISS" not in set(derive(["S"], cm=[cream]).findings["rule_id"])


def test_short_names_of_a_study_are_no_words_of_other_names():
    study = make_cohort(["S"], cm=[give("S", "FLU VACCINE", 1), give("S", "FLU PHOSPHATE", 1)])
    study.options["medication_classes"] = {"LYMPHODEPLETION": ["FLU"]}
    data = study.derive()
    classes = data.datasets["ADCM"].set_index("CMDECOD")["CMCLASS"]
    assert classes.to_dict() == {"FLU VACCINE": "", "FLU PHOSPHATE": "LYMPHODEPLETION"}
    assert "MEDICATIONNEARMISS" not in set(data.findings["rule_id"])


@pytest.mark.parametrize(
    ("steroid", "grade"),
    [
        # Without an end it goes on, through the day after the fever.
        (("DEXAMETHASONE", -10), 2),
        (("DEXAMETHASONE", -10, 1), 0),
        (("DEXAMETHASONE", -10, 4), 2),
        (("DEXAMETHASONE", 1, ""), 2),
    ],
)
def test_an_ongoing_steroid_masks_the_fever_on_each_of_its_days(steroid, grade):
    fa = [*components("S", 2, "39.0", "NONE"), *components("S", 3, "36.8", "LOW FLOW")]
    adfa = derive(["S"], fa=fa, cm=[give("S", *steroid)]).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [1, grade]


def test_a_dose_given_once_masks_the_fever_on_its_day_alone():
    fa = [*components("S", 2, "39.0", "NONE"), *components("S", 3, "36.8", "LOW FLOW")]
    once = give("S", "PARACETAMOL", 1, CMDOSFRQ="ONCE")
    adfa = derive(["S"], fa=fa, cm=[once]).datasets["ADFA"]
    assert adfa.loc[adfa["PARAMCD"] == "ASTCTGR", "AVAL"].tolist() == [1, 0]


def test_long_term_medication_masks_the_fever_for_60_days():
    adcm = pd.DataFrame(
        {
            "USUBJID": ["S", "T", "U"],
            "CMCLASS": "STEROID",
            "CMDOSFRQ": "",
            "STDAY": [-30.0, 5.0, 7.0],
            "ENDAY": [400.0, np.nan, 9.0],
        }
    )
    spans = days_that_mask_fever(adcm).groupby("USUBJID")["ADY"].agg(["min", "max", "size"])
    assert spans.to_numpy().tolist() == [[0, 60, 61], [5, 65, 61], [7, 9, 3]]


@pytest.mark.parametrize(
    ("drug", "dose", "unit", "frequency", "days", "equivalent", "reason"),
    [
        ("DEXAMETHASONE", 10, "mg", "", 1, 10, ""),
        ("DEXAMETHASONE SODIUM PHOSPHATE", 10, "mg", "", 1, 10, ""),
        ("Methylprednisolone sodium succinate", 40, "mg", "", 1, 7.5, ""),
        ("DEXAMETHASONE", 10, "mg", "Q6H", 2, 80, ""),
        ("METHYLPREDNISOLONE", 1, "g", "ONCE", np.nan, 187.5, ""),
        ("PREDNISONE", 50, "mg", "QD", 3, 22.5, ""),
        ("HYDROCORTISONE", 100, "mg", "BID", 1, 7.5, ""),
        ("DEXAMETHASONE", np.nan, "mg", "", 1, None, "NODOSE"),
        ("DEXAMETHASONE", 2, "mg/kg", "", 1, None, "DOSEUNIT"),
        ("BUDESONIDE", 3, "mg", "", 1, None, "NOEQUIV"),
        ("DEXAMETHASONE", 10, "mg", "QD", np.nan, None, "NODURN"),
        ("DEXAMETHASONE", 10, "mg", "", 3, None, "NOFREQ"),
    ],
)
def test_a_steroid_dose_has_an_equivalent_or_a_reason(
    drug, dose, unit, frequency, days, equivalent, reason
):
    frame = pd.DataFrame(
        {
            "CMDECOD": [drug],
            "CMCLASS": ["STEROID"],
            "CMDOSE": [float(dose)],
            "CMDOSU": [unit],
            "CMDOSFRQ": [frequency],
            "DURDAYS": [float(days)],
        }
    )
    value, why = convert_steroids(frame)
    assert why.tolist() == [reason]
    assert value.isna().all() if equivalent is None else value.iloc[0] == pytest.approx(equivalent)


def test_steroid_doses_add_up_until_one_is_not_known():
    dose = {"CMDOSE": "10", "CMDOSU": "mg"}
    cm = [
        give("S", "DEXAMETHASONE", -3, -3, **dose),
        give("S", "DEXAMETHASONE", 2, 2, **dose),
        give("S", "DEXAMETHASONE", 3, 3, **dose),
        give("S", "DEXAMETHASONE", 4, 4, CMDOSU="mg"),
        give("S", "DEXAMETHASONE", 5, 5, **dose),
        give("S", "DEXAMETHASONE", 6, 6, CMROUTE="TOPICAL", **dose),
    ]
    adcm = derive(["S"], cm=cm).datasets["ADCM"].sort_values("ASTDY")
    assert adcm["DEXEQCUM"].fillna(-1).tolist() == [-1, 10, 20, -1, -1, -1]
    assert adcm["PREDEQ"].iloc[1] == pytest.approx(66.6667, abs=1e-3)
    assert adcm["CMCLASS"].tolist() == ["STEROID"] * 5 + [""]

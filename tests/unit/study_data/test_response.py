"""Vocabularies of response, best response, its confirmation, landmarks and residual disease."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError
from small_study import SmallStudy

from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.time_to_event import TimeToEventSettings
from celldossier.study_data.response_criteria import make_vocabularies, read_criteria, standardise


def assess(study: SmallStudy, *assessments: tuple[str, str], **more: str) -> None:
    """Give subject A these assessments after the infusion of 2024-03-01."""
    table = study.tables["RS"]
    study.tables["RS"] = table[table["USUBJID"] == "B"].reset_index(drop=True)
    study.tables["RS"].index = pd.RangeIndex(1, len(study.tables["RS"]) + 1, name="row")
    for category, date in assessments:
        study.repeat("RS", 1, {"USUBJID": "A", "RSSTRESC": category, "RSDTC": date})
    for column, value in more.items():
        for row in study.tables["RS"].index:
            study.set("RS", row, column, value)


def parameter(study: SmallStudy, code: str, subject: str = "A") -> pd.Series:
    """The record of a derived parameter."""
    adrs = study.derive().datasets["ADRS"]
    return adrs[(adrs["PARAMCD"] == code) & (adrs["USUBJID"] == subject)].iloc[0]


@pytest.mark.parametrize(
    ("vocabulary", "text", "category", "responder", "complete", "event"),
    [
        ("LUGANO2014", "Complete metabolic response", "CR", "Y", True, ""),
        ("LUGANO2014", "CMR", "CR", "Y", True, ""),
        ("LUGANO2014", "NMR", "SD", "N", False, ""),
        ("LUGANO2014", "PMD", "PD", "N", False, "PROGRESSION"),
        ("ALL", "COMPLETE REMISSION", "CR", "Y", True, ""),
        ("ALL", "cri", "CRi", "Y", False, ""),
        ("ALL", "Relapsed disease", "RELAPSE", "N", False, "RELAPSE"),
        ("ALL", "PR", "PR", "N", False, ""),
        ("IMWG2016", "sCR", "sCR", "Y", True, ""),
        ("IMWG2016", "MR", "MR", "N", False, ""),
        ("IMWG2016", "Very good partial response", "VGPR", "Y", False, ""),
        ("RECIST11", "Complete response", "CR", "Y", True, ""),
        ("RECIST11", "CRi", "", "", False, ""),
        ("IRECIST", "iUPD", "iUPD", "N", False, ""),
        ("IRECIST", "iCPD", "iCPD", "N", False, "PROGRESSION"),
        ("OWN", "cr", "", "", False, ""),
        ("OWN", "CMR", "CMR", "Y", True, ""),
        ("OWN", "NE", "NE", "", False, ""),
    ],
)
def test_a_result_is_a_category_of_its_vocabulary_or_none(
    vocabulary, text, category, responder, complete, event
):
    found = standardise(
        pd.Series([text]), pd.Series([vocabulary]), make_vocabularies(EfficacySettings())
    )
    row = found.iloc[0]
    assert (row["category"], row["responder"], row["complete"], row["event"]) == (
        *(category, responder, complete, event),
    )


@pytest.mark.parametrize("name", sorted(read_criteria()))
def test_a_vocabulary_is_closed_and_has_words_in_both_languages(name):
    criteria = read_criteria()[name]
    spellings = [
        text.casefold()
        for category, entry in criteria.categories.items()
        for text in {category.casefold(), *(alias.casefold() for alias in entry.aliases)}
    ]
    assert len(spellings) == len(set(spellings))
    assert criteria.unconfirmed in criteria.categories
    assert criteria.en and criteria.zh
    assert all(entry.en and entry.zh for entry in criteria.categories.values())
    flags = [entry.responder for entry in criteria.categories.values()]
    # Best first: responders, then the others, then what says nothing.
    assert flags == sorted(flags, key={"Y": 0, "N": 1, "": 2}.get)


def test_the_vocabulary_is_chosen_by_category_and_else_by_indication(study):
    study.options = {"efficacy": {"response_criteria": {"ALL": "ALL", "LYMPHOMA": "LUGANO2014"}}}
    assess(study, ("Complete remission", "2024-03-29"))
    study.set("RS", 1, "RSCAT", "LYMPHOMA")
    adrs = study.derive().datasets["ADRS"].query("PARAMCD == 'OVR'").set_index("USUBJID")
    assert adrs["RSVOCAB"].to_dict() == {"A": "ALL", "B": "LUGANO2014"}
    assert adrs.loc["A", ["AVALC", "RSSTRESC"]].tolist() == ["CR", "Complete remission"]


def test_a_response_after_progression_is_not_the_best_one(study):
    assess(study, ("SD", "2024-03-29"), ("PD", "2024-05-01"), ("CR", "2024-06-01"))
    adrs = study.derive().datasets["ADRS"]
    own = adrs[adrs["USUBJID"] == "A"].set_index("PARAMCD")
    assert own.loc["BOR", "AVALC"] == "SD"
    assert own.loc["OVR", "ANLRSN"].tolist() == ["", "", "AFTERPD"]
    assert own.loc["ORR", ["AVALC", "AVAL"]].tolist() == ["N", 0]


def test_a_subject_without_assessment_has_a_record_that_says_so(study):
    study.set("RS", 5, "RSDTC", "2024-03-20")
    found = parameter(study, "BOR", "B")
    assert found[["AVALC", "RESPFL", "REASND", "SRCDOM", "SRCROW"]].tolist() == [
        *("", "", "NOASSESS", "DM", 2),
    ]
    assert parameter(study, "ORR", "B")["REASND"] == "NOASSESS"


def test_the_primary_evaluator_decides(study):
    study.options = {"efficacy": {"primary_evaluator": "INDEPENDENT"}}
    assess(study, ("CR", "2024-03-29"), RSEVAL="INVESTIGATOR")
    row = study.repeat("RS", 2, {"RSSTRESC": "PR", "RSEVAL": "INDEPENDENT"})
    data = study.derive()
    assert data.errors == 0
    adrs = data.datasets["ADRS"]
    best = adrs.query("PARAMCD == 'BOR' and USUBJID == 'A'")
    assert best[["AVALC", "SRCROW"]].to_numpy().tolist() == [["PR", row]]
    reasons = adrs.query("PARAMCD == 'OVR' and USUBJID == 'A'").set_index("SRCROW")["ANLRSN"]
    assert reasons.to_dict() == {2: "OTHEREVAL", row: ""}


@pytest.mark.parametrize(
    ("criteria", "course", "confirmed"),
    [
        # ALL: maintained for 28 days.
        ("ALL", [("CR", "2024-03-29"), ("CR", "2024-04-25")], "NR"),
        ("ALL", [("CR", "2024-03-29"), ("CR", "2024-04-26")], "CR"),
        ("ALL", [("CRi", "2024-03-29"), ("CR", "2024-05-01")], "CRi"),
        ("ALL", [("CR", "2024-03-29"), ("RELAPSE", "2024-05-01")], "NR"),
        ("ALL", [("CR", "2024-03-29"), ("NE", "2024-05-01"), ("CR", "2024-06-01")], "CR"),
        # IMWG: the next assessment.
        ("IMWG2016", [("CR", "2024-03-29"), ("VGPR", "2024-04-05")], "VGPR"),
        ("IMWG2016", [("VGPR", "2024-03-29"), ("SD", "2024-04-05"), ("VGPR", "2024-05-01")], "SD"),
        ("IMWG2016", [("SD", "2024-03-29")], "SD"),
    ],
)
def test_a_response_is_confirmed_as_its_criteria_ask(study, criteria, course, confirmed):
    study.options = {"efficacy": {"response_criteria": {"ALL": criteria}}}
    assess(study, *course)
    found = parameter(study, "CBOR")
    assert found["AVALC"] == confirmed
    answer = "Y" if confirmed in ("CR", "CRi", "VGPR") else "N"
    assert parameter(study, "CORR")["AVALC"] == answer


@pytest.mark.parametrize(
    ("course", "best", "confirmed"),
    [
        # RECIST 1.1, table 3: stable disease only where it was met the least time; days 30, 60, 90.
        (("SD",), "NE", "NE"),
        (("SD", "SD"), "SD", "SD"),
        (("SD", "PD"), "PD", "PD"),
        (("NON-CR/NON-PD", "NON-CR/NON-PD"), "NON-CR/NON-PD", "NON-CR/NON-PD"),
        (("PR",), "PR", "NE"),
        (("PR", "PD"), "PR", "PD"),
        (("PR", "SD", "PD"), "PR", "SD"),
        (("CR", "CR"), "CR", "CR"),
    ],
)
def test_stable_disease_counts_from_its_least_day_on(study, course, best, confirmed):
    dates = ("2024-03-31", "2024-04-30", "2024-05-30")
    study.options["efficacy"] = {
        "response_criteria": {"ALL": "RECIST11"},
        "confirmation": {"RECIST11": {"min_days": 28}},
        "stable_from_day": {"RECIST11": 42},
    }
    assess(study, *zip(course, dates, strict=False))
    assert parameter(study, "BOR")["AVALC"] == best
    found = parameter(study, "CBOR")
    assert found["AVALC"] == confirmed
    assert found["CRFL"] in ("", "Y" if confirmed == "CR" else "N")


def test_the_least_day_of_stable_disease_is_asked_of_criteria_that_know_it():
    with pytest.raises(ValidationError):
        EfficacySettings.model_validate({"stable_from_day": {"ALL": 42}})


def test_criteria_that_ask_for_no_confirmation_have_none(study):
    assert "CBOR" not in set(study.derive().datasets["ADRS"]["PARAMCD"])


def test_the_response_at_a_landmark_is_the_nearest_in_its_window(study):
    assess(study, ("SD", "2024-03-25"), ("PR", "2024-03-30"), ("CR", "2024-04-20"))
    assert parameter(study, "RSPD28")["AVALC"] == "PR"
    late = parameter(study, "RSPM3")
    assert late[["AVALC", "RESPFL", "REASND"]].tolist() == ["", "", "NOLANDMRK"]
    dead = parameter(study, "RSPM6", "B")
    assert dead[["RESPFL", "REASND"]].tolist() == ["N", "DTHBEFORE"]


def test_who_progressed_before_a_landmark_is_no_responder_at_it(study):
    assess(study, ("CR", "2024-03-29"), ("PD", "2024-04-20"))
    found = parameter(study, "RSPM3")
    assert found[["AVALC", "RESPFL", "REASND"]].tolist() == ["", "N", "PDBEFORE"]


def test_residual_disease_is_negative_where_any_test_before_progression_is(study):
    study.options = {"efficacy": {"mrd": {"response_tests": ["MRD"]}}}
    assess(study, ("CR", "2024-03-29"), ("PD", "2024-05-01"))
    for result, date in (("Positive", "2024-03-30"), ("NEGATIVE", "2024-04-10")):
        study.repeat(
            "RS", 1, {"USUBJID": "A", "RSTESTCD": "MRD", "RSSTRESC": result, "RSDTC": date}
        )
    assert parameter(study, "MRDNEG")[["AVALC", "AVAL", "AFRLT"]].tolist() == ["Y", 1, 40]
    study.set("RS", 5, "RSDTC", "2024-05-02")
    assert parameter(study, "MRDNEG")["AVALC"] == "N"
    assert parameter(study, "MRDNEG", "B")["REASND"] == "NOMRD"


def test_residual_disease_may_come_from_the_laboratory(study):
    study.options = {"efficacy": {"mrd": {"analyte": "IL6", "below": 10}}}
    study.repeat("LB", 3, {"LBORRES": "9", "LBDTC": "2024-03-20T08:00"})
    found = parameter(study, "MRDNEG")
    assert found[["AVALC", "SRCDOM", "SRCROW"]].tolist() == ["Y", "LB", 6]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"progression_categories": ["PROG"]}, "PROG"),
        ({"response_landmarks": {"M3": [91, 100, 112]}}, "M3"),
        ({"response_landmarks": {"MONTH3": [91, 70, 112]}}, "5 characters"),
        ({"response_criteria": {"ALL": "WHO"}}, "WHO"),
    ],
)
def test_settings_of_response_that_cannot_be_meant_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        EfficacySettings.model_validate(change)


def test_an_event_that_is_handled_otherwise_is_refused():
    with pytest.raises(ValidationError, match="NEWTHERAPY is among the events"):
        TimeToEventSettings.model_validate({"pfs": {"events": ["DEATH", "NEWTHERAPY"]}})


def test_an_assessment_has_its_deviation_from_the_plan_and_its_window(study):
    study.options = {"time": {"windows": [{"day": 28, "early": 3, "late": 3}]}}
    assess(study, ("SD", "2024-03-29"), ("PR", "2024-04-03"), ("PR", "2024-06-01"))
    for row, day in ((2, "29"), (3, "29"), (4, "")):
        study.set("RS", row, "VISITDY", day)
    data = study.derive()
    own = data.datasets["ADRS"].query("PARAMCD == 'OVR' and USUBJID == 'A'").set_index("SRCROW")
    # VISITDY 29 is day 28 from the infusion; the second lies five days late.
    assert own.loc[[2, 3], "TIMEDEV"].tolist() == [0, 5]
    assert own["WINFL"].tolist() == ["Y", "N", ""]
    late = data.findings.query("rule_id == 'SAMPLEWINDOW'")
    assert late[["domain", "row"]].to_numpy().tolist() == [["RS", 3]]


@pytest.mark.parametrize(
    ("told", "reason", "event"), [("none", "", ""), ("event", "AFTERPD", "RELAPSE")]
)
def test_relapse_from_complete_response_of_myeloma_is_an_event_where_the_study_says_so(
    study, told, reason, event
):
    criteria = {"response_criteria": {"ALL": "IMWG2016"}, "imwg_relapse": told}
    study.options = {"efficacy": criteria}
    course = [("CR", "2024-03-29"), ("Relapse from CR", "2024-06-01"), ("VGPR", "2024-09-01")]
    assess(study, *course)
    datasets = study.derive().datasets
    own = datasets["ADRS"].query("PARAMCD == 'OVR' and USUBJID == 'A'").sort_values("ADTM")
    assert own["ANLRSN"].tolist() == ["", "", reason]
    adtte = datasets["ADTTE"].query("PARAMCD == 'PFS' and USUBJID == 'A'").iloc[0]
    assert adtte["EVENTCD"] == event


def retreat(study: SmallStudy, date: str, epoch: str = "RETREATMENT") -> None:
    """Infuse subject A again, as a retreatment or as an unplanned infusion."""
    for row in (2, 3):
        study.set("EX", row, "EPOCH", "TREATMENT")
    changes = {"EXSTDTC": date, "EXENDTC": "", "EPOCH": epoch, "EXPLFL": "N"}
    study.repeat("EX", 2, changes)


@pytest.mark.parametrize("epoch", ["RETREATMENT", "TREATMENT"])
@pytest.mark.parametrize(
    ("date", "best", "reasons"),
    [
        ("2024-07-01T10:00", "SD", ["", "", "AFTERREIN"]),
        # What is seen on the day of the infusion belongs to the course before.
        ("2024-08-01T08:00", "CR", ["", "", ""]),
    ],
)
def test_a_response_after_another_infusion_is_not_that_of_the_first(
    study, epoch, date, best, reasons
):
    assess(study, ("SD", "2024-03-29"), ("SD", "2024-06-01"), ("CR", "2024-08-01"))
    retreat(study, date, epoch)
    own = study.derive().datasets["ADRS"].query("USUBJID == 'A'").set_index("PARAMCD")
    assert own.loc["BOR", "AVALC"] == best
    assert own.loc["OVR", "ANLRSN"].tolist() == reasons
    # The last assessment comes a day before the window of the landmark opens.
    assert own.loc["RSPM6", ["RESPFL", "REASND"]].tolist() == ["N", "REINBEFOR"]


def test_a_planned_repeat_dose_ends_no_course(study):
    assess(study, ("SD", "2024-03-29"), ("CR", "2024-08-01"))
    study.repeat("EX", 2, {"EXSTDTC": "2024-04-01T10:00", "EXENDTC": ""})
    assert parameter(study, "BOR")["AVALC"] == "CR"


NEW_THERAPY = {"medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"]}}


@pytest.mark.parametrize(
    ("start", "reasons"),
    [
        # On the day of the infusion it is none after the product.
        ("2024-03-01", ["", ""]),
        ("2024-03-02", ["AFTERNEW", "AFTERNEW"]),
        ("2024-05-31", ["", "AFTERNEW"]),
        # The assessment of its first day comes before it.
        ("2024-06-01", ["", ""]),
        ("2024-06-01T07:00", ["", ""]),
    ],
)
def test_an_assessment_counts_up_to_the_day_of_a_new_therapy(study, start, reasons):
    assess(study, ("PR", "2024-03-29"), ("CR", "2024-06-01"))
    study.options = NEW_THERAPY
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": start})
    own = study.derive().datasets["ADRS"].query("USUBJID == 'A' and PARAMCD == 'OVR'")
    assert own["ANLRSN"].tolist() == reasons


def test_an_assessment_that_says_nothing_gives_way_at_a_landmark(study):
    assess(study, ("NE", "2024-03-29"), ("CR", "2024-04-05"))
    assert parameter(study, "RSPD28")[["AVALC", "RESPFL", "REASND"]].tolist() == ["CR", "Y", ""]


def test_a_landmark_that_cannot_be_evaluated_says_so(study):
    assess(study, ("NE", "2024-03-29"), ("PD", "2024-04-20"))
    found = parameter(study, "RSPD28")
    assert found[["AVALC", "RESPFL", "REASND"]].tolist() == ["NE", "", "NOTEVAL"]


@pytest.mark.parametrize(
    ("option", "best", "reasons", "event"),
    [
        ("none", "VGPR", ["", "", ""], "CNSCOMPL"),
        ("event", "PR", ["", "", "AFTERPD"], ""),
    ],
)
@pytest.mark.parametrize("text", ["Relapse from CR", "Clinical relapse"])
def test_a_relapse_of_myeloma_is_no_progression_unless_the_study_says_so(
    study, text, option, best, reasons, event
):
    # Kumar 2016, table 5: for disease-free survival only; not used for TTP or PFS.
    criteria = {"response_criteria": {"ALL": "IMWG2016"}, "imwg_relapse": option}
    study.options = {"efficacy": criteria}
    assess(study, ("PR", "2024-03-29"), (text, "2024-06-01"), ("VGPR", "2024-07-01"))
    data = study.derive()
    own = data.datasets["ADRS"].query("USUBJID == 'A'").set_index("PARAMCD")
    assert own.loc["BOR", "AVALC"] == best
    assert own.loc["OVR", "ANLRSN"].tolist() == reasons
    adtte = data.datasets["ADTTE"].query("USUBJID == 'A'").set_index("PARAMCD")
    for code in ("PFS", "DOR"):
        assert adtte.loc[code, "CNSRSN"] == event
    assert ("RELAPSENOEVENT" in set(data.findings["rule_id"])) == (option == "none")

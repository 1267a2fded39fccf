"""Events of special interest, known by term, grade and day."""

from __future__ import annotations

import pytest
from cohort_study import derive, make_cohort, report


@pytest.mark.parametrize(
    ("onset", "findings"),
    [
        ("2024-03-29T20:00", 0),  # day 28, though more than 28 times 24 hours after the infusion
        ("2024-03-30T02:00", 1),
        ("2024-03-01T11:00", 1),  # before the infusion, on its day
        ("2024-03-29", 0),
    ],
)
def test_a_dose_limiting_toxicity_is_held_against_the_days_of_the_calendar(onset, findings):
    event = report("S", 3, 1, term="Neutropenia", AEDLT="Y", AESTDTC=onset)
    study = make_cohort(["S"], ae=[event], dlt_window=28)
    study.set("EX", 1, "EXSTDTC", "2024-03-01T12:00")
    assert study.derive().findings["rule_id"].eq("DLTWINDOW").sum() == findings


@pytest.mark.parametrize(
    ("term", "system", "grade", "end", "event"),
    [
        ("Neutropenia", "", 4, 40, "CYTOPENIA"),
        ("Neutropenia", "", 4, 28, ""),
        ("Neutropenia", "", 4, "", "CYTOPENIA"),
        ("Neutropenia", "", 2, 40, ""),
        ("Lung infection", "Infections and infestations", 3, 9, "INFECTION"),
        ("Lung infection", "Infections and infestations", 2, 9, ""),
        ("Macrophage activation syndrome", "", 2, 9, "HLH"),
        ("T-cell lymphoma", "Neoplasms", 3, 9, "SECONDMALIG"),
        ("Hypogammaglobulinaemia", "", 1, 9, "HYPOGAMMA"),
        ("Infusion related reaction", "", 1, 9, "HYPERSENS"),
        ("Graft versus host disease", "", 1, 9, "GVHD"),
        ("Nausea", "", 3, 9, ""),
    ],
)
def test_an_event_of_special_interest_is_known_by_term_grade_and_day(
    term, system, grade, end, event
):
    reported = report("S", grade, 3, end, term=term, AEBODSYS=system)
    assert derive(["S"], ae=[reported]).datasets["ADAE"]["AESI"].tolist() == [event]


def test_a_study_replaces_adds_and_turns_off_events():
    events = [
        report("S", 3, 3, 4, term="Sepsis"),
        report("S", 1, 3, 4, term="Anaphylactic reaction"),
        report("S", 1, 3, 4, term="Uveitis"),
    ]
    own = {"INFECTION": (), "UVEITIS": ("uveitis",), "HYPERSENS": ("Rash",)}
    data = derive(["S"], ae=events, events_of_special_interest=own)
    adae = data.datasets["ADAE"].set_index("AEDECOD")["AESI"]
    assert adae.to_dict() == {"Sepsis": "", "Anaphylactic reaction": "", "Uveitis": "UVEITIS"}

"""Cohorts against the rules of dose escalation; toxicity and efficacy of the levels together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from escalation_study import make_cohort, make_escalation
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.dose_exploration.dose_evidence import summarise_dose_evidence
from celldossier.dose_exploration.escalation import summarise_escalation
from celldossier.dose_exploration.escalation_data import derive_dlt_status, order_levels
from celldossier.dose_exploration.escalation_replay import judge_step
from celldossier.dose_exploration.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.dose_escalation import DoseEscalationSettings
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dosing import DosingSettings
from celldossier.stats.escalation_estimates import estimate_rate
from celldossier.stats.escalation_simulation import (
    TrialRules,
    draw_tolerances,
    make_table,
    simulate_trials,
)

RULE = {
    "design": "BOIN",
    "compared": ["BOIN"],
    "efficacy": {"null_rate": 0.2, "minimum_rate": 0.25},
}
PREFIX = "dose_exploration."


def summarise(rows: list[dict[str, object]], **rule: object) -> AnalysisResults:
    chosen = DoseExplorationSettings.model_validate({"escalation": {**RULE, **rule}})
    study = Study(make_escalation(rows), chosen)
    out = ResultCollector("dose_exploration")
    summarise_escalation(study, out)
    summarise_dose_evidence(study, out)
    return AnalysisResults([out.frame()])


def steps(
    results: AnalysisResults, design: str = "BOIN", basis: str = "EVALUABLE"
) -> list[tuple[str, str, str]]:
    """Decision, expected level and outcome after each cohort."""
    found = []
    for number in range(1, 30):
        by = {"design": design, "basis": basis, "cohort": str(number)}
        texts = [
            results.find(PREFIX + "replay", by=by, stat=stat)
            for stat in ("decision", "expected", "outcome")
        ]
        if texts[0] is None:
            return found
        found.append(tuple(t.text for t in texts if t is not None))
    return found


def test_a_trial_that_follows_the_rule_agrees_at_every_step():
    rows = [
        *make_cohort("C1", "DL1", 0),
        *make_cohort("C2", "DL2", 40, dlts=1),
        *make_cohort("C3", "DL2", 80),
        *make_cohort("C4", "DL3", 120, dlts=2),
        *make_cohort("C5", "DL2", 160),
    ]
    assert steps(summarise(rows)) == [
        ("E", "DL2", "AGREE"),
        ("S", "DL2", "AGREE"),
        ("E", "DL3", "AGREE"),
        ("D", "DL2", "AGREE"),
        # 1 of 9: the rule would go up again.
        ("E", "DL3", "ENDED"),
    ]


def test_each_departure_from_the_rule_has_its_own_code():
    rows = [
        *make_cohort("C1", "DL1", 0, dlts=1),
        *make_cohort("C2", "DL2", 40, dlts=2),
        *make_cohort("C3", "DL2", 80),
        *make_cohort("C4", "DL1", 120),
        *make_cohort("C5", "DL3", 160),
        *make_cohort("C6", "DL1", 200),
    ]
    assert steps(summarise(rows)) == [
        ("S", "DL1", "ESCALATED"),
        ("D", "DL1", "STAYEDUP"),
        # 2 of 6: stay.
        ("S", "DL2", "WENTDOWN"),
        # 1 of 6: escalate, by one level.
        ("E", "DL2", "SKIPPED"),
        # The highest level: escalation is staying.
        ("E", "DL3", "WENTDOWN"),
        ("E", "DL2", "ENDED"),
    ]


def test_an_eliminated_dose_and_those_above_it_are_not_expected_again():
    rows = [
        *make_cohort("C1", "DL1", 0),
        *make_cohort("C2", "DL2", 40, dlts=3),
        *make_cohort("C3", "DL1", 80),
    ]
    assert steps(summarise(rows)) == [
        ("E", "DL2", "AGREE"),
        ("DU", "DL1", "AGREE"),
        ("E", "DL1", "ENDED"),
    ]


def test_the_rule_stops_where_the_lowest_dose_is_too_toxic_or_a_dose_is_full():
    rows = [*make_cohort("C1", "DL1", 0, dlts=3), *make_cohort("C2", "DL1", 40)]
    assert steps(summarise(rows))[0] == ("DU", "STOP", "WENTON")
    full = [*make_cohort("C1", "DL1", 0, dlts=1), *make_cohort("C2", "DL1", 40, dlts=1)]
    assert steps(summarise(full, max_at_dose=6))[1] == ("S", "STOP", "AGREE")
    assert steps(summarise(full, max_total=6))[1] == ("S", "STOP", "AGREE")
    assert steps(summarise(full))[1] == ("S", "DL1", "ENDED")


def test_the_stricter_rule_holds_at_the_lowest_dose_only():
    # Pr(rate > 0.3) of 4 of 7 is 0.94: above 0.90, below 0.95.
    low = [*make_cohort("C1", "DL1", 0, dlts=4, size=7)]
    high = [*make_cohort("C0", "DL1", 0), *make_cohort("C1", "DL2", 40, dlts=4, size=7)]
    rule = {"lowest_dose_offset": 0.05, "cohort_size": 7}
    assert steps(summarise(low, **rule))[0] == ("D", "STOP", "AGREE")
    assert steps(summarise(high, **rule))[1] == ("D", "DL1", "ENDED")


def test_3plus3_speaks_of_three_and_six_subjects_and_fills_a_dose_with_six():
    rows = [
        *make_cohort("C1", "DL1", 0),
        *make_cohort("C2", "DL2", 40, dlts=1),
        *make_cohort("C3", "DL2", 80, dlts=1),
        *make_cohort("C4", "DL1", 120),
    ]
    assert steps(summarise(rows, design="3+3"), "3+3") == [
        ("E", "DL2", "AGREE"),
        ("S", "DL2", "AGREE"),
        ("DU", "DL1", "AGREE"),
        # Six at the dose below, at most one with a DLT: it is the end.
        ("E", "STOP", "AGREE"),
    ]
    four = make_cohort("C1", "DL1", 0, size=4)
    assert steps(summarise(four, design="3+3"), "3+3") == [("", "", "NORULE")]


def test_3plus3_fills_the_highest_level_in_the_replay_and_not_in_the_simulation():
    # The two differ as the footnotes of tables 10 and 12a say.
    one = make_cohort("C1", "DL1", 0)
    assert steps(summarise(one, design="3+3"), "3+3") == [("E", "DL1", "ENDED")]
    assert steps(summarise([*one, *make_cohort("C2", "DL1", 40)], design="3+3"), "3+3")[1] == (
        *("E", "STOP", "AGREE"),
    )
    rules = TrialRules()
    trials = simulate_trials(
        make_table("3+3", 0.3, rules), [0.0], rules, draw_tolerances(2, 36, 1, 0)
    )
    assert trials.n.tolist() == [[3], [3]] and trials.selected.tolist() == [0, 0]


def test_subjects_who_are_not_evaluable_change_the_decision_and_are_counted_with_their_reason():
    rows = make_cohort("C1", "DL1", 0, dlts=1)
    rows[2]["reason"] = "DOSEOUT"
    results = summarise([*rows, *make_cohort("C2", "DL1", 40)])
    assert steps(results)[0][0] == "D"
    assert steps(results, basis="INFUSED")[0][0] == "S"
    by = {"part": "ESCALATION", "dose": "DL1", "reason": "DOSEOUT"}
    found = results.find(PREFIX + "dlt_reason", "NDLTRSN", by=by)
    assert found is not None and found.number == 1
    counts = [
        results.find(PREFIX + "cohort", by={"cohort": "1"}, stat=stat)
        for stat in ("n_infused", "n_evaluable", "n_dlt")
    ]
    assert [c.number for c in counts if c] == [3, 2, 1]


def test_cohorts_stand_in_the_order_in_which_they_began_not_of_their_names():
    rows = [*make_cohort("B", "DL1", 0), *make_cohort("A", "DL2", 40, dlts=2)]
    assert steps(summarise(rows)) == [("E", "DL2", "AGREE"), ("D", "DL1", "ENDED")]


def test_the_decision_of_a_level_is_that_of_all_its_evaluable_subjects():
    rows = [*make_cohort("C1", "DL1", 0), *make_cohort("C2", "DL2", 40, dlts=1)]
    results = summarise(rows, design="3+3")
    by = [{"part": "ESCALATION", "dose": dose} for dose in ("DL1", "DL2")]
    found = [results.find(PREFIX + "dlt", "DLT", by=place, stat="decision") for place in by]
    assert [value.text for value in found if value] == ["E", "S"]


def test_an_eliminated_level_is_not_the_maximum_tolerated_dose_though_its_rate_is_nearest():
    # 5 of 9: Pr(rate > 0.3) is 0.95; 0.25 from the target, no toxicity at all is 0.30 from it.
    rows = [*make_cohort("C1", "DL1", 0, size=9), *make_cohort("C2", "DL2", 40, size=9, dlts=5)]
    place = {"part": "ESCALATION"}
    mtd = summarise(rows).find(PREFIX + "dose_selected", by=place, stat="mtd")
    assert mtd is not None and mtd.text == "DL1"
    later = summarise(rows, elimination_cutoff=0.99)
    mtd = later.find(PREFIX + "dose_selected", by=place, stat="mtd")
    assert mtd is not None and mtd.text == "DL2"


def test_the_optimal_dose_does_not_lie_above_the_maximum_tolerated_one():
    rows = [
        *make_cohort("C1", "DL1", 0, dlts=1),
        *make_cohort("C2", "DL2", 40, dlts=2, responses=3),
    ]
    results = summarise(rows)
    verdicts = [
        results.find(
            PREFIX + "dose_utility", "ORR", by={"part": "ESCALATION", "dose": d}, stat="admissible"
        )
        for d in ("DL1", "DL2")
    ]
    assert [v.text for v in verdicts if v] == ["Y", "Y"]
    for stat in ("mtd", "obd"):
        chosen = results.find(PREFIX + "dose_selected", by={"part": "ESCALATION"}, stat=stat)
        assert chosen is not None and chosen.text == "DL1"


def test_all_infused_subjects_fill_the_trial_where_all_are_counted():
    rows = make_cohort("C1", "DL1", 0)
    rows[2]["reason"] = "SHORTFU"
    results = summarise([*rows, *make_cohort("C2", "DL2", 40)], max_total=3)
    assert steps(results)[0][1:] == ("DL2", "AGREE")
    assert steps(results, basis="INFUSED")[0][1:] == ("STOP", "WENTON")


def test_a_subject_given_another_level_than_planned_says_nothing_on_either():
    rows = make_cohort("C1", "DL1", 0)
    rows[0]["actual"] = "DL2"
    status = derive_dlt_status(make_escalation(rows), DoseEscalationSettings())
    assert status["REASON"].tolist() == ["OTHERDOSE", "", ""]


def test_the_expansion_is_judged_by_the_same_rule_and_kept_apart():
    rows = make_cohort("X", "DL1", 400, dlts=1, size=5, part="EXPANSION")
    rows[1]["inside"], rows[2]["observed"], rows[0]["observed"] = "N", 20.0, 15.0
    results = summarise([*make_cohort("C1", "DL1", 0), *rows])
    for part, counts in (
        ("ESCALATION", [3, 3, 0]),
        # The one with a DLT was observed long enough, whenever it left.
        ("EXPANSION", [5, 3, 1]),
        ("ALL", [8, 6, 1]),
    ):
        found = [
            results.find(PREFIX + "dlt", "DLT", by={"part": part}, stat=stat)
            for stat in ("n_infused", "n_evaluable", "n_dlt")
        ]
        assert [f.number for f in found if f] == counts, part
    assert len(steps(results)) == 1


def test_a_toxicity_counts_within_its_window_and_undated_after_the_infusion():
    rows = make_cohort("C1", "DL1", 0, size=4)
    for row, day in zip(rows, (28.0, 29.0, -1.0, 5.0), strict=True):
        row["dlt"] = day
    sources = make_escalation(rows)
    undated = replace(sources, adae=sources.adae.assign(ASTDY=[28.0, 29.0, -1.0, np.nan]))
    status = derive_dlt_status(undated, DoseEscalationSettings())
    assert status["DLT"].tolist() == [True, False, False, True]


def test_a_toxicity_without_a_full_date_counts_where_it_may_lie_in_its_window():
    # Infused on 1 January; the date in part, the end of the event, whether it is emergent.
    cases = [
        ("2024-01", np.nan, "Y", True),
        ("2024-03", np.nan, "Y", False),
        ("", np.nan, "N", True),
        ("", -2.0, "N", False),
        ("2023-12", np.nan, "N", False),
    ]
    rows = make_cohort("C1", "DL1", 0, size=len(cases), dlts=len(cases))
    for row in rows:
        row["day"] = 0
    sources = make_escalation(rows)
    texts, ends, emergent, expected = zip(*cases, strict=True)
    adae = sources.adae.assign(ASTDY=np.nan, ASTDTM=texts, AENDY=ends, TRTEMFL=emergent)
    status = derive_dlt_status(replace(sources, adae=adae), DoseEscalationSettings())
    assert status["DLT"].tolist() == list(expected)


def test_the_days_of_the_window_are_those_of_the_calendar():
    # Infused at 09:00: an event at 08:00 of day 29 began 28.96 days later.
    rows = make_cohort("C1", "DL1", 0, size=3, part="EXPANSION")
    for row, day in zip(rows, (29 - 1 / 24, 28 + 2 / 24, -1 / 24), strict=True):
        row["dlt"] = day
    sources = make_escalation(rows)
    adae = sources.adae.assign(TRTEMFL=["Y", "Y", "N"])
    status = derive_dlt_status(replace(sources, adae=adae), DoseEscalationSettings())
    assert status["DLT"].tolist() == [False, True, False]
    for row, last in zip(rows, (28 - 1 / 24, 27 + 2 / 24, 28.0), strict=True):
        row["dlt"], row["observed"] = np.nan, last
    status = derive_dlt_status(make_escalation(rows), DoseEscalationSettings())
    assert status["REASON"].tolist() == ["", "SHORTFU", ""]


def test_a_split_first_dose_of_the_expansion_is_in_its_window_as_a_whole():
    rows = make_cohort("X", "DL1", 0, part="EXPANSION")
    sources = make_escalation(rows)
    # Each was given half of the first fraction; of both together half, all, and all.
    adex = sources.adex.assign(INWINFL="N", NFRAC=[2, 2, 1], SUMRAT=[0.5, 0.8, 0.5], DOSEBAS="TGP")
    status = derive_dlt_status(replace(sources, adex=adex), DoseEscalationSettings())
    assert status["REASON"].tolist() == ["DOSEOUT", "", "DOSEOUT"]
    wide = DosingSettings(basis_windows={"transgene_positive": (0.4, 1.2)})
    status = derive_dlt_status(replace(sources, adex=adex), DoseEscalationSettings(), wide)
    assert status["REASON"].tolist() == ["", "", "DOSEOUT"]


def test_a_recorded_cohort_of_two_sizes_is_replayed_in_parts():
    rows = make_cohort("ESC", "DL1", 0, dlts=1, size=6)
    results = summarise(rows, design="3+3")
    assert steps(results, "3+3") == [("S", "DL1", "AGREE"), ("E", "STOP", "AGREE")]
    name = results.find(PREFIX + "cohort", by={"cohort": "2"}, stat="name")
    assert name is not None and name.text == "ESC (2)"
    # Five are one cohort of more than three.
    assert len(steps(summarise(make_cohort("ESC", "DL1", 0, size=5)))) == 1


def test_without_recorded_cohorts_neighbours_at_one_level_are_a_cohort():
    rows = [*make_cohort("A", "DL1", 0), *make_cohort("B", "DL2", 40), *make_cohort("C", "DL1", 80)]
    for row in rows:
        row["cohort"] = ""
    assert [step[1] for step in steps(summarise(rows))] == ["DL2", "DL2", "DL2"]


def test_subjects_whose_window_was_open_when_the_next_cohort_began_are_counted():
    rows = [*make_cohort("C1", "DL1", 0, dlts=1), *make_cohort("C2", "DL1", 28)]
    found = summarise(rows).find(PREFIX + "cohort", by={"cohort": "1"}, stat="n_pending")
    # Infused on days 0, 1, 2: the first had its DLT on day 10, the others were open on day 28.
    assert found is not None and found.number == 2
    # One of them had died on day 20: nobody could observe it any longer.
    rows[2]["observed"], rows[2]["reason"] = 20.0, "SHORTFU"
    found = summarise(rows).find(PREFIX + "cohort", by={"cohort": "1"}, stat="n_pending")
    assert found is not None and found.number == 1


def test_the_levels_stand_in_the_order_of_their_dose_or_as_declared():
    rows = [*make_cohort("C1", "DL3", 0), *make_cohort("C2", "DL1", 40)]
    sources = make_escalation(rows)
    assert order_levels(sources, DoseEscalationSettings()) == ["DL1", "DL3"]
    # A tenth of a split plan is no lower level.
    split = sources.adex.assign(DOSPSUM=sources.adex["DOSEP"], NFRAC=[2, 2, 2, 1, 1, 1])
    split["DOSEP"] = split["DOSEP"].where(split["NFRAC"] == 1, split["DOSEP"] / 10)
    assert order_levels(replace(sources, adex=split), DoseEscalationSettings()) == ["DL1", "DL3"]
    declared = DoseEscalationSettings(dose_order=("DL3", "DL2"))
    assert order_levels(sources, declared) == ["DL3", "DL2", "DL1"]


def test_nothing_is_summarised_without_a_design_and_only_rules_without_toxicities():
    rows = make_cohort("C1", "DL1", 0)
    assert summarise(rows, design=None).frame.empty
    results = summarise(make_cohort("C1", "DL1", 0, reason="NOTCOLL"))
    assert set(results.frame["analysis_id"]) == {
        PREFIX + "escalation_rule",
        PREFIX + "escalation_boundary",
    }


def test_toxicity_and_efficacy_of_a_level_stand_side_by_side():
    rows = [
        *make_cohort("C1", "DL1", 0, size=6, responses=1),
        *make_cohort("C2", "DL2", 40, dlts=1, size=6, responses=5),
        *make_cohort("C3", "DL3", 80, dlts=5, size=6, responses=6),
    ]
    results = summarise(rows, cohort_size=6)
    place = {"part": "ESCALATION", "dose": "DL2"}
    expected = estimate_rate(1, 6, (0.25, 0.35))
    for stat in ("mean", "low", "high", "under", "within", "over"):
        found = results.find(PREFIX + "dlt", "DLT", by=place, stat=stat)
        assert found is not None and found.number == pytest.approx(getattr(expected, stat))
    above = results.find(PREFIX + "dose_response", "ORR", by=place, stat="above")
    assert above is not None
    assert above.number == pytest.approx(estimate_rate(5, 6, (0.2, 0.2)).over)
    verdicts = [
        results.find(PREFIX + "dose_utility", "ORR", by={**place, "dose": d}, stat="admissible")
        for d in ("DL1", "DL2", "DL3")
    ]
    assert [v.text for v in verdicts if v] == ["Y", "Y", "TOXIC"]
    for stat in ("mtd", "obd"):
        chosen = results.find(PREFIX + "dose_selected", by={"part": "ESCALATION"}, stat=stat)
        assert chosen is not None and chosen.text == "DL2"
    score = results.find(PREFIX + "dose_utility", "ORR", by={**place, "dose": "DL3"}, stat="score")
    assert score is not None and np.isnan(score.number) and score.note_code == "NOTADMIS"


def test_a_toxicity_without_a_response_assessed_makes_a_level_inadmissible():
    rows = make_cohort("C1", "DL1", 0, dlts=3, size=4, responses=1)
    for row in rows[:3]:
        row["response"] = ""
    results = summarise(rows)
    by = {"part": "ESCALATION", "dose": "DL1"}
    found = {
        stat: results.find(PREFIX + "dose_utility", "ORR", by=by, stat=stat)
        for stat in ("n", "admissible", "score")
    }
    assert found["n"].number == 1 and found["admissible"].text == "TOXIC"
    assert found["score"].note_code == "NOTADMIS"


def test_without_limits_of_efficacy_there_is_no_utility_and_the_reason_is_said():
    results = summarise(make_cohort("C1", "DL1", 0, responses=1), efficacy={})
    place = {"part": "ESCALATION", "dose": "DL1"}
    for analysis, stat in (("dose_utility", "mean"), ("dose_response", "above")):
        found = results.find(PREFIX + analysis, "ORR", by=place, stat=stat)
        assert found is not None and found.note_code == "NOTASKED"
    obd = results.find(PREFIX + "dose_selected", by={"part": "ESCALATION"}, stat="obd")
    assert obd is not None and obd.note_code == "NOTASKED"


@given(st.permutations(range(9)), st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(max_examples=6, deadline=None)
def test_the_order_of_the_records_does_not_matter(order, dlts):
    rows = [
        row
        for number, (level, y) in enumerate(zip(("DL1", "DL2", "DL3"), dlts, strict=True))
        for row in make_cohort(f"C{number}", level, 40 * number, dlts=y)
    ]
    mixed = summarise([rows[i] for i in order], compared=()).frame
    assert mixed.equals(summarise(rows, compared=()).frame)


@given(st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(max_examples=5, deadline=None)
def test_other_names_of_the_levels_change_nothing_but_the_names(dlts):
    names = {"DL1": "Z", "DL2": "M", "DL3": "A"}
    rows = [
        row
        for number, (level, y) in enumerate(zip(names, dlts, strict=True))
        for row in make_cohort(f"C{number}", level, 40 * number, dlts=y)
    ]
    renamed = [{**row, "level": names[str(row["level"])]} for row in rows]
    plain = steps(summarise(rows, compared=()))
    other = steps(summarise(renamed, compared=(), dose_order=list(names.values())))
    assert [(d, names.get(e, e), o) for d, e, o in plain] == other


@pytest.mark.parametrize(
    ("level", "expected", "following", "code"),
    [
        (1, 2, 2, "AGREE"),
        (0, 1, 2, "SKIPPED"),
        (1, 1, 2, "ESCALATED"),
        (1, 0, 1, "STAYEDUP"),
        (1, -1, 1, "WENTON"),
        (1, 2, 1, "STAYED"),
        (1, 1, 0, "WENTDOWN"),
        (1, -1, np.nan, "AGREE"),
        (1, 1, np.nan, "ENDED"),
        (1, None, 1, "NORULE"),
    ],
)
def test_a_step_is_judged_by_the_dose_that_followed(level, expected, following, code):
    assert judge_step(level, expected, following) == code

"""Analysis results of response and of time to event: counts, rates, estimates, what is unknown."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.time_to_event import TimeToEventSettings
from celldossier.study_data.response_summary import add_response
from celldossier.study_data.survival_summary import add_time_to_event

EFFICACY = EfficacySettings.model_validate(
    {"response_criteria": {"ALL": "ALL", "NHL": "LUGANO2014"}}
)
MONTH = 365.25 / 12

# Subject, indication, dose level, vocabulary, best response, responder, complete, confirmed.
RESPONSES = [
    ("S1", "ALL", "DL1", "ALL", "CR", "Y", "Y", "Y"),
    ("S2", "ALL", "DL1", "ALL", "CRi", "Y", "N", "N"),
    ("S3", "ALL", "DL2", "ALL", "NR", "N", "N", "N"),
    ("S4", "ALL", "DL2", "ALL", "NE", "", "", ""),
    ("S5", "ALL", "DL2", "", "", "", "", ""),
    ("S6", "NHL", "DL1", "LUGANO2014", "PR", "Y", "N", None),
    ("S7", "NHL", "DL1", "LUGANO2014", "PD", "N", "N", None),
]


def make_infused() -> pd.DataFrame:
    rows = [(s, i, d) for s, i, d, *_ in RESPONSES]
    return pd.DataFrame(rows, columns=["USUBJID", "INDIC", "TRT01A"])


def make_adrs() -> pd.DataFrame:
    rows = []
    for subject, _, _, vocabulary, category, responder, complete, confirmed in RESPONSES:
        reason = "" if category else "NOASSESS"
        common = {"USUBJID": subject, "RSVOCAB": vocabulary, "RESPFL": responder}
        answers = {"ORR": responder, "CR": complete, "CORR": confirmed}
        silent = "NOTEVAL" if category else "NOASSESS"
        rows.append({**common, "PARAMCD": "BOR", "AVALC": category, "REASND": reason})
        rows += [
            {**common, "PARAMCD": code, "AVALC": answer, "REASND": "" if answer else silent}
            for code, answer in answers.items()
            if answer is not None
        ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def responses() -> AnalysisResults:
    out = ResultCollector("study_data")
    add_response(out, make_infused(), make_adrs(), True, EFFICACY)
    return AnalysisResults([out.frame()])


def find(results: AnalysisResults, analysis: str, variable: str, stat: str = "n", **by: str):
    value = results.find(f"study_data.{analysis}", variable, "", by, stat)
    assert value is not None, (analysis, variable, stat, by)
    return value


def test_every_category_of_the_criteria_is_counted_within_its_indication(responses):
    def count(vocabulary, category, indication, **dose):
        by = {"category": category, "indication": indication, **dose}
        return find(responses, "best_response", vocabulary, **by).number

    found = {name: count("ALL", name, "ALL") for name in ("CR", "CRh", "CRi", "PR", "NR", "NE")}
    assert found == {"CR": 1, "CRh": 0, "CRi": 1, "PR": 0, "NR": 1, "NE": 1}
    assert count("ALL", "CR", "ALL", dose="DL1") == 1
    assert count("ALL", "CR", "ALL", dose="DL2") == 0
    assert [count("LUGANO2014", name, "NHL") for name in ("CR", "PR", "SD", "PD")] == [0, 1, 0, 1]
    share = find(responses, "best_response", "ALL", "pct", category="CR", indication="ALL")
    assert share.number == 20
    unknown = {"indication": "ALL", "reason": "NOASSESS"}
    assert find(responses, "best_response_unknown", "BOR", **unknown).number == 1
    # With those without any assessment, the categories make up the infused.
    rows = responses.select("study_data.best_response")
    every = rows[(rows["stat_name"] == "n") & (rows["variable"] == "ALL") & (rows["level3"] == "")]
    assert every["value"].sum() + 1 == 5


def test_rates_are_of_the_infused_and_of_the_evaluable_with_exact_limits(responses):
    for denominator, size in (("INFUSED", 5), ("EVALUABLE", 3)):
        by = {"indication": "ALL", "denominator": denominator}
        limits = stats.binomtest(2, size).proportion_ci(method="exact")
        found = [
            find(responses, "response_rate", "ORR", stat, **by).number
            for stat in ("n", "denominator", "pct", "ci_low", "ci_high")
        ]
        expected = [2, size, 200 / size, 100 * limits.low, 100 * limits.high]
        assert found == pytest.approx(expected)
    total = find(responses, "response_rate", "ORR", "pct", denominator="INFUSED")
    assert total.number == pytest.approx(300 / 7)
    assert (
        find(responses, "response_rate", "CR", indication="NHL", denominator="INFUSED").number == 0
    )
    assert find(responses, "response_subjects", "BOR", "n_evaluable").number == 5


def test_confirmation_is_counted_only_where_all_criteria_ask_for_it(responses):
    by = {"indication": "ALL", "denominator": "EVALUABLE"}
    # An unconfirmed response stays in the denominator.
    assert find(responses, "response_rate", "CORR", **by).number == 1
    assert find(responses, "response_rate", "CORR", "denominator", **by).number == 3
    for by in ({"indication": "NHL"}, {}):
        place = {**by, "denominator": "INFUSED"}
        assert responses.find("study_data.response_rate", "CORR", "", place, "n") is None


def test_a_dose_level_without_subjects_has_a_reason_in_place_of_a_rate(responses):
    by = {"indication": "NHL", "dose": "DL2", "denominator": "INFUSED"}
    assert find(responses, "response_rate", "ORR", **by).number == 0
    assert find(responses, "response_rate", "ORR", "pct", **by).note_code == "NOGROUP"


def test_complete_response_is_left_out_where_the_criteria_have_none():
    own = EfficacySettings.model_validate(
        {"response_order": ["RESPONDER", "NONE"], "responder_categories": ["RESPONDER"]}
    )
    adrs = make_adrs().assign(RSVOCAB="OWN")
    out = ResultCollector("study_data")
    add_response(out, make_infused(), adrs, True, own)
    rates = set(AnalysisResults([out.frame()]).select("study_data.response_rate")["variable"])
    assert "ORR" in rates and "CR" not in rates


def test_response_that_was_not_collected_is_not_counted_as_none():
    out = ResultCollector("study_data")
    add_response(out, make_infused(), make_adrs().iloc[:0], False, EFFICACY)
    frame = out.frame()
    assert set(frame["note_code"]) == {"NOTCOLL"}
    assert set(frame["analysis_id"]) == {"study_data.response_subjects"}


# --- time to event ---

# Subject, indication, days, event, reason for censoring, day of the competing event.
TIMES = [
    ("S1", "ALL", 30, "LOSS", "", None),
    ("S2", "ALL", 60, "", "ONGOING", None),
    ("S3", "ALL", 60, "DEATH", "CNSDEATH", 80),
    ("S4", "NHL", 100, "LOSS", "", None),
    ("S5", "NHL", 120, "NEWTHERAPY", "CNSNEWTH", 130),
    ("S6", "NHL", 200, "", "CNSLOST", None),
    ("S7", "NHL", None, "", "", None),
]


def make_adtte(code: str = "PERSIST") -> pd.DataFrame:
    rows = [
        {
            "USUBJID": subject,
            "PARAMCD": code,
            "AVAL": math.nan if day is None else float(day),
            "CNSR": math.nan if day is None else float(bool(reason)),
            "EVENTCD": event,
            "CNSRSN": reason,
            "EVENTDY": float(competing or day) if event else math.nan,
            "REASND": "NOSAMPLE" if day is None else "",
        }
        for subject, _, day, event, reason, competing in TIMES
    ]
    return pd.DataFrame(rows)


def summarise(
    adtte: pd.DataFrame, *endpoints: str, settings: TimeToEventSettings | None = None
) -> AnalysisResults:
    infused = pd.DataFrame([row[:2] for row in TIMES], columns=["USUBJID", "INDIC"])
    out = ResultCollector("study_data")
    add_time_to_event(out, infused, adtte, endpoints, settings or TimeToEventSettings())
    return AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def times() -> AnalysisResults:
    return summarise(make_adtte(), "PERSIST")


def test_events_censoring_and_competing_events_are_counted_by_code(times):
    def count(part: str, stat: str = "n", **by: str) -> float:
        return find(times, f"time_to_event{part}", "PERSIST", stat, **by).number

    counted = [count("", stat) for stat in ("n_infused", "n", "n_events", "n_censored")]
    assert counted == [7, 6, 2, 4]
    assert count("", "pct_events") == pytest.approx(100 / 3)
    assert count("_events", event="LOSS") == 2
    assert count("_censored", reason="CNSDEATH") == 1
    assert count("_competing", event="DEATH") == 1
    # What only others have counts 0.
    assert count("_competing", event="DEATH", indication="NHL") == 0
    assert count("_missing", reason="NOSAMPLE", indication="NHL") == 1
    assert times.find("study_data.time_to_event_events", "PERSIST", "", {"event": "DEATH"}) is None
    in_all = [count("_censored", reason=r) for r in ("ONGOING", "CNSDEATH", "CNSNEWTH", "CNSLOST")]
    assert sum(in_all) == count("", "n_censored")


def test_estimates_equal_those_of_statsmodels_in_months(times):
    known = [row for row in TIMES if row[2] is not None]
    days = [row[2] / MONTH for row in known]
    event = [int(row[3] == "LOSS") for row in known]
    curve = SurvfuncRight(days, event)
    at = {"time": "3"}
    survival = find(times, "time_to_event_landmark", "PERSIST", "survival", **at)
    assert survival.number == pytest.approx(100 * curve.surv_prob[curve.surv_times <= 3][-1])
    assert find(times, "time_to_event_landmark", "PERSIST", "n_at_risk", **at).number == 3
    # The competing event counts on its own day, not on that of the last sample before it.
    until = [(row[5] or row[2]) / MONTH for row in known]
    cause = [1 if row[3] == "LOSS" else 2 if row[3] else 0 for row in known]
    other = CumIncidenceRight(until, cause)
    for at in ("3", "6"):
        found = find(times, "time_to_event_landmark", "PERSIST", "incidence", time=at)
        assert found.number == pytest.approx(100 * other.cinc[0][other.times <= float(at)][-1])
    everybody = make_adtte("PFS").assign(CNSR=0.0, CNSRSN="", EVENTCD="DEATH")
    results = summarise(everybody[everybody["REASND"] == ""], "PFS")
    median = find(results, "time_to_event_median", "PFS", "median")
    # 30, 60, 60, 100, 120, 200 days.
    assert (median.number, median.unit) == (pytest.approx(80 / 30.4375), "months")


def test_a_median_has_its_unit_and_says_where_it_is_not_reached():
    adtte = make_adtte("NEUTREC").assign(CNSR=0.0, CNSRSN="", EVENTCD="RECOVERY")
    adtte = adtte[adtte["REASND"] == ""]
    results = summarise(adtte, "NEUTREC")
    median = find(results, "time_to_event_median", "NEUTREC", "median")
    # 30, 60, 60, 100, 120, 200: half have recovered at 60, the rest from 100 on.
    assert (median.number, median.unit) == (80, "d")
    high = find(results, "time_to_event_median", "NEUTREC", "followup")
    assert math.isnan(high.number) and high.note_code == "NOTREACH"


def test_estimates_without_value_say_why(times):
    beyond = find(times, "time_to_event_landmark", "PERSIST", "survival", time="12")
    assert math.isnan(beyond.number) and beyond.note_code == "BEYONDFU"
    early = summarise(make_adtte(), "PERSIST", settings=TimeToEventSettings(landmark_months=(0.5,)))
    first = find(early, "time_to_event_landmark", "PERSIST", "survival_low", time="0.5")
    assert math.isnan(first.number) and first.note_code == "NOEVENT"
    assert find(early, "time_to_event_landmark", "PERSIST", "survival", time="0.5").number == 100


def test_endpoints_without_competing_events_have_no_cumulative_incidence():
    results = summarise(make_adtte("PFS"), "PFS")
    rows = results.select("study_data.time_to_event_landmark")
    assert "incidence" not in set(rows["stat_name"])


def test_an_endpoint_that_applies_and_has_no_record_was_not_collected_and_others_are_absent(times):
    results = summarise(make_adtte(), "PERSIST", "PFS")
    missing = find(results, "time_to_event", "PFS", "n_events")
    assert math.isnan(missing.number) and missing.note_code == "NOTCOLL"
    assert times.find("study_data.time_to_event", "PFS", "", {}, "n") is None


def test_nobody_at_risk_of_an_endpoint_is_a_count_of_none():
    adtte = make_adtte("DOR").assign(REASND="NORESPONSE", AVAL=math.nan, CNSR=math.nan)
    results = summarise(adtte.assign(EVENTCD="", CNSRSN=""), "DOR")
    assert find(results, "time_to_event", "DOR", "n").number == 0
    assert find(results, "time_to_event_missing", "DOR", reason="NORESPONSE").number == 7
    assert find(results, "time_to_event_median", "DOR", "median").note_code == "NOGROUP"

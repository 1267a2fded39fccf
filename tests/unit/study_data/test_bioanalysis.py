"""Versions, runs and samples: what is derived from them, and what counts as a fault."""

from __future__ import annotations

import pandas as pd
import pytest
from faults_bioanalysis import trace_samples
from hypothesis import given
from hypothesis import strategies as st
from small_study import make_study, to_table

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.bioanalysis import Assay, BioanalysisSettings
from celldossier.study_data.bioanalysis_summary import COUNTS, add_runs, add_samples
from celldossier.study_data.results import find_declared

OWN_RULES = ("ASSAY", "RUN", "SAMPLEORDER", "SAMPLENO", "STABILITY", "RESULTNO")
STATES = ("COLLECTED", "RECEIVED", "ANALYSED", "REPORTED")


@pytest.fixture(scope="module")
def traced():
    study = make_study()
    trace_samples(study)
    return study.derive()


def test_a_study_whose_runs_and_samples_agree_has_no_finding_on_them(traced):
    found = traced.findings["rule_id"].str.startswith(OWN_RULES)
    assert traced.findings.loc[found, "message_en"].tolist() == []
    counts = traced.accounting.set_index("domain")
    assert counts.loc[["BE", "RUNS"], "records_used"].tolist() == [20, 2]


def test_a_sample_has_its_steps_days_run_and_declared_stability(traced):
    samples = traced.datasets["ADSAMP"].set_index("BEREFID")
    second = samples.loc["S2"]
    steps = ["COLLDTM", "RECVDTM", "ANALDTM", "REPTDTM"]
    assert second[steps].tolist() == ["2024-03-08T10:00", "2024-03-09", "2024-04-01", "2024-04-20"]
    assert second[["DCOLREC", "DCOLANL", "DANLREP", "STABDAY"]].tolist() == [1, 24, 19, 31]
    assert second[
        ["PARAMCD", "RUNID", "ASSAYV", "STATE", "GAPRSN", "RESFL", "STABFL"]
    ].tolist() == [
        *("PCR", "R1", "1", "REPORTED", "", "Y", "N"),
    ]
    assert traced.datasets["ADRUN"]["NRESULT"].tolist() == [3, 2]


def test_a_study_without_runs_and_samples_has_empty_datasets(study):
    data = study.derive()
    for name in ("ADRUN", "ADBE", "ADSAMP"):
        assert data.datasets[name].empty
    collector = ResultCollector("study_data")
    add_runs(collector, data.datasets["ADRUN"])
    add_samples(collector, data.datasets["ADSAMP"])
    assert collector.frame()["note_code"].unique().tolist() == ["NOTCOLL"]


def test_the_version_of_a_run_stands_for_that_of_its_results(study):
    trace_samples(study)
    for row in range(1, 6):
        study.set("PC", row, "PCASSAYV", "")
    study.set("RUNS", 2, "ASSAYV", "2")
    data = study.derive()
    assert data.datasets["ADSAMP"]["ASSAYV"].tolist() == ["1", "1", "1", "2", "2"]
    found = data.findings.query("rule_id == 'ASSAYLAB' and domain == 'PC'")
    assert found[["value", "row"]].fillna("").values.tolist() == [["LAB A", ""]]
    assert "2 records of PCR" in found["message_en"].iloc[0]


def test_a_sample_collected_before_a_version_is_no_fault_unless_it_was_analysed_then(study):
    # An archived extract is analysed later by a method that did not exist when it was taken.
    trace_samples(study)
    for row in range(1, 6):
        study.set("PC", row, "PCASSAYV", "2")
        study.set("PC", row, "PCRUNID", "")
    assert "ASSAYDATES" not in set(study.derive().findings["rule_id"])


def test_a_result_collected_after_the_last_day_of_its_version_is_a_fault(study):
    trace_samples(study)
    declared = study.bioanalysis.model_dump(mode="json")["assays"]
    declared[0]["versions"][0]["valid_until"] = "2024-04-10"
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": declared})
    for row in (4, 5):
        study.set("PC", row, "PCRUNID", "")
    found = study.derive().findings.query("rule_id == 'ASSAYDATES' and domain == 'PC'")
    assert found["row"].tolist() == [5]


def test_a_result_without_version_that_no_version_was_valid_for_is_a_fault(study):
    trace_samples(study)
    declared = study.bioanalysis.model_dump(mode="json")["assays"]
    declared[0]["versions"][0]["valid_until"] = "2024-04-10"
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": declared})
    for row in range(1, 6):
        study.set("PC", row, "PCASSAYV", "")
        study.set("PC", row, "PCRUNID", "")
    # Version 2 begins in June; it is open-ended, so that an archived extract may be of it.
    found = study.derive().findings.query("rule_id == 'ASSAYDATES'")
    assert set(found["domain"]) == {"RUNS"}
    declared[0]["versions"][1] |= {"valid_from": "2024-01-01", "valid_until": "2024-04-01"}
    study.bioanalysis = BioanalysisSettings.model_validate({"assays": declared})
    found = study.derive().findings.query("rule_id == 'ASSAYDATES' and domain == 'PC'")
    assert found["row"].tolist() == [5]


def test_a_tube_for_two_tests_is_one_sample_and_reported_where_both_are(study):
    trace_samples(study)
    events = study.tables["BE"]
    records = events.assign(
        BETESTCD=["CARPCR" if name == "S2" else "" for name in events["BEREFID"]]
    ).to_dict("records")
    records.append(
        {
            **{"USUBJID": "A", "BEREFID": "S2", "BETERM": "COLLECTED", "BETESTCD": "IL6"},
            **{"BESPEC": "BLOOD", "BESTDTC": "2024-03-08T10:00"},
        }
    )
    study.tables["BE"] = to_table(records)
    data = study.derive()
    assert "KEYDUPLICATE" not in set(data.findings["rule_id"])
    samples = data.datasets["ADSAMP"].set_index(["BEREFID", "PARAMCD"])
    assert samples.loc[("S2", "PCR"), "STATE"] == "REPORTED"
    assert samples.loc[("S2", "IL6"), ["STATE", "GAPRSN"]].tolist() == ["RECEIVED", "NORECORD"]
    collector = ResultCollector("study_data")
    add_samples(collector, data.datasets["ADSAMP"])
    results = AnalysisResults([collector.frame()])
    found = [results.find("study_data.samples", "", "", {}, name) for name in COUNTS]
    assert [value.number for value in found if value is not None] == [5, 5, 4, 4]


def test_the_limit_of_the_version_stands_in_where_the_record_gives_none():
    word = {"en": "x", "zh": "x"}
    declared = Assay.model_validate(
        {
            **{"analyte": "PCR", "domain": "CK", "test_codes": ["A"], "unit": "copies/ug"},
            **dict.fromkeys(("label", "platform", "matrix"), word),
            **{"lloq": 50, "versions": [{"version": "1"}, {"version": "2", "lloq": 25}]},
        }
    )
    test = pd.Series(["A", "A", "A", "B"])
    limits = find_declared(test, pd.Series(["1", "2", "", "2"]), [declared], "lloq")
    assert limits.fillna(-1).tolist() == [50, 25, 50, -1]


@given(
    st.lists(
        st.tuples(st.sampled_from(STATES), st.sampled_from(["LOST", "DESTROYED", "NORECORD"])),
        min_size=1,
        max_size=30,
    )
)
def test_the_samples_missing_at_each_step_add_up(ways):
    """Samples at a step less those at the next are the sum of the reasons between them."""
    frame = pd.DataFrame(
        {
            "USUBJID": "A",
            "BEREFID": [str(number) for number in range(len(ways))],
            "PARAMCD": "PCR",
            "ASPEC": "BLOOD",
            "STATE": [state for state, _ in ways],
            "GAPRSN": ["" if state == "REPORTED" else reason for state, reason in ways],
            **{"RESFL": "N", "STABFL": "", "DCOLANL": 1.0},
        }
    )
    collector = ResultCollector("study_data")
    add_samples(collector, frame)
    results = AnalysisResults([collector.frame()])
    by = {"specimen": "BLOOD"}
    numbers = [results.find("study_data.samples", "", "PCR", by, name) for name in COUNTS]
    counts = [value.number for value in numbers if value is not None]
    gaps = results.select("study_data.sample_gaps")
    assert counts[0] == len(ways)
    for place, state in enumerate(STATES[:-1]):
        lost = gaps.loc[gaps["level3"] == state, "value"].sum()
        assert counts[place] - counts[place + 1] == lost


def test_runs_are_counted_by_version_and_laboratory():
    runs = pd.DataFrame(
        {
            **{"PARAMCD": "PCR", "RUNID": list("abcd"), "ASSAYV": ["1", "1", "1", "2"]},
            **{"LAB": ["A", "A", "A", ""], "STATUS": ["ACCEPTED", "REJECTED", *["ACCEPTED"] * 2]},
            **{"REASON": ["", "QC", "", ""], "REPEATOF": ["", "", "b", ""]},
            **{"CALPASS": [8.0, 4, 8, float("nan")], "CALTOT": [8.0, 8, 8, float("nan")]},
            **{"QCPASS": [6.0, 3, 6, 6], "QCTOT": 6.0, "NRESULT": [10, 0, 10, 5]},
        }
    )
    collector = ResultCollector("study_data")
    add_runs(collector, runs)
    results = AnalysisResults([collector.frame()])

    def number(stat: str, version: str, laboratory: str) -> float:
        by = {"version": version, "laboratory": laboratory}
        value = results.find("study_data.assay_runs", "", "PCR", by, stat)
        assert value is not None
        return value.number

    first = [number(s, "1", "A") for s in ("runs", "n_accepted", "n_rejected", "n_repeats")]
    assert first == [3, 2, 1, 1]
    assert number("pct_qc", "1", "A") == pytest.approx(100 * 15 / 18)
    assert number("n_results", "2", "MISSING") == 5
    assert number("pct_cal", "2", "MISSING") != number("pct_cal", "2", "MISSING")
    reasons = results.select("study_data.assay_run_reasons")
    assert reasons[["level2", "value"]].values.tolist() == [["QC", 1]]


def drop_events(study, *rows):
    kept = study.tables["BE"].drop(index=list(rows))
    study.tables["BE"] = to_table(kept.to_dict("records"))


def test_a_gap_tells_what_ended_the_way_of_the_sample_and_which_step_a_result_lacks(study):
    trace_samples(study)
    for row in (2, 3, 4):
        study.set("PC", row, "PCREFID", "")
        study.set("PC", row, "PCRUNID", "")
    # Records of S2 are 5 to 8, of S3 9 to 12, of S4 13 to 16: all three were received and went
    # no further. S1 and S5 have a result, but the first lacks its collection, the last both steps.
    study.set("BE", 7, "BETERM", "LOST")
    study.set("BE", 11, "BETERM", "DESTROYED")
    drop_events(study, 1, 8, 12, 15, 16, 17, 18)
    data = study.derive()
    samples = data.datasets["ADSAMP"].set_index("BEREFID")
    assert samples["STATE"].tolist() == ["REPORTED", *["RECEIVED"] * 3, "REPORTED"]
    assert samples["GAPRSN"].tolist() == ["", "LOST", "DESTROYED", "NORECORD", ""]
    texts = data.findings.set_index(["rule_id", "value"])["message_en"]
    unreported = texts["SAMPLENOTREPORTED"]
    assert sorted(unreported.index) == ["S2", "S3", "S4"]
    assert unreported["S2"].endswith("it was lost.")
    assert unreported["S3"].endswith("it was destroyed.")
    assert unreported["S4"].endswith("no record says why.")
    lacking = texts["RESULTNOTRECEIVED"]
    assert sorted(lacking.index) == ["S1", "S5"]
    assert lacking["S1"].endswith("was collected.")
    assert lacking["S5"].endswith("was collected or received.")


def test_a_step_is_early_by_the_minute_where_times_of_day_are_known_and_against_any_step_before(
    study,
):
    trace_samples(study)
    # Collected at 10:00. Received: on that day at an unknown time, in that minute, the minute
    # before, and the day before. Of S5 only the report is recorded, before the collection.
    for row, received in (
        (2, "2024-03-01"),
        (6, "2024-03-08T10:00"),
        (10, "2024-03-29T09:59"),
        (14, "2024-03-31"),
        (20, "2024-04-10"),
    ):
        study.set("BE", row, "BESTDTC", received)
    study.set("PC", 5, "PCRUNID", "")
    drop_events(study, 18, 19)
    found = study.derive().findings.query("rule_id == 'SAMPLEORDER'").set_index("value")
    assert sorted(found.index) == ["S3", "S4", "S5"]
    assert (
        "reported (2024-04-10) before it was collected (2024-04-11T10:00)"
        in (found.loc["S5", "message_en"])
    )

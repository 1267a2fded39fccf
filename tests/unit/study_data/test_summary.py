"""Populations, demographics and accounting as analysis results."""

from __future__ import annotations

import json
import math

import pytest
from small_study import make_study

from celldossier.results import AnalysisResults
from celldossier.study_data.gate import count_findings, list_errors, list_findings
from celldossier.study_data.summary import summarise_study_data


def summarise(study) -> AnalysisResults:
    data = study.derive()
    return AnalysisResults(
        [
            summarise_study_data(
                data.datasets["ADSL"],
                accounting=data.accounting,
                exclusions=data.exclusions,
                findings=data.findings,
                adaesi=data.datasets["ADAESI"],
                adld=data.datasets["ADLD"],
                adpq=data.datasets["ADPQ"],
                adrun=data.datasets["ADRUN"],
                adsamp=data.datasets["ADSAMP"],
                adex=data.datasets["ADEX"],
                adrs=data.datasets["ADRS"],
                adtte=data.datasets["ADTTE"],
                endpoints=("OS", "PFS"),
                efficacy=study.settings.efficacy,
            )
        ]
    )


@pytest.fixture(scope="module")
def results():
    study = make_study()
    study.set("PC", 2, "PCORRES", "NOT DONE")
    return summarise(study)


def number(results, analysis, variable="", by=None, stat="n"):
    return results.find(f"study_data.{analysis}", variable, "", by, stat).number


def test_populations_are_counted_in_total_and_by_planned_dose(results):
    counts = {
        population: number(results, "populations", by={"population": population})
        for population in ("ENROLLED", "LEUKAPHERESED", "MANUFACTURED", "INFUSED", "CK", "ADA")
    }
    assert counts == {
        "ENROLLED": 3,
        "LEUKAPHERESED": 3,
        "MANUFACTURED": 2,
        "INFUSED": 2,
        "CK": 2,
        "ADA": 1,
    }
    by = {"population": "INFUSED", "dose": "DL2"}
    assert number(results, "populations", by=by) == 1
    assert number(results, "populations", by=by, stat="pct") == 50


def test_reasons_are_counted(results):
    by = {"population": "INFUSED", "reason": "MANUFACTURING FAILURE"}
    assert number(results, "population_reasons", by=by) == 1
    by = {"population": "ADA", "reason": "NOADAPOST"}
    assert number(results, "population_reasons", by=by) == 1


def test_evaluable_for_toxicity_and_response_are_counted_with_the_reasons():
    study = make_study()
    unknown = number(summarise(study), "populations", by={"population": "DLT"})
    assert math.isnan(unknown)
    for row, part in ((1, "ESCALATION"), (2, "EXPANSION"), (3, "ESCALATION")):
        study.set("DM", row, "PART", part)
    study.set("AE", 1, "AEDLT", "")
    found = summarise(study)
    assert number(found, "populations", by={"population": "DLT"}) == 1
    assert number(found, "populations", by={"population": "RESPONSE", "dose": "DL2"}) == 0
    for population, reason in (
        ("DLT", "NOTESCAL"),
        ("DLT", "NOTINFUSED"),
        ("RESPONSE", "NORSPOST"),
        ("MANUFACTURED", "FAILED"),
    ):
        by = {"population": population, "reason": reason}
        assert number(found, "population_reasons", by=by) == 1


def test_demographics_are_those_of_the_infused(results):
    assert number(results, "demographics", "AGE") == 2
    assert number(results, "demographics", "AGE", stat="median") == 31
    values = results.find("study_data.demographics", "AGE", "", {}, "values")
    assert values.text == "17; 45"
    assert number(results, "demographics", "SEX", {"level": "F"}, "pct") == 50
    assert number(results, "demographics", "AGEGR1", {"level": "<18", "dose": "DL2"}) == 1
    assert number(results, "demographics", "AGEGR1", {"level": "<18", "dose": "DL1"}) == 0


def test_tumour_burden_is_summarised_where_there_is_one_unit(results):
    assert number(results, "demographics", "TBURDBL", {"indication": "ALL"}) == 2
    assert results.find("study_data.demographics", "TBURDBL", "", {}, "median").unit == "%"
    study = make_study()
    study.set("DM", 2, "INDIC", "NHL")
    study.set("DM", 2, "TBURDU", "mm2")
    mixed = summarise(study)
    assert mixed.find("study_data.demographics", "TBURDBL", "", {}, "median") is None
    assert number(mixed, "demographics", "TBURDBL", {"indication": "NHL"}) == 1


def test_a_statistic_that_cannot_be_computed_says_why(results):
    spread = results.find("study_data.demographics", "AGE", "", {"dose": "DL1"}, "sd")
    assert math.isnan(spread.number) and spread.note_code == "FEWVAL"
    absent = results.find("study_data.demographics", "TARGBL", "", {}, "mean")
    assert absent.note_code == "NOTCOLL"
    assert results.find("study_data.demographics", "RACE", "", {}, "n").note_code == "NOTCOLL"
    known = results.find("study_data.demographics", "AGE", "", {}, "mean")
    assert known.note_code == ""


def test_accounting_and_findings_are_counted(results):
    assert number(results, "accounting", "PC", stat="records_in") == 5
    assert number(results, "accounting", "PC", stat="records_used") == 4
    assert number(results, "accounting", "PC", {"reason": "NOTDONE"}) == 1
    assert number(results, "findings", by={"severity": "warning", "rule": "DATEPARTIAL"}) == 2
    assert number(results, "findings", by={"severity": "error"}) == 0


def test_the_gate_prints_some_of_each_rule_and_counts_the_rest():
    study = make_study()
    for row in range(1, 6):
        study.set("PC", row, "PCORRES", "ND")
    findings = study.derive().findings
    assert count_findings(findings) == {
        **{"errors": 5, "warnings": 5, "notes": 2, "accepted": 0},
    }
    lines = list_errors(findings, shown=2)
    assert len(lines) == 3
    assert lines[0].startswith("pc.csv, row 1") and lines[0].endswith("[RESULTUNMAPPED]")
    assert lines[2] == "3 more findings of RESULTUNMAPPED in PC."


def test_findings_can_be_written_as_json():
    study = make_study()
    study.set("PC", 2, "PCORRES", "ND")
    findings = study.derive(faults={"RS": "FILEMISSING"}).findings
    records = list_findings(findings)
    json.dumps(records, allow_nan=False)
    assert [record["row"] for record in records[:2]] == [2, None]
    assert set(records[0]) == set(findings.columns)


def test_events_of_special_interest_are_counted_of_the_infused(results):
    def found(analysis, stat="n", **by):
        return number(results, f"special_interest{analysis}", "CRS", by, stat)

    # Subject A of two infused, grade 2 from day 2.5 to day 5 with tocilizumab.
    assert [found("", stat) for stat in ("n", "pct", "n_infused", "n_episodes")] == [1, 50, 2, 1]
    assert [found("_grade", grade=grade) for grade in ("1", "2", "UNKNOWN")] == [0, 1, 0]
    assert [found("_onset", stat) for stat in ("n", "median", "max")] == [1, 2.5, 2.5]
    # From 3 to 6 March, both days included.
    assert [found("_duration", stat) for stat in ("n", "median", "n_ongoing")] == [1, 4, 0]
    assert found("_treatment", treatment="TOCILIZUMAB") == 1
    assert found("_treatment", treatment="STEROID") == 0
    assert found("", dose="DL1") == 1 and found("", dose="DL2") == 0
    # An event that nobody has is counted too.
    assert number(results, "special_interest", "ICANS") == 0


def test_events_that_were_not_collected_are_not_counted_as_none():
    study = make_study()
    study.remove("AE")
    study.remove("FA")
    value = summarise(study).find("study_data.special_interest", "CRS", "", None, "n")
    assert math.isnan(value.number) and value.note_code == "NOTCOLL"


def test_response_and_survival_are_counted_of_the_infused(results):
    # Subject A: SD, PR, PD; subject B: not evaluable, died 70 days after the infusion.
    by = {"denominator": "INFUSED", "indication": "ALL"}
    assert number(results, "response_rate", "ORR", by) == 1
    assert number(results, "response_rate", "ORR", by, "denominator") == 2
    assert number(results, "best_response", "OWN", {"indication": "ALL", "category": "NE"}) == 1
    assert number(results, "time_to_event_events", "OS", {"event": "DEATH"}) == 1
    assert number(results, "time_to_event_events", "PFS", {"event": "PROGRESSION"}) == 1
    assert results.find("study_data.time_to_event", "EFS", "", {}, "n") is None

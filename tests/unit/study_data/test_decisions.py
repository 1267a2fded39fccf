"""Decisions: each changes what it says and nothing else, and one that does not fit is an error."""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import STUDY, to_table

from celldossier.errors import ConfigError
from celldossier.io.decisions import DecisionFile, read_decision_files
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.findings import FindingCollector
from celldossier.study_data.stage import derive_study_data

CORRECT, EXCLUDE = "correct_values.csv", "exclude_records.csv"
SETS, ACCEPT = "exclude_subjects.csv", "accept_findings.csv"
WINDOW = "half_life.csv"
PC2 = {"subject": "A", "domain": "PC", "key": "PCTESTCD=CARPCR; PCDTC=2024-03-08T10:00"}


def effects(data, decision):
    rows = data.decisions[data.decisions["id"] == decision]
    return rows[["measure", "domain", "before", "after"]].to_numpy().tolist()


def rules(data):
    return set(data.findings.loc[data.findings["severity"] == "error", "rule_id"])


def used(data, domain):
    return int(data.accounting.set_index("domain").loc[domain, "records_used"])


def test_without_decisions_nothing_is_listed(study):
    assert study.derive().decisions.empty


def test_a_correction_comes_before_the_checks_and_shows_both_values(study):
    study.set("PC", 2, "PCORRES", "l200")
    assert "TEXTINNUMERIC" in rules(study.derive())
    study.decide(CORRECT, **PC2, column="PCORRES", old="l200", new="1200")
    data = study.derive()
    assert data.errors == 0
    adpc = data.datasets["ADPC"].set_index("SRCROW")
    assert (adpc.loc[2, "AVAL"], adpc.loc[2, "AVALC"]) == (1200, "1200")
    assert effects(data, "D1") == [["VALUE", "PC", "l200", "1200"]]
    assert ["RECORDS", "PC", "4", "5"] in effects(data, "ALL")
    assert ["ERRORS", "", "1", "0"] in effects(data, "ALL")
    row = data.decisions[data.decisions["id"] == "D1"].iloc[0]
    assert row[["file", "row", "column", "reason", "author", "date"]].tolist() == [
        *("pc.csv", 2.0, "PCORRES", "as agreed", "NN", "2025-01-07")
    ]


def test_a_correction_may_name_the_raw_column_and_values_as_the_file_has_them(study):
    study.tables["DM"] = study.tables["DM"].rename(columns={"SEX": "GENDER"})
    study.sources["DM"] |= {"columns": {"SEX": "GENDER"}, "values": {"SEX": {"w": "F", "m": "M"}}}
    study.set("DM", 1, "GENDER", "m")
    study.decide(CORRECT, subject="A", domain="DM", row="1", column="GENDER", old="m", new="w")
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADSL"].set_index("USUBJID").loc["A", "SEX"] == "F"


def test_a_correction_is_seen_by_keep(study):
    study.sources["PC"]["keep"] = {"PCTESTCD": ("CARPCR",)}
    study.set("PC", 2, "PCTESTCD", "CARPRC")
    assert used(study.derive(), "PC") == 4
    study.decide(
        CORRECT, subject="A", domain="PC", row="2", column="PCTESTCD", old="CARPRC", new="CARPCR"
    )
    assert used(study.derive(), "PC") == 5


def test_a_misspelt_subject_can_be_put_right(study):
    study.set("PC", 5, "USUBJID", "b")
    study.decide(CORRECT, subject="b", domain="PC", row="5", column="USUBJID", old="b", new="B")
    data = study.derive()
    assert data.errors == 0
    assert used(data, "PC") == 5


def test_an_excluded_record_is_listed_with_its_decision_and_its_faults_are_not(study):
    study.set("PC", 2, "PCORRES", "ND")
    study.decide(EXCLUDE, **PC2)
    data = study.derive()
    assert data.errors == 0
    excluded = data.exclusions[data.exclusions["domain"] == "PC"]
    assert excluded[["row", "subject", "reason", "detail"]].to_numpy().tolist() == [
        [2, "A", "EXCLDECISION", "D1"]
    ]
    # Without the decision the record would have been out as well, for another reason.
    assert effects(data, "D1") == [["USE", "PC", "BADRESULT", "EXCLDECISION"]]
    assert ["RECORDS", "PC", "4", "4"] in effects(data, "ALL")


def test_a_key_finds_its_record_when_rows_have_moved(study):
    study.decide(EXCLUDE, **PC2)
    study.tables["PC"] = to_table(study.tables["PC"].iloc[::-1].to_dict("records"))
    data = study.derive()
    assert data.errors == 0
    assert data.exclusions["row"].tolist() == [4]


def test_the_record_of_a_subject_that_is_left_out_takes_the_subject_along(study):
    study.decide(EXCLUDE, subject="B", domain="DM", row="2")
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADSL"]["USUBJID"].tolist() == ["A", "C"]
    reasons = data.exclusions.set_index("domain")["reason"]
    assert reasons["DM"] == "EXCLDECISION"
    assert set(reasons.drop("DM")) == {"NOTSELECTED"}
    assert ["SET_SAF", "", "2", "1"] in effects(data, "ALL")


def test_a_subject_is_left_out_of_its_sets_with_the_reason(study):
    study.decide(SETS, subject="A", sets="PD; ADA")
    data = study.derive()
    adsl = data.datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert adsl[["PDFL", "NPDRSN", "IMFL", "NIMRSN", "PKFL"]].tolist() == [
        *("N", "DECISION", "N", "DECISION", "Y")
    ]
    assert effects(data, "D1") == [["SET_ADA", "", "Y", "N"], ["SET_PD", "", "Y", "N"]]
    assert ["SET_ADA", "", "1", "0"] in effects(data, "ALL")


def test_who_is_out_of_kinetics_is_out_of_exposure_response_too(study):
    study.decide(SETS, subject="A", sets="CK")
    data = study.derive()
    adsl = data.datasets["ADSL"].set_index("USUBJID").loc["A"]
    assert adsl[["PKFL", "NPKRSN", "ERFL", "NERRSN"]].tolist() == ["N", "DECISION"] * 2
    assert [measure for measure, *_ in effects(data, "D1")] == ["SET_CK", "SET_ER"]


def test_an_accepted_error_keeps_its_severity_and_no_longer_stops_the_run(study):
    study.set("AE", 1, "AEDECOD", "")
    study.decide(
        ACCEPT, rule="VALUEMISSING", domain="AE", subject="A", column="AEDECOD", findings="1"
    )
    data = study.derive()
    found = data.findings[data.findings["rule_id"] == "VALUEMISSING"]
    assert found[["severity", "decision"]].to_numpy().tolist() == [["error", "D1"]]
    assert data.errors == 0
    assert effects(data, "D1") == [["FINDINGS", "AE", "1", "0"]]
    assert ["ERRORS", "", "1", "0"] in effects(data, "ALL")
    assert ["ACCEPTED", "", "0", "1"] in effects(data, "ALL")


FIX = {**PC2, "column": "PCORRES", "old": "1200", "new": "1300"}
OK = {"rule": "VALUEMISSING", "findings": "1"}
LAST = {"subject": "A", "analyte": "PCR", "use": "IN", "points": "14; 21; 28"}


@pytest.mark.parametrize(
    ("rule", "file", "decisions", "column"),
    [
        ("DECISIONBLANK", CORRECT, [FIX | {"reason": ""}], "reason"),
        ("DECISIONBLANK", EXCLUDE, [PC2 | {"author": " "}], "author"),
        ("DECISIONBLANK", SETS, [{"subject": "A", "sets": "PD", "date": ""}], "date"),
        ("DECISIONBLANK", EXCLUDE, [PC2 | {"subject": ""}], "subject"),
        ("DECISIONDATE", CORRECT, [FIX | {"date": "7 Jan 2025"}], "date"),
        ("DECISIONDATE", CORRECT, [FIX | {"date": "2025-01"}], "date"),
        ("DECISIONNUMBER", EXCLUDE, [PC2 | {"row": "two"}], "row"),
        ("DECISIONNUMBER", ACCEPT, [OK | {"findings": "0"}], "findings"),
        ("DECISIONTWICE", CORRECT, [FIX, FIX | {"id": "D1", "column": "PCLLOQ"}], "id"),
        ("DECISIONDOMAIN", EXCLUDE, [PC2 | {"domain": "PX"}], "domain"),
        ("DECISIONSUBJECT", EXCLUDE, [PC2 | {"subject": "Z"}], "subject"),
        ("DECISIONSUBJECT", SETS, [{"subject": "Z", "sets": "CK"}], "subject"),
        ("DECISIONSET", SETS, [{"subject": "A", "sets": "SAF"}], "sets"),
        ("DECISIONPLACE", EXCLUDE, [PC2 | {"key": ""}], "key"),
        ("DECISIONKEY", EXCLUDE, [PC2 | {"key": "PARAM=CARPCR"}], "key"),
        ("DECISIONKEY", EXCLUDE, [PC2 | {"key": "2024-03-08T10:00"}], "key"),
        ("DECISIONVARIABLE", CORRECT, [FIX | {"column": "RESULT"}], "column"),
        ("DECISIONNOMATCH", EXCLUDE, [PC2 | {"row": "3"}], "key"),
        ("DECISIONAMBIGUOUS", EXCLUDE, [PC2 | {"key": "PCTESTCD=CARPCR"}], "key"),
        ("DECISIONOLDVALUE", CORRECT, [FIX | {"old": "1201"}], "old"),
        ("DECISIONCONFLICT", CORRECT, [FIX, FIX | {"new": "1400"}], ""),
        ("DECISIONCONFLICT", EXCLUDE, [PC2, PC2], ""),
        ("DECISIONCONFLICT", SETS, [{"subject": "A", "sets": "CK"}] * 2, ""),
        ("DECISIONCONFLICT", ACCEPT, [OK, OK], ""),
        ("DECISIONUNUSED", CORRECT, [FIX | {"new": "1200"}], "new"),
        ("DECISIONUNUSED", SETS, [{"subject": "C", "sets": "CK"}], "sets"),
        ("DECISIONRULE", ACCEPT, [OK | {"rule": "VALUEMISING"}], "rule"),
        ("DECISIONLOCKED", ACCEPT, [OK | {"rule": "DOSENOTPOSITIVE"}], "rule"),
        ("DECISIONNOFINDING", ACCEPT, [OK | {"subject": "B"}], "rule"),
        ("DECISIONCOUNT", ACCEPT, [OK | {"findings": "2"}], "findings"),
        ("DECISIONBLANK", WINDOW, [LAST | {"points": ""}], "points"),
        ("DECISIONNUMBER", WINDOW, [LAST | {"dose": "first"}], "dose"),
        ("DECISIONSUBJECT", WINDOW, [LAST | {"subject": "Z"}], "subject"),
        ("DECISIONANALYTE", WINDOW, [LAST | {"analyte": "IL6"}], "analyte"),
        ("DECISIONWINDOWUSE", WINDOW, [LAST | {"use": "BOTH"}], "use"),
        ("DECISIONPOINTS", WINDOW, [LAST | {"points": "14; day 21; 28"}], "points"),
        ("DECISIONPOINTS", WINDOW, [LAST | {"points": "14; 21; 14"}], "points"),
        ("DECISIONCONFLICT", WINDOW, [LAST, LAST | {"use": "OUT", "points": "28"}], ""),
    ],
)
def test_a_decision_that_does_not_fit_is_an_error_and_changes_nothing(
    study, rule, file, decisions, column
):
    study.set("AE", 1, "AEDECOD", "")
    plain = study.derive()
    for cells in decisions:
        study.decide(file, **cells)
    data = study.derive()
    found = data.findings[data.findings["topic"] == "decisions"]
    last = found.iloc[-1]
    assert set(found["rule_id"]) == {rule}
    assert (last["severity"], last["domain"], last["file"]) == ("error", "DECISIONS", file)
    assert (last["row"], last["column"]) == (len(decisions), column)
    assert decisions[-1].get("id", f"D{len(decisions)}") in last["message_en"]
    if len(decisions) == 1:
        for name, frame in plain.datasets.items():
            pd.testing.assert_frame_equal(frame, data.datasets[name])
        assert data.exclusions.equals(plain.exclusions)


def test_a_reviewed_window_is_listed_and_changes_no_record(study):
    plain = study.derive()
    study.decide(WINDOW, **LAST, dose="1")
    data = study.derive()
    assert data.errors == 0
    assert effects(data, "D1") == [["WINDOW", "PC", "R16", "IN 14; 21; 28"]]
    row = data.decisions[data.decisions["id"] == "D1"].iloc[0]
    assert (row["kind"], row["column"]) == ("WINDOW", "PCR · 1")
    pd.testing.assert_frame_equal(plain.datasets["ADPC"], data.datasets["ADPC"])


def test_an_exclusion_of_a_record_that_is_out_already_or_was_corrected_is_an_error(study):
    study.sources["PC"]["keep"] = {"PCTESTCD": ("CARPCR",)}
    study.set("PC", 3, "PCTESTCD", "OTHER")
    study.decide(EXCLUDE, subject="A", domain="PC", row="3")
    study.decide(CORRECT, **FIX)
    study.decide(EXCLUDE, **PC2)
    assert rules(study.derive()) == {"DECISIONUNUSED", "DECISIONCONFLICT"}


def test_all_faults_of_the_decisions_are_told_in_one_go_with_those_of_the_data(study):
    study.set("PC", 2, "PCORRES", "ND")
    study.decide(CORRECT, **(FIX | {"old": "1", "reason": "", "date": "soon"}))
    study.decide(SETS, subject="Z", sets="XX")
    data = study.derive()
    assert rules(data) == {"RESULTUNMAPPED", "DECISIONBLANK", "DECISIONDATE", "DECISIONSET"}
    assert data.findings["rule_id"].iloc[0].startswith("DECISION")


def test_a_decision_on_a_domain_whose_file_cannot_be_read_is_not_judged(study):
    study.decide(EXCLUDE, **PC2)
    data = study.derive(faults={"PC": "FILEMISSING"})
    assert rules(data) == {"FILEMISSING"}
    assert effects(data, "D1") == [["NONE", "PC", "", ""]]


@pytest.mark.parametrize(
    ("rule", "file"),
    [
        ("DECISIONFILE", DecisionFile(CORRECT, None, "line 3 is not UTF-8 text")),
        ("DECISIONFILEUNKNOWN", DecisionFile("exclusions.csv", to_table([{"id": "D1"}]))),
        ("DECISIONCOLUMNS", DecisionFile(SETS, to_table([{"id": "D1", "subjects": "A"}]))),
    ],
)
def test_a_file_of_decisions_that_cannot_be_used_is_an_error(study, rule, file):
    data = derive_study_data({}, study.settings, study.bioanalysis, STUDY, [file])
    found = data.findings[data.findings["topic"] == "decisions"]
    assert found[["rule_id", "file"]].to_numpy().tolist() == [[rule, file.name]]


def test_the_files_of_a_folder_are_read_without_its_notes(tmp_path):
    folder = tmp_path / "config" / "decisions"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("what was decided")
    (folder / "correct_values.csv").write_text("id,reason\nD1,NA\n", encoding="utf-8")
    (folder / "accept_findings.csv").write_bytes(b"id\n\xff\n")
    files = read_decision_files("config/decisions", tmp_path)
    assert [file.name for file in files] == [ACCEPT, CORRECT]
    assert files[0].table is None and files[0].fault
    assert files[1].table is not None
    assert files[1].table.to_dict("records") == [{"id": "D1", "reason": "NA"}]
    assert read_decision_files("", tmp_path) == []


def test_the_folder_may_not_leave_the_project(tmp_path):
    outside, project = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    project.mkdir()
    (project / "link").symlink_to(outside)
    with pytest.raises(ConfigError, match="outside the project"):
        read_decision_files("link", project)
    with pytest.raises(ConfigError, match="does not exist"):
        read_decision_files("nowhere", project)
    (project / "decisions").mkdir()
    (outside / CORRECT).write_text("id\n")
    (project / "decisions" / CORRECT).symlink_to(outside / CORRECT)
    assert read_decision_files("decisions", project)[0].table is None
    sources = {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}}
    for folder in ("/etc", "../x", "a/../../x"):
        with pytest.raises(ValueError, match="below the working directory"):
            StudyDataSettings(root="raw", sources=sources, decisions=folder)


def test_the_severity_of_a_rule_is_chosen_by_the_study_and_the_rules_own_is_kept(study):
    study.set("AE", 1, "AEDECOD", "")
    study.set("DM", 1, "AGE", "450")
    study.options["severities"] = {"VALUEMISSING": "warning", "AGERANGE": "error"}
    findings = study.derive().findings.set_index("rule_id")
    columns = ["severity", "rule_severity"]
    assert findings.loc["VALUEMISSING", columns].tolist() == ["warning", "error"]
    assert findings.loc["AGERANGE", columns].tolist() == ["error", "warning"]


@pytest.mark.parametrize(
    ("rule", "severity", "sentence"),
    [
        ("DOSENOTPOSITIVE", "warning", "DOSENOTPOSITIVE is locked"),
        ("NOSUCHRULE", "warning", "there is no rule NOSUCHRULE"),
        ("BELOWLLOQ", "note", "set by study_data.below_lloq"),
    ],
)
def test_a_severity_that_no_study_may_choose_is_refused(study, rule, severity, sentence):
    study.options["severities"] = {rule: severity}
    with pytest.raises(ValueError, match=sentence):
        _ = study.settings


def test_a_hundred_thousand_findings_of_one_rule_are_written_in_seconds():
    from time import process_time

    number = 100_000
    findings = FindingCollector()
    start = process_time()
    cells = {
        "file": ["pc.csv"] * number,
        "row": list(range(1, number + 1)),
        "column": ["PCORRES"] * number,
        "subject": ["100%"] * number,
        "value": ["{row} %s"] * number,
    }
    findings.add_many("RESULTMISSING", "PC", cells)
    messages = findings.table()["message_en"]
    assert process_time() - start < 3
    assert messages.iloc[-1].startswith(f"pc.csv, row {number}: PCORRES is blank")


def test_signs_of_a_pattern_in_a_value_stay_as_they_are(study):
    study.set("PC", 2, "PCORRES", "{row} %s {")
    finding = study.derive().findings.iloc[0]
    assert "'{row} %s {'" in finding["message_en"]


def test_findings_are_accepted_by_the_row_where_others_are_of_a_whole_file(study):
    # One infused subject without samples: a finding without a row.
    study.tables["PC"] = study.tables["PC"].loc[[1, 2, 3]]
    study.set("PC", 2, "PCORRES", "")
    study.set("PC", 3, "PCORRES", "")
    study.decide(ACCEPT, rule="RESULTMISSING", findings="1", domain="PC", row="2")
    data = study.derive()
    assert data.findings["row"].isna().any()
    found = data.findings[data.findings["rule_id"] == "RESULTMISSING"]
    assert found[["row", "decision"]].to_numpy().tolist() == [[2, "D1"], [3, ""]]
    assert not data.findings["rule_id"].str.startswith("DECISION").any()

"""Each rule of the raw data checks fires on its fault, at its place, and on nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fault_cases import gather_faults, gather_follows, gather_single
from small_study import IDENTIFIERS, ManyStudies, make_study

import celldossier.study_data
from celldossier.io.resources import read_resource
from celldossier.settings.sources import DOMAINS
from celldossier.study_data.findings import (
    EVERY_DOMAIN,
    OF_DECISIONS,
    FindingCollector,
    Place,
    read_rules,
)
from celldossier.terms.finding_rules import SEVERITIES

FAULTS = gather_faults("FAULTS")
WHOLE_FILE_FAULTS = gather_faults("WHOLE_FILE_FAULTS")
FOLLOWS = gather_follows()
SINGLE = gather_single()


def check_fault(fault, new, row, value):
    found = new[new["rule_id"] == fault.rule]
    assert len(found) == 1, new["message_en"].tolist()
    finding = found.iloc[0]
    assert finding["severity"] == fault.severity
    assert finding["domain"] == fault.domain
    assert finding["file"] == f"{fault.domain.lower()}.csv"
    assert finding["column"] == fault.column
    assert finding["value"] == value
    assert (None if finding["row"] != finding["row"] else finding["row"]) == row
    assert set(new["rule_id"]) - {fault.rule} <= FOLLOWS.get(fault.rule, set())


@pytest.fixture(scope="module")
def clean_messages():
    return set(make_study().derive().findings["message_en"])


@pytest.fixture(scope="module")
def messy():
    """One study with all faults, each in a copy of its own; the first copy is clean."""
    parts = [make_study()]
    for fault in FAULTS:
        part = make_study()
        fault.spoil(part)
        parts.append(part)
    many = ManyStudies(parts)
    return many, many.merge().derive().findings


@pytest.mark.parametrize(
    "number", range(len(FAULTS)), ids=lambda n: f"{FAULTS[n].rule}-{FAULTS[n].column}"
)
def test_a_fault_is_found_by_its_rule_at_its_place_and_nothing_else_is(messy, number):
    many, findings = messy
    fault, copy_number = FAULTS[number], number + 1
    start = many.offsets[copy_number]
    size = {name: len(table) for name, table in many.parts[copy_number].tables.items()}
    first, last = findings["domain"].map(start), findings["domain"].map(size)
    own = (findings["row"] > first) & (findings["row"] <= first + last)
    own |= findings["row"].isna() & findings["subject"].str.endswith(f"-{copy_number}")
    partial = (findings["rule_id"] == "DATEPARTIAL") & (findings["column"] == "AESTDTC")
    identifier = fault.column in IDENTIFIERS and fault.rule != "NOTRELEASEDINFUSED"
    value = many.name(copy_number, fault.value) if identifier else fault.value
    check_fault(fault, findings[own & ~partial], start[fault.domain] + fault.row, value)


def test_the_copy_without_a_fault_has_no_finding_of_its_own(messy):
    many, findings = messy
    ends = {name: len(table) for name, table in many.parts[0].tables.items()}
    own = findings["row"] <= findings["domain"].map(ends)
    assert set(findings[own]["rule_id"]) == {"DATEPARTIAL"}


@pytest.mark.parametrize("fault", WHOLE_FILE_FAULTS, ids=lambda f: f.rule)
def test_a_fault_of_a_whole_file_is_found_and_its_cells_are_not(study, clean_messages, fault):
    fault.spoil(study)
    findings = study.derive().findings
    check_fault(
        fault, findings[~findings["message_en"].isin(clean_messages)], fault.row, fault.value
    )


def test_an_infused_subject_without_concentration_is_a_warning(study):
    study.set("PC", 5, "PCORRES", "NOT DONE")
    findings = study.derive().findings
    found = findings[findings["rule_id"] == "CKMISSING"]
    assert found[["severity", "domain", "subject"]].to_numpy().tolist() == [["warning", "PC", "B"]]


def test_antibody_results_without_a_baseline_are_a_warning(study):
    study.set("IS", 5, "ISDTC", "2024-04-20T08:00")
    findings = study.derive().findings
    found = findings[findings["rule_id"] == "ADABASELINE"]
    assert found[["severity", "domain", "subject"]].to_numpy().tolist() == [["warning", "IS", "B"]]


def test_the_limit_of_the_assay_stands_in_with_a_note(study):
    assay = study.bioanalysis.assays[0].model_copy(update={"lloq": 50.0})
    study.bioanalysis = study.bioanalysis.model_copy(
        update={"assays": (assay, *study.bioanalysis.assays[1:])}
    )
    study.set("PC", 1, "PCLLOQ", "")
    data = study.derive()
    found = data.findings[data.findings["rule_id"] == "LLOQFROMCONFIG"]
    assert found[["severity", "row"]].to_numpy().tolist() == [["note", 1.0]]
    adpc = data.datasets["ADPC"]
    assert adpc.loc[adpc["SRCROW"] == 1, "ALLOQ"].tolist() == [50.0]


def test_a_number_is_held_against_the_limit_of_the_assay_in_any_unit(study):
    assays = [
        assay.model_copy(update={"lloq": limit})
        for assay, limit in zip(study.bioanalysis.assays, (50.0, 3.0, None), strict=True)
    ]
    study.bioanalysis = study.bioanalysis.model_copy(update={"assays": tuple(assays)})
    study.drop("PC", "PCLLOQ")
    study.drop("LB", "LBLLOQ")
    study.set("PC", 2, "PCORRES", "30")
    data = study.derive()
    adpc = data.datasets["ADPC"].set_index("SRCROW").sort_index()
    assert adpc.loc[2, ["BLQFL", "ALLOQ"]].tolist() == ["Y", 50]
    assert adpc["ALLOQ"].tolist() == [50] * 5
    found = data.findings[data.findings["rule_id"] == "BELOWLLOQ"]
    # 0.002 ng/mL is below 3 pg/mL, and the limit is told in the unit of the record.
    assert found[["domain", "row"]].to_numpy().tolist() == [["PC", 2], ["LB", 4]]
    assert "0.003" in found["message_en"].iloc[1]


def test_every_rule_is_made_to_fire_by_a_test():
    assert {fault.rule for fault in FAULTS + WHOLE_FILE_FAULTS} | set(SINGLE) == set(read_rules())


@pytest.mark.parametrize(("rule", "test"), sorted(SINGLE.items()), ids=sorted(SINGLE))
def test_a_test_that_makes_a_rule_fire_exists_and_names_it(rule, test):
    file, name = test.split("::")
    text = (Path(__file__).parent / file).read_text("utf-8")
    # A test with its parameters stands between two pairs of blank lines.
    bodies = [part for part in text.split("\n\n\n") if f"def {name}(" in part]
    assert len(bodies) == 1
    assert f'"{rule}"' in bodies[0]


def test_all_faults_are_listed_at_once_errors_first(study):
    study.drop("LB", "LBORRES")
    study.empty("PC")
    study.set("DM", 1, "AGE", "old")
    study.set("AE", 1, "USUBJID", "Z")
    study.set("EX", 3, "EXSTDTC", "soon")
    study.set("CM", 2, "CMSTDTC", "")
    data = study.derive(faults={"RS": "FILEMISSING"})
    errors = data.findings[data.findings["severity"] == "error"]
    assert set(zip(errors["rule_id"], errors["domain"], strict=True)) == {
        ("COLUMNMISSING", "LB"),
        ("FILEEMPTY", "PC"),
        ("TEXTINNUMERIC", "DM"),
        ("SUBJECTUNKNOWN", "AE"),
        ("DATEUNPARSABLE", "EX"),
        ("FILEMISSING", "RS"),
    }
    order = [SEVERITIES.index(severity) for severity in data.findings["severity"]]
    assert order == sorted(order)
    assert data.errors == 6


@pytest.mark.parametrize("domain", ["DM", "EX", "PC", "LOTS"])
def test_a_missing_file_is_one_error_and_the_faults_of_the_others_are_still_found(study, domain):
    study.set("PC" if domain != "PC" else "LB", 2, "PCORRES" if domain != "PC" else "LBORRES", "ND")
    data = study.derive(faults={domain: "FILEMISSING"})
    errors = data.findings[data.findings["severity"] == "error"]
    assert sorted(errors["rule_id"]) == ["FILEMISSING", "RESULTUNMAPPED"]
    assert errors.loc[errors["rule_id"] == "FILEMISSING", "domain"].tolist() == [domain]


def test_the_message_names_file_row_and_value_in_both_languages(study):
    study.set("PC", 2, "PCORRES", "ND")
    finding = study.derive().findings.iloc[0]
    for message in (finding["message_en"], finding["message_zh"]):
        assert "pc.csv" in message and "ND" in message and "2" in message
    assert "sources.PC.values.PCORRES" in finding["message_en"]


def test_the_column_of_a_finding_is_the_name_in_the_raw_file(study):
    study.tables["PC"] = study.tables["PC"].rename(columns={"PCORRES": "result"})
    study.sources["PC"]["columns"] = {"PCORRES": "result"}
    study.set("PC", 2, "result", "ND")
    assert study.derive().findings["column"].iloc[0] == "result"


def test_a_number_below_its_limit_counts_as_blq_also_where_it_is_only_a_warning(study):
    study.set("PC", 2, "PCORRES", "49.9")
    study.options["below_lloq"] = "warning"
    data = study.derive()
    adpc = data.datasets["ADPC"].set_index("SRCROW")
    assert data.errors == 0
    assert (adpc.loc[2, "BLQFL"], adpc.loc[2, "ALLOQ"]) == ("Y", 50.0)
    assert adpc.loc[2, "AVAL"] != adpc.loc[2, "AVAL"]


def test_duplicates_are_a_warning_where_the_study_says_which_counts(study):
    study.repeat("PC", 2, {"PCORRES": "900"})
    study.options["duplicate_samples"] = "warning"
    data = study.derive()
    assert data.errors == 0
    assert "SAMPLEDUPLICATE" in set(data.findings["rule_id"])
    assert len(data.datasets["ADPC"]) == 6


def test_samples_of_two_specimens_at_one_time_are_no_duplicates(study):
    study.repeat("PC", 2, {"PCSPEC": "BONE MARROW"})
    assert "SAMPLEDUPLICATE" not in set(study.derive().findings["rule_id"])


def test_the_rules_are_worded_in_both_languages_with_the_same_fields():
    for rule_id, rule in read_rules().items():
        assert set(rule.domains) <= {*DOMAINS, EVERY_DOMAIN, OF_DECISIONS}, rule_id
        assert re.search("[一-鿿]", rule.zh), rule_id
        fields = [set(re.findall(r"\{(\w+)\}", text)) for text in (rule.en, rule.zh)]
        # What to do is worded freely, so that one language may name a field twice.
        assert fields[0] == fields[1], rule_id


def test_a_rule_that_does_not_apply_to_the_domain_is_a_fault_of_the_program():
    with pytest.raises(KeyError, match="AGERANGE"):
        FindingCollector().add("AGERANGE", Place("PC", "pc.csv"), {"low": "0", "high": "1"})


def test_every_reason_of_an_exclusion_is_worded():
    codes = read_resource("terms", "reason_codes.yaml")
    written = {
        code
        for path in Path(celldossier.study_data.__path__[0]).glob("*.py")
        for code in re.findall(r'exclude\(\s*[^"]*?"([A-Z]{4,})"', path.read_text("utf-8"))
    }
    assert len(written) > 10
    for code in written:
        assert set(codes[code]) == {"en", "zh"}

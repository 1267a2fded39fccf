"""Layouts of any form become canonical records by mapping alone; each is accounted for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study, to_table

from celldossier.io.tables import RawDomain
from celldossier.settings.sources import Source, SubjectIds
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.mapping_rows import fold_key
from celldossier.study_data.mapping_values import normalise_subject, read_date, read_number


def balance(data, domain):
    lines = data.accounting[data.accounting["domain"] == domain]
    assert (lines["records_in"] == lines["records_used"] + lines["records_excluded"]).all()
    return {
        line["file"]: (line["records_in"], line["records_used"], line["records_excluded"])
        for line in lines.to_dict("records")
    }


def split_study(study, domains=("DM", "EX", "PC", "LB", "IS", "AE", "RS", "CM", "LOTS")):
    """The small study as two: subject A in one set of files, the others in another."""
    raw = {}
    for domain in domains:
        table = study.tables[domain]
        first = table[table["USUBJID"] == "A"]
        second = table[table["USUBJID"] != "A"].rename(columns={"USUBJID": "ID"})
        second = second.assign(ID=second["ID"].str.lower())
        second.index = pd.RangeIndex(1, len(second) + 1, name="row")
        raw[domain] = (
            RawDomain(
                domain,
                f"one/{domain}.csv",
                first.reset_index(drop=True).set_index(
                    pd.RangeIndex(1, len(first) + 1, name="row")
                ),
            ),
            RawDomain(domain, f"two/{domain}.csv", second),
        )
        study.sources[domain] = [
            {"file": f"one/{domain}.csv", "study": "S1"},
            {
                "file": f"two/{domain}.csv",
                "study": "S1X",
                "columns": {"USUBJID": "ID"},
                "subject_ids": {"case": "upper"},
            },
        ]
    return raw


def test_two_studies_are_pooled_and_the_study_is_a_factor(study):
    alone = study.derive()
    data = study.derive(replaced=split_study(study))
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl["STUDYID"].to_dict() == {"A": "S1", "B": "S1X", "C": "S1X"}
    adpc = data.datasets["ADPC"]
    assert adpc.set_index("USUBJID")["STUDYID"].to_dict() == {"A": "S1", "B": "S1X"}
    assert adpc["SRCFILE"].value_counts().to_dict() == {"one/PC.csv": 3, "two/PC.csv": 2}
    assert balance(data, "PC") == {"one/PC.csv": (3, 3, 0), "two/PC.csv": (2, 2, 0)}
    # But for trace and study the pooled data are those of one file.
    for name, frame in data.datasets.items():
        trace = [v for v in ("STUDYID", "SRCFILE", "SRCROW", "LSTALVSR") if v in frame]
        left = frame.drop(columns=trace).sort_values(list(frame.drop(columns=trace).columns))
        other = alone.datasets[name].drop(columns=trace)
        other = other.sort_values(list(other.columns))
        pd.testing.assert_frame_equal(
            left.reset_index(drop=True), other.reset_index(drop=True), check_dtype=False
        )


def test_a_fault_of_one_of_several_files_names_that_file_and_its_column(study):
    raw = split_study(study)
    first, second = raw["PC"]
    raw["PC"] = (first, RawDomain("PC", second.file, second.table.drop(columns="PCORRESU")))
    study.sources["PC"][0]["columns"] = {"PCORRES": "RESULT"}
    raw["PC"] = (
        RawDomain(
            "PC",
            first.file,
            first.table.rename(columns={"PCORRES": "RESULT"}).replace("1200", "ND"),
        ),
        raw["PC"][1],
    )
    findings = study.derive(replaced=raw).findings
    errors = findings[findings["severity"] == "error"]
    assert errors[["rule_id", "file", "column"]].to_numpy().tolist() == [
        ["COLUMNMISSING", "two/PC.csv", "PCORRESU"],
        ["RESULTUNMAPPED", "one/PC.csv", "RESULT"],
    ]


def test_a_file_that_cannot_be_read_blocks_the_domain_and_the_records_are_accounted_for(study):
    raw = split_study(study)
    raw["LB"] = (raw["LB"][0], RawDomain("LB", "two/LB.csv", None, "FILEMISSING"))
    data = study.derive(replaced=raw)
    assert balance(data, "LB") == {"one/LB.csv": (3, 0, 3), "two/LB.csv": (0, 0, 0)}


SUPPLEMENT = to_table(
    [
        {"RDOMAIN": "AE", "USUBJID": s, "IDVAR": v, "IDVARVAL": k, "QNAM": q, "QVAL": t}
        for s, v, k, q, t in (
            ("A", "AESEQ", "1.0", "SCALE", "ASTCT 2019"),
            ("A", "AESEQ", " 2", "SCALE", "CTCAE"),
            ("A", "AESEQ", "2", "SCALE", "OTHER"),
            ("B", "", "", "RELATED", "Y"),
            ("B", "AESEQ", "99", "SCALE", "ASTCT"),
            ("B", "AESEQ", "1", "AETERM", "taken"),
            ("B", "AEGRPID", "1", "SCALE", "ASTCT"),
        )
    ]
    + [{"RDOMAIN": "CM", "USUBJID": "A", "IDVAR": "", "IDVARVAL": "", "QNAM": "X", "QVAL": "1"}]
)


def test_supplements_are_joined_by_key_and_accounted_for(study):
    table = study.tables["AE"].assign(AESEQ=["1", "2", "3", "1"])
    study.sources["AE"] = {
        "file": "ae.csv",
        "supplement": ["suppae.csv"],
        "columns": {"AESCAT": "SCALE", "AEBODSYS": "RELATED"},
    }
    raw = RawDomain("AE", "ae.csv", table, supplements=(RawDomain("AE", "suppae.csv", SUPPLEMENT),))
    data = study.derive(replaced={"AE": (raw,)})
    adae = data.datasets["ADAE"].set_index("SRCROW")
    assert adae["AESCAT"].to_dict() == {1: "ASTCT 2019", 2: "CTCAE", 3: "", 4: ""}
    assert adae["AEBODSYS"].to_dict() == {1: "", 2: "", 3: "", 4: "Y"}
    own = data.findings[data.findings["file"] == "suppae.csv"]
    assert own[["rule_id", "row", "value"]].sort_values("row").to_numpy().tolist() == [
        ["SUPPDUPLICATE", 3.0, "SCALE"],
        ["SUPPUNMATCHED", 5.0, "SCALE"],
        ["SUPPNAMETAKEN", 6.0, "AETERM"],
        ["SUPPUNMATCHED", 7.0, "SCALE"],
    ]
    assert balance(data, "AE") == {"ae.csv": (4, 4, 0), "suppae.csv": (8, 3, 5)}
    out = data.exclusions[data.exclusions["file"] == "suppae.csv"]
    assert out.set_index("row")["reason"].to_dict() == {
        3: "SUPPDUP",
        5: "SUPPNOKEY",
        6: "SUPPCLASH",
        7: "SUPPNOKEY",
        8: "SUPPOTHER",
    }


def test_a_supplement_that_cannot_be_read_is_an_error_of_the_domain(study):
    study.sources["AE"] = {"file": "ae.csv", "supplement": ["suppae.csv"]}
    for supplement in (
        RawDomain("AE", "suppae.csv", None, "FILEMISSING"),
        RawDomain("AE", "suppae.csv", SUPPLEMENT.drop(columns="QVAL")),
    ):
        raw = RawDomain("AE", "ae.csv", study.tables["AE"], supplements=(supplement,))
        data = study.derive(replaced={"AE": (raw,)})
        errors = data.findings[data.findings["severity"] == "error"]
        assert errors["file"].tolist() == ["suppae.csv"]
        assert data.datasets["ADAE"].empty
        balance(data, "AE")


def test_columns_become_records_and_each_cell_is_accounted_for(study):
    wide = to_table(
        [
            {"USUBJID": "A", "WHEN": "2024-03-02T08:00", "il6": "12", "il6_day7": "30"},
            {"USUBJID": "B", "WHEN": "2024-04-02T08:00", "il6": "", "il6_day7": "5"},
        ]
    )
    study.sources["LB"] = {
        "file": "lb.csv",
        "columns": {"LBDTC": "WHEN"},
        "constants": {"LBORRESU": "pg/mL"},
        "long": {
            "value": "LBORRES",
            "columns": {
                "il6": {"LBTESTCD": "IL6", "LBTPTNUM": "1"},
                "il6_day7": {"LBTESTCD": "IL6", "LBTPTNUM": "7"},
            },
        },
    }
    study.tables["LB"] = wide
    study.options["duplicate_samples"] = "warning"
    data = study.derive()
    adpd = data.datasets["ADPD"]
    assert sorted(adpd[["USUBJID", "SRCFILE", "SRCROW", "AVAL", "NFRLT"]].to_numpy().tolist()) == [
        ["A", "lb.csv[il6]", 1, 12.0, 1.0],
        ["A", "lb.csv[il6_day7]", 1, 30.0, 7.0],
        ["B", "lb.csv[il6_day7]", 2, 5.0, 7.0],
    ]
    assert balance(data, "LB") == {"lb.csv[il6]": (2, 1, 1), "lb.csv[il6_day7]": (2, 2, 0)}
    out = data.exclusions[data.exclusions["domain"] == "LB"]
    assert out[["file", "row", "reason"]].to_numpy().tolist() == [["lb.csv[il6]", 2, "BLANKCELL"]]


def test_a_wide_column_that_is_missing_is_named(study):
    study.sources["LB"] = {
        "file": "lb.csv",
        "long": {"value": "LBORRES", "columns": {"il6": {"LBTESTCD": "IL6"}}},
    }
    findings = study.derive().findings
    found = findings[findings["rule_id"] == "COLUMNMISSING"]
    assert found[["domain", "column"]].to_numpy().tolist() == [["LB", "il6"]]


def test_one_record_a_key_is_used_and_the_others_are_listed(study):
    study.repeat("DM", 1, {"AGE": "46"})
    study.sources["DM"]["distinct"] = ["USUBJID"]
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADSL"].set_index("USUBJID").loc["A", "AGE"] == 45
    assert balance(data, "DM") == {"dm.csv": (4, 3, 1)}
    assert data.exclusions["reason"].tolist() == ["NOTDISTINCT"]


def test_a_template_joins_columns_and_is_not_evaluated(study):
    dm = study.tables["DM"].assign(SITE="01", NR=["7", "8", ""])
    study.tables["DM"] = dm.drop(columns="USUBJID")
    study.sources["DM"]["columns"] = {"USUBJID": "{SITE}-{NR}"}
    data = study.derive()
    assert data.datasets["ADSL"]["USUBJID"].tolist() == ["01-7", "01-8"]
    # A record without its number has no identifier.
    assert data.exclusions.loc[data.exclusions["domain"] == "DM", "reason"].tolist() == [
        "VALUEMISSING"
    ]
    study.sources["DM"]["columns"] = {"USUBJID": "{SITE.__class__}-{NR}"}
    findings = study.derive().findings
    assert findings["rule_id"].tolist()[0] == "COLUMNMISSING"


def test_times_from_the_first_infusion_become_dates(study):
    lb = study.tables["LB"].drop(columns="LBDTC").assign(HOUR=["-24", "0", "97.5", "-28", ""])
    study.tables["LB"] = lb
    study.sources["LB"]["relative_time"] = {"LBDTC": {"column": "HOUR", "unit": "hours"}}
    adpd = study.derive().datasets["ADPD"].set_index("SRCROW")
    assert adpd["ADTM"].to_dict() == {
        1: "2024-02-29T10:00:00",
        2: "2024-03-01T10:00:00",
        3: "2024-03-05T11:30:00",
        4: "2024-03-31T08:00:00",
    }
    assert adpd.loc[3, "AFRLT"] == pytest.approx(97.5 / 24)


def test_a_study_without_dates_counts_from_the_anchor(study):
    ex = study.tables["EX"]
    study.tables["EX"] = ex.drop(columns=["EXSTDTC", "EXENDTC"]).assign(DAY=["-4", "0", "0"])
    study.sources["EX"]["relative_time"] = {"EXSTDTC": {"column": "DAY"}}
    study.tables["AE"] = study.tables["AE"].drop(columns=["AESTDTC", "AEENDTC"]).assign(DAY="3")
    study.sources["AE"]["relative_time"] = {"AESTDTC": {"column": "DAY"}}
    study.tables["DM"] = study.tables["DM"].drop(columns=["RFICDTC", "DTHDTC", "LEUKDTC"])
    study.options["anchor_date"] = "2024-06-01"
    data = study.derive()
    adex = data.datasets["ADEX"].set_index("SRCROW")
    assert adex["ADTM"].to_dict() == {1: "2024-05-28", 2: "2024-06-01", 3: "2024-06-01"}
    assert data.datasets["ADAE"]["ASTDTM"].unique().tolist() == ["2024-06-04"]


@pytest.mark.parametrize(
    ("text", "forms", "iso"),
    [
        ("08/03/2024", ("%d/%m/%Y",), "2024-03-08"),
        ("08MAR2024", ("%d%b%Y",), "2024-03-08"),
        ("08MAR2024:10:05", ("%d%b%Y:%H:%M",), "2024-03-08T10:05"),
        ("2024年3月8日", ("%Y年%m月%d日",), "2024-03-08"),
        ("MAR2024", ("%b%Y",), "2024-03"),
        ("45359", ("excel",), "2024-03-08"),
        ("45359.427083333336", ("excel",), "2024-03-08T10:15"),
        ("43897", ("excel-1904",), "2024-03-08"),
        ("23443", ("sas-date",), "2024-03-08"),
        ("2025511500", ("sas-datetime",), "2024-03-08T10:05"),
        ("2024-03-08T10:05:00+00:00", ("without-zone",), "2024-03-08T10:05:00"),
        # What no form reads stays as it is; a day of February 1900 that never was is none.
        ("2024-03-08", ("%d/%m/%Y", "excel"), "2024-03-08"),
        ("60", ("excel",), "60"),
        ("31/02/2024", ("%d/%m/%Y",), "31/02/2024"),
        # The same day by two forms is no doubt; another day is.
        ("03/03/2024", ("%d/%m/%Y", "%m/%d/%Y"), "2024-03-03"),
        ("25/03/2024", ("%d/%m/%Y", "%m/%d/%Y"), "2024-03-25"),
        ("08/03/2024", ("%d/%m/%Y", "%m/%d/%Y"), None),
    ],
)
def test_dates_are_read_by_their_declared_forms(text, forms, iso):
    assert read_date(text, forms) == iso


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "number"),
    [
        ("1,5", ",", "", "1.5"),
        ("<0,05", ",", "", "<0.05"),
        ("1.234.567,8", ",", ".", "1234567.8"),
        ("1 234,5", ",", " ", "1234.5"),
        ("-1,5e3", ",", "", "-1.5e3"),
        ("12,345", ".", ",", "12345"),
        # No group of three: not a separator, and so no number.
        ("12,34", ".", ",", "12,34"),
        # A point in a file of decimal commas is no sign of it.
        ("1.5", ",", ".", None),
        ("1.234", ",", "", None),
        ("<1.5e3", ",", "", None),
        ("1.234", ".", ",", "1.234"),
        ("1.2.2024", ",", "", "1.2.2024"),
        ("1,2,3", ",", "", "1,2,3"),
        ("BLQ", ",", ".", "BLQ"),
        (",", ",", "", ","),
    ],
)
def test_numbers_are_read_by_their_declared_signs(text, decimal, thousands, number):
    assert read_number(text, decimal, thousands) == number


def test_decimal_commas_reach_the_analysis(study):
    study.set("PC", 2, "PCORRES", "1.200,5")
    study.set("PC", 3, "PCORRES", "<50,0")
    study.set("DM", 1, "WTBL", "70,5")
    for domain in ("PC", "DM"):
        study.sources[domain].update(decimal=",", thousands=".")
    data = study.derive()
    assert data.errors == 0
    assert data.datasets["ADPC"].set_index("SRCROW").loc[2, "AVAL"] == 1200.5
    assert data.datasets["ADSL"].set_index("USUBJID").loc["A", "WTBL"] == 70.5


@pytest.mark.parametrize(
    ("text", "rules", "identifier"),
    [
        ("Yes P02", {"strip": ["Yes ", "Bre "]}, "P02"),
        ("Yes P02", {"spaces": "hyphen", "case": "upper", "prefix": "L-"}, "L-YES-P02"),
        ("L-1", {"prefix": "L-"}, "L-1"),
        ("a  b", {"spaces": "remove", "case": "lower"}, "ab"),
    ],
)
def test_identifiers_follow_the_rules_of_their_source(text, rules, identifier):
    assert normalise_subject(text, SubjectIds.model_validate(rules)) == identifier


@given(st.integers(-(10**9), 10**9), st.integers(0, 3))
def test_keys_that_are_equal_numbers_are_equal(number, zeros):
    assert fold_key(f"{number}.{'0' * zeros}") == fold_key(str(number)) == fold_key(f" {number}")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ({"file": "a", "dates": ["%d/%m"]}, "is no form of a date"),
        ({"file": "a", "dates": ["{x}"]}, "is no form of a date"),
        ({"file": "a", "decimal": ",", "thousands": ","}, "the same sign"),
        ({"file": "a", "standard": "ADXX"}, "is none of ADAE"),
        (
            {"file": "a", "constants": {"X": "1"}, "relative_time": {"X": {"column": "d"}}},
            "a constant and a relative time",
        ),
    ],
)
def test_a_mapping_that_cannot_hold_is_refused(source, part):
    with pytest.raises(ValueError, match=part):
        Source.model_validate(source)


def test_a_standard_of_another_domain_and_a_supplement_of_two_files_are_refused():
    base = {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}}
    for sources, part in (
        ({"PC": {"file": "a", "standard": "ADAE"}}, "is for AE"),
        ({"AE": [{"file": f, "supplement": ["s"]} for f in "ab"]}, "joined to two files"),
    ):
        with pytest.raises(ValueError, match=part):
            StudyDataSettings.model_validate({"root": ".", "sources": base | sources})


GARBAGE = st.sampled_from(
    ["", " ", "NA", "1", "-1", "1,5", "2024-01-01", "01/02/2024", "x", "{USUBJID}", "受", "1e400"]
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    cells=st.lists(st.tuples(GARBAGE, GARBAGE, GARBAGE, GARBAGE), max_size=8),
    options=st.fixed_dictionaries(
        {},
        optional={
            "decimal": st.just(","),
            "dates": st.just(["%d/%m/%Y", "%m/%d/%Y", "excel"]),
            "distinct": st.just(["USUBJID"]),
            "keep": st.just({"c": ["1", ""]}),
            "study": st.sampled_from(["S1", "S2"]),
            "relative_time": st.just({"LBDTC": {"column": "c", "unit": "minutes"}}),
        },
    ),
    several=st.booleans(),
)
def test_the_accounting_balances_whatever_the_files_and_the_mapping(cells, options, several):
    study = make_study()
    rows = [
        {"USUBJID": a or "A", "LBORRESU": b, "c": c, "d": d, "LBDTC": c} for a, b, c, d in cells
    ]
    table = (
        to_table(rows)
        if rows
        else to_table([{"USUBJID": "A", "LBORRESU": "", "c": "", "d": "", "LBDTC": ""}])
    )
    source = {
        "file": "lb.csv",
        "long": {"value": "LBORRES", "columns": {n: {"LBTESTCD": "IL6"} for n in ("c", "d")}},
        **options,
    }
    names = ["lb.csv#1", "lb.csv#2"] if several else ["lb.csv"]
    study.sources["LB"] = [source] * len(names)
    data = study.derive(replaced={"LB": tuple(RawDomain("LB", n, table) for n in names)})
    lines = balance(data, "LB")
    assert set(lines) == {f"{name}[{column}]" for name in names for column in "cd"}
    assert all(counts[0] == len(table) for counts in lines.values())


def test_a_decimal_point_among_decimal_commas_is_no_number(study):
    study.sources["PC"]["decimal"] = ","
    study.sources["DM"]["decimal"] = ","
    study.set("PC", 2, "PCORRES", "1.234")
    study.set("PC", 5, "PCORRES", "35000,5")
    study.set("DM", 1, "WTBL", "70.5")
    data = study.derive()
    found = data.findings[data.findings["rule_id"] == "TEXTINNUMERIC"]
    assert found[["domain", "row", "value"]].to_numpy().tolist() == [
        *(["DM", 1, "70.5"], ["PC", 2, "1.234"])
    ]
    assert data.errors == 2
    assert data.exclusions[["domain", "row", "reason"]].to_numpy().tolist() == [
        ["PC", 2, "BADRESULT"]
    ]
    assert np.isnan(data.datasets["ADSL"].set_index("USUBJID").loc["A", "WTBL"])
    adpc = data.datasets["ADPC"].set_index("SRCROW")
    assert adpc.loc[5, "AVAL"] == 35000.5


def test_two_supplements_may_fill_one_variable_and_the_first_value_of_a_record_stands(study):
    def supplement(file, *rows):
        table = to_table(
            [
                {"RDOMAIN": "DM", "USUBJID": subject, "IDVAR": "", "IDVARVAL": ""}
                | {"QNAM": "PART", "QVAL": value}
                for subject, value in rows
            ]
        )
        return RawDomain("DM", file, table)

    study.sources["DM"]["supplement"] = ["one.csv", "two.csv"]
    first = supplement("one.csv", ("A", "ESCALATION"))
    second = supplement("two.csv", ("B", "EXPANSION"), ("A", "EXPANSION"))
    raw = RawDomain("DM", "dm.csv", study.tables["DM"], supplements=(first, second))
    data = study.derive(replaced={"DM": (raw,)})
    adsl = data.datasets["ADSL"].set_index("USUBJID")
    assert adsl["PART"].tolist() == ["ESCALATION", "EXPANSION", ""]
    found = data.findings[data.findings["rule_id"] == "SUPPDUPLICATE"]
    assert found[["file", "row", "subject"]].to_numpy().tolist() == [["two.csv", 2, "A"]]
    lost = data.exclusions[data.exclusions["reason"] == "SUPPDUP"]
    assert lost[["file", "row"]].to_numpy().tolist() == [["two.csv", 2]]

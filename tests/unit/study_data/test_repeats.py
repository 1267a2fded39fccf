"""Records that repeat a key: in one file, in several, and in the columns of one row."""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import make_study

from celldossier.io.tables import RawDomain
from celldossier.study_data.findings import FindingCollector
from celldossier.study_data.mapping import map_domain
from celldossier.study_data.repeats import find_repeats


def derive_twice(domain, second=None):
    """Derive the study with a second file of a domain, whose rows count from 1 again."""
    study = make_study()
    table = study.tables[domain]
    study.sources[domain] = [{"file": "first.csv"}, {"file": "second.csv"}]
    files = (
        RawDomain(domain, "first.csv", table),
        RawDomain(domain, "second.csv", table if second is None else second),
    )
    return study.derive(replaced={domain: files})


def list_found(data, rule):
    found = data.findings[data.findings["rule_id"] == rule]
    return found[["file", "row"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("domain", "rule", "rows"),
    [
        ("DM", "SUBJECTDUPLICATE", [1, 2, 3]),
        ("LOTS", "LOTDUPLICATE", [1, 2]),
        ("PC", "SAMPLEDUPLICATE", [1, 2, 3, 4, 5]),
        ("LB", "SAMPLEDUPLICATE", [1, 2, 3, 4, 5]),
        ("EX", "DOSEDUPLICATE", [2, 3]),
        ("FA", "COMPONENTDUPLICATE", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_file_that_is_read_twice_repeats_each_of_its_keys(domain, rule, rows):
    data = derive_twice(domain)
    assert list_found(data, rule) == [["second.csv", row] for row in rows]
    messages = data.findings.loc[data.findings["rule_id"] == rule]
    for row, english, chinese in zip(
        rows, messages["message_en"], messages["message_zh"], strict=True
    ):
        assert "first.csv" in english and f"row {row}" in english
        assert f"first.csv第{row}行" in chinese
    # A copy is named with the record that it copies, whatever its own row number is.
    copies = data.findings[data.findings["rule_id"] == "RECORDDUPLICATE"]
    assert (copies["file"] == "second.csv").all()
    assert copies["message_en"].str.contains("of first.csv").all()


def test_a_subject_and_a_lot_of_two_files_are_used_once():
    assert derive_twice("DM").datasets["ADSL"]["USUBJID"].tolist() == ["A", "B", "C"]
    adpq = derive_twice("LOTS").datasets["ADPQ"]
    assert adpq["LOTID"].tolist() == ["L1", "L2"] and set(adpq["SRCFILE"]) == {"first.csv"}


def test_the_process_of_a_lot_is_that_of_its_first_record_in_any_file():
    table = make_study().tables["LOTS"].assign(PROCESS=["P9", "P2"])
    data = derive_twice("LOTS", table)
    found = data.findings[data.findings["rule_id"] == "LOTPROCESS"]
    assert found[["file", "row", "value"]].to_numpy().tolist() == [["second.csv", 1, "P9"]]
    assert "'P1' in its first record" in found["message_en"].iloc[0]


def test_two_infusions_of_one_day_are_found_across_files():
    table = make_study().tables["EX"].loc[[2]].assign(EXSTDTC="2024-03-01T15:00", EXENDTC="")
    table.index = pd.Index([2], name="row")
    assert list_found(derive_twice("EX", table), "DOSESAMEDAY") == [["second.csv", 2]]


def test_two_wide_columns_of_one_row_may_hold_one_sample_twice():
    study = make_study()
    study.sources["LB"]["long"] = {
        "value": "LBORRES",
        "columns": {
            name: {"LBTESTCD": "IL6", "LBORRESU": "pg/mL"} for name in ("MORNING", "EVENING")
        },
    }
    study.tables["LB"] = (
        study.tables["LB"]
        .loc[[3], ["USUBJID", "LBDTC", "LBLLOQ"]]
        .assign(MORNING="10", EVENING="90")
    )
    assert list_found(study.derive(), "SAMPLEDUPLICATE") == [["lb.csv[EVENING]", 3]]


def test_a_missing_key_repeats_nothing_and_records_not_looked_at_are_none():
    study = make_study()
    domain = map_domain(
        "PC",
        (RawDomain("PC", "pc.csv", study.tables["PC"]),),
        study.settings,
        FindingCollector(),
    )
    key = pd.Series(["a", None, "a", None, "a"])
    everything = pd.Series(True, index=key.index)
    assert find_repeats(domain, everything, key).again.tolist() == [False, False, True, False, True]
    rows = pd.Series([False, True, True, True, True])
    repeats = find_repeats(domain, rows, [key])
    assert repeats.again.tolist() == [False, False, False, False, True]
    assert repeats.take(domain.frame["SRCROW"]).tolist() == [1, 2, 3, 4, 3]
    assert not find_repeats(domain, ~everything, [key]).again.any()

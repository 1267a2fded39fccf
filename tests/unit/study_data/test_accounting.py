"""Records read = records used + records excluded, whatever the raw data are."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_study import RECORDS, make_study

from celldossier.io.resources import read_resource
from celldossier.study_data import safety, stage

GARBAGE = (
    *("", " ", "ND", "NA", "-1", "0", "1e5", "nan", "inf", "-inf", "1e400", "1,5", "<", "<5", ">9"),
    *("2024", "2024-13", "2024-02-30", "9999-12-31", "0001-01-01", "2024-03-01T99:00", "20240301"),
    *("{row}", "%s", "'; DROP", "受试者", "１２", "\x00", "A", "B", "C", "CELL PRODUCT", "DL1"),
)


def assert_balanced(study, data):
    accounting = data.accounting.set_index("domain")
    for domain in RECORDS:
        rows = set(study.tables[domain].index) if domain in study.tables else set()
        excluded = data.exclusions.loc[data.exclusions["domain"] == domain, "row"]
        assert excluded.is_unique
        counts = accounting.loc[domain]
        assert counts["records_in"] == len(rows)
        assert counts["records_in"] == counts["records_used"] + counts["records_excluded"]
        assert counts["records_excluded"] == len(excluded)
        assert (data.exclusions["reason"] != "").all()
        if domain != "DM":
            dataset = data.datasets[stage.DATASET_OF[domain]]
            used = set(dataset.loc[dataset["SRCDOM"] == domain, "SRCROW"])
            assert used | set(excluded) == rows
            assert not used & set(excluded)


def cells():
    """A cell of the small study, anywhere, with what is written into it."""
    places = [
        (domain, row, column)
        for domain, records in RECORDS.items()
        for row, record in enumerate(records, start=1)
        for column in record
    ]
    return st.tuples(st.sampled_from(places), st.sampled_from(GARBAGE) | st.text(max_size=8))


@pytest.mark.slow
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    spoilt=st.lists(cells(), min_size=5, max_size=60),
    repeated=st.lists(st.sampled_from(sorted(RECORDS)), max_size=4),
    dropped=st.lists(
        st.sampled_from([(d, c) for d, records in RECORDS.items() for c in records[0]]), max_size=1
    ),
    missing=st.sets(st.sampled_from(sorted(RECORDS)), max_size=1),
)
def test_the_accounting_balances_on_garbage(spoilt, repeated, dropped, missing):
    study = make_study()
    for (domain, row, column), text in spoilt:
        study.set(domain, row, column, text)
    for domain in repeated:
        study.repeat(domain, 1)
    for domain, column in dropped:
        study.drop(domain, column)
    for domain in missing:
        study.tables[domain] = study.tables[domain].iloc[:0]
    data = study.derive(faults=dict.fromkeys(missing, "FILEMISSING"))
    assert_balanced(study, data)


USED_CELLS = {
    "correct_values.csv": ("subject", "domain", "row", "key", "column", "old", "new"),
    "exclude_records.csv": ("subject", "domain", "row", "key"),
    "exclude_subjects.csv": ("subject", "sets"),
    "accept_findings.csv": ("rule", "findings"),
}


def decision_cells():
    """A decision on some record: it may fit, contradict another, or be nonsense."""
    column = st.sampled_from(["USUBJID", "PCORRES", "PCDTC", "AESTDTC", "EXDOSE", "AGE", "{x}"])
    text = st.sampled_from(GARBAGE)
    return st.tuples(
        st.sampled_from(sorted(USED_CELLS)),
        st.fixed_dictionaries(
            {
                "subject": st.sampled_from(["A", "B", "C", "Z", ""]),
                "domain": st.sampled_from([*RECORDS, "XX"]),
                "row": st.sampled_from(["1", "2", "3", "0", "x", ""]),
                "key": st.sampled_from(
                    ["", "PCTESTCD=CARPCR", "=", "A;B", "PCDTC=2024-03-08T10:00"]
                ),
                "column": column,
                "old": text,
                "new": text,
                "sets": st.sampled_from(["CK", "PD; ADA", "ER", "SAF", ""]),
                "rule": st.sampled_from(["VALUEMISSING", "AGERANGE", "DATEPARTIAL", "NONE"]),
                "findings": st.sampled_from(["1", "2", "many"]),
            }
        ),
    )


@pytest.mark.slow
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    spoilt=st.lists(cells(), max_size=10),
    decided=st.lists(decision_cells(), min_size=1, max_size=8),
)
def test_the_accounting_balances_whatever_was_decided(spoilt, decided):
    study = make_study()
    for (domain, row, column), text in spoilt:
        study.set(domain, row, column, text)
    for file, given_cells in decided:
        study.decide(file, **{name: given_cells[name] for name in USED_CELLS[file]})
    data = study.derive()
    assert_balanced(study, data)
    codes = read_resource("terms", "reason_codes.yaml")
    assert set(data.exclusions["reason"]) <= set(codes)
    # Every decision is accounted for: it changed something, or it is an error.
    listed = set(data.decisions.loc[data.decisions["measure"] != "NONE", "id"])
    faulty = set(data.findings.loc[data.findings["topic"] == "decisions", "message_en"])
    for number in range(1, len(decided) + 1):
        assert f"D{number}" in listed or any(f"'D{number}'" in text for text in faulty)


def test_the_accounting_balances_where_the_subjects_cannot_be_read(study):
    study.drop("DM", "ARM")
    data = study.derive()
    assert_balanced(study, data)
    assert set(data.exclusions["reason"]) == {"DOMAINFAULT"}
    assert data.datasets["ADSL"].empty


def test_each_excluded_record_is_listed_with_place_and_reason(study):
    study.set("PC", 2, "PCORRES", "ND")
    study.set("PC", 5, "USUBJID", "Z")
    data = study.derive()
    assert_balanced(study, data)
    assert data.exclusions.to_dict("records") == [
        {
            "domain": "PC",
            "file": "pc.csv",
            "row": 2,
            "subject": "A",
            "reason": "BADRESULT",
            "detail": "ND",
        },
        {
            "domain": "PC",
            "file": "pc.csv",
            "row": 5,
            "subject": "Z",
            "reason": "SUBJUNK",
            "detail": "Z",
        },
    ]


def test_a_record_that_is_lost_is_a_fault_of_the_program(study, monkeypatch):
    derive = safety.derive_adae
    monkeypatch.setattr(
        safety, "derive_adae", lambda *arguments: derive(*arguments).iloc[1:].reset_index(drop=True)
    )
    with pytest.raises(AssertionError, match="AE: 4 records read, 3 used, 0 excluded"):
        study.derive_afresh()


def test_two_runs_give_the_same_frames(study):
    study.set("PC", 2, "PCORRES", "ND")
    first, second = study.derive_afresh(), study.derive_afresh()
    for name, frame in first.datasets.items():
        pd.testing.assert_frame_equal(frame, second.datasets[name])
    pd.testing.assert_frame_equal(first.findings, second.findings)
    pd.testing.assert_frame_equal(first.exclusions, second.exclusions)

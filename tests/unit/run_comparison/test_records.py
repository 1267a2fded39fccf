"""Records of two versions of a table: equal, moved, changed, added, removed; nothing is rounded."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from celldossier.run_comparison.records import (
    COLUMNS,
    Layout,
    compare_tables,
    encode,
    pair_records,
)

LAYOUT = Layout(
    keys=("USUBJID", "DAY", "SRCFILE", "SRCROW"), trace=("SRCFILE", "SRCROW"), subject="USUBJID"
)


def samples(*rows: tuple[str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["USUBJID", "DAY", "AVAL"])
    return frame.assign(SRCFILE="pc.csv", SRCROW=range(1, len(rows) + 1))


OLD = samples(("A", 1, 5.0), ("A", 2, math.nan), ("B", 1, 7.0), ("C", 1, 0.0))


def test_equal_tables_have_no_difference_and_a_missing_value_equals_itself() -> None:
    found = compare_tables(OLD, OLD.copy(), LAYOUT)
    assert found.rows.empty
    assert list(found.rows.columns) == list(COLUMNS)
    assert (found.counts.equal, found.counts.differing, found.counts.moved) == (4, 0, 0)


def test_the_order_of_records_is_no_difference() -> None:
    assert compare_tables(OLD, OLD.iloc[::-1], LAYOUT).counts.differing == 0


def test_a_changed_number_is_given_with_its_size() -> None:
    new = OLD.assign(AVAL=[5.5, math.nan, 7.0, 2.0])
    rows = compare_tables(OLD, new, LAYOUT).rows.to_dict("records")
    assert [
        (row["change"], row["subject"], row["key"], row["variable"], row["old"], row["new"])
        for row in rows
    ] == [
        ("changed", "A", "DAY=1; SRCFILE=pc.csv; SRCROW=1", "AVAL", "5", "5.5"),
        ("changed", "C", "DAY=1; SRCFILE=pc.csv; SRCROW=4", "AVAL", "0", "2"),
    ]
    assert (rows[0]["absolute"], rows[0]["relative"]) == pytest.approx((0.5, 0.1))
    # A share of nothing is none.
    assert rows[1]["absolute"] == 2.0 and math.isnan(rows[1]["relative"])


def test_zero_and_minus_zero_are_two_numbers_and_every_missing_value_is_one() -> None:
    new = OLD.assign(AVAL=[5.0, -math.nan, 7.0, -0.0])
    (row,) = compare_tables(OLD, new, LAYOUT).rows.to_dict("records")
    assert (row["subject"], row["old"], row["new"]) == ("C", "0", "-0")


def test_the_last_bit_of_a_number_is_a_difference() -> None:
    new = OLD.assign(AVAL=[np.nextafter(5.0, 6.0), math.nan, 7.0, 0.0])
    (row,) = compare_tables(OLD, new, LAYOUT).rows.to_dict("records")
    assert row["absolute"] == np.spacing(5.0)
    assert row["old"] != row["new"]


def test_a_value_that_is_lost_or_found_is_a_difference_without_a_size() -> None:
    new = OLD.assign(AVAL=[math.nan, 3.0, 7.0, 0.0])
    rows = compare_tables(OLD, new, LAYOUT).rows
    assert rows[["old", "new"]].to_numpy().tolist() == [["5", ""], ["", "3"]]
    assert rows["absolute"].isna().all()


def test_new_rows_of_the_raw_file_move_the_records_below_and_leave_them_equal() -> None:
    new = samples(("A", 1, 5.0), ("A", 1.5, 9.0), ("A", 2, math.nan), ("B", 1, 7.0), ("C", 1, 0.0))
    found = compare_tables(OLD, new, LAYOUT)
    assert (found.counts.equal, found.counts.moved, found.counts.added) == (4, 3, 1)
    (row,) = found.rows.to_dict("records")
    assert (row["change"], row["subject"], row["key"]) == (
        "added",
        "A",
        "DAY=1.5; SRCFILE=pc.csv; SRCROW=2",
    )


def test_a_record_whose_key_changed_is_found_by_its_raw_row() -> None:
    new = OLD.assign(DAY=[1, 3, 1, 1])
    found = compare_tables(OLD, new, LAYOUT)
    assert (found.counts.changed, found.counts.added, found.counts.removed) == (1, 0, 0)
    assert found.rows["variable"].tolist() == ["DAY"]


def test_a_raw_row_pairs_nothing_where_rows_have_moved() -> None:
    new = samples(("A", 3, 1.0), ("A", 1, 5.0), ("B", 1, 7.0), ("C", 1, 0.0))
    found = compare_tables(OLD, new, LAYOUT)
    assert (found.counts.changed, found.counts.added, found.counts.removed) == (0, 1, 1)


def test_records_of_one_key_pair_with_their_equals_first() -> None:
    old = samples(("A", 1, 5.0), ("A", 1, 6.0))
    new = samples(("A", 1, 6.0), ("A", 1, 8.0))
    found = compare_tables(old, new, LAYOUT)
    assert found.counts.equal == 1
    assert found.rows[["old", "new"]].to_numpy().tolist() == [["5", "8"]]


def test_a_removed_subject_takes_its_records_and_leaves_the_others_equal() -> None:
    found = compare_tables(OLD, OLD[OLD["USUBJID"] != "A"], LAYOUT)
    assert (found.counts.removed, found.counts.equal) == (2, 2)
    assert set(found.rows["subject"]) == {"A"}


def test_a_variable_of_one_version_is_named_once_and_leaves_the_records_equal() -> None:
    found = compare_tables(OLD, OLD.assign(NEW=1).drop(columns="AVAL"), LAYOUT)
    assert found.rows[["change", "variable"]].to_numpy().tolist() == [
        ["removed", "AVAL"],
        ["added", "NEW"],
    ]
    assert found.counts.equal == 4


@pytest.mark.parametrize(("old", "new"), [(OLD, OLD.iloc[:0]), (OLD.iloc[:0], OLD)])
def test_a_table_may_be_empty(old: pd.DataFrame, new: pd.DataFrame) -> None:
    counts = compare_tables(old, new, LAYOUT).counts
    assert (counts.removed, counts.added) == (len(old), len(new))


def test_columns_do_not_run_into_each_other() -> None:
    old = pd.DataFrame({"a": ["1", "11"], "b": ["11", "1"]})
    first, second = encode(old, old.iloc[::-1], ["a", "b"])
    assert first[0] != first[1]
    assert first.tolist() == second[::-1].tolist()


def test_every_record_is_counted_once() -> None:
    generator = np.random.default_rng(5)
    old, new = (
        samples(
            *((str(generator.integers(3)), float(generator.integers(4)), 1.0) for _ in range(60))
        )
        for _ in range(2)
    )
    pairs = pair_records(old, new, LAYOUT)
    assert sorted([*pairs.old, *pairs.removed]) == list(range(60))
    assert sorted([*pairs.new, *pairs.added]) == list(range(60))

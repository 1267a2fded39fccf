"""Raw records carry the subject that the study knows, whatever the file calls it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from celldossier.io.tables import RawDomain
from celldossier.run_comparison.inputs import FILE, ROW, SUBJECT
from celldossier.run_comparison.raw_tables import gather_domain, list_keys, trace_subjects
from celldossier.settings.sources import Source


def source(**options: object) -> Source:
    return Source.model_validate({"file": "pc.csv", **options})


def domain(**columns: list[str]) -> RawDomain:
    size = len(next(iter(columns.values())))
    index = pd.RangeIndex(1, size + 1, name="row")
    return RawDomain("PC", "pc.csv", pd.DataFrame(columns, index=index))


def test_a_subject_is_read_off_the_datasets_for_records_that_none_of_them_has() -> None:
    file = domain(SUBJID=["001", "001", "002"], PCORRES=["1", "2", "3"])
    adpc = pd.DataFrame({"SRCFILE": ["pc.csv"], "SRCROW": [1], "USUBJID": ["S-001"]})
    mapped = source(columns={"USUBJID": "SUBJID"})
    table = gather_domain([file], [mapped], trace_subjects({"ADPC": adpc}))
    assert table is not None
    assert table[SUBJECT].tolist() == ["S-001", "S-001", "002"]
    assert table[ROW].tolist() == [1, 2, 3]
    assert set(table[FILE]) == {"pc.csv"}


def test_a_place_on_this_machine_is_not_told() -> None:
    file = replace(domain(USUBJID=["A"]), file="/home/someone/study/pc.csv")
    table = gather_domain([file], [source()], {("/home/someone/study/pc.csv", 1): "S-A"})
    assert table is not None
    assert (table[FILE].tolist(), table[SUBJECT].tolist()) == (["pc.csv"], ["S-A"])


def test_an_identifier_may_be_put_together_or_absent() -> None:
    file = domain(SITE=["01", "02"], NO=["7", "8"])
    template = source(columns={"USUBJID": "{SITE}-{NO}"})
    table = gather_domain([file], [template], {})
    assert table is not None and table[SUBJECT].tolist() == ["01-7", "02-8"]
    table = gather_domain([file], [source()], {})
    assert table is not None and table[SUBJECT].tolist() == ["", ""]


def test_files_of_a_domain_are_one_table_and_a_file_that_cannot_be_read_is_none() -> None:
    one, two = domain(USUBJID=["A"], X=["1"]), domain(USUBJID=["B"], Y=["2"])
    table = gather_domain([one, two], [source(), source()], {})
    assert table is not None
    assert table[["USUBJID", "X", "Y"]].to_numpy().tolist() == [["A", "1", ""], ["B", "", "2"]]
    broken = RawDomain("PC", "pc.csv", None, "FILEMISSING")
    assert gather_domain([one, broken], [source(), source()], {}) is None


def test_keys_are_the_raw_columns_of_the_keys_of_the_domain() -> None:
    assert list_keys("PC", [source(columns={"PCDTC": "SAMPLE_DATE"})]) == (
        *("USUBJID", "PCTESTCD", "PCSPEC", "SAMPLE_DATE"),
    )

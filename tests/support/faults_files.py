"""Faults of files and columns."""

from __future__ import annotations

from fault_cases import Fault

WHOLE_FILE_FAULTS = [
    Fault("FILEEMPTY", lambda s: s.empty("PC"), "PC", None, "", ""),
    Fault("COLUMNMISSING", lambda s: s.drop("PC", "PCORRESU"), "PC", None, "PCORRESU", ""),
    Fault(
        "MAPPINGUNKNOWN",
        lambda s: s.sources["PC"].update(columns={"PCORES": "RESULT"}),
        *("PC", None, "", "columns.PCORES"),
    ),
]

FOLLOWS = {
    # A subject whose only samples are not used has none.
    "FILEEMPTY": {"CKMISSING"},
}

SINGLE = {
    "FILEMISSING": "test_tables.py::test_missing_empty_and_unknown_files_are_told_apart",
    "FILETYPE": "test_tables.py::test_missing_empty_and_unknown_files_are_told_apart",
    "FILEOUTSIDE": "test_tables.py::test_a_file_may_not_lie_outside_the_root",
    "PACKAGEMISSING": "test_tables.py::test_a_package_that_is_not_installed_is_a_fault",
    "FILENOTUTF8": "test_tables.py::test_other_encodings_are_refused_with_the_line",
    "FILEUNREADABLE": "test_tables.py::test_an_unclosed_quote_is_a_fault",
    "SHEETMISSING": "test_tables.py::test_a_missing_sheet_is_named",
    "SHEETTOOLARGE": "test_tables.py::test_a_sheet_with_too_many_cells_is_a_fault",
    "COLUMNTWICE": "test_tables.py::test_two_columns_of_one_name_are_a_fault",
}

"""What differs between two hand-made runs is found and traced to all that may have caused it."""

from __future__ import annotations

import pandas as pd
import pytest
from two_runs import (
    PEAKS,
    HandMadeRun,
    cells,
    concentrations,
    digest,
    make_run,
    parameters,
    raw_records,
    results,
)

from celldossier.io.stages import STAGES
from celldossier.run_comparison import causes as causes_module
from celldossier.run_comparison.compare import compare_runs
from celldossier.run_comparison.content import DIFFERENCES, Comparison
from celldossier.run_comparison.inputs import ROW, SUBJECT
from celldossier.run_comparison.outputs import list_texts


def compare(old: HandMadeRun, new: HandMadeRun) -> Comparison:
    return compare_runs(old.content(), new.content())


def causes(found: Comparison, kind: str, **where: str) -> set[str]:
    rows = found.differences[found.differences["kind"] == kind]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows), f"no difference of the kind {kind} {where}"
    return set(rows["causes"])


def counts(found: Comparison, kind: str, name: str) -> dict[str, object]:
    rows = found.counts
    (row,) = rows[(rows["kind"] == kind) & (rows["object"] == name)].to_dict("records")
    return row


def with_peak(run: HandMadeRun, subject: str, peak: float) -> HandMadeRun:
    """The run after one raw result has become another, with all that follows from it."""
    return make_run({**PEAKS, subject: peak})


def test_two_equal_runs_differ_in_nothing_and_are_counted() -> None:
    found = compare(make_run(), make_run())
    assert found.differences.empty
    assert list(found.differences.columns) == list(DIFFERENCES)
    assert counts(found, "dataset", "ADPC")["equal"] == 6
    assert counts(found, "parameter", "ADPP")["subjects_equal"] == 3
    assert counts(found, "setting", "setting")["equal"] == 7
    assert counts(found, "cell", "en/T25")["equal"] == 2


def test_the_name_of_a_run_is_no_difference() -> None:
    new = make_run()
    new.settings["run"] = {"run": "OTHER", "reference_run": "RUN"}
    assert compare(make_run(), new).differences.empty


def test_one_changed_raw_cell_changes_its_subject_and_leaves_the_others_equal() -> None:
    old = make_run()
    found = compare(old, with_peak(old, "S-2", 260.0))
    own = "data:pc.csv[S-2]"
    (raw,) = found.differences[found.differences["kind"] == "raw_record"].to_dict("records")
    assert (raw["object"], raw["subject"], raw["variable"]) == ("PC", "S-2", "PCORRES")
    assert (raw["key"], raw["old"], raw["new"]) == ("raw file=pc.csv; raw row=4", "200", "260")
    assert (raw["absolute"], raw["relative"]) == (60.0, pytest.approx(0.3))
    assert causes(found, "dataset", object="ADPC") == {own}
    assert causes(found, "parameter", object="ADPP") == {own}
    peak = found.differences[found.differences["kind"] == "parameter"]
    assert peak[["subject", "variable", "old", "new"]].to_numpy().tolist() == [
        ["S-2", "AVAL", "200", "260"]
    ]
    assert counts(found, "parameter", "ADPP")["subjects_equal"] == 2
    assert counts(found, "dataset", "ADPC")["subjects_differing"] == 1
    # A mean is of all subjects: the file as a whole stands behind it.
    assert causes(found, "result", object="cellular_kinetics") == {"data:pc.csv"}
    assert causes(found, "cell") == {"data:pc.csv"}
    assert set(found.differences["object"]) & {"pharmacodynamics"} == set()
    assert found.places.to_dict("records") == [
        {"change": "changed", "file": "pc.csv", "row": 4, "subject": "S-2", "columns": "PCORRES"}
    ]


def test_new_subjects_are_added_and_those_before_them_stay_equal() -> None:
    old, new = make_run(), make_run({"S-0": 50.0, **PEAKS})
    found = compare(old, new)
    assert set(found.differences.query("kind == 'dataset'")["subject"]) == {"S-0"}
    row = counts(found, "dataset", "ADPC")
    assert (row["equal"], row["moved"], row["added"], row["subjects_equal"]) == (6, 6, 2, 3)
    assert counts(found, "raw_record", "PC")["added"] == 2
    assert causes(found, "parameter") == {"data:pc.csv[S-0]"}
    assert causes(found, "result") == {"data:pc.csv"}


def test_a_setting_reaches_only_the_stages_that_read_it() -> None:
    old, new = make_run(), make_run()
    new.settings["cellular_kinetics"]["lambda_z"]["min_r2adj"] = 0.9
    new.settings["pharmacodynamics"]["markers"] = ["IL6", "CRP"]
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-1": 90.0})
    new.tables["ard/cellular_kinetics.parquet"] = results("cellular_kinetics", 230.0, 3)
    new.tables["ard/pharmacodynamics.parquet"] = results("pharmacodynamics", 2.0, 3)
    found = compare(old, new)
    kinetics, markers = (
        "setting:cellular_kinetics.lambda_z.min_r2adj",
        "setting:pharmacodynamics.markers",
    )
    (row,) = found.differences[
        found.differences["key"] == "cellular_kinetics.lambda_z.min_r2adj"
    ].to_dict("records")
    assert (row["kind"], row["old"], row["new"]) == ("setting", "0.8", "0.9")
    assert causes(found, "parameter") == {kinetics}
    assert causes(found, "result", object="cellular_kinetics") == {kinetics}
    # Markers are set against exposure: their stage reads ADPP, which differs by the first key.
    assert causes(found, "result", object="pharmacodynamics") == {f"{kinetics}; {markers}"}


def test_code_and_libraries_are_causes_where_they_can_be() -> None:
    old, new = make_run(), make_run()
    assert new.code is not None and new.environment is not None
    new.code |= {"stats": "other", "pharmacodynamics": "other"}
    new.environment["numpy"] = "2.1"
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-1": 100.00000001})
    found = compare(old, new)
    assert causes(found, "parameter") == {"code:stats; environment:numpy"}
    assert set(found.differences.query("kind == 'code'")["key"]) == {"stats", "pharmacodynamics"}
    assert counts(found, "environment", "environment")["equal"] == 1


def test_several_causes_are_all_listed_and_none_is_chosen() -> None:
    old = make_run()
    new = with_peak(old, "S-2", 260.0)
    assert new.code is not None
    new.code["cellular_kinetics"] = "other"
    new.settings["cellular_kinetics"]["lambda_z"]["min_r2adj"] = 0.9
    found = compare(old, new)
    assert causes(found, "parameter", subject="S-2") == {
        "data:pc.csv[S-2]; setting:cellular_kinetics.lambda_z.min_r2adj; code:cellular_kinetics"
    }
    # What stands before the kinetics cannot differ by them.
    assert causes(found, "dataset", object="ADPC") == {"data:pc.csv[S-2]"}


def test_a_subject_whose_own_records_are_equal_is_traced_to_those_of_others() -> None:
    old = make_run()
    new = with_peak(old, "S-2", 260.0)
    new.tables["adam/ADPP.parquet"] = parameters({"S-1": 111.0, "S-2": 260.0, "S-3": 400.0})
    found = compare(old, new)
    assert causes(found, "parameter", subject="S-1") == {"data:pc.csv[other subjects]"}
    assert causes(found, "parameter", subject="S-2") == {"data:pc.csv[S-2]"}


def test_a_difference_without_any_differing_input_is_called_unexplained() -> None:
    old, new = make_run(), make_run()
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-1": 101.0})
    found = compare(old, new)
    assert causes(found, "parameter") == {"unexplained:no input differs"}
    assert causes(make_found_result(old), "result") == {"unexplained:no input differs"}


def make_found_result(old: HandMadeRun) -> Comparison:
    new = make_run()
    new.tables["ard/pharmacodynamics.parquet"] = results("pharmacodynamics", 9.0, 3)
    return compare(old, new)


def test_a_run_that_does_not_say_what_it_was_made_of_may_differ_by_anything() -> None:
    old, new = make_run(), make_run()
    old.code = old.environment = old.inputs = None
    assert compare(old, new).differences.empty
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-1": 101.0})
    found = compare(old, new)
    assert causes(found, "parameter") == {"code:not recorded; environment:not recorded"}


def test_raw_files_that_are_gone_are_causes_as_a_whole() -> None:
    old = make_run()
    new = with_peak(old, "S-2", 260.0)
    old.raw["PC"] = None
    found = compare(old, new)
    assert causes(found, "parameter") == {"data:pc.csv"}
    assert causes(found, "input") == {""}
    assert "raw_record" not in set(found.differences["kind"])


def test_a_raw_record_of_no_subject_may_change_any_subject() -> None:
    old = make_run()
    new = with_peak(old, "S-2", 260.0)
    for run in (old, new):
        assert run.raw["PC"] is not None
        run.raw["PC"][SUBJECT] = ""
    found = compare(old, new)
    assert causes(found, "parameter", subject="S-2") == {"data:pc.csv"}


def test_a_file_of_qualifiers_that_differs_is_a_cause_as_a_whole() -> None:
    old, new = make_run(), make_run()
    for run, content in ((old, "1"), (new, "2")):
        run.settings["study_data"]["sources"]["PC"][0]["supplement"] = ["supppc.csv"]
        assert run.inputs is not None
        run.inputs["raw/supppc.csv"] = content
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-2": 260.0})
    new.tables["adam/ADPC.parquet"] = concentrations(raw_records({**PEAKS, "S-2": 260.0}))
    found = compare(old, new)
    assert causes(found, "dataset", object="ADPC") == {"data:supppc.csv"}
    assert causes(found, "parameter") == {"data:supppc.csv"}


def test_a_variable_that_differs_by_others_may_do_so_for_a_subject_with_differing_records() -> None:
    """S-1 has none: what moved its parameter may have moved that of S-2 beside its own record."""
    old = make_run()
    new = make_run({**PEAKS, "S-2": 260.0, "S-3": 500.0})
    new.tables["adam/ADPP.parquet"] = parameters({"S-1": 111.0, "S-2": 260.0, "S-3": 500.0})
    found = compare(old, new)
    assert causes(found, "parameter", subject="S-1") == {"data:pc.csv[other subjects]"}
    for subject in ("S-2", "S-3"):
        assert causes(found, "parameter", subject=subject) == {
            f"data:pc.csv[other subjects]; data:pc.csv[{subject}]"
        }
    # Concentrations differ only for those with differing records: they follow from these alone.
    assert causes(found, "dataset", subject="S-3") == {"data:pc.csv[S-3]"}


def test_a_raw_file_with_a_new_column_is_a_cause_as_a_whole() -> None:
    old, new = make_run(), make_run()
    assert new.raw["PC"] is not None and new.inputs is not None
    new.raw["PC"]["PCLLOQ"] = "50"
    new.inputs["raw/pc.csv"] = "other"
    new.tables["adam/ADPC.parquet"] = concentrations(raw_records({**PEAKS, "S-1": 101.0}))
    found = compare(old, new)
    assert causes(found, "dataset") == {"data:pc.csv"}
    assert found.places.to_dict("records") == [
        {"change": "changed", "file": "pc.csv", "row": "", "subject": "", "columns": "PCLLOQ"}
    ]


def test_a_raw_file_in_another_order_is_a_cause_as_a_whole_and_no_record_of_it_differs() -> None:
    old, new = make_run(), make_run()
    assert old.raw["PC"] is not None and new.inputs is not None
    new.raw["PC"] = old.raw["PC"].iloc[::-1].reset_index(drop=True).assign(**{ROW: range(1, 7)})
    new.inputs["raw/pc.csv"] = "other"
    new.tables["adam/ADPC.parquet"] = concentrations(raw_records({**PEAKS, "S-1": 101.0}))
    found = compare(old, new)
    assert counts(found, "raw_record", "PC")["equal"] == 6
    assert causes(found, "dataset") == {"data:pc.csv"}
    # New records alone are no other order.
    new = make_run({"S-0": 50.0, **PEAKS})
    assert set(compare(old, new).places["subject"]) == {"S-0"}


def test_of_the_files_of_a_domain_that_is_gone_only_those_that_differ_are_causes() -> None:
    old, new = make_run(), make_run({**PEAKS, "S-2": 260.0})
    for run in (old, new):
        assert run.inputs is not None
        run.settings["study_data"]["sources"]["PC"].append({"file": "more.csv", "supplement": []})
        run.inputs["raw/more.csv"] = "same"
    old.raw["PC"] = None
    assert causes(compare(old, new), "parameter") == {"data:pc.csv"}


def test_a_printed_result_may_differ_by_how_it_is_drawn_too() -> None:
    old, new = make_run(), make_run({**PEAKS, "S-2": 260.0})
    assert new.code is not None and new.inputs is not None
    new.code |= {"tlf": "other", "pharmacodynamics": "other"}
    new.inputs["tlfs.yaml"] = "other"
    found = compare(old, new)
    assert causes(found, "result", object="cellular_kinetics") == {"data:pc.csv"}
    assert causes(found, "cell") == {"data:pc.csv; setting:tlfs.yaml; code:tlf"}


def test_a_change_of_the_layouts_is_a_possible_cause_of_records_and_of_words() -> None:
    old, new = make_run(), make_run()
    assert new.code is not None
    new.code["resources/standards"] = "other"
    new.tables["adam/ADPC.parquet"] = concentrations(raw_records({**PEAKS, "S-1": 90.0}))
    new.tables["tlf/en/L38.csv"] = pd.DataFrame({"AVAL": ["1"]})
    found = compare(old, new)
    assert causes(found, "dataset") == {"code:resources/standards"}
    assert causes(found, "output") == {"code:resources/standards"}


def test_results_that_a_stage_reads_from_another_carry_their_causes() -> None:
    """The error of a bridge is a result of the kinetics, of no dataset."""
    old, new = make_run(), make_run()
    assert new.code is not None
    new.code["cellular_kinetics"] = "other"
    old.tables["ard/comparability.parquet"] = results("comparability", 1.0, 3)
    new.tables["ard/comparability.parquet"] = results("comparability", 2.0, 3)
    found = compare(old, new)
    assert causes(found, "result", object="comparability") == {"code:cellular_kinetics"}


def test_a_footnote_and_the_state_of_an_output_are_compared() -> None:
    old, new = make_run(), make_run()
    output = {"id": "T25", "title": "Cmax", "status": "shown", "reason_code": "", "number": "1"}
    for run, limit in ((old, "0.8"), (new, "0.9")):
        texts = list_texts([{**output, "footnotes": ["By dose.", f"R2 of {limit} or more."]}])
        run.tables["tlf/en/tlfs.json"] = texts
    new.settings["cellular_kinetics"]["lambda_z"]["min_r2adj"] = 0.9
    found = compare(old, new)
    (row,) = found.differences.query("kind == 'wording'").to_dict("records")
    assert (row["object"], row["key"]) == ("en", "OUTPUT=T25; PART=footnotes")
    assert (row["old"], row["new"]) == ("R2 of 0.8 or more.", "R2 of 0.9 or more.")
    assert row["causes"] == "setting:cellular_kinetics.lambda_z.min_r2adj"
    assert counts(found, "wording", "en")["equal"] == 4


def test_the_work_grows_with_the_subjects_and_not_with_their_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Subjects without differing records of their own share what is traced for the others."""
    made = []
    real = causes_module._of_files
    monkeypatch.setattr(causes_module, "_of_files", lambda found: made.append(1) or real(found))
    calls = []
    for number in (5, 50):
        made.clear()
        peaks = {f"S-{i}": 100.0 for i in range(number)}
        new = make_run({**peaks, "S-0": 200.0})
        new.tables["adam/ADPP.parquet"] = parameters({name: 150.0 for name in peaks})
        found = compare(make_run(peaks), new)
        assert len(found.differences.query("kind == 'parameter'")) == number
        calls.append(len(made))
    assert calls[0] == calls[1] > 0


def decisions(*rows: dict[str, str]) -> pd.DataFrame:
    known = make_run().tables["checks/decisions.csv"]
    return pd.DataFrame(rows, columns=known.columns, dtype=object).fillna("")


def test_a_decision_is_the_cause_for_its_subject() -> None:
    old, new = make_run(), make_run({**PEAKS, "S-2": 260.0})
    new.raw, new.inputs = old.raw, old.inputs
    new.tables["checks/decisions.csv"] = decisions(
        {"id": "D1", "kind": "CORRECT", "subject": "S-2", "domain": "PC", "measure": "VALUE"},
        {"id": "D2", "kind": "ACCEPT", "rule": "R", "measure": "FINDINGS", "after": "3"},
        {"id": "ALL", "kind": "TOTAL", "measure": "ERRORS", "after": "0"},
    )
    found = compare(old, new)
    assert set(found.differences.query("kind == 'decision'")["change"]) == {"added"}
    assert counts(found, "decision", "decisions")["added"] == 2
    assert causes(found, "dataset", object="ADPC") == {"decision:D1[S-2]; decision:D2"}
    assert causes(found, "result") == {"decision:D1; decision:D2"}


def test_what_a_decision_did_is_no_change_of_the_decision() -> None:
    old, new = make_run(), make_run()
    for run, number in ((old, "3"), (new, "4")):
        run.tables["checks/decisions.csv"] = decisions(
            {"id": "D2", "kind": "ACCEPT", "rule": "R", "measure": "FINDINGS", "after": number},
        )
    assert compare(old, new).differences.empty


def test_a_reviewed_window_enters_at_the_kinetics() -> None:
    old, new = make_run(), make_run()
    new.tables["checks/decisions.csv"] = decisions(
        {"id": "W1", "kind": "WINDOW", "subject": "S-1", "measure": "WINDOW", "after": "IN 1;2"},
    )
    new.tables["adam/ADPP.parquet"] = parameters({**PEAKS, "S-1": 90.0})
    assert causes(compare(old, new), "parameter") == {"decision:W1[S-1]"}
    # It cannot have changed a concentration; what follows from an unexplained one says so.
    new.tables["adam/ADPC.parquet"] = concentrations(raw_records({**PEAKS, "S-1": 90.0}))
    found = compare(old, new)
    unexplained = "unexplained:no input differs"
    assert causes(found, "dataset", object="ADPC") == {unexplained}
    assert causes(found, "parameter") == {f"decision:W1[S-1]; {unexplained}"}


def test_a_cell_that_was_moved_by_new_rows_is_equal() -> None:
    old, new = make_run(), make_run()
    new.tables["tlf/en/T25.csv"] = pd.concat(
        [
            cells(700 / 3, 3).iloc[:1],
            pd.DataFrame([["1", "1", "A new line", "", ""]], columns=cells(1, 1).columns),
            cells(700 / 3, 3).iloc[1:].assign(ROW="2"),
        ],
        ignore_index=True,
    )
    found = compare(old, new)
    row = counts(found, "cell", "en/T25")
    assert (row["equal"], row["moved"], row["added"]) == (2, 1, 1)


def test_a_text_of_a_table_that_differs_alone_is_traced_to_what_draws_it() -> None:
    old, new = make_run(), make_run()
    assert new.code is not None and new.inputs is not None
    new.code["tlf"] = "other"
    new.inputs["tlfs.yaml"] = "other"
    new.tables["tlf/en/T25.csv"] = cells(700 / 3, 3).assign(
        TEXT=["Average (N = 3)", f"{700 / 3:.1f}"]
    )
    found = compare(old, new)
    assert causes(found, "cell") == {"setting:tlfs.yaml; code:tlf"}
    (row,) = found.differences.query("kind == 'cell'").to_dict("records")
    assert (row["old"], row["new"]) == ("Mean (N = 3)", "Average (N = 3)")


def test_a_listing_is_counted_in_one_row() -> None:
    old, new = make_run(), make_run()
    for run, values in ((old, ["1", "2"]), (new, ["1", "3", "4"])):
        run.tables["tlf/en/L38.csv"] = pd.DataFrame({"USUBJID": "S-1", "AVAL": values})
    found = compare(old, new)
    (row,) = found.differences.query("kind == 'output'").to_dict("records")
    assert (row["object"], row["old"], row["new"]) == ("en/L38", "2", "3")
    row = counts(found, "output", "en/L38")
    assert (row["equal"], row["removed"], row["added"]) == (1, 1, 2)


def test_a_finding_is_the_same_where_only_its_row_has_moved() -> None:
    old, new = make_run(), make_run()
    finding = {
        **{"severity": "warning", "rule_id": "R", "domain": "PC", "file": "pc.csv"},
        **{"column": "PCDTC", "subject": "S-1", "value": "x"},
    }
    known = old.tables["checks/findings.csv"].columns
    for run, place in ((old, "3"), (new, "5")):
        rows = [{**finding, "row": place, "message_en": f"pc.csv, row {place}: x"}]
        run.tables["checks/findings.csv"] = pd.DataFrame(rows, columns=known).fillna("")
    assert compare(old, new).differences.empty
    new.tables["checks/findings.csv"]["severity"] = "error"
    new.settings["study_data"]["missing_texts"] = ["NA"]
    found = compare(old, new)
    (row,) = found.differences.query("kind == 'finding'").to_dict("records")
    assert (row["subject"], row["old"], row["new"]) == ("S-1", "warning", "error")
    assert row["causes"] == "setting:study_data.missing_texts"


def test_the_status_of_a_clause_is_a_verdict() -> None:
    old, new = make_run(), make_run()
    new.tables["report/clause_matrix.csv"]["STATUS"] = "not_available"
    (row,) = compare(old, new).differences.query("kind == 'verdict'").to_dict("records")
    assert (row["key"], row["old"], row["new"]) == ("CLAUSE=S4.1-1", "addressed", "not_available")


def test_a_table_that_only_one_run_has_is_added_record_by_record() -> None:
    old, new = make_run(), make_run()
    del old.tables["adam/ADPP.parquet"]
    assert new.code is not None
    new.code["cellular_kinetics"] = "other"
    found = compare(old, new)
    row = counts(found, "parameter", "ADPP")
    assert (row["old"], row["new"], row["added"]) == (0, 3, 3)


def test_the_comparison_gives_the_same_table_twice() -> None:
    old = make_run()
    first, second = (compare(old, with_peak(old, "S-2", 260.0)) for _ in range(2))
    assert digest(first.differences) == digest(second.differences)
    assert digest(first.counts) == digest(second.counts)


def test_every_dataset_of_the_stages_can_be_compared() -> None:
    from celldossier.run_comparison.compare import dataset_layout

    for stage in STAGES.values():
        for name in stage.datasets:
            layout = dataset_layout(name)
            assert set(layout.keys) - set(layout.trace), name

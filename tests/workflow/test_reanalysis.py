"""A frozen run, a change, the same run folder again: what re-runs, what differs, and why."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from clones import MINI, Clone, expect_success

from celldossier.io.files import hash_file

RUN = Path("results/MINI")
FROZEN = Path("archive/first")
KEYS = {"comparability.by": ("", "PROCESS"), "comparability.reference": ("", "A")}


def freeze(clone: Clone) -> None:
    expect_success(clone.celldossier("freeze", "first", "--run", str(RUN), "--configfile", MINI))


def name_reference(clone: Clone) -> None:
    clone.edit(MINI, "\nrun: MINI\n", "\nrun: MINI\nreference_run: first\n")


def compare_processes(clone: Clone) -> None:
    clone.edit(MINI, "\nreport:\n", "\ncomparability: {by: PROCESS, reference: A}\nreport:\n")


def count_jobs(clone: Clone) -> Counter[str]:
    """Jobs by rule that a run of the mini study would execute now."""
    result = clone.snakemake("--dry-run", "--configfile", MINI)
    expect_success(result)
    return Counter(
        line.split()[1].rstrip(":")
        for line in result.stdout.splitlines()
        if line.startswith(("rule ", "localrule "))
    )


def read_differences(folder: Path) -> list[dict[str, str]]:
    text = (folder / "differences.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_setting_of_the_comparability_re_runs_one_analysis_and_what_prints_it(
    mini_copy: Clone,
) -> None:
    compare_processes(mini_copy)
    assert count_jobs(mini_copy) == {
        **{"settings": 1, "comparability": 1, "tlf": 1, "clause_matrix": 1, "render_report": 1},
        **{"manifest": 1, "all": 1},
    }


def test_a_reference_run_re_runs_the_comparison_and_the_report_alone(mini_copy: Clone) -> None:
    freeze(mini_copy)
    assert count_jobs(mini_copy) == {}
    name_reference(mini_copy)
    assert count_jobs(mini_copy) == {
        **{"settings": 1, "compare_runs": 1, "render_report": 1, "manifest": 1, "all": 1}
    }


@pytest.fixture
def updated(mini_copy: Clone) -> Clone:
    """The mini study, frozen, with a comparison of the processes added, up to `compare_runs`."""
    freeze(mini_copy)
    name_reference(mini_copy)
    compare_processes(mini_copy)
    target = str(RUN / "comparison/differences.json")
    expect_success(mini_copy.snakemake(target, "--configfile", MINI))
    return mini_copy


def test_the_comparison_names_the_setting_and_finds_every_other_file_equal(updated: Clone) -> None:
    """One run is held by all that can be said of it, for each costs a minute."""
    run, frozen = updated.root / RUN, updated.root / FROZEN
    changes = json.loads((run / "comparison/differences.json").read_text(encoding="utf-8"))
    causes = {cause["name"]: cause for cause in changes["causes"]}
    assert {cause["kind"] for cause in causes.values()} == {"setting"}
    for name, (old, new) in KEYS.items():
        assert (causes[name]["old"], causes[name]["new"]) == (old or '""', new)
    differences = read_differences(run / "comparison")
    assert {row["key"] for row in differences if row["kind"] == "setting"} == set(KEYS)
    found = {row["object"] for row in differences if row["kind"] == "result"}
    assert found == {"comparability"}
    assert {row["kind"] for row in differences} <= {
        *("setting", "result", "cell", "output", "wording", "verdict"),
    }
    for row in differences:
        if row["kind"] != "setting":
            assert row["causes"] == "; ".join(f"setting:{name}" for name in sorted(KEYS)), row
    # Every dataset and result but those of the stage itself has the bytes that it had.
    unequal = {
        path.relative_to(frozen).as_posix()
        for folder in ("adam", "ard", "checks", "settings")
        for path in (frozen / folder).iterdir()
        if hash_file(path) != hash_file(run / folder / path.name)
    }
    assert unequal == {
        *("ard/comparability.parquet", "settings/comparability.json", "settings/run.json"),
    }
    equal = {line["kind"]: line["equal"] for line in changes["totals"]}
    assert equal["dataset"] > 1000 and equal["parameter"] > 1000 and equal["cell"] > 1000


def test_one_changed_result_leaves_the_rows_of_every_other_subject_as_they_were(
    mini_copy: Clone,
) -> None:
    freeze(mini_copy)
    raw = mini_copy.root / "resources/studies/MINI/pc.csv"
    records = pd.read_csv(raw, dtype=str, keep_default_na=False)
    numbers = pd.to_numeric(records["PCORRES"], errors="coerce")
    chosen = numbers[(records["PCTESTCD"] == "CARPCR") & (records["PCSPEC"] == "BLOOD")].idxmax()
    subject = records.loc[chosen, "USUBJID"]
    records.loc[chosen, "PCORRES"] = f"{2 * numbers[chosen]:.10g}"
    records.to_csv(raw, index=False, lineterminator="\n")
    expect_success(mini_copy.snakemake("kinetics", "--configfile", MINI))
    for name in ("ADPC", "ADNCA", "ADPP"):
        old, new = (
            pd.read_parquet(mini_copy.root / folder / f"adam/{name}.parquet")
            for folder in (FROZEN, RUN)
        )
        own = [frame[frame["USUBJID"] == subject] for frame in (old, new)]
        assert not own[0].equals(own[1]), name
        others = [frame[frame["USUBJID"] != subject] for frame in (old, new)]
        assert len(others[0]) > len(own[0])
        assert others[0].to_csv() == others[1].to_csv(), name
    # The stages behind the kinetics have not run again: what is compared is what there is now.
    expect_success(mini_copy.celldossier("manifest", "--run", str(RUN)))
    result = mini_copy.celldossier("diff", str(FROZEN), str(RUN), "-o", "out")
    assert result.returncode == 6, result.stderr
    differences = read_differences(mini_copy.root / "out")
    (record,) = (row for row in differences if row["kind"] == "raw_record")
    assert (record["subject"], record["variable"]) == (subject, "PCORRES")
    parameters = [row for row in differences if row["object"] == "ADPP"]
    assert {"CMAX", "AUC28"} <= {
        part.removeprefix("PARAMCD=") for row in parameters for part in row["key"].split("; ")
    }
    assert {(row["subject"], row["causes"]) for row in parameters} == {
        (subject, f"data:pc.csv[{subject}]")
    }

"""What re-runs, what does not, and what stops a run: on the study of twelve subjects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from clones import MINI, Clone

RUN = Path("results/MINI")
AFTER_KINETICS = {
    "cellular_kinetics",
    "pharmacodynamics",
    "dose_exploration",
    "immunogenicity",
    "exposure_response",
    "special_considerations",
    "comparability",
    "tlf",
    "clause_matrix",
    "render_report",
    "manifest",
    "settings",
    "all",
}
Planned = Callable[..., set[str]]


def test_a_second_run_does_nothing(mini: Clone) -> None:
    result = mini.snakemake("--configfile", MINI)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


def test_a_comment_in_the_config_re_runs_nothing(mini_copy: Clone, planned: Planned) -> None:
    mini_copy.edit(MINI, "run: MINI\n", "run: MINI\n# a remark\n")
    assert planned(mini_copy) == set()


def test_a_touched_raw_file_re_runs_nothing(mini_copy: Clone, planned: Planned) -> None:
    (mini_copy.root / "resources/studies/MINI/pc.csv").touch()
    assert planned(mini_copy) == set()


def test_a_changed_setting_re_runs_its_stage_and_what_follows_only(
    mini_copy: Clone, planned: Planned
) -> None:
    mini_copy.edit(MINI, "  end_window: 3 ", "  end_window: 2 ")
    assert planned(mini_copy) == AFTER_KINETICS


def test_a_changed_report_text_re_runs_no_analysis(mini_copy: Clone, planned: Planned) -> None:
    mini_copy.edit(MINI, "  narratives: {}", "  narratives: {dose_rationale: {en: a, zh: b}}")
    rules = planned(mini_copy)
    assert {"settings", "render_report", "clause_matrix", "manifest"} <= rules
    assert not rules & {"study_data", "cellular_kinetics", "exposure_response"}


@pytest.mark.parametrize(
    ("stage", "before"),
    [
        ("cellular_kinetics", {"study_data"}),
        ("immunogenicity", {"study_data", "cellular_kinetics", "pharmacodynamics"}),
    ],
)
def test_an_edit_of_a_stage_re_runs_that_stage_and_not_the_stages_before(
    mini_copy: Clone, planned: Planned, stage: str, before: set[str]
) -> None:
    source = mini_copy.root / "workflow/src/celldossier" / stage / "__init__.py"
    source.write_text(source.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    rules = planned(mini_copy)
    assert stage in rules
    assert not rules & before


def test_a_changed_concentration_moves_the_reported_cmax(mini_copy: Clone) -> None:
    raw = mini_copy.root / "resources/studies/MINI/pc.csv"
    frame = pd.read_csv(raw, dtype=str, keep_default_na=False)
    number = pd.to_numeric(frame["PCORRES"], errors="coerce")
    chosen = number[(frame["PCTESTCD"] == "CARPCR") & (frame["PCSPEC"] == "BLOOD")].idxmax()
    subject = frame.loc[chosen, "USUBJID"]
    raised = f"{2 * number[chosen]:.10g}"
    frame.loc[chosen, "PCORRES"] = raised
    frame.to_csv(raw, index=False, lineterminator="\n")
    assert mini_copy.snakemake("kinetics", "--configfile", MINI).returncode == 0
    adpp = pd.read_parquet(mini_copy.root / RUN / "adam/ADPP.parquet")
    cmax = adpp[
        (adpp["USUBJID"] == subject) & (adpp["PARAMCD"] == "CMAX") & (adpp["PARCAT1"] == "PCR")
    ]
    assert cmax["AVAL"].tolist() == [float(raised)]


def test_an_error_in_the_data_stops_the_run_and_keeps_the_findings(mini_copy: Clone) -> None:
    raw = mini_copy.root / "resources/studies/MINI/pc.csv"
    lines = raw.read_text(encoding="utf-8").splitlines(keepends=True)
    raw.write_text("".join([*lines, lines[-1]]), encoding="utf-8")
    result = mini_copy.snakemake("--configfile", MINI)
    assert result.returncode == 1
    findings = pd.read_csv(mini_copy.root / RUN / "checks/findings.csv", keep_default_na=False)
    assert (findings["severity"] == "error").sum() >= 1
    assert "Traceback" not in result.stdout + result.stderr


def test_a_config_that_cannot_be_used_is_explained_without_a_traceback(mini_copy: Clone) -> None:
    mini_copy.edit(MINI, "  end_window: 3 ", "  end_windw: 3 ")
    result = mini_copy.snakemake("--configfile", MINI, "--dry-run")
    assert result.returncode == 1
    text = result.stdout + result.stderr
    assert "'cellular_kinetics.end_windw' is unknown" in text
    assert "'end_window'" in text
    assert "Traceback" not in text


def test_the_named_targets_make_their_part_only(mini_copy: Clone) -> None:
    import shutil

    shutil.rmtree(mini_copy.root / "results")
    assert mini_copy.snakemake("check", "--configfile", MINI).returncode == 0
    run = mini_copy.root / RUN
    assert json.loads((run / "checks/gate.json").read_text())["errors"] == 0
    assert not (run / "ard/cellular_kinetics.parquet").exists()


def test_a_domain_that_was_not_collected_is_said_so_and_its_clauses_are_not_available(
    mini_copy: Clone,
) -> None:
    mini_copy.edit(MINI, "    IS:\n      file: is.csv\n      nominal_time_unit: days\n", "")
    result = mini_copy.snakemake("--configfile", MINI)
    assert result.returncode == 0, result.stderr[-3000:]
    tlfs = json.loads((mini_copy.root / RUN / "tlf/en/tlfs.json").read_text(encoding="utf-8"))
    ada = next(item for item in tlfs if item["id"] == "T78")
    assert (ada["status"], ada["reason_code"]) == ("not_shown", "NOTCOLL")
    matrix = pd.read_csv(mini_copy.root / RUN / "report/clause_matrix.csv").set_index("CLAUSE")
    assert "T78" not in str(matrix.loc["S7.1-1", "EVIDENCE"])
    page = (mini_copy.root / RUN / "report/en/clinical-pharmacology-report.html").read_text()
    assert "not collected" in page


def test_verify_names_a_file_that_was_changed_afterwards(mini_copy: Clone) -> None:
    target = mini_copy.root / RUN / "report/clause_matrix.csv"
    target.write_text(target.read_text().replace("not_available", "addressed"))
    result = mini_copy.celldossier("verify", str(RUN))
    assert result.returncode == 5
    assert "report/clause_matrix.csv has changed" in result.stderr


def test_snakemake_lint_finds_nothing(mini: Clone) -> None:
    result = mini.snakemake("--lint", "--configfile", MINI)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Congratulations" in result.stdout + result.stderr


def test_the_report_of_snakemake_holds_the_tables_of_both_languages(mini_copy: Clone) -> None:
    result = mini_copy.snakemake("--configfile", MINI, "--report", "workflow-report.html")
    assert result.returncode == 0, result.stderr[-3000:]
    page = (mini_copy.root / "workflow-report.html").read_text(encoding="utf-8")
    assert "T25" in page and "F22" in page


def test_check_lists_findings_and_gives_the_promised_exit_codes(mini_copy: Clone) -> None:
    assert mini_copy.celldossier("check", "--configfile", MINI).returncode == 0
    (mini_copy.root / "resources/studies/MINI/pc.csv").unlink()
    result = mini_copy.celldossier("check", "--configfile", MINI)
    assert result.returncode == 3
    assert "pc.csv" in result.stdout and "Traceback" not in result.stderr
    mini_copy.edit(MINI, "run: MINI", "rum: MINI")
    assert mini_copy.celldossier("check", "--configfile", MINI).returncode == 2

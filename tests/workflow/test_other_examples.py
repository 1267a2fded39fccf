"""The CAR-NK and the stem cell study come to a report, here in Chinese, as the CAR-T study does."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from clones import Clone

STUDIES = {"nkx": "NKX-201", "msx": "MSX-301"}


@pytest.fixture(scope="module", params=list(STUDIES))
def run(request: pytest.FixtureRequest) -> Path:
    """Results of a study, run in a clone of its own."""
    clone: Clone = request.getfixturevalue(request.param)
    return clone.root / "results" / STUDIES[request.param]


def test_the_study_comes_to_a_report(run: Path) -> None:
    report = run / "report" / "zh" / "clinical-pharmacology-report.pdf"
    assert report.stat().st_size > 100_000
    # Who asks for one language gets that alone.
    assert not (run / "report" / "en").exists() and not (run / "tlf" / "en").exists()


def test_no_record_is_lost_and_none_is_an_error(run: Path) -> None:
    account = pd.read_csv(run / "checks" / "accounting.csv", keep_default_na=False)
    assert (account["records_in"] == account["records_used"] + account["records_excluded"]).all()
    findings = pd.read_csv(run / "checks" / "findings.csv")
    assert not (findings["severity"] == "error").any()


def test_an_empty_parameter_says_why(run: Path) -> None:
    parameters = pd.read_parquet(run / "adam" / "ADPP.parquet")
    assert len(parameters) > 0
    empty = parameters["AVAL"].isna()
    assert (parameters.loc[empty, "PPREASND"] != "").all()


def test_lymphodepletion_and_lots_are_shown_where_the_study_has_them(run: Path) -> None:
    tlfs = json.loads((run / "tlf" / "zh" / "tlfs.json").read_text(encoding="utf-8"))
    state = {tlf["id"]: (tlf["status"], tlf["reason_code"], tlf["subjects"]) for tlf in tlfs}
    stem = run.name == "MSX-301"
    assert state["T05"] == (("not_shown", "NOTCLASS", 0) if stem else ("shown", "", 48))
    assert state["T16"] == ("shown", "", 60 if stem else 48)
    matrix = pd.read_csv(run / "report" / "clause_matrix.csv").set_index("CLAUSE")
    status = "not_applicable" if stem else "addressed"
    assert matrix.loc["S8.3-1", "STATUS"] == status
    assert ("T05" in str(matrix.loc["S8.3-1", "EVIDENCE"])) != stem


def test_clauses_of_other_classes_of_product_are_not_applicable(run: Path) -> None:
    matrix = pd.read_csv(run / "report" / "clause_matrix.csv").set_index("CLAUSE")["STATUS"]
    stem = run.name == "MSX-301"
    assert (matrix["S7.1-1"] == "not_applicable") == stem
    assert (matrix["S7.1-2"] == "not_applicable") != stem
    assert (matrix["S3.2-11"] == "not_applicable") == stem  # repeat doses

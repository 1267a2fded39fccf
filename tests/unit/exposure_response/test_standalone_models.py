"""The models, the blocks of rows and the hard tables of ``celldossier er``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from celldossier.cli import main
from celldossier.errors import InputDataError
from celldossier.exposure_response.standalone import (
    COLUMNS,
    Model,
    answer_questions,
    estimate_table,
    join_answers,
)
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.cox import estimate_cox
from celldossier.stats.cox_diagnostics import test_proportional_hazards as check_hazards
from celldossier.stats.logistic import estimate_logistic

ROOT = Path(__file__).parents[3]
LUNG = ROOT / "tests" / "reference" / "stats" / "input_lung.csv"
R_ANSWERS = ROOT / "tests" / "reference" / "stats" / "answers_cox.csv"

RNG = np.random.default_rng(5)
N = 40
EXPOSURE = RNG.lognormal(9, 1.2, N)
TABLE = pd.DataFrame(
    {
        "CMAX": EXPOSURE,
        "AUC": EXPOSURE * RNG.lognormal(1, 0.3, N),
        "EVENT": (RNG.random(N) < 0.5).astype(int),
        "DEATH": (np.arange(N) % 3 > 0).astype(int),
        "DAYS": np.ceil(RNG.exponential(90, N)),
        "GRADE": RNG.integers(0, 4, N),
        "AGE": RNG.integers(20, 70, N),
    }
).astype(str)


def test_the_cox_model_of_the_lung_data_is_that_of_r() -> None:
    lung = pd.read_csv(LUNG, dtype=str, keep_default_na=False)
    lung["died"] = (lung["status"] == "2").astype(int).astype(str)
    found = estimate_table(lung, "died", "age", ["sex", "ph.ecog"], "cox", time="time")
    found = found.set_index("TERM")
    answers = pd.read_csv(R_ANSWERS, keep_default_na=False)
    for row in answers[answers["analysis"] == "coxph_lung_efron"].itertuples():
        column = {"estimate": "ESTIMATE", "se": "SE"}.get(row.statistic)
        if column and row.term != "model":
            assert found.loc[row.term, column] == pytest.approx(float(row.value), rel=1e-6)
    for row in answers[answers["analysis"] == "cox_zph_lung"].itertuples():
        if row.statistic == "p":
            assert found.loc[f"PH({row.term})", "P"] == pytest.approx(float(row.value), rel=1e-6)
    assert set(found.loc[["age", "PH(GLOBAL)"], "N"]) == {227}
    assert list(found["REASND"]) == ["", "", "", *["PHTEST"] * 4]


def test_a_time_gives_a_cox_model_by_the_rules_of_the_stage() -> None:
    time, event = TABLE["DAYS"].astype(float), TABLE["DEATH"].astype(int)
    fit = estimate_cox(time, event, np.log2(EXPOSURE), ["CMAX"])
    found = estimate_table(TABLE, "DEATH", "CMAX", log2=True, time="DAYS").set_index("TERM")
    term = fit.coefficient("CMAX")
    values = [term.estimate, term.low, term.high, term.p]
    columns = ["ESTIMATE", "CI_LOW", "CI_HIGH", "P"]
    assert found.loc["CMAX", columns].tolist() == pytest.approx(values, rel=1e-9)
    assert found.loc["CMAX", "METHOD"] == "COX"
    assert found.loc["PH(CMAX)", "P"] == pytest.approx(check_hazards(fit)["CMAX"].p, rel=1e-9)
    assert "PH(GLOBAL)" not in found.index

    few = TABLE.assign(DEATH=(np.arange(N) % 5 == 0).astype(int).astype(str))
    assert estimate_table(few, "DEATH", "CMAX", time="DAYS")["METHOD"].iloc[0] == "FIRTH-COX"
    fewer = TABLE.assign(DEATH=(np.arange(N) % 10 == 0).astype(int).astype(str))
    refused = estimate_table(fewer, "DEATH", "CMAX", time="DAYS")
    assert refused["REASND"].tolist() == ["FEWEVENT"] and refused["ESTIMATE"].isna().all()


def test_a_cox_model_that_was_asked_for_is_not_changed_for_another() -> None:
    group = (np.arange(N) < 20).astype(int)
    monotone = TABLE.assign(CMAX=group.astype(str), DEATH=((group == 1) & (EXPOSURE > 5000)))
    monotone["DEATH"] = monotone["DEATH"].astype(int).astype(str)
    asked = estimate_table(monotone, "DEATH", "CMAX", model="cox", time="DAYS")
    assert asked["REASND"].tolist() == ["MONOTONE"] and asked["ESTIMATE"].isna().all()
    for model in ("firth-cox", None):
        found = estimate_table(monotone, "DEATH", "CMAX", model=model, time="DAYS").iloc[0]
        assert found["METHOD"] == "FIRTH-COX" and 0 < found["CI_LOW"] < found["CI_HIGH"] < np.inf
        assert found["REASND"] == "MONOTFIX"


@pytest.mark.parametrize("model", ["poisson", "negbin"])
def test_counts_are_fitted_per_unit_of_their_follow_up(model: Model) -> None:
    from celldossier.stats.count_models import estimate_count_model

    found = estimate_table(TABLE, "GRADE", "CMAX", model=model, log2=True, time="DAYS")
    counts, days = TABLE["GRADE"].astype(float), TABLE["DAYS"].astype(float)
    fit = estimate_count_model(counts, days, np.log2(EXPOSURE), ["CMAX"], model.upper())
    term = fit.coefficient("CMAX")
    values = [term.estimate, term.se, term.low, term.high, term.p]
    columns = ["ESTIMATE", "SE", "CI_LOW", "CI_HIGH", "P"]
    assert found.loc[0, columns].tolist() == pytest.approx(values, rel=1e-6)
    assert (found["METHOD"] == model.upper()).all() and (found["EVENTS"] == counts.sum()).all()
    with pytest.raises(InputDataError) as error:
        wrong = TABLE.assign(GRADE=["-1", *TABLE["GRADE"][1:]], DAYS=["0", *TABLE["DAYS"][1:]])
        estimate_table(wrong, "GRADE", "CMAX", model=model, time="DAYS")
    assert error.value.faults == (
        "data row 1, column GRADE, value '-1': a count is a whole number, 0 or more.",
        "data row 1, column DAYS, value '0': a time is a number, above 0.",
    )


def test_several_outcomes_and_metrics_give_a_block_each_in_models_of_their_own() -> None:
    answers = answer_questions(
        TABLE, ["EVENT", "DEATH"], ["CMAX", "AUC"], ["AGE"], "firth", log2=True
    )
    found = join_answers(answers)
    assert list(found.columns) == [*COLUMNS, "OUTCOME", "METRIC"]
    assert list(zip(found["OUTCOME"], found["METRIC"], found["TERM"], strict=True)) == [
        (outcome, metric, term)
        for outcome in ("EVENT", "DEATH")
        for metric in ("CMAX", "AUC")
        for term in (metric, "AGE", "(Intercept)")
    ]
    alone = estimate_table(TABLE, "DEATH", "AUC", ["AGE"], "firth", log2=True)
    assert list(alone.columns) == list(COLUMNS)
    block = found[(found["OUTCOME"] == "DEATH") & (found["METRIC"] == "AUC")]
    pd.testing.assert_frame_equal(block[list(COLUMNS)].reset_index(drop=True), alone)


def test_each_outcome_may_have_a_time_of_its_own() -> None:
    table = TABLE.assign(MONTHS=(TABLE["DAYS"].astype(float) / 30 + np.arange(N)).astype(str))
    found = join_answers(
        answer_questions(table, ["EVENT", "DEATH"], ["CMAX"], times=["DAYS", "MONTHS"])
    )
    second = estimate_table(table, "DEATH", "CMAX", time="MONTHS")
    rows = found.loc[found["OUTCOME"] == "DEATH", list(COLUMNS)].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, second)


def test_the_level_is_that_of_the_interval() -> None:
    settings = ExposureResponseSettings(confidence_level=0.8)
    found = estimate_table(TABLE, "EVENT", "CMAX", log2=True, settings=settings).iloc[0]
    fit = estimate_logistic(
        TABLE["EVENT"].astype(float), np.log2(EXPOSURE), ["CMAX"], "ML", level=0.8
    )
    assert found["CI_LOW"] == pytest.approx(fit.coefficient("CMAX").low, rel=1e-9)


def test_faults_of_all_columns_are_told_together_with_row_value_and_rule() -> None:
    wrong = TABLE.assign(
        DEATH=["2", *TABLE["DEATH"][1:]],
        DAYS=["-1", "soon", *TABLE["DAYS"][2:]],
        AGE=["old", *TABLE["AGE"][1:]],
        CMAX=["inf", *TABLE["CMAX"][1:]],
    )
    with pytest.raises(InputDataError) as error:
        answer_questions(wrong, ["DEATH"], ["CMAX"], ["AGE"], times=["DAYS"], source="t.csv")
    assert error.value.faults == (
        "t.csv: data row 1, column CMAX, value 'inf': an exposure is a number.",
        "t.csv: data row 1, column DEATH, value '2': an event is 0 or 1.",
        "t.csv: data row 1, column DAYS, value '-1': a time is a number, 0 or more.",
        "t.csv: data row 2, column DAYS, value 'soon': a time is a number, 0 or more.",
        "t.csv: data row 1, column AGE, value 'old': most values of this covariate are numbers, "
        "so all of them must be.",
    )


def test_many_faults_of_one_column_are_counted() -> None:
    with pytest.raises(InputDataError) as error:
        estimate_table(TABLE.assign(CMAX="high"), "EVENT", "CMAX")
    assert len(error.value.faults) == 21
    assert error.value.faults[-1] == "20 more rows have the same fault in the column CMAX."


def test_a_grade_that_is_no_whole_number_is_a_fault() -> None:
    with pytest.raises(InputDataError) as error:
        estimate_table(TABLE.assign(GRADE=["1.5", *TABLE["GRADE"][1:]]), "GRADE", "CMAX")
    assert error.value.faults == (
        "data row 1, column GRADE, value '1.5': a grade is a whole number.",
    )


def test_the_help_names_the_thresholds_of_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["er", "--help"])
    text, settings = " ".join(capsys.readouterr().out.split()), ExposureResponseSettings()
    for rule in (
        f"fewer than {settings.min_events:g} events (or non-events), or "
        f"{settings.min_events_per_parameter:g} per term, give no model",
        f"correlation with the metric is above {settings.max_correlation:g}",
        f"fewer than {settings.firth_below:g} per term give Firth's penalty",
    ):
        assert rule in text


def test_the_rules_of_the_stage_refuse_too_many_terms_and_a_second_exposure() -> None:
    table = TABLE.assign(RARE=(np.arange(N) % 4 == 0).astype(int).astype(str))
    for time in ("", "DAYS"):
        found = estimate_table(table, "RARE", "CMAX", ["AGE", "GRADE"], time=time)
        assert set(found["REASND"]) == {"EPPLOW"} and found["EVENTS"].iloc[0] == 10
        found = estimate_table(table, "DEATH", "CMAX", ["AUC"], log2=False, time=time)
        assert set(found["REASND"]) == {"COLLIN"} and found["ESTIMATE"].isna().all()
    # A model that is asked for by name is fitted.
    asked = estimate_table(table, "RARE", "CMAX", ["AGE", "GRADE"], "firth")
    assert asked["ESTIMATE"].notna().all()


def test_options_that_do_not_fit_together_are_told_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    TABLE.to_csv(data, index=False)
    base = ["er", str(data), "-o", str(out)]
    assert main([*base, "--outcome", "EVENT,EVENT", "--metric", ",", "--time", "A,B,C"]) == 2
    told = capsys.readouterr().err
    for text in ("--metric names no column", "EVENT twice", "3 columns for 2 outcomes"):
        assert text in told
    for wrong in (["--model", "firth-cox"], ["--model", "ordinal", "--time", "DAYS"]):
        assert main([*base, "--outcome", "EVENT", "--metric", "CMAX", *wrong]) == 2
    assert not out.exists()


def test_rows_left_out_are_told_with_their_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    table = TABLE.copy()
    table.loc[0, "EVENT"] = ""
    table.loc[[0, 1], "CMAX"] = "NA"
    table.loc[[2, 3], "CMAX"] = "0"
    table.loc[4, "AGE"] = "."
    table.to_csv(data, index=False)
    arguments = ["--outcome", "EVENT", "--metric", "CMAX,AUC", "--covariates", "AGE", "--log2"]
    assert main(["er", str(data), *arguments, "--level", "0.9", "-o", str(out)]) == 0
    told = capsys.readouterr().err
    assert (
        "EVENT by CMAX: 40 rows, 35 used, 5 left out (EVENT is blank: 1, CMAX is blank: 1, "
        "CMAX has no logarithm: 2, AGE is blank: 1)."
    ) in told
    assert (
        "EVENT by AUC: 40 rows, 38 used, 2 left out (EVENT is blank: 1, AGE is blank: 1)." in told
    )
    assert set(pd.read_csv(out)["N"]) == {35, 38}


X = np.log2(EXPOSURE)
HIGH = float(np.median(X)) < X
HARD: dict[str, tuple[dict[str, object], list[str]]] = {
    "separation": ({"EVENT": HIGH}, []),
    "one event": ({"EVENT": np.arange(N) == 3}, []),
    "zero events": ({"EVENT": np.zeros(N)}, []),
    "all events": ({"EVENT": np.ones(N)}, []),
    "constant exposure": ({"CMAX": np.full(N, 7.0)}, []),
    "all BLQ": ({"CMAX": np.zeros(N)}, []),
    "covariate missing": ({"AGE": [""] * N}, ["AGE"]),
    "covariate of one level": ({"AGE": ["M"] * N}, ["AGE"]),
    "collinear covariate": ({"AGE": 3 * X + 1}, ["AGE"]),
    "monotone": ({"EVENT": HIGH, "DAYS": np.where(HIGH, 1, 99)}, []),
    "three subjects": ({}, ["AGE"]),
}
MODELS = {
    "by the rules": [],
    "logistic": ["--model", "logistic"],
    "firth": ["--model", "firth"],
    "ordinal": ["--model", "ordinal"],
    "time": ["--time", "DAYS"],
    "cox": ["--model", "cox", "--time", "DAYS"],
    "firth-cox": ["--model", "firth-cox", "--time", "DAYS"],
    "poisson": ["--model", "poisson"],
    "negbin": ["--model", "negbin", "--time", "DAYS"],
}
EXPECTED = {
    "zero events": {"NOEVENT", "TWOLEVEL"},
    "all events": {"ALLEVENT", "TWOLEVEL", "", "PHTEST", "THRESHOLD", "NOCONV"},
    "constant exposure": {"CONSTANT"},
    "all BLQ": {"NOSUBJ", "FEWSUBJ"},
    "covariate missing": {"NOSUBJ", "FEWSUBJ"},
    "covariate of one level": {"CONSTANT"},
    "collinear covariate": {"COLLIN"},
}


@pytest.mark.parametrize("case", HARD)
def test_a_hard_table_gives_a_result_or_a_reason_and_nothing_infinite(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    codes = yaml.safe_load((ROOT / "resources" / "terms" / "reason_codes.yaml").read_text("utf-8"))
    changes, covariates = HARD[case]
    table = TABLE.assign(
        **{
            name: np.asarray(values).astype(int) if np.asarray(values).dtype == bool else values
            for name, values in changes.items()
        }
    )
    table = table.iloc[[0, 1, 3]] if case == "three subjects" else table
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    table.to_csv(data, index=False)
    for name, options in MODELS.items():
        # Proportional odds need grades; where the case changes the outcome, it has two.
        outcome = "GRADE" if name == "ordinal" and "EVENT" not in changes else "EVENT"
        arguments = ["er", str(data), "--outcome", outcome, "--metric", "CMAX", "--log2"]
        if covariates:
            arguments += ["--covariates", ",".join(covariates)]
        assert main([*arguments, *options, "-o", str(out)]) == 0, name
        found = pd.read_csv(out, keep_default_na=False, na_values=[""])
        reasons = found["REASND"].fillna("")
        values = found[["ESTIMATE", "SE", "CI_LOW", "CI_HIGH", "P"]]
        assert not np.isinf(values.to_numpy(dtype=float)).any(), name
        assert set(reasons) - {""} <= set(codes), name
        # Where no interval stands, a reason does.
        assert (reasons[values["CI_LOW"].isna()] != "").all(), name
        if case in EXPECTED:
            assert set(reasons) <= EXPECTED[case], (name, set(reasons))
    assert not list(recwarn)
    assert "Warning" not in capsys.readouterr().err


def test_no_warning_leaks_from_the_command_as_a_user_runs_it(tmp_path: Path) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    TABLE.assign(EVENT=HIGH.astype(int)).to_csv(data, index=False)
    run = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c", "from celldossier.cli import main; main()"),
            *("er", str(data), "--outcome", "EVENT,DEATH", "--metric", "CMAX,AUC"),
            *("--log2", "-o", str(out)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0 and run.stdout == ""
    note, *lines = run.stderr.splitlines()
    assert note.startswith("Note: SEPARFIX for CMAX") and note.endswith("estimate is kept.")
    assert lines == [
        f"{outcome} by {metric}: 40 rows, 40 used."
        for outcome in ("EVENT", "DEATH")
        for metric in ("CMAX", "AUC")
    ]
    assert pd.read_csv(out)["ESTIMATE"].notna().all()

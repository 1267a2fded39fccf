from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.cli import main
from celldossier.errors import InputDataError
from celldossier.exposure_response.standalone import COLUMNS, estimate_table
from celldossier.stats.logistic import estimate_logistic

RNG = np.random.default_rng(8)
EXPOSURE = RNG.lognormal(9, 1.2, 90)
EVENT = (RNG.random(90) < 1 / (1 + np.exp(-(np.log(EXPOSURE) - 9)))).astype(int)
TABLE = pd.DataFrame(
    {
        "CMAX": [repr(float(v)) for v in EXPOSURE],
        "EVENT": EVENT.astype(str),
        "AGE": RNG.integers(20, 70, 90).astype(str),
        "SEX": np.where(np.arange(90) % 3 == 0, "F", "M"),
        "GRADE": (EVENT * (1 + (EXPOSURE > 9000))).astype(str),
    }
)


def test_the_output_has_exactly_the_promised_columns_and_a_row_a_term() -> None:
    found = estimate_table(TABLE, "EVENT", "CMAX", ["AGE", "SEX"])
    assert (
        tuple(found.columns)
        == COLUMNS
        == (
            *(
                "TERM",
                "ESTIMATE",
                "SE",
                "CI_LOW",
                "CI_HIGH",
                "P",
                "N",
                "EVENTS",
                "METHOD",
                "REASND",
            ),
        )
    )
    assert list(found["TERM"]) == ["CMAX", "AGE", "SEX=M", "(Intercept)"]
    assert (found["N"] == 90).all() and (found["EVENTS"] == EVENT.sum()).all()


def test_with_log2_the_estimate_is_per_doubling() -> None:
    plain = estimate_table(TABLE, "EVENT", "CMAX", model="logistic", log2=True)
    fit = estimate_logistic(EVENT, np.log2(EXPOSURE), ["CMAX"], "ML")
    assert plain.loc[0, "ESTIMATE"] == pytest.approx(fit.coefficient("CMAX").estimate, rel=1e-10)
    assert plain.loc[0, "CI_HIGH"] == pytest.approx(fit.coefficient("CMAX").high, rel=1e-8)
    assert plain.loc[0, "METHOD"] == "ML"


def test_rows_that_are_not_complete_are_left_out_and_n_says_so() -> None:
    table = TABLE.copy()
    table.loc[:1, "CMAX"] = ["", "."]
    table.loc[2, "CMAX"] = "0"
    table.loc[3, "SEX"] = ""
    found = estimate_table(table, "EVENT", "CMAX", ["SEX"], log2=True)
    assert (found["N"] == 86).all()


def test_without_a_model_the_rules_of_the_stage_choose_it() -> None:
    assert estimate_table(TABLE, "EVENT", "CMAX")["METHOD"].iloc[0] == "ML"
    assert estimate_table(TABLE, "GRADE", "CMAX")["METHOD"].iloc[0] == "PO"
    few = TABLE.assign(EVENT=np.where(np.arange(90) % 10 == 0, "1", "0"))
    assert estimate_table(few, "EVENT", "CMAX")["METHOD"].iloc[0] == "FIRTH"
    fewer = TABLE.assign(EVENT=np.where(np.arange(90) % 30 == 0, "1", "0"))
    refused = estimate_table(fewer, "EVENT", "CMAX")
    assert (refused["REASND"] == "FEWEVENT").all() and refused["ESTIMATE"].isna().all()


def test_a_model_that_was_asked_for_is_not_changed_for_another() -> None:
    separated = TABLE.assign(EVENT=(np.argsort(np.argsort(EXPOSURE)) >= 40).astype(int).astype(str))
    asked = estimate_table(separated, "EVENT", "CMAX", model="logistic", log2=True)
    assert (asked["REASND"] == "SEPAR").all() and asked["ESTIMATE"].isna().all()
    free = estimate_table(separated, "EVENT", "CMAX", log2=True)
    assert free["REASND"].iloc[0] == "SEPARFIX"
    assert free["METHOD"].iloc[0] == "FIRTH" and math.isfinite(free["ESTIMATE"].iloc[0])


def test_thresholds_of_an_ordinal_model_carry_their_reason() -> None:
    found = estimate_table(TABLE, "GRADE", "CMAX", log2=True).set_index("TERM")
    assert found.loc["CMAX", "REASND"] == "" and found.loc["0|1", "REASND"] == "THRESHOLD"
    assert found.loc["0|1", "SE"] > 0 and math.isnan(found.loc["0|1", "P"])


def test_all_faults_of_a_table_are_listed_at_once() -> None:
    with pytest.raises(InputDataError) as error:
        estimate_table(TABLE, "CRS", "CMAXX")
    assert len(error.value.faults) == 2
    wrong = TABLE.assign(CMAX=["high", "low", *TABLE["CMAX"][2:]])
    with pytest.raises(InputDataError) as error:
        estimate_table(wrong, "EVENT", "CMAX")
    assert error.value.faults == (
        "data row 1, column CMAX, value 'high': an exposure is a number.",
        "data row 2, column CMAX, value 'low': an exposure is a number.",
    )


def test_the_command_writes_full_precision_and_its_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    TABLE.to_csv(data, index=False)
    arguments = ["er", str(data), "--outcome", "EVENT", "--metric", "CMAX", "--log2"]
    assert main([*arguments, "-o", str(out)]) == 0
    written = pd.read_csv(out, keep_default_na=False)
    expected = estimate_table(TABLE, "EVENT", "CMAX", log2=True)
    assert written["ESTIMATE"].astype(float).tolist() == expected["ESTIMATE"].tolist()
    assert "EVENT by CMAX: 90 rows, 90 used." in capsys.readouterr().err
    assert main([*arguments, "--model", "cox", "-o", str(out)]) == 2
    assert main(["er", str(data), "--outcome", "X", "--metric", "CMAX", "-o", str(out)]) == 3
    absent = str(tmp_path / "none.csv")
    assert main(["er", absent, "--outcome", "X", "--metric", "Y", "-o", str(out)]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_the_simulated_bayesertools_set_is_fitted_as_by_an_independent_route(
    shared_folder: Path,
) -> None:
    # 500 simulated subjects; the other route is the iteratively weighted GLM of statsmodels.
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    path = shared_folder / "data" / "bayesertools" / "d_sim_binom_cov_hgly2.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    covariates = ["BAGE_10", "RACE", "VISC", "BHBA1C_5"]
    found = estimate_table(table, "AEFLAG", "AUCss_1000", covariates).set_index("TERM")
    assert found["N"].iloc[0] == 500 and found["METHOD"].iloc[0] == "ML"
    names = [name for name in found.index if name != "(Intercept)"]
    design = pd.DataFrame(
        {
            name: (table[name.split("=")[0]] == name.split("=")[1]).astype(float)
            if "=" in name
            else table[name].astype(float)
            for name in names
        }
    ).assign(one=1.0)
    glm = GLM(table["AEFLAG"].astype(float), design, family=Binomial()).fit(tol=1e-12)
    assert found.loc[names, "ESTIMATE"].to_numpy() == pytest.approx(
        glm.params[names].to_numpy(), rel=1e-7
    )
    assert found.loc["AUCss_1000", "CI_LOW"] > 0

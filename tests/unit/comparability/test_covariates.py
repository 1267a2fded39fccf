"""Covariates of an adjusted ratio as columns, and what is a random effect."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from comparability_given import make_lots, make_rows, make_sources, make_study, make_subjects
from comparability_given import name_subject as name

from celldossier.comparability.covariates import read_covariates
from celldossier.comparability.kinetics_ratio import choose_cluster
from celldossier.comparability.study import Study

N = 6
ALL = pd.Series([True] * N)


def make(adjust_for: tuple[str, ...], **columns: list[object]) -> Study:
    doses = [
        {
            "USUBJID": name(k), "EXCAT": "CELL PRODUCT", "LOTID": f"L{k:02d}", "DOSETYPE": "FIRST",
            "DOSENO": 1, "DOSEA": 100.0 * k, "DOSEU": "10^6 cells",
        }
        for k in range(1, N + 1)
    ]  # fmt: skip
    sources = make_sources(
        adsl=make_subjects(N, **columns), adpq=make_lots("AAABBB"), adex=make_rows("ADEX", doses)
    )
    return make_study(sources, adjust_for=adjust_for)


def test_numbers_are_columns_and_the_dose_is_its_logarithm() -> None:
    found = read_covariates(make(("AGE", "DOSEA"), AGE=[30.0, 40, 50, 60, 70, math.nan]), ALL)
    assert found.columns == ("AGE", "DOSEA")
    assert np.isnan(found.matrix[5, 0]) and found.matrix[0, 0] == 30
    assert found.matrix[:, 1] == pytest.approx(np.log([100, 200, 300, 400, 500, 600]))


def test_a_text_is_a_column_for_each_level_but_the_most_frequent() -> None:
    levels = ["ALL", "NHL", "NHL", "NHL", "CLL", ""]
    found = read_covariates(make(("INDIC",), INDIC=levels), ALL)
    assert found.columns == ("INDIC=ALL", "INDIC=CLL")
    assert found.matrix[:5].tolist() == [[1, 0], [0, 0], [0, 0], [0, 0], [0, 1]]
    # An unknown indication is none of them.
    assert np.isnan(found.matrix[5]).all()


def test_what_does_not_vary_among_the_compared_is_no_covariate() -> None:
    study = make(("AGE", "SEX"), AGE=[30.0, 30, 30, 30, 30, 60], SEX=["F"] * N)
    compared = ALL.copy()
    compared[5] = False
    found = read_covariates(study, compared)
    assert (found.used, found.unused) == ((), ("AGE", "SEX"))
    assert found.matrix.shape == (N, 0)


def test_of_several_studies_the_study_is_a_covariate_and_of_three_a_random_effect() -> None:
    study = make(("AGE",), AGE=[30.0, 40, 50, 60, 70, 80])
    for studies, cluster in ((["S"] * 3 + ["R"] * 3, ""), (["S", "R", "Q"] * 2, "STUDYID")):
        subjects = study.subjects.assign(STUDYID=studies)
        several = Study(**{**study.__dict__, "subjects": subjects})
        assert "STUDYID" in read_covariates(several, ALL).used
        assert choose_cluster(several, ALL) == cluster


def test_a_shared_donor_goes_before_the_study() -> None:
    study = make(("AGE",))
    subjects = study.subjects.assign(
        DONORID=["D1", "D1", "D2", "D3", "", ""], STUDYID=["S", "R", "Q"] * 2
    )
    assert choose_cluster(Study(**{**study.__dict__, "subjects": subjects}), ALL) == "DONORID"
    alone = subjects.assign(DONORID=["D1", "D2", "D3", "D4", "", ""], STUDYID="S")
    assert choose_cluster(Study(**{**study.__dict__, "subjects": alone}), ALL) == ""

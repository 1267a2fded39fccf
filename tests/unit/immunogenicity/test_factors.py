"""Immune responses by factors: every evaluable subject stands in one level, known or missing."""

from __future__ import annotations

import pandas as pd
import pytest
from immune_study import N, P, make_adab, make_adim, make_adsl, make_readouts

from celldossier.errors import ConfigError
from celldossier.immunogenicity.factors import summarise_factors
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.immune_impact import ImpactSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.proportion import clopper_pearson

VISITS = {
    "A": [(0, N, None), (28, P, 20)],
    "B": [(0, P, 20), (28, P, 20)],
    "C": [(0, N, None), (28, N, None)],
    "D": [(0, N, None)],
}


def results(*factors: str) -> AnalysisResults:
    settings = ImmunogenicitySettings(impact=ImpactSettings(factors=factors))
    spots = [
        {"USUBJID": name, "AFRLT": day, "AVAL": 90.0 if day and name == "A" else 10.0}
        for name in VISITS
        for day in (0.0, 28.0)
    ]
    adab = pd.concat([make_adab(VISITS), make_readouts(spots)], ignore_index=True)
    adsl = make_adsl(list(VISITS)).assign(SEX=["F", "F", "", "F"], PROCESS=["A", "B", "B", "B"])
    out = ResultCollector("immunogenicity")
    summarise_factors(adab, adsl, make_adim(adab, settings), settings, out)
    return AnalysisResults([out.frame()])


def number(found: AnalysisResults, variable: str, stat: str, factor: str, level: str) -> float:
    by = {"factor": factor, "level": level}
    value = found.find("immunogenicity.factor", variable, "CAR", by, stat)
    assert value is not None
    return value.number


def test_each_level_has_its_own_denominator_of_evaluable_subjects() -> None:
    found = results("SEX", "PROCESS")
    assert number(found, "TREATMENT_EMERGENT", "denominator", "SEX", "F") == 2
    assert number(found, "TREATMENT_EMERGENT", "n", "SEX", "F") == 1
    assert number(found, "BASELINE_POSITIVE", "n", "PROCESS", "B") == 1
    assert number(found, "TREATMENT_EMERGENT", "n", "PROCESS", "B") == 0
    high = number(found, "TREATMENT_EMERGENT", "ci_high", "SEX", "F")
    assert high == pytest.approx(100 * clopper_pearson(1, 2)[1])


def test_who_has_no_level_is_counted_as_missing() -> None:
    assert number(results("SEX"), "TREATMENT_EMERGENT", "denominator", "SEX", "MISSING") == 1


def test_a_cellular_response_has_the_judged_as_its_denominator() -> None:
    by = {"factor": "SEX", "level": "F", "test": "ELISPOT"}
    found = results("SEX")
    shares = [
        found.find("immunogenicity.cellular_factor", "AFTER", "CAR", by, stat)
        for stat in ("n", "denominator")
    ]
    # D has no antibody result after the infusion, and yet a readout.
    assert [share.number for share in shares if share] == [1, 3]


def test_a_factor_that_no_subject_has_is_left_out_and_an_unknown_one_is_an_error() -> None:
    assert results("INDIC").frame.empty
    for wrong in ("NOSUCH", "AGE"):
        with pytest.raises(ConfigError, match=wrong):
            results(wrong)

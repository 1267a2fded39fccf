"""Cellular immune responses: who responds, who cannot be judged, and what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from immune_study import N, P, make_adab, make_adim, make_adsl, make_readouts

from celldossier.immunogenicity.cellular_response import (
    derive_cellular_samples,
    derive_cellular_subjects,
)
from celldossier.immunogenicity.cellular_summaries import summarise_cellular_response
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.cellular_response import CellularRule, CellularSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.proportion import clopper_pearson

SPOTS = "SFU/10^6 cells"
RULE = CellularRule(unit=SPOTS, fold=3, difference=50)
SETTINGS = CellularSettings(rules=(RULE,))
WELLS = CellularSettings(rules=(RULE,), controls={"ELISPOT": "ELISPOTC"})


def judge(*readouts: dict[str, Any], settings: CellularSettings = SETTINGS) -> pd.DataFrame:
    rows = [{"USUBJID": "A", **each} for each in readouts]
    return derive_cellular_samples(make_readouts(rows), settings)


@pytest.mark.parametrize(
    ("baseline", "later", "response"),
    [
        (10.0, 60.0, P),
        # Six times the control and yet only 49 above it: noise near zero.
        (10.0, 59.0, N),
        # 60 above it and yet only 1.6-fold: a high background.
        (100.0, 160.0, N),
        (100.0, 300.0, P),
        (0.0, 50.0, P),
    ],
)
def test_both_the_fold_and_the_difference_must_be_met(
    baseline: float, later: float, response: str
) -> None:
    samples = judge({"AFRLT": 0.0, "AVAL": baseline}, {"AFRLT": 28.0, "AVAL": later})
    assert samples["RESPONSE"].tolist() == ["", response]
    assert samples["REASON"].tolist() == ["NOCTRLRD", ""]


def test_control_wells_of_the_same_sample_stand_before_the_baseline() -> None:
    wells = [{"AFRLT": t, "AVAL": 10.0, "PARAMCD": "ELISPOTC"} for t in (0.0, 28.0)]
    wells[1]["AVAL"] = 200.0
    tested = [{"AFRLT": 0.0, "AVAL": 80.0}, {"AFRLT": 28.0, "AVAL": 300.0}]
    samples = judge(*wells, *tested, settings=WELLS)
    assert samples["PARAMCD"].unique().tolist() == ["ELISPOT"]
    assert samples["CONTROL"].tolist() == [10, 200]
    # A response at baseline can be told; on day 28 the background has risen with it.
    assert samples["RESPONSE"].tolist() == [P, N]


def test_a_control_below_its_limit_stands_at_it_and_a_readout_below_it_is_no_response() -> None:
    low = {"BLQFL": "Y", "ALLOQ": 20.0}
    samples = judge({"AFRLT": 0.0, **low}, {"AFRLT": 28.0, "AVAL": 65.0}, {"AFRLT": 90.0, **low})
    # 65 is less than 20 + 50; against a control of 0 it would be a response.
    assert samples["RESPONSE"].tolist() == ["", N, N]
    assert judge({"AFRLT": 0.0, **low}, {"AFRLT": 28.0, "AVAL": 70.0})["RESPONSE"].iloc[1] == P


def test_of_several_pools_of_a_sample_the_highest_decides() -> None:
    pools = [{"AFRLT": 28.0, "AVAL": value} for value in (12.0, 90.0)]
    samples = judge({"AFRLT": 0.0, "AVAL": 10.0}, *pools)
    assert samples["RESPONSE"].tolist() == ["", P]


def test_without_a_rule_a_control_or_a_value_the_reason_is_given() -> None:
    baseline = {"AFRLT": 0.0, "AVAL": 10.0}
    assert judge({"AFRLT": 28.0, "AVAL": 90.0})["REASON"].tolist() == ["NOCTRLRD"]
    assert judge(baseline, {"AFRLT": 28.0, "AVAL": np.nan})["REASON"].iloc[1] == "NOVALUE"
    other = judge(*({**row, "AVALU": "spots"} for row in (baseline, baseline | {"AFRLT": 28.0})))
    assert other["REASON"].tolist() == ["NOCELLRL"] * 2


def test_a_verdict_in_words_stands() -> None:
    samples = judge({"AFRLT": 28.0, "AVALC": P}, {"AFRLT": 90.0, "AVALC": N})
    assert samples["RESPONSE"].tolist() == [P, N]


def test_a_unit_has_one_rule() -> None:
    with pytest.raises(ValueError, match="more than one responder rule"):
        CellularSettings(rules=(RULE, RULE))


def test_each_infused_subject_has_a_verdict_or_a_reason() -> None:
    rows = [
        *({"USUBJID": "A", "AFRLT": t, "AVAL": v} for t, v in ((0, 9), (28, 90), (90, 9))),
        *({"USUBJID": "B", "AFRLT": t, "AVAL": v} for t, v in ((0, 9), (28, 9), (90, 90))),
        {"USUBJID": "C", "AFRLT": 28, "AVAL": 90},
        {"USUBJID": "D", "AFRLT": 0, "AVAL": 9},
    ]
    samples = derive_cellular_samples(make_readouts(rows), SETTINGS)
    subjects = derive_cellular_subjects(samples, make_adsl(list("ABCDE"))).set_index("USUBJID")
    assert subjects["AFTER"].to_dict() == {"A": P, "B": P, "C": "", "D": "", "E": ""}
    assert subjects["LAST"].to_dict() == {"A": N, "B": P, "C": "", "D": "", "E": ""}
    reasons = {"A": "", "B": "", "C": "NOCTRLRD", "D": "NOCELLPB", "E": "NOCELLSM"}
    assert subjects["REASON"].to_dict() == reasons
    assert subjects.loc[["A", "B"], "FIRSTDY"].tolist() == [28, 90]


def simulate(chance: float, seed: int, subjects: int = 80) -> AnalysisResults:
    """Spots of which a share rises from about 12 to about 150 at day 28; half have ADA."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    visits: dict[str, Any] = {}
    for number in range(subjects):
        name = f"S{number:03d}"
        emergent = number % 2 == 0
        visits[name] = [(0, N, None), (28, P if emergent else N, None)]
        responds = emergent and rng.uniform() < chance
        for day in (0.0, 28.0, 90.0):
            level = 150 if responds and day > 0 else 12
            spots = float(np.rint(level * np.exp(0.4 * rng.normal())))
            rows.append({"USUBJID": name, "AFRLT": day, "AVAL": spots})
    adab = pd.concat([make_adab(visits), make_readouts(rows)], ignore_index=True)
    settings = ImmunogenicitySettings(cellular=SETTINGS)
    out = ResultCollector("immunogenicity")
    adim = make_adim(adab, settings)
    summarise_cellular_response(adab, make_adsl(sorted(visits)), adim, settings, out)
    return AnalysisResults([out.frame()])


def number(results: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> float:
    found = results.find(
        f"immunogenicity.{analysis}", variable, "CAR", {"test": "ELISPOT", **by}, stat
    )
    assert found is not None
    return found.number


def test_planted_responders_are_found_among_those_with_antibodies_and_none_elsewhere() -> None:
    results = simulate(0.6, 4)
    emergent = {"ada": "EMERGENT"}
    assert number(results, "cellular_evaluable", "AFTER", "n") == 80
    low, high = (
        number(results, "cellular_incidence", "AFTER", s, **emergent) for s in ("ci_low", "ci_high")
    )
    assert low < 60 < high
    assert number(results, "cellular_incidence", "AFTER", "n", ada="NONE") <= 1
    count = int(number(results, "cellular_incidence", "AFTER", "n"))
    assert number(results, "cellular_incidence", "AFTER", "ci_high") == pytest.approx(
        100 * clopper_pearson(count, 80)[1]
    )


def test_where_nobody_responds_next_to_nobody_is_found() -> None:
    results = simulate(0.0, 5)
    assert number(results, "cellular_incidence", "AFTER", "n") <= 2
    found = results.find(
        "immunogenicity.cellular_incidence", "BEFORE", "CAR", {"test": "ELISPOT"}, "pct"
    )
    assert found is not None and found.note_code == "NOCTRLRD"


def test_where_all_respond_at_baseline_nobody_is_left_for_a_new_response() -> None:
    rows = [
        {"USUBJID": "A", "AFRLT": day, "AVAL": spots, "PARAMCD": code}
        for day in (0, 28)
        for code, spots in (("ELISPOT", 200), ("WELLS", 10))
    ]
    rules = CellularSettings(controls={"ELISPOT": "WELLS"})
    settings = ImmunogenicitySettings(cellular=rules)
    adab = pd.concat(
        [make_adab({"A": [(0, N, None), (28, N, None)]}), make_readouts(rows)], ignore_index=True
    )
    out = ResultCollector("immunogenicity")
    adim = make_adim(adab, settings)
    summarise_cellular_response(adab, make_adsl(["A"]), adim, settings, out)
    results = AnalysisResults([out.frame()])
    assert number(results, "cellular_incidence", "BEFORE", "n") == 1
    found = results.find(
        "immunogenicity.cellular_incidence", "NEW", "CAR", {"test": "ELISPOT"}, "pct"
    )
    assert found is not None and found.note_code == "NOGROUP"


def test_the_course_counts_the_judged_of_each_nominal_day() -> None:
    results = simulate(1.0, 6)
    assert number(results, "cellular_course", "RESPONSE", "denominator", time="90") == 80
    assert number(results, "cellular_course", "RESPONSE", "n", time="90") >= 35
    assert number(results, "cellular_readout", "VALUE", "median", time="0") < 20

"""Lowest dose level with the pre-specified biological activity."""

from __future__ import annotations

from typing import Any

import pytest
from exploration_study import make_rows, make_study, make_subjects, note, read, run_part
from pydantic import ValidationError
from scipy.stats import binomtest

from celldossier.dose_exploration.active_dose import summarise_active_dose
from celldossier.results import AnalysisResults
from celldossier.settings.starting_dose import ActivityCriterion

LABEL = {"en": "sign", "zh": "指征"}
LEVELS = ["DL1"] * 4 + ["DL2"] * 4 + ["DL3"] * 4
PEAK = {
    "code": "EXPAND", "label": LABEL, "source": "KINETICS", "analyte": "PCR", "parameter": "CMAX",
    "at_least": 1000,
}  # fmt: skip


def run(criterion: dict[str, Any], rules: dict[str, Any] | None = None, **data: Any) -> Any:
    adsl, adex = make_subjects(LEVELS)
    activity = {"criteria": [criterion], **(rules or {})}
    study = make_study({"starting_dose": {"activity": activity}}, adsl=adsl, adex=adex, **data)
    return run_part(summarise_active_dose, study)


def peaks(*values: float, reason: str = "") -> Any:
    return make_rows(
        "ADPP",
        [
            {
                "USUBJID": f"A{k:03d}", "PARCAT1": "PCR", "PARAMCD": "CMAX", "AVAL": value,
                "PPREASND": reason if value != value else "",
            }
            for k, value in enumerate(values, start=1)
        ],
    )  # fmt: skip


def test_the_lowest_level_is_the_first_whose_share_reaches_the_rule() -> None:
    adpp = peaks(10, 10, 10, 2000, 10, 2000, 2000, 2000, *[5000] * 4)
    values = run(PEAK, {"min_share": 50, "proposed_level": "DL2"}, adpp=adpp)
    shares = [
        (
            read(values, "activity", "EXPAND", "n", dose=level),
            read(values, "activity", "EXPAND", "n_evaluable", dose=level),
            read(values, "activity", "EXPAND", "met", dose=level),
        )
        for level in ("DL1", "DL2", "DL3")
    ]
    assert shares == [(1, 4, "N"), (3, 4, "Y"), (4, 4, "Y")]
    assert read(values, "activity_range", "EXPAND", "lowest") == "DL2"
    assert read(values, "activity_range", "EXPAND", "highest") == "DL3"
    assert read(values, "activity_range", "EXPAND", "proposed_met") == "Y"
    exact = binomtest(3, 4).proportion_ci(method="exact")
    low, high = (read(values, "activity", "EXPAND", s, dose="DL2") for s in ("ci_low", "ci_high"))
    assert (low, high) == pytest.approx((100 * exact.low, 100 * exact.high))


def test_a_share_at_the_limit_meets_the_rule() -> None:
    values = run(PEAK, {"min_share": 50}, adpp=peaks(10, 10, 2000, 2000))
    assert read(values, "activity", "EXPAND", "met", dose="DL1") == "Y"


def test_the_rule_of_the_lower_limit_asks_for_more_than_the_share() -> None:
    adpp = peaks(10, 10, 10, 2000, 10, 2000, 2000, 2000, *[5000] * 4)
    values = run(PEAK, {"min_share": 50, "min_lower_limit": 30}, adpp=adpp)
    # 3 of 4: lower limit 19.4%; 4 of 4: 39.8%.
    assert read(values, "activity_range", "EXPAND", "lowest") == "DL3"
    assert note(values, "activity_range", "EXPAND", "proposed_met") == "NOPROPOS"


def test_never_quantifiable_is_evaluable_and_an_unknown_parameter_is_not() -> None:
    nan = float("nan")
    never = run(PEAK, adpp=peaks(nan, nan, nan, 2000, reason="BLQALL"))
    assert read(never, "activity", "EXPAND", "n_evaluable", dose="DL1") == 4
    # Nor does a peak that was never seen lie within a limit.
    up_to = {**{k: v for k, v in PEAK.items() if k != "at_least"}, "at_most": 3000}
    early = run(up_to, adpp=peaks(nan, nan, nan, 2000, reason="BLQALL"))
    assert read(early, "activity", "EXPAND", "n", dose="DL1") == 1
    assert read(early, "activity", "EXPAND", "n_evaluable", dose="DL1") == 4
    unknown = run(PEAK, adpp=peaks(nan, nan, nan, 2000, reason="NOSAMPLE"))
    assert read(unknown, "activity", "EXPAND", "n_evaluable", dose="DL1") == 1
    assert note(unknown, "activity", "EXPAND", "met", dose="DL1") == "FEWSUBJ"
    assert note(unknown, "activity", "EXPAND", "pct", dose="DL2") == "NOTCOLL"
    assert note(unknown, "activity_range", "EXPAND", "lowest") == "NOLEVEL"


def samples(rows: list[tuple[str, float, float, str]]) -> Any:
    return make_rows(
        "ADPD",
        [
            {
                "USUBJID": subject, "PARAMCD": "CD19B", "ASPEC": "BLOOD", "AFRLT": day,
                "AVAL": value, "BLQFL": "Y" if value != value else "N", "ALLOQ": 1.0,
                "ABLFL": base,
            }
            for subject, day, value, base in rows
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "threshold", "expected"),
    [
        ("NADIR", {"at_most": 1}, [1, 0]),  # half of the limit, and 30
        ("PEAK", {"at_least": 50}, [0, 1]),  # 10 and 60: the day-29 sample is too late
        ("FOLD", {"at_least": 2}, [0, 1]),  # 10/40 and 60/20
        ("FALL", {"at_most": 0.1}, [1, 0]),  # 0.5/40 and 30/20
    ],
)
def test_a_marker_has_a_peak_a_nadir_and_their_ratio_to_baseline(
    parameter: str, threshold: dict[str, float], expected: list[int]
) -> None:
    nan = float("nan")
    adpd = samples(
        [
            ("A001", -3, 40, "Y"), ("A001", 7, nan, "N"), ("A001", 14, 10, "N"),
            ("A001", 29, 90, "N"), ("A005", -3, 20, "Y"), ("A005", 7, 60, "N"),
            ("A005", 14, 30, "N"),
        ]
    )  # fmt: skip
    criterion = {
        "code": "BCELL", "label": LABEL, "source": "MARKER", "analyte": "CD19B",
        "parameter": parameter, **threshold,
    }  # fmt: skip
    values = run(criterion, adpd=adpd)
    found = [read(values, "activity", "BCELL", "n", dose=level) for level in ("DL1", "DL2")]
    assert found == expected


def test_results_after_tocilizumab_can_be_left_out() -> None:
    adpd = samples([("A001", -3, 40, "Y"), ("A001", 3, 41, "N"), ("A001", 7, 900, "N")])
    adaesi = make_rows("ADAESI", [{"USUBJID": "A001", "AESI": "CRS", "TOCIDY": 5.0}])
    criterion = {
        "code": "IL6UP", "label": LABEL, "source": "MARKER", "analyte": "CD19B",
        "parameter": "FOLD", "at_least": 5,
    }  # fmt: skip
    for before, expected in ((False, 1), (True, 0)):
        rule = {**criterion, "before_tocilizumab": before}
        values = run(rule, adpd=adpd, adaesi=adaesi)
        assert read(values, "activity", "IL6UP", "n", dose="DL1") == expected


def test_an_unknown_response_is_not_evaluable() -> None:
    answers = ("Y", "N", "", "NE")
    adrs = make_rows(
        "ADRS",
        [
            {"USUBJID": f"A{k:03d}", "PARAMCD": "ORR", "AVALC": answer}
            for k, answer in enumerate(answers, start=1)
        ],
    )
    criterion = {"code": "RESP", "label": LABEL, "source": "RESPONSE", "parameter": "ORR"}
    values = run(criterion, adrs=adrs)
    assert read(values, "activity", "RESP", "n", dose="DL1") == 1
    assert read(values, "activity", "RESP", "n_evaluable", dose="DL1") == 2


def test_the_lowest_level_is_that_of_the_lowest_planned_dose_whatever_its_name() -> None:
    adsl, adex = make_subjects(LEVELS)
    adsl = adsl.assign(TRT01A=adsl["TRT01A"].replace({"DL3": "A-HIGH"}))
    activity = {"criteria": [PEAK]}
    study = make_study(
        {"starting_dose": {"activity": activity}}, adsl=adsl, adex=adex, adpp=peaks(*[5000.0] * 12)
    )
    values = run_part(summarise_active_dose, study)
    assert read(values, "activity_range", "EXPAND", "lowest") == "DL1"
    assert read(values, "activity_range", "EXPAND", "highest") == "A-HIGH"


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": 3}, {"at_least": None}, {"analyte": ""}, {"parameter": ""},
        {"source": "MARKER", "parameter": "CMAX"},
    ],
)  # fmt: skip
def test_a_criterion_without_one_clear_threshold_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ActivityCriterion.model_validate({**PEAK, **wrong})


def test_nothing_is_shown_of_criteria_where_none_is_declared() -> None:
    adsl, adex = make_subjects(LEVELS)
    values = run_part(summarise_active_dose, make_study(adsl=adsl, adex=adex))
    assert isinstance(values, AnalysisResults)
    assert values.select("dose_exploration.activity").empty

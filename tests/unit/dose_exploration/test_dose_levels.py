"""Dose levels side by side: windows, exposure, overlap, events and response."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from level_study import HIGH, LOW, make_level_study
from scipy import stats

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.dose_levels import order_levels
from celldossier.dose_exploration.stage import explore_doses
from celldossier.results import AnalysisResults, Value
from celldossier.settings.dose_escalation import DoseEscalationSettings
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dose_levels import DoseLevelSettings, OverlapSettings
from celldossier.settings.dosing import DosingSettings

SETTINGS = DoseExplorationSettings(
    levels=DoseLevelSettings(metrics=("CMAX",), overlap=OverlapSettings(resamples=200))
)


@pytest.fixture(scope="module")
def values() -> AnalysisResults:
    output = explore_doses(make_level_study(), SETTINGS)
    return AnalysisResults([output.results])


def find(
    values: AnalysisResults, analysis: str, variable: str, stat: str, analyte: str = "", **by: str
) -> Value:
    found = values.find(f"dose_exploration.{analysis}", variable, analyte, by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found


def number(values: AnalysisResults, *place: str, **by: str) -> float:
    return find(values, *place, **by).number


def test_levels_stand_in_the_order_of_their_planned_dose_not_of_their_names() -> None:
    sources = make_level_study()
    assert order_levels(sources.adsl, sources.adex) == ["B", "A"]
    mixed = sources.adex.assign(DOSEU=["10^6 cells", *["10^6 cells/kg"] * 10])
    assert order_levels(sources.adsl, mixed) == ["A", "B"]


def test_a_dose_nearer_another_level_and_in_its_window_is_counted(values: AnalysisResults) -> None:
    assert number(values, "dose_level", "DOSEP", "window_low", dose="A") == pytest.approx(120)
    for stat in ("n_subj_nearer", "n_subj_othwin"):
        assert number(values, "dose_level", "DOSESUM", stat, dose="B") == 1
        assert number(values, "dose_level", "DOSESUM", stat, dose="A") == 0
    percent = number(values, "dose_level", "DOSESUM", "pct_subj_nearer", dose="B")
    assert percent == pytest.approx(100 / 6)


def test_a_basis_with_a_window_of_its_own_is_held_against_it() -> None:
    dosing = DosingSettings(basis_windows={"transgene_positive": (0.5, 2.0)})
    found = AnalysisResults([explore_doses(make_level_study(), SETTINGS, dosing).results])
    assert number(found, "dose_level", "DOSEP", "window_low", dose="A") == pytest.approx(75)


def test_exposure_is_given_with_and_without_doses_outside_the_window(
    values: AnalysisResults,
) -> None:
    logs = np.log([10.0, 20, 40, 80, 160])
    place = {"analyte": "PCR", "dose": "B"}
    everyone = number(values, "exposure", "CMAX", "geomean", population="ALL", **place)
    assert everyone == pytest.approx(math.exp(logs.mean()))
    low, high = stats.t.interval(0.95, 4, logs.mean(), stats.sem(logs))
    ends = [
        number(values, "exposure", "CMAX", stat, population="ALL", **place)
        for stat in ("ci_low", "ci_high")
    ]
    assert ends == pytest.approx([math.exp(low), math.exp(high)])
    assert number(values, "exposure", "CMAX", "n_notabove", population="ALL", **place) == 1
    inside = number(values, "exposure", "CMAX", "geomean", population="IN_WINDOW", **place)
    assert inside == pytest.approx(math.exp(logs[1:].mean()))
    change = number(values, "exposure", "CMAX", "ratio_to_all", population="IN_WINDOW", **place)
    assert change == pytest.approx(inside / everyone)
    assert number(values, "exposure", "CMAX", "n_removed", population="IN_WINDOW", **place) == 1


def test_a_dose_without_a_planned_one_is_not_taken_for_one_outside_its_window() -> None:
    sources = make_level_study()
    adex = sources.adex.assign(INWINFL=["N", "", *["Y"] * 9])
    found = AnalysisResults([explore_doses(replace(sources, adex=adex), SETTINGS).results])
    place = {"analyte": "PCR", "dose": "B", "population": "IN_WINDOW"}
    assert number(found, "exposure", "CMAX", "n_removed", **place) == 1


def test_a_level_that_is_mostly_never_quantifiable_has_no_geometric_mean() -> None:
    adpp = make_level_study().adpp
    adpp = adpp.assign(AVAL=adpp["AVAL"].where(adpp["TRT01A"] == "A", 0.0))
    found = AnalysisResults([explore_doses(make_level_study(adpp=adpp), SETTINGS).results])
    mean = find(found, "exposure", "CMAX", "geomean", analyte="PCR", dose="B", population="ALL")
    assert math.isnan(mean.number) and mean.note_code == "BLQHALF"
    pair = {"analyte": "PCR", "lower": "B", "higher": "A"}
    assert find(found, "overlap", "CMAX", "ratio", **pair).note_code == "NOPOSEXP"
    assert number(found, "overlap", "CMAX", "p_higher", **pair) == 1


def test_neighbours_are_compared_by_ratio_by_rank_and_by_overlap(values: AnalysisResults) -> None:
    pair = {"analyte": "PCR", "lower": "B", "higher": "A"}
    logs = np.log(LOW[:5]), np.log(HIGH)
    ratio = number(values, "overlap", "CMAX", "ratio", **pair)
    assert ratio == pytest.approx(math.exp(logs[1].mean() - logs[0].mean()))
    interval = stats.ttest_ind(logs[1], logs[0], equal_var=False).confidence_interval()
    assert number(values, "overlap", "CMAX", "ratio_low", **pair) == pytest.approx(
        math.exp(interval.low)
    )
    # The subject that was never quantifiable is the lowest, and counts.
    u = stats.mannwhitneyu(HIGH, LOW).statistic
    assert number(values, "overlap", "CMAX", "p_higher", **pair) == pytest.approx(u / 30)
    assert number(values, "overlap", "CMAX", "n_notabove_lower", **pair) == 1
    assert number(values, "overlap", "CMAX", "dose_ratio", **pair) == pytest.approx(3)
    place = {**pair, "estimator": "NORMAL_EQUAL"}
    ends = [
        number(values, "overlap_coefficient", "CMAX", stat, **place)
        for stat in ("ci_low", "ovl", "ci_high")
    ]
    assert ends == sorted(ends) and 0 < ends[0] < ends[2] <= 1
    exact = find(values, "overlap_coefficient", "CMAX", "exact_low", **place)
    assert exact.note_code == "NOLOG"


def test_few_subjects_have_no_overlap_but_a_reason() -> None:
    levels = SETTINGS.levels.model_copy(update={"overlap": OverlapSettings(min_subjects=6)})
    strict = SETTINGS.model_copy(update={"levels": levels})
    found = AnalysisResults([explore_doses(make_level_study(), strict).results])
    place = {"analyte": "PCR", "lower": "B", "higher": "A", "estimator": "KERNEL"}
    assert find(found, "overlap_coefficient", "CMAX", "ovl", **place).note_code == "FEWSUBJ"


def test_toxicity_counts_in_evaluable_subjects_within_its_period(values: AnalysisResults) -> None:
    # The first had its event in the period but is not evaluable; the third had it a day late.
    found = [number(values, "overview_dlt", "DLT", stat, dose="B") for stat in ("n", "denominator")]
    assert found == [1, 5]
    interval = stats.binomtest(1, 5).proportion_ci(0.95, method="exact")
    assert number(values, "overview_dlt", "DLT", "ci_high", dose="B") == pytest.approx(
        100 * interval.high
    )


def test_the_overview_counts_toxicity_as_the_replay_of_the_escalation_does() -> None:
    planned = SETTINGS.model_copy(update={"escalation": DoseEscalationSettings(design="BOIN")})
    values = AnalysisResults([explore_doses(make_level_study(), planned).results])
    for dose in ("A", "B"):
        place = {"dose": dose, "part": "ESCALATION"}
        assert number(values, "dlt", "DLT", "n_dlt", **place) == number(
            values, "overview_dlt", "DLT", "n", dose=dose
        )
        assert number(values, "dlt", "DLT", "n_evaluable", **place) == number(
            values, "overview_dlt", "DLT", "denominator", dose=dose
        )


def test_events_and_response_count_among_all_infused_subjects(values: AnalysisResults) -> None:
    counts = {
        (dose, grade): number(values, "overview_event", "CRS", "n", dose=dose, grade=grade)
        for dose in ("A", "B")
        for grade in ("ANY", "SEVERE")
    }
    assert counts == {("A", "ANY"): 1, ("A", "SEVERE"): 0, ("B", "ANY"): 2, ("B", "SEVERE"): 1}
    unknown = number(values, "overview_event", "CRS", "n_nograde", dose="A", grade="ANY")
    assert unknown == 1
    assert number(values, "overview_event", "ICANS", "n", dose="B", grade="ANY") == 0
    response = [
        number(values, "overview_rate", "ORR", stat) for stat in ("n", "denominator", "n_unknown")
    ]
    assert response == [6, 11, 2]


def test_markers_come_from_the_derived_parameters_and_their_absence_has_a_reason(
    values: AnalysisResults,
) -> None:
    assert find(values, "overview_marker", "IL6", "geomean").note_code == "NOPDPAR"
    ids = make_level_study().adsl["USUBJID"]
    adpdp = pd.DataFrame({"STUDYID": "S", "USUBJID": ids, "PARCAT1": "IL6", "PARAMCD": "PDPEAK"})
    adpdp = adpdp.assign(PARAM="Peak", PARAMN=1, AVAL=np.arange(1.0, 12.0), AVALU="pg/mL")
    sources = replace(make_level_study(), adpdp=conform(adpdp, "ADPDP"))
    found = AnalysisResults([explore_doses(sources, SETTINGS).results])
    mean = find(found, "overview_marker", "IL6", "geomean", dose="A")
    assert mean.number == pytest.approx(stats.gmean(np.arange(7.0, 12.0))) and mean.unit == "pg/mL"


def test_a_dose_as_far_from_its_own_level_as_from_another_is_not_nearer_the_other() -> None:
    # The root of 400 x 100, as far from both but for the rounding of logarithms.
    sources = make_level_study()
    planned = sources.adsl["TRT01A"].map({"B": 100.0, "A": 400.0})
    given = planned.where(~planned.index.isin([0, 10]), 200.0)
    adex = sources.adex.assign(DOSEP=planned, DOSPSUM=planned, DOSEA=given, DOSESUM=given)
    found = AnalysisResults([explore_doses(replace(sources, adex=adex), SETTINGS).results])
    for level in ("A", "B"):
        assert number(found, "dose_level", "DOSESUM", "n_nearer", dose=level) == 0


def test_toxicities_count_in_the_period_of_their_population_and_none_is_a_count(
    values: AnalysisResults,
) -> None:
    sources = make_level_study()
    none = replace(sources, adae=sources.adae.assign(DLTFL=""))
    found = AnalysisResults([explore_doses(none, SETTINGS).results])
    count = find(found, "overview_dlt", "DLT", "n", dose="B")
    assert (count.number, find(found, "overview_dlt", "DLT", "denominator").number) == (0, 10)
    # On days 1 (not evaluable), 28 and 29: a longer period holds one more.
    longer = AnalysisResults(
        [explore_doses(sources, SETTINGS, DosingSettings(dlt_period=42)).results]
    )
    counts = [find(f, "overview_dlt", "DLT", "n", dose="B").number for f in (values, longer)]
    assert counts == [1, 2]


def test_what_a_study_did_not_collect_is_not_counted_as_none() -> None:
    empty = {name: empty_dataset(name.upper()) for name in ("adae", "adaesi", "adrs", "adpp")}
    found = AnalysisResults([explore_doses(make_level_study(**empty), SETTINGS).results])
    for place in (("overview_dlt", "DLT"), ("overview_rate", "ORR")):
        assert find(found, *place, "n", dose="A").note_code == "NOTCOLL"
    event = find(found, "overview_event", "CRS", "n", dose="A", grade="ANY")
    assert event.note_code == "NOTCOLL"
    mean = find(found, "exposure", "CMAX", "geomean", analyte="PCR", dose="A", population="ALL")
    assert mean.note_code == "NOTCOLL"

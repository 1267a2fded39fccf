"""What the models of the stage are made from, on a few rows and against values by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest

from celldossier.errors import ConfigError
from celldossier.exposure_response import covariates, dose_exposure, hazard
from celldossier.exposure_response.ader import find_peak_at_site
from celldossier.exposure_response.confounding import _change
from celldossier.exposure_response.covariate_design import (
    CONTINUOUS_LEVEL,
    Term,
    choose_references,
    make_covariate_design,
    percentile_step,
    read_numbers,
)
from celldossier.exposure_response.covariate_exposure import ratio_of_step
from celldossier.exposure_response.covariate_outcome_data import select_outcome
from celldossier.exposure_response.dose_metrics import read_dose_units
from celldossier.exposure_response.dose_response import correlate, exposure_metric
from celldossier.exposure_response.endpoint_values import _read_infusion, derive_event
from celldossier.exposure_response.event_features import _summarise
from celldossier.exposure_response.exposure_over_time import (
    Profile,
    _cut,
    accumulate_area,
    expose_at,
)
from celldossier.exposure_response.grades import refuse_grades
from celldossier.exposure_response.observed import assign_bins
from celldossier.exposure_response.plan import (
    LANDMARK,
    PlanCell,
    Selection,
    find_role,
    make_design,
    select_subjects,
)
from celldossier.exposure_response.predictions import list_points, refuse_outside
from celldossier.exposure_response.refusals import is_confounded, refuse_events
from celldossier.settings.covariates import Covariate, CovariateModels
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.survival_models import SurvivalModels
from celldossier.stats.logistic import Coefficient

NAN = math.nan
AGE = Covariate(variable="AGE", kind="continuous")
WEIGHT = Covariate(variable="WTBL", kind="continuous", scale="log")
SEX = Covariate(variable="SEX", kind="categorical")
SITE = Covariate(variable="MFGSITE", kind="categorical", reference="B")
RESPONSE = EndpointRule.model_construct(code="OBJRESP", kind="binary", family="RESPONSE")


def settings(**values: object) -> ExposureResponseSettings:
    return ExposureResponseSettings.model_validate(values)


def selection(exposure: object, event: object, **covariates: object) -> Selection:
    design = pd.DataFrame(covariates, index=range(len(np.asarray(exposure))), dtype=float)
    return Selection(np.asarray(event, float), np.asarray(exposure, float), design, {})


def test_the_peak_at_the_site_is_the_first_highest_result_after_the_infusion() -> None:
    rows = [
        ("A", "PCR", "MARROW", "Y", -1.0, 900.0, "N"),
        ("A", "PCR", "MARROW", "Y", 0.0, 800.0, "N"),
        ("A", "PCR", "MARROW", "Y", 3.0, 5.0, "N"),
        ("A", "PCR", "MARROW", "Y", 9.0, 8.0, "N"),
        ("A", "PCR", "MARROW", "Y", 7.0, 8.0, "N"),
        ("B", "PCR", "MARROW", "Y", 2.0, NAN, "Y"),
        ("C", "PCR", "CSF", "Y", 2.0, 70.0, "N"),
        ("D", "FLOW", "MARROW", "Y", 2.0, 70.0, "N"),
        ("E", "PCR", "MARROW", "", 2.0, 70.0, "N"),
    ]
    names = ["USUBJID", "PARAMCD", "COMPART", "ANL01FL", "AFRLT", "AVAL", "BLQFL"]
    adtiss = pd.DataFrame(rows, columns=names).assign(STUDYID="S")
    found = find_peak_at_site(adtiss, Given(analyte="PCR", target_site="MARROW"))
    assert found.loc[("S", "A")].tolist() == [8.0, 7.0]
    assert found.loc[("S", "B")].tolist() == [0.0, 2.0] and len(found) == 2


def test_a_ratio_is_that_of_the_step_of_its_term_and_none_beyond_the_doubles() -> None:
    term = Term("AGE", CONTINUOUS_LEVEL, 2.0, {}, 9, 9)
    found = ratio_of_step(Coefficient("AGE", 0.5, low=-0.25, high=400.0), term, "_full")
    assert found["gmr_full"] == pytest.approx(math.e)
    assert found["gmr_low_full"] == pytest.approx(math.exp(-0.5))
    assert math.isnan(found["gmr_high_full"])
    assert all(math.isnan(value) for value in ratio_of_step(None, term).values())


def test_a_covariate_enters_on_its_scale_and_has_no_logarithm_of_zero() -> None:
    values = pd.Series([0.0, 1.0, math.e, NAN])
    assert read_numbers(values, AGE)[:3].tolist() == [0.0, 1.0, math.e]
    log = read_numbers(values, WEIGHT)
    assert log[1:3] == pytest.approx([0, 1]) and np.isnan(log[[0, 3]]).all()
    step, ends = percentile_step(np.log(10) * np.linspace(0, 1, 11), WEIGHT)
    assert step == pytest.approx(0.8 * math.log(10))
    assert ends == pytest.approx({"x_low": 10**0.1, "x_high": 10**0.9})


def test_the_reference_is_the_one_set_else_the_most_frequent_else_the_first() -> None:
    rows = pd.DataFrame({"SEX": ["M", "F", "", ""], "MFGSITE": ["A", "A", "A", "B"]})
    assert choose_references(rows, [SEX, SITE, AGE]) == {"SEX": "F", "MFGSITE": "B"}
    rows["SEX"] = ["M", "F", "M", ""]
    assert choose_references(rows, [SEX]) == {"SEX": "M"}


def test_a_design_has_a_column_a_level_and_says_what_is_left_out() -> None:
    rows = pd.DataFrame(
        {
            "AGE": [20.0, 30, 40, 50, NAN],
            "WTBL": 70.0,
            "SEX": ["F", "M", "M", "F", "F"],
            "MFGSITE": ["", "A", "B", "B", "C"],
            "INDIC": "",
        }
    )
    empty = Covariate(variable="INDIC", kind="categorical")
    items = [AGE, WEIGHT, SEX, SITE, empty]
    references = {"SEX": "F", "MFGSITE": "B", "INDIC": ""}
    design = make_covariate_design(rows, items, references, [], 2, CovariateModels(), impute=False)
    assert design.left_out == {"WTBL": "CONSTANT", "INDIC": "NOTCOLL"}
    assert design.names == ["AGE", "SEX=M", "MFGSITE=A", "MFGSITE=C"]
    assert design.missing == {"AGE": 1, "WTBL": 0, "SEX": 0, "MFGSITE": 1, "INDIC": 5}
    assert design.complete.tolist() == [False, True, True, True, False]
    assert (design.incomplete, design.imputations) == (2, 0)
    assert design.matrices[0][3].tolist() == [50.0, 0.0, 0.0, 0.0]
    assert design.matrices[0][1].tolist() == [30.0, 1.0, 1.0, 0.0]
    age, sex, site, _ = design.terms
    # The 90th percentile of 20, 30, 40, 50 is 47, the 10th is 23.
    assert (age.step, age.n, age.reported) == (pytest.approx(24), 4, True)
    assert (sex.step, sex.n, sex.n_reference, sex.reported) == (1.0, 2, 3, True)
    assert (site.n, site.n_reference, site.reported) == (1, 2, False)


def test_levels_are_compared_with_the_reference_where_both_have_subjects_enough() -> None:
    exposure = [1.0, 2, 4, 8, 16, 32, 64, 128, 256]
    rows = pd.DataFrame({"CMAX": exposure, "SEX": ["A"] * 3 + ["B"] * 3 + ["C"] * 2 + [""]})
    found = covariates._categorical(rows, "CMAX", SEX, "A", settings(min_per_level=3))
    assert [(row.level, row.ratio.reason) for row in found] == [("B", ""), ("C", "FEWLEVEL")]
    assert found[0].ratio.ratio == pytest.approx(8)
    assert (found[1].ratio.n_test, found[1].ratio.n_reference) == (2, 3)
    alone = covariates._categorical(rows.iloc[:3], "CMAX", SEX, "A", settings(min_per_level=3))
    assert [(row.level, row.ratio.reason) for row in alone] == [("A", "ONELEVEL")]
    nobody = covariates._categorical(rows.iloc[8:], "CMAX", SEX, "A", settings(min_per_level=3))
    assert [(row.level, row.ratio.reason) for row in nobody] == [("", "NOTCOLL")]


def test_a_dose_has_a_unit_where_all_doses_have_the_same() -> None:
    adex = pd.DataFrame(
        {
            "DOSETYPE": "", "EXCAT": "CELL PRODUCT", "AFRLT": 0.0,
            "DOSEA": [1.0, 2.0, NAN], "DOSEU": ["10^6 cells", "10^6 cells", ""],
            "DOSEKG": [1.0, 2.0, 3.0], "DOSEKGU": ["10^6 cells/kg", "cells/kg", "cells/kg"],
        }
    )  # fmt: skip
    units = read_dose_units(adex)
    assert (units["DOSEA"], units["DOSEKG"]) == ("10^6 cells", "")
    retreated = adex.assign(DOSETYPE="RETREATMENT")
    assert read_dose_units(retreated)["DOSEA"] == ""


def test_a_covariate_beside_the_dose_needs_two_levels() -> None:
    rows = pd.DataFrame({"DOSEA": [1.0, 2.0, NAN], "SEX": ["F", "M", "F"]})
    refuse = dose_exposure._refuse
    study = Given(units={"DOSEA": "cells"})
    assert refuse(study, rows, "DOSEA", "SEX") == ""
    assert refuse(study, rows.iloc[[0, 2]], "DOSEA", "SEX") == "NOCOVAR"
    assert refuse(study, rows.iloc[[0, 2]], "DOSEA", "") == ""
    assert refuse(study, rows.iloc[[2]], "DOSEA", "") == "NOTCOLL"
    assert refuse(Given(units={}), rows, "DOSEA", "SEX") == "MIXUNIT"


def test_dose_and_exposure_correlate_where_both_vary() -> None:
    assert correlate(selection([1, 2, 3], [0, 0, 1], CMAX=[3, 2, 1])) == pytest.approx(-1)
    assert math.isnan(correlate(selection([1, 2, 3], [0, 0, 1], CMAX=[2, 2, 2])))
    assert math.isnan(correlate(selection([2, 2, 2], [0, 0, 1], CMAX=[3, 2, 1])))


def test_the_exposure_beside_a_dose_is_the_primary_one_of_the_endpoint_or_its_family() -> None:
    other = EndpointRule.model_construct(code="CR", kind="binary", family="RESPONSE")
    far = EndpointRule.model_construct(code="CRSGE2", kind="binary", family="SAFETY")
    study = Given(
        settings=settings(
            metrics=["CMAX", "AUC28"], primary=[{"endpoint": "OBJRESP", "metric": "AUC28"}]
        ),
        endpoints=(RESPONSE, other, far),
    )
    assert [exposure_metric(study, one) for one in study.endpoints] == ["AUC28", "AUC28", "CMAX"]


def test_an_unknown_response_counts_as_none_only_where_asked() -> None:
    values = pd.DataFrame({"AVAL": [1.0, NAN, NAN], "REASND": ["", "UNKRESP", "NOTCOLL"]})
    from celldossier.exposure_response.endpoint_values import UNKNOWN_RESPONSE

    values["REASND"] = values["REASND"].replace("UNKRESP", UNKNOWN_RESPONSE)
    none = derive_event(values, "NONRESPONDER").tolist()
    assert none[:2] == [1.0, 0.0] and math.isnan(none[2])
    assert derive_event(values, "EXCLUDED").isna().tolist() == [False, True, True]


def test_a_date_of_infusion_that_is_not_complete_is_unknown() -> None:
    keys = {"STUDYID": "S", "USUBJID": ["A", "B", "C"]}
    adsl = pd.DataFrame({**keys, "TRTSDTM": ["2026-02-03T08:00", "2026-02", "2026-02-04"]})
    ader = pd.DataFrame({**keys}).iloc[[2, 0, 1]]
    days = _read_infusion(Given(adsl=adsl), ader)
    assert days.dt.day.fillna(0).tolist() == [4, 3, 0] and days.index.tolist() == [2, 0, 1]


def test_the_running_exposure_of_a_subject_is_that_of_the_samples_so_far() -> None:
    profile = Profile(np.array([1.0, 3.0, 7.0]), np.array([10.0, 40.0, 5.0]))
    # 10 / 2 + 2 (10 + 40) / 2 + 4 (40 - 5) / ln 8; until day 5 the fall reaches sqrt(200).
    area = [5.0, 55.0, 55 + 140 / math.log(8)]
    assert accumulate_area(profile, 84.0) == pytest.approx(area)
    middle = math.sqrt(40 * 5)
    until = 55 + 2 * (40 - middle) / math.log(40 / middle)
    assert accumulate_area(profile, 5.0)[2] == pytest.approx(until)
    options = SurvivalModels(lag=1.0, carry_days=3.0, interpolation="LOCF")
    days = np.array([1.5, 2.0, 4.0, 7.0, 7.5, 11.0, 12.0])
    current = expose_at(profile, "CURRENT", days, options)
    assert current[1:4].tolist() == [10.0, 40.0, 40.0] and current[5] == 5.0
    assert np.isnan(current[[0, 4, 6]]).all()
    assert expose_at(profile, "CMAXRUN", days, options)[1:].tolist() == [10.0] + [40.0] * 5
    assert expose_at(profile, "AUCRUN", days, options)[2] == pytest.approx(55.0)
    ahead = SurvivalModels(lag=0.0, carry_days=30.0, interpolation="LINUPLOGDOWN")
    between = expose_at(profile, "CURRENT", np.array([2.0, 5.0, 9.0]), ahead)
    assert between == pytest.approx([25.0, middle, 5.0])


def test_rows_of_a_subject_are_cut_where_its_exposure_changes() -> None:
    rows = Given(start=np.array([2.0]), stop=np.array([9.0]), event=np.array([True]))
    times = np.array([3.0, 5.0, 8.0, 9.0])
    place, start, stop, event, value = _cut(0, rows, times, np.array([NAN, 4.0, 4.0, 6.0]))
    assert (start.tolist(), stop.tolist()) == ([3.0, 8.0], [8.0, 9.0])
    assert (event.tolist(), value.tolist(), place.tolist()) == ([0.0, 1.0], [4.0, 6.0], [0, 0])
    # An unknown exposure in between parts rows of the same value.
    _, start, stop, event, _ = _cut(0, rows, times[:3], np.array([4.0, NAN, 4.0]))
    assert (start.tolist(), stop.tolist(), event.sum()) == ([2.0, 5.0], [3.0, 8.0], 0)
    assert [part.size for part in _cut(0, rows, times, np.full(4, NAN))] == [0] * 5


def test_a_model_needs_events_and_each_of_several_slopes_its_share() -> None:
    rules = settings(min_events=5, min_events_per_parameter=4)
    assert refuse_events(4, 9, 1, rules) == "FEWEVENT"
    assert refuse_events(5, 0, 1, rules) == ""
    assert [refuse_events(9, carrying, 2, rules) for carrying in (7, 8)] == ["EPPLOW", ""]


def test_predictors_that_correlate_above_the_limit_are_confounded() -> None:
    x = np.arange(5.0)
    both = np.column_stack([np.full(5, 2.0), -x])
    assert is_confounded(x, both, settings(max_correlation=0.9))
    assert not is_confounded(x, both[:, :1], settings(max_correlation=0.9))
    assert not is_confounded(np.ones(5), both, settings(max_correlation=0.9))
    # Correlation of x with x^2 from 0 to 4: 0.9589.
    square = (x**2)[:, None]
    assert is_confounded(x, square, settings(max_correlation=0.95))
    assert not is_confounded(x, square, settings(max_correlation=0.96))


def test_grades_are_carried_by_the_subjects_outside_the_most_frequent_grade() -> None:
    exposure, age = np.arange(10.0), np.tile([1.0, 2.0], 5)
    grade = [0] * 6 + [1, 1, 2, 3]
    chosen = selection(exposure, grade, AGE=age)
    limits = {"min_events": 4, "max_correlation": 0.95}
    assert refuse_grades(chosen, settings(min_events_per_parameter=2, **limits)) == ""
    assert refuse_grades(chosen, settings(min_events_per_parameter=2.5, **limits)) == "EPPLOW"
    few = selection(exposure, [0] * 7 + [1, 1, 2], AGE=age)
    assert refuse_grades(few, settings(**limits)) == "FEWEVENT"
    close = selection(exposure, grade, AGE=exposure)
    assert refuse_grades(close, settings(min_events_per_parameter=2, **limits)) == "COLLIN"


def test_days_at_risk_refuse_no_event_every_event_and_equal_exposure() -> None:
    rules = settings(min_events=1, min_events_per_parameter=1, max_correlation=0.95)

    def refuse(event: list[float], exposure: list[float]) -> str:
        made = Given(
            event=np.array(event), exposure=np.array(exposure), covariates=np.zeros((3, 0))
        )
        return hazard._refuse(made, rules)

    assert refuse([0, 0, 0], [1, 2, 3]) == "NOEVENT"
    assert refuse([1, 1, 1], [1, 2, 3]) == "ALLEVENT"
    assert refuse([1, 0, 0], [2, 2, 2]) == "CONSTANT"
    assert refuse([1, 0, 0], [1, 2, 3]) == ""


def test_groups_of_exposure_are_made_fewer_until_each_has_subjects_enough() -> None:
    exposure = np.arange(8.0)
    group, k = assign_bins(exposure, 4, 2)
    assert (group.tolist(), k) == ([0, 0, 1, 1, 2, 2, 3, 3], 4)
    assert assign_bins(exposure, 4, 3)[1] == 2
    assert assign_bins(exposure, 4, 5)[1] == 0
    # A value at the boundary belongs to the lower group.
    assert assign_bins(np.array([1.0, 2.0, 3.0]), 2, 1)[0].tolist() == [0, 0, 1]


def test_the_primary_cell_is_the_named_pair_with_the_named_adjustment() -> None:
    study = Given(
        settings=settings(
            primary=[{"endpoint": "OBJRESP", "metric": "AUC28"}],
            primary_adjustment="TUMOUR_BURDEN",
        )
    )
    assert find_role("AUC28", RESPONSE, "TUMOUR_BURDEN", study) == "PRIMARY"
    assert find_role("CMAX", RESPONSE, "TUMOUR_BURDEN", study) == "SECONDARY"
    assert find_role("AUC28", RESPONSE, "UNADJUSTED", study) == "SECONDARY"


def test_a_design_leaves_out_what_cannot_adjust_and_codes_the_rest() -> None:
    rows = pd.DataFrame(
        {
            "AGE": [1.0, 2.0, NAN, 4.0],
            "WTBL": 70.0,
            "INDIC": ["ALL", "NHL", "ALL", ""],
            "SEX": ["M", "F", "M", "F"],
        }
    )
    design, present = make_design(rows, ["AGE", "WTBL", "INDIC", "SEX"])
    assert present.tolist() == [True, True, False, False]
    # Of F and M as often the first by name is the reference.
    assert list(design) == ["AGE", "INDIC=NHL", "SEX=M"]
    assert design.loc[1].tolist() == [2.0, 1.0, 0.0]


def test_subjects_of_a_landmark_had_no_onset_by_it_or_by_their_sample() -> None:
    ader = pd.DataFrame(
        {
            "ERFL": ["Y"] * 7 + ["N"],
            "CLD7": [1.0, 2.0, 4.0, 8.0, NAN, 0.0, 16.0, 1.0],
            "CLD7DY": [7.0, 7.5, 7.5, 6.0, NAN, 7.0, 7.0, 7.0],
            "CMAX": 1.0,
        }
    )
    values = pd.DataFrame(
        {
            "AVAL": [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, NAN, 1.0],
            "REASND": "",
            "ONSETDY": [7.0, 7.4, 8.0, 6.5, NAN, NAN, NAN, 9.0],
        }
    )
    study = Given(ader=ader, settings=settings(), values=lambda endpoint: values)
    cell = PlanCell(RESPONSE, "CLD7", "LOGISTIC", "UNADJUSTED", LANDMARK, "SECONDARY", landmark=7)
    chosen = select_subjects(study, cell)
    assert chosen.subjects.tolist() == [2] and chosen.exposure.tolist() == [2.0]
    assert chosen.counts == {
        "n_er": 7, "n_nooutcome": 1, "n_onset": 3, "n_noexposure": 1, "n_blq": 1,
        "n_nocovariate": 0,
    }  # fmt: skip
    assert chosen.reason == ""


def test_points_of_prediction_are_quantiles_means_of_doses_and_values_in_the_unit() -> None:
    ader = pd.DataFrame(
        {
            "ERFL": ["Y"] * 5 + ["N"],
            "CMAX": [1.0, 4.0, 16.0, 0.0, 2.0, 999.0],
            "TRT01A": ["DL1", "DL1", "DL2", "DL2", "DL2", "DL3"],
        }
    )
    wanted = {"quantiles": [0.5], "dose_levels": True}
    value = {"metric": "CMAX", "value": 3.0, "unit": "copies/ug"}
    rules = settings(predictions={**wanted, "exposures": [value]}, min_per_level=2)
    points = list_points(ader, "CMAX", rules, {"CMAX": "copies/ug"})
    # The median of 0, 1, 2, 4 on the scale of log2; geometric means of 1, 4 and of 16, 2.
    expected = [("P50", 2**1.5, 4), ("DOSE.DL1", 2.0, 2), ("DOSE.DL2", 2**2.5, 2)]
    expected += [("VALUE.3", 3.0, 0)]
    found = [(one.level, one.exposure, one.subjects) for one in points]
    assert [one[::2] for one in found] == [one[::2] for one in expected]
    assert [one[1] for one in found] == pytest.approx([one[1] for one in expected])
    with pytest.raises(ConfigError, match="whose unit in this study is cells"):
        list_points(ader, "CMAX", rules, {"CMAX": "cells"})
    few = list_points(ader, "CMAX", settings(predictions=wanted, min_per_level=3), {})
    assert [one.reason for one in few] == ["", "FEWLEVEL", "FEWLEVEL"]


def test_the_ends_of_what_was_seen_are_inside() -> None:
    assert refuse_outside([1.0, 3.0], 2.0) == refuse_outside([1.0, 3.0], 8.0) == ""
    assert refuse_outside([1.0, 3.0], 1.99) == refuse_outside([1.0, 3.0], 8.01) == "EXPRANGE"


def test_a_change_of_a_coefficient_is_in_percent_of_the_first_unless_that_is_near_zero() -> None:
    def fit(estimate: float) -> Given:
        return Given(coefficient=lambda name: Coefficient(name, estimate, se=0.5))

    assert _change(fit(-0.5), fit(-0.2)) == (pytest.approx(-60), "")
    change, reason = _change(fit(-0.49), fit(-0.2))
    assert math.isnan(change) and reason == "NEARZERO"
    assert _change(None, fit(1.0))[1] == _change(fit(1.0), None)[1] == "NOVALUE"


def test_events_are_counted_by_grade_of_those_whose_grade_is_known() -> None:
    from celldossier.exposure_response.event_features import TREATMENTS

    features = pd.DataFrame(
        {
            "GRADE": [0.0, 1.0, 2.0, 2.0, 4.0, NAN],
            "ONSET": [NAN, 2.0, 4.0, 7.0, NAN, NAN],
            "DURATION": NAN,
            **{name: [False, True, False, False, False, True] for name in TREATMENTS},
        }
    )
    found, notes = _summarise(features, pd.Series([1.0, 5.0]))
    counts = [found[f"n_grade{grade}"] for grade in (1, 2, 3, 4, 5)]
    assert counts == [1, 2, 0, 1, 0] and found["pct_grade2"] == pytest.approx(40)
    assert (found["n"], found["n_known"], found["n_event"]) == (6, 5, 4)
    assert found["pct_event"] == pytest.approx(80)
    assert (found["onset_median"], found["onset_unknown"]) == (4.0, 1.0)
    assert (found["onset_min"], found["onset_max"], found["onset_n"]) == (2.0, 7.0, 3.0)
    name = next(iter(TREATMENTS))
    assert (found[f"n_{name}"], found[f"pct_{name}"]) == (1.0, 25.0)
    assert notes["duration_median"] == "NODURN" and "onset_median" not in notes
    assert (found["exposure_min"], found["exposure_max"]) == (1.0, 5.0)


def test_a_cell_without_subjects_says_whether_nothing_was_collected_or_nobody_is_left() -> None:
    def refuse(outcome: float, exposure: float, er: str = "Y") -> str:
        ader = pd.DataFrame({"ERFL": [er] * 2, "CMAX": exposure})
        values = pd.DataFrame({"AVAL": [outcome] * 2, "REASND": "", "ONSETDY": NAN})
        study = Given(ader=ader, settings=settings(), values=lambda endpoint: values)
        cell = PlanCell(RESPONSE, "CMAX", "LOGISTIC", "UNADJUSTED", "PRIMARY", "SECONDARY")
        return select_subjects(study, cell).reason

    assert [refuse(1.0, 2.0), refuse(1.0, NAN), refuse(1.0, 0.0)] == ["", "NOSUBJ", "NOSUBJ"]
    assert [refuse(NAN, 2.0), refuse(1.0, 2.0, er="N")] == ["NOTCOLL", "NOTCOLL"]


def test_times_of_an_outcome_beside_exposure_count_from_the_landmark() -> None:
    endpoint = EndpointRule.model_construct(code="PFS", kind="time_to_event", time="PFS")
    ader = pd.DataFrame({"ERFL": ["Y"] * 4, "CMAX": [1.0, 2.0, 4.0, 0.0]})
    values = pd.DataFrame({"AVAL": [28.0, 30.0, 58.0, 90.0], "CNSR": [0.0, 0, 1, 0]})
    rules = settings(metrics=["CMAX"], primary=[], covariate_models={"exposure_landmark": 28})
    study = Given(ader=ader, settings=rules, values=lambda item: values)
    with_exposure = select_outcome(study, endpoint, True)
    assert with_exposure.time is not None and with_exposure.time.tolist() == [2.0, 30.0]
    assert with_exposure.event.tolist() == [1.0, 0.0]
    alone = select_outcome(study, endpoint, False)
    assert alone.time is not None and alone.time.tolist() == [28.0, 30.0, 58.0, 90.0]

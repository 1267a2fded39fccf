"""The effects and the nulls of truth_ctx101.md, recovered from 40,000 simulated subjects.

Each estimate must lie within 3.5 standard errors of what was planted; with the
fixed seed this either holds or not, and an odds ratio of CRS that is off by 4 % fails.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from celldossier.simulation.draw import DrawnStudy
from celldossier.simulation.specification import StudySpecification

Array = NDArray[np.float64]
WITHIN = 3.5  # standard errors


def fit_logit(outcome: NDArray[np.bool_], *columns: Array) -> tuple[Array, Array]:
    """Estimates and standard errors of the columns, without the intercept."""
    design = sm.add_constant(np.column_stack(columns))
    fit = sm.Logit(outcome.astype(float), design).fit(disp=0)
    return np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]


def fit_linear(outcome: Array, *columns: Array) -> tuple[Array, Array]:
    fit = sm.OLS(outcome, sm.add_constant(np.column_stack(columns))).fit()
    return np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]


def log2_cmax(study: DrawnStudy) -> Array:
    return np.log2(np.maximum(study.exposure.cmax, 25.0))


def burden(study: DrawnStudy) -> Array:
    return study.infused["BURDENZ"].to_numpy(dtype=float)


def is_nhl(study: DrawnStudy) -> NDArray[np.bool_]:
    return (study.infused["INDIC"] == "NHL").to_numpy()


def geometric_ratio(values: Array, group: NDArray[np.bool_]) -> float:
    logs = np.log(np.maximum(values, 25.0))
    return float(np.exp(logs[group].mean() - logs[~group].mean()))


@pytest.mark.parametrize("grade", [1, 2, 3])
def test_crs_has_an_odds_ratio_of_2_17_per_doubling_of_cmax_at_each_grade(
    large: DrawnStudy, grade: int
) -> None:
    found, error = fit_logit(large.crs.grade >= grade, log2_cmax(large), burden(large))
    assert found[0] == pytest.approx(np.log(2.17), abs=WITHIN * error[0])
    assert found[1] == pytest.approx(0.3, abs=WITHIN * error[1])
    assert error[0] < 0.03


def test_icans_depends_on_cmax_in_all_and_not_in_nhl(large: DrawnStudy) -> None:
    for chosen, planted in ((~is_nhl(large), 1.5), (is_nhl(large), 1.0)):
        found, error = fit_logit(large.icans.grade[chosen] >= 2, log2_cmax(large)[chosen])
        assert found[0] == pytest.approx(np.log(planted), abs=WITHIN * error[0])


def test_response_has_an_odds_ratio_of_1_35_per_doubling_of_auc28(large: DrawnStudy) -> None:
    known = large.course.assessable
    log_auc = np.log2(np.maximum(large.exposure.auc28, 1.0))
    found, error = fit_logit(large.course.responder[known], log_auc[known], burden(large)[known])
    assert found[0] == pytest.approx(np.log(1.35), abs=WITHIN * error[0])
    assert found[1] == pytest.approx(-0.6, abs=WITHIN * error[1])


def test_burden_and_dose_shift_the_latent_peak_and_nothing_else_does(large: DrawnStudy) -> None:
    infused = large.infused
    found, error = fit_linear(
        np.log(large.parameters.cmax),
        burden(large),
        np.log(infused["ACTUALDOSE"].to_numpy(dtype=float)),
        infused["AGE"].to_numpy(dtype=float),
        (infused["SEX"] == "F").to_numpy(dtype=float),
        infused["WEIGHT"].to_numpy(dtype=float),
        (infused["PROCESS"] == "B").to_numpy(dtype=float),
    )
    planted = np.array([0.35, 0.10, 0, 0, 0, 0])
    assert (np.abs(found - planted) < WITHIN * error).all(), (found - planted) / error


def test_the_process_has_no_effect_on_the_sampled_exposure(large: DrawnStudy) -> None:
    later = (large.infused["PROCESS"] == "B").to_numpy(dtype=float)
    for values in (large.exposure.cmax, large.exposure.auc28):
        found, error = fit_linear(np.log(np.maximum(values, 25.0)), later)
        assert abs(found[0]) < WITHIN * error[0]


def test_the_process_changes_transduction_from_45_to_35_percent(large: DrawnStudy) -> None:
    means = large.infused.groupby("PROCESS")["TRANSDUCTION"].mean()
    assert means["A"] == pytest.approx(45, abs=0.3)
    assert means["B"] == pytest.approx(35, abs=0.3)


def test_treated_subjects_have_a_higher_cmax_although_treatment_does_nothing(
    large: DrawnStudy,
) -> None:
    treated = ~np.isnan(large.rescue.tocilizumab_day)
    expanders = ~large.parameters.non_expander
    naive = geometric_ratio(large.exposure.cmax[expanders], treated[expanders])
    assert 2.3 < naive < 2.8  # truth_ctx101.md: "near 2.5"


def test_rescue_medication_has_no_effect_on_growth(large: DrawnStudy) -> None:
    # At a given grade treatment is a coin toss. Without the grade there is a faint
    # association: a slow riser is sampled nearer its peak, so its sampled Cmax is higher.
    growth = np.log(np.log(large.parameters.fold) / large.parameters.growth_time)
    worse = np.maximum(large.crs.grade, large.icans.grade)
    for day, grade in (
        (large.rescue.tocilizumab_day, large.crs.grade),
        (large.rescue.steroid_day, worse),
    ):
        strata = [(grade == level).astype(float) for level in (1, 2, 3, 4)]
        found, error = fit_linear(growth, (~np.isnan(day)).astype(float), *strata)
        assert abs(found[0]) < WITHIN * error[0]


@pytest.mark.parametrize(("low", "high", "planted"), [(0, 1, 0.05), (2, 2, 0.6), (3, 5, 0.9)])
def test_tocilizumab_is_given_with_the_planted_probability(
    large: DrawnStudy, low: int, high: int, planted: float
) -> None:
    chosen = (large.crs.grade >= low) & (large.crs.grade <= high)
    given = ~np.isnan(large.rescue.tocilizumab_day[chosen])
    error = np.sqrt(planted * (1 - planted) / chosen.sum())
    assert given.mean() == pytest.approx(planted, abs=WITHIN * error)


def test_rescue_medication_follows_the_onset_of_the_toxicity(large: DrawnStudy) -> None:
    toci = large.rescue.tocilizumab_day
    given = ~np.isnan(toci)
    assert (large.crs.grade[given] >= 1).all()
    assert (toci[given] > large.crs.onset[given]).all()
    assert (toci[given] < large.crs.end[given]).all()
    steroid = large.rescue.steroid_day
    first = np.fmin(large.crs.onset, large.icans.onset)
    assert (steroid[~np.isnan(steroid)] > first[~np.isnan(steroid)]).all()


def test_planted_shares_are_met_to_the_subject(
    large: DrawnStudy, ctx101: StudySpecification
) -> None:
    n = len(large.infused)
    assert large.parameters.non_expander.sum() == round(0.04 * n)
    assert (large.course.death_day < 28).sum() == round(0.04 * n)
    evaluable = large.antibodies.evaluable
    assert (large.antibodies.baseline & evaluable).sum() == round(0.60 * evaluable.sum())
    assert large.antibodies.induced.sum() == round(0.12 * evaluable.sum())
    assert large.antibodies.boosted.sum() == round(0.08 * evaluable.sum())
    assert not (large.antibodies.induced & large.antibodies.baseline).any()
    assert large.antibodies.baseline[large.antibodies.boosted].all()


def test_dose_limiting_toxicity_rises_with_the_dose_level(large: DrawnStudy) -> None:
    level = large.infused["DOSELEVEL"].to_numpy()
    for place, planted in enumerate((0.05, 0.15, 0.35)):
        found = large.dose_limiting[level == place]
        error = np.sqrt(planted * (1 - planted) / found.size)
        assert found.mean() == pytest.approx(planted, abs=WITHIN * error)


def test_exposure_looks_like_that_of_published_products(large: DrawnStudy) -> None:
    logs = np.log(np.maximum(large.exposure.cmax, 25.0))
    assert 15_000 < np.exp(logs.mean()) < 30_000  # copies/ug; tisagenlecleucel in ALL: 32,700
    assert 150 < 100 * np.sqrt(np.exp(logs.var()) - 1) < 210  # geometric CV, %
    assert 9 < np.nanmedian(large.exposure.tmax) < 12


def test_adolescents_share_the_kinetics_of_adults(large: DrawnStudy) -> None:
    young = large.infused["ADOLESCENT"].to_numpy(dtype=float)
    assert young.sum() == round(20 / 120 * len(young))
    found, error = fit_linear(np.log(large.parameters.cmax), young, burden(large))
    assert abs(found[0]) < WITHIN * error[0]


def test_a_permutation_of_the_subjects_takes_every_relation_away(large: DrawnStudy) -> None:
    order = np.random.default_rng(1).permutation(len(large.infused))
    shuffled = log2_cmax(large)[order]
    found, error = fit_logit(large.crs.grade >= 2, shuffled, burden(large)[order])
    assert (np.abs(found) < WITHIN * error).all()
    log_auc = np.log2(np.maximum(large.exposure.auc28, 1.0))[order]
    known = large.course.assessable
    found, error = fit_logit(large.course.responder[known], log_auc[known])
    assert abs(found[0]) < WITHIN * error[0]

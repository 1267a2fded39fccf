"""The effects and the nulls of NKX-201, recovered from 20,000 simulated subjects.

Each estimate must lie within 3.5 standard errors of what the specification plants.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from celldossier.cli.simulate import read_specification
from celldossier.simulation.car_nk.draw import DrawnNk, draw_study, planned_samples
from celldossier.simulation.car_nk.kinetics import compute_accumulation, compute_concentrations
from celldossier.simulation.car_nk.specification import CarNkSpecification

Array = NDArray[np.float64]
WITHIN = 3.5  # standard errors
FIRST_OF_CYCLE_2 = 3


@pytest.fixture(scope="module")
def spec() -> CarNkSpecification:
    path = Path(__file__).parents[3] / "resources" / "studies" / "NKX-201" / "simulation.yaml"
    found = read_specification(path)
    assert isinstance(found, CarNkSpecification)
    return found


@pytest.fixture(scope="module")
def large(spec: CarNkSpecification) -> DrawnNk:
    return draw_study(spec.resized(20000).reseeded(7))


def fit_linear(outcome: Array, *columns: Array) -> tuple[Array, Array]:
    fit = sm.OLS(outcome, sm.add_constant(np.column_stack(columns))).fit()
    return np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]


def fit_logit(outcome: NDArray[np.bool_], *columns: Array) -> tuple[Array, Array]:
    design = sm.add_constant(np.column_stack(columns))
    fit = sm.Logit(outcome.astype(float), design).fit(disp=0)
    return np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]


def check_mean(values: Array, planted: float) -> None:
    error = values.std(ddof=1) / np.sqrt(values.size)
    assert values.mean() == pytest.approx(planted, abs=WITHIN * error)


def test_dose_and_il15_shift_the_first_peak_and_nothing_else_does(large: DrawnNk) -> None:
    people = large.infused
    donor = large.lots["DONORID"].to_numpy()[large.lot[:, 0]]
    donors = [(donor == name).astype(float) for name in sorted(set(donor))[1:]]
    found, error = fit_linear(
        np.log(large.parameters.peak[:, 0]),
        np.log(large.doses[:, 0]),
        large.parameters.il15,
        people["HLAMM"].to_numpy(dtype=float),
        people["AGE"].to_numpy(dtype=float),
        (people["SEX"] == "F").to_numpy(dtype=float),
        people["WEIGHT"].to_numpy(dtype=float),
        np.isfinite(large.antibodies.car_onset).astype(float),
        large.antibodies.hla_baseline.astype(float),
        *donors,
    )
    planted = np.zeros(found.size)
    planted[:2] = (0.8, 0.25)
    assert (np.abs(found - planted) < WITHIN * error).all(), (found - planted) / error
    assert error[0] < 0.02


@pytest.mark.parametrize(("dose", "factor"), [(1, 0.85), (2, 0.7)])
def test_later_doses_of_a_cycle_add_less(large: DrawnNk, dose: int, factor: float) -> None:
    spared = large.antibodies.hla_onset > 15
    peak = large.parameters.peak[spared]
    given = large.doses[spared]
    ratio = np.log(peak[:, dose] / peak[:, 0]) - 0.8 * np.log(given[:, dose] / given[:, 0])
    check_mean(ratio, float(np.log(factor)))


def test_the_accumulation_ratio_of_the_truth_is_that_of_dense_areas(
    spec: CarNkSpecification,
) -> None:
    typical = draw_study(
        spec.model_copy(
            update={
                "kinetics": spec.kinetics.model_copy(
                    update={"occasion_sd": 0.0, "half_life_sd": 0.0}
                ),
                "dosing": spec.dosing.model_copy(
                    update={"actual_ln_sd": 0.0, "shifted_share": 0.0}
                ),
            }
        )
    )
    # Every dose on its day: the small shifts of hours are taken out.
    given = np.tile([0.0, 7.0, 14.0], (typical.given.shape[0], 1))
    grid = np.linspace(0, 21, 21001)
    level = compute_concentrations(typical.parameters, given, np.tile(grid, (given.shape[0], 1)))
    first, last = grid <= 7, grid >= 14
    spared = typical.antibodies.hla_onset > 14
    ratio = np.trapezoid(level[:, last], grid[last]) / np.trapezoid(level[:, first], grid[first])
    found = compute_accumulation(spec.kinetics, spec.dosing.days)
    assert found["tau_days"] == 7
    assert ratio[spared] == pytest.approx(found["auctau"], rel=1e-4)
    assert 0.65 < found["auctau"] < 0.8


def test_the_measured_levels_are_the_latent_ones_without_bias(
    large: DrawnNk, spec: CarNkSpecification
) -> None:
    after, dose = planned_samples(spec)
    places = [int(np.flatnonzero((dose == d) & (after == 1))[0]) for d in range(3)]
    latent = compute_concentrations(large.parameters, large.given[:, :-1], large.times)
    noise = np.log(large.measured.pcr[:, places] / latent[:, places])
    check_mean(noise.ravel(), 0.0)
    assert noise.std() == pytest.approx(spec.sampling.pcr.residual_sd, rel=0.02)


def test_antibodies_against_donor_hla_cut_the_peak_of_later_doses(large: DrawnNk) -> None:
    peak, doses = large.parameters.peak, large.doses
    both = ~np.isnan(doses[:, FIRST_OF_CYCLE_2])
    ratio = np.log(peak[both, FIRST_OF_CYCLE_2] / peak[both, 0])
    ratio -= 0.8 * np.log(doses[both, FIRST_OF_CYCLE_2] / doses[both, 0])
    onset = large.antibodies.hla_onset[both]
    with_antibody = onset < large.given[both, FIRST_OF_CYCLE_2]
    assert with_antibody.sum() > 500
    check_mean(ratio[with_antibody], float(np.log(0.4)))
    check_mean(ratio[~with_antibody], 0.0)  # a later cycle is no other cycle


def test_mismatches_make_antibodies_against_hla_more_likely(large: DrawnNk) -> None:
    chosen = ~large.antibodies.hla_baseline
    mismatches = large.infused["HLAMM"].to_numpy(dtype=float)[chosen]
    induced = np.isfinite(large.antibodies.hla_onset)[chosen]
    found, error = fit_logit(induced, mismatches)
    assert found[0] == pytest.approx(np.log(1.4), abs=WITHIN * error[0])
    at_five = induced[mismatches == 5]
    assert at_five.mean() == pytest.approx(0.3, abs=WITHIN * np.sqrt(0.3 * 0.7 / at_five.size))


def test_response_has_an_odds_ratio_of_1_6_per_doubling_of_auc28(large: DrawnNk) -> None:
    area = np.log2(np.maximum(large.exposure.auc28, 1.0))
    burden = large.infused["BURDENZ"].to_numpy(dtype=float)
    found, error = fit_logit(large.course.responder, area, burden)
    assert found[0] == pytest.approx(np.log(1.6), abs=WITHIN * error[0])
    assert found[1] == pytest.approx(-0.5, abs=WITHIN * error[1])
    assert error[0] < 0.03


def test_crs_is_rare_low_and_not_related_to_exposure(large: DrawnNk) -> None:
    present = large.crs_grade > 0
    found, error = fit_logit(present, np.log2(np.maximum(large.exposure.cmax, 25.0)))
    assert abs(found[0]) < WITHIN * error[0]
    assert present.mean() == pytest.approx(0.16, abs=WITHIN * np.sqrt(0.16 * 0.84 / present.size))
    assert large.crs_grade.max() == 2


def test_the_half_life_is_a_day_and_a_half(large: DrawnNk) -> None:
    check_mean(np.log(np.log(2) / large.parameters.rate), float(np.log(1.5)))


def test_later_cycles_go_only_to_subjects_without_progression(
    large: DrawnNk, spec: CarNkSpecification
) -> None:
    progression = np.nan_to_num(large.course.progression, nan=np.inf)
    assert (progression[large.cycles >= 2] > 49).all()
    assert (progression[large.cycles == 3] > 84).all()
    given = ~np.isnan(large.given[:, :-1])
    assert (given.sum(axis=1) == len(spec.dosing.days) * large.cycles).all()
    assert (~np.isnan(large.given[:, -1])).sum() == spec.dosing.unplanned

"""The simulator's own Cmax and AUC28 against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from celldossier.simulation.exposure import SampledExposure, compute_sampled_exposure

LLOQ = 50.0


def exposure_of(
    nominal: list[float], values: list[float], times: list[float] | None = None
) -> SampledExposure:
    """Exposure of one subject; NaN marks a sample that was not taken, 0 a BLQ."""
    results = np.array([values])
    actual = np.array([nominal if times is None else times])
    return compute_sampled_exposure(
        np.array(nominal), actual, np.nan_to_num(results), ~np.isnan(results), LLOQ
    )


def test_auc28_is_linear_up_and_logarithmic_down_and_closes_at_the_first_blq() -> None:
    found = exposure_of([0, 1, 3, 7, 14, 28], [0, 100, 300, 1000, 100, 0])
    # 50 + 400 + 2600 + 900 / ln(10) x 7 + 100 x 14 / 2
    assert found.auc28[0] == pytest.approx(50 + 400 + 2600 + 2736.0552 + 700, rel=1e-7)
    assert (found.cmax[0], found.tmax[0]) == (1000, 7)


def test_a_sample_before_day_1_does_not_make_the_peak_but_counts_in_the_area() -> None:
    found = exposure_of([0, 0.04, 1, 7, 28], [0, 90000, 100, 1000, 100])
    assert found.cmax[0] == 1000
    assert found.auc28[0] > 0.04 * 90000 / 2


def test_a_blq_before_the_peak_counts_as_zero() -> None:
    found = exposure_of([0, 1, 3, 7, 28], [0, 100, 0, 1000, 1000])
    assert found.auc28[0] == pytest.approx(50 + 100 + 2000 + 21000)


def test_a_blq_between_quantifiable_samples_after_the_peak_is_left_out() -> None:
    with_blq = exposure_of([0, 7, 14, 21, 28], [0, 1000, 400, 0, 100])
    without = exposure_of([0, 7, 14, 21, 28], [0, 1000, 400, np.nan, 100])
    assert with_blq.auc28[0] == pytest.approx(without.auc28[0])


def test_a_last_sample_before_day_28_is_carried_on_with_its_last_slope() -> None:
    found = exposure_of([0, 7, 14, 21], [0, 800, 400, 200])
    halving = np.log(2) / 7
    expected = 7 * 800 / 2 + (800 - 100) / halving  # down to 100 at day 28
    assert found.auc28[0] == pytest.approx(expected)


def test_a_last_sample_after_day_28_is_cut_at_day_28() -> None:
    found = exposure_of([0, 7, 14, 28], [0, 800, 400, 200], times=[-0.1, 7, 14, 30])
    expected = exposure_of([0, 7, 14, 28], [0, 800, 400, 400 * 0.5 ** (14 / 16)])
    assert found.auc28[0] == pytest.approx(expected.auc28[0])


def test_who_is_never_quantifiable_has_a_peak_of_zero_and_no_time_of_it() -> None:
    found = exposure_of([0, 1, 7, 28], [0, 0, 10, 0])
    assert (found.cmax[0], found.auc28[0]) == (0, 0)
    assert np.isnan(found.tmax[0])


def test_a_subject_is_not_changed_by_those_beside_it() -> None:
    nominal = np.array([0.0, 1, 7, 14, 28])
    values = np.array([[0.0, 100, 1000, 500, 60], [0, 0, 0, 0, 0], [0, 0, 90, 0, 0]])
    times = np.tile(nominal, (3, 1))
    together = compute_sampled_exposure(nominal, times, values, np.ones((3, 5), bool), LLOQ)
    for row in range(3):
        alone = compute_sampled_exposure(
            nominal, times[[row]], values[[row]], np.ones((1, 5), bool), LLOQ
        )
        assert alone.auc28[0] == together.auc28[row]
        assert alone.cmax[0] == together.cmax[row]

"""Predictors are scaled, told to vary and set to a value in one way for all models."""

import numpy as np
import pytest

from celldossier.stats.predictors import as_columns, is_constant, set_exposure, standardise


def test_columns_are_scaled_by_their_own_mean_and_deviation_and_can_be_scaled_back() -> None:
    x = np.array([[1.0, 7.0], [2.0, 7.0], [6.0, 7.0]])
    z, centre, scale = standardise(x)
    assert z[:, 0].mean() == pytest.approx(0)
    assert (z[:, 0] ** 2).mean() == pytest.approx(1)
    np.testing.assert_allclose(z * scale + centre, x)
    # A constant column stays what it is: 0 after centring, not a division by 0.
    assert scale[1] == 1
    assert z[:, 1].tolist() == [0, 0, 0]


def test_a_variable_is_constant_up_to_rounding_of_its_size() -> None:
    assert is_constant(np.array([1e6, 1e6 + 1e-7]))
    assert not is_constant(np.array([1e6, 1e6 + 1e-5]))
    assert is_constant(np.array([[1.0, 3.0], [2.0, 3.0]]))
    assert not is_constant(np.array([[1.0, 3.0], [2.0, 4.0]]))


def test_one_predictor_is_a_matrix_of_one_column() -> None:
    assert as_columns([1.0, 2.0]).tolist() == [[1.0], [2.0]]


def test_the_exposure_is_set_for_all_and_each_keeps_the_own_covariates() -> None:
    design = set_exposure([10.0, 20.0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert design.shape == (2, 3, 3)
    assert design[1].tolist() == [[20, 1, 2], [20, 3, 4], [20, 5, 6]]

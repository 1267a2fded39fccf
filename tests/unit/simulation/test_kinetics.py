"""The latent curve against closed-form values, and what the assays make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from celldossier.simulation.draw import DrawnStudy
from celldossier.simulation.exposure import compute_sampled_exposure
from celldossier.simulation.kinetics import (
    KineticParameters,
    compute_concentrations,
    convert_to_cells,
)
from celldossier.simulation.laboratory import compute_other_leukocytes
from celldossier.simulation.specification import StudySpecification


@pytest.fixture
def stein() -> KineticParameters:
    """The typical subject of Stein 2019 (no lag to speak of, no distribution phase)."""
    return KineticParameters(
        cmax=np.array([24000.0]),
        lag=np.array([1e-12]),
        growth_time=np.array([9.3]),
        fold=np.array([3900.0]),
        alpha=np.array([0.16]),
        beta=np.array([0.0032]),
        fb=np.array([0.0079]),
        distribution_level=np.array([0.0]),
        distribution_rate=1.0,
        non_expander=np.array([False]),
        antibody_onset=np.array([np.inf]),
        antibody_alpha_factor=1.5,
    )


def test_the_typical_subject_of_stein_2019_has_the_published_concentrations(
    stein: KineticParameters,
) -> None:
    # science.md B1 and H: C(0) = 6.1538, C(9.3) = 24,000, C(28) = 1,373.56 copies/ug.
    values = compute_concentrations(stein, np.array([[0.0, 9.3, 28.0]]))
    assert values[0] == pytest.approx([6.1538, 24000.0, 1373.56], rel=1e-5)


def test_the_typical_subject_of_stein_2019_has_the_published_auc28(
    stein: KineticParameters,
) -> None:
    grid = np.arange(0, 28.001, 0.01)
    values = compute_concentrations(stein, grid[np.newaxis, :])
    found = compute_sampled_exposure(
        grid, grid[np.newaxis, :], values, np.ones_like(values, dtype=bool), 1e-9
    )
    assert found.auc28[0] == pytest.approx(171774, rel=1e-4)  # science.md B1
    assert found.tmax[0] == pytest.approx(9.3, abs=0.006)


def test_before_the_lag_the_curve_stands_at_the_peak_over_the_fold(
    stein: KineticParameters,
) -> None:
    lagged = replace(stein, lag=np.array([2.0]))
    values = compute_concentrations(lagged, np.array([[0.5, 2.0, 11.3]]))
    assert values[0] == pytest.approx([24000 / 3900, 24000 / 3900, 24000.0])


def test_the_distribution_phase_halves_every_half_life(stein: KineticParameters) -> None:
    early = replace(
        stein,
        cmax=np.array([0.0]),
        distribution_level=np.array([2000.0]),
        distribution_rate=np.log(2) / 0.4,
    )
    values = compute_concentrations(early, np.array([[-0.1, 0.0, 0.4, 0.8]]))
    assert values[0] == pytest.approx([0.0, 2000.0, 1000.0, 500.0])


def test_an_antibody_speeds_up_contraction_without_a_jump(stein: KineticParameters) -> None:
    with_antibody = replace(stein, antibody_onset=np.array([20.0]), fb=np.array([1e-12]))
    without = replace(stein, fb=np.array([1e-12]))
    days = np.array([[19.9, 20.0, 24.0, 28.0]])
    ratio = compute_concentrations(with_antibody, days) / compute_concentrations(without, days)
    # From day 20 on the rate is 1.5 x 0.16: half of 0.16 a day more than without.
    expected = [1.0, 1.0, np.exp(-0.08 * 4), np.exp(-0.08 * 8)]
    assert ratio[0] == pytest.approx(expected, rel=1e-6)


def test_cells_are_the_share_of_all_leukocytes_that_the_copies_imply() -> None:
    # 15,152 copies/ug at one copy a cell are 10 % of cells: 50 of 500 cells/uL (G-7).
    cells = convert_to_cells(np.array([[15151.515]]), np.array([1.0]), np.array([[450.0]]))
    assert cells[0, 0] == pytest.approx(50.0, rel=1e-6)


def test_transgene_never_exceeds_what_the_nucleated_cells_can_hold(large: DrawnStudy) -> None:
    ceiling = large.infused["VCN"].to_numpy()[:, np.newaxis] / 6.6e-6
    assert (large.measured.pcr <= ceiling).all()


def test_after_antibody_onset_flow_is_lower_and_pcr_is_not(
    large: DrawnStudy, ctx101: StudySpecification
) -> None:
    times = large.times_of(ctx101.sampling.days)
    latent = compute_concentrations(large.parameters, times)
    other = compute_other_leukocytes(large.counts, times)
    cells = convert_to_cells(latent, large.infused["VCN"].to_numpy(), other)
    after = times >= large.antibodies.onset[:, np.newaxis]
    flow = np.log(large.measured.flow[after] / cells[after])
    pcr = np.log(large.measured.pcr[after] / latent[after])
    assert flow.mean() == pytest.approx(
        np.log(0.6), abs=4 * ctx101.sampling.flow.residual_sd / np.sqrt(flow.size)
    )
    assert pcr.mean() == pytest.approx(
        0.0, abs=4 * ctx101.sampling.pcr.residual_sd / np.sqrt(pcr.size)
    )

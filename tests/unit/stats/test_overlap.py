"""Overlap coefficient: closed forms, another program, how often intervals hold the truth."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import gaussian_kde

from celldossier.stats.overlap import (
    ESTIMATORS,
    INTERVALS,
    Estimator,
    estimate_overlap,
    exact_interval,
    overlap_of_normals,
)

means = st.floats(-20, 20)
deviations = st.floats(0.05, 20)
shares = st.floats(0.0, 1.0)


def draw(n: int, mean: float = 0.0, sd: float = 1.0, seed: int = 1) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(mean, sd, n))


@pytest.mark.parametrize("distance", [0.0, 0.3, 1.0, 2.5, 8.0])
def test_equal_deviations_give_the_closed_form(distance: float) -> None:
    found = overlap_of_normals(3.0, 0.7, 3.0 + 0.7 * distance, 0.7)
    assert found == pytest.approx(2 * ndtr(-distance / 2), abs=1e-14)


@given(means, deviations, means, deviations)
def test_any_two_normals_agree_with_the_standard_library_of_python(
    mean: float, sd: float, other_mean: float, other_sd: float
) -> None:
    # Where the deviations nearly agree, the standard library loses all digits (it gives 0.5 for two
    # distributions that are 20 deviations apart); such pairs have a test of their own.
    assume(sd == other_sd or abs(math.log(sd / other_sd)) > 1e-3)
    ours = overlap_of_normals(mean, sd, other_mean, other_sd)
    expected = NormalDist(mean, sd).overlap(NormalDist(other_mean, other_sd))
    assert ours == pytest.approx(expected, abs=1e-6)


def test_the_example_of_the_standard_library_has_its_published_value() -> None:
    assert overlap_of_normals(2.4, 1.6, 3.2, 2.0) == pytest.approx(0.8035050657330205, abs=1e-12)


def test_deviations_that_hardly_differ_are_as_good_as_equal() -> None:
    for sd in (1 + 1e-15, 1 + 1e-12, 1 + 1e-8):
        assert overlap_of_normals(0, 1, 0.5, sd) == pytest.approx(2 * ndtr(-0.25), abs=1e-7)


@given(means, deviations, means, deviations, shares, shares)
def test_an_overlap_lies_between_the_bounds_and_does_not_depend_on_the_order(
    mean: float, sd: float, other_mean: float, other_sd: float, share: float, other: float
) -> None:
    found = overlap_of_normals(mean, sd, other_mean, other_sd, share, other)
    turned = overlap_of_normals(other_mean, other_sd, mean, sd, other, share)
    assert found == pytest.approx(turned, abs=1e-8)
    apart = min(1 - share, 1 - other)
    assert apart - 1e-9 <= found <= apart + min(share, other) + 1e-9


def test_shares_without_a_logarithm_count_as_far_as_both_groups_have_them() -> None:
    x = np.linspace(-15, 15, 300_001)
    density = np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    other = np.exp(-0.5 * ((x - 1) / 1.5) ** 2) / (1.5 * math.sqrt(2 * math.pi))
    area = np.trapezoid(np.minimum(0.9 * density, 0.6 * other), x)
    assert overlap_of_normals(0, 1, 1, 1.5, 0.9, 0.6) == pytest.approx(area + 0.1, abs=1e-8)


def test_estimates_are_those_of_moments_and_of_the_kernels_of_scipy() -> None:
    a, b = draw(30), draw(20, 1.0, 1.4, seed=2)
    unequal = estimate_overlap(a, b, "NORMAL_UNEQUAL", resamples=200).ovl
    normals = [NormalDist.from_samples(np.log(part).tolist()) for part in (a, b)]
    assert unequal == pytest.approx(normals[0].overlap(normals[1]), abs=1e-10)
    pooled = math.sqrt((29 * np.log(a).var(ddof=1) + 19 * np.log(b).var(ddof=1)) / 48)
    distance = abs(np.log(a).mean() - np.log(b).mean()) / pooled
    equal = estimate_overlap(a, b, "NORMAL_EQUAL", resamples=200).ovl
    assert equal == pytest.approx(2 * ndtr(-distance / 2), abs=1e-12)
    x = np.linspace(-15, 15, 60_001)
    lower = np.minimum(*(gaussian_kde(np.log(part), "silverman")(x) for part in (a, b)))
    kernel = estimate_overlap(a, b, "KERNEL", resamples=200).ovl
    assert kernel == pytest.approx(np.trapezoid(lower, x), abs=5e-4)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 1000), st.sampled_from(ESTIMATORS))
def test_the_unit_of_the_exposure_does_not_matter(factor: float, estimator: Estimator) -> None:
    a, b = np.append(draw(12), 0.0), draw(9, 0.8, seed=3)
    found = estimate_overlap(a, b, estimator, resamples=200)
    scaled = estimate_overlap(factor * a, factor * b, estimator, resamples=200)
    for name in ("ovl", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(scaled, name), abs=1e-9)


def test_the_same_seed_gives_the_same_interval_and_it_holds_the_estimate() -> None:
    a, b = draw(24), draw(60, 0.5, seed=2)
    for interval in INTERVALS:
        found = estimate_overlap(a, b, interval=interval, resamples=400, seed=7)
        assert found == estimate_overlap(a, b, interval=interval, resamples=400, seed=7)
        assert 0 < found.low < found.ovl < found.high <= 1
    other = estimate_overlap(a, b, resamples=400, seed=8)
    assert other.low != found.low and other.ovl == found.ovl


def test_never_quantifiable_subjects_are_kept_as_a_mass_of_their_own() -> None:
    a, b = draw(20), draw(20, 0.2, seed=2)
    with_zeros = estimate_overlap(np.append(a, np.zeros(20)), b, "NORMAL_UNEQUAL", resamples=200)
    alone = estimate_overlap(a, b, "NORMAL_UNEQUAL", resamples=200)
    # Half of one group lies where the other has nobody.
    assert with_zeros.ovl <= 0.5 < alone.ovl
    equal = estimate_overlap(np.append(a, 0.0), b, "NORMAL_EQUAL", resamples=200)
    assert math.isnan(equal.exact_low) and math.isfinite(equal.low)


def test_what_cannot_be_estimated_has_a_reason() -> None:
    assert estimate_overlap([1.0, 0, 0], draw(9)).reason == "FEWSUBJ"
    assert estimate_overlap(draw(4), draw(9), min_subjects=5).reason == "FEWSUBJ"
    assert estimate_overlap([2.0, 2.0], [2.0, 2.0, 2.0]).reason == "CONSTANT"


def test_the_exact_interval_inverts_the_noncentral_t_distribution() -> None:
    from scipy.stats import nct

    a, b = np.log(draw(15)), np.log(draw(12, 1.5, seed=2))
    low, high = exact_interval(a, b)
    pooled = math.sqrt((14 * a.var(ddof=1) + 11 * b.var(ddof=1)) / 25)
    size = math.sqrt(15 * 12 / 27)
    t = abs(a.mean() - b.mean()) / pooled * size
    # An overlap at a limit is a distance under which |t| up to ours has 2.5 or 97.5 %.
    for limit, probability in ((low, 0.025), (high, 0.975)):
        distance = -2 * NormalDist().inv_cdf(limit / 2) * size
        found = nct.cdf(t, 25, distance) - nct.cdf(-t, 25, distance)
        assert found == pytest.approx(probability, abs=1e-6)


def test_the_exact_interval_holds_a_whole_and_a_half_overlap_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    replicates = 1000
    for distance in (0.0, 1.3):
        truth = float(overlap_of_normals(0, 1, distance, 1))
        held = 0
        for _ in range(replicates):
            low, high = exact_interval(rng.normal(0, 1, 8), rng.normal(distance, 1, 12))
            held += low - 1e-12 <= truth <= high + 1e-12
        # Three standard errors of a rate of 95 % are 2.1 %; at the whole overlap only the lower
        # limit can miss, with 2.5 %.
        expected = 0.975 if distance == 0 else 0.95
        assert abs(held / replicates - expected) < 0.021


def test_the_benchmark_of_the_intervals_runs(capsys: pytest.CaptureFixture[str]) -> None:
    script = Path(__file__).parents[3] / "benchmarks" / "overlap_coverage.py"
    specification = importlib.util.spec_from_file_location("overlap_coverage", script)
    assert specification is not None and specification.loader is not None
    benchmark = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(benchmark)
    benchmark.count_coverage(2, 50)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * 4 * 2 * 7 and all(len(line.split()) == 9 for line in lines)


def test_kernels_of_subjects_with_a_logarithm_weigh_by_their_share() -> None:
    a, b = draw(15), draw(12, 0.7, seed=2)
    x = np.linspace(-15, 15, 60_001)
    densities = (gaussian_kde(np.log(part), "silverman")(x) for part in (a, b))
    lower = np.minimum(*(share * one for share, one in zip((0.75, 0.8), densities, strict=True)))
    with_zeros = np.append(a, np.zeros(5)), np.append(b, np.zeros(3))
    found = estimate_overlap(*with_zeros, "KERNEL", resamples=50).ovl
    # A quarter and a fifth of the subjects lie together below all logarithms.
    assert found == pytest.approx(np.trapezoid(lower, x) + 0.2, abs=5e-4)


def test_two_thousand_samples_of_95_percent_are_drawn_where_nothing_is_said() -> None:
    a, b = draw(6), draw(7, 0.5, seed=2)
    assert estimate_overlap(a, b) == estimate_overlap(
        a, b, "NORMAL_EQUAL", level=0.95, interval="percentile", resamples=2000, seed=1
    )

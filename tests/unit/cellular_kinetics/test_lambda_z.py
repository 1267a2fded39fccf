"""R16, R17: the terminal regression and its gates."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

PEAK = [(0, "BLQ"), (7, 5000.0), (10, 20000.0)]
GATES = {"min_points": 3, "min_r2adj": 0.80, "min_span": 2}


def line(rate, times, start=10000.0):
    return [(t, start * exp(-rate * (t - 14))) for t in times]


def test_only_points_after_the_first_peak_are_used(run):
    result = run([*PEAK, *line(0.1, (14, 21, 28))])
    fit = result.lambda_z.iloc[0]
    assert fit["LAMZNPT"] == 3 and fit["LAMZLL"] == 14 and fit["LAMZUL"] == 28
    window = result.dispositions.loc[result.dispositions["LZFL"] == "Y", "TIME"].tolist()
    assert window == [14.0, 21.0, 28.0]


def test_two_points_after_the_peak_are_too_few(nca):
    answer = nca([*PEAK, *line(0.1, (14, 21))])
    for code in ("LAMZ", "LAMZHL", "LAMZNPT", "R2ADJ", "AUCIFO"):
        assert answer[code].reason == "NOLAMZ"


def test_an_imputed_point_never_enters_the_regression(run):
    points = [*PEAK, (14, 9000.0), (21, "BLQ"), (28, "BLQ"), (42, 500.0), (60, 100.0)]
    result = run(points, blq={"embedded": "half_lloq"})
    window = result.dispositions.loc[result.dispositions["LZFL"] == "Y", "TIME"].tolist()
    assert window == [14.0, 42.0, 60.0]


def perturbed(change):
    """Four points on a line, the first moved by `change` on the ln scale."""
    times = (14.0, 21.0, 28.0, 42.0)
    values = [9.0 - 0.1 * t for t in times]
    values[0] += change
    return [*PEAK, *((t, exp(v)) for t, v in zip(times, values, strict=True))]


def r2adj(points):
    x = np.array([t for t, _ in points])
    y = np.log([c for _, c in points])
    r2 = np.corrcoef(x, y)[0, 1] ** 2
    return 1 - (1 - r2) * (len(x) - 1) / (len(x) - 2)


def test_within_the_tolerance_of_the_best_fit_most_points_win(nca):
    # Three points lie on a line exactly (adjusted R squared 1); the fourth costs a little.
    near, far = perturbed(0.015), perturbed(0.035)
    assert 0 < 1 - r2adj(near[3:]) < 1e-4 < 1 - r2adj(far[3:])
    assert nca(near, columns={"lloq": 1.0})["LAMZNPT"].value == 4
    assert nca(far, columns={"lloq": 1.0})["LAMZNPT"].value == 3


def test_before_lets_only_falling_fits_compete_and_after_gives_up_a_rising_one(nca):
    # The last three points rise on an exact line; the longer fits fall.
    points = [(0, "BLQ"), (3, 50000.0), (7, 9000.0), (14, 900.0), (21, 100.0), (28, 200.0)]
    points += [(35, 400.0)]
    before, after = nca(points), nca(points, gate="after")
    assert before["LAMZ"].value > 0
    assert after["LAMZ"].reason == "NOLAMZ"


def test_rising_profiles_have_no_rate_under_either_gate(nca):
    points = [(0, "BLQ"), (3, 50000.0), (7, 100.0), (14, 200.0), (21, 400.0)]
    for gate in ("before", "after"):
        assert nca(points, gate=gate)["LAMZ"].reason == "NOLAMZ"


def test_equal_concentrations_have_no_rate(nca):
    points = [*PEAK, (14, 333.3), (21, 333.3), (28, 333.3), (42, 333.3)]
    assert nca(points)["LAMZ"].reason == "NOLAMZ"


@pytest.mark.parametrize(("span", "reason"), [(2.001, ""), (1.999, "SPANLOW")])
def test_the_window_must_span_two_half_lives(nca, span, reason):
    rate = span * log(2) / 14
    answer = nca([*PEAK, *line(rate, (14, 21, 28))], lambda_z=GATES)
    assert answer["LAMZ"].reason == answer["LAMZHL"].reason == reason
    assert answer["LAMZSPN"].value == pytest.approx(span, rel=1e-9)
    assert answer["LAMZSPN"].flag == reason
    assert answer["LAMZRAW"].value == pytest.approx(rate, rel=1e-9)


NOISY = [(14, 9000.0), (21, 800.0), (28, 2500.0), (42, 100.0)]


def test_a_poor_fit_is_withheld_and_kept_raw(run, nca):
    points = [*PEAK, *NOISY]
    fit = nca(points)["R2ADJ"].value
    low = nca(points, lambda_z={**GATES, "min_r2adj": min(1.0, fit + 1e-9)})
    high = nca(points, lambda_z={**GATES, "min_r2adj": fit - 1e-9})
    assert low["LAMZ"].reason == "R2LOW" and high["LAMZ"].reason == ""
    assert low["LAMZHLR"].value == high["LAMZHL"].value
    raw = run(points, lambda_z={**GATES, "min_r2adj": 0.999}).lambda_z.iloc[0]
    assert raw["GATE"] == "R2LOW" and raw["LAMZ"] > 0


def test_a_gate_of_zero_is_off(nca):
    points = [*PEAK, (14, 900.0), (21, 901.0), (28, 899.0), (42, 900.0)]
    answer = nca(points, lambda_z={"min_points": 3, "min_r2adj": 0, "min_span": 0})
    assert answer["LAMZ"].reason == "" and answer["R2ADJ"].value < 0.8


def test_the_fit_agrees_with_an_independent_regression(run):
    points = [*PEAK, *NOISY]
    fit = run(points).lambda_z.iloc[0]
    k = int(fit["LAMZNPT"])
    slope, intercept = np.polyfit(*np.array([(t, log(c)) for t, c in NOISY[-k:]]).T, 1)
    assert fit["LAMZ"] == pytest.approx(-slope, rel=1e-9)
    assert fit["LAMZICPT"] == pytest.approx(intercept, rel=1e-9)
    assert fit["R2ADJ"] == pytest.approx(r2adj(NOISY[-k:]), rel=1e-9)
    assert fit["CLSTP"] == pytest.approx(exp(intercept + slope * 42), rel=1e-9)


def test_of_fits_that_tie_a_rising_one_gives_way_to_a_falling_one(nca):
    # The last three points fall; a low point before them makes the fit of four rise. How low it
    # has to be for the same adjusted R squared is found by halving.
    def points(low):
        logs = ((1, 5 - low), (2, 6.0), (3, 5.2), (4, 5.3))
        return [(0, 9000.0), *((time, exp(value)) for time, value in logs)]

    low, high = 1.0, 50.0
    for _ in range(100):
        middle = (low + high) / 2
        better = r2adj(points(middle)[1:]) > r2adj(points(middle)[2:])
        low, high = (low, middle) if better else (middle, high)
    tie = points(low)
    assert abs(r2adj(tie[1:]) - r2adj(tie[2:])) < 1e-6
    options = {"columns": {"lloq": 1e-30}, "lambda_z": {"min_r2adj": 0, "min_span": 0}}
    for gate in ("before", "after"):
        assert nca(tie, gate=gate, **options)["LAMZNPT"].value == 3
    assert nca(points(49.0), gate="after", **options)["LAMZ"].reason == "NOLAMZ"

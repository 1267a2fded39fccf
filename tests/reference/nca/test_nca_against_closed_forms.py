"""Curves whose parameters are known in closed form: mono- and bi-exponential, and that of Stein.

Stein AM et al., CPT Pharmacometrics Syst Pharmacol 2019, 8:285 (doi 10.1002/psp4.12388): growth by
a factor foldx to the peak, then two exponentials. Exponential steps of one term are exact by the
logarithmic rule; sums of exponentials by the linear rule on a regular grid are geometric series.
"""

from __future__ import annotations

from math import exp, expm1, log

import numpy as np
import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

NO_GATES = {"min_points": 3, "min_r2adj": 0, "min_span": 0}
TOLERANCE = 1e-12


def estimate(times, values, **rules) -> pd.Series:
    samples = pd.DataFrame({"TIME": times, "CONC": values})
    samples = samples.assign(USUBJID="S1", ANALYTE="PCR", BLQ=0, LLOQ=np.nan)
    settings = {"peak_from": 0, "lambda_z": NO_GATES, **rules}
    result = estimate_nca(samples, CellularKineticsSettings.model_validate(settings)).as_text()
    reasons = result.parameters.set_index("PARAMCD")["REASND"]
    values = result.parameters.set_index("PARAMCD")["AVAL"]
    fit = result.lambda_z.iloc[0]
    values["R2"], values["CLSTP"], values["ICPT"] = fit["R2"], fit["CLSTP"], fit["LAMZICPT"]
    assert (values[reasons.index].isna() == (reasons != "")).all()
    return values


@pytest.mark.parametrize("rate", [0.003, 0.16, 1.7])
@pytest.mark.parametrize("last", [21.0, 60.0])
@pytest.mark.parametrize("tail", ["extrapolate", "auto", "last"])
def test_a_mono_exponential_is_exact(rate, last, tail):
    """C0 exp(-k t): every step is exact, and so are rates, areas and extrapolations."""
    peak, end = 24000.0, 28.0
    times = np.array([0.0, 0.7, 2.0, 3.5, 7.0, 10.0, 14.0, last])
    rules = {"tail": tail, "partial_areas": [[0, end], [0, 8.5]], "max_extrapolation": 100}
    found = estimate(times, peak * np.exp(-rate * times), **rules)

    def area(until: float) -> float:
        return -peak * expm1(-rate * until) / rate

    expected = {
        "CMAX": peak,
        "AUCLST": area(last),
        "AUC8P5": area(8.5),
        "AUC28": area(min(last, end) if tail == "last" else end),
        "AUCIFO": peak / rate,
        "AUCPEO": 100 * exp(-rate * last),
        "LAMZ": rate,
        "LAMZHL": log(2) / rate,
        "LAMZNPT": 7,
        "LAMZLL": 0.7,
        "LAMZSPN": (last - 0.7) * rate / log(2),
        "R2": 1.0,
        "R2ADJ": 1.0,
        "CLSTP": peak * exp(-rate * last),
        "ICPT": log(peak),
    }
    for code, value in expected.items():
        # The logarithm of a value near its machine precision scales the error of its rate.
        assert found[code] == pytest.approx(value, rel=TOLERANCE, abs=0), code


def geometric_area(level: float, rate: float, step: float, steps: int) -> float:
    """Sum of linear trapezoids under level exp(-rate t) on a regular grid."""
    ratio = exp(-rate * step)
    return level * step / 2 * (1 + ratio) * -expm1(-rate * step * steps) / -expm1(-rate * step)


@pytest.mark.parametrize(("slow", "share"), [(0.0032, 0.0079), (0.02, 0.3)])
def test_a_bi_exponential_is_exact_by_the_linear_rule(slow, share):
    """Sums of two exponentials: geometric series; the terminal rate is that of the slow one."""
    peak, fast, step, steps = 24000.0, 40.0, 2.0, 30
    times = step * np.arange(steps + 1)
    values = peak * ((1 - share) * np.exp(-fast * times) + share * np.exp(-slow * times))
    found = estimate(times, values, auc_rule="linear", partial_areas=[[0, 28], [0, 90]])
    terms = ((1 - share) * peak, fast), (share * peak, slow)

    def area(count: int) -> float:
        return sum(geometric_area(level, rate, step, count) for level, rate in terms)

    last = share * peak * exp(-slow * step * steps)
    tail = last * -expm1(-slow * (90 - step * steps)) / slow
    assert found["AUCLST"] == pytest.approx(area(steps), rel=TOLERANCE)
    assert found["AUC28"] == pytest.approx(area(14), rel=TOLERANCE)
    # After the first step nothing is left of the fast one.
    assert found["LAMZ"] == pytest.approx(slow, rel=TOLERANCE)
    assert found["AUCIFO"] == pytest.approx(area(steps) + last / slow, rel=TOLERANCE)
    if 100 * tail / (area(steps) + tail) <= 20:
        assert found["AUC90"] == pytest.approx(area(steps) + tail, rel=TOLERANCE)
    else:
        assert np.isnan(found["AUC90"])


FOLD, TMAX, CMAX, ALPHA, MEMORY, BETA = 3900.0, 9.3, 24000.0, 0.16, 0.0079, 0.0032
"""Typical values of tisagenlecleucel (Stein 2019, table 2)."""


def stein(times):
    """Concentration of the typical subject."""
    growth = log(FOLD) / TMAX
    after = np.maximum(times - TMAX, 0)
    decline = (1 - MEMORY) * np.exp(-ALPHA * after) + MEMORY * np.exp(-BETA * after)
    return np.where(times < TMAX, CMAX / FOLD * np.exp(growth * times), CMAX * decline)


def test_the_anchors_of_the_curve_of_stein_hold():
    growth = log(FOLD) / TMAX
    before = CMAX * -expm1(-growth * TMAX) / growth
    after = (1 - MEMORY) * -expm1(-ALPHA * (28 - TMAX)) / ALPHA
    after += MEMORY * -expm1(-BETA * (28 - TMAX)) / BETA
    assert pytest.approx(6.1538, abs=5e-5) == CMAX / FOLD
    assert growth == pytest.approx(0.88911, abs=5e-6)
    assert before == pytest.approx(26986, abs=0.5)
    assert before + CMAX * after == pytest.approx(171774, abs=0.5)
    assert stein(np.array([28.0]))[0] == pytest.approx(1373.56, abs=0.005)


def test_the_growth_of_the_curve_of_stein_is_exact():
    """Up to the peak one exponential: rate, doubling time, and the area by the log rule."""
    times = np.array([0.0, 1.0, 3.0, 5.0, 7.0, TMAX])
    found = estimate(times, stein(times), auc_rule="log", partial_areas=[[0, TMAX]])
    growth = log(FOLD) / TMAX
    area = CMAX * -expm1(-growth * TMAX) / growth
    assert found["EXPRATE"] == pytest.approx(growth, rel=TOLERANCE)
    assert found["DOUBT"] == pytest.approx(log(2) / growth, rel=TOLERANCE)
    assert found["AUCLST"] == pytest.approx(area, rel=TOLERANCE)
    assert found["AUC9P3"] == pytest.approx(area, rel=TOLERANCE)
    assert found["CMAXTMAX"] == pytest.approx(CMAX / TMAX, rel=TOLERANCE)


def test_the_area_of_the_curve_of_stein_is_exact_by_the_linear_rule():
    """On a regular grid with the peak on it both limbs are geometric series."""
    step, rise, fall = TMAX / 30, 30, 300
    times = step * np.arange(rise + fall + 1)
    # The peak exactly, whatever the rounding of its time.
    values = stein(np.where(np.arange(rise + fall + 1) == rise, TMAX, times))
    found = estimate(times, values, auc_rule="linear", partial_areas=[])
    growth = log(FOLD) / TMAX
    expected = geometric_area(CMAX, growth, step, rise)
    expected += geometric_area((1 - MEMORY) * CMAX, ALPHA, step, fall)
    expected += geometric_area(MEMORY * CMAX, BETA, step, fall)
    assert found["AUCLST"] == pytest.approx(expected, rel=TOLERANCE)
    assert found["CMAX"] == CMAX
    assert found["TMAX"] == pytest.approx(TMAX, rel=TOLERANCE)


def test_the_area_of_the_curve_of_stein_is_reached_as_the_samples_grow_denser():
    """Linear up, log down to the closed form: the error falls with the square of the step."""
    growth = log(FOLD) / TMAX
    exact = CMAX * -expm1(-growth * TMAX) / growth
    exact += CMAX * (1 - MEMORY) * -expm1(-ALPHA * (28 - TMAX)) / ALPHA
    exact += CMAX * MEMORY * -expm1(-BETA * (28 - TMAX)) / BETA
    errors = []
    for count in (20, 40, 80):
        times = np.append(np.linspace(0, TMAX, count + 1), np.linspace(TMAX, 28, count + 1)[1:])
        found = estimate(times, stein(times), partial_areas=[[0, 28]])["AUC28"]
        errors.append(abs(found / exact - 1))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.1)
    assert errors[2] < 1e-3

"""Any numbers at all: a value or a reason, never an exception but the documented one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from celldossier.cellular_kinetics.nca import NcaResult, estimate_nca
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

RULES = st.builds(
    lambda **values: CellularKineticsSettings.model_validate(values),
    auc_rule=st.sampled_from(["linear_up_log_down", "linear", "log"]),
    tail=st.sampled_from(["auto", "last", "all", "extrapolate"]),
    blq=st.sampled_from([{"embedded": e} for e in ("auto", "drop", "zero", "half_lloq")]),
    start=st.sampled_from(["zero", "none"]),
    peak_from=st.sampled_from([0.0, 1.0]),
    gate=st.sampled_from(["before", "after"]),
    duplicates=st.sampled_from(["error", "first", "mean", "max"]),
    partial_areas=st.just([[0, 28], [0, 90]]),
)
# Subnormal and huge numbers, and few of them, so that there are ties.
POOL = [5e-324, 2.2e-308, 1e-300, 1e-9, 1.0, 50.0, 50.000000000000007, 1e154, 1e300, 1.7e308]
RESULTS = st.one_of(
    st.sampled_from([0.0, *POOL]), st.floats(0, allow_infinity=False), st.just(np.nan)
)
TIMES = st.one_of(
    st.sampled_from([0.0, -0.0, 27.0, 28.0, 28.000000000000004, -1e300, 1e300, *POOL]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-3, 60).map(float),
)
LIMITS = st.one_of(st.just(np.nan), st.sampled_from(POOL))


@st.composite
def samples(draw):
    """Samples of one to three subjects, in any order."""
    rows = draw(st.lists(st.tuples(st.integers(0, 2), TIMES, RESULTS, LIMITS), min_size=1))
    frame = pd.DataFrame(rows, columns=["USUBJID", "TIME", "CONC", "LLOQ"])
    below = draw(st.lists(st.booleans(), min_size=len(frame), max_size=len(frame)))
    frame["BLQ"] = np.where(frame["CONC"].isna(), below, False).astype(int)
    frame["USUBJID"] = frame["USUBJID"].map("S{}".format)
    censored = draw(st.one_of(st.none(), TIMES))
    if censored is not None:
        frame["CENSTIME"] = censored
    if draw(st.booleans()):
        frame["DOSETIME"] = draw(TIMES)
    return frame.assign(ANALYTE="PCR")


def analyse(frame, rules) -> NcaResult | None:
    """The result, None where the samples have a documented fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return estimate_nca(frame, rules).as_text()
    except InputDataError as error:
        assert error.faults
        return None


def make(times, results, **columns):
    frame = pd.DataFrame({"TIME": times, "CONC": results, "USUBJID": "S0", "ANALYTE": "PCR"})
    return frame.assign(**{"BLQ": 0, "LLOQ": np.nan, **columns})


many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(samples(), RULES)
@example(make([0.0, 1.0, 2.0], [1e300, 5e-324, 5e-324]), CellularKineticsSettings())
@example(make([0.0, 1.0, 2.0, 3.0], [1.7e308] * 4), CellularKineticsSettings())
@example(make([0.0, 1.7e308], [1.0, 2.0], DOSETIME=-1.7e308), CellularKineticsSettings())
@example(
    make([0.0, 1.0], [1.0, 2.0], DOSETIME=-1e308, CENSTIME=1.7e308), CellularKineticsSettings()
)
@example(make([-1e300, 0.5, 1e300], [1.0, 2.0, 1.0]), CellularKineticsSettings(peak_from=0))
def test_any_numbers_give_a_value_or_a_reason_and_never_an_exception(frame, rules):
    result = analyse(frame, rules)
    assume(result is not None)
    parameters = result.parameters
    assert (parameters["AVAL"].isna() == (parameters["REASND"] != "")).all()
    assert np.isfinite(parameters["AVAL"].dropna()).all()
    assert (parameters.loc[parameters["REASND"] != "", "FLAG"] == "").all()
    given = result.dispositions[result.dispositions["ROW"] > 0]
    assert sorted(given["ROW"]) == list(range(1, len(frame) + 1))


@many
@given(samples(), RULES)
def test_no_area_is_below_zero_and_none_is_above_the_box_around_the_curve(frame, rules):
    result = analyse(frame, rules)
    assume(result is not None)
    wide = result.parameters.pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    highest = frame.groupby("USUBJID")["CONC"].max().fillna(0.0)
    start = frame.get("DOSETIME", 0.0)
    length = (frame["TIME"] - start).groupby(frame["USUBJID"]).max().clip(lower=0)
    with np.errstate(all="ignore"):
        box = highest * length * (1 + 1e-9)
        # The limit of quantitation may be put in for a result (half_lloq).
        box = np.maximum(box, frame.groupby("USUBJID")["LLOQ"].max().fillna(0) * length)
    area = wide["AUCLST"].dropna()
    assert (area >= 0).all()
    assert (area <= box.reindex(area.index) + 1e-300).all()


def test_a_step_from_huge_to_tiny_keeps_its_area():
    """The ratio of the ends is beyond the doubles, the logarithmic area is not."""
    found = estimate_nca(make([0.0, 1.0, 2.0], [1e300, 5e-324, 5e-324]), CellularKineticsSettings())
    area = found.parameters.set_index("PARAMCD")["AVAL"]["AUCLST"]
    exact = 1e300 / (np.log(1e300) - np.log(5e-324))
    np.testing.assert_allclose(area, exact, rtol=1e-12)
    half = CellularKineticsSettings.model_validate({"partial_areas": [[0, 0.5]], "tail": "last"})
    found = estimate_nca(make([0.0, 1.0], [1e300, 5e-324]), half).parameters
    area = found.set_index("PARAMCD")["AVAL"]["AUC0P5"]
    # At half time the logarithm is half way.
    np.testing.assert_allclose(area, exact * -np.expm1((np.log(5e-324) - np.log(1e300)) / 2))

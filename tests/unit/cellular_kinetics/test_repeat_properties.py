"""Properties of the analysis of several doses that hold for any data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

pytestmark = pytest.mark.slow

RULES = st.builds(
    lambda **values: CellularKineticsSettings.model_validate(values),
    auc_rule=st.sampled_from(["linear_up_log_down", "linear", "log"]),
    tail=st.sampled_from(["auto", "last", "all", "extrapolate"]),
    blq=st.sampled_from([{"embedded": e} for e in ("auto", "drop", "zero", "half_lloq")]),
    start=st.sampled_from(["zero", "minimum", "none"]),
    peak_from=st.sampled_from([0.0, 1.0]),
    trough_window=st.sampled_from([0.0, 1.0, 30.0]),
    partial_areas=st.just([[0, 7], [0, 28]]),
    no_specific_marker=st.sampled_from([[], ["FLOW"]]),
)
RESULTS = st.one_of(
    st.none(), st.just("BLQ"), st.floats(60, 1e6).map(lambda value: round(value, 1))
)


@st.composite
def courses(draw):
    """One to four subjects with one to four doses each, sampled at any times, in two analytes."""
    rows = []
    for subject in range(draw(st.integers(1, 4))):
        gaps = draw(st.lists(st.integers(4, 40), min_size=1, max_size=4))
        times = np.cumsum([0, *gaps[:-1]]) / 2
        tau = draw(st.one_of(st.none(), st.integers(2, 20)))
        censored = draw(st.one_of(st.none(), st.integers(1, 60)))
        for dose, start in enumerate(times, start=1):
            offsets = st.lists(st.integers(-1, 2 * gaps[dose - 1]), max_size=8, unique=True)
            stop = times[dose] if dose < len(times) else np.inf
            previous = times[dose - 2] if dose > 1 else -np.inf
            for offset in sorted(draw(offsets)):
                time = start + offset / 4
                if not previous < time <= stop:
                    continue
                for analyte in ("PCR", "FLOW"):
                    result = draw(RESULTS)
                    rows.append(
                        {
                            **{"USUBJID": f"S{subject}", "ANALYTE": analyte, "TIME": time},
                            "CONC": result if isinstance(result, float) else np.nan,
                            **{"BLQ": int(result == "BLQ"), "LLOQ": 50.0, "DOSENO": dose},
                            **{"DOSETIME": start, "TAU": np.nan if tau is None else float(tau)},
                            "CENSTIME": np.nan if censored is None else float(censored),
                        }
                    )
    frame = pd.DataFrame(rows)
    assume(not frame.empty)
    # A trough that was drawn for both of its doses has one result.
    return frame.drop_duplicates(["USUBJID", "ANALYTE", "TIME"], ignore_index=True)


some = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@some
@given(courses(), RULES, st.booleans())
def test_a_value_is_empty_exactly_where_it_has_a_reason(course, rules, whole):
    parameters = estimate_nca(course, rules, course=whole).as_text().parameters
    assert (parameters["AVAL"].isna() == (parameters["REASND"] != "")).all()
    assert np.isfinite(parameters["AVAL"].dropna()).all()
    assert (parameters.loc[parameters["REASND"] != "", "FLAG"] == "").all()
    assert (parameters["REASND"] != "OVERFLOW").all()


@some
@given(courses(), RULES)
def test_every_row_is_in_its_own_interval_and_in_a_neighbours_at_most(course, rules):
    rows = estimate_nca(course, rules).as_text().dispositions
    given_rows = rows[rows["ROW"] > 0]
    own = given_rows[given_rows["COPY"] == "N"]
    assert sorted(own["ROW"]) == list(range(1, len(course) + 1))
    assert given_rows["ROW"].value_counts().max() <= 2


@some
@given(courses(), RULES, st.randoms(use_true_random=False))
def test_neither_the_order_of_the_rows_nor_the_names_nor_missing_results_matter(
    course, rules, random
):
    plain = estimate_nca(course, rules).as_text().parameters
    order = list(range(len(course)))
    random.shuffle(order)
    missing = course.iloc[:1].assign(CONC=np.nan, BLQ=0)
    changed = pd.concat([course.iloc[order], missing], ignore_index=True)
    changed["USUBJID"] = changed["USUBJID"].map(lambda name: f"X-{9 - int(name[1:])}")
    found = estimate_nca(changed, rules).as_text().parameters
    found["USUBJID"] = found["USUBJID"].map(lambda name: f"S{9 - int(name[2:])}")
    found = found.sort_values(["USUBJID", "ANALYTE", "DOSENO"], kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(found, plain)


@some
@given(courses(), RULES, st.sampled_from([0.5, 16.0]))
def test_a_later_start_and_other_units_change_nothing_but_the_units(course, rules, factor):
    plain = estimate_nca(course, rules).as_text().parameters
    moved = course.assign(
        TIME=course["TIME"] + 64,
        DOSETIME=course["DOSETIME"] + 64,
        CENSTIME=course["CENSTIME"] + 64,
        CONC=course["CONC"] * factor,
        LLOQ=50.0 * factor,
    )
    found = estimate_nca(moved, rules).as_text().parameters
    for code in ("AUCTAU", "CAVG", "CTROUGH", "CMAX"):
        ours, theirs = (frame.loc[frame["PARAMCD"] == code, "AVAL"] for frame in (plain, found))
        np.testing.assert_allclose(theirs, ours * factor, rtol=1e-9)
    for code in ("ARAUC", "ARCMAX", "PTF", "TMAX"):
        ours, theirs = (frame.loc[frame["PARAMCD"] == code, "AVAL"] for frame in (plain, found))
        np.testing.assert_allclose(theirs, ours, rtol=1e-9)

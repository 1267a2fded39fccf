"""Properties that hold for any data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celldossier.cellular_kinetics.nca import NcaResult, estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

LIMIT = 50.0
SETTINGS = st.builds(
    lambda **values: CellularKineticsSettings.model_validate(values),
    auc_rule=st.sampled_from(["linear_up_log_down", "linear", "log"]),
    tail=st.sampled_from(["auto", "last", "all", "extrapolate"]),
    blq=st.sampled_from([{"embedded": e} for e in ("auto", "drop", "zero", "half_lloq")]),
    start=st.sampled_from(["zero", "none"]),
    peak_from=st.sampled_from([0.0, 1.0]),
    gate=st.sampled_from(["before", "after"]),
    partial_areas=st.just([[0, 28], [0, 90]]),
)
RESULTS = st.one_of(
    st.none(), st.just("BLQ"), st.floats(60, 1e6).map(lambda value: round(value, 1))
)


@st.composite
def studies(draw):
    """One to ten subjects, each with up to twelve samples at different times."""
    rows = []
    for subject in range(draw(st.integers(1, 10))):
        times = draw(
            st.lists(st.integers(-4, 400), min_size=1, max_size=12, unique=True).map(sorted)
        )
        censored = draw(st.one_of(st.none(), st.integers(5, 200)))
        for time in times:
            result = draw(RESULTS)
            rows.append(
                {
                    "USUBJID": f"S{subject}",
                    "ANALYTE": "PCR",
                    "TIME": time / 2,
                    "CONC": result if isinstance(result, float) else np.nan,
                    "BLQ": int(result == "BLQ"),
                    "LLOQ": LIMIT,
                    "CENSTIME": np.nan if censored is None else float(censored),
                }
            )
    return pd.DataFrame(rows)


quick = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def analyse(study, rules) -> NcaResult:
    return estimate_nca(study, rules).as_text()


def values_of(result):
    return result.parameters.pivot(
        index=["USUBJID", "ANALYTE"], columns="PARAMCD", values=["AVAL", "FLAG", "REASND"]
    )


@quick
@given(studies(), SETTINGS)
def test_a_value_is_empty_exactly_where_it_has_a_reason(study, rules):
    parameters = analyse(study, rules).parameters
    assert (parameters["AVAL"].isna() == (parameters["REASND"] != "")).all()
    assert np.isfinite(parameters["AVAL"].dropna()).all()
    assert (parameters["REASND"] != "OVERFLOW").all()
    assert (parameters.loc[parameters["REASND"] != "", "FLAG"] == "").all()


@quick
@given(studies(), SETTINGS)
def test_every_row_is_used_or_excluded_once(study, rules):
    dispositions = analyse(study, rules).dispositions
    assert sorted(dispositions.loc[dispositions["ROW"] > 0, "ROW"]) == list(
        range(1, len(study) + 1)
    )
    assert (dispositions["DISPOS"] != "").all()


@quick
@given(studies(), SETTINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_has_no_influence(study, rules, random):
    order = list(range(len(study)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        analyse(study, rules).parameters, analyse(study.iloc[order], rules).parameters
    )


@quick
@given(studies(), SETTINGS)
def test_the_other_subjects_have_no_influence(study, rules):
    together = analyse(study, rules).parameters
    apart = pd.concat(
        [analyse(part, rules).parameters for _, part in study.groupby("USUBJID")],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(together, apart, rtol=1e-12)


@quick
@given(studies(), SETTINGS)
def test_the_names_of_the_subjects_have_no_influence(study, rules):
    renamed = study.assign(USUBJID=study["USUBJID"].map(lambda name: f"X-{9 - int(name[1:])}"))
    plain = analyse(study, rules).parameters
    again = analyse(renamed, rules).parameters
    again["USUBJID"] = again["USUBJID"].map(lambda name: f"S{9 - int(name[2:])}")
    again = again.sort_values("USUBJID", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(plain, again)


@quick
@given(studies(), SETTINGS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_the_concentrations_scales_areas_and_leaves_times(study, rules, factor):
    scaled = study.assign(CONC=study["CONC"] * factor, LLOQ=LIMIT * factor)
    plain, other = values_of(analyse(study, rules)), values_of(analyse(scaled, rules))
    for code in ("CMAX", "CLST", "AUCLST", "AUC28", "AUC90"):
        ours, theirs = plain["AVAL"][code].astype(float), other["AVAL"][code].astype(float)
        np.testing.assert_allclose(theirs, ours * factor, rtol=1e-9)
    for code in ("TMAX", "TLST", "TBQL"):
        pd.testing.assert_series_equal(plain["AVAL"][code], other["AVAL"][code])


@quick
@given(studies(), SETTINGS)
def test_scaling_the_time_scales_times_and_areas_and_inverts_rates(study, rules):
    hours = study.assign(TIME=study["TIME"] * 24, CENSTIME=study["CENSTIME"] * 24)
    in_hours = rules.model_copy(
        update={
            "partial_areas": ((0.0, 672.0),),
            "peak_from": rules.peak_from * 24,
            "end_window": rules.end_window * 24,
        }
    )
    plain = values_of(analyse(study, rules))["AVAL"].astype(float)
    other = values_of(analyse(hours, in_hours))["AVAL"].astype(float)
    np.testing.assert_allclose(other["AUCLST"], plain["AUCLST"] * 24, rtol=1e-9)
    np.testing.assert_allclose(other["TMAX"], plain["TMAX"] * 24, rtol=1e-9)
    np.testing.assert_allclose(other["CMAX"], plain["CMAX"])
    np.testing.assert_allclose(other["AUC672"], plain["AUC28"] * 24, rtol=1e-8)


@quick
@given(studies(), SETTINGS, st.integers(1, 50))
def test_shifting_samples_and_dose_together_changes_nothing(study, rules, shift):
    moved = study.assign(
        TIME=study["TIME"] + shift, CENSTIME=study["CENSTIME"] + shift, DOSETIME=float(shift)
    )
    pd.testing.assert_frame_equal(
        analyse(study, rules).parameters, analyse(moved, rules).parameters
    )


@quick
@given(studies(), SETTINGS)
def test_added_missing_rows_change_no_parameter(study, rules):
    extra = study.drop_duplicates("USUBJID").assign(CONC=np.nan, BLQ=0, TIME=333.25)
    pd.testing.assert_frame_equal(
        analyse(study, rules).parameters,
        analyse(pd.concat([study, extra], ignore_index=True), rules).parameters,
    )


@quick
@given(studies(), SETTINGS)
def test_a_study_given_twice_under_other_names_gives_everything_twice(study, rules):
    again = study.assign(USUBJID="Z" + study["USUBJID"])
    both = analyse(pd.concat([study, again], ignore_index=True), rules)
    once = analyse(study, rules)
    for name in ("parameters", "lambda_z", "persistence"):
        frame, single = getattr(both, name), getattr(once, name)
        first, second = frame.iloc[: len(single)], frame.iloc[len(single) :]
        pd.testing.assert_frame_equal(first, single, check_exact=True)
        second = second.assign(USUBJID=second["USUBJID"].str[1:]).reset_index(drop=True)
        pd.testing.assert_frame_equal(second, single, check_exact=True)


@quick
@given(studies(), SETTINGS)
def test_an_analyte_says_nothing_of_another(study, rules):
    other = study.assign(ANALYTE="FLOW", CONC=study["CONC"] * 3, LLOQ=LIMIT * 3)
    both = analyse(pd.concat([other, study], ignore_index=True), rules).parameters
    alone = analyse(study, rules).parameters
    mine = both[both["ANALYTE"] == "PCR"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone, check_exact=True)


def test_six_thousand_profiles_take_a_fraction_of_a_second():
    import time

    rng = np.random.default_rng(20261123)
    days = np.array([0, 1, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 180, 270])
    profiles = 6000
    frame = pd.DataFrame(
        {
            "USUBJID": np.repeat([f"S{i:05d}" for i in range(profiles)], len(days)),
            "ANALYTE": "PCR",
            "TIME": np.tile(days, profiles).astype(float),
            "CONC": rng.lognormal(7, 2, profiles * len(days)),
            "BLQ": 0,
            "LLOQ": LIMIT,
        }
    )
    frame.loc[frame["CONC"] < LIMIT, "BLQ"] = 1
    frame.loc[frame["BLQ"] == 1, "CONC"] = np.nan
    start = time.process_time()
    analyse(frame, CellularKineticsSettings())
    # About 0.05 s of CPU; the bound leaves room for a busy machine.
    assert time.process_time() - start < 1

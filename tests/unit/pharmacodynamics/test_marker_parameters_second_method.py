"""Parameters of markers against plain loops on random data, and what may not change them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marker_courses import derive, make_sources
from plain_markers import calculate, same

LLOQ, ULOQ, END = 2.0, 400.0, 28.0
SUBJECTS = 80


def draw_courses(seed: int, subjects: int = SUBJECTS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random courses with results beyond both limits, gaps, and ends of the course."""
    rng = np.random.default_rng(seed)
    rows, deaths = [], []
    for number in range(subjects):
        days = np.sort(rng.choice(np.arange(1, 60), rng.integers(0, 9), replace=False))
        before = np.sort(rng.choice(np.arange(-9, 1), rng.integers(0, 3), replace=False))
        day = np.r_[before, days + rng.uniform(-0.4, 0.4, days.size).round(3)].astype(float)
        value = np.exp(rng.normal(2.0, 1.6, day.size)).round(3)
        below, above = value < LLOQ, value > ULOQ
        base = np.zeros(day.size, dtype=bool)
        base[np.flatnonzero(day <= 0)[-1:]] = True
        part = pd.DataFrame(
            {
                "STUDYID": "S",
                "USUBJID": f"S-{number:05d}",
                "PARAMCD": "M",
                "ASPEC": "SERUM",
                "ALOC": "",
                "AVAL": np.where(below | above, np.nan, value),
                "AVALU": "pg/mL",
                "BLQFL": np.where(below, "Y", "N"),
                "ALLOQ": LLOQ,
                "ALQFL": np.where(above, "Y", "N"),
                "AULOQ": ULOQ,
                "ANRHI": np.nan,
                "AFRLT": day,
                "NFRLT": np.nan,
                "ABLFL": np.where(base, "Y", "N"),
                "CONDFL": np.where(rng.random(day.size) < 0.1, "Y", "N"),
            }
        )
        rows.append(part)
        deaths.append(float(rng.integers(5, 60)) if rng.random() < 0.2 else np.nan)
    frame = pd.concat(rows, ignore_index=True)
    names = [f"S-{number:05d}" for number in range(subjects)]
    return frame, pd.DataFrame({"USUBJID": names, "DTHDY": deaths})


def derive_all(frame: pd.DataFrame, deaths: pd.DataFrame, **parameters) -> pd.DataFrame:
    sources = make_sources(frame)
    dead = sources.adsl["USUBJID"].map(deaths.set_index("USUBJID")["DTHDY"])
    sources.adsl["DTHDY"] = dead.astype("float64")
    return derive(sources, **parameters)


def rule_of(direction: str, interpolated: bool, consecutive: int) -> dict[str, object]:
    return {
        "marker": "M",
        "direction": direction,
        "flagged": "exclude",
        "rise_factor": 3,
        "recovery": {
            "criterion": "baseline",
            "factor": 1.4,
            "consecutive": consecutive,
            "timing": "interpolated" if interpolated else "sample",
        },
    }


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("direction", "interpolated", "consecutive"),
    [("rise", False, 1), ("fall", True, 2), ("both", True, 1), ("both", False, 3)],
)
def test_every_parameter_agrees_with_plain_loops(seed, direction, interpolated, consecutive):
    frame, deaths = draw_courses(seed)
    rule = rule_of(direction, interpolated, consecutive)
    adpdp = derive_all(frame, deaths, rules=[rule], window=30, below_limit=0.5)
    ends = deaths.set_index("USUBJID")["DTHDY"]
    rows = {key: part for key, part in frame.groupby("USUBJID")}
    compared = set()
    for (subject, code), row in adpdp.set_index(["USUBJID", "PARAMCD"]).iterrows():
        samples = [
            {
                "day": s["AFRLT"],
                "value": None if s["BLQFL"] == "Y" else ULOQ if s["ALQFL"] == "Y" else s["AVAL"],
                "above": s["ALQFL"] == "Y",
                "lloq": LLOQ,
                "uloq": ULOQ,
                "apart": s["CONDFL"] == "Y",
            }
            for s in rows[subject].to_dict("records")
        ]
        plain = calculate(
            samples,
            direction,
            share=0.5,
            window=30,
            course_end=float("inf") if np.isnan(ends[subject]) else ends[subject],
            has_base=True,
            area=END,
            tolerance=3,
            least=2,
            factor=3,
            back=1.4,
            consecutive=consecutive,
            interpolated=interpolated,
        )
        if code in plain:
            compared.add(code)
            assert same(row["AVAL"], row["PPREASND"], plain[code]), (subject, code, plain[code])
    assert len(compared) >= 9


FRAME, DEATHS = draw_courses(3, 40)
PLAIN = {"rules": [rule_of("both", True, 1)]}
WHOLE = derive_all(FRAME, DEATHS, **PLAIN)
OF_VALUE = ("PDBASE", "PDPEAK", "PDNADIR", "PDCHG", "PDNADCHG", "PDLAST")
AREAS = ("PDAUC28", "PDAO28", "PDAU28")


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(0.01, 100))
def test_another_unit_scales_values_and_areas_and_nothing_else(factor):
    scaled = FRAME.assign(**{name: FRAME[name] * factor for name in ("AVAL", "ALLOQ", "AULOQ")})
    ours = derive_all(scaled, DEATHS, **PLAIN)
    times = np.where(WHOLE["PARAMCD"].isin([*OF_VALUE, *AREAS]), factor, 1.0)
    np.testing.assert_allclose(ours["AVAL"], WHOLE["AVAL"] * times, rtol=1e-8, atol=1e-9)
    assert (ours["PPREASND"] == WHOLE["PPREASND"]).all() and (ours["FLAG"] == WHOLE["FLAG"]).all()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed):
    shuffled = FRAME.sample(frac=1, random_state=seed)
    # The dose level of a made-up subject follows from its place.
    ours = derive_all(shuffled, DEATHS, **PLAIN).assign(TRT01A=WHOLE["TRT01A"])
    pd.testing.assert_frame_equal(ours, WHOLE)


def test_other_names_of_the_subjects_change_nothing_but_the_names():
    names = {old: f"Z-{90000 - int(old[2:])}" for old in FRAME["USUBJID"].unique()}
    deaths = DEATHS.assign(USUBJID=DEATHS["USUBJID"].map(names))
    ours = derive_all(FRAME.assign(USUBJID=FRAME["USUBJID"].map(names)), deaths, **PLAIN)
    back = {new: old for old, new in names.items()}
    ours = ours.assign(USUBJID=ours["USUBJID"].map(back))
    keys = ["USUBJID", "PARAMN"]
    left, right = (f.sort_values(keys, ignore_index=True) for f in (ours, WHOLE))
    pd.testing.assert_series_equal(left["AVAL"], right["AVAL"])
    pd.testing.assert_series_equal(left["FLAG"], right["FLAG"])


def test_another_subject_in_the_data_changes_no_other():
    some = FRAME[FRAME["USUBJID"] < "S-00020"]
    ours = derive_all(some, DEATHS, **PLAIN)
    theirs = WHOLE[WHOLE["USUBJID"] < "S-00020"].reset_index(drop=True)
    pd.testing.assert_series_equal(ours["AVAL"], theirs["AVAL"])


@settings(max_examples=5, deadline=None)
@given(later=st.floats(0.05, 0.9))
def test_a_course_that_is_later_by_some_time_has_its_times_later(later):
    wide = {"window": 90, **PLAIN}
    nobody = DEATHS.assign(DTHDY=np.nan)
    first = derive_all(FRAME, nobody, **wide)
    moved = FRAME.assign(AFRLT=FRAME["AFRLT"].where(FRAME["AFRLT"] <= 0, FRAME["AFRLT"] + later))
    second = derive_all(moved, nobody, **wide)
    timed = first["PARAMCD"].isin(["PDTPEAK", "PDTNAD", "PDTRISE", "PDTREC", "PDTLAST"])
    # A return lies on a line between two samples after the infusion: it moves as they do.
    np.testing.assert_allclose(second["AVAL"][timed], first["AVAL"][timed] + later, rtol=1e-9)

"""Prolonged cytopenia from blood counts: hand-made series, and the counts of CTX-101 by pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml
from celldossier.settings.safety import SafetySettings
from celldossier.study_data.special_interest import find_cytopenia
from celldossier.study_data.stage import derive_study_data

GIGA = "10^9/L"


def counts(values, analyte="NEUT", unit=GIGA, subject="S", lloq=np.nan):
    """A series of counts: (day, value); a value NaN is below the limit `lloq`."""
    return pd.DataFrame(
        [
            {
                "USUBJID": subject,
                "PARAMCD": analyte,
                "ASPEC": "BLOOD",
                "AVAL": value,
                "AVALU": unit,
                "BLQFL": "Y" if np.isnan(value) else "N",
                "ALLOQ": lloq,
                "AFRLT": day + 0.3,
                "ADTM": f"day {day}",
                "SRCDOM": "LB",
                "SRCFILE": "lb.csv",
                "SRCROW": row,
            }
            for row, (day, value) in enumerate(values, start=1)
        ]
    )


def spans(adpd, **settings):
    """First and last whole day of each run; None where it goes on."""
    found = find_cytopenia(adpd, SafetySettings.model_validate(settings))
    ends = [None if np.isnan(end) else int(end) for end in found["last"]]
    return list(zip(found["first"].astype(int), ends, strict=True))


@pytest.mark.parametrize(
    ("analyte", "unit", "limit"),
    # CTCAE 5.0, grade 3: neutrophils < 1.0, platelets < 50 10^9/L, haemoglobin < 8.0 g/dL.
    [("NEUT", GIGA, 1.0), ("ANC", GIGA, 1.0), ("PLAT", GIGA, 50.0), ("HGB", "g/L", 80.0)],
)
def test_a_count_is_low_below_the_limit_of_grade_3_and_not_at_it(analyte, unit, limit):
    at = counts([(20, limit), (40, limit), (60, 2 * limit)], analyte, unit)
    assert spans(at) == []
    below = counts([(20, 0.99 * limit), (40, 0.99 * limit), (60, 2 * limit)], analyte, unit)
    assert spans(below) == [(20, 40)]


def test_units_are_brought_to_that_of_the_limit_and_unknown_ones_are_passed_over():
    series = [(20, 7.9), (40, 7.9), (60, 9.0)]
    assert spans(counts(series, "HGB", "g/dL")) == [(20, 40)]
    assert spans(counts(series, "HGB", "mmol/L")) == []


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        # Recovered by day 28: acute, not prolonged.
        ([(3, 0.1), (14, 0.2), (28, 1.5)], []),
        # Low on day 28 itself, seen 28.3 days after the infusion; recovered at the next count.
        ([(14, 0.2), (28, 0.9), (35, 1.5)], [(14, 28)]),
        # From nadir through day 60.
        ([(3, 0.1), (28, 0.5), (60, 0.9), (90, 2.0)], [(3, 60)]),
        # A late second fall is a run of its own; the first one was over in time.
        ([(3, 0.1), (14, 1.2), (50, 0.4), (80, 3.0)], [(50, 50)]),
        # One count between, raised or not by a transfusion, ends the run.
        ([(20, 0.4), (35, 0.5), (42, 1.1), (49, 0.6), (70, 2.0)], [(20, 35), (49, 49)]),
        # One low count and no other: it goes on.
        ([(40, 0.4)], [(40, None)]),
        ([(20, 0.4)], []),
        # The last count is low: it goes on.
        ([(14, 2.0), (30, 0.4), (60, 0.3)], [(30, None)]),
        # Before the infusion: not of it.
        ([(-8, 0.2), (14, 2.0)], []),
        ([], []),
    ],
)
def test_a_run_lasts_from_its_first_low_count_to_its_last(series, expected):
    if not series:
        assert spans(counts([(1, 1.0)]).iloc[:0]) == expected
    else:
        assert spans(counts(series)) == expected


def test_a_count_below_quantitation_is_low_where_the_limit_says_so():
    series = [(3, 0.2), (20, np.nan), (40, np.nan), (60, 2.0)]
    assert spans(counts(series, lloq=0.1)) == [(3, 40)]
    # Below 2.0 may be 1.5: it neither goes on with the run nor ends it.
    assert spans(counts(series, lloq=2.0)) == []
    assert spans(counts(series)) == []
    open_ = [(30, 0.2), (60, np.nan)]
    assert spans(counts(open_, lloq=0.1)) == [(30, None)]


def test_analytes_and_subjects_have_runs_of_their_own():
    adpd = pd.concat(
        [
            counts([(20, 0.4), (40, 0.4), (60, 2.0)], subject="A"),
            counts([(20, 2.0), (40, 2.0)], subject="B"),
            counts([(30, 20), (50, 40), (60, 90)], "PLAT", subject="A"),
        ],
        ignore_index=True,
    )
    found = find_cytopenia(adpd, SafetySettings())
    assert found[["USUBJID", "ASTDTM", "AENDTM"]].to_numpy().tolist() == [
        ["A", "day 20", "day 40"],
        ["A", "day 30", "day 50"],
    ]
    assert set(found["ATOXGRN"]) == {3.0} and set(found["GRADSRC"]) == {"LABORATORY"}


def test_a_study_sets_day_and_limits():
    series = counts([(20, 0.4), (29, 0.4), (60, 2.0)])
    assert spans(series, cytopenia_after_day=30) == []
    # Seen on that very day and not after it: not prolonged.
    at = series.assign(AFRLT=[20.0, 28.0, 60.0])
    assert spans(at) == [] and spans(at, cytopenia_after_day=27.9) == [(20, 28)]
    assert spans(series, cytopenia_limits={}) == []
    assert spans(series, cytopenia_limits={"NEUT": {"below": 0.3, "unit": GIGA}}) == []
    assert spans(series, events_of_special_interest={"CYTOPENIA": []}) == []


@pytest.fixture(scope="module")
def ctx101():
    settings = check_values(read_yaml(shared_path("config", "config.yaml")), Settings)
    raw = read_domains(settings.study_data)
    return derive_study_data(raw, settings.study_data, settings.bioanalysis, settings.study)


def count_runs(values):
    """Runs of low counts by a loop over the days of one subject and analyte."""
    runs, start, end = [], None, None
    for day, low in values:
        if low:
            start, end = (day, day) if start is None else (start, day)
        elif start is not None:
            runs.append((start, end, False))
            start = None
    return runs + ([(start, end, True)] if start is not None else [])


@pytest.mark.parametrize(("after_day", "runs"), [(0, 232), (28, 14)])
def test_cytopenia_of_ctx_101_agrees_with_its_raw_counts(ctx101, after_day, runs):
    folder = shared_path("resources", "studies", "CTX-101")
    lb = pd.read_csv(folder / "lb.csv", dtype=str, keep_default_na=False)
    ex = pd.read_csv(folder / "ex.csv", dtype=str, keep_default_na=False)
    zero = ex[ex["EXCAT"] == "CELL PRODUCT"].groupby("USUBJID")["EXSTDTC"].min()
    limits = {"NEUT": 1.0, "PLAT": 50.0, "HGB": 80.0}
    lb = lb[lb["LBTESTCD"].isin(limits) & lb["USUBJID"].isin(zero.index)]
    units = {"NEUT": GIGA, "PLAT": GIGA, "HGB": "g/L"}
    assert (lb["LBORRESU"] == lb["LBTESTCD"].map(units)).all()
    since = pd.to_datetime(lb["LBDTC"]) - pd.to_datetime(lb["USUBJID"].map(zero))
    lb = lb.assign(day=since / pd.Timedelta(days=1), value=lb["LBORRES"].astype(float))
    lb = lb[lb["day"] > 0].sort_values(["USUBJID", "LBTESTCD", "day"])
    expected = set()
    for (subject, test), own in lb.groupby(["USUBJID", "LBTESTCD"]):
        series = zip(own["day"], own["value"] < limits[test], strict=True)
        expected |= {
            (subject, int(first), None if open_ else int(last))
            for first, last, open_ in count_runs(series)
            if last > after_day
        }
    found = find_cytopenia(ctx101.datasets["ADPD"], SafetySettings(cytopenia_after_day=after_day))
    ends = [None if np.isnan(end) else int(end) for end in found["last"]]
    ours = set(zip(found["USUBJID"], found["first"].astype(int), ends, strict=True))
    assert ours == expected
    assert len(expected) == runs
    if after_day == SafetySettings().cytopenia_after_day:
        # Each subject with a run has an episode of cytopenia, over laboratory and reports.
        adaesi = ctx101.datasets["ADAESI"]
        episodes = adaesi[adaesi["AESI"] == "CYTOPENIA"]
        assert {subject for subject, _, _ in expected} <= set(episodes["USUBJID"])

"""Response, CRS, ICANS and markers side by side, with contrasts of their risks."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from comparability_given import (
    make_lots,
    make_rows,
    make_sources,
    make_study,
    make_subjects,
    name_subject,
    read_number,
    read_word,
)

from celldossier.comparability.outcomes import summarise_markers, summarise_outcomes
from celldossier.comparability.study import Sources
from celldossier.results import AnalysisResults, ResultCollector

N = 20


def make_outcomes(**given: pd.DataFrame) -> Sources:
    """Ten subjects of each process."""
    return make_sources(adsl=make_subjects(N), adpq=make_lots("A" * 10 + "B" * 10), **given)


def summarise(sources: Sources) -> AnalysisResults:
    out = ResultCollector("comparability")
    summarise_outcomes(make_study(sources), out)
    return AnalysisResults([out.frame()])


def make_events(*events: tuple[int, str, float]) -> pd.DataFrame:
    rows = [{"USUBJID": name_subject(k), "AESI": name, "ATOXGRN": grade}
            for k, name, grade in events]  # fmt: skip
    return make_rows("ADAESI", rows)


def test_events_of_each_group_and_their_risk_difference() -> None:
    before = [(k, "CRS", 3.0 if k <= 2 else 1.0) for k in range(1, 6)]
    after = [(k, "CRS", 1.0) for k in range(11, 13)]
    results = summarise(make_outcomes(adaesi=make_events(*before, *after)))
    assert read_number(results, "outcome", "CRS", "n", group="A") == 5
    assert read_number(results, "outcome", "CRS", "pct", group="B") == 20
    assert read_number(results, "outcome", "CRSGE3", "n", group="A") == 2
    assert read_number(results, "risk", "CRS", "rd", group="B") == pytest.approx(-30)
    assert read_number(results, "risk", "CRS", "rr", group="B") == pytest.approx(0.4)
    low = read_number(results, "risk", "CRS", "rd_low", group="B")
    high = read_number(results, "risk", "CRS", "rd_high", group="B")
    assert -100 < low < -30 < high < 100


def test_without_an_event_before_there_is_a_difference_and_no_ratio() -> None:
    results = summarise(make_outcomes(adaesi=make_events((11, "ICANS", 2.0))))
    assert read_number(results, "risk", "ICANS", "rd", group="B") == pytest.approx(10)
    assert read_word(results, "risk", "ICANS", "rr", group="B") == "NOREFEVT"
    assert read_word(results, "risk", "ICANSGE3", "rr", group="B") == "NOEVENT"


def test_response_is_of_the_efficacy_set() -> None:
    adrs = make_rows(
        "ADRS",
        [
            {"USUBJID": name_subject(k), "PARAMCD": "BOR", "RESPFL": "Y" if k % 2 else "N"}
            for k in range(1, N)
        ],
    )
    adsl = make_subjects(N, EFFFL=["N"] + ["Y"] * (N - 1))
    lots = make_lots("A" * 10 + "B" * 10)
    results = summarise(make_sources(adsl=adsl, adpq=lots, adrs=adrs))
    assert read_number(results, "outcome", "RESPONSE", "n", group="A") == 4
    assert read_number(results, "outcome", "RESPONSE", "denominator", group="A") == 9
    # Subject 20 was not assessed.
    assert read_number(results, "outcome", "RESPONSE", "denominator", group="B") == 9


def test_what_was_not_collected_says_so() -> None:
    results = summarise(make_outcomes())
    for name in ("RESPONSE", "CRS", "ICANSGE3"):
        assert read_word(results, "outcome", name, "pct", group="A") == "NOTCOLL"
        assert read_word(results, "risk", name, "rd", group="B") == "NOTCOLL"
        assert read_word(results, "risk", name, "rr", group="B") == "NOTCOLL"


def test_markers_are_compared_in_each_specimen() -> None:
    rows = [
        {
            "USUBJID": name_subject(k), "PARCAT1": "IL6", "ASPEC": specimen, "PARAMCD": "PDPEAK",
            "AVAL": scale * (2.0 if k > 10 else 1.0) * (1 + k % 3), "AVALU": "pg/mL",
        }
        for specimen, scale in (("SERUM", 1.0), ("CSF", 10.0))
        for k in range(1, N + 1)
    ]  # fmt: skip
    study = make_study(
        make_outcomes(adpdp=make_rows("ADPDP", rows)),
        markers=[{"analyte": "IL6", "parameter": "PDPEAK"}],
    )
    out = ResultCollector("comparability")
    summarise_markers(study, out)
    results = AnalysisResults([out.frame()])
    assert results.levels("comparability.marker", "specimen") == ["CSF", "SERUM"]
    by = {"parameter": "PDPEAK", "specimen": "SERUM", "group": "B"}
    logs = [[math.log(1 + k % 3) for k in range(*ends)] for ends in ((1, 11), (11, 21))]
    expected = 2 * math.exp(sum(logs[1]) / 10 - sum(logs[0]) / 10)
    assert read_number(results, "marker_ratio", "IL6", "gmr", **by) == pytest.approx(expected)

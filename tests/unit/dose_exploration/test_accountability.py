"""ADDA: every infusion with its gene copies, and sums that are those of the table of doses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infusions_given import make_infusions

from celldossier.datasets import empty_dataset
from celldossier.dose_exploration.accountability import derive_adda, list_infusions
from celldossier.dose_exploration.doses import derive_subject_doses
from celldossier.dose_exploration.stage import explore_doses
from celldossier.results import AnalysisResults
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dose_levels import GeneCopySettings

COPIES = GeneCopySettings()
PLANNED = {"FIRST", "SPLIT", "REPEAT"}


def level(adda: pd.DataFrame, name: str) -> pd.DataFrame:
    return adda[adda["DALEVEL"] == name].reset_index(drop=True)


def test_gene_copies_are_the_cells_that_the_copy_number_is_an_average_over() -> None:
    sources = make_infusions([{"DOSEA": 100.0}])
    per_transduced = derive_adda(sources, COPIES).iloc[0]
    assert (per_transduced["COPIES"], per_transduced["COPYBAS"]) == (200, "TGP")
    assert (per_transduced["COPYKG"], per_transduced["COPYM2"]) == (4, 100)
    per_cell = derive_adda(sources, GeneCopySettings(vcn_per="cell")).iloc[0]
    assert (per_cell["COPIES"], per_cell["COPYBAS"]) == (600, "TOT")


@pytest.mark.parametrize(
    ("infusion", "lots", "reason"),
    [
        ({"LOTID": ""}, {"L1": 2.0}, "NOLOTKN"),
        ({"LOTID": "L2"}, {"L1": 2.0, "L2": math.nan}, "NOVCN"),
        ({"DOSETGP": math.nan}, {"L1": 2.0}, "NOCELLCT"),
        ({}, {"L1": math.nan}, "NOTCOLL"),
        ({}, {}, "NOTCOLL"),
    ],
)
def test_copies_that_cannot_be_computed_say_why(
    infusion: dict[str, object], lots: dict[str, float], reason: str
) -> None:
    rows = derive_adda(make_infusions([infusion], lots), COPIES)
    assert rows["COPIES"].isna().all() and set(rows["COPYRSN"]) == {reason}


def test_fractions_are_one_dose_and_repeat_doses_add_up_to_the_course() -> None:
    rows = [
        {"DOSEA": 30.0, "DOSEP": 30.0, "NFRAC": 2},
        {"DOSEA": 60.0, "DOSEP": 70.0, "NFRAC": 2, "PDOSENO": 1, "DOSETYPE": "SPLIT"},
        {"DOSEA": 110.0, "PDOSENO": 2, "INWINFL": "N"},
    ]
    adda = derive_adda(make_infusions(rows), COPIES)
    dose, course = level(adda, "DOSE"), level(adda, "COURSE")
    assert dose["DOSEA"].tolist() == [90] and dose["NINFUS"].tolist() == [2]
    assert dose.loc[0, "DOSERAT"] == pytest.approx(0.9) and dose.loc[0, "INWINFL"] == "Y"
    assert course.loc[0, ["DOSEA", "DOSEP", "COPIES", "NINFUS"]].tolist() == [200, 200, 400, 3]
    assert course.loc[0, "INWINFL"] == "N" and course.loc[0, "DOSETOT"] == 600


def test_a_retreatment_is_a_course_of_its_own_and_an_unplanned_infusion_is_in_no_sum() -> None:
    rows = [
        {},
        {"DOSETYPE": "UNPLANNED", "PDOSENO": math.nan, "DOSEP": math.nan, "DOSEA": 77.0},
        {"DOSETYPE": "RETREATMENT", "COURSE": 2, "PDOSENO": 1, "DOSEA": 90.0},
    ]
    sources = make_infusions(rows)
    adda = derive_adda(sources, COPIES)
    assert len(level(adda, "INFUSION")) == 3
    course = level(adda, "COURSE")
    assert course["DOSEA"].tolist() == [100, 90] and course["SUMFL"].tolist() == ["Y", "N"]
    assert course["NSUMRSN"].tolist() == ["", "RETREATMENT"]
    values = AnalysisResults([explore_doses(sources, DoseExplorationSettings()).results])

    def count(stat: str = "n", **by: str) -> float:
        found = values.find("dose_exploration.accountability", "INFUSION", "", by, stat)
        assert found is not None
        return found.number

    not_counted = count(reason="RETREATMENT") + count(reason="UNPLANNED")
    assert count() == count("n_counted") + not_counted == 3


def test_lots_differ_and_their_attributes_are_no_number_of_the_sum() -> None:
    rows = [{"LOTID": "L1"}, {"LOTID": "L2", "DOSEA": 10.0}]
    course = level(
        derive_adda(make_infusions(rows, {"L1": 2.0, "L2": 3.0}), COPIES), "COURSE"
    ).iloc[0]
    assert course["LOTID"] == "L1;L2" and math.isnan(course["VCN"])
    assert course["COPIES"] == 230


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "C"]),
            st.sampled_from(["REPEAT", "SPLIT", "RETREATMENT", "UNPLANNED"]),
            st.one_of(st.floats(1, 1000), st.just(math.nan)),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_sums_of_the_first_course_are_those_of_the_table_of_doses(
    given_ones: list[tuple[str, str, float]],
) -> None:
    rows: list[dict[str, object]] = []
    for subject, kind, amount in given_ones:
        number = sum(row["USUBJID"] == subject for row in rows) + 1
        later = kind == "RETREATMENT"
        rows.append(
            {
                "USUBJID": subject,
                "DOSENO": number,
                "DOSETYPE": kind,
                "COURSE": 2 if later else 1,
                "PDOSENO": math.nan if kind == "UNPLANNED" else number,
                "DOSEA": amount,
            }
        )
    sources = make_infusions(rows)
    table = derive_subject_doses(sources.adsl, list_infusions(sources, COPIES))
    course = level(derive_adda(sources, COPIES), "COURSE")
    course = course[course["SUMFL"] == "Y"].reset_index(drop=True)
    assert course["USUBJID"].tolist() == table["USUBJID"].tolist()
    for name in ("DOSEA", "DOSEP", "DOSETOT", "DOSEVIA", "DOSETGP", "COPIES", "DOSEKG", "DOSEM2"):
        np.testing.assert_allclose(course[name].astype(float), table[name].astype(float))
    assert course["INWINFL"].tolist() == table["INWINFL"].tolist()
    assert course["NINFUS"].tolist() == table["INFUSIONS"].tolist()


def test_amounts_in_several_units_have_no_sum() -> None:
    sources = make_infusions([{}, {"DOSEU": "10^6 cells/kg"}])
    course = level(derive_adda(sources, COPIES), "COURSE").iloc[0]
    assert math.isnan(course["DOSEA"]) and course["DOSETOT"] == 600


def test_a_study_without_infusions_has_an_empty_listing() -> None:
    sources = replace(make_infusions([{}]), adex=empty_dataset("ADEX"))
    assert derive_adda(sources, COPIES).empty

"""Kinetics by antibody status: every point is the median of the samples that it names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.immunogenicity.kinetics_by_status import (
    assign_groups,
    summarise_kinetics_by_status,
)
from celldossier.results import AnalysisResults
from celldossier.terms.language import Language
from celldossier.tlf.figures_kinetics_by_antibodies import draw_kinetics_by_status, read_points
from celldossier.tlf.model import Context, Figure, NotShown

STATUS = {
    "A": ("Y", "BOOSTED"),
    "B": ("Y", "NOT BOOSTED"),
    "C": ("Y", "UNDETERMINED"),
    "D": ("N", "INDUCED"),
    "E": ("N", "NEGATIVE"),
    "F": ("N", "NEGATIVE"),
    "G": ("N", "INDUCED"),
    "H": ("N", "NEGATIVE"),
}


def make_adim() -> pd.DataFrame:
    rows = [
        {"STUDYID": "S", "USUBJID": name, "ISBDAGNT": "CAR", "EVALFL": "Y" if name < "H" else "N",
         "ADABLFL": before, "ADASTAT": status, "NPOSTBL": 1, "NPOSTPOS": 0, "NNOSTAT": 0}
        for name, (before, status) in STATUS.items()
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), "ADIM")


def make_adpc() -> pd.DataFrame:
    rows = [
        {"STUDYID": "S", "USUBJID": name, "PARAMCD": "PCR", "PARAM": "PCR", "AVALU": "copies/ug",
         "AVAL": np.nan if name == "B" else 100.0 * (1 + "ABCDEFGH".index(name)),
         "BLQFL": "Y" if name == "B" else "N", "ALQFL": "N", "ALLOQ": 50.0, "AFRLT": day,
         "NFRLT": max(day, 0.0), "DOSENO": 2 if day == 60 else 1, "ANL01FL": "Y", "SRCDOM": "PC",
         "SRCROW": 1}
        for name in STATUS
        for day in (-0.1, 7.0, 60.0)
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), "ADPC")


def make_context(lang: str, results: pd.DataFrame, **options: Any) -> Context:
    label = {"en": "CAR transgene", "zh": "CAR转基因"}
    assays = [{"analyte": "PCR", "domain": "CK", "label": label, "unit": "copies/ug"}]
    return Context(
        Language(lang),
        AnalysisResults([results]),
        pd.DataFrame(),
        lambda name: empty_dataset(name),
        {"bioanalysis": {"assays": assays}},
        options,
    )


def test_groups_are_of_the_evaluable_and_an_untold_boost_is_in_neither() -> None:
    groups = assign_groups(make_adim())
    members = groups.groupby("STATUS")["USUBJID"].agg(lambda names: "".join(sorted(names)))
    assert members.to_dict() == {
        "BASELINE_N": "DEFG",
        "BASELINE_Y": "ABC",
        "BOOSTED": "A",
        "INDUCED": "DG",
        "NONE": "BEF",
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_points_are_medians_of_the_first_dose_with_blq_at_the_limit(lang: str) -> None:
    results = summarise_kinetics_by_status(make_adim(), make_adpc())
    context = make_context(lang, results)
    points = read_points(context).set_index("level")
    assert set(points["x"]) == {7.0}
    # A 100, B at its limit 50, C 300; D, E, F, G 400 to 700.
    assert points.loc["BASELINE_Y", ["low", "y", "high", "n"]].tolist() == [75, 100, 200, 3]
    assert points.loc["BASELINE_N", ["y", "n"]].tolist() == [550, 4]
    # Two results are no course of a group: no median, and the reason stands with it.
    assert np.isnan(points.loc["INDUCED", "y"]) and points.loc["INDUCED", "n"] == 2
    assert set(results.loc[results["value"].isna(), "note_code"]) == {"FEWVAL"}
    figure = draw_kinetics_by_status(context)
    assert isinstance(figure, Figure)
    drawn = {
        float(y)
        for axes in figure.pages[0].axes
        for line in axes.lines
        for y in np.asarray(line.get_ydata(), dtype=float)
        if len(line.get_xdata()) == 1 and y > 1
    }
    assert {100.0, 550.0} <= drawn
    assert figure.subjects == 7 and set(figure.data["STATUS"]) == {"BASELINE_N", "BASELINE_Y"}
    assert len(figure.footnotes) == 2


def test_emergent_groups_say_that_time_forbids_a_cause() -> None:
    results = summarise_kinetics_by_status(make_adim(), make_adpc())
    figure = draw_kinetics_by_status(make_context("en", results, status="emergent"))
    assert isinstance(figure, Figure)
    assert "does not say that the antibodies caused it" in figure.footnotes[1]


def test_without_points_the_reason_is_given() -> None:
    none = summarise_kinetics_by_status(empty_dataset("ADIM"), make_adpc())
    assert draw_kinetics_by_status(make_context("en", none)) == NotShown("NOTCOLL")
    few = summarise_kinetics_by_status(make_adim().head(2), make_adpc())
    assert draw_kinetics_by_status(make_context("en", few)) == NotShown("FEWVAL")

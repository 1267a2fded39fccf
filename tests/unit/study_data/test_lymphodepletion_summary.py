"""Lymphodepletion as analysis results, held against plain pandas on drawn subjects."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from products_given import CY, FLU, SOURCE, ProductsGiven, make_products_given

from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.study_data.lymphodepletion_summary import DEPTH, add_lymphodepletion

SUBJECTS = 60


def draw_subjects() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": [f"S{number:02d}" for number in range(SUBJECTS)],
            "TRT01A": rng.choice(["DL1", "DL2", "DL3"], SUBJECTS),
            **{name: rng.lognormal(0, 0.6, SUBJECTS).round(3) for name in DEPTH},
            **dict.fromkeys(("SAFFL", "ENRLFL", "PKFL", "PDFL", "IMFL", "ERFL"), "Y"),
        }
    )
    frame.loc[rng.random(SUBJECTS) < 0.3, ["IL7INF", "WBCNAD"]] = np.nan
    return frame


def draw_drugs(subjects: pd.Series) -> pd.DataFrame:
    """A record a subject and drug: some omitted, some in mg, some without dose or plan."""
    rng = np.random.default_rng(4)
    rows = []
    for name in subjects:
        for drug in (CY, FLU):
            kind = rng.choice(
                ["given", "mg", "omitted", "dose unknown", "no plan"], p=[0.6, *[0.1] * 4]
            )
            ratio = float(rng.choice([0.7, 0.95, 1.0]))
            days = int(rng.integers(2, 5))
            row = {"USUBJID": name, "LDTRT": drug, "LDNO": 1, "LDOMFL": "N", "LDDAYS": days}
            row |= {"LDTOTA": 30 * days * ratio, "LDDOSED": 30 * ratio, "LDDOSEU": "mg/m2"}
            row |= {"LDRATIO": ratio, "LDDEVFL": "Y" if ratio < 0.9 else "N"}
            if kind == "mg":
                row["LDDOSEU"] = "mg"
            elif kind == "omitted":
                row = {**{key: row[key] for key in ("USUBJID", "LDTRT", "LDNO")}, "LDDAYS": 0}
                row |= {"LDOMFL": "Y", "LDDEVFL": "Y"}
            elif kind == "dose unknown":
                row |= {"LDTOTA": np.nan, "LDDOSED": np.nan, "LDRATIO": np.nan, "LDDEVFL": ""}
            elif kind == "no plan":
                row |= {"LDRATIO": np.nan, "LDDEVFL": ""}
            rows.append(row)
    return pd.DataFrame(rows).assign(STUDYID="S", **SOURCE)


@pytest.fixture(scope="module")
def drawn() -> ProductsGiven:
    subjects = draw_subjects()
    drugs = draw_drugs(subjects["USUBJID"])
    given = drugs[drugs["LDOMFL"] == "N"].sort_values("LDTRT").groupby("USUBJID")["LDTRT"]
    regimen = subjects["USUBJID"].map(given.agg(" + ".join)).fillna("")
    subjects = subjects.assign(LDREG=regimen, LDFL=np.where(regimen != "", "Y", "N"))
    return ProductsGiven(
        conform(subjects, "ADSL"),
        conform(drugs, "ADLD"),
        empty_dataset("ADPQ"),
        empty_dataset("ADEX"),
    )


@pytest.fixture(scope="module")
def results(drawn: ProductsGiven) -> AnalysisResults:
    return AnalysisResults([drawn.summarise()])


def number(results: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> float:
    value = results.find(f"study_data.lymphodepletion{analysis}", variable, "", by, stat)
    assert value is not None, (analysis, variable, by, stat)
    return value.number


def levels(drawn: ProductsGiven):
    """Group, its subjects and their records before the first infusion, by pandas alone."""
    for level in (None, "DL1", "DL2", "DL3"):
        subjects = drawn.adsl if level is None else drawn.adsl.query("TRT01A == @level")
        drugs = drawn.adld.merge(subjects[["USUBJID"]], on="USUBJID")
        yield ({"dose": level} if level else {}), subjects, drugs


def test_subjects_are_counted_by_regimen_and_without_any(drawn, results) -> None:
    for by, subjects, _ in levels(drawn):
        expected = subjects["LDREG"].value_counts()
        for regimen in set(drawn.adsl["LDREG"]) - {""}:
            found = number(results, "", "LDREG", "n", regimen=regimen, **by)
            assert found == expected.get(regimen, 0)
        none = expected.get("", 0)
        assert number(results, "", "LDOMFL", "n", **by) == none
        assert number(results, "", "LDFL", "n", **by) == len(subjects) - none
        share = number(results, "", "LDFL", "pct", **by)
        assert share == pytest.approx(100 * (1 - none / len(subjects)))
        assert number(results, "", "LDFL", "n_infused", **by) == len(subjects)
    assert expected.size > 1, "the draw holds several regimens"


def test_deviations_are_of_those_whose_plan_is_known(drawn, results) -> None:
    for by, _, drugs in levels(drawn):
        known = drugs[drugs["LDDEVFL"].isin(["Y", "N"])]
        off = known[known["LDDEVFL"] == "Y"]
        assert number(results, "", "LDDEVFL", "n_judged", **by) == known["USUBJID"].nunique()
        assert number(results, "", "LDDEVFL", "n", **by) == off["USUBJID"].nunique()
        for drug in (CY, FLU):
            own = drugs[(drugs["LDTRT"] == drug) & (drugs["LDOMFL"] == "N")]
            judged = own[own["LDDEVFL"] != ""]
            deviating = (judged["LDDEVFL"] == "Y").sum()
            place = {"drug": drug, **by}
            assert number(results, "_drug", "LDTRT", "n", **place) == len(own)
            assert number(results, "_drug", "LDTRT", "n_judged", **place) == len(judged)
            assert number(results, "_drug", "LDTRT", "n_deviating", **place) == deviating
            share = number(results, "_drug", "LDTRT", "pct_deviating", **place)
            assert share == pytest.approx(100 * deviating / len(judged))
            unknown = own["LDTOTA"].isna().sum()
            assert number(results, "_drug", "LDTRT", "n_nodose", **place) == unknown
            omitted = ((drugs["LDTRT"] == drug) & (drugs["LDOMFL"] == "Y")).sum()
            assert number(results, "_drug", "LDTRT", "n_omitted", **place) == omitted


def test_doses_of_one_unit_are_summarised_together_and_never_with_another(drawn, results) -> None:
    for by, _, drugs in levels(drawn):
        given = drugs[drugs["LDOMFL"] == "N"]
        for (drug, unit), rows in given.groupby(["LDTRT", "LDDOSEU"]):
            for variable in ("LDDOSED", "LDTOTA"):
                values = rows[variable].dropna()
                if values.empty:
                    continue
                place = {"drug": drug, "unit": unit, **by}
                found = number(results, "_dose", variable, "n", **place)
                assert found == len(values)
                mean = number(results, "_dose", variable, "mean", **place)
                assert mean == pytest.approx(values.mean())
                top = number(results, "_dose", variable, "max", **place)
                assert top == values.max()
        for drug, rows in given.groupby("LDTRT"):
            for variable in ("LDDAYS", "LDRATIO"):
                median = number(results, "_dose", variable, "median", drug=drug, **by)
                assert median == pytest.approx(rows[variable].median())


def test_depth_and_cytokines_are_those_of_the_infused(drawn, results) -> None:
    for by, subjects, _ in levels(drawn):
        for variable in DEPTH:
            values = subjects[variable].dropna()
            expected = {
                "n": len(values),
                "n_missing": subjects[variable].isna().sum(),
                "mean": values.mean(),
                "sd": values.std(),
                "median": values.median(),
                "min": values.min(),
            }
            for stat, value in expected.items():
                found = number(results, "_depth", variable, stat, **by)
                assert found == pytest.approx(value), (variable, stat)


def test_later_lymphodepletion_is_counted_beside_that_of_the_first_infusion() -> None:
    given = make_products_given()
    results = AnalysisResults([given.summarise()])
    # Subject 4 alone, with two drugs before its second infusion: one course.
    assert number(results, "", "LDNO", "n") == 1
    assert number(results, "", "LDNO", "n_courses") == 1
    assert number(results, "", "LDNO", "n", dose="DL1") == 0
    assert number(results, "", "LDNO", "n_afterlast") == 0
    assert number(results, "_drug", "LDTRT", "n", drug=FLU) == 7
    assert number(results, "_dose", "LDTOTA", "n", drug=CY, unit="mg") == 1
    assert number(results, "_dose", "LDTOTA", "n", drug=CY, unit="mg/m2") == 5


def test_what_is_missing_says_why() -> None:
    given = make_products_given()
    results = AnalysisResults([given.summarise()])

    def reason(analysis: str, variable: str, stat: str, **by: str) -> str:
        value = results.find(f"study_data.lymphodepletion{analysis}", variable, "", by, stat)
        assert value is not None and math.isnan(value.number)
        return value.note_code

    assert reason("_depth", "IL7INF", "mean") == "NOTCOLL"
    assert reason("_depth", "IL7INF", "mean", dose="DL1") == "NOTCOLL"
    # Only subjects of DL2 have a drug of the second unit; two of DL1 have interleukin-15.
    assert results.find(
        "study_data.lymphodepletion_depth", "IL15INF", "", {"dose": "DL1"}, "values"
    ).text == "40; 50"  # fmt: skip
    no_plan = given.adld.assign(LDDEVFL="", LDRATIO=np.nan)
    no_plan = no_plan[no_plan["LDOMFL"] == "N"]
    out = ResultCollector("study_data")
    add_lymphodepletion(out, given.groups(), no_plan)
    results = AnalysisResults([out.frame()])
    assert reason("", "LDDEVFL", "n") == "NOPLAN"
    assert reason("_drug", "LDTRT", "pct_deviating", drug=FLU) == "NOPLAN"
    assert reason("_dose", "LDRATIO", "median", drug=FLU) == "NOPLAN"


def test_without_a_record_nobody_is_said_to_have_had_none() -> None:
    given = make_products_given()
    out = ResultCollector("study_data")
    add_lymphodepletion(out, given.groups(), empty_dataset("ADLD"))
    frame = out.frame()
    assert set(frame["variable"]) == {"LDFL"}
    counts = frame[frame["stat_name"] == "n"]
    assert counts["value"].isna().all() and set(counts["note_code"]) == {"NOTCOLL"}

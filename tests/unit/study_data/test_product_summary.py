"""Quality attributes of the lots given as analysis results, held against plain pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from products_given import SOURCE, ProductsGiven, make_products_given

from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.study_data.lots import MEASURES
from celldossier.study_data.product_summary import add_product_attributes


def summarise(given: ProductsGiven) -> AnalysisResults:
    out = ResultCollector("study_data")
    add_product_attributes(out, given.adsl, given.adpq, given.adex)
    return AnalysisResults([out.frame()])


def value(results: AnalysisResults, analysis: str, variable: str, stat: str, **by: str):
    found = results.find(f"study_data.product_{analysis}", variable, "", by, stat)
    assert found is not None, (analysis, variable, stat, by)
    return found


def number(results: AnalysisResults, analysis: str, variable: str, stat: str, **by: str) -> float:
    return value(results, analysis, variable, stat, **by).number


@pytest.fixture(scope="module")
def drawn() -> ProductsGiven:
    """Thirty donor lots, of which some were given, each to several of fifty subjects."""
    rng = np.random.default_rng(5)
    lots = pd.DataFrame(
        {
            "STUDYID": "S",
            "LOTID": [f"L{number:02d}" for number in range(30)],
            "PROCESS": rng.choice(["A", "B", ""], 30, p=[0.5, 0.4, 0.1]),
            "SITE": rng.choice(["NORTH", "SOUTH"], 30),
            "POTENCU": "%",
            **{name: rng.lognormal(3, 0.3, 30).round(2) for name in MEASURES},
            **SOURCE,
        }
    )
    lots.loc[rng.random(30) < 0.2, "VCN"] = np.nan
    subjects = [f"S{number:02d}" for number in range(50)]
    infusions = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": np.repeat(subjects, 3),
            "LOTID": rng.choice(lots["LOTID"][:20], 150),
            "DOSETYPE": np.tile(["FIRST", "REPEAT", "REPEAT"], 50),
            "EXCAT": "CELL PRODUCT",
            "EXTRT": "X",
            "ADTM": np.tile(["2024-03-01", "2024-03-08", "2024-03-15"], 50),
            **SOURCE,
        }
    )
    flags = dict.fromkeys(("SAFFL", "ENRLFL", "PKFL", "PDFL", "IMFL", "ERFL"), "Y")
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": subjects, **flags})
    return ProductsGiven(
        conform(adsl, "ADSL"),
        empty_dataset("ADLD"),
        conform(lots, "ADPQ"),
        conform(infusions, "ADEX"),
    )


def test_each_lot_given_counts_once_in_all_by_process_and_by_site(drawn) -> None:
    results = summarise(drawn)
    given = drawn.adpq.merge(drawn.adex[["LOTID"]].drop_duplicates(), on="LOTID")
    assert 10 < len(given) < len(drawn.adpq)
    groups = {(): given}
    groups |= {("process", p or "MISSING"): g for p, g in given.groupby("PROCESS")}
    groups |= {("site", s): g for s, g in given.groupby("SITE")}
    assert ("process", "MISSING") in groups
    for key, lots in groups.items():
        by = dict([key]) if key else {}
        to = drawn.adex[drawn.adex["LOTID"].isin(lots["LOTID"])]["USUBJID"].nunique()
        assert number(results, "lots", "LOTID", "n", **by) == len(lots)
        assert number(results, "lots", "LOTID", "n_subjects", **by) == to
        for name in MEASURES:
            place = {**by, "unit": "%"} if name == "POTENCY" else by
            known = lots[name].dropna()
            expected = {
                **{"n": len(known), "mean": known.mean(), "sd": known.std()},
                **{"median": known.median(), "min": known.min(), "max": known.max()},
            }
            for stat, wanted in expected.items():
                found = number(results, "attribute", name, stat, **place)
                assert found == pytest.approx(wanted, nan_ok=True), (name, stat, by)


def test_a_lot_that_nobody_was_given_is_counted_but_enters_no_statistic() -> None:
    results = summarise(make_products_given())
    assert [number(results, "lots", "LOTID", stat) for stat in ("n", "n_made", "n_unused")] == [
        *(9, 10, 1),
    ]
    # The lot of the second infusion is a lot of its own, of the same subject.
    assert number(results, "lots", "LOTID", "n_subjects") == 8
    assert number(results, "lots", "LOTID", "n", process="A") == 5
    assert number(results, "lots", "LOTID", "n_subjects", process="A") == 4
    assert number(results, "attribute", "VIABPCT", "min") == 65


def test_potencies_of_two_units_are_never_put_together() -> None:
    results = summarise(make_products_given())
    assert results.find("study_data.product_attribute", "POTENCY", "", {}, "n") is None
    assert number(results, "attribute", "POTENCY", "median", unit="%") == 30
    assert number(results, "attribute", "POTENCY", "max", unit="pg/mL") == 900
    assert value(results, "attribute", "POTENCY", "median", unit="pg/mL").unit == "pg/mL"
    absent = {"process": "A", "unit": "pg/mL"}
    assert results.find("study_data.product_attribute", "POTENCY", "", absent, "n") is None


def test_lots_out_of_specification_are_counted_of_those_that_were_judged() -> None:
    given = make_products_given()
    results = summarise(given)
    found = [number(results, "release", "OOSFL", stat) for stat in ("n", "n_judged", "pct")]
    assert found == [1, 9, pytest.approx(100 / 9)]
    assert number(results, "release", "OOSFL", "n", process="B") == 0
    assert number(results, "release", "OOSVAR", "n", attribute="VIABPCT", process="A") == 1
    assert number(results, "release", "OOSVAR", "n", attribute="VIABPCT", process="B") == 0
    assert number(results, "release", "RELSTAT", "n", status="RELEASED") == 8
    assert number(results, "release", "RELSTAT", "n", status="MISSING", process="B") == 1
    unjudged = value(summarise(given.with_lots(OOSFL="")), "release", "OOSFL", "n")
    assert math.isnan(unjudged.number) and unjudged.note_code == "NOLIMITS"


def test_what_the_lot_list_does_not_have_says_so() -> None:
    given = make_products_given()
    assert value(summarise(given), "attribute", "CD4CD8", "mean").note_code == "NOTCOLL"
    nothing = ProductsGiven(given.adsl, given.adld, empty_dataset("ADPQ"), given.adex)
    results = summarise(nothing)
    assert set(results.frame["variable"]) == {"LOTID"}
    assert value(results, "lots", "LOTID", "n").note_code == "NOTCOLL"
    unlinked = ProductsGiven(given.adsl, given.adld, given.adpq, given.adex.assign(LOTID=""))
    assert number(summarise(unlinked), "lots", "LOTID", "n") == 0

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from special_given import (
    ANALYTE,
    make_exposure,
    make_records,
    make_sources,
    make_study,
    make_subjects,
)

from celldossier.results import AnalysisResults, ResultCollector
from celldossier.special_considerations.gene_modified import (
    select_landmark_samples,
    summarise_gene_modification,
)
from celldossier.terms.study_terms import DAYS_PER_YEAR

STAGE = "special_considerations"


def make_samples(*samples: tuple[int, float, float], analyte: str = ANALYTE) -> pd.DataFrame:
    """Subject, day and value of blood samples; NaN is below the limit of quantitation."""
    return make_records(
        *(
            {
                "subject": subject, "PARAMCD": analyte, "PCSPEC": "BLOOD", "ANL01FL": "Y",
                "AFRLT": day, "AVAL": value, "AVALU": "cells/uL",
                "BLQFL": "Y" if math.isnan(value) else "N",
            }
            for subject, day, value in samples
        )
    )  # fmt: skip


def summarise(
    adsl: pd.DataFrame, exposure: list[float] | None = None, settings: Any = None, **others: Any
) -> AnalysisResults:
    adpp = make_exposure(exposure or [1.0] * len(adsl))
    out = ResultCollector(STAGE)
    summarise_gene_modification(
        make_study(make_sources(adsl, adpp, **others), **settings or {}), out
    )
    return AnalysisResults([out.frame()])


def read(
    results: AnalysisResults,
    analysis: str,
    variable: str,
    *stats: str,
    analyte: str = "",
    **by: str,
) -> list[float]:
    found = [results.find(f"{STAGE}.{analysis}", variable, analyte, by, stat) for stat in stats]
    return [value.number for value in found if value is not None]


YEAR = ("n", "person_years", "n_sampled", "n_quantifiable", "n_deaths", "n_secondary")


def test_each_day_of_follow_up_is_in_one_year() -> None:
    one, two = DAYS_PER_YEAR, 2 * DAYS_PER_YEAR
    adsl = make_subjects(FUDUR=[0.0, one / 2, one, two], DTHDY=[0.0, math.nan, one, math.nan])
    samples = make_samples((3, one, 5.0), (4, 10, 7), (4, 20, math.nan), (4, one + 1, math.nan))
    # A sample of the marrow is no sample of blood.
    marrow = make_samples((2, 10, 7.0), (2, one + 1, 7.0)).assign(PCSPEC="BONE MARROW")
    samples = pd.concat([samples, marrow], ignore_index=True)
    adaesi = make_records(
        {"subject": 4, "AESI": "SECONDMALIG", "ASTDY": one + 0.1},
        {"subject": 4, "AESI": "SECONDMALIG", "ASTDY": one + 50},
        {"subject": 2, "AESI": "SECONDMALIG", "ASTDY": -5.0},
        {"subject": 3, "AESI": "CRS", "ASTDY": 5.0},
    )
    results = summarise(adsl, adpc=samples, adaesi=adaesi)
    assert results.levels(f"{STAGE}.follow_up", "year") == ["1", "2"]
    first, second = (
        read(results, "follow_up", "FUDUR", *YEAR, analyte=ANALYTE, year=year) for year in "12"
    )
    assert first == pytest.approx([4, 0 + 0.5 + 1 + 1, 2, 2, 2, 0])
    assert second == pytest.approx([1, 1, 1, 0, 0, 1])
    assert read(results, "secondary_malignancy", "SECONDMALIG", "n", "denominator") == [1, 4]


def test_person_years_add_up_to_the_follow_up_of_all() -> None:
    days = [3.0, 364.0, 366.0, 900.0, 1400.0]
    results = summarise(make_subjects(FUDUR=days))
    total = sum(
        read(results, "follow_up", "FUDUR", "person_years", analyte=ANALYTE, year=str(year))[0]
        for year in range(1, 5)
    )
    assert total == pytest.approx(sum(days) / DAYS_PER_YEAR)


def test_without_adverse_events_secondary_malignancies_are_not_collected() -> None:
    results = summarise(make_subjects(FUDUR=[10.0, 20.0]))
    value = results.find(f"{STAGE}.secondary_malignancy", "SECONDMALIG", stat="n")
    assert value is not None and value.note_code == "NOTCOLL"


def test_the_nearest_sample_counts_and_of_two_the_earlier() -> None:
    samples = make_samples((1, 20, 1.0), (1, 36, 2.0), (1, 27, 3.0), (2, 25, 4.0), (2, 31, 5.0))
    chosen = select_landmark_samples(samples, 28, 7)
    assert list(chosen["AVAL"]) == [3, 4]
    assert select_landmark_samples(samples, 28, 0.5).empty


def test_expression_is_counted_at_the_landmarks() -> None:
    samples = make_samples(
        (1, 28, 4.0), (2, 27, math.nan), (3, 29, 8.0), (4, 5, 9.0), analyte="FLOW"
    )
    marrow = make_samples((4, 28, 50.0), analyte="FLOW").assign(PCSPEC="BONE MARROW")
    results = summarise(
        make_subjects(FUDUR=[50.0] * 4),
        settings={"expression_analyte": "FLOW"},
        adpc=pd.concat([samples, marrow]),
    )
    stats = ("n", "n_quantifiable", "median", "min", "max")
    at = read(results, "expression", "EXPRESSION", *stats, analyte="FLOW", landmark="D28")
    assert at == [3, 2, 6, 4, 8]
    none = results.find(f"{STAGE}.expression", "EXPRESSION", "FLOW", {"landmark": "M6"}, "pct")
    assert none is not None and none.note_code == "NOVISIT"


@pytest.mark.parametrize("settings", [{}, {"expression_analyte": "FLOW"}])
def test_expression_that_was_not_measured_says_so(settings: dict[str, Any]) -> None:
    value = summarise(make_subjects(FUDUR=[9.0]), settings=settings).find(
        f"{STAGE}.expression", "EXPRESSION"
    )
    assert value is not None and value.note_code == "NOTCOLL"


def test_tests_of_the_vector_count_subjects_after_the_infusion() -> None:
    adpd = make_records(
        {"subject": 1, "PARAMCD": "RCL", "AVALC": "NEGATIVE", "AFRLT": 90.0},
        {"subject": 1, "PARAMCD": "RCL", "AVALC": "Positive", "AFRLT": 180.0},
        {"subject": 2, "PARAMCD": "RCL", "AVALC": "NEGATIVE", "AFRLT": 90.0},
        {"subject": 3, "PARAMCD": "RCL", "AVALC": "POSITIVE", "AFRLT": -1.0},
        {"subject": 3, "PARAMCD": "CRP", "AVALC": "POSITIVE", "AFRLT": 9.0},
    )
    adpd = adpd.assign(BLQFL="N", NFRLT=math.nan)
    results = summarise(
        make_subjects(FUDUR=[200.0] * 3), settings={"replication_tests": ("RCL",)}, adpd=adpd
    )
    assert read(results, "vector_test", "RCV", "n", "denominator") == [1, 2]
    absent = results.find(f"{STAGE}.vector_test", "INTEGRATION", stat="n")
    assert absent is not None and absent.note_code == "NOTCOLL"


def test_a_result_that_says_neither_is_no_sign_that_there_is_no_virus() -> None:
    adpd = make_records(
        *(
            {"subject": k, "PARAMCD": "RCL", "AVALC": word, "BLQFL": below, "AFRLT": day,
             "NFRLT": 90.0}
            for k, word, below, day in (
                (1, "NEGATIVE", "N", 90.0),
                (2, "", "N", 90.0),
                (3, "120", "N", 90.0),
                (4, "<50", "Y", 90.0),
                # Its day is the planned one.
                (5, "not detected", "N", math.nan),
                (5, "INDETERMINATE", "N", 180.0),
            )
        )
    )  # fmt: skip
    adsl, rules = make_subjects(FUDUR=[200.0] * 5), {"replication_tests": ("RCL",)}
    results = summarise(adsl, settings=rules, adpd=adpd)
    assert read(results, "vector_test", "RCV", "n", "denominator") == [0, 3]
    assert read(results, "vector_unjudged", "RCV", "n") == [3]
    silent = summarise(adsl, settings=rules, adpd=adpd[adpd["AVALC"] == "120"])
    absent = silent.find(f"{STAGE}.vector_test", "RCV", stat="n")
    assert absent is not None and absent.note_code == "NOVERDICT"


def test_copies_of_the_lots_are_those_infused_and_rank_with_exposure() -> None:
    adpq = pd.DataFrame({"INFUSFL": ["Y", "Y", "N"], "VCN": [1.0, 3, 99], "TRANSPCT": math.nan})
    adsl = make_subjects(FUDUR=[9.0] * 5, VCN=[1.0, 2, 3, 4, 5])
    results = summarise(adsl, [5.0, 4, 2, 3, 1], adpq=adpq)
    assert read(results, "lot_attribute", "VCN", "n", "median") == [2, 2]
    # Spearman: 1 - 6 (16 + 4 + 1 + 1 + 16) / (5 x 24).
    rho = read(results, "lot_correlation", "VCN", "rho", analyte=ANALYTE, metric="CMAX")
    assert rho == pytest.approx([1 - 6 * 38 / 120])
    absent = results.find(f"{STAGE}.lot_attribute", "TRANSPCT", stat="median")
    assert absent is not None and absent.note_code == "NOTCOLL"

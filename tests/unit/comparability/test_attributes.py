"""Quality attributes of all lots before and after the change."""

from __future__ import annotations

import math
from typing import Any

import pytest
from comparability_given import (
    ANALYTE,
    ASSAY_1,
    ASSAY_2,
    BOTH,
    make_lots,
    make_samples,
    make_settings,
    make_sources,
    make_subjects,
    read_number,
    read_word,
)

from celldossier.comparability.stage import compare_groups
from celldossier.results import AnalysisResults

BEFORE = [44.0, 45, 46, 47, 43, 45]
AFTER = [34.0, 35, 36, 37, 33, 35]
"""Transduction, %: means 45 and 35, both with variance 2."""


def summarise(settings: dict[str, Any] | None = None, **lots: list[Any]) -> AnalysisResults:
    """Results of six lots of process A and six of B."""
    sources = make_sources(adsl=make_subjects(12), adpq=make_lots("A" * 6 + "B" * 6, **lots))
    found = compare_groups(sources, make_settings(**(settings or {})), ANALYTE)
    return AnalysisResults([found.results])


def read_contrast(results: AnalysisResults, attribute: str, stat: str) -> float:
    return read_number(results, "attribute_contrast", attribute, stat, group="B")


def read_verdict(results: AnalysisResults, attribute: str, stat: str = "verdict") -> str:
    return read_word(results, "attribute_contrast", attribute, stat, group="B")


def test_the_planted_difference_of_transduction_is_found() -> None:
    results = summarise(TRANSPCT=[*BEFORE, *AFTER])
    assert read_contrast(results, "TRANSPCT", "estimate") == pytest.approx(-10)
    # Equal variances and sizes: t of 10 degrees of freedom, se = sqrt(2 * 2 / 6).
    half = 2.228138851964939 * math.sqrt(2 / 3)
    assert read_contrast(results, "TRANSPCT", "estimate_low") == pytest.approx(-10 - half)
    assert read_contrast(results, "TRANSPCT", "estimate_high") == pytest.approx(-10 + half)
    assert read_verdict(results, "TRANSPCT", "differs") == "Y"
    assert read_number(results, "attribute", "TRANSPCT", "mean", group="A") == pytest.approx(45)
    assert read_number(results, "attribute", "TRANSPCT", "n", group="B") == 6


def test_equal_lots_do_not_differ() -> None:
    results = summarise(VIABPCT=[*BEFORE, *BEFORE])
    assert read_verdict(results, "VIABPCT", "differs") == "N"


def test_without_a_margin_there_is_no_verdict() -> None:
    results = summarise(TRANSPCT=[*BEFORE, *BEFORE])
    assert read_verdict(results, "TRANSPCT") == "NOMARGIN"
    assert math.isnan(read_contrast(results, "TRANSPCT", "p_tost"))


@pytest.mark.parametrize(
    ("after", "verdict"), [(BEFORE, "WITHIN"), (AFTER, "NOTWITHIN")], ids=["same", "10 lower"]
)
def test_a_margin_of_a_difference_gives_a_verdict(after: list[float], verdict: str) -> None:
    margin = {"attribute": "TRANSPCT", "scale": "difference", "lower": -5, "upper": 5,
              "justification": BOTH}  # fmt: skip
    results = summarise({"attribute_margins": [margin]}, TRANSPCT=[*BEFORE, *after])
    assert read_verdict(results, "TRANSPCT") == verdict
    # 90 % interval of t with 10 degrees of freedom.
    half = 1.8124611228116764 * math.sqrt(2 / 3)
    estimate = read_contrast(results, "TRANSPCT", "estimate")
    assert read_contrast(results, "TRANSPCT", "eq_high") == pytest.approx(estimate + half)


def test_ratio_attributes_are_compared_by_geometric_means() -> None:
    before = [1.0, 2, 4, 1, 2, 4]
    results = summarise(VCN=[*before, *(2 * value for value in before)])
    assert read_contrast(results, "VCN", "estimate") == pytest.approx(2)
    assert read_verdict(results, "VCN", "scale") == "ratio"


def test_the_margin_of_an_attribute_decides_its_scale() -> None:
    margin = {"attribute": "VIABPCT", "scale": "ratio", "lower": 0.9, "upper": 1.1,
              "justification": BOTH}  # fmt: skip
    results = summarise({"attribute_margins": [margin]}, VIABPCT=[*BEFORE, *BEFORE])
    assert read_contrast(results, "VIABPCT", "estimate") == pytest.approx(1)
    assert read_contrast(results, "VIABPCT", "margin_upper") == 1.1


def test_potencies_in_two_units_are_not_compared() -> None:
    values = [*BEFORE, *AFTER]
    one = summarise(POTENCY=values, POTENCU=["pg/mL"] * 12)
    assert read_contrast(one, "POTENCY", "estimate") == pytest.approx(35 / 45, rel=0.01)
    two = summarise(POTENCY=values, POTENCU=["pg/mL"] * 6 + ["%"] * 6)
    assert two.select("comparability.attribute").empty


def test_lots_that_share_a_donor_are_not_independent() -> None:
    # Three donors a process, two lots of each, alike within a donor.
    values = [44.0, 44.2, 47, 47.1, 45, 45.3, 44, 44.1, 46, 46.2, 47, 47.2]
    alone = summarise(TRANSPCT=values)
    shared = summarise(TRANSPCT=values, DONORID=[f"D{k // 2}" for k in range(12)])
    # The mean of a donor counts once: the interval is that of three donors against three.
    width = {
        name: read_contrast(found, "TRANSPCT", "estimate_high")
        - read_contrast(found, "TRANSPCT", "estimate_low")
        for name, found in (("alone", alone), ("shared", shared))
    }
    assert width["shared"] > 1.5 * width["alone"]
    estimate = read_contrast(alone, "TRANSPCT", "estimate")
    assert read_contrast(shared, "TRANSPCT", "estimate") == pytest.approx(estimate)


def test_few_lots_have_a_reason_and_no_contrast() -> None:
    sources = make_sources(adsl=make_subjects(5), adpq=make_lots("AAABB", VCN=[1.0, 2, 3, 2, 3]))
    results = AnalysisResults([compare_groups(sources, make_settings(), ANALYTE).results])
    assert read_verdict(results, "VCN", "estimate") == "FEWLOTS"
    assert read_verdict(results, "VCN") == "FEWLOTS"
    assert read_number(results, "attribute", "VCN", "mean", group="B") == pytest.approx(2.5)


def test_lots_after_the_change_are_counted_in_the_ranges_of_those_before() -> None:
    # Mean 45, SD sqrt(2): the quality range of 3 SD is 40.76 to 49.24.
    after = [41.0, 44, 45, 46, 49, 50]
    results = summarise(TRANSPCT=[*BEFORE, *after])
    limits = {
        name: [
            read_number(results, "attribute_range", "TRANSPCT", stat, range=name)
            for stat in ("centre", "low", "high")
        ]
        for name in ("QUALITY", "TOLERANCE")
    }
    assert limits["QUALITY"] == pytest.approx([45, 45 - 3 * 2**0.5, 45 + 3 * 2**0.5])
    # Factor of six lots, 95 % of the lots with 95 % confidence: NIST 4.414 (Howe), exact 4.422.
    assert limits["TOLERANCE"][2] == pytest.approx(45 + 4.42 * 2**0.5, abs=0.02)
    inside = {"group": "B", "range": "QUALITY"}
    assert read_number(results, "attribute_inside", "TRANSPCT", "n", **inside) == 5
    assert read_number(results, "attribute_inside", "TRANSPCT", "denominator", **inside) == 6
    wide = {"group": "B", "range": "TOLERANCE"}
    assert read_number(results, "attribute_inside", "TRANSPCT", "n", **wide) == 6


def test_two_lots_before_the_change_have_no_range() -> None:
    sources = make_sources(adsl=make_subjects(5), adpq=make_lots("AABBB", VCN=[1.0, 2, 3, 2, 3]))
    results = AnalysisResults([compare_groups(sources, make_settings(), ANALYTE).results])
    assert read_word(results, "attribute_range", "VCN", "low", range="QUALITY") == "FEWLOTS"
    by = {"group": "B", "range": "QUALITY"}
    assert read_word(results, "attribute_inside", "VCN", "pct", **by) == "FEWLOTS"


def test_lots_of_no_group_are_compared_with_none() -> None:
    samples = make_samples(*[ASSAY_1] * 6, *[ASSAY_2] * 6)
    lots = make_lots("A" * 12, VCN=[2.0, 3, 4] * 4)
    sources = make_sources(adsl=make_subjects(12), adpq=lots, adpc=samples)
    settings = make_settings(by="ASSAY", reference="1")
    results = AnalysisResults([compare_groups(sources, settings, ANALYTE).results])
    assert results.select("comparability.attribute").empty
    assert results.select("comparability.attribute_range").empty
    assert read_number(results, "group_count", "USUBJID", "n", group="2") == 6

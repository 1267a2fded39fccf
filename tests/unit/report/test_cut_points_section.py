"""S7.2 says which cut points were estimated, or that the records hold no raw signals."""

from __future__ import annotations

import pytest
from report_page import Page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_cut_points_are_named_with_their_false_positive_rates(language: str) -> None:
    page = Page(language)
    levels = {"tier": ["SCREENING"], "unit": ["MFI"]}
    page.globals["levels"] = lambda analysis, key: levels.get(key, [])
    text = page.render("S7.2")
    cut_point = "immunogenicity.cut_points/X/CAR/MFI/SCREENING/cut_point"
    assert cut_point in page.printed
    assert "5%" in text and "1%" in text
    assert "T78b" in text


def test_without_raw_signals_the_section_says_so() -> None:
    page = Page("en")
    page.globals["levels"] = lambda analysis, key: ["SCREENING"] if key == "tier" else []
    text = page.render("S7.2")
    assert "hold no raw signals" in text
    assert "cut point of" not in text


def test_without_antibody_results_the_section_tells_nothing_of_cut_points() -> None:
    page = Page("en")
    page.globals["levels"] = lambda analysis, key: []
    assert "ut point" not in page.render("S7.2")

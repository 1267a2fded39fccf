"""S8.4 tells where intervals lie, and never that products are comparable."""

from __future__ import annotations

import pytest
from markupsafe import Markup
from report_page import Page

from celldossier.settings.comparability import ComparabilitySettings


def make_page(language: str = "en", **settings: object) -> Page:
    page = Page(language)
    given = {"by": "PROCESS", "reference": "A", "analytes": ["PCR"], **settings}
    rules = ComparabilitySettings.model_validate(given)
    page.settings["comparability"] = rules.model_dump(mode="json")
    page.globals["levels"] = lambda analysis, key: (
        ["A", "B"] if analysis.endswith("group_count") else ["B"] if key == "group" else []
    )
    page.globals["exists"] = lambda value_id: not value_id.endswith("/reason")
    return page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_counts_verdicts_and_outcomes_are_named_from_results(language: str) -> None:
    page = make_page(language)
    text = page.render("S8.4")
    for value_id in (
        "comparability.group_count/LOTID//A/n",
        "comparability.group_count/USUBJID//B/n",
        "comparability.assay_gate/PCASSAYV/PCR/B/state",
        "comparability.ratio/CMAX/PCR/B/BRIDGED/UNADJUSTED/gmr_low",
        "comparability.ratio/CMAX/PCR/ADJUSTED/B/BRIDGED/verdict",
        "comparability.risk/RESPONSE//B/rd",
    ):
        assert value_id in page.printed
    assert all(name in text for name in ("T80", "T80b", "T80c", "T80d", "T80e", "F80"))
    assert "products are comparable" not in text and "具有可比性" not in text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "Every verdict on exposure to"), ("zh", "暴露的各项判定均基于版本")],
)
def test_a_verdict_on_a_bridge_says_so_and_how_well_it_is_known(
    language: str, sentence: str
) -> None:
    page = make_page(language, primary_model="unadjusted")
    plain = page.globals["levels"]
    page.globals["levels"] = lambda analysis, key: {"version": ["1"], "reason": ["MIXLOTS"]}.get(
        key, plain(analysis, key)
    )
    text = page.render("S8.4")
    assert sentence in text
    for value_id in (
        "comparability.ratio/CMAX/PCR/B/BRIDGED/UNADJUSTED/role",
        "comparability.ratio/CMAX/PCR/B/BRIDGED/UNADJUSTED/se_bridge",
        "comparability.group_none/USUBJID//MIXLOTS/n",
    ):
        assert value_id in page.printed
    # The primary ratio stands before the other.
    gmr = [one for one in page.printed if one.startswith("comparability.ratio/CMAX")]
    assert "UNADJUSTED" in gmr[0]
    page.globals["exists"] = lambda value_id: "BRIDGED" not in value_id
    assert sentence not in page.render("S8.4")


def test_where_nothing_is_bridged_the_text_is_of_concentrations_as_measured() -> None:
    page = make_page()
    page.globals["exists"] = lambda value_id: "BRIDGED" not in value_id
    page.render("S8.4")
    assert "comparability.ratio/CMAX/PCR/ASIS/B/UNADJUSTED/gmr" in page.printed
    assert not any("BRIDGED" in value_id for value_id in page.printed)


def test_an_attribute_is_named_where_its_interval_leaves_out_no_difference() -> None:
    page = make_page()

    def number(value_id: str) -> float:
        ends = {"no_difference": 0.0, "estimate_low": -13.0, "estimate_high": 5.0}
        found = ends.get(value_id.rsplit("/", 1)[-1], 1.0)
        if "TRANSPCT" in value_id and value_id.endswith("estimate_high"):
            return -9.0
        return found

    page.globals["number"] = number
    page.render("S8.4")
    named = {
        value_id.split("/")[1] for value_id in page.printed if "attribute_contrast" in value_id
    }
    assert named == {"TRANSPCT"}


def test_no_differing_attribute_is_no_evidence_of_sameness() -> None:
    page = make_page()
    page.globals["number"] = lambda value_id: {"no_difference": 1.0, "estimate_low": 0.5}.get(
        value_id.rsplit("/", 1)[-1], 1.5
    )
    assert "no evidence that they are the same" in page.render("S8.4")


def test_without_a_declared_change_the_section_says_so() -> None:
    text = Page("en").render("S8.4")
    assert "Not applicable because no manufacturing change was declared" in text
    assert "T80c" not in text


def test_one_group_alone_is_not_compared_and_says_why() -> None:
    page = make_page()
    page.globals["has"] = lambda value_id: not value_id.startswith("comparability.change")
    page.globals["value"] = lambda value_id, style="sig3": Markup("REASON")
    assert "Not applicable because REASON" in page.render("S8.4")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_methods_are_those_of_the_settings(language: str) -> None:
    page = make_page(language, equivalence_level=0.8, max_assay_imbalance=0.25)
    text = page.render("methods")
    assert "80%" in text and "0.25" in text
    assert "0.25" not in Page(language).render("methods")

"""The sections of the report: both languages alike, and worded by what the results allow."""

from __future__ import annotations

import re
from typing import Any

import pytest
from report_page import CJK, CLAUSES, PARTS, Page, make_study

VARIANTS: dict[str, dict[str, Any]] = {
    "all computed": {},
    "interval with 1": {"interval": (0.8, 1.3), "status": "not_available"},
    "lower": {"interval": (0.3, 0.8), "status": "not_provided"},
    "refused by rule": {"computed": False, "status": "not_applicable"},
    "nothing collected": {"domains": (), "computed": False, "minors": False},
    "stem cells": {
        "study": make_study("mesenchymal", gene_modified=False),
        "repeat_dosing": True,
        "minors": False,
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("part", PARTS)
def test_every_section_has_text_and_both_languages_print_the_same_values(
    part: str, variant: str
) -> None:
    pages = {language: Page(language, **VARIANTS[variant]) for language in ("en", "zh")}
    texts = {language: page.render(part) for language, page in pages.items()}
    assert len(texts["en"]) > 40
    assert pages["en"].printed == pages["zh"].printed
    if part != "S9":
        assert re.search(rf"[{CJK}]", texts["zh"])
    assert not re.search(rf"[{CJK}]", texts["en"])
    for text in texts.values():
        assert "%(" not in text
        assert "None" not in text


def render_exposure_response(endpoints: list[str], **options: Any) -> str:
    page = Page("en", **options)
    page.settings["exposure_response"]["endpoints"] = endpoints
    return page.render("S5")


def test_complete_response_stands_with_efficacy_and_not_with_safety() -> None:
    text = render_exposure_response(["OBJRESP", "CRESP", "CRSGE2"])
    safety = text.index("Safety")
    assert (
        text.index("Complete response: ")
        < safety
        < text.index("CRS of grade 2 or higher: higher CMAX")
    )


def test_a_study_without_crs_as_an_endpoint_is_told_nothing_of_its_onset() -> None:
    told = "often begins before the peak"
    assert told in render_exposure_response(["OBJRESP", "CRSGE2"])
    text = render_exposure_response(["OBJRESP", "INFECTION"])
    assert told not in text and "Neither cytokine release syndrome nor" in text


def test_neither_rescue_medication_nor_models_with_burden_are_claimed_where_there_are_none() -> (
    None
):
    told = ("who expand strongly and fall ill", "The primary models are")
    assert all(part in render_exposure_response(["CRSGE2"]) for part in told)
    text = render_exposure_response(["CRSGE2"], computed=False)
    assert not any(part in text for part in told)
    assert "There is no primary model with tumour burden" in text


ODDS = "{{ models.odds('CRSGE2', 'CMAX', 'UNADJUSTED') }}"
IMPORT = '{% import "macros/exposure_response.html.j2" as models with context %}'


def render_odds(**options: Any) -> str:
    page = Page(**options)
    return page.render_template(page.environment.from_string(IMPORT + ODDS))


def test_an_interval_above_one_is_worded_as_an_association_with_higher_odds() -> None:
    text = render_odds(interval=(1.2, 2.4))
    assert "CRS of grade 2 or higher: higher CMAX was associated with higher odds" in text


def test_an_interval_below_one_is_worded_as_an_association_with_lower_odds() -> None:
    assert "was associated with lower odds" in render_odds(interval=(0.4, 0.9))


@pytest.mark.parametrize("interval", [(0.8, 1.3), (1.0, 2.0), (0.5, 1.0)])
def test_an_interval_with_one_is_no_clear_association_and_not_proof_of_none(
    interval: tuple[float, float],
) -> None:
    text = render_odds(interval=interval)
    assert "no clear association with CMAX was seen" in text
    assert "the sample is small" in text
    assert "associated with" not in text
    chinese = render_odds(language="zh", interval=interval)
    assert "未见与CMAX存在明确的关联" in chinese
    assert "样本量有限" in chinese


def test_a_refused_model_is_named_with_its_reason_instead_of_left_out() -> None:
    text = render_odds(computed=False)
    assert "no model on CMAX is reported (8.88)" in text
    assert "odds ratio" not in text


def test_a_ratio_with_one_in_its_interval_is_no_clear_difference() -> None:
    assert "No clear difference in CMAX" in Page(interval=(0.7, 1.6)).render("S4.1")
    assert "non-responders, lay above one" in Page(interval=(1.1, 1.6)).render("S4.1")
    assert "non-responders, lay below one" in Page(interval=(0.3, 0.9)).render("S4.1")


def test_the_odds_are_printed_with_the_q_value_of_their_family() -> None:
    page = Page()
    assert "after adjustment for multiple tests" in page.render("summary")
    assert any("multiplicity" in value_id for value_id in page.printed)


def test_a_domain_without_a_file_is_written_as_not_collected() -> None:
    page = Page(domains=())
    for part, domain in (
        ("S4.1", "cellular kinetics"),
        ("S4.2", "pharmacodynamic"),
        ("S7.1", "immunogenicity"),
        ("S8.2", "concomitant medication"),
    ):
        assert f"Not collected: the study has no {domain} data" in page.render(part)


def test_the_integrated_summary_of_immunogenicity_has_each_part_with_its_place() -> None:
    page = Page()
    text = page.render("S7")
    head = "Integrated summary of immunogenicity"
    assert head in text
    parts = {
        "risk_class/RISKCLASS": "T77",
        "incidence/BASELINE_POSITIVE": "T78",
        "incidence/TREATMENT_EMERGENT": "T78",
        "baseline_exposure/CMAX": "T79a",
        "ratio_change/RATIO": "T79b",
        "landmark/DOR": "T79c",
        "reinfusion_crs/CRS": "T79c",
        "cellular_incidence/AFTER": "T79",
    }
    for place, table in parts.items():
        assert any(value.startswith(f"immunogenicity.{place}/") for value in page.printed), place
        assert re.search(rf"{table}(?!\w)", text[text.index(head) :]), table
    assert head not in Page(domains=()).render("S7")


def test_each_figure_of_antibodies_is_named_where_its_clause_stands() -> None:
    text = Page().render("S7.1")
    named = ("T77", "T78", "F78", "F78a", "F78b", "F78c", "F78d", "L78", "T79", "T79d")
    assert all(re.search(rf"\b{name}\b", text) for name in named)


def test_a_section_for_another_product_class_says_why_it_does_not_apply() -> None:
    page = Page(study=make_study("mesenchymal", gene_modified=False))
    assert "Not applicable because the section concerns immune cell products" in page.render("S8.3")
    assert "Not applicable because the cells are not genetically modified" in page.render("S8.5")


def test_a_study_without_a_rule_by_toxicity_is_told_so_and_one_with_it_gets_its_decisions() -> None:
    without = Page().render("S3.2")
    assert "declares no rule that led the dose by dose-limiting toxicity" in without
    page = Page()
    page.settings["dose_exploration"]["escalation"]["design"] = "BOIN"
    text = page.render("S3.2")
    assert "The dose was escalated by the design BOIN." in text
    assert "declares no rule" not in text


def test_the_report_says_which_version_of_the_guideline_it_follows() -> None:
    for language, words in (("en", "have not been compared clause by clause"), ("zh", "逐条比对")):
        for part in ("S1", "summary", "matrix"):
            assert words in Page(language).render(part)


def test_every_named_sponsor_text_is_asked_for_where_its_clause_stands() -> None:
    pages = [Page(), Page(study=make_study("mesenchymal", gene_modified=False))]
    for clause in CLAUSES["clauses"]:
        for key in clause.get("owed", []):
            if clause["applies"].get("condition"):
                continue
            section = clause["section"]
            assert any(f"[{key}]" in page.render(section) for page in pages), (section, key)

"""The amendment and the section of changes: from the comparison alone, in both languages."""

from __future__ import annotations

import pytest
from report_page import Page, share_changes


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_amendment_prints_key_numbers_counts_and_causes(language: str) -> None:
    changes = share_changes()
    text = Page(language).render("amendment")
    (key,) = changes["key_results"]
    assert (key["old"], key["new"]) == (pytest.approx(700 / 3), pytest.approx(760 / 3))
    assert "233" in text and "253" in text and "+8.6%" in text
    assert key["label"][language] in text
    for cause in changes["causes"]:
        assert cause["name"] in text and str(cause["differences"]) in text
    assert "0.8 → 0.9" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_section_lists_settings_raw_records_code_and_verdicts(language: str) -> None:
    text = Page(language).render("changes")
    for part in (
        *("cellular_kinetics.lambda_z.min_r2adj", "pc.csv", "S-2", "PCORRES", "stats"),
        *("CLAUSE=S4.1-1", "not_available"),
    ):
        assert part in text, part


def test_without_a_reference_run_the_section_says_so() -> None:
    page = Page("en")
    page.globals["changes"] = None
    assert "No reference run was named" in page.render("changes")


def test_texts_of_the_runs_are_escaped() -> None:
    page = Page("en")
    hostile = "<img src=x onerror=alert(1)>"
    changes = {**share_changes(), "runs": {**share_changes()["runs"]}}
    changes["runs"]["old"] = {"name": hostile, "celldossier": "0", "commit": ""}
    page.environment.globals.update({**page.globals, "changes": changes})
    for part in ("amendment", "changes"):
        html = page.environment.get_template(f"sections/{part}.html.j2").render()
        assert "<img" not in html and "&lt;img" in html


def test_long_tables_are_cut_and_say_what_they_leave_out() -> None:
    page = Page("en")
    line = {"file": "pc.csv", "subject": "S", "change": "added", "columns": ""}
    many = [{**line, "records": 1, "rows": str(number)} for number in range(8)]
    page.globals["changes"] = {**share_changes(), "raw_records": many}
    assert "3 further lines are in differences.csv." in page.render("changes")

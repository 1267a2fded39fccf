"""S8.4 says what ties the versions of an assay, and words it after the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from report_page import Page

WORDS = {
    (1.0, 0.0): ("do not contradict one factor", "不矛盾"),
    (0.0, 1.0): ("depends on the level", "随浓度水平变化"),
    (0.0, 0.0): ("cannot be judged", "无法判断"),
}


def make_page(language: str, flags: tuple[float, float], *versions: str) -> Page:
    """A page on which PCR alone has bridges, from each of `versions`."""
    page = Page(language)
    known = dict(zip(("applied", "level_dependent"), flags, strict=True))

    def number(value_id: str) -> float:
        return known.get(value_id.rsplit("/", 1)[-1], 1.2)

    def exists(value_id: str) -> bool:
        bridged = any(f"/PCR/{version}/" in value_id for version in versions)
        return "bridge" not in value_id or "bridge_use/CONC/PCR" in value_id or bridged

    def levels(analysis: str, key: str) -> list[str]:
        return list(versions) if analysis == "cellular_kinetics.bridge" else ["A", "B"]

    changed: dict[str, Any] = {"number": number, "exists": exists, "levels": levels}
    page.globals.update(changed)
    return page


@pytest.mark.parametrize("flags", WORDS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wording_follows_what_the_slope_allows(
    flags: tuple[float, float], language: str
) -> None:
    page = make_page(language, flags, "1")
    text = page.render("S8.4")
    told = [words[language == "zh"] in text for words in WORDS.values()]
    assert told == [each == flags for each in WORDS]
    fit = "cellular_kinetics.bridge_fit/CONC/PCR/1"
    assert {f"{fit}/{stat}" for stat in ("ratio", "ratio_low", "slope", "slope_high")} <= set(
        page.printed
    )
    assert "95%" in text and "T80a" in text and "F80a" in text


def test_several_versions_without_samples_that_tie_them_are_told_apart() -> None:
    text = make_page("en", (0.0, 0.0)).render("S8.4")
    assert "no samples that tie them were provided" in text
    assert "no factor was applied" not in text


def test_without_a_second_version_nothing_is_said() -> None:
    page = make_page("en", (1.0, 0.0))
    page.globals["exists"] = lambda value_id: "bridge" not in value_id
    text = page.render("S8.4")
    assert "T80a" not in text and "bridge" not in "".join(page.printed)

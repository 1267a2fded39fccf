"""Numbers are written as product labels write them, texts come from the catalogues."""

import math
from collections import Counter

import pytest
from babel.messages.pofile import read_po

from celldossier.io.resources import shared_path
from celldossier.terms.language import (
    Language,
    format_count,
    format_fixed,
    format_p,
    format_significant,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (34712.3, "34700"),
        (0.0012345, "0.00123"),
        (9.996, "10.0"),
        (999.6, "1000"),
        (0.0, "0"),
        (-2.5, "-2.50"),
        (math.nan, ""),
        (155.4, "155"),
    ],
)
def test_three_significant_digits_keep_whole_digits(value: float, text: str) -> None:
    assert format_significant(value) == text


def test_p_values_counts_and_decimals() -> None:
    assert [format_p(value) for value in (0.0004, 0.0456, 1.0, math.nan)] == [
        "<0.001",
        "0.046",
        "1.000",
        "",
    ]
    assert format_fixed(-0.04, 1) == "0.0"
    assert format_fixed(-1.25, 1) == "-1.2"
    assert format_count(12.0) == "12"
    assert format_count(math.nan) == ""


def test_a_key_that_no_catalogue_holds_is_never_shown() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        Language("zh").text("no.such.key")


def test_both_catalogues_hold_the_same_keys() -> None:
    from babel.messages.pofile import read_po

    from celldossier.io.resources import shared_path

    def keys(locale: str) -> set[str]:
        path = shared_path("report_templates", "locale", locale, "LC_MESSAGES", "terms.po")
        with path.open("rb") as handle:
            catalogue = read_po(handle)
        assert all(message.string for message in catalogue if message.id)
        return {str(message.id) for message in catalogue if message.id}

    assert keys("zh_CN") == keys("en")


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_no_key_stands_twice_in_a_catalogue(locale: str) -> None:
    """Of two texts of one key the later would be printed for both, in silence."""
    folder = shared_path("report_templates", "locale", locale, "LC_MESSAGES")
    files = sorted(folder.glob("*.po"))
    assert files
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        keys = [line for line in lines if line.startswith("msgid ") and line != 'msgid ""']
        assert [key for key, number in Counter(keys).items() if number > 1] == [], file.name
        with file.open("rb") as stream:
            assert len(read_po(stream)) > 0

"""Versions of an assay: what they inherit, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from celldossier.settings.bioanalysis import Assay

WORD = {"en": "x", "zh": "x"}
GIVEN = {
    **{"analyte": "PCR", "domain": "CK", "test_codes": ["CARPCR"], "unit": "copies/ug"},
    **dict.fromkeys(("label", "platform", "matrix"), WORD),
}


def declare(**more: Any) -> Assay:
    return Assay.model_validate({**GIVEN, **more})


def test_a_version_has_the_facts_of_the_assay_where_it_says_nothing() -> None:
    own = {"en": "ddPCR", "zh": "ddPCR"}
    versions = [{"version": "1", "laboratory": "B"}, {"version": "2", "lloq": 25, "platform": own}]
    first, second = declare(
        lloq=50, uloq=1e6, laboratory="A", stability_days=90, versions=versions
    ).complete_versions
    assert (first.version, first.lloq, first.uloq, first.laboratory) == ("1", 50, 1e6, "B")
    assert (second.version, second.lloq, second.laboratory) == ("2", 25, "A")
    assert second.platform is not None and second.platform.en == "ddPCR"
    assert first.stability_days == second.stability_days == 90


def test_an_assay_without_versions_is_its_only_version() -> None:
    (only,) = declare(lloq=50, version="3").complete_versions
    assert (only.version, only.lloq) == ("3", 50)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"version": "1", "versions": [{"version": "2"}]}, "exclude each other"),
        ({"versions": [{"version": "1"}, {"version": "1"}]}, "same name"),
        ({"lod": 60, "lloq": 50}, "lod exceeds lloq"),
        # Of the two limits one is of the version and one of the assay.
        ({"uloq": 100, "versions": [{"version": "1", "lloq": 100}]}, "uloq is not above"),
        ({"valid_from": "2024-02-01", "valid_until": "2024-01-31"}, "lies before"),
        ({"stability_days": 0}, "greater than 0"),
    ],
)
def test_a_contradiction_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        declare(**more)

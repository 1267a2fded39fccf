"""The registries of markers and of their parameters, and the settings that override them."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from celldossier.pharmacodynamics.marker_rules import resolve_rule, resolve_rules
from celldossier.settings.marker_parameters import MarkerParameterSettings, RecoveryCriterion
from celldossier.terms.markers import find_marker, read_markers
from celldossier.terms.pd_parameters import (
    find_pd_parameter,
    order_pd_parameters,
    read_pd_parameters,
)


def test_every_parameter_has_a_code_for_transport_files_and_both_languages() -> None:
    for code, entry in read_pd_parameters().items():
        assert len(code.replace("#", "365")) <= 8, code
        assert re.search("[\u4e00-\u9fff]", entry.zh) and entry.formula_zh, code
        assert entry.source and entry.kinds and entry.directions


def test_every_known_marker_has_a_class_and_both_languages() -> None:
    for code, marker in read_markers().items():
        assert marker.marker_class and marker.en and marker.zh, code
        assert marker.mcid is None or marker.source, code


def test_areas_are_named_by_their_day_and_ordered_by_it() -> None:
    assert find_pd_parameter("PDAO3P5").en == "Area over baseline, day 0 to 3.5"
    codes = ["PDTREC", "PDAUC90", "PDAUC28", "PDBASE", "PDAU28"]
    assert order_pd_parameters(codes) == ["PDBASE", "PDAUC28", "PDAUC90", "PDAU28", "PDTREC"]


def test_what_a_rule_does_not_say_is_as_the_registry_says() -> None:
    settings = MarkerParameterSettings.model_validate(
        {"window": 14, "rules": [{"marker": "IL6", "rise_factor": 5}]}
    )
    rule = resolve_rule("IL6", settings)
    assert (rule.marker_class, rule.direction, rule.rise_factor) == ("CYTOKINE", "rise", 5)
    assert rule.after == ("TOCILIZUMAB",) and rule.window == 14
    # A marker whose effect is slow has a window of its own.
    assert resolve_rule("CD19B", settings).window == find_marker("CD19B").window == 365


def test_an_empty_list_of_medications_lifts_the_default() -> None:
    settings = MarkerParameterSettings.model_validate({"rules": [{"marker": "IL6", "after": []}]})
    assert resolve_rule("IL6", settings).after == ()


def test_the_settings_choose_the_markers() -> None:
    settings = MarkerParameterSettings(markers=("CRP",))
    assert list(resolve_rules(["IL6", "CRP", "CRP"], settings)) == ["CRP"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"areas": [28, 28]},
        {"areas": [1000]},
        {"rules": [{"marker": "IL6"}, {"marker": "IL6"}]},
        {"below_limit": 2},
        {"rules": [{"marker": "IL6", "recovery": {"criterion": "absolute"}}]},
    ],
)
def test_settings_that_cannot_hold_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MarkerParameterSettings.model_validate(wrong)


def test_a_threshold_goes_with_the_absolute_criterion_only() -> None:
    with pytest.raises(ValidationError):
        RecoveryCriterion(criterion="baseline", threshold=50)

"""The section study_data refuses what cannot be meant."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from celldossier.settings.study_data import StudyDataSettings

SOURCES = {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": {"DM": {"file": "dm.csv"}}}, "lacks EX"),
        ({"sources": SOURCES | {"XX": {"file": "x.csv"}}}, "XX"),
        ({"efficacy": {"responder_categories": ["CR", "GREAT"]}}, "GREAT"),
        ({"efficacy": {"unknown_response_categories": ["PD"]}}, "PD"),
        ({"dosing": {"dose_window": [1.2, 0.8]}}, "dose_window"),
        ({"kinetics_specimens": []}, "kinetics_specimens"),
        ({"below_lloq": "ignore"}, "below_lloq"),
        (
            {
                "sources": SOURCES
                | {
                    "PC": {
                        "file": "p.csv",
                        "columns": {"PCSPEC": "A"},
                        "constants": {"PCSPEC": "B"},
                    }
                }
            },
            "PCSPEC has a column and a constant",
        ),
    ],
)
def test_a_contradiction_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        StudyDataSettings.model_validate({"root": "raw", "sources": SOURCES} | change)


def test_settings_survive_the_way_through_the_run_folder():
    settings = StudyDataSettings.model_validate({"root": "raw", "sources": SOURCES})
    assert StudyDataSettings.model_validate(settings.model_dump(mode="json")) == settings

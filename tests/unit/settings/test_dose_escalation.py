"""Settings of the dose escalation: what contradicts itself is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from celldossier.settings.dose_escalation import DoseEscalationSettings


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"target": 0.03}, "interval"),
        ({"interval": [0, 0]}, "interval"),
        ({"interval": [-0.1, 0.2]}, "interval"),
        ({"boin_phi1": 0.4}, "boin_phi1"),
        ({"target": 0.75}, "boin_phi2"),
        ({"prior": [0, 1]}, "prior"),
        ({"design": "CRM"}, "design"),
        ({"elimination_cutoff": 0.3}, "elimination_cutoff"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(given, named):
    with pytest.raises(ValidationError, match=named):
        DoseEscalationSettings.model_validate(given)


def test_without_a_design_nothing_is_assumed_of_the_protocol():
    assert DoseEscalationSettings().design is None

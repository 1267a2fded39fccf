"""Simulated designs of a study of two dose levels, few trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pandas as pd

from celldossier.datasets import empty_dataset
from celldossier.dose_exploration.operating_characteristics import summarise_characteristics
from celldossier.dose_exploration.study import Sources, Study
from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings


def characteristics_settings(
    design: str | None = "BOIN", designs: Sequence[str] = ()
) -> DoseExplorationSettings:
    """Settings with one scenario of the study beside the default ones."""
    scenario = {
        "name": {"en": "as in another study", "zh": "同其他研究"},
        "toxicity": [0.1, 0.4],
        "efficacy": [0.5, 0.5],
    }
    return DoseExplorationSettings.model_validate(
        {
            "escalation": {
                "design": design,
                "compared": ["3+3"],
                "dose_order": ["DL1", "DL2"],
            },
            "operating_characteristics": {
                "scenarios": [scenario],
                "trials": 200,
                "designs": list(designs),
            },
        }
    )


def make_characteristics(design: str | None = "BOIN", designs: Sequence[str] = ()) -> pd.DataFrame:
    """Results of the part for a study whose levels are declared."""
    sources = Sources(**{f.name: empty_dataset(f.name.upper()) for f in fields(Sources)})
    out = ResultCollector("dose_exploration")
    settings = characteristics_settings(design, designs)
    assert summarise_characteristics(Study(sources, settings), out) == []
    return out.frame()

"""Drug-naive signals of an antibody assay, and their cut points as the stage gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from antibody_courses import make_adab
from scipy import stats

from celldossier.immunogenicity.cut_points_summary import summarise_cut_points
from celldossier.results import ResultCollector
from celldossier.settings.cut_points import CutPointSettings

NORMAL = stats.norm.ppf((np.arange(1, 41) - 0.5) / 40)
"""40 values that no test tells from a normal distribution."""


def make_signals(tier: str, unit: str, values: Any, **given: Any) -> list[dict[str, Any]]:
    """Baseline signals, a subject each, in two runs."""
    common = {"ISCAT": tier, "AVALC": "VALUE", "AVALU": unit, "AFRLT": -1.0} | given
    return [
        {**common, "USUBJID": f"S{i:03d}", "RUNID": f"R{i % 2}", "AVAL": value}
        for i, value in enumerate(values)
    ]


def add_cut_points(out: ResultCollector, target: str) -> None:
    """Cut points of screening signals; the confirmatory tier has none."""
    records = make_signals(
        "SCREENING", "MFI", np.exp(6 + 0.3 * NORMAL), PARAMCD="ADA", ISBDAGNT=target
    )
    summarise_cut_points(make_adab(records), CutPointSettings(), out)

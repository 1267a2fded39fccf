"""Dose exploration, from the datasets of earlier stages to results and curves.

Each part of `PARTS` adds its analyses to the results and gives its curves (frames after the
dataset CURVES). What a part adds stands at the head of its module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from celldossier.datasets import conform
from celldossier.dose_exploration.accountability import derive_adda, summarise_accountability
from celldossier.dose_exploration.active_dose import summarise_active_dose
from celldossier.dose_exploration.dose_evidence import summarise_dose_evidence
from celldossier.dose_exploration.dose_levels import summarise_levels
from celldossier.dose_exploration.doses import summarise_doses
from celldossier.dose_exploration.escalation import summarise_escalation
from celldossier.dose_exploration.exposure_overlap import summarise_exposures
from celldossier.dose_exploration.level_overview import summarise_overview
from celldossier.dose_exploration.operating_characteristics import summarise_characteristics
from celldossier.dose_exploration.precision import summarise_precision
from celldossier.dose_exploration.prior_studies import summarise_prior_studies
from celldossier.dose_exploration.route_events import summarise_route_events
from celldossier.dose_exploration.starting_dose import summarise_starting_dose
from celldossier.dose_exploration.study import Sources, Study
from celldossier.dose_exploration.subset_dose import summarise_subset_doses
from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dosing import DosingSettings

Part = Callable[[Study, ResultCollector], list[dict[str, object]]]

PARTS: tuple[Part, ...] = (
    summarise_doses,
    summarise_escalation,
    summarise_dose_evidence,
    summarise_starting_dose,
    summarise_active_dose,
    summarise_accountability,
    summarise_levels,
    summarise_exposures,
    summarise_overview,
    summarise_precision,
    summarise_subset_doses,
    summarise_prior_studies,
    summarise_route_events,
    summarise_characteristics,
)
"""What the stage summarises, in this order."""


@dataclass(frozen=True)
class DoseExploration:
    """What the stage hands on."""

    adda: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def explore_doses(
    sources: Sources,
    settings: DoseExplorationSettings,
    dosing: DosingSettings | None = None,
) -> DoseExploration:
    """Run all parts of the dose exploration; `dosing` is `study_data.dosing` of the config."""
    study = Study(sources, settings, dosing or DosingSettings())
    out = ResultCollector("dose_exploration")
    curves = [row for part in PARTS for row in part(study, out)]
    adda = derive_adda(sources, settings.levels.gene_copies)
    return DoseExploration(adda, out.frame(), conform(pd.DataFrame(curves), "CURVES"))

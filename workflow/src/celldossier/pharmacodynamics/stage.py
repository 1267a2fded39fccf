"""Pharmacodynamics, from the datasets of earlier stages to ADPDP, results and curves.

Each part of `PARTS` adds its analyses to the results and gives its curves (frames after the
dataset CURVES). What a part adds stands at the head of its module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from celldossier.datasets import conform
from celldossier.pharmacodynamics.cytopenias import collect_cytopenias
from celldossier.pharmacodynamics.disease_markers import collect_disease_markers
from celldossier.pharmacodynamics.exposure_and_markers import relate_parameters
from celldossier.pharmacodynamics.hysteresis import describe_loops
from celldossier.pharmacodynamics.lagged_correlation import relate_over_time
from celldossier.pharmacodynamics.lymphocyte_subsets import collect_subsets
from celldossier.pharmacodynamics.marker_summaries import summarise_markers
from celldossier.pharmacodynamics.markers_by_dose import describe_doses
from celldossier.pharmacodynamics.markers_by_grade import compare_grades
from celldossier.pharmacodynamics.parameters import derive_adpdp
from celldossier.pharmacodynamics.peak_sequence import order_peaks
from celldossier.pharmacodynamics.study import Sources, Study
from celldossier.pharmacodynamics.target_cells import collect_target_cells
from celldossier.results import ResultCollector
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings

Part = Callable[[Study, ResultCollector], list[dict[str, object]]]

PARTS: tuple[Part, ...] = (
    summarise_markers,
    collect_target_cells,
    collect_subsets,
    collect_cytopenias,
    collect_disease_markers,
    relate_over_time,
    describe_loops,
    order_peaks,
    relate_parameters,
    compare_grades,
    describe_doses,
)
"""What the stage summarises, in this order."""


@dataclass(frozen=True)
class Pharmacodynamics:
    """What the stage hands on."""

    adpdp: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def analyse_pharmacodynamics(
    sources: Sources, settings: PharmacodynamicsSettings
) -> Pharmacodynamics:
    """Derive the parameters of the markers and run all parts."""
    study = Study(sources, settings, derive_adpdp(sources, settings))
    out = ResultCollector("pharmacodynamics")
    curves = [row for part in PARTS for row in part(study, out)]
    return Pharmacodynamics(study.adpdp, out.frame(), conform(pd.DataFrame(curves), "CURVES"))

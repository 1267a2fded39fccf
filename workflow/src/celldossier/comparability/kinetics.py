"""Kinetics of each group side by side; times by the median of all ratios of two subjects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from celldossier.comparability.gate import OPEN, Gate
from celldossier.comparability.study import ASIS, Study, list_approaches
from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.settings.comparability import Margin
from celldossier.stats.shift_ratio import estimate_shift_ratio

WHERE = "PKFL = Y, PROFTYP = COURSE"
POSITIVE = f"{WHERE}, value above 0"


@dataclass(frozen=True)
class Comparison:
    """What one ratio is about.

    Attributes
    ----------
    unit
        Unit of the parameter.
    margin
        Margin of the sponsor, None where none was set.
    """

    approach: str
    analyte: str
    parameter: str
    group: str
    unit: str
    margin: Margin | None


def list_comparisons(
    study: Study, gates: dict[tuple[str, str], Gate], parameters: Sequence[str] = ()
) -> list[Comparison]:
    """Each approach, analyte, parameter and group after the change.

    Bridged concentrations are compared only where the assay differs: elsewhere there is nothing
    to bridge.
    """
    return [
        Comparison(
            approach,
            analyte,
            parameter,
            group,
            study.read_unit(approach, analyte, parameter),
            study.settings.find_margin(parameter, analyte),
        )
        for analyte in study.analytes
        for parameter in parameters or study.settings.metrics
        for group in study.changed
        for approach in list_approaches(study, analyte)
        if approach == ASIS or gates[analyte, group].state != OPEN
    ]


def read_sides(study: Study, one: Comparison) -> tuple[pd.Series, pd.Series]:
    """Values of both groups in the rows of the subjects (else NaN), and 1 for the changed one."""
    values = study.read_parameter(one.approach, one.analyte, one.parameter)
    group = study.subjects["GROUP"]
    test = (group == one.group).astype(float)
    return values.where(group.isin([one.group, study.reference])), test


def summarise_exposure(
    study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector
) -> None:
    """Add `exposure`: each parameter of each group, by approach."""
    for analyte in study.analytes:
        states = {gates[analyte, group].state for group in study.changed}
        for approach in list_approaches(study, analyte):
            if approach != ASIS and states == {OPEN}:
                continue
            for parameter in (*study.settings.metrics, *study.settings.times):
                values = study.read_parameter(approach, analyte, parameter)
                for group in study.groups:
                    own = values[study.subjects["GROUP"] == group]
                    add_block(
                        out,
                        "exposure",
                        own,
                        dataset="ADPP" if approach == ASIS else "ADPPB",
                        variable=parameter,
                        analyte=analyte,
                        by={"approach": approach, "group": group},
                        where=WHERE,
                        unit=study.read_unit(approach, analyte, parameter),
                        extra={"n_zero": float((own == 0).sum())},
                        of_positive=True,
                    )


def summarise_times(study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector) -> None:
    """Add `time_ratio`: parameters that are times, by Hodges and Lehmann."""
    for one in list_comparisons(study, gates, study.settings.times):
        values, test = read_sides(study, one)
        ratio = estimate_shift_ratio(
            values[test == 1], values[test == 0], study.settings.equivalence_level
        )
        few = min(ratio.n_test, ratio.n_reference) < study.settings.min_per_group
        statistics = {
            "n_test": float(ratio.n_test),
            "n_reference": float(ratio.n_reference),
            "ratio": math.nan if few else ratio.ratio,
            "ratio_low": math.nan if few else ratio.low,
            "ratio_high": math.nan if few else ratio.high,
        }
        out.add(
            "time_ratio",
            statistics,
            dataset="ADPP" if one.approach == ASIS else "ADPPB",
            variable=one.parameter,
            analyte=one.analyte,
            by={"approach": one.approach, "group": one.group},
            where=POSITIVE,
            n=float(ratio.n_test + ratio.n_reference),
            method="Hodges-Lehmann on ln, interval by inversion of Mann-Whitney",
            notes=explain_missing(statistics, "FEWSUBJ" if few else ratio.reason or "NOVALUE"),
        )

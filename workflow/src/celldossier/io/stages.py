"""What each stage hands on: the one list that rules, commands, outputs and the report read.

A stage that is not named here hands nothing on (`tlf`, `report`).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class HandedOn:
    """Files of a stage below the folder of a run.

    Attributes
    ----------
    datasets
        Analysis datasets, ``adam/<NAME>.parquet``, in the order in which readers see them.
    curves
        Whether it hands on ``ard/<stage>_curves.parquet`` beside ``ard/<stage>.parquet``.
    """

    datasets: tuple[str, ...]
    curves: bool


STAGES = MappingProxyType(
    {
        "study_data": HandedOn(
            (
                *("ADSL", "ADEX", "ADPC", "ADPD", "ADAB", "ADAE", "ADFA", "ADAESI", "ADRS"),
                *("ADDS", "ADCM", "ADLD", "ADPQ", "ADTTE", "ADRUN", "ADBE", "ADSAMP", "ADBRG"),
            ),
            curves=False,
        ),
        "cellular_kinetics": HandedOn(
            (
                *("ADNCA", "ADPP", "ADLZ", "ADPH", "ADSA", "ADPPX", "ADPAIR"),
                *("ADPERS", "ADTISS", "ADPPB"),
            ),
            curves=True,
        ),
        "pharmacodynamics": HandedOn(("ADPDP",), curves=True),
        "dose_exploration": HandedOn(("ADDA",), curves=True),
        "immunogenicity": HandedOn(("ADIM", "ADIMC"), curves=False),
        "exposure_response": HandedOn(("ADER", "ADEREND"), curves=True),
        "special_considerations": HandedOn((), curves=False),
    }
)
"""Stages with analysis results, in run order, and what each hands on."""

CHECKS = ("findings", "exclusions", "accounting", "decisions")
"""Tables of the checks, ``checks/<name>.csv``, which `study_data` writes."""

DATASETS = tuple(name for stage in STAGES.values() for name in stage.datasets)
"""Analysis datasets of a run."""


def list_results(stage: str) -> list[str]:
    """Files of a stage in the folder ``ard``, without their ending."""
    return [stage, *([f"{stage}_curves"] if STAGES[stage].curves else [])]

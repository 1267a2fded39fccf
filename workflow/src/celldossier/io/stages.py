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
        "comparability": HandedOn((), curves=False),
    }
)
"""Stages with analysis results, in run order, and what each hands on."""


@dataclass(frozen=True)
class Reads:
    """What the results of a stage can follow from, beside its code; a test holds it to the rules.

    Attributes
    ----------
    settings
        Sections of the config.
    datasets
        Analysis datasets of other stages.
    results
        Other stages whose analysis results it reads.
    """

    settings: tuple[str, ...]
    datasets: tuple[str, ...]
    results: tuple[str, ...] = ()


READS = MappingProxyType(
    {
        "study_data": Reads(("study", "bioanalysis", "study_data"), ()),
        "cellular_kinetics": Reads(
            ("cellular_kinetics",),
            ("ADSL", "ADEX", "ADPC", "ADRS", "ADCM", "ADPD", "ADTTE", "ADBRG"),
        ),
        "pharmacodynamics": Reads(
            ("pharmacodynamics",),
            (
                *("ADSL", "ADEX", "ADPC", "ADPP", "ADPD", "ADCM", "ADAE", "ADAESI", "ADRS"),
                "ADTTE",
            ),
        ),
        "dose_exploration": Reads(
            ("dose_exploration", "study_data"),
            (
                *("ADSL", "ADEX", "ADPQ", "ADAE", "ADAESI", "ADRS", "ADPP", "ADPD"),
                "ADPDP",
            ),
        ),
        "immunogenicity": Reads(
            ("study", "bioanalysis", "immunogenicity"),
            (
                *("ADSL", "ADAB", "ADCM", "ADPD", "ADPP", "ADPAIR", "ADTTE", "ADEX", "ADAESI"),
                "ADPC",
            ),
        ),
        "exposure_response": Reads(
            ("exposure_response",),
            (
                *("ADSL", "ADEX", "ADPC", "ADPP", "ADAE", "ADAESI", "ADFA", "ADRS", "ADTTE"),
                *("ADCM", "ADPD", "ADPQ", "ADTISS"),
            ),
        ),
        "special_considerations": Reads(
            ("special_considerations", "cellular_kinetics"),
            (
                *("ADSL", "ADPP", "ADRS", "ADAE", "ADAESI", "ADLD", "ADPC", "ADPD", "ADPQ"),
                "ADCM",
            ),
        ),
        "comparability": Reads(
            ("comparability", "cellular_kinetics"),
            (
                *("ADSL", "ADEX", "ADPQ", "ADPC", "ADPP", "ADPPB", "ADPDP", "ADRS", "ADAE"),
                "ADAESI",
            ),
            # The error of the bridge between two assays.
            results=("cellular_kinetics",),
        ),
    }
)
"""What each stage reads; by it, a difference between two runs is traced to its causes."""

CHECKS = ("findings", "exclusions", "accounting", "decisions")
"""Tables of the checks, ``checks/<name>.csv``, which `study_data` writes."""

DATASETS = tuple(name for stage in STAGES.values() for name in stage.datasets)
"""Analysis datasets of a run."""


def list_results(stage: str) -> list[str]:
    """Files of a stage in the folder ``ard``, without their ending."""
    return [stage, *([f"{stage}_curves"] if STAGES[stage].curves else [])]

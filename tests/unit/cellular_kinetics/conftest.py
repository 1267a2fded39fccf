"""Small profiles, written as pairs of time and result, and their NCA."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pytest

from celldossier.cellular_kinetics.nca import NcaResult, estimate_nca
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

Point = tuple[float, float | str | None]
NO_GATES = {"min_points": 3, "min_r2adj": 0, "min_span": 0}


class Answer(NamedTuple):
    """One parameter."""

    value: float
    unit: str
    flag: str
    reason: str


def make_samples(points: Sequence[Point], lloq: float = 50.0, **columns: Any) -> pd.DataFrame:
    """Samples of one subject; "BLQ" is a result below the limit, None a missing one."""
    frame = pd.DataFrame(
        {
            "USUBJID": "S1",
            "ANALYTE": "PCR",
            "TIME": [float(time) for time, _ in points],
            "CONC": [r if isinstance(r, int | float) else math.nan for _, r in points],
            "BLQ": [1 if r == "BLQ" else 0 for _, r in points],
            "LLOQ": lloq,
        }
    )
    return frame.assign(**columns)


def make_settings(**values: Any) -> CellularKineticsSettings:
    return CellularKineticsSettings.model_validate({"peak_from": 0, **values})


@pytest.fixture
def samples() -> Callable[..., pd.DataFrame]:
    return make_samples


@pytest.fixture
def settings() -> Callable[..., CellularKineticsSettings]:
    return make_settings


@pytest.fixture
def run() -> Callable[..., NcaResult]:
    """NCA of one subject: `run(points, columns={...}, **settings)`."""

    def estimate(points: Sequence[Point], columns: dict | None = None, **values: Any) -> NcaResult:
        samples = make_samples(points, **(columns or {}))
        return estimate_nca(samples, make_settings(**values)).as_text()

    return estimate


@pytest.fixture
def nca(run: Callable[..., NcaResult]) -> Callable[..., dict[str, Answer]]:
    """Parameters of one subject by code, without gates unless `lambda_z` is given."""

    def estimate(
        points: Sequence[Point], columns: dict | None = None, **values: Any
    ) -> dict[str, Answer]:
        result = run(points, columns, **{"lambda_z": NO_GATES, **values})
        rows = result.parameters
        return {
            row.PARAMCD: Answer(row.AVAL, row.AVALU, row.FLAG, row.REASND)
            for row in rows.itertuples()
        }

    return estimate

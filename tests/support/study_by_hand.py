"""A study of exposure-response of a few subjects, written out, and how its results are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats

from celldossier.exposure_response.plan import Selection
from celldossier.exposure_response.study import Study
from celldossier.results import ResultCollector
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings

NAN = math.nan
LENIENT = {"min_events": 1, "min_events_per_parameter": 1, "firth_below": 0, "primary": []}
"""Settings under which the smallest data carry a model, by maximum likelihood."""


def settings(**values: object) -> ExposureResponseSettings:
    """Settings of the section with these values."""
    return ExposureResponseSettings.model_validate(values)


def rule(code: str, kind: str, **values: object) -> EndpointRule:
    """An endpoint with nothing but what is said."""
    return EndpointRule.model_construct(code=code, kind=kind, **values)


def keys(*names: str) -> dict[str, object]:
    """STUDYID and USUBJID of subjects of one study."""
    return {"STUDYID": "S", "USUBJID": list(names)}


def selection(exposure: Sequence[float], event: Sequence[float], **columns: object) -> Selection:
    """Subjects of a model, numbered from 0."""
    index = pd.RangeIndex(len(exposure))
    design = pd.DataFrame(columns, index=index, dtype=float)
    return Selection(
        np.array(event, float), np.array(exposure, float), design, {"n_er": 99.0}, "", index
    )


def make_study(
    exposure: Mapping[str, Sequence[float]],
    outcome: Sequence[float],
    endpoint: EndpointRule,
    rules: ExposureResponseSettings,
    *,
    values: Mapping[str, object] | None = None,
    columns: Mapping[str, object] | None = None,
    units: Mapping[str, str] | None = None,
    **sources: object,
) -> Study:
    """A study with one endpoint; `values` are columns of ADEREND, `columns` of ADER."""
    names = keys(*[f"S{i:03d}" for i in range(len(outcome))])
    ader = pd.DataFrame({**names, "ERFL": "Y", **exposure, **(columns or {})})
    rows = {"AVAL": list(outcome), "REASND": "", "ONSETDY": NAN, **(values or {})}
    aderend = pd.DataFrame({**names, "PARAMCD": endpoint.code, **rows})
    given = SimpleNamespace(**sources)
    return Study(given, rules, (endpoint,), ader, aderend, units or {})  # type: ignore[arg-type]


def read(out: ResultCollector) -> dict[str, pd.Series]:
    """The rows of ARD by the last part of their identifiers, from the analysis on."""
    frame = out.frame()
    return {
        str(row["value_id"]).removeprefix("exposure_response."): row for _, row in frame.iterrows()
    }


def numbers(rows: Mapping[str, pd.Series], place: str, *stats_of: str) -> list[float]:
    """Values of some statistics at one place."""
    return [float(rows[f"{place}/{stat}"]["value"]) for stat in stats_of]


def two_by_two(
    low: tuple[int, int], high: tuple[int, int], least: float = 1.0
) -> tuple[list[float], list[float]]:
    """Exposures `least` and its double, and events: (with, without) of each."""
    exposure = [least] * sum(low) + [2 * least] * sum(high)
    event = [1.0] * low[0] + [0.0] * low[1] + [1.0] * high[0] + [0.0] * high[1]
    return exposure, event


def likelihood_ratio_p(groups: Sequence[tuple[int, int]]) -> float:
    """P of equal rates of two groups of (with, without), by the likelihood ratio."""

    def loglike(with_event: int, without: int, share: float) -> float:
        return with_event * math.log(share) + without * math.log(1 - share)

    whole = np.sum(groups, axis=0)
    apart = sum(loglike(a, b, a / (a + b)) for a, b in groups)
    together = loglike(*whole, whole[0] / whole.sum())
    return float(stats.chi2.sf(2 * (apart - together), 1))

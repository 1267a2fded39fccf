"""Subjects and outcomes in which covariates are examined: binary, or times to an event."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from numpy import bool_, float64
from numpy.typing import NDArray

from celldossier.errors import ConfigError
from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.study import Study
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.stats.survival import estimate_cumulative_hazard

Vector = NDArray[float64]


@dataclass(frozen=True)
class Outcome:
    """The subjects of one endpoint, rows of ADER, and what happened to them."""

    endpoint: EndpointRule
    rows: pd.DataFrame
    event: Vector
    time: Vector | None
    """Days from the origin, for a time to an event."""
    reason: str = ""

    @property
    def events(self) -> int:
        """Subjects with the event."""
        return int(self.event.sum())

    def of(self, kept: NDArray[bool_]) -> Outcome:
        """The outcome of some of the subjects."""
        time = None if self.time is None else self.time[kept]
        return Outcome(self.endpoint, self.rows.loc[kept], self.event[kept], time, self.reason)

    def for_imputation(self) -> list[Vector]:
        """Outcome in an imputation model; a time by event and cumulative hazard.

        References
        ----------
        White IR, Royston P (2009), Stat Med 28:1982-1998.
        """
        if self.time is None:
            return [self.event]
        return [self.event, estimate_cumulative_hazard(self.time, self.event)]


def list_outcomes(study: Study) -> list[EndpointRule]:
    """Endpoints whose covariates are examined."""
    settings = study.settings
    known = {endpoint.code: endpoint for endpoint in study.endpoints}
    wanted = settings.covariate_models.outcome_endpoints
    kinds = ("binary", "time_to_event")
    if not wanted:
        pairs = [pair.endpoint for pair in settings.primary]
        return [known[c] for c in dict.fromkeys(pairs) if c in known and known[c].kind in kinds]
    faults = [
        f"covariate_models.outcome_endpoints names {code}, which is not among the endpoints of "
        "exposure_response, or is neither binary nor a time to an event."
        for code in wanted
        if code not in known or known[code].kind not in kinds
    ]
    if faults:
        raise ConfigError(faults)
    return [known[code] for code in wanted]


def find_metric(endpoint: EndpointRule, settings: ExposureResponseSettings) -> str:
    """Primary metric of an endpoint, else the first of the settings."""
    primary = {pair.endpoint: pair.metric for pair in settings.primary}
    return primary.get(endpoint.code, settings.metrics[0])


def select_outcome(study: Study, endpoint: EndpointRule, with_exposure: bool) -> Outcome:
    """Subjects of the E-R population whose outcome is known.

    With the exposure only those with a positive value of the primary metric; a time to
    an event then counts from the landmark, at which the exposure is known.
    """
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    values = study.values(endpoint).loc[population.index]
    timed = endpoint.kind != "binary"
    if timed:
        event = 1.0 - values["CNSR"]
        known = values["AVAL"].notna() & event.notna()
    else:
        event = derive_event(values, settings.unknown_response[0])
        known = event.notna()
    reason = "" if known.any() else "NOTCOLL"
    if with_exposure:
        known &= population[find_metric(endpoint, settings)] > 0
    time = None
    if timed:
        start = settings.covariate_models.exposure_landmark if with_exposure else 0.0
        known &= values["AVAL"] > start
        time = (values["AVAL"] - start)[known].to_numpy(dtype=float)
    return Outcome(
        endpoint, population.loc[known], event[known].to_numpy(dtype=float), time, reason
    )

"""The data of the stage in one place: what it reads, and what it derives before any model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings

KEY = ["STUDYID", "USUBJID"]


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adex: pd.DataFrame
    adpc: pd.DataFrame
    adpp: pd.DataFrame
    adae: pd.DataFrame
    adaesi: pd.DataFrame
    adfa: pd.DataFrame
    adrs: pd.DataFrame
    adtte: pd.DataFrame
    adcm: pd.DataFrame
    adpd: pd.DataFrame
    adpq: pd.DataFrame
    adtiss: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """What the model families of the stage work on.

    Attributes
    ----------
    ader
        ADER, one row a subject.
    aderend
        ADEREND, one row a subject and endpoint.
    units
        Metric to the unit of its values.
    """

    sources: Sources
    settings: ExposureResponseSettings
    endpoints: tuple[EndpointRule, ...]
    ader: pd.DataFrame
    aderend: pd.DataFrame
    units: Mapping[str, str]

    # Filled one endpoint at a time: a study of a subgroup is made for one model, asks for one.
    @cached_property
    def _by_endpoint(self) -> dict[str, pd.DataFrame]:
        return {}

    def values(self, endpoint: EndpointRule) -> pd.DataFrame:
        """Rows of ADEREND of one endpoint, in the rows (and with the index) of ADER."""
        if self.ader.empty:
            return self.aderend.iloc[:0].set_index(KEY).set_axis(self.ader.index)
        if endpoint.code not in self._by_endpoint:
            part = self.aderend.loc[self.aderend["PARAMCD"] == endpoint.code]
            if part.empty:
                raise KeyError(f"ADEREND has no rows of the endpoint {endpoint.code}")
            rows = pd.MultiIndex.from_frame(self.ader[KEY])
            values = part.set_index(KEY).reindex(rows).set_axis(self.ader.index)
            self._by_endpoint[endpoint.code] = values
        return self._by_endpoint[endpoint.code]

    def of_kind(self, *kinds: str) -> list[EndpointRule]:
        """Endpoints of those kinds, in the order of the settings."""
        return [endpoint for endpoint in self.endpoints if endpoint.kind in kinds]

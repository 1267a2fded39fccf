"""Binary endpoints: read from the terms, made from the variables of ADER."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from celldossier.errors import ConfigError
from celldossier.io.resources import read_resource

UNKNOWN_RESPONSE = "UNKNOWN"
"""Level of ADER.RESPGRP for a subject whose best response is not known."""


class Endpoint(BaseModel):
    """A binary endpoint (resources/terms/endpoints.yaml)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    en: str
    zh: str
    family: str = Field(description="Family of the adjustment for multiplicity.")
    variable: str = Field(description="Variable of ADER.")
    at_least: float = Field(description="Event if the variable is that or more.")
    onset: str = Field("", description="Variable with the day of onset.")


def read_endpoints(codes: Sequence[str]) -> tuple[Endpoint, ...]:
    """The endpoints of those codes, in that order.

    Raises
    ------
    ConfigError
        If a code is not among the known endpoints.
    """
    known = read_resource("terms", "endpoints.yaml")
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise ConfigError(
            [
                f"The endpoint {code} of exposure_response is not known; known endpoints are "
                f"{', '.join(sorted(known))}."
                for code in unknown
            ]
        )
    return tuple(Endpoint.model_validate({"code": code, **known[code]}) for code in codes)


def derive_event(ader: pd.DataFrame, endpoint: Endpoint, unknown: str = "EXCLUDED") -> pd.Series:
    """Event of each subject: 1, 0, or NaN where it is not known.

    Parameters
    ----------
    ader
        Dataset ADER.
    endpoint
        The endpoint.
    unknown
        ``NONRESPONDER``: an unknown best response counts as none (it concerns the
        endpoint OBJRESP only); ``EXCLUDED``: it stays missing.
    """
    value = ader[endpoint.variable]
    event = (value >= endpoint.at_least).astype(float).where(value.notna(), math.nan)
    if endpoint.variable == "OBJRESP" and unknown == "NONRESPONDER":
        event = event.mask(ader["RESPGRP"] == UNKNOWN_RESPONSE, 0.0)
    return event

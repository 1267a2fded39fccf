"""Endpoints of a run: the rules of the terms and of the study, by code."""

from __future__ import annotations

from celldossier.errors import ConfigError
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.terms.endpoints import known_endpoints


def read_endpoints(settings: ExposureResponseSettings) -> tuple[EndpointRule, ...]:
    """The endpoints that the settings name, in that order.

    Raises
    ------
    ConfigError
        If a code is not among the known endpoints.
    """
    known = known_endpoints(settings.model_dump(mode="json"))
    unknown = [code for code in settings.endpoints if code not in known]
    if unknown:
        raise ConfigError(
            [
                f"The endpoint {code} of exposure_response is not known; known endpoints are "
                f"{', '.join(sorted(known))}. Others are declared in custom_endpoints."
                for code in unknown
            ]
        )
    return tuple(
        EndpointRule.model_validate({"code": code, **known[code]}) for code in settings.endpoints
    )

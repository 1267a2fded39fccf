"""Names of the endpoints: those of the terms, and those that a study adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celldossier.io.resources import read_resource


def known_endpoints(exposure_response: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Rule and names of each endpoint by code, the study's own after the others.

    Parameters
    ----------
    exposure_response
        Section `exposure_response` of the settings, as written to the run.
    """
    known: dict[str, dict[str, Any]] = dict(read_resource("terms", "endpoints.yaml"))
    for own in exposure_response.get("custom_endpoints", ()):
        known[own["code"]] = {key: value for key, value in own.items() if key != "code"}
    return known

"""Part `route_events` of the section `dose_exploration`: adverse events of the route."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section


class RouteEventSettings(Section):
    """Adverse events that belong to the route of administration."""

    terms: dict[Code, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "Event of resources/terms/route_events.yaml: terms (AEDECOD) in place of the shipped "
            "ones, in any case of letters."
        ),
    )
    window: float = Field(
        7, ge=0, description="Events that begin so long after an infusion are counted apart, days."
    )
    parameters: tuple[str, ...] = Field(
        ("CMAX", "TMAX", "AUC28"),
        description="Kinetic parameters (ADPP) by route, where there are several routes.",
    )

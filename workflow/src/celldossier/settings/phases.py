"""Part `cellular_kinetics.phases`: how the phases of a profile are told apart."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Section


class PhaseRules(Section):
    """How distribution, expansion, contraction and persistence are told apart."""

    min_points: int = Field(
        4, ge=3, description="Least number of quantifiable samples after the dose of a profile."
    )
    distribution_until: float = Field(
        7,
        ge=0,
        description="A fall that ends later than this (days) is no distribution phase.",
    )
    error_sd: float = Field(
        0.2,
        gt=0,
        description=(
            "Least residual SD of ln concentration that a choice between patterns assumes; about "
            "the CV of the assay. A larger value asks for clearer phases."
        ),
    )
    max_residual_sd: float = Field(
        1.0,
        gt=0,
        description=(
            "Residual SD of ln concentration above which no sequence of phases is said to fit a "
            "profile."
        ),
    )

"""Part `study_data.efficacy`: response categories and their order."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from celldossier.settings.base import Section

RESPONSE_ORDER = (
    # complete
    *("sCR", "CR", "CMR", "CRi", "CRh"),
    # partial
    *("VGPR", "PR", "PMR", "MR"),
    # none
    *("SD", "NMR", "NR", "PD", "PMD", "RELAPSE"),
)
"""Default order of the response categories of Lugano, ALL, IMWG and RECIST, best first."""


class EfficacySettings(Section):
    """Response categories, their order and what counts as a response."""

    response_tests: tuple[str, ...] = Field(
        ("OVRLRESP",), min_length=1, description="RSTESTCD of the overall response."
    )
    response_order: tuple[str, ...] = Field(
        RESPONSE_ORDER,
        min_length=1,
        description="Response categories from the best to the worst; for the best response.",
    )
    responder_categories: tuple[str, ...] = Field(
        ("sCR", "CR", "CMR", "CRi", "CRh", "VGPR", "PR", "PMR"),
        min_length=1,
        description="Categories that count as objective response.",
    )
    unknown_response_categories: tuple[str, ...] = Field(
        ("NE", "UNKNOWN"),
        description="Categories that say nothing on the response: neither responder nor not.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unordered = [c for c in self.responder_categories if c not in self.response_order]
        if unordered:
            raise ValueError(
                f"the responder categories {', '.join(unordered)} are not in response_order"
            )
        both = [c for c in self.unknown_response_categories if c in self.response_order]
        if both:
            raise ValueError(
                f"{', '.join(both)} is in response_order and in unknown_response_categories"
            )
        return self

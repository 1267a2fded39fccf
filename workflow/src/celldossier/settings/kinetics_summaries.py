"""Which groups the kinetics are summarised in, and with which of them the others are compared."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from celldossier.settings.base import Section

Grouping = Literal[
    "dose",
    "study",
    "indication",
    "process",
    "response",
    "age",
    "region",
    "hepatic",
    "renal",
]
"""Grouping variables: dose level, study (pooled beside), indication, manufacturing process of the
lot given, best response, age group, region (Chinese and other), hepatic and renal function."""

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)


class KineticsSummaries(Section):
    """Groups in which concentrations and parameters of the cells are summarised."""

    groupings: tuple[Grouping, ...] = Field(
        GROUPINGS,
        description=(
            "Groups in which parameters are summarised: dose (level), study, indication, process "
            "(of manufacture, of the lot given), response (best), age, region, hepatic and renal "
            "(function at baseline). One that was not collected is named as such."
        ),
    )
    age_bands: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        (18, 65),
        description=(
            "Ages, in years, at which a band of the grouping `age` begins: [18, 65] gives <18, "
            "18-64 and >=65."
        ),
    )
    reference_levels: dict[Grouping, str] = Field(
        {},
        description=(
            "Level with which the other levels of a grouping are compared; the largest group "
            "where none is named. Responders are compared with non-responders in any case."
        ),
    )

    @field_validator("groupings")
    @classmethod
    def _named_once(cls, groupings: tuple[Grouping, ...]) -> tuple[Grouping, ...]:
        if len(set(groupings)) < len(groupings):
            raise ValueError("a grouping is named twice")
        return groupings

    @field_validator("age_bands")
    @classmethod
    def _ascending(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if not bands:
            raise ValueError("at least one age is needed, such as [18]")
        if any(first >= second for first, second in pairwise(bands)):
            raise ValueError("the ages do not ascend")
        return bands

    @field_validator("reference_levels")
    @classmethod
    def _not_of_response(cls, levels: dict[Grouping, str]) -> dict[Grouping, str]:
        if "response" in levels:
            raise ValueError("responders are compared with non-responders; name no other reference")
        return levels

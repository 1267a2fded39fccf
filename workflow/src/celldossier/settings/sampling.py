"""Part `cellular_kinetics.sampling`: the planned samples, and when a profile is sampled enough."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from celldossier.settings.base import Code, Section

SamplingEnd = Literal["PROGRESSION", "NEW_THERAPY", "REINFUSION"]
"""Events that end the planned sampling, beside death and the end of observation."""


class PlannedSamples(Section):
    """Times at which the protocol asks for samples of cellular kinetics."""

    days: tuple[float, ...] = Field(
        min_length=1, description="Planned times, days from `origin`; 0 is the pre-dose sample."
    )
    origin: Literal["first_infusion", "dose"] = Field(
        "first_infusion",
        description=(
            "What the days count from. dose: each planned dose that the subject was given, so "
            "that the samples of a dose that was not given are not planned."
        ),
    )
    doses: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (), description="Numbers of the doses (origin: dose); all where blank."
    )
    study: str = Field("", description="STUDYID that the plan holds for; all where blank.")
    analytes: tuple[Code, ...] = Field(
        (), description="Analytes that the plan holds for; all where blank."
    )

    @field_validator("days")
    @classmethod
    def _rising(cls, days: tuple[float, ...]) -> tuple[float, ...]:
        if list(days) != sorted(set(days)):
            raise ValueError("the planned days do not rise")
        return days


class SamplingRules(Section):
    """The plan of the kinetics samples, and what an adequately sampled profile has."""

    schedule: tuple[PlannedSamples, ...] = Field(
        (),
        description=(
            "Planned samples of the protocol. Blank: what was planned is not known, and only the "
            "samples that exist are described."
        ),
    )
    ends: tuple[SamplingEnd, ...] = Field(
        ("NEW_THERAPY", "REINFUSION"),
        description=(
            "Events from which on the protocol asks for no further samples: new therapy, an "
            "infusion that was not planned, progression or relapse. Death and the last day on "
            "which the subject was seen always end the plan."
        ),
    )
    early_until: float = Field(
        3, gt=0, description="End of the time in which the distribution is to be sampled, days."
    )
    early_samples: int = Field(
        2, ge=1, description="Least number of results after the dose up to `early_until`."
    )
    peak_window: float = Field(
        4, gt=0, description="A result must lie within so many days on each side of Tmax."
    )
    count_until: float = Field(
        28, gt=0, description="End of the time in which results are counted, days."
    )
    count: int = Field(
        4, ge=1, description="Least number of results after the dose up to `count_until`."
    )
    terminal_points: int = Field(
        3, ge=2, description="Least number of quantifiable results after Tmax."
    )
    terminal_span: float = Field(
        2,
        ge=0,
        description="Least span of the terminal regression before its gates, in half-lives.",
    )
    group_window: float = Field(
        2,
        gt=0,
        description="Largest distance of a group's median Tmax from a nominal sampling time, days.",
    )
    missed_share: float = Field(
        10, ge=0, le=100, description="Largest share of planned samples that may be missing, %."
    )

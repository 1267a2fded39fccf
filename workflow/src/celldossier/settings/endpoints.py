"""An endpoint of the exposure-response analyses: the rule that makes a subject's value."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

EndpointKind = Literal["binary", "ordinal", "count", "time_to_event", "continuous", "repeated"]

SOURCES = ("variable", "response", "event", "resolution", "time", "days", "marker")
KINDS: dict[str, tuple[EndpointKind, ...]] = {
    "variable": ("binary", "ordinal"),
    "response": ("binary",),
    "event": ("binary", "ordinal", "count"),
    "resolution": ("time_to_event",),
    "time": ("time_to_event",),
    "days": ("count",),
    "marker": ("continuous", "repeated"),
}
"""Kinds of endpoint that each source can give."""


class EndpointRule(Section):
    """What an endpoint is, and from which data it is made."""

    code: Code = Field(description="Code of the endpoint.")
    en: str = Field(min_length=1, description="English name.")
    zh: str = Field(min_length=1, description="Chinese name.")
    family: Code = Field(
        description="Family of the adjustment for multiplicity, such as EFFICACY or SAFETY."
    )
    kind: EndpointKind = Field(
        description=(
            "binary: event or not; ordinal: a grade; count: a number of events; time_to_event: "
            "days to an event or to censoring; continuous: a value; repeated: all values of a "
            "marker after the infusion."
        )
    )
    variable: str = Field("", description="Source: a numeric variable of ADER.")
    response: str = Field("", description="Source: a parameter of ADRS, such as CR or RSPM3.")
    levels: tuple[str, ...] = Field(
        (), description="Results (AVALC) of `response` that are the event."
    )
    event: str = Field("", description="Source: an event of special interest (ADAESI).")
    resolution: str = Field(
        "",
        description=(
            "Source: an event of special interest; days from the start to the end of its worst "
            "episode, among subjects that had it."
        ),
    )
    time: str = Field("", description="Source: an endpoint of ADTTE, such as PFS.")
    days: str = Field(
        "",
        description=(
            "Source: an event of special interest; number of days with it, all episodes together, "
            "0 without it."
        ),
    )
    marker: str = Field("", description="Source: a pharmacodynamic marker (ADPD.PARAMCD).")
    specimen: str = Field(
        "",
        description=(
            "Specimen of the marker (ADPD.ASPEC); blank: that of most of its samples, since "
            "values of two specimens are two quantities."
        ),
    )
    statistic: Literal["", "PEAK", "FOLD", "NADIR"] = Field(
        "",
        description=(
            "Of a marker, kind continuous. PEAK: highest value; FOLD: highest value over the "
            "baseline; NADIR: lowest value."
        ),
    )
    until: float = Field(
        28, gt=0, description="Values of `marker` after the infusion until then count, days."
    )
    not_after: str = Field(
        "",
        description=(
            "Class of a medication (ADCM.CMCLASS); values of `marker` after its first dose do not "
            "count in the primary analysis, and do in a sensitivity analysis."
        ),
    )
    at_least: float | None = Field(
        None,
        description="Event if the value of `variable`, or the grade of `event`, is that or more.",
    )
    observed_until: float = Field(
        0,
        ge=0,
        description=(
            "A subject without the event counts only if observed until then, days from the first "
            "infusion. Of a count of `event`: events that begin until then count, over the "
            "follow-up until then."
        ),
    )
    onset: str = Field(
        "",
        description=(
            "Variable of ADER with the day of onset; given for events that may begin before the "
            "peak, which then have landmark analyses."
        ),
    )
    unknown_response: bool = Field(
        False,
        description=(
            "Whether a missing value is an unknown response, which counts as the key "
            "`unknown_response` of the section says."
        ),
    )

    @property
    def source(self) -> str:
        """Which of the sources is given."""
        return next(name for name in SOURCES if getattr(self, name))

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"the endpoint {self.code} needs exactly one of {', '.join(SOURCES)}; it has "
                f"{', '.join(given) or 'none'}"
            )
        if self.kind not in KINDS[given[0]]:
            raise ValueError(
                f"the endpoint {self.code} of the kind {self.kind} cannot be made from "
                f"`{given[0]}`, which gives {' or '.join(KINDS[given[0]])}"
            )
        if self.kind == "binary" and given[0] != "response" and self.at_least is None:
            raise ValueError(f"the binary endpoint {self.code} needs `at_least`")
        if (self.kind == "continuous") != bool(self.statistic):
            raise ValueError(
                f"the endpoint {self.code} needs `statistic` if, and only if, it is continuous"
            )
        if given[0] == "response" and not self.levels:
            raise ValueError(f"the endpoint {self.code} needs `levels`, the results that count")
        return self

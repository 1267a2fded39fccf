"""Part `study_data.time`: how dates become days."""

from __future__ import annotations

from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from celldossier.settings.base import Section

DayConvention = Literal["sdtm", "day_zero", "day_one"]
"""How days of a plan are counted; see `TimeSettings.visit_day_convention`."""


class SamplingWindow(Section):
    """How far a sample may lie from its nominal time."""

    day: float = Field(description="Nominal time, days from the first infusion.")
    until: float | None = Field(
        None,
        description="Last nominal time that the window holds for, days; `day` alone where blank.",
    )
    early: float = Field(ge=0, description="How much earlier the sample may be, in `unit`.")
    late: float = Field(ge=0, description="How much later the sample may be, in `unit`.")
    unit: Literal["days", "hours", "percent"] = Field(
        "days",
        description="Unit of `early` and `late`; percent is of the nominal time.",
    )

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.until is not None and self.until < self.day:
            raise ValueError(f"windows: until {self.until:g} lies before day {self.day:g}")
        return self


class PartialDates(Section):
    """What becomes of dates of which only the year, or year and month, are known.

    Dates of samples, assessments and doses are never completed.
    """

    event_start: Literal["first", "none"] = Field(
        "first",
        description=(
            "Start of an adverse event. first: the first possible day, but the day of the first "
            "infusion where that is possible too and the event had not ended before, so that an "
            "event that may be treatment-emergent counts as such. none: left empty."
        ),
    )
    event_end: Literal["last", "none"] = Field(
        "last",
        description=(
            "End of an adverse event. last: the last possible day, but not after death and the "
            "data cut-off, so that no event is shortened. none: left empty."
        ),
    )
    medication_start: Literal["first", "none"] = Field(
        "first",
        description=(
            "Start of a medication. first: as for events, so that a medication that may have been "
            "given after the infusion counts as concomitant. none: left empty."
        ),
    )
    medication_end: Literal["last", "none"] = Field(
        "last", description="End of a medication: as for events."
    )
    death: Literal["first", "none"] = Field(
        "first",
        description=(
            "Death. first: the first possible day, but not before the last day on which another "
            "record of the subject shows it alive, so that survival is not prolonged. none: left "
            "empty."
        ),
    )
    disposition: Literal["first", "none"] = Field(
        "first",
        description=(
            "End of participation and last contact. first: the first possible day, so that "
            "follow-up is not prolonged. none: left empty."
        ),
    )


class TimeSettings(Section):
    """How dates become days, and what the data cut-off does."""

    cutoff: Literal["exclude", "keep"] = Field(
        "exclude",
        description=(
            "What `study.data_cutoff` does, by one rule for every domain. exclude: a record that "
            "starts after that day is not used (reason AFTERCUTOFF), and a later date in a record "
            "that is used (end of an event, death) is not yet known: the event is ongoing, the "
            "subject alive. keep: such records are used, with a warning."
        ),
    )
    earliest_year: int = Field(
        1950,
        ge=1900,
        description="An earlier year in any date is taken for a typing error, calendar year.",
    )
    years_after_cutoff: float = Field(
        2,
        ge=0,
        le=100,
        description=(
            "A date later than so many years after the data cut-off is taken for a typing error, "
            "years."
        ),
    )
    time_zone: str = Field(
        "",
        description=(
            "IANA time zone of the study, for instance Asia/Shanghai. Times with an offset from "
            "UTC are brought to its clock, and days that passed are right where the clock was "
            "changed. Blank: all times are local, and an offset is an error."
        ),
    )
    site_time_zones: dict[str, str] = Field(
        default_factory=dict,
        description="SITEID: IANA time zone, for sites in another zone than the study's.",
    )
    visit_day_convention: DayConvention = Field(
        "sdtm",
        description=(
            "How VISITDY is counted. sdtm: day 1 is the day of the first infusion and day -1 the "
            "day before, there is no day 0; day_zero: day 0 is the day of the first infusion; "
            "day_one: day 1 is, and day 0 the day before. A source may differ."
        ),
    )
    time_point_day_convention: DayConvention = Field(
        "day_zero",
        description=(
            "How --TPTNUM is counted where its unit is days; as above. Hours and minutes always "
            "count from the infusion."
        ),
    )
    predose_window: float = Field(
        1,
        ge=0,
        description=(
            "A sample at most so long before a later infusion is its pre-dose sample, days; where "
            "the sample has a nominal time, that must be the infusion's."
        ),
    )
    windows: tuple[SamplingWindow, ...] = Field(
        (),
        description=(
            "Sampling windows of the protocol; a sample outside is used and flagged (WINFL), with "
            "a warning."
        ),
    )
    partial_dates: PartialDates = Field(
        default_factory=PartialDates,
        description="Completion of partial dates, by kind; flagged ASTDTF, AENDTF, DTHDTF.",
    )

    @model_validator(mode="after")
    def _zones_exist(self) -> Self:
        for name in (self.time_zone, *self.site_time_zones.values()):
            try:
                ZoneInfo(name or "UTC")
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(
                    f"{name!r} is no IANA time zone such as Asia/Shanghai or Europe/Berlin"
                ) from error
        return self

"""Where a raw domain comes from, and what its columns and values mean."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from celldossier.settings.base import Code, Section
from celldossier.settings.study_time import DayConvention

DomainName = Literal[
    "DM", "EX", "PC", "LB", "QS", "MO", "MI", "IS", "AE", "FA", "RS", "DS", "CM", "LOTS"
]
DOMAINS: tuple[DomainName, ...] = (
    *("DM", "EX", "PC", "LB", "QS", "MO", "MI", "IS", "AE", "FA", "RS", "DS", "CM", "LOTS"),
)
"""Raw domains, in the order in which they are read."""

Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class Source(Section):
    """The file of one raw domain, and what its columns and values mean."""

    file: str = Field(
        description="File below `root`: .csv, .tsv, .xlsx, .xpt (version 5), .sas7bdat, .parquet.",
        min_length=1,
    )
    sheet: str = Field("", description="Sheet of an .xlsx file; the first one where blank.")
    columns: dict[Code, str] = Field(
        default_factory=dict,
        description=(
            "Canonical variable: raw column, for columns that have another name. A column that "
            "has the canonical name needs no entry."
        ),
    )
    values: dict[Code, dict[Text, Text]] = Field(
        default_factory=dict, description="Canonical variable: {raw value: canonical value}."
    )
    constants: dict[Code, str] = Field(
        default_factory=dict,
        description="Canonical variable: value of all records, where the file has no such column.",
    )
    keep: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "Canonical variable (after mapping) or raw column: values of the records to be used; "
            "the others are listed as excluded with reason NOTSELECTED."
        ),
    )
    units: dict[Text, Text] = Field(
        default_factory=dict,
        description=(
            "Raw unit: unit as in resources/terms/units.yaml; for spellings that the list lacks."
        ),
    )
    nominal_time_unit: Literal["days", "hours", "minutes"] = Field(
        "days", description="Unit of the nominal time (--TPTNUM)."
    )
    nominal_time_reference: Literal["first_dose", "current_dose"] = Field(
        "first_dose",
        description=(
            "What --TPTNUM counts from: the first infusion, or the infusion that the sample "
            "belongs to."
        ),
    )
    visit_day_convention: DayConvention | None = Field(
        None, description="As `study_data.time.visit_day_convention`; blank: that of the study."
    )
    time_point_day_convention: DayConvention | None = Field(
        None,
        description="As `study_data.time.time_point_day_convention`; blank: that of the study.",
    )

    @model_validator(mode="after")
    def _mapped_once(self) -> Self:
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            raise ValueError(f"{', '.join(twice)} has a column and a constant; only one can hold")
        return self

"""Where a raw domain comes from, and what its columns and values mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from celldossier.io.resources import list_resources, read_resource
from celldossier.settings.base import Code, Section
from celldossier.settings.study_time import DayConvention

DomainName = Literal[
    "DM",
    "EX",
    "PC",
    "LB",
    "QS",
    "MO",
    "MI",
    "TR",
    "IS",
    "AE",
    "FA",
    "RS",
    "DS",
    "CM",
    "LOTS",
    "BE",
    "RUNS",
]
DOMAINS: tuple[DomainName, ...] = (
    *("DM", "EX", "PC", "LB", "QS", "MO", "MI", "TR", "IS", "AE", "FA", "RS", "DS", "CM", "LOTS"),
    *("BE", "RUNS"),
)
"""Raw domains, in the order in which they are read."""

DOMAINS_OF = {"CK": ("PC",), "PD": ("LB", "QS", "MO", "MI", "TR"), "ADA": ("IS",)}
"""Raw domains that hold the results of each kind of assay."""

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
RawText = Annotated[str, StringConstraints(min_length=1)]

Encoding = Literal["auto", "utf-8", "utf-16", "gb18030", "big5", "cp1252", "latin-1"]
Delimiter = Literal["auto", ",", ";", "tab", "|"]

DATE_WORDS = ("excel", "excel-1904", "sas-date", "sas-datetime", "without-zone")
"""Forms of a date that are no pattern: serial days of a workbook, of SAS, ISO 8601 with a zone."""
_DIRECTIVES = frozenset("YymdbBHMSjpI%")


def read_standard(name: str) -> dict[str, Any]:
    """Content of a file of ``resources/standards``; empty for a blank name."""
    content: dict[str, Any] = read_resource("standards", f"{name}.yaml") if name else {}
    return content


def _check_date_form(form: str) -> str:
    if form in DATE_WORDS:
        return form
    directives = [form[i + 1 : i + 2] for i, sign in enumerate(form) if sign == "%"]
    if not set(directives) <= _DIRECTIVES or not {"Y", "y"} & set(directives):
        raise ValueError(
            "is no form of a date: give one of "
            f"{', '.join(DATE_WORDS)}, or a pattern with %Y or %y, such as %d/%m/%Y or %d%b%Y:%H:%M"
        )
    return form


def _spread_forms(value: Any) -> Any:
    """A list of forms stands for all date variables."""
    if isinstance(value, str):
        return {"ALL": [value]}
    if isinstance(value, list | tuple):
        return {"ALL": value}
    if isinstance(value, dict):
        return {key: [own] if isinstance(own, str) else own for key, own in value.items()}
    return value


DateForm = Annotated[str, AfterValidator(_check_date_form)]
DateForms = Annotated[
    dict[Code, tuple[DateForm, ...]],
    BeforeValidator(
        _spread_forms,
        json_schema_input_type=str | tuple[str, ...] | dict[str, str | tuple[str, ...]],
    ),
]


class SubjectIds(Section):
    """How a file's subject identifiers become those of the study."""

    strip: tuple[RawText, ...] = Field(
        (), description="Texts that are taken off the front of an identifier; the first that fits."
    )
    prefix: str = Field("", description="Text put before each identifier that lacks it.")
    case: Literal["as_is", "upper", "lower"] = Field(
        "as_is", description="Case of letters of the identifiers; as_is changes nothing."
    )
    spaces: Literal["as_is", "remove", "hyphen"] = Field(
        "as_is", description="What becomes of spaces inside an identifier; those around it go."
    )


class LongLayout(Section):
    """A file with one column a test or day: each of them becomes records of its own."""

    value: str = Field(
        description="Variable (or raw column, for `keep`) that takes the cell of the wide column.",
        min_length=1,
    )
    columns: dict[str, dict[Code, str]] = Field(
        description="Wide column: {canonical variable: value} of the records that come from it.",
        min_length=1,
    )


class RelativeTime(Section):
    """A column that counts from the first infusion, in place of a date."""

    column: str = Field(description="Raw column with the day or time.", min_length=1)
    unit: Literal["day", "days", "hours", "minutes"] = Field(
        "day",
        description=(
            "`day`: calendar day counted from that of the first infusion; `days`, `hours`, "
            "`minutes`: exact time since its start."
        ),
    )
    day_of_infusion: Literal[0, 1] = Field(
        0, description="Number of the day of infusion, for `day`; with 1 there is no day 0."
    )


class Source(Section):
    """One file of a raw domain, and what its columns and values mean."""

    file: str = Field(
        description="File below `root`: .csv, .tsv, .xlsx, .xpt (version 5), .sas7bdat, .parquet.",
        min_length=1,
    )
    sheet: str = Field("", description="Sheet of an .xlsx file; the first one where blank.")
    study: str = Field(
        "", description="STUDYID of the records for which the file gives none; an id of trials."
    )
    standard: str = Field(
        "",
        description=(
            "Layout of an analysis dataset that the sponsor already has, a file of "
            "resources/standards: ADSL, ADPC, ADNCA, ADAE, ADLB, ADEX, ADCM. It fills what is not "
            "mapped here."
        ),
        pattern=r"^[A-Z0-9]{0,20}$",
    )
    encoding: Encoding = Field(
        "auto",
        description="Encoding of a text file; auto takes UTF-8 only (with or without BOM).",
    )
    delimiter: Delimiter = Field(
        "auto",
        description="Sign between the cells of a text file; auto: a tab for .tsv, else a comma.",
    )
    header_row: int = Field(
        1, description="Line (row of a sheet) that holds the names of the columns.", ge=1
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal sign of the numbers.")
    thousands: Literal["", ",", ".", " ", "'"] = Field(
        "", description="Sign between groups of three digits; blank: none is allowed."
    )
    dates: DateForms = Field(
        default_factory=dict,
        description=(
            "Forms of dates that are not ISO 8601, for all date variables (a list) or by variable; "
            f"a pattern such as %d/%m/%Y, or {', '.join(DATE_WORDS)}. A date that two of the forms "
            "read as different days is an error, never a guess."
        ),
    )
    columns: dict[Code, str] = Field(
        default_factory=dict,
        description=(
            "Canonical variable: raw column, for columns that have another name. A column that "
            "has the canonical name needs no entry. Names in braces are put together from several "
            "columns: '{SITE}-{SUBJECT}'."
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
    distinct: tuple[str, ...] = Field(
        (),
        description=(
            "Canonical variables: the first record of each combination is used, the others are "
            "excluded with reason NOTDISTINCT (one record a subject from a daily file)."
        ),
    )
    subject_ids: SubjectIds = Field(
        default_factory=SubjectIds, description="How the file's USUBJID becomes the study's."
    )
    long: LongLayout | None = Field(
        None,
        description=(
            "For a file with one column a test: a record is then one cell, the row and the wide "
            "column together."
        ),
    )
    relative_time: dict[Code, RelativeTime] = Field(
        default_factory=dict,
        description=(
            "Date variable: column that counts from the first infusion, where the file has no "
            "dates; the date is built from the subject's first infusion, or from `anchor_date`."
        ),
    )
    supplement: tuple[RawText, ...] = Field(
        (),
        description=(
            "Supplemental qualifiers (SUPP--) of the file, joined by RDOMAIN, USUBJID, IDVAR and "
            "IDVARVAL; each QNAM becomes a column."
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

    @model_validator(mode="before")
    @classmethod
    def _known_standard(cls, values: Any) -> Any:
        name = values.get("standard") if isinstance(values, dict) else None
        if not isinstance(name, str) or not name:
            return values
        known = sorted(path.stem for path in list_resources("standards"))
        if name not in known:
            raise ValueError(f"standard {name} is none of {', '.join(known)}")
        unit = read_standard(name).get("nominal_time_unit", "days")
        return {"nominal_time_unit": unit, **values}

    @model_validator(mode="after")
    def _mapped_once(self) -> Self:
        places = {
            "column": set(self.columns),
            "constant": set(self.constants),
            "relative time": set(self.relative_time),
        }
        for first, second in (
            ("column", "constant"),
            ("column", "relative time"),
            ("constant", "relative time"),
        ):
            twice = sorted(places[first] & places[second])
            if twice:
                raise ValueError(
                    f"{', '.join(twice)} has a {first} and a {second}; only one can hold"
                )
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign; only one can hold")
        return self


def _count_sources(value: Any) -> str:
    return "function-many" if isinstance(value, list | tuple) else "function-one"


def _as_tuple(value: Source | tuple[Source, ...]) -> tuple[Source, ...]:
    return value if isinstance(value, tuple) else (value,)


if TYPE_CHECKING:
    Sources = tuple[Source, ...]
else:
    # Names of validators that begin with "function-" are left out of the place of a fault.
    Sources = Annotated[
        Annotated[Source, Tag("function-one")]
        | Annotated[tuple[Source, ...], Tag("function-many"), Field(min_length=1)],
        Discriminator(_count_sources),
        AfterValidator(_as_tuple),
    ]
"""One file of a domain, or several: of several transfers, or of several studies that are pooled."""

"""Part `study_data.safety`: events of special interest, how they are graded and counted."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Range, Section

GradingScale = Literal[
    "", "ASTCT 2019", "LEE 2014", "PENN", "CARTOX", "MSKCC", "CTCAE 3", "CTCAE 4", "CTCAE 5"
]
"""Scales of CRS and ICANS; as in resources/terms/grading_scales.yaml."""


class CytopeniaLimit(Section):
    """The limit below which a count of blood cells is of grade 3 or worse."""

    below: float = Field(gt=0, description="Values below this are of grade 3 or worse, in `unit`.")
    unit: str = Field(description="Unit, as in resources/terms/units.yaml.", min_length=1)


class SafetySettings(Section):
    """Events of special interest, how they are graded and counted."""

    events_of_special_interest: dict[Code, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "Event: preferred terms (AEDECOD), in any case of letters, which take the place of "
            "those in resources/terms/special_interest.yaml. An empty list turns the event off; an "
            "event of another code is added. Events that are not named keep the terms of that file."
        ),
    )
    infection_minimum_grade: int = Field(
        3,
        ge=1,
        le=5,
        description=(
            "Lowest grade of an infection that counts; infections of lower grades are common "
            "after lymphodepletion."
        ),
    )
    cytopenia_minimum_grade: int = Field(
        3, ge=1, le=5, description="Lowest grade of a prolonged cytopenia that counts."
    )
    cytopenia_after_day: float = Field(
        28,
        ge=0,
        description=(
            "A cytopenia is prolonged where it is present after that day, days from the first "
            "infusion; 28 is the end of the usual window of acute toxicity, protocols also use 30."
        ),
    )
    cytopenia_limits: dict[Code, CytopeniaLimit] = Field(
        default_factory=lambda: {
            "ANC": CytopeniaLimit(below=1.0, unit="10^9/L"),
            "NEUT": CytopeniaLimit(below=1.0, unit="10^9/L"),
            "PLAT": CytopeniaLimit(below=50, unit="10^9/L"),
            "HGB": CytopeniaLimit(below=80, unit="g/L"),
        },
        description=(
            "Analyte of `bioanalysis.assays`: grade 3 limit of CTCAE 5.0, for cytopenia from "
            "laboratory values (ADPD). Empty: adverse events only."
        ),
    )
    grading_scale: GradingScale = Field(
        "",
        description=(
            "The scale of CRS and ICANS that analyses use; grades of other scales are left empty "
            "(reason LEGACYSCALE). Blank: ASTCT 2019, and a study with several scales is an error."
        ),
    )
    episode_gap_days: int = Field(
        0,
        ge=0,
        le=365,
        description=(
            "Records of one event with at most so many days between them are one episode, days. "
            "0: ASTCT 2019 ends an event when all its signs have gone, so that one whole day "
            "without ends the episode."
        ),
    )
    dlt_window: float = Field(
        28,
        gt=0,
        description="Dose-limiting toxicities start within so many days from the first infusion.",
    )
    plausible_temperature: Range = Field(
        (33, 43), description="Plausible body temperature, degrees Celsius; outside: warning."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.plausible_temperature
        if not low < high:
            raise ValueError(f"plausible_temperature: {low:g} is not below {high:g}")
        return self

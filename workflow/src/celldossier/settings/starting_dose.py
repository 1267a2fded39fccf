"""Part `starting_dose` of the section `dose_exploration`: first dose in humans."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Bilingual, Code, Section

Species = Literal[
    "mouse", "hamster", "rat", "ferret", "guinea_pig", "rabbit", "dog", "rhesus", "cynomolgus",
    "marmoset", "squirrel_monkey", "baboon", "micro_pig", "mini_pig",
]  # fmt: skip
"""Species of resources/terms/km_factors.yaml."""


class AnimalStudy(Section):
    """A dose of an animal study from which a human dose is scaled."""

    id: Code = Field(description="Code of the study, part of the identifiers of its values.")
    label: Bilingual = Field(description="Study and model in a few words.")
    species: Species = Field(description="Species of the table of Km factors.")
    weight: float | None = Field(
        None, gt=0, description="Mean body weight, kg; blank: the reference weight of the table."
    )
    dose: float = Field(gt=0, description="Dose, 10^6 cells per kg.")
    finding: Literal["NOAEL", "ACTIVE"] = Field(
        description="NOAEL: highest dose without adverse effect; ACTIVE: a dose that was active."
    )
    safety_factor: float = Field(
        10, ge=1, description="Factor by which the human equivalent dose is divided."
    )


class ActiveCells(Section):
    """A number of active cells known from earlier data, and what share of our cells is active."""

    id: Code = Field(description="Code of the benchmark, part of the identifiers of its values.")
    label: Bilingual = Field(description="Source of the number in a few words.")
    cells: float = Field(gt=0, description="Active cells of the dose, 10^6 cells.")
    low: float | None = Field(None, gt=0, description="Lowest such number, 10^6 cells.")
    high: float | None = Field(None, gt=0, description="Highest such number, 10^6 cells.")
    active_share: tuple[float, float, float] | None = Field(
        None,
        description=(
            "Active cells over all cells of the product: lowest, usual, highest share, from 0 to "
            "1. Blank: from the lots given, viability times transduction efficiency."
        ),
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        shares = self.active_share
        if shares is not None and not 0 < shares[0] <= shares[1] <= shares[2] <= 1:
            raise ValueError("active_share takes three shares above 0 and up to 1, in rising order")
        low, high = self.low or self.cells, self.high or self.cells
        if not low <= self.cells <= high:
            raise ValueError("cells must lie between low and high")
        return self


class ActivityCriterion(Section):
    """A pre-specified sign of biological activity in a subject."""

    code: Code = Field(description="Code of the criterion, part of the identifiers of its values.")
    label: Bilingual = Field(description="Criterion in a few words, with its threshold.")
    source: Literal["KINETICS", "MARKER", "MARKER_PARAMETER", "RESPONSE"] = Field(
        description=(
            "KINETICS: a parameter of ADPP; MARKER: peak, nadir or fold of results of ADPD; "
            "MARKER_PARAMETER: a parameter of ADPDP; RESPONSE: a response parameter of ADRS."
        )
    )
    analyte: str = Field("", description="Analyte or marker; blank only for RESPONSE.")
    parameter: str = Field(
        "",
        description=(
            "Parameter code of ADPP, ADPDP or ADRS (ORR, BOR, ...); for MARKER: PEAK, NADIR, FOLD "
            "(peak over baseline) or FALL (nadir over baseline)."
        ),
    )
    specimen: str = Field(
        "", description="Specimen (ASPEC) of the marker; blank: the most frequent."
    )
    at_least: float | None = Field(None, description="Met from this value on, in its own unit.")
    at_most: float | None = Field(None, description="Met up to this value, in its own unit.")
    values: tuple[str, ...] = Field(
        ("Y",), description="RESPONSE: values (AVALC) that meet the criterion."
    )
    until: float = Field(28, gt=0, description="MARKER: last day of the results, days.")
    before_tocilizumab: bool = Field(
        False,
        description="MARKER: results after tocilizumab (ADAESI.TOCIDY) do not count, as of IL-6.",
    )

    @model_validator(mode="after")
    def _check_threshold(self) -> Self:
        if not self.parameter:
            raise ValueError("a criterion names its parameter")
        if self.source == "RESPONSE":
            return self
        if not self.analyte:
            raise ValueError("a criterion of a parameter or marker names its analyte")
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a criterion has either at_least or at_most")
        if self.source == "MARKER" and self.parameter not in ("PEAK", "NADIR", "FOLD", "FALL"):
            raise ValueError("parameter of a MARKER is PEAK, NADIR, FOLD or FALL")
        return self


class ActivitySettings(Section):
    """Lowest dose level with the pre-specified biological activity."""

    criteria: tuple[ActivityCriterion, ...] = Field(
        (), description="Signs of activity, each looked at by itself."
    )
    min_share: float = Field(
        50, ge=0, le=100, description="Least share of subjects of a level with the sign, %."
    )
    min_lower_limit: float = Field(
        0,
        ge=0,
        le=100,
        description="Least lower confidence limit of that share, %; 0: no such rule.",
    )
    min_subjects: int = Field(3, ge=1, description="Least number of evaluable subjects of a level.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence level.")
    proposed_level: str = Field(
        "", description="Dose level (TRT01A) that the sponsor proposes; blank: none yet."
    )


class StartingDoseSettings(Section):
    """First dose in humans, and the lowest active dose."""

    planned: float | None = Field(
        None,
        gt=0,
        description=(
            "Planned first dose, 10^6 cells; blank: that of the lowest dose level in the data."
        ),
    )
    human: Literal["human_adult", "human_child"] = Field(
        "human_adult", description="Row of the table of Km factors for the subjects."
    )
    human_weight: float = Field(60, gt=0, description="Body weight of the subjects, kg.")
    human_height: float = Field(165, gt=0, description="Height of the subjects, cm.")
    allometric_exponent: float = Field(
        0.67,
        gt=0,
        le=1,
        description="Power of the body weight with which a total dose scales between species.",
    )
    animals: tuple[AnimalStudy, ...] = Field((), description="Animal studies to scale from.")
    active_cells: tuple[ActiveCells, ...] = Field((), description="Benchmarks of active cells.")
    activity: ActivitySettings = Field(
        default_factory=ActivitySettings, description="Lowest active dose level."
    )

    @model_validator(mode="after")
    def _check_codes(self) -> Self:
        for items in (self.animals, self.active_cells):
            ids = [item.id for item in items]
            if len(set(ids)) != len(ids):
                raise ValueError("an id stands twice")
        codes = [item.code for item in self.activity.criteria]
        if len(set(codes)) != len(codes):
            raise ValueError("a criterion's code stands twice")
        return self

"""Part `prior_studies` of the section `dose_exploration`: earlier studies side by side."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Bilingual, Code, Section

FACTS = (
    "design", "disease", "target", "immune_state", "lymphodepletion", "route", "receptor",
    "phenotype", "process", "model_prediction", "dose_levels",
)  # fmt: skip
"""What the guideline wants weighed between studies (lines 126-136), in the order of the table."""


class StudyFacts(Section):
    """What may differ between studies of a product (guideline, lines 126-136)."""

    design: Bilingual | None = Field(None, description="Design in a few words.")
    disease: Bilingual | None = Field(None, description="Disease and its state.")
    target: Bilingual | None = Field(None, description="Biology of the target.")
    immune_state: Bilingual | None = Field(None, description="Immune state of the subjects.")
    lymphodepletion: Bilingual | None = Field(None, description="Regimen with doses and days.")
    route: Bilingual | None = Field(None, description="Route of administration.")
    receptor: Bilingual | None = Field(None, description="Receptor and genetic modification.")
    phenotype: Bilingual | None = Field(None, description="Phenotype of the cells.")
    process: Bilingual | None = Field(None, description="Manufacture.")
    model_prediction: Bilingual | None = Field(None, description="Predictions of models.")
    dose_levels: Bilingual | None = Field(None, description="Dose levels with unit.")


class Proportion(Section):
    """Subjects with an outcome, of those evaluable for it."""

    n: int = Field(ge=0, description="Subjects with the outcome.")
    of: int = Field(gt=0, description="Evaluable subjects.")

    @model_validator(mode="after")
    def _check_counts(self) -> Self:
        if self.n > self.of:
            raise ValueError("n is larger than `of`")
        return self


class Exposure(Section):
    """A published geometric mean of a kinetic parameter."""

    geomean: float = Field(gt=0, description="Geometric mean, in `unit`.")
    unit: str = Field(description="Unit of the value.")
    n: int | None = Field(None, gt=0, description="Subjects behind it.")
    assay: str = Field("", description="Assay, for instance qPCR; assays may differ.")


class PriorStudy(Section):
    """An earlier study whose subjects are not in the data, with its summary values."""

    id: Code = Field(description="Code of the study, part of the identifiers of its values.")
    label: Bilingual = Field(description="Name of the study in a few words.")
    kind: Literal["investigator_initiated", "registration", "other"] = Field(
        "investigator_initiated", description="Kind of the study."
    )
    source: Bilingual = Field(description="Publication or report that the values come from.")
    facts: StudyFacts = Field(default_factory=StudyFacts, description="Facts of the study.")
    n_infused: int = Field(gt=0, description="Subjects infused.")
    dose_low: float | None = Field(None, gt=0, description="Lowest dose, 10^6 cells.")
    dose_high: float | None = Field(None, gt=0, description="Highest dose, 10^6 cells.")
    exposures: dict[str, Exposure] = Field(
        default_factory=dict, description="Kinetic parameter (CMAX, AUC28, ...): its value."
    )
    crs: Proportion | None = Field(None, description="CRS of any grade.")
    crs_severe: Proportion | None = Field(None, description="CRS of grade 3 or higher.")
    icans: Proportion | None = Field(None, description="ICANS of any grade.")
    icans_severe: Proportion | None = Field(None, description="ICANS of grade 3 or higher.")
    response: Proportion | None = Field(None, description="Objective response.")


class PriorStudiesSettings(Section):
    """Earlier studies of the product, side by side with the registration study.

    They are never pooled: each is a column of its own. Studies whose subjects are in the data
    are computed, those listed here are quoted.
    """

    studies: tuple[PriorStudy, ...] = Field((), description="Earlier studies to quote.")
    own_facts: dict[str, StudyFacts] = Field(
        default_factory=dict, description="Facts of the studies in the data, by their STUDYID."
    )
    exposures: tuple[str, ...] = Field(
        ("CMAX", "AUC28"), description="Kinetic parameters (ADPP) of the stage's analyte."
    )

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        ids = [study.id for study in self.studies]
        if len(set(ids)) != len(ids):
            raise ValueError("an id stands twice")
        return self

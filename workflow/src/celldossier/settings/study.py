"""Section `study`: what was studied, of which product, in which trials."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from celldossier.settings.base import Bilingual, RunName, Section


class ProductClass(StrEnum):
    """Classes of human-derived living cell products (guideline lines 33-45)."""

    CAR_T = "car_t"
    TCR_T = "tcr_t"
    TIL = "til"
    CAR_NK = "car_nk"
    CAR_M = "car_m"
    OTHER_IMMUNE = "other_immune"
    STEM = "stem"
    MESENCHYMAL = "mesenchymal"
    PLURIPOTENT_DERIVED = "pluripotent_derived"
    NOT_CELL = "not_a_cell_product"


IMMUNE_CLASSES = frozenset({"car_t", "tcr_t", "til", "car_nk", "car_m", "other_immune"})
"""Immune cell products, for which the guideline speaks of lymphodepletion (lines 445-449)."""

OUT_OF_SCOPE = {
    "blood_component": "lines 53-55",
    "haematopoietic_transplant": "lines 53-55",
    "reproductive_cells": "lines 53-55",
    "tissue_or_organ": "lines 53-55",
}
"""Products that the guideline excludes, with the place where it does (clause S1-2)."""


class Product(Section):
    """The product under study."""

    name: str = Field(description="Name or code of the product.")
    product_class: ProductClass = Field(
        description="Class of the product; it decides which clauses and tables are live."
    )
    gene_modified: bool = Field(description="Whether the cells are genetically modified.")
    source: Literal["autologous", "allogeneic", "xenogeneic", "not_applicable"] = Field(
        description="Origin of the cells."
    )
    target: str = Field("", description="Antigen that the product recognises.")
    co_expressed: tuple[str, ...] = Field(
        (),
        description=(
            "Products co-expressed with the receptor, as ISBDAGNT names them. Each calls for an "
            "assay of domain ADA whose `target` it is (guideline lines 393-394)."
        ),
    )
    route: Literal["systemic", "local"] = Field(description="Route of administration.")
    first_of_kind: bool = Field(
        False,
        description=(
            "A wholly new product with little earlier experience: a first dose scaled from "
            "animals or from active cells is then asked for (guideline lines 118-125)."
        ),
    )
    description: Bilingual = Field(description="One or two sentences on the product.")

    @field_validator("product_class", mode="before")
    @classmethod
    def _check_scope(cls, value: Any) -> Any:
        """Refuse a product that the guideline does not cover (clause S1-2)."""
        if isinstance(value, str) and value in OUT_OF_SCOPE:
            raise ValueError(
                f"such a product is outside the scope of the guideline (clause S1-2, "
                f"{OUT_OF_SCOPE[value]}), and no report can be made for it"
            )
        return value


class Trial(Section):
    """One row of the table of clinical studies."""

    id: str = Field(description="Study identifier, as in STUDYID.")
    phase: str = Field(description="Phase, for instance 1/2.")
    design: Bilingual = Field(description="Design in a few words.")
    population: Bilingual = Field(description="Population in a few words.")
    lymphodepletion: Bilingual = Field(description="Regimen with doses and days.")
    dose_levels: Bilingual = Field(description="Planned dose levels with unit.")
    matrices: Bilingual = Field(description="CK, PD and ADA matrices.")
    schedule: Bilingual = Field(description="Sampling schedule.")
    investigator_initiated: bool = Field(False, description="An investigator-initiated trial.")


class StudySettings(Section):
    """What was studied."""

    id: RunName = Field(description="Identifier of the study or programme.")
    title: Bilingual = Field(description="Title of the report's subject.")
    sponsor: Bilingual = Field(description="Sponsor of the study.")
    product: Product = Field(description="The product under study.")
    trials: tuple[Trial, ...] = Field(description="The clinical studies in this run.", min_length=1)
    data_cutoff: date = Field(description="Data cut-off date; printed with every table.")

"""Section `bioanalysis`: each assay once, for the data and for the table of methods."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Bilingual, Code, Section


class Assay(Section):
    """One assay, of one analyte."""

    analyte: Code = Field(description="Analyte code of our datasets, for instance PCR or FLOW.")
    domain: Literal["CK", "PD", "ADA"] = Field(description="Kind of data the assay gives.")
    test_codes: tuple[str, ...] = Field(
        description="Test codes of the raw data (PCTESTCD, LBTESTCD, ISTESTCD).", min_length=1
    )
    label: Bilingual = Field(description="Name of the analyte in tables and figures.")
    platform: Bilingual = Field(description="Method: qPCR, dPCR, flow cytometry, LBA, ...")
    matrix: Bilingual = Field(description="Specimen material.")
    unit: str = Field(description="Unit of the analysis value, for instance copies/ug.")
    lod: float | None = Field(None, gt=0, description="Limit of detection, in `unit`.")
    lloq: float | None = Field(None, gt=0, description="Lower limit of quantitation, in `unit`.")
    uloq: float | None = Field(None, gt=0, description="Upper limit of quantitation, in `unit`.")
    accuracy: str = Field("", description="Accuracy found in validation, with unit.")
    precision: str = Field("", description="Precision found in validation, with unit.")
    input_amount: str = Field("", description="Input, for instance ug of genomic DNA a reaction.")
    stability: str = Field("", description="Sample stability, with unit.")
    laboratory: str = Field("", description="Laboratory that ran the assay.")
    version: str = Field("", description="Version of the method.")
    validation: str = Field("", description="Reference of the validation report.")


class BioanalysisSettings(Section):
    """The assays of the study."""

    assays: tuple[Assay, ...] = Field((), description="One entry an analyte.")

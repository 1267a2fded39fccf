"""Section `bioanalysis`: each assay once, for the data and for the table of methods."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.antibody_assays import AntibodyAssayFacts
from celldossier.settings.assay_versions import (
    AssayVersion,
    MethodFacts,
    check_order,
    complete_versions,
)
from celldossier.settings.base import Bilingual, Code, Section
from celldossier.settings.bridging import BridgingData, check_bridging

DNA_PER_CELL = 6.6e-6
"""DNA of a diploid human cell, ug; 1 ug holds 151,515 genomes."""


class MeasuredAnalyte(Section):
    """What an assay measures: its analyte, and how the raw data name it."""

    analyte: Code = Field(description="Analyte code of our datasets, for instance PCR or FLOW.")
    domain: Literal["CK", "PD", "ADA"] = Field(description="Kind of data the assay gives.")
    test_codes: tuple[str, ...] = Field(
        description="Test codes of the raw data (PCTESTCD, LBTESTCD, ISTESTCD).", min_length=1
    )
    label: Bilingual = Field(description="Name of the analyte in tables and figures.")
    platform: Bilingual = Field(description="Method: qPCR, dPCR, flow cytometry, LBA, ...")
    matrix: Bilingual = Field(description="Specimen material.")
    unit: str = Field(description="Unit of the analysis value, for instance copies/ug.")
    target: str = Field(
        "",
        description=(
            "What the antibodies bind, of an assay of domain ADA: the receptor, donor HLA or a "
            "co-expressed product, as ISBDAGNT names it."
        ),
    )
    molar_mass: float | None = Field(
        None,
        gt=0,
        description=(
            "Molar mass, g/mol; links mass and amount of substance per volume (umol/L and mg/dL)."
        ),
    )
    declared_factors: dict[str, float] = Field(
        default_factory=dict,
        description=(
            "Raw unit: factor to `unit`, where only this assay's calibration links the two, for "
            "instance IU/mL and pg/mL. Such a conversion is a finding."
        ),
    )
    background: Literal["none", "endogenous"] = Field(
        "none",
        description=(
            "endogenous: the subject's own cells carry the marker too, so that a quantifiable "
            "pre-dose sample is no fault and ADPC gives the change from it (R24)."
        ),
    )
    max_vcn: float = Field(
        10,
        gt=0,
        description=(
            "Largest plausible mean vector copy number of all nucleated cells, copies/cell. A "
            "result per ug of DNA above 151,515 genomes times this is an error."
        ),
    )


class Assay(AntibodyAssayFacts, MethodFacts, MeasuredAnalyte):
    """One assay, of one analyte, with what holds for all its versions."""

    version: str = Field("", description="Version of the method, where it has only one.")
    versions: tuple[AssayVersion, ...] = Field(
        (),
        description=(
            "Versions of the method that the study used, as --ASSAYV names them. What a version "
            "does not say is that of the assay."
        ),
    )
    bridging: tuple[BridgingData, ...] = Field(
        (),
        description=(
            "Samples that two versions measured, which tie them: one entry a version that is "
            "brought to the scale of another. None: no bridging data."
        ),
    )

    @property
    def complete_versions(self) -> tuple[AssayVersion, ...]:
        """Every version with all its facts; the assay itself where it has only one."""
        return complete_versions(self, self.version, self.platform, self.matrix, self.versions)

    @model_validator(mode="after")
    def _versions_are_told_apart(self) -> Self:
        names = [own.version for own in self.versions]
        if names and self.version:
            raise ValueError("version and versions exclude each other")
        if len(set(names)) < len(names):
            raise ValueError("two versions have the same name")
        for own in self.complete_versions:
            check_order(own)
        check_bridging(self.bridging, self.domain, names)
        return self


class CellConversion(Section):
    """Cells per volume from copies per mass of DNA, as an analyte of its own.

    cells/uL = copies/ug x DNA of a cell / VCN x leukocytes/uL.
    """

    analyte: Code = Field(description="Code of the derived analyte, for instance PCRCELL.")
    label: Bilingual = Field(description="Name of the derived analyte in tables and figures.")
    source: Code = Field(
        description="Analyte that is converted; its unit is copies/ug or copies/ng."
    )
    white_cells: Code = Field(description="Analyte of ADPD that counts the leukocytes, as WBC.")
    vcn: Literal["lot"] | Annotated[float, Field(gt=0)] = Field(
        "lot",
        description=(
            "Vector copies in each transgene-positive cell, copies/cell: of the lot of the current "
            "dose (ADPQ.VCN), or a number."
        ),
    )
    window: float = Field(
        1, ge=0, description="Longest distance of the leukocyte count from the sample, days."
    )
    dna_per_cell: float = Field(
        DNA_PER_CELL, gt=0, description="DNA of a cell, ug; 6.6e-6 is that of a diploid human cell."
    )
    kinetics: bool = Field(
        False,
        description=(
            "Whether the derived analyte enters the kinetics analysis; else it is listed only."
        ),
    )


class BioanalysisSettings(Section):
    """The assays of the study."""

    assays: tuple[Assay, ...] = Field((), description="One entry an analyte.")
    conversions: tuple[CellConversion, ...] = Field(
        (),
        description=(
            "Derived analytes in cells/uL; nothing is converted between these units otherwise."
        ),
    )

    @model_validator(mode="after")
    def _conversions_have_sources(self) -> Self:
        declared = {assay.analyte: assay for assay in self.assays}
        for conversion in self.conversions:
            name = f"conversions: {conversion.analyte}"
            source = declared.get(conversion.source)
            if source is None or source.unit not in ("copies/ug", "copies/ng"):
                raise ValueError(f"{name} needs a source in copies/ug or copies/ng")
            counted = declared.get(conversion.white_cells)
            if counted is None or counted.domain != "PD":
                raise ValueError(
                    f"{name}: white_cells {conversion.white_cells} is no assay of domain PD"
                )
            if conversion.analyte in declared:
                raise ValueError(f"{name} is an assay already")
        return self

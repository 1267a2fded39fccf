"""Section `pharmacodynamics`: effects of the product, and their relation to the cells."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.settings.disease_markers import DiseaseMarkerSettings
from celldossier.settings.haematology import HaematologySettings
from celldossier.settings.kinetics_and_markers import KineticsAndMarkersSettings
from celldossier.settings.marker_parameters import MarkerParameterSettings
from celldossier.settings.target_cells import TargetCellSettings


class PharmacodynamicsSettings(Section):
    """Pharmacodynamics: markers over time, their parameters, and markers against the cells."""

    analyte: Code = Field("PCR", description="Analyte whose kinetics the markers are related to.")
    by_dose: bool = Field(True, description="Statistics by dose level beside those of all.")
    parameters: MarkerParameterSettings = Field(
        default_factory=MarkerParameterSettings, description="Parameters of each marker."
    )
    target_cells: TargetCellSettings = Field(
        default_factory=TargetCellSettings, description="Target cells and lymphocyte subsets."
    )
    haematology: HaematologySettings = Field(
        default_factory=HaematologySettings, description="Blood counts and cytopenias."
    )
    disease: DiseaseMarkerSettings = Field(
        default_factory=DiseaseMarkerSettings, description="Markers of the disease."
    )
    kinetics: KineticsAndMarkersSettings = Field(
        default_factory=KineticsAndMarkersSettings, description="Markers against the cells."
    )

"""Part `kinetics` of the section `pharmacodynamics`: markers against the cells."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.settings.marker_parameters import MarkerClass

ExposureParameter = Literal["CMAX", "AUC28", "AUC84", "TMAX", "CMAXTMAX", "EXPRATE"]


class KineticsAndMarkersSettings(Section):
    """Markers against cellular kinetics in time and size."""

    markers: tuple[Code, ...] = Field(
        (), description="Codes of the markers, in order; none given: those of `classes`."
    )
    classes: tuple[MarkerClass, ...] = Field(
        ("CYTOKINE", "INFLAMMATION", "TARGET_CELL", "TISSUE_FACTOR", "SCORE"),
        description="Classes of the markers, where none are named.",
    )
    after: float = Field(
        0.5,
        ge=0,
        description=(
            "Samples from this time after the first infusion on, days; earlier ones show the cells "
            "that were just given."
        ),
    )
    until: float = Field(28, gt=0, description="Samples until this nominal day.")
    lags: tuple[float, ...] = Field(
        (-8, -6, -4, -2, 0, 2, 4, 6, 8),
        description="Lags of a marker behind the cells, days; below 0 it comes earlier.",
        min_length=1,
    )
    lag_tolerance: float = Field(
        1.0, gt=0, description="How far a pair of samples may be from a lag, days."
    )
    min_pairs: int = Field(4, ge=3, description="Fewest pairs of a subject at a lag.")
    min_subjects: int = Field(8, ge=3, description="Fewest subjects of a correlation.")
    same_sample: float = Field(
        0.5, ge=0, description="Peaks that are no further apart are of the same sample, days."
    )
    peak_samples: int = Field(
        3,
        ge=2,
        description="Fewest samples of a marker after the infusion for a day of its peak.",
    )
    loop_points: int = Field(4, ge=3, description="Fewest points of the loop of a subject.")
    loop_area: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Smaller areas have no direction, share of the square of both ranges.",
    )
    metrics: tuple[ExposureParameter, ...] = Field(
        ("CMAX", "AUC28", "TMAX"),
        description="Parameters of the cells (ADPP, all doses) that are related to the markers.",
        min_length=1,
        max_length=4,
    )
    parameters: tuple[Code, ...] = Field(
        ("PDPEAK", "PDFOLD", "PDTPEAK", "PDAUC28", "PDNADIR", "PDTNAD", "PDRECDUR", "PDBEST"),
        description="Parameters of the markers (ADPDP) that are related to the cells.",
        min_length=1,
    )
    emax_metric: ExposureParameter = Field(
        "CMAX", description="Parameter of the cells in the Emax and linear models of the peaks."
    )
    emax_min_difference: float = Field(
        2, ge=0, description="Difference in AICc from which one of the two models is supported."
    )
    event_window: float = Field(
        28, gt=0, description="Adverse events that begin within this time of the infusion, days."
    )
    samples: int = Field(
        1000, ge=100, le=20000, description="Bootstrap samples of subjects, for the lags."
    )
    seed: int = Field(20_261_126, ge=0, description="Seed of the bootstrap samples.")
    confidence_level: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")

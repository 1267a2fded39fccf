"""Part `levels` of the section `dose_exploration`: dose levels side by side."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section


class GeneCopySettings(Section):
    """How many gene copies an infusion holds."""

    vcn_per: Literal["transduced_cell", "cell"] = Field(
        "transduced_cell",
        description=(
            "What the vector copy number of a lot (LOTS.VCN, copies a cell) is an average over. "
            "transduced_cell: copies = transgene-positive viable cells x VCN. cell: copies = "
            "total cells x VCN."
        ),
    )


class OverlapSettings(Section):
    """Overlap of the exposure of neighbouring dose levels."""

    estimators: tuple[Literal["NORMAL_UNEQUAL", "NORMAL_EQUAL", "KERNEL"], ...] = Field(
        ("NORMAL_EQUAL", "NORMAL_UNEQUAL", "KERNEL"),
        min_length=1,
        description=(
            "Estimators of the overlap coefficient of log exposure, the first is the main one: "
            "normal with one variance (exact interval beside the bootstrap's), normal with two, "
            "or Gaussian kernels."
        ),
    )
    interval: Literal["bca", "percentile"] = Field(
        "percentile",
        description=(
            "Bootstrap interval. percentile: uncorrected; bca: corrected for bias and skewness. "
            "Both hold the truth less often than they say where the levels overlap almost wholly."
        ),
    )
    resamples: int = Field(
        2000, ge=200, le=100_000, description="Number of bootstrap samples of the subjects."
    )
    seed: int = Field(20_261_126, ge=0, description="Seed of the bootstrap samples.")
    min_subjects: int = Field(
        5,
        ge=2,
        description="Fewest subjects with an exposure above 0 in each level for an estimate.",
    )


class DoseLevelSettings(Section):
    """Doses given, exposure, events and response, dose level beside dose level."""

    metrics: tuple[Code, ...] = Field(
        ("CMAX", "AUC28"),
        min_length=1,
        description="Parameters of the kinetics (PARAMCD of ADPP) that are the exposure.",
    )
    confidence_level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of all intervals by dose level."
    )
    events: tuple[Code, ...] = Field(
        ("CRS", "ICANS"),
        description=(
            "Events of special interest (AESI of ADAESI) that are counted by dose level; codes "
            "of resources/terms/special_interest.yaml or of the study's own."
        ),
    )
    severe_from: int = Field(
        3, ge=1, le=5, description="Lowest grade of an event that is counted beside any grade."
    )
    markers: tuple[Code, ...] = Field(
        ("IL6", "IFNG"),
        description="Markers (PARCAT1 of ADPDP) whose parameter is given by dose level.",
    )
    marker_parameter: Code = Field(
        "PDPEAK", description="Parameter of the markers (PARAMCD of ADPDP)."
    )
    gene_copies: GeneCopySettings = Field(
        default_factory=GeneCopySettings, description="Gene copies given."
    )
    overlap: OverlapSettings = Field(
        default_factory=OverlapSettings, description="Overlap of exposure between dose levels."
    )

"""Section `cellular_kinetics`: how the concentrations of the cells become parameters.

The names of the keys, their defaults and the rules R1 to R25 that they steer are
those of the NCA rules of the project; `celldossier nca --settings` reads the same
keys at the top level of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from celldossier.settings.base import Code, Section
from celldossier.settings.bridging import BridgeRules
from celldossier.settings.compartments import CompartmentRules
from celldossier.settings.concordance import ConcordanceSettings
from celldossier.settings.kinetics_figures import KineticsFigures
from celldossier.settings.kinetics_summaries import KineticsSummaries
from celldossier.settings.nca_presets import PresetName, fill_preset
from celldossier.settings.persistence import PersistenceSettings
from celldossier.settings.phases import PhaseRules
from celldossier.settings.sampling import SamplingRules

PartialArea = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0)]]
"""Start and end of a partial area, in the time unit of the samples."""


class BlqRules(Section):
    """Values for results below the limit of quantitation (BLQ)."""

    embedded: Literal["auto", "drop", "zero", "half_lloq"] = Field(
        "auto",
        description=(
            "R6: value of a BLQ result between quantifiable ones. auto: 0 before Tmax or where two "
            "or more stand together, dropped where it is a single one after the peak and, in a "
            "course, no further dose comes before the next quantifiable one."
        ),
    )


class LambdaZRules(Section):
    """Choice and gates of the terminal log-linear regression."""

    min_points: int = Field(3, ge=3, description="R16: least number of points of a fit.")
    min_r2adj: float = Field(
        0.80, ge=0, le=1, description="R17: least adjusted R squared; 0 switches the gate off."
    )
    min_span: float = Field(
        2, ge=0, description="R17: least span of the window, in half-lives; 0 switches it off."
    )


def partial_area_code(end: float) -> str:
    """Parameter code of the area from 0 to `end`: ``AUC28``; ``AUC3P5`` for 3.5.

    A code of CDISC holds letters and digits only, so that P stands for the point.

    >>> partial_area_code(28.0), partial_area_code(3.5)
    ('AUC28', 'AUC3P5')
    """
    return f"AUC{end:.10g}".replace(".", "P")


class CellularKineticsSettings(Section):
    """How the concentrations of the cells become parameters (NCA rules R1 to R23)."""

    preset: PresetName = Field(
        "celldossier",
        description=(
            "Convention whose values the keys have that are not given here "
            "(resources/terms/nca_presets.yaml, with their sources)."
        ),
    )
    crosswalk: tuple[PresetName, ...] = Field(
        (),
        description=(
            "Conventions to compare with: each value that differs under them is listed, with the "
            "rules that make the difference (dataset ADPPX)."
        ),
    )
    auc_rule: Literal["linear_up_log_down", "linear", "log"] = Field(
        "linear_up_log_down",
        description=(
            "R11: trapezoidal rule. linear_up_log_down: logarithmic where the step falls and both "
            "ends are above 0; log: logarithmic on both limbs; linear."
        ),
    )
    partial_areas: tuple[PartialArea, ...] = Field(
        ((0.0, 28.0),),
        description=(
            "R13, R14: partial areas [0, end], in days; parameters AUC<end>, AUC<end>PE and, where "
            "peak_from is above 0, AUC<end>XE."
        ),
    )
    tail: Literal["auto", "last", "all", "extrapolate"] = Field(
        "auto",
        description=(
            "R14: partial area that ends after the last quantifiable sample. auto: closed by a BLQ "
            "sample, extended within end_window, or extrapolated up to max_extrapolation; last: "
            "stops there; all: adds the triangle to the next BLQ sample; extrapolate: by lambda-z, "
            "without a limit."
        ),
    )
    blq: BlqRules = Field(BlqRules(), description="R6: results below the limit of quantitation.")
    start: Literal["zero", "minimum", "none"] = Field(
        "zero",
        description=(
            "R4: without a pre-dose record, put in C(0) = 0 before the first dose (zero), the "
            "lowest concentration of the dosing interval (minimum, for doses at steady state), or "
            "nothing (none)."
        ),
    )
    peak_from: float = Field(
        1,
        ge=0,
        description=(
            "R9: samples earlier than this (days, nominal time where given) do not define Cmax and "
            "Tmax; 1 for products that expand, 0 for those that do not."
        ),
    )
    gate: Literal["before", "after"] = Field(
        "before",
        description=(
            "R16: whether only falling fits compete for lambda-z (before), or the best of all fits "
            "is chosen and given up if it rises (after)."
        ),
    )
    lambda_z: LambdaZRules = Field(LambdaZRules(), description="R16, R17: regression and gates.")
    sampling: SamplingRules = Field(
        SamplingRules(),
        description="Planned samples, and when a profile is sampled well enough.",
    )
    phases: PhaseRules = Field(
        PhaseRules(),
        description="How distribution, expansion, contraction and persistence are told apart.",
    )
    max_extrapolation: float = Field(
        20, ge=0, le=100, description="R14: largest extrapolated share of a partial area, %."
    )
    duplicates: Literal["error", "first", "mean", "max"] = Field(
        "error",
        description=(
            "R1: two results of one analyte at one time. mean counts a BLQ result as 0; max takes "
            "a BLQ result only where there is no other."
        ),
    )
    end_window: float = Field(
        3, ge=0, description="R14: tolerance around the end of a partial area, days."
    )
    no_specific_marker: tuple[Code, ...] = Field(
        (),
        description=(
            "R24: analytes whose marker does not tell the given cells from the subject's own; "
            "their change from the level before the dose is analysed."
        ),
    )
    dosing_interval: float | None = Field(
        None,
        gt=0,
        description=(
            "R23: dosing interval of the protocol, days: that of the last dose of a cycle, which "
            "no next dose ends. Blank: its interval is not known."
        ),
    )
    trough_window: float = Field(
        1,
        ge=0,
        description=(
            "R23: longest time between the last record before a dose and the dose for which it "
            "is its trough, days."
        ),
    )
    interval_window: float = Field(
        25,
        ge=0,
        le=100,
        description=(
            "R23: largest end_window at the end of a dosing interval, % of the interval; beyond "
            "it the area is extrapolated by lambda-z up to max_extrapolation."
        ),
    )
    interval_tolerance: float = Field(
        20,
        ge=0,
        description=(
            "R23: largest difference of a dosing interval from that of dose 1 for the ratio of "
            "their areas, %."
        ),
    )
    primary_analyte: Code = Field(
        "PCR", description="Analyte of the primary analyses; the others are secondary."
    )
    compartments: CompartmentRules = Field(
        CompartmentRules(), description="Distribution to compartments beside the central one."
    )
    figures: KineticsFigures = Field(
        KineticsFigures(), description="Individual profiles in the tables and figures."
    )
    summaries: KineticsSummaries = Field(
        KineticsSummaries(), description="Groups in which the kinetics are summarised."
    )

    concordance: ConcordanceSettings = Field(
        ConcordanceSettings(), description="Comparison of two assays of the cells."
    )
    bridging: BridgeRules = Field(
        BridgeRules(), description="Versions of an assay brought to one scale before the NCA."
    )
    persistence: PersistenceSettings = Field(
        PersistenceSettings(), description="Duration of quantifiability."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_preset(cls, values: Any) -> Any:
        return fill_preset(values) if isinstance(values, Mapping) else values

    @field_validator("crosswalk")
    @classmethod
    def _named_once(cls, presets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(presets)) < len(presets):
            raise ValueError("a preset is named twice")
        return presets

    @field_validator("partial_areas")
    @classmethod
    def _nameable(cls, areas: tuple[PartialArea, ...]) -> tuple[PartialArea, ...]:
        for start, end in areas:
            if start != 0:
                raise ValueError(
                    f"the partial area [{start:g}, {end:g}] does not start at 0; "
                    "only areas from time 0 are defined (R13, R14)"
                )
            if len(partial_area_code(end)) > 6:
                raise ValueError(
                    f"the end {end:.10g} of a partial area has more than 3 digits; its parameter "
                    "codes would be longer than the 8 characters of a CDISC code"
                )
        codes = [partial_area_code(end) for _, end in areas]
        if len(set(codes)) < len(codes):
            raise ValueError("a partial area is named twice")
        return areas

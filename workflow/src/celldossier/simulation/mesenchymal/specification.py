"""The typed specification of a simulated stem cell study: its design, its truth and its seed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Section
from celldossier.simulation.background import (
    BackgroundEvent,
    Laboratory,
)
from celldossier.simulation.small_specification import ArmDosing, SmallSpecification
from celldossier.simulation.specification import NonNegative, Positive, Share
from celldossier.simulation.specification_parts import AllogeneicProduct

Days = Annotated[tuple[float, ...], Field(min_length=1)]


class LocalDosing(ArmDosing):
    """Dose levels of one injection into the joint."""

    injection_minutes: Positive = Field(description="Length of an injection, minutes.")


class StemProduct(AllogeneicProduct):
    """Lots of the product."""

    potency: Positive = Field(description="Typical inhibition of T-cell proliferation, %.")
    potency_sd: NonNegative = Field(description="SD of that, %.")
    expansion: Positive = Field(description="Median fold expansion in culture.")
    expansion_sd: NonNegative = Field(description="SD of ln fold expansion.")
    culture_days: tuple[int, int] = Field(description="Least and most days in culture.")


class Background(Section):
    """Cells with the phenotype of the product, which the body has of its own."""

    blood_days: Days = Field(description="Days of the blood samples; 0 is pre-dose.")
    blood_baseline: Positive = Field(description="Median in blood at baseline, cells/uL.")
    blood_baseline_sd: NonNegative = Field(description="SD of ln baseline in blood.")
    fluid_days: Days = Field(description="Days of the synovial fluid; 0 is pre-dose.")
    fluid_share: Share = Field(description="Share of subjects with synovial fluid samples.")
    fluid_baseline: Positive = Field(description="Median in synovial fluid, cells/uL.")
    fluid_baseline_sd: NonNegative = Field(description="SD of ln baseline in synovial fluid.")
    fluid_rise: float = Field(
        description="ln rise in synovial fluid right after the reference dose."
    )
    fluid_dose_effect: float = Field(description="Change of that rise per doubling of the dose.")
    fluid_half_life: Positive = Field(description="Half-life of the rise, days.")
    residual_sd: NonNegative = Field(description="SD of the ln residual of a sample.")
    lloq: Positive = Field(description="Lower limit of quantification, cells/uL.")
    uloq: Positive = Field(description="Upper limit of quantification, cells/uL.")


class Score(Section):
    """A symptom score; lower is better."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")] = Field(description="Test code.")
    name: str = Field(min_length=1, description="Test name.")
    unit: str = Field("", description="Unit; blank for points.")
    maximum: Positive = Field(description="Worst possible value, points.")
    baseline: Positive = Field(description="Mean at baseline, points.")
    baseline_sd: NonNegative = Field(description="SD at baseline, points.")
    change: float = Field(description="Mean change at the reference dose in the end, points.")
    dose_effect: float = Field(description="Change of that per doubling of the dose, points.")
    change_sd: NonNegative = Field(description="SD of the change between subjects, points.")
    residual_sd: NonNegative = Field(description="SD of an assessment, points.")


class Symptoms(Section):
    """Symptom scores, and the response that is defined on the first of them."""

    days: Days = Field(description="Days of the assessments; 0 is pre-dose.")
    time_constant: Positive = Field(description="Time constant of the change, days.")
    scores: tuple[Score, ...] = Field(min_length=1)
    response_days: Days = Field(description="Days on which the response is assessed.")
    response_fall: Share = Field(description="Relative fall of the first score for a response.")
    response_points: Positive = Field(description="Least fall of the first score, points.")


class Imaging(Section):
    """Magnetic resonance imaging, and the signal of labelled cells by place."""

    days: Days = Field(description="Days of magnetic resonance imaging; negative is screening.")
    cartilage: dict[str, Positive] = Field(description="Place: mean cartilage volume, mm3.")
    cartilage_sd: NonNegative = Field(description="SD of ln volume between subjects.")
    cartilage_loss: float = Field(description="ln change of the volume in a year.")
    cartilage_dose_effect: float = Field(description="Change of that per doubling of the dose.")
    cartilage_residual_sd: NonNegative = Field(description="SD of the ln residual.")
    worms: Positive = Field(description="Mean whole-organ score (WORMS) at baseline, points.")
    worms_sd: NonNegative = Field(description="SD of it, points.")
    worms_year: float = Field(description="Change in a year, points; independent of the dose.")
    worms_residual_sd: NonNegative = Field(description="SD of an assessment, points.")
    signal_subjects_share: Share = Field(description="Share of subjects with labelled cells.")
    signal_days: Days = Field(description="Days of the images of labelled cells.")
    signal: dict[str, Positive] = Field(description="Place: signal on day 0, % of the injected.")
    signal_half_life: dict[str, Positive] = Field(description="Place: half-life of signal, days.")
    signal_sd: NonNegative = Field(description="SD of ln signal.")

    @model_validator(mode="after")
    def _same_places(self) -> Self:
        if set(self.signal) != set(self.signal_half_life):
            raise ValueError("imaging.signal and signal_half_life must name the same places.")
        return self


class Tissue(Section):
    """Synovial biopsies."""

    share: Share = Field(description="Share of subjects with biopsies.")
    days: Days = Field(description="Days of the biopsies; negative is screening.")
    baseline: Positive = Field(description="Mean synovitis score (Krenn, 0 to 9) at baseline.")
    baseline_sd: NonNegative = Field(description="SD of it, points.")
    change: float = Field(description="Mean change after baseline, points; not related to dose.")
    residual_sd: NonNegative = Field(description="SD of an assessment, points.")


class Factor(Laboratory):
    """A soluble factor in serum."""

    rise: float = Field(0.0, description="ln rise at its peak after the reference dose.")
    dose_effect: float = Field(0.0, description="Change of that rise per doubling of the dose.")
    platelet_factor: Positive = Field(
        1.0, description="Factor on samples in which platelets released their contents."
    )


class Factors(Section):
    """Soluble factors, and how samples were handled."""

    days: Days = Field(description="Days of the samples; 0 is pre-dose.")
    peak_day: Positive = Field(description="Peak after the dose, days.")
    peak_width: Positive = Field(description="Width of the peak, days.")
    mishandled_share: Share = Field(description="Share of samples with release from platelets.")
    condition: str = Field(min_length=1, description="LBSPCCND of such samples.")
    tests: tuple[Factor, ...] = Field(min_length=1)


class StemImmunogenicity(Section):
    """Antibodies against HLA of the donor; they have no effect."""

    days: Days = Field(description="Days of the samples; 0 is pre-dose.")
    baseline_share: Share = Field(description="Share with antibodies before treatment.")
    induced_share: Share = Field(description="Share with treatment-induced antibodies.")
    onset: tuple[float, float] = Field(description="First and last day of the onset.")


class MesenchymalSpecification(SmallSpecification):
    """Everything that makes a simulated stem cell study, and the seed."""

    kind: Literal["mesenchymal"] = Field(description="Kind of the study.")
    stage_shares: dict[str, Share] = Field(description="Kellgren-Lawrence grade: share.")
    dosing: LocalDosing
    product: StemProduct
    background: Background
    symptoms: Symptoms
    imaging: Imaging
    tissue: Tissue
    factors: Factors
    immunogenicity: StemImmunogenicity
    events: tuple[BackgroundEvent, ...] = Field(description="Adverse events.")
    rescue_share: Share = Field(description="Share of subjects with rescue analgesics.")
    missed_share: Share = Field(description="Probability that a later visit is missed.")
    follow_up: Positive = Field(description="Planned end of follow-up, day.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, shares in (
            ("stage_shares", self.stage_shares.values()),
            ("the dose levels", (level.share for level in self.dosing.levels)),
        ):
            total = sum(shares)
            if abs(total - 1) > 1e-9:
                raise ValueError(f"The shares of {name} must add up to 1, not {total:g}.")
        return self

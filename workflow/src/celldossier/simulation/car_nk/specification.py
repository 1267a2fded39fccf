"""The typed specification of a simulated CAR-NK study: its design, its truth and its seed."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Section
from celldossier.simulation.background import (
    BackgroundEvent,
    Laboratory,
)
from celldossier.simulation.small_specification import ArmDosing, SmallSpecification
from celldossier.simulation.specification import Assay, Count, NonNegative, Positive, Share
from celldossier.simulation.specification_parts import AllogeneicProduct


class Disease(Section):
    """B-cell lymphoma at baseline."""

    burden: Positive = Field(description="Median tumour burden, mm2 (sum of products).")
    burden_sd: NonNegative = Field(description="SD of ln tumour burden.")
    mismatches: tuple[int, int] = Field(
        description="Least and most HLA mismatches of subject and donor, of 10 alleles."
    )
    prior_cd19_share: Share = Field(description="Share with an earlier therapy against CD19.")


class NkDosing(ArmDosing):
    """Dose levels, doses of a cycle, cycles."""

    days: tuple[float, ...] = Field(min_length=1, description="Days of the doses in a cycle.")
    shifted_share: Share = Field(description="Share of later doses given a day later.")
    cycle_length: Positive = Field(description="Start of a cycle to the start of the next, days.")
    cycles: int = Field(ge=1, description="Largest number of cycles.")
    continue_share: Share = Field(
        description="Probability that a subject without progression gets the next cycle."
    )
    unplanned: Count = Field(description="Subjects with one unplanned re-infusion after relapse.")
    lymphodepletion: dict[str, Positive] = Field(description="Drug: dose of a day, mg/m2.")
    lymphodepletion_days: tuple[int, ...] = Field(description="Days before each cycle.")
    infusion_minutes: Positive = Field(description="Length of an infusion, minutes.")


class NkProduct(AllogeneicProduct):
    """Lots of the product, of donors of cord blood."""

    transduction: Positive = Field(description="Typical CAR-positive NK cells, %.")
    transduction_sd: NonNegative = Field(description="SD of that, %.")
    vcn: Positive = Field(description="Typical vector copies in a CAR-positive cell.")
    vcn_sd: NonNegative = Field(description="SD of ln vector copies.")
    potency: Positive = Field(description="Typical lysis of target cells in vitro, %.")
    potency_sd: NonNegative = Field(description="SD of that, %.")
    expansion: Positive = Field(description="Median fold expansion in culture.")
    expansion_sd: NonNegative = Field(description="SD of ln fold expansion.")
    culture_days: tuple[int, int] = Field(description="Least and most days in culture.")


class NkKinetics(Section):
    """Level after each dose: a short rise, then a decline with one half-life.

    Doses superpose. Typical values and SDs of individual values on the ln scale.
    """

    peak: Positive = Field(
        description="Peak after the first dose of a cycle at the reference dose, copies/ug DNA."
    )
    peak_sd: NonNegative = Field(description="SD of ln peak between subjects.")
    occasion_sd: NonNegative = Field(description="SD of ln peak between doses of a subject.")
    dose_effect: float = Field(description="Change of ln peak per unit of ln actual dose.")
    il15_effect: float = Field(description="Change of ln peak per SD of ln IL-15 at infusion.")
    rise_half_life: Positive = Field(description="Half-life of the rise, days.")
    half_life: Positive = Field(description="Half-life of the decline, days.")
    half_life_sd: NonNegative = Field(description="SD of ln half-life.")
    dose_factor: tuple[Positive, ...] = Field(
        description="Factor on the peak of each dose of a cycle: allo-rejection."
    )
    leukocytes: Positive = Field(description="CAR-negative leukocytes after LD, cells/uL.")
    leukocytes_sd: NonNegative = Field(description="SD of ln leukocytes.")


class NkSampling(Section):
    """Blood samples for cellular kinetics, after each dose."""

    after_dose: tuple[float, ...] = Field(
        min_length=2, description="Days after each dose; 0 is pre-dose."
    )
    after_last_dose: tuple[float, ...] = Field(
        min_length=2, description="Days after the last dose of a cycle; 0 is pre-dose."
    )
    missed_share: Share = Field(description="Probability that a post-dose sample is missed.")
    pcr: Assay = Field(description="dPCR of the transgene, copies/ug DNA.")
    flow: Assay = Field(description="Flow cytometry of CAR-positive NK cells, cells/uL.")


class NkSafety(Section):
    """CRS, which depends on nothing; there is no ICANS."""

    crs_share: Share = Field(description="Probability of a CRS after the first dose.")
    grade2_share: Share = Field(description="Share of those with grade 2; the others have 1.")
    onset_day: Positive = Field(description="Median onset after the first dose, days.")
    onset_sd: NonNegative = Field(description="SD of ln onset.")
    duration: Positive = Field(description="Median duration, days.")
    duration_sd: NonNegative = Field(description="SD of ln duration.")
    tocilizumab_share: Share = Field(description="Share of grade 2 treated with tocilizumab.")
    ice_days: tuple[float, ...] = Field(description="Days of ICE scores (all 10), after dose 1.")
    dose_limiting_share: Share = Field(description="Probability of a dose-limiting toxicity.")
    events: tuple[BackgroundEvent, ...] = Field(description="Other adverse events.")


class NkResponse(Section):
    """Objective response on log2 sampled AUC28 of the first cycle; course of disease."""

    days: tuple[float, ...] = Field(min_length=1, description="Days of the assessments.")
    or_per_doubling: Positive = Field(description="Odds ratio per doubling of sampled AUC28.")
    burden_effect: float = Field(description="Change of the log odds per SD of tumour burden.")
    reference_auc28: Positive = Field(description="AUC28 of that probability, copies/ug*d.")
    reference_probability: Share = Field(description="Probability at that AUC28, mean burden.")
    complete_share: Share = Field(description="Share of responders with a complete response.")
    stable_share: Share = Field(description="Share of non-responders with stable disease.")
    relapse_median: Positive = Field(description="Median days from day 28 to relapse.")
    stable_median: Positive = Field(description="Median days of stable disease from day 28.")
    death_median: Positive = Field(description="Median days from progression to death.")
    new_therapy_share: Share = Field(description="Share of progressions with a new therapy.")
    new_therapy: str = Field(min_length=1, description="Name of that therapy.")
    new_therapy_delay: Positive = Field(description="Progression to new therapy, days.")
    follow_up: Positive = Field(description="Planned end of follow-up, day.")


class NkImmunogenicity(Section):
    """Antibodies against donor HLA, which lower exposure, and against the CAR, which do not."""

    days: tuple[float, ...] = Field(min_length=2, description="Days of the samples; 0 is pre-dose.")
    hla_baseline_share: Share = Field(description="Share with antibodies against HLA at baseline.")
    hla_induced_share: Share = Field(description="Probability of induction at 5 mismatches.")
    hla_or_per_mismatch: Positive = Field(description="Odds ratio of induction per mismatch.")
    hla_onset: tuple[float, float] = Field(description="First and last day of the onset.")
    hla_factor: Positive = Field(description="Factor on the peak of each dose after the onset.")
    car_baseline_share: Share = Field(description="Share with antibodies against the CAR before.")
    car_induced_share: Share = Field(description="Share with treatment-induced antibodies.")
    car_onset: tuple[float, float] = Field(description="First and last day of the onset.")
    car_false_positive_share: Share = Field(description="Screening positives among negatives.")


class Cytokine(Laboratory):
    """A soluble marker that rises a little after each dose, more in CRS."""

    rise: float = Field(description="ln rise at its peak after each dose.")
    crs_rise: float = Field(description="Further ln rise at its peak in CRS.")


class BloodCount(Laboratory):
    """A blood count that falls after lymphodepletion."""

    depth: NonNegative = Field(description="ln fall at the nadir.")
    nadir_day: float = Field(description="Day of the nadir in a cycle.")
    recovery_days: Positive = Field(description="Width of the recovery, days.")


class Interleukin15(Laboratory):
    """IL-15: high after lymphodepletion, it drives the peak of the NK cells."""

    at_infusion: Positive = Field(description="Median before the first dose of a cycle, pg/mL.")
    at_infusion_sd: NonNegative = Field(description="SD of ln of that between subjects.")
    half_life: Positive = Field(description="Half-life of the return to baseline, days.")


class BCells(Laboratory):
    """B cells: depleted from the first dose on, independent of exposure; they recover."""

    nadir_share: Share = Field(description="Share of baseline that is left.")
    depletion_days: Positive = Field(description="Time constant of the depletion, days.")
    recovery_from: Positive = Field(description="Day after the last dose at which they return.")
    recovery_days: Positive = Field(description="Time constant of the recovery, days.")


class NkLaboratory(Section):
    """Laboratory tests and their days."""

    days: tuple[float, ...] = Field(min_length=2, description="Days in each cycle; 0 is pre-dose.")
    follow_up_days: tuple[float, ...] = Field(description="Days after the last cycle's end.")
    screening_day: float = Field(lt=0, description="Day of the screening visit.")
    cytokines: tuple[Cytokine, ...]
    counts: tuple[BloodCount, ...]
    further_cytokines: tuple[Cytokine, ...] = Field(
        (), description="Cytokines that came later: drawn last, so that they move no other test."
    )
    further_counts: tuple[BloodCount, ...] = Field((), description="Blood counts, likewise.")
    il15: Interleukin15
    b_cells: BCells
    peak_day: Positive = Field(description="Peak of the cytokines after a dose, days.")
    peak_width: Positive = Field(description="Width of that peak, days.")


class CarNkSpecification(SmallSpecification):
    """Everything that makes a simulated CAR-NK study, and the seed."""

    kind: Literal["car_nk"] = Field(description="Kind of the study.")
    disease: Disease
    dosing: NkDosing
    product: NkProduct
    kinetics: NkKinetics
    sampling: NkSampling
    safety: NkSafety
    response: NkResponse
    immunogenicity: NkImmunogenicity
    laboratory: NkLaboratory

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.kinetics.dose_factor) != len(self.dosing.days):
            raise ValueError("kinetics.dose_factor must name each dose of a cycle once.")
        total = sum(level.share for level in self.dosing.levels)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"The shares of the dose levels must add up to 1, not {total:g}.")
        if self.dosing.cycle_length <= max(self.dosing.days):
            raise ValueError("dosing.cycle_length must be longer than the doses of a cycle.")
        return self

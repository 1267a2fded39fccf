"""The typed specification of a simulated study: its design, its truth and its seed.

Every number that the simulator plants stands here with its unit. The file
``simulation.yaml`` beside the raw data of an example study is read into
:class:`StudySpecification`; what it planted is written out again as ``truth.json``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section
from celldossier.simulation.specification_parts import (
    Assay,
    AssayChange,
    CellularImmunity,
    Count,
    Escalation,
    Handling,
    NonNegative,
    Positive,
    Share,
    SpecialEvents,
    Survival,
)

__all__ = ["Assay", "Count", "NonNegative", "Positive", "Share", "StudySpecification"]


class Enrolment(Section):
    """Who is enrolled, and when."""

    infused: int = Field(ge=6, description="Subjects who receive the cell product.")
    manufacturing_failures: Count = Field(description="Enrolled, product not released.")
    lost_before_infusion: Count = Field(
        description="Enrolled, product released, death or progression before infusion."
    )
    adolescents: Count = Field(description="Infused subjects aged 12 to 17 years (all with ALL).")
    all_share: Share = Field(description="Share of infused subjects with ALL; the others have NHL.")
    early_death_share: Share = Field(description="Share of infused subjects dead before day 28.")
    first_consent: date = Field(description="Date of the first informed consent.")
    last_consent: date = Field(description="Date of the last informed consent.")
    data_cutoff: date = Field(description="Date of the data cut-off: no record lies after it.")
    sites: int = Field(ge=1, le=99, description="Number of study sites.")


class DoseLevel(Section):
    """One planned dose level."""

    code: Code = Field(description="Code of the level, for example DL1.")
    planned: Positive = Field(description="Planned dose, 10^6 CAR-positive viable T cells.")
    share: Share = Field(description="Share of infused subjects on the level.")
    dlt_probability: Share = Field(description="Probability of a dose-limiting toxicity.")


class Dosing(Section):
    """Dose levels and the scatter of the actual dose."""

    levels: tuple[DoseLevel, ...] = Field(min_length=1, description="Levels in rising order.")
    escalation: Escalation
    actual_ln_sd: NonNegative = Field(description="SD of ln(actual dose / planned dose).")
    retreatments: Count = Field(description="Responders who are infused again after relapse.")
    unplanned_reinfusions: Count = Field(
        description="Non-responders who are given a second bag that was not planned."
    )

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        total = sum(level.share for level in self.levels)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"The shares of the dose levels must add up to 1, not {total:g}.")
        return self


class Process(Section):
    """One manufacturing process; a process has no effect on kinetics."""

    code: Code = Field(description="Code of the process.")
    infused_share: Share = Field(description="Share of infused subjects made by it, in time order.")
    transduction: float = Field(gt=0, lt=100, description="Typical transduction, % CAR-positive.")


class Kinetics(Section):
    """Population kinetics of the transgene: Stein 2019 with a lag and a distribution phase.

    Typical values and SDs of the individual values on the ln scale (``fb``: logit).
    """

    cmax: Positive = Field(description="Latent peak, copies/ug genomic DNA.")
    cmax_sd: NonNegative = Field(description="SD of ln latent peak.")
    burden_effect: float = Field(description="Change of ln latent peak per SD of tumour burden.")
    dose_effect: float = Field(description="Change of ln latent peak per unit of ln actual dose.")
    lag: Positive = Field(description="Time before expansion, days.")
    lag_sd: NonNegative = Field(description="SD of ln lag.")
    growth_time: Positive = Field(description="Duration of expansion, days.")
    growth_time_sd: NonNegative = Field(description="SD of ln duration of expansion.")
    fold: Positive = Field(description="Fold expansion from the level at the lag to the peak.")
    fold_sd: NonNegative = Field(description="SD of ln fold expansion.")
    alpha: Positive = Field(description="Contraction rate, 1/day.")
    alpha_sd: NonNegative = Field(description="SD of ln contraction rate.")
    beta: Positive = Field(description="Persistence rate, 1/day.")
    beta_sd: NonNegative = Field(description="SD of ln persistence rate.")
    fb: float = Field(gt=0, lt=1, description="Fraction of the peak that persists.")
    fb_sd: NonNegative = Field(description="SD of the logit of that fraction.")
    distribution_level: Positive = Field(description="Distribution phase at time 0, copies/ug DNA.")
    distribution_sd: NonNegative = Field(description="SD of ln distribution level.")
    distribution_half_life: Positive = Field(description="Half-life of distribution, days.")
    non_expander_share: Share = Field(description="Share of infused subjects who do not expand.")
    non_expander_factor: Share = Field(description="Factor on their latent peak.")


class Sampling(Section):
    """The schedule of blood samples for cellular kinetics."""

    days: tuple[float, ...] = Field(min_length=3, description="Nominal days; 0 is pre-dose.")
    missed_share: Share = Field(description="Probability that a post-dose sample is missed.")
    catheter_carry_share: Share = Field(
        description="Share of subjects whose first post-dose sample carries catheter contents."
    )
    catheter_carry_factor: Positive = Field(description="Factor on that sample's concentration.")
    marrow_share: Share = Field(description="Share of ALL subjects with a day 28 marrow sample.")
    marrow_partition: Positive = Field(description="Marrow-to-blood ratio at day 28.")
    vcn: Positive = Field(description="Typical vector copies in a CAR-positive cell.")
    vcn_sd: NonNegative = Field(description="SD of ln vector copies.")
    pcr: Assay = Field(description="qPCR of the transgene, copies/ug DNA.")
    flow: Assay = Field(description="Flow cytometry of CAR-positive cells, cells/uL.")


class GradedToxicity(Section):
    """Proportional odds of the worst grade on log2 sampled Cmax."""

    or_per_doubling: dict[str, Positive] = Field(
        description="Odds ratio of a higher grade per doubling of sampled Cmax, by indication."
    )
    burden_effect: float = Field(description="Change of the log odds per SD of tumour burden.")
    reference_cmax: Positive = Field(description="Cmax at which the probabilities hold, copies/ug.")
    reference_probability: dict[int, Share] = Field(
        description="Probability of at least that grade at reference Cmax and mean burden."
    )
    onset_day: Positive = Field(description="Median onset, days after infusion.")
    onset_sd: NonNegative = Field(description="SD of ln onset.")
    duration: Positive = Field(description="Median duration, days.")
    duration_sd: NonNegative = Field(description="SD of ln duration.")


class Response(Section):
    """Logistic model of objective response on log2 sampled AUC28."""

    or_per_doubling: Positive = Field(description="Odds ratio per doubling of sampled AUC28.")
    burden_effect: float = Field(description="Change of the log odds per SD of tumour burden.")
    reference_auc28: Positive = Field(
        description="AUC28 of the reference probability, copies/ug*d."
    )
    reference_probability: Share = Field(description="Probability at that AUC28 and mean burden.")
    complete_share: Share = Field(description="Share of responders with a complete response.")
    late_share: Share = Field(description="Share of NHL responders who respond only at month 3.")
    unknown_share: Share = Field(description="Share without an assessable response.")


class Rescue(Section):
    """Rescue medication given because of toxicity.

    A factor other than 1 multiplies the growth rate from the start of the medication to
    the time of the peak; the decline then begins from the level that was reached.
    """

    tocilizumab: tuple[Share, Share, Share] = Field(
        description="Probability by worst CRS grade 0-1, 2, 3 and above."
    )
    steroid: tuple[Share, Share, Share] = Field(
        description="Probability by the worse of CRS and ICANS grade 0-1, 2, 3 and above."
    )
    tocilizumab_on_growth: Positive = Field(
        1.0, description="Factor on the growth rate after tocilizumab; 1 is no effect."
    )
    steroid_on_growth: Positive = Field(
        1.0, description="Factor on the growth rate after corticosteroids; 1 is no effect."
    )


class Immunogenicity(Section):
    """Anti-CAR antibodies and what they do."""

    baseline_share: Share = Field(description="Positive at baseline, of evaluable subjects.")
    induced_share: Share = Field(description="Treatment-induced, of evaluable subjects.")
    boosted_share: Share = Field(description="Treatment-boosted, of evaluable subjects.")
    false_positive_share: Share = Field(description="Screening positives among negative samples.")
    alpha_factor: Positive = Field(description="Factor on the contraction rate after onset.")
    flow_factor: Positive = Field(description="Factor on the flow-to-PCR ratio after onset.")


class StudySpecification(Section):
    """Everything that makes a simulated CAR-T study, and the seed."""

    study: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,15}$", description="STUDYID.")
    seed: Annotated[int, Field(ge=0)] = Field(description="Seed of all random streams.")
    enrolment: Enrolment
    dosing: Dosing
    processes: tuple[Process, Process] = Field(description="Earlier and later process.")
    kinetics: Kinetics
    sampling: Sampling
    crs: GradedToxicity
    icans: GradedToxicity
    response: Response
    rescue: Rescue
    immunogenicity: Immunogenicity
    assay_change: AssayChange
    survival: Survival
    handling: Handling
    cellular_immunity: CellularImmunity
    special_events: SpecialEvents

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if self.enrolment.adolescents > round(self.enrolment.all_share * self.enrolment.infused):
            raise ValueError("There are more adolescents than infused subjects with ALL.")
        if self.enrolment.last_consent >= self.enrolment.data_cutoff:
            raise ValueError("The last consent must lie before the data cut-off.")
        for name in ("crs", "icans"):
            toxicity: GradedToxicity = getattr(self, name)
            if set(toxicity.or_per_doubling) != {"ALL", "NHL"}:
                raise ValueError(f"{name}.or_per_doubling must name ALL and NHL.")
            ordered = [toxicity.reference_probability.get(g, -1.0) for g in (1, 2, 3, 4)]
            if min(ordered) <= 0 or ordered != sorted(ordered, reverse=True):
                raise ValueError(
                    f"{name}.reference_probability must give grades 1 to 4, never rising."
                )
        return self

    def resized(self, infused: int) -> StudySpecification:
        """Scale the numbers of subjects to ``infused``; shares and effects stay."""
        factor = infused / self.enrolment.infused
        enrolment = self.enrolment.model_dump() | {
            name: round(getattr(self.enrolment, name) * factor)
            for name in ("manufacturing_failures", "lost_before_infusion", "adolescents")
        }
        dosing = self.dosing.model_dump() | {
            name: round(getattr(self.dosing, name) * factor)
            for name in ("retreatments", "unplanned_reinfusions")
        }
        return StudySpecification.model_validate(
            self.model_dump() | {"enrolment": enrolment | {"infused": infused}, "dosing": dosing}
        )

    def reseeded(self, seed: int) -> StudySpecification:
        """Give the same study another seed."""
        return StudySpecification.model_validate(self.model_dump() | {"seed": seed})

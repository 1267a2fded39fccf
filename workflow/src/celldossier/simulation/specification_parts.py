"""Parts of the specification that came after the first: one model a topic.

:mod:`celldossier.simulation.specification` puts them together.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from celldossier.settings.base import Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Assay(Section):
    """A bioanalytical method for the cells."""

    lloq: Positive = Field(description="Lower limit of quantification, unit of the analyte.")
    uloq: Positive = Field(description="Upper limit of quantification, unit of the analyte.")
    residual_sd: NonNegative = Field(description="SD of the ln residual.")


class AssayChange(Assay):
    """The PCR assay that follows the first one, and the samples that tie both together.

    A concentration c of the first assay is ``factor`` x c ** ``slope`` in the second. All
    samples of a subject are measured by one assay, which the date of infusion decides.
    """

    first_share: Share = Field(
        description="Share of infused subjects on the first assay, in order of infusion."
    )
    factor: Positive = Field(description="Result of the second over the first assay.")
    slope: Positive = Field(description="Slope of ln second on ln first assay.")
    bridging_subjects: Count = Field(
        description="Subjects of the first assay whose samples were measured again."
    )
    bridging_days: tuple[float, ...] = Field(description="Nominal days of those samples.")


class Escalation(Section):
    """Dose escalation in cohorts by the BOIN design (Liu and Yuan 2015)."""

    cohort_size: int = Field(ge=1, description="Subjects a cohort.")
    cohorts: Count = Field(description="Number of cohorts.")
    target: float = Field(gt=0, lt=0.7, description="Target probability of a DLT.")
    window: Positive = Field(
        description="DLT window, days: it closes for a cohort before the next one is infused."
    )


class Survival(Section):
    """Progression-free survival by proportional hazards on log2 sampled AUC28.

    The cumulative hazard at reference AUC28 is ``early_hazard`` at the day 28 visit and
    rises by ln 2 x ((t - 28) / ``median``) ** ``shape`` after it.
    """

    hr_per_doubling: Positive = Field(description="Hazard ratio per doubling of sampled AUC28.")
    burden_effect: float = Field(description="Change of the log hazard per SD of tumour burden.")
    reference_auc28: Positive = Field(description="AUC28 of the reference hazard, copies/ug*d.")
    early_hazard: NonNegative = Field(description="Cumulative hazard at the day 28 visit.")
    median: Positive = Field(description="Days after day 28 until it has risen by ln 2.")
    shape: Positive = Field(description="Weibull shape of the hazard after day 28.")
    death_share: Share = Field(
        description="Share of later events that are deaths, not progression."
    )
    death_after_progression_median: Positive = Field(description="Median days to death after it.")
    new_therapy_share: Share = Field(description="Share who start a new therapy after progression.")
    lost_share: Share = Field(description="Share lost to follow-up, if alive until then.")
    withdrawn_share: Share = Field(description="Share who withdraw consent, if alive until then.")


class Handling(Section):
    """Serum samples that were processed late."""

    delayed_share: Share = Field(description="Share of serum samples with delayed processing.")
    il6_factor: Positive = Field(description="Factor on IL-6 of such a sample; others: 1.")


class CellularImmunity(Section):
    """ELISpot: spot-forming units of interferon gamma in 10^6 cells."""

    share: Share = Field(description="Share with a cellular response, without new antibodies.")
    emergent_share: Share = Field(description="The same among those with new antibodies.")
    background: Positive = Field(description="Median count without a response.")
    responding: Positive = Field(description="Median count after the onset of a response.")
    sd: NonNegative = Field(description="SD of the ln count.")


class SpecialEvents(Section):
    """Events of special interest other than CRS and ICANS."""

    hlh_share: Share = Field(description="HLH-like syndrome with CRS below grade 3, or none.")
    hlh_severe_share: Share = Field(description="HLH-like syndrome with CRS of grade 3 or above.")
    malignancy_share: Share = Field(description="Secondary malignancy.")
    malignancy_from: Positive = Field(description="Earliest onset of it, days.")


class AllogeneicProduct(Section):
    """Lots of an allogeneic product; a lot serves several subjects."""

    donors: int = Field(ge=1, description="Donors.")
    lots: int = Field(ge=1, description="Lots, each of one donor.")
    lead_days: Positive = Field(description="Manufacture of the first lot before first consent, d.")
    release_days: Positive = Field(description="Manufacture to release, days.")
    viability: Positive = Field(description="Typical viability after thaw, %.")
    viability_sd: NonNegative = Field(description="SD of viability, %.")

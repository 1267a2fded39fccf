"""Part `operating_characteristics` of the section `dose_exploration`: simulated scenarios."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Bilingual, Section
from celldossier.settings.dose_escalation import DesignName

Share = Annotated[float, Field(ge=0, le=1)]


class Scenario(Section):
    """True rates of each dose level, from the lowest."""

    name: Bilingual = Field(description="Name in tables.")
    toxicity: tuple[Share, ...] = Field(
        min_length=1,
        description="True rates of dose-limiting toxicity, as shares; they never fall.",
    )
    efficacy: tuple[Share, ...] = Field(
        (), description="True rates of response, as shares. Blank: responses are not counted."
    )

    @model_validator(mode="after")
    def _rates_agree(self) -> Self:
        if list(self.toxicity) != sorted(self.toxicity):
            raise ValueError("the rates of toxicity fall from one level to the next")
        if self.efficacy and len(self.efficacy) != len(self.toxicity):
            raise ValueError("toxicity and efficacy differ in their number of dose levels")
        return self


class OperatingCharacteristicsSettings(Section):
    """Scenarios under which the designs are simulated.

    Nothing is simulated where the escalation names no design. Target, interval, elimination and
    the number at which a dose is full are those of `escalation`.
    """

    scenarios: tuple[Scenario, ...] = Field((), description="Scenarios of the study, in order.")
    default_scenarios: bool = Field(
        True,
        description=(
            "Simulate, for the dose levels of the study, also: the maximum tolerated dose at each "
            "level, the target between two levels, every level too toxic, every level safe."
        ),
    )
    odds_ratio: float = Field(
        2.5,
        gt=1,
        le=100,
        description="Ratio of the odds of toxicity of neighbouring levels in those scenarios.",
    )
    designs: tuple[DesignName, ...] = Field(
        (), description="Designs that are simulated. Blank: those of `escalation`."
    )
    trials: int = Field(
        10_000, ge=100, le=200_000, description="Simulated trials of each design and scenario."
    )
    seed: int = Field(
        20261126,
        ge=0,
        description="Seed; the subjects of a scenario follow from it and the scenario's number.",
    )
    start_level: int = Field(1, ge=1, description="Number of the first dose level.")
    cohort_size: Annotated[int, Field(ge=1, le=20)] | None = Field(
        None, description="Subjects of a cohort (3+3: three). Blank: that of `escalation`."
    )
    cohorts: Annotated[int, Field(ge=1, le=60)] | None = Field(
        None,
        description=(
            "Cohorts at which a trial ends (3+3 ends by its own rule). Blank: what `max_total` of "
            "`escalation` allows, or 12."
        ),
    )
    fill_last: bool = Field(
        True,
        description=(
            "3+3: fill the dose below the first too toxic one up to six subjects before it is "
            "declared the maximum tolerated dose."
        ),
    )
    overdose_share: float = Field(
        0.6,
        gt=0,
        lt=1,
        description=(
            "Share of the subjects of a trial above the maximum tolerated dose beyond which the "
            "trial counts as overdosed."
        ),
    )

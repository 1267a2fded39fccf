"""What the specifications of the smaller kinds of study share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from celldossier.settings.base import Section
from celldossier.simulation.background import ArmLevel, Population, SmallEnrolment
from celldossier.simulation.specification import NonNegative, Positive


class ArmDosing(Section):
    """Dose levels, and the actual dose around the planned one."""

    levels: tuple[ArmLevel, ...] = Field(min_length=1, description="Levels in rising order.")
    dlt_window: Positive = Field(
        description="DLT window, days: it closes for a level before the escalation goes on."
    )
    reference: Positive = Field(description="Dose at which the typical values hold, 10^6 cells.")
    actual_ln_sd: NonNegative = Field(description="SD of ln(actual dose / planned dose).")


class SmallSpecification(Section):
    """Identity, seed and people of a simulated study."""

    study: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,15}$", description="STUDYID.")
    seed: Annotated[int, Field(ge=0)] = Field(description="Seed of all random streams.")
    enrolment: SmallEnrolment
    population: Population

    def resized(self, infused: int) -> Self:
        """Scale the numbers of subjects to ``infused``; shares and effects stay."""
        enrolment = self.enrolment.resized(infused)
        return type(self).model_validate(self.model_dump() | {"enrolment": enrolment})

    def reseeded(self, seed: int) -> Self:
        """Give the same study another seed."""
        return type(self).model_validate(self.model_dump() | {"seed": seed})

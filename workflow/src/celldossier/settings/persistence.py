"""Part `persistence` of section `cellular_kinetics`: the duration of quantifiability."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from celldossier.settings.base import Section


class Landmark(Section):
    """A time at which the share of quantifiable subjects is counted."""

    label: Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{1,4}$")] = Field(
        description="Name in tables: D28 for day 28, M3 for month 3."
    )
    day: float = Field(gt=0, description="Days since the start of the first infusion.")
    window: float = Field(
        ge=0, description="Largest distance of a sample from `day`, days, on either side."
    )


LANDMARKS = (
    Landmark(label="D28", day=28, window=7),
    Landmark(label="M3", day=90, window=15),
    Landmark(label="M6", day=180, window=30),
    Landmark(label="M12", day=360, window=45),
    Landmark(label="M24", day=720, window=60),
)


class PersistenceSettings(Section):
    """Duration of quantifiability of the cells in blood (R20, S8.5-1)."""

    landmarks: tuple[Landmark, ...] = Field(
        LANDMARKS, description="Times at which it is counted and estimated, in order."
    )
    relapse: Literal["compete", "ignore"] = Field(
        "compete",
        description=(
            "Progression or relapse before the loss: compete (it ends the observation as death "
            "and a new therapy do: censored in Kaplan-Meier, competing in Aalen-Johansen) or "
            "ignore (samples after it count)."
        ),
    )
    missed_samples: int = Field(
        2,
        ge=1,
        description=(
            "Planned sampling days without a sample, between the last sample and a death, relapse "
            "or new therapy, from which that event no longer competes: the subject is censored at "
            "the last quantifiable sample, since sampling had stopped long before. So is one whose "
            "event came after the last planned sampling day: no loss could have been seen."
        ),
    )
    sampling_window: float = Field(
        7, ge=0, description="Largest distance of a sample from its planned day, days."
    )
    min_subjects: int = Field(
        10,
        ge=3,
        description="Least number of subjects of a group for which durations are estimated.",
    )
    confidence_level: float = Field(
        0.95, gt=0, lt=1, description="Level of all confidence limits of the duration."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        labels = [landmark.label for landmark in self.landmarks]
        if len(set(labels)) < len(labels):
            raise ValueError("a landmark is named twice")
        days = [landmark.day for landmark in self.landmarks]
        if sorted(set(days)) != days:
            raise ValueError("the landmarks are not in the order of their days")
        return self

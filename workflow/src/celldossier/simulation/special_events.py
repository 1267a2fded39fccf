"""Cytopenias and the rarer events of special interest: HLH, secondary malignancy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.laboratory import BloodCounts
from celldossier.simulation.outcomes import Toxicity
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Grades = NDArray[np.int64]

PROLONGED_DAY = 28.0  # a cytopenia of grade 3 or above that goes on after it is prolonged


@dataclass(frozen=True)
class Event:
    """One kind of event: grade (0 where absent), onset and end in days."""

    grade: Grades
    onset: Array
    end: Array


@dataclass(frozen=True)
class SpecialToxicity:
    """Events of special interest other than CRS and ICANS, by infused subject."""

    neutropenia: Event
    thrombocytopenia: Event
    hlh: Event
    malignancy: Event

    def prolonged_cytopenia(self, last_day: Array) -> Flags:
        """Who has a cytopenia of grade 3 or above that goes on after day 28."""
        found = np.zeros(last_day.size, dtype=bool)
        for event in (self.neutropenia, self.thrombocytopenia):
            found |= (
                (event.grade >= 3)
                & (event.onset <= PROLONGED_DAY)
                & (np.minimum(event.end, last_day) > PROLONGED_DAY)
            )
        return found


def draw_special_toxicity(
    spec: StudySpecification, counts: BloodCounts, crs: Toxicity, early_death_day: Array
) -> SpecialToxicity:
    """Draw the events; those of the blood follow the counts that the laboratory sees."""
    rng = open_stream(spec.seed, "cytopenias")
    n = counts.depth.size
    nadir = counts.neutrophils * np.exp(-counts.depth)
    neutropenia = Event(
        grade=np.select([nadir < 0.5, nadir < 1.0, nadir < 1.5], [4, 3, 2], default=0),
        onset=np.maximum(counts.nadir_day - rng.uniform(2.0, 4.5, n), 0.7),
        end=counts.nadir_day + counts.recovery_days * rng.uniform(0.8, 1.6, n),
    )
    low = counts.platelets * np.exp(-0.55 * counts.depth)
    thrombocytopenia = Event(
        grade=np.select([low < 25, low < 50, low < 75], [4, 3, 2], default=0),
        onset=counts.nadir_day + 4 - rng.uniform(1.0, 3.0, n),
        end=counts.nadir_day + 4 + 1.4 * counts.recovery_days * rng.uniform(0.8, 1.6, n),
    )
    rng = open_stream(spec.seed, "special_events")
    truth = spec.special_events
    severe = crs.grade >= 3
    chance = np.where(severe, truth.hlh_severe_share, truth.hlh_share)
    chance = np.where(np.isnan(early_death_day), chance, 0.0)
    onset = np.nan_to_num(crs.end, nan=12.0) + rng.uniform(0.5, 5.0, n)
    hlh = Event(
        grade=np.where(rng.uniform(size=n) < chance, 3 + (rng.uniform(size=n) < 0.4), 0),
        onset=onset,
        end=onset + 4 + 8 * rng.exponential(size=n),
    )
    late = truth.malignancy_from + 400 * rng.uniform(size=n)
    present = rng.uniform(size=n) < truth.malignancy_share
    malignancy = Event(np.where(present, 3, 0), late, np.full(n, np.inf))
    return SpecialToxicity(neutropenia, thrombocytopenia, hlh, malignancy)

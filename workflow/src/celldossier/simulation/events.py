"""Adverse events of infused subjects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.escalation import draw_thresholds
from celldossier.simulation.outcomes import DiseaseCourse, Toxicity
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    shift_days,
)
from celldossier.simulation.special_events import SpecialToxicity
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]


ASTCT, CTCAE = "ASTCT 2019", "CTCAE 5.0"
FATAL = 5
NEVER_SERIOUS = 9
BLOOD = "Blood and lymphatic system disorders"
GASTRO = "Gastrointestinal disorders"
IMMUNE = "Immune system disorders"
INFECTION = "Infections and infestations"
INVESTIGATION = "Investigations"
NEOPLASM = "Neoplasms benign, malignant and unspecified (incl cysts and polyps)"
NERVOUS = "Nervous system disorders"
GENERAL = "General disorders and administration site conditions"
RENAL = "Renal and urinary disorders"
CARDIAC = "Cardiac disorders"

# Term, system, probability, grades 1 to 3 with their probabilities, first and last
# onset day, mean duration in days.
OTHER_EVENTS: tuple[
    tuple[str, str, float, tuple[float, float, float], float, float, float], ...
] = (
    ("Nausea", GASTRO, 0.35, (0.6, 0.35, 0.05), 1, 30, 5),
    ("Diarrhoea", GASTRO, 0.22, (0.6, 0.3, 0.1), 1, 60, 6),
    ("Headache", NERVOUS, 0.28, (0.65, 0.3, 0.05), 1, 40, 4),
    ("Fatigue", GENERAL, 0.40, (0.5, 0.4, 0.1), 1, 60, 20),
    ("Hypogammaglobulinaemia", IMMUNE, 0.38, (0.3, 0.6, 0.1), 20, 90, 150),
    ("Upper respiratory tract infection", INFECTION, 0.20, (0.3, 0.6, 0.1), 10, 250, 10),
    ("Pneumonia", INFECTION, 0.12, (0.0, 0.3, 0.7), 7, 200, 16),
    ("Cytomegalovirus infection reactivation", INFECTION, 0.08, (0.1, 0.6, 0.3), 15, 100, 20),
    ("Urinary tract infection", INFECTION, 0.07, (0.1, 0.7, 0.2), 5, 200, 8),
)
DLT_EVENTS = (
    ("Alanine aminotransferase increased", INVESTIGATION),
    ("Acute kidney injury", RENAL),
    ("Cardiac failure", CARDIAC),
)


def draw_dose_limiting(spec: StudySpecification, infused: pd.DataFrame) -> NDArray[np.bool_]:
    """Draw by planned dose level who has a dose-limiting toxicity other than CRS and ICANS."""
    chance = np.array([level.dlt_probability for level in spec.dosing.levels])
    present: NDArray[np.bool_] = draw_thresholds(spec) < chance[infused["DOSELEVEL"].to_numpy()]
    return present


class EventListing:
    """Collects adverse events, one block of records a term.

    Events that begin after the last day of follow-up are not seen; an end after it
    is left open. ASTCT events bear datetimes, the others dates.
    """

    def __init__(self, infused: pd.DataFrame, last_day: Array) -> None:
        self.start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
        self.users = infused["USUBJID"].to_numpy()
        self.last_day = last_day
        self.blocks: list[pd.DataFrame] = []

    def add(
        self,
        present: NDArray[np.bool_],
        term: str,
        system: str,
        grade: NDArray[np.int64],
        onset: Array,
        end: Array,
        scale: str = CTCAE,
        serious_from: int = 3,
        related: bool = False,
        dose_limiting: bool = False,
    ) -> None:
        """Add one term for those in whom it is present (days since infusion)."""
        seen = present & (onset < self.last_day)
        write = format_datetimes if scale == ASTCT else format_dates
        known = (end <= self.last_day) | (grade == FATAL)
        ended = np.where(known, np.minimum(end, self.last_day), np.nan)
        self.blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": self.users[seen],
                    "AETERM": term.upper(),
                    "AEDECOD": term,
                    "AEBODSYS": system,
                    "AETOXGR": grade[seen].astype(str),
                    "AESER": np.where(grade[seen] >= serious_from, "Y", "N"),
                    "AEREL": "RELATED" if related else "NOT RELATED",
                    "AEOUT": np.where(
                        grade[seen] == FATAL,
                        "FATAL",
                        np.where(known[seen], "RECOVERED/RESOLVED", "NOT RECOVERED/NOT RESOLVED"),
                    ),
                    "AEDLT": "Y" if dose_limiting else "N",
                    "AESTDTC": write(shift_days(self.start[seen], onset[seen])),
                    "AEENDTC": write(shift_days(self.start[seen], ended[seen])),
                    "AESCAT": scale,
                }
            )
        )


def write_adverse_events(
    spec: StudySpecification,
    infused: pd.DataFrame,
    crs: Toxicity,
    icans: Toxicity,
    dose_limiting: NDArray[np.bool_],
    special: SpecialToxicity,
    course: DiseaseCourse,
    last_day: Array,
) -> pd.DataFrame:
    """Lay out ``ae.csv``.

    CRS and ICANS bear datetimes and their worst grade; the other events bear dates.

    Parameters
    ----------
    last_day
        Last day of follow-up (death or cut-off): later events are not seen, and an
        end after it is left open.
    """
    rng = open_stream(spec.seed, "adverse_events")
    n = len(infused)
    listing = EventListing(infused, last_day)
    add = listing.add
    for toxicity, term, system in (
        (crs, "Cytokine release syndrome", IMMUNE),
        (icans, "Immune effector cell-associated neurotoxicity syndrome", NERVOUS),
    ):
        grade, onset, end = toxicity.grade, toxicity.onset, toxicity.end
        add(grade > 0, term, system, grade, onset, end, ASTCT, related=True)
    _add_special(special, add)
    onset = special.neutropenia.onset
    grade = rng.integers(2, 4, n)
    end = onset + 5 + 20 * rng.exponential(size=n)
    anaemic = rng.uniform(size=n) < 0.6
    add(anaemic, "Anaemia", BLOOD, grade, onset, end, serious_from=NEVER_SERIOUS, related=True)
    for term, system, chance, shares, first, latest, duration in OTHER_EVENTS:
        grade = 1 + np.searchsorted(np.cumsum(shares[:2]), rng.uniform(size=n), side="right")
        onset = rng.uniform(first, latest, n)
        end = onset + 1 + duration * rng.exponential(size=n)
        present = rng.uniform(size=n) < chance
        related = term == "Hypogammaglobulinaemia"
        add(present, term, system, grade.astype(np.int64), onset, end, related=related)
    kind = rng.integers(0, len(DLT_EVENTS), n)
    onset = rng.uniform(3, 20, n)
    onset = np.minimum(onset, last_day - 2)
    end = onset + 2 + 6 * rng.exponential(size=n)
    grade = 3 + (rng.uniform(size=n) < 0.3).astype(np.int64)
    for place, (term, system) in enumerate(DLT_EVENTS):
        chosen = dose_limiting & (kind == place)
        add(chosen, term, system, grade, onset, end, related=True, dose_limiting=True)
    # Half of the early deaths are infections, the others are due to the disease.
    early = course.death_day < 28
    septic = early & (rng.uniform(size=n) < 0.5)
    fatal_onset = np.where(early, course.death_day - rng.uniform(1.2, 4.0, n), np.nan)
    add(septic, "Sepsis", INFECTION, np.full(n, FATAL), fatal_onset, course.death_day)
    frame = pd.concat(listing.blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "ae", ["AESTDTC", "AEDECOD"])


def _add_special(special: SpecialToxicity, add: Callable[..., None]) -> None:
    """Events of special interest other than CRS and ICANS."""
    for event, term, system, serious_from, related in (
        (
            special.neutropenia,
            "Neutrophil count decreased",
            INVESTIGATION,
            NEVER_SERIOUS,
            True,
        ),
        (
            special.thrombocytopenia,
            "Platelet count decreased",
            INVESTIGATION,
            NEVER_SERIOUS,
            True,
        ),
        (special.hlh, "Haemophagocytic lymphohistiocytosis", IMMUNE, 1, True),
        (special.malignancy, "Myelodysplastic syndrome", NEOPLASM, 1, True),
    ):
        add(
            event.grade > 0,
            term,
            system,
            event.grade,
            event.onset,
            event.end,
            serious_from=serious_from,
            related=related,
        )

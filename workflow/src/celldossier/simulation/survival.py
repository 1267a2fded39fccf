"""Course of disease after the response: progression, death, follow-up, new therapy.

Progression-free survival is drawn first and follows its hazard ratio exactly. The
response is tied to it: of all subjects with the same exposure and burden, those who
respond are those who stay free of progression for longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.exposure import SampledExposure
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    move_to_midnight,
    shift_days,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Antibody status is settled at month 3: nobody who is alive at day 28 dies or leaves before.
EARLIEST_LATER_DEATH = 110.0
LEAVING_SPAN = 600.0
CONTACT_DAYS = 14.0  # the last contact of those in follow-up lies within two weeks of cut-off


def compute_log_hazard_ratio(
    spec: StudySpecification, infused: pd.DataFrame, exposure: SampledExposure
) -> Array:
    """Log hazard of each subject, relative to reference AUC28 and mean burden."""
    truth = spec.survival
    doublings = np.log2(np.maximum(exposure.auc28, 1.0) / truth.reference_auc28)
    burden = infused["BURDENZ"].to_numpy(dtype=float)
    log_ratio: Array = np.log(truth.hr_per_doubling) * doublings + truth.burden_effect * burden
    return log_ratio


def draw_event_times(
    spec: StudySpecification,
    log_hazard_ratio: Array,
    responder: Flags,
    response_probability: Array,
    uniform: Array,
    first_visit: Array,
) -> Array:
    """Time of progression or death of those alive at day 28, days.

    Parameters
    ----------
    responder, response_probability
        Response, and its probability given exposure and burden.
    uniform
        Uniform numbers, independent of the response.
    first_visit
        Actual day of the day 28 visit: the earliest time of an event.

    Notes
    -----
    The quantile of the event time is uniform between 0 and P(no response) for
    non-responders and above it for responders, so uniform over all: the hazard ratio
    holds whatever the response.
    """
    truth = spec.survival
    none = 1 - response_probability
    quantile = np.where(responder, none + (1 - none) * uniform, none * uniform)
    hazard = -np.log1p(-np.minimum(quantile, 1 - 1e-12)) * np.exp(-log_hazard_ratio)
    beyond = np.maximum(hazard - truth.early_hazard, 0.0)
    wait = truth.median * (beyond / np.log(2)) ** (1 / truth.shape)
    # A responder is not progressing at the visit at which the response is seen.
    event: Array = first_visit + np.where(responder, np.maximum(wait, 1.0), wait)
    return event


@dataclass(frozen=True)
class Departure:
    """How follow-up ends for who does not die.

    Attributes
    ----------
    end_day
        Last contact, day after infusion: the subject left, or the cut-off was near.
    left
        Whether the subject left the study: later deaths are not known.
    reason
        ``LOST TO FOLLOW-UP``, ``WITHDRAWAL BY SUBJECT`` or ``LAST CONTACT``.
    """

    end_day: Array
    left: Flags
    reason: NDArray[np.str_]


def draw_departure(spec: StudySpecification, cutoff_day: Array) -> Departure:
    """Draw who leaves the study and when, independent of all else."""
    rng = open_stream(spec.seed, "departure")
    truth, n = spec.survival, cutoff_day.size
    chance = rng.uniform(size=n)
    leaving = EARLIEST_LATER_DEATH + LEAVING_SPAN * rng.uniform(size=n)
    contact = cutoff_day - CONTACT_DAYS * rng.uniform(size=n)
    withdrawn = chance < truth.withdrawn_share
    left = (chance < truth.withdrawn_share + truth.lost_share) & (leaving < contact)
    reason = np.select(
        [left & withdrawn, left],
        ["WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"],
        default="LAST CONTACT",
    )
    return Departure(np.where(left, leaving, contact), left, reason)


def draw_new_therapy(
    spec: StudySpecification,
    infusion: NDArray[np.datetime64],
    progression_day: Array,
    last_day: Array,
    not_for: Flags,
) -> Array:
    """Day on which a new therapy begins after progression; NaN where none does.

    ``not_for`` marks those who are treated otherwise (infused again).
    """
    rng = open_stream(spec.seed, "new_therapy")
    n = infusion.size
    begun = progression_day + rng.uniform(7, 40, n)
    treated = (rng.uniform(size=n) < spec.survival.new_therapy_share) & ~not_for
    treated &= begun < last_day - 1
    return move_to_midnight(infusion, np.where(treated, begun, np.nan))


def write_disposition(
    spec: StudySpecification,
    infused: pd.DataFrame,
    departure: Departure,
    death_day: Array,
    last_day: Array,
) -> pd.DataFrame:
    """Lay out ``ds.csv``: how the follow-up of each infused subject ended."""
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    reason = np.where(np.isnan(death_day), departure.reason, "DEATH")
    frame = pd.DataFrame(
        {
            "USUBJID": infused["USUBJID"],
            "DSTERM": reason,
            "DSDECOD": reason,
            "DSCAT": np.where(reason == "LAST CONTACT", "OTHER EVENT", "DISPOSITION EVENT"),
            "DSSTDTC": format_dates(shift_days(start, last_day)),
        }
    )
    return finish_domain(frame, spec.study, "ds", ["DSSTDTC"])

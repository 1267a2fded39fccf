"""Cellular immune response against the receptor: ELISpot counts of interferon gamma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.records import format_datetimes, format_fixed, name_visits, shift_days
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ELISPOT_DAYS = (0.0, 28.0, 90.0, 180.0)


@dataclass(frozen=True)
class CellularResponse:
    """Who has a cellular response, and from which day on (infinite: never)."""

    present: Flags
    onset: Array


def draw_cellular_response(spec: StudySpecification, antibody_onset: Array) -> CellularResponse:
    """Draw the cellular response; it goes with new antibodies more often than not."""
    rng = open_stream(spec.seed, "cellular_response")
    truth = spec.cellular_immunity
    emergent = np.isfinite(antibody_onset)
    chance = np.where(emergent, truth.emergent_share, truth.share)
    n = antibody_onset.size
    present = rng.uniform(size=n) < chance
    day = np.where(emergent, antibody_onset, rng.uniform(13, 80, n))
    return CellularResponse(present, np.where(present, day, np.inf))


def lay_out_elispot(
    spec: StudySpecification,
    infused: pd.DataFrame,
    response: CellularResponse,
    times: Array,
    last_day: Array,
) -> list[pd.DataFrame]:
    """Records of ``is.csv`` in the tier CELLULAR, one block a visit.

    Parameters
    ----------
    times
        Actual days of ELISPOT_DAYS, shape (subjects, visits).
    """
    rng = open_stream(spec.seed, "elispot")
    truth = spec.cellular_immunity
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    level = np.where(times >= response.onset[:, np.newaxis], truth.responding, truth.background)
    counts = np.rint(level * np.exp(truth.sd * rng.standard_normal(times.shape)))
    missed = rng.uniform(size=times.shape) < spec.sampling.missed_share
    blocks = []
    for column, day in enumerate(ELISPOT_DAYS):
        taken = (times[:, column] <= last_day) & ~missed[:, column]
        number, visit = name_visits([day])
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": infused["USUBJID"].to_numpy()[taken],
                    "ISTESTCD": "ELISPOT",
                    "ISTEST": "Interferon Gamma ELISpot",
                    "ISBDAGNT": "CD19 CAR",
                    "ISCAT": "CELLULAR",
                    "ISORRES": format_fixed(counts[taken, column], 0),
                    "ISORRESU": "SFU/10^6 cells",
                    "ISSPEC": "PBMC",
                    "ISMETHOD": "ELISPOT",
                    "VISITNUM": number[0],
                    "VISIT": visit[0],
                    "ISTPTNUM": f"{day:g}",
                    "ISDTC": format_datetimes(shift_days(start[taken], times[taken, column])),
                }
            )
        )
    return blocks

"""Anti-CAR antibodies: who has them, since when, and the tiered assay results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.records import (
    finish_domain,
    format_datetimes,
    name_visits,
    shift_days,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota_within, open_stream

Array = NDArray[np.float64]

ANTIBODY_DAYS = (0.0, 28.0, 90.0, 180.0, 360.0)
SMALLEST_TITRE = 10  # minimum required dilution; titres are 10 x 2^k


@dataclass(frozen=True)
class Antibodies:
    """Truth of the antibodies of infused subjects."""

    evaluable: NDArray[np.bool_]
    baseline: NDArray[np.bool_]
    induced: NDArray[np.bool_]
    boosted: NDArray[np.bool_]
    onset: Array  # days; infinite where neither induced nor boosted


def draw_antibodies(spec: StudySpecification, early_death_day: Array) -> Antibodies:
    """Draw antibody status; shares are of evaluable subjects, met to the subject.

    Parameters
    ----------
    early_death_day
        Day of death before day 28, NaN where alive then. Who dies early has no
        sample after baseline and is not evaluable.
    """
    rng = open_stream(spec.seed, "antibodies")
    truth = spec.immunogenicity
    n = early_death_day.size
    evaluable = np.isnan(early_death_day)
    size = int(evaluable.sum())
    baseline = draw_quota_within(rng, evaluable, round(truth.baseline_share * size))
    baseline |= ~evaluable & (rng.uniform(size=n) < truth.baseline_share)
    induced = draw_quota_within(rng, evaluable & ~baseline, round(truth.induced_share * size))
    boosted = draw_quota_within(rng, evaluable & baseline, round(truth.boosted_share * size))
    # Two thirds are seen first at day 28, the others at month 3.
    early = rng.uniform(size=n) < 2 / 3
    day = np.where(early, rng.uniform(13, 25, n), rng.uniform(32, 80, n))
    onset = np.where(induced | boosted, day, np.inf)
    return Antibodies(evaluable, baseline, induced, boosted, onset)


def write_immunogenicity(
    spec: StudySpecification,
    infused: pd.DataFrame,
    antibodies: Antibodies,
    times: Array,
    last_day: Array,
    elispot: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Lay out ``is.csv``: screening, confirmation of positives, titre of confirmed ones.

    Parameters
    ----------
    times
        Actual days of ANTIBODY_DAYS, shape (subjects, visits).
    elispot
        Records of the cellular tier.
    last_day
        Last day of follow-up of each subject (death or cut-off).
    """
    rng = open_stream(spec.seed, "antibody_samples")
    n = len(infused)
    missed = rng.uniform(size=times.shape) < spec.sampling.missed_share
    base_steps = rng.integers(0, 5, n)
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    blocks = []
    for column, day in enumerate(ANTIBODY_DAYS):
        # Baseline, day 28 and month 3 decide who is induced or boosted: they are never missed.
        taken = (times[:, column] <= last_day) & (~missed[:, column] | (day <= 90))
        since = times[:, column] >= antibodies.onset
        positive = antibodies.baseline | (antibodies.induced & since)
        false_positive = ~positive & (
            rng.uniform(size=n) < spec.immunogenicity.false_positive_share
        )
        # Boosted: at least two dilution steps above baseline; others stay within one step.
        rise = np.where(antibodies.boosted & since, rng.integers(2, 5, n), rng.integers(-1, 2, n))
        steps = base_steps + np.where(day == 0, 0, rise)
        titre = SMALLEST_TITRE * 2 ** np.maximum(steps, 0)
        moments = shift_days(start, times[:, column])
        number, visit = name_visits([day])
        for category, tested, result in (
            ("SCREENING", taken, np.where(positive | false_positive, "POSITIVE", "NEGATIVE")),
            (
                "CONFIRMATORY",
                taken & (positive | false_positive),
                np.where(positive, "POSITIVE", "NEGATIVE"),
            ),
            ("TITER", taken & positive, titre.astype(str)),
        ):
            blocks.append(
                pd.DataFrame(
                    {
                        "USUBJID": infused["USUBJID"].to_numpy()[tested],
                        "ISTESTCD": "ADA_BAB",
                        "ISTEST": "Binding Antidrug Antibody",
                        "ISBDAGNT": "CD19 CAR",
                        "ISCAT": category,
                        "ISORRES": result[tested],
                        "ISORRESU": "titer" if category == "TITER" else "",
                        "ISSPEC": "SERUM",
                        "ISMETHOD": "ELECTROCHEMILUMINESCENCE",
                        "VISITNUM": number[0],
                        "VISIT": visit[0],
                        "ISTPTNUM": f"{day:g}",
                        "ISDTC": format_datetimes(moments[tested]),
                    }
                )
            )
    frame = pd.concat([*blocks, *elispot], ignore_index=True)
    tier = frame["ISCAT"].map({"SCREENING": 0, "CONFIRMATORY": 1, "TITER": 2, "CELLULAR": 3})
    frame = frame.assign(TIER=tier)
    return finish_domain(frame, spec.study, "is", ["ISDTC", "TIER"])

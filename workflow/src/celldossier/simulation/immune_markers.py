"""Further cytokines, lymphocyte subsets and haemoglobin, and the size of the tumours.

Beside the markers of :mod:`celldossier.simulation.laboratory`. They follow the cells, the CRS
and the response that were drawn before, and nothing that was drawn depends on them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.exposure import SampledExposure
from celldossier.simulation.outcomes import RESPONSE_DAYS, DiseaseCourse, Toxicity
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_numbers,
    name_visits,
    shift_days,
)
from celldossier.simulation.schedule import SCREENING_DAY, UNSCHEDULED_VISIT
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]

REFERENCE_CMAX = 20000.0

# Baseline median and ln SD; ln fold of the peak at reference exposure, its change per doubling
# of Cmax and per CRS grade, its ln SD; days from the onset of CRS to the peak, width in days.
CYTOKINES: dict[str, tuple[float, float, float, float, float, float, float, float]] = {
    "IL2": (1.5, 0.6, 1.2, 0.20, 0.25, 0.5, 0.5, 2.2),
    "IL10": (5.0, 0.7, 1.6, 0.20, 0.45, 0.5, 2.0, 2.8),
    "TNF": (9.0, 0.5, 0.7, 0.10, 0.25, 0.4, 1.0, 2.6),
    "TGFB1": (12.0, 0.4, -0.3, 0.0, 0.0, 0.3, 2.0, 6.0),
    "GZMB": (18.0, 0.6, 1.5, 0.25, 0.25, 0.5, 2.5, 3.5),
    "PRF1": (3.5, 0.5, 0.8, 0.15, 0.15, 0.4, 2.5, 3.5),
}
SUBSETS = ("CD3", "CD4", "CD8", "TREG")

# Size of the tumours over that before the infusion, by response: median and ln SD.
SIZE_BY_RESPONSE = {
    "CR": (0.08, 0.6),
    "PR": (0.32, 0.3),
    "SD": (0.85, 0.2),
    "PD": (1.9, 0.3),
}


def draw_cytokines(
    spec: StudySpecification, times: Array, exposure: SampledExposure, crs: Toxicity
) -> dict[str, Array]:
    """Cytokines in serum at the visits, shape (subjects, visits): a peak after the onset of CRS."""
    rng = open_stream(spec.seed, "further_cytokines")
    n = times.shape[0]
    doublings = np.log2(np.maximum(exposure.cmax, 25.0) / REFERENCE_CMAX)
    onset = np.where(np.isnan(crs.onset), 6.0, crs.onset)
    results = {}
    for code, (
        median,
        spread,
        peak,
        per_doubling,
        per_grade,
        sd,
        delay,
        width,
    ) in CYTOKINES.items():
        baseline = median * np.exp(spread * rng.standard_normal(n))
        fold = peak + per_doubling * doublings + per_grade * crs.grade + sd * rng.standard_normal(n)
        # A factor that rises does not fall below its baseline where little is infused.
        fold = np.maximum(fold, 0.0) if peak > 0 else fold
        shape = np.exp(-0.5 * ((times - (onset + delay)[:, np.newaxis]) / width) ** 2)
        shape = np.where(times > 0, shape, 0.0)
        noise = np.exp(0.2 * rng.standard_normal(times.shape))
        results[code] = baseline[:, np.newaxis] * np.exp(fold[:, np.newaxis] * shape) * noise
    return results


def draw_subsets(
    spec: StudySpecification, lymphocytes: Array, transgene_positive: Array, times: Array
) -> dict[str, Array]:
    """T cells and regulatory T cells in blood, cells/uL.

    The subject's own CD4+ cells recover late after lymphodepletion; the product adds mostly CD8+
    cells, so that the ratio falls while it expands.

    Parameters
    ----------
    lymphocytes
        All lymphocytes, 10^9/L, the product's cells among them.
    transgene_positive
        Cells of the product, cells/uL.
    """
    rng = open_stream(spec.seed, "lymphocyte_subsets")
    n = times.shape[0]
    own = np.maximum(1000 * lymphocytes - transgene_positive, 0.0)
    share = 0.72 * np.exp(0.08 * rng.standard_normal((n, 1)))
    helper = 1 / (1 + np.exp(-(0.35 + 0.4 * rng.standard_normal((n, 1)))))
    # CD4+ cells return later than CD8+ cells.
    helper = helper * np.where((times > 0) & (times < 200), 0.7, 1.0)
    product_helper = 0.30
    noise = np.exp(0.08 * rng.standard_normal((3, *times.shape)))
    own_t = own * np.minimum(share, 0.92)
    cd4 = (own_t * helper + product_helper * transgene_positive) * noise[0]
    cd8 = (own_t * (0.95 - helper) + (1 - product_helper) * transgene_positive) * noise[1]
    regulatory = 0.07 * own_t * helper * noise[2]
    return {"CD3": 1.03 * (cd4 + cd8), "CD4": cd4, "CD8": cd8, "TREG": regulatory}


def draw_haemoglobin(spec: StudySpecification, times: Array) -> Array:
    """Haemoglobin, g/L: lowest in the third week after lymphodepletion."""
    rng = open_stream(spec.seed, "haemoglobin")
    n = times.shape[0]
    baseline = 108.0 * np.exp(0.12 * rng.standard_normal((n, 1)))
    fall = np.clip(0.22 + 0.08 * rng.standard_normal((n, 1)), 0.02, 0.45)
    recovery = 25.0 * np.exp(0.3 * rng.standard_normal((n, 1)))
    width = np.where(times < 14, 9.0, recovery)
    course = np.exp(-(((times - 14) / width) ** 2))
    values: Array = baseline * (1 - np.where(times < -5, 0.0, fall * course))
    return values * np.exp(0.03 * rng.standard_normal(times.shape))


def draw_size_ratios(rng: np.random.Generator, responses: NDArray[np.str_]) -> Array:
    """Size of the tumours over that before the infusion, by response; NaN where it is not known."""
    noise = rng.standard_normal(responses.shape)
    ratio = np.full(responses.shape, np.nan)
    for code, (median, spread) in SIZE_BY_RESPONSE.items():
        ratio = np.where(responses == code, median * np.exp(spread * noise), ratio)
    return ratio


def write_tumours(
    spec: StudySpecification, infused: pd.DataFrame, course: DiseaseCourse, visit_days: Array
) -> pd.DataFrame:
    """Lay out ``tr.csv``: sum of the products of diameters in lymphoma, with each assessment."""
    rng = open_stream(spec.seed, "tumours")
    n = len(infused)
    lymphoma = (infused["INDIC"] == "NHL").to_numpy()
    before = infused["BURDEN"].to_numpy(dtype=float)
    ratio = draw_size_ratios(rng, course.assessments)
    # A complete response by metabolism leaves a residual mass in some, nothing in the others.
    gone = rng.uniform(size=(n, 1)) < 0.5
    size = np.where(gone & (course.assessments == "CR"), 0.0, ratio * before[:, np.newaxis])
    rows, columns = np.nonzero(lymphoma[:, np.newaxis] & ~np.isnan(size))
    found = np.flatnonzero(course.unscheduled & lymphoma)
    growth = 1.9 * np.exp(0.3 * rng.standard_normal(n))
    number, visit = name_visits(np.array(RESPONSE_DAYS)[columns])
    screened = np.flatnonzero(lymphoma)
    first_number, first_visit = name_visits(np.full(screened.size, SCREENING_DAY))
    who = np.concatenate([screened, rows, found])
    values = np.concatenate([before[screened], size[rows, columns], (growth * before)[found]])
    days = np.concatenate(
        [
            np.full(screened.size, SCREENING_DAY),
            visit_days[rows, columns],
            course.progression_day[found],
        ]
    )
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    planned = [
        *[f"{SCREENING_DAY:g}"] * screened.size,
        *(f"{RESPONSE_DAYS[column]:g}" for column in columns.tolist()),
        *[""] * found.size,
    ]
    frame = pd.DataFrame(
        {
            "USUBJID": infused["USUBJID"].to_numpy()[who],
            "TRTESTCD": "SPD",
            "TRTEST": "Sum of Products of Diameters",
            "TRORRES": format_numbers(values, 4),
            "TRORRESU": "mm2",
            "TRMETHOD": "CT SCAN",
            "VISITNUM": [*first_number, *number, *[UNSCHEDULED_VISIT[0]] * found.size],
            "VISIT": [*first_visit, *visit, *[UNSCHEDULED_VISIT[1]] * found.size],
            "TRTPTNUM": planned,
            "TRDTC": format_dates(shift_days(start[who], days)),
        }
    )
    return finish_domain(frame, spec.study, "tr", ["TRTESTCD", "TRDTC"])

"""Subjects of a time-to-event model: from when on they are at risk, and with which exposure.

The clock of an endpoint runs from its origin: the infusion, the first response (DOR), the
start of a condition. A landmark counts from the infusion. Subjects enter the risk set on
the clock of the endpoint at the landmark or at the origin, whichever is later (left
truncation). Where all have the infusion as origin this gives the same partial likelihood as a
new origin at the landmark; for a response that comes after the landmark nothing is cut off,
and the hazard keeps its own clock.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.exposure_response.ader import find_peak_at_site
from celldossier.exposure_response.plan import PlanCell, adjustment_variables, make_design
from celldossier.exposure_response.study import KEY, Study
from celldossier.settings.endpoints import EndpointRule

Floats = NDArray[np.float64]
AREA = re.compile(r"^AUC(\d+)$")
DOSE = re.compile(r"^DOSE")
PEAK = ("CMAX", "CMAXTMAX", "EXPRATE")
"""Metrics that are known once the peak in the central compartment has passed."""
SITE_PEAK = "CMAXSITE"
"""Metric that is known once the peak at the target site has passed."""


@dataclass(frozen=True)
class SurvivalRows:
    """Subjects that a model uses, a row each.

    Attributes
    ----------
    subject
        Labels of the rows of ADER.
    start, stop
        On the clock of the endpoint, days; `start` is -inf where there is no landmark.
    value
        Metric as it stands in ADER; 0 for a subject that was never quantifiable, 1 where
        exposure changes with time.
    counts
        n_er and the subjects left out: n_nooutcome, n_before (the event or the end of the
        observation came before the landmark), n_noexposure, n_late (the peak came after the
        landmark), n_blq, n_nocovariate; and events_before. n_er is the sum of the subjects.
    """

    subject: pd.Index
    start: Floats
    stop: Floats
    event: NDArray[np.bool_]
    value: Floats
    covariates: pd.DataFrame
    stratum: NDArray[np.str_]
    counts: dict[str, float]
    reason: str = ""

    def keep(self, mask: NDArray[np.bool_]) -> SurvivalRows:
        """The rows that the mask keeps."""
        return replace(
            self,
            subject=self.subject[mask],
            start=self.start[mask],
            stop=self.stop[mask],
            event=self.event[mask],
            value=self.value[mask],
            covariates=self.covariates.loc[mask].reset_index(drop=True),
            stratum=self.stratum[mask],
        )


def find_landmark(metric: str, endpoint: EndpointRule, study: Study) -> float:
    """Landmark of a metric, days from the infusion; NaN for a dose, known at once."""
    options = study.settings.time_to_event
    if DOSE.match(metric):
        return math.nan
    if metric.startswith("CLD"):
        return float(metric.removeprefix("CLD"))
    area = AREA.match(metric)
    return max(options.landmark, float(area[1])) if area else options.landmark


def find_clock_offset(study: Study, endpoint: EndpointRule) -> float:
    """Number that the day of the origin has on the clock of an endpoint: 0 or 1.

    Durations of events of special interest count their first day. Whether ADTTE does is a
    setting of the stage that made it (`first_day`), read off its dates here.
    """
    if endpoint.source == "resolution":
        return 1.0
    rows = study.sources.adtte.loc[study.sources.adtte["PARAMCD"] == endpoint.time]
    rows = rows.loc[rows["AVAL"].notna()]
    first, last = (
        pd.to_datetime(rows[name].str.slice(0, 10), errors="coerce") for name in ("STARTDT", "ADT")
    )
    offsets = (rows["AVAL"] - (last - first).dt.days).dropna().to_numpy(dtype=float)
    return float(np.round(np.median(offsets))) if offsets.size else 0.0


def select_rows(
    study: Study,
    cell: PlanCell,
    *,
    first_sample: pd.Series | None = None,
    keep_blq: bool = False,
) -> SurvivalRows:
    """Subjects of the E-R population that a cell uses.

    Parameters
    ----------
    first_sample
        For exposure that changes with time: day from the infusion from which on it is known,
        in the rows of ADER. Who leaves before it has no exposure.
    keep_blq
        Whether subjects that were never quantifiable stay, with the value 0: groups by rank
        can hold them, a logarithm cannot.
    """
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    values = study.values(cell.endpoint).loc[population.index]
    counts = {"n_er": float(len(population))}
    known = values["AVAL"].notna() & values["STARTDY"].notna()
    counts["n_nooutcome"] = float((~known).sum())
    kept, values = population.loc[known], values.loc[known]
    start = find_entry(study, cell, kept, values)
    stop = values["AVAL"].to_numpy(dtype=float)
    event = values["CNSR"].to_numpy(dtype=float) == 0
    before = stop <= start
    counts["n_before"] = float(before.sum())
    counts["events_before"] = float((before & event).sum())
    kept, start, stop, event = kept.loc[~before], start[~before], stop[~before], event[~before]
    left = len(kept)
    if first_sample is None:
        exposure = kept[cell.variable].to_numpy(dtype=float)
    else:
        day = first_sample.loc[kept.index] - values.loc[kept.index, "STARTDY"]
        seen = day.to_numpy(dtype=float) + find_clock_offset(study, cell.endpoint) < stop
        exposure = np.where(seen, 1.0, math.nan)
    missing = np.isnan(exposure)
    counts["n_noexposure"] = float(missing.sum())
    late = ~missing & is_late(study, cell, kept)
    counts["n_late"] = float(late.sum())
    blq = ~missing & ~late & ~(exposure > 0) & (not keep_blq)
    counts["n_blq"] = float(blq.sum())
    usable = ~(missing | late | blq)
    rows = kept.loc[usable]
    design, present = make_design(rows, adjustment_variables(cell.adjustment, study.settings))
    counts["n_nocovariate"] = float((~present).sum())
    stratify = study.settings.time_to_event.stratify_by
    # Within strata the levels that make them do not vary.
    if stratify:
        design = design[[name for name in design if str(name).split("=")[0] != stratify]]
    reason = ""
    if population.empty or not known.any():
        reason = "NOTCOLL"
    elif not left:
        reason = "BEFORELM"
    elif not present.any():
        reason = "NOSUBJ"
    elif cell.adjustment != "UNADJUSTED" and design.shape[1] == 0:
        reason = "NOCOVAR"
    elif cell.variable != cell.metric and not (population["CMAX"] == 0).any():
        reason = "NOBLQALL"
    stratum = (
        rows[stratify].to_numpy(dtype=str) if stratify else np.full(len(rows), "", dtype="<U1")
    )
    everyone = SurvivalRows(
        rows.index,
        start[usable],
        stop[usable],
        event[usable],
        exposure[usable],
        design,
        stratum,
        counts,
        reason,
    )
    return everyone.keep(present.to_numpy())


def find_entry(study: Study, cell: PlanCell, rows: pd.DataFrame, values: pd.DataFrame) -> Floats:
    """Time on the clock of the endpoint at which each subject enters the risk set."""
    if math.isnan(cell.landmark):
        return np.full(len(rows), -math.inf)
    landmark = np.full(len(rows), cell.landmark)
    sampled = f"{cell.metric}DY"
    if cell.metric.startswith("CLD") and sampled in rows:
        # The day of the sample where it was drawn later than planned.
        landmark = np.fmax(landmark, rows[sampled].to_numpy(dtype=float))
    after = landmark - values["STARTDY"].to_numpy(dtype=float)
    offset = find_clock_offset(study, cell.endpoint)
    return np.asarray(np.where(after > 0, after + offset, -math.inf), dtype=float)


def is_late(study: Study, cell: PlanCell, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the peak, and with it the metric, came after the landmark only."""
    if cell.metric not in (*PEAK, SITE_PEAK) or math.isnan(cell.landmark):
        return np.zeros(len(rows), dtype=bool)
    if cell.metric == SITE_PEAK:
        times = find_peak_at_site(study.sources.adtiss, study.settings)["AFRLT"]
    else:
        adpp = study.sources.adpp
        peaks = adpp.loc[
            (adpp["PARAMCD"] == "TMAX")
            & (adpp["PARCAT1"] == study.settings.analyte)
            & (adpp["PROFTYP"] == "COURSE")
        ]
        times = peaks.drop_duplicates(KEY).set_index(KEY)["AVAL"]
    found = times.reindex(pd.MultiIndex.from_frame(rows[KEY])).to_numpy(dtype=float)
    return np.asarray(found > cell.landmark, dtype=bool)

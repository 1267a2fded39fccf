"""A study with the time to one event, made from times and exposure that a test gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Sources, Study
from celldossier.settings.exposure_response import ExposureResponseSettings

INFUSION = pd.Timestamp("2026-01-01")
SAMPLE_DAYS = (1.0, 4.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0, 90.0, 180.0)
UNITS = {
    "AUC28": "d*copies/ug",
    "CMAX": "copies/ug",
    "CMAXTMAX": "copies/ug/d",
    "TMAX": "d",
    "EXPRATE": "1/d",
}


def make_samples(
    usubjid: Sequence[str],
    values: np.ndarray,
    until: Sequence[float],
    days: Sequence[float] = SAMPLE_DAYS,
) -> pd.DataFrame:
    """ADPC with a row of `values` a subject; nobody is sampled after `until`, 0 is BLQ."""
    rows = [
        {
            "USUBJID": name,
            "AVAL": value if value > 0 else math.nan,
            "BLQFL": "N" if value > 0 else "Y",
            "AFRLT": day,
            "NFRLT": day,
        }
        for name, course, end in zip(usubjid, values, until, strict=True)
        for day, value in zip(days, course, strict=True)
        if day <= end
    ]
    frame = pd.DataFrame(rows).assign(
        STUDYID="S", PARAMCD="PCR", PARAM="Transgene", AVALU="copies/ug", ALQFL="N", ALLOQ=50.0,
        ANL01FL="Y", SRCDOM="PC", SRCROW=range(1, len(rows) + 1),
    )  # fmt: skip
    return conform(frame, "ADPC")


def make_sources(
    time: Sequence[float],
    event: Sequence[bool],
    metrics: Mapping[str, Sequence[float]],
    *,
    endpoints: Mapping[str, float] | None = None,
    burden: Sequence[float] | None = None,
    indication: Sequence[str] | None = None,
    adpc: pd.DataFrame | None = None,
    competing: str = "",
) -> Sources:
    """Datasets of a study in which the endpoints of ADTTE have those times.

    Parameters
    ----------
    metrics
        Parameters of ADPP by code; NaN is not calculable.
    endpoints
        Day of the origin of each endpoint after the infusion; PFS from the infusion if None.
    competing
        Event that ended the observation of the censored.
    """
    days, failed = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    n = days.size
    usubjid = [f"S-{i:04d}" for i in range(n)]
    key = {"STUDYID": "S", "USUBJID": usubjid}
    source = {"SRCDOM": "X", "SRCROW": np.arange(1, n + 1)}
    adsl = pd.DataFrame({**key, "TRT01A": "DL1", "TRTSDTM": "2026-01-01T08:00", "AGE": 50.0,
                         "AGEGR1": "18-64", "SEX": "F", "PROCESS": "A", "LOTID": "L1"})  # fmt: skip
    adsl["INDIC"] = "NHL" if indication is None else list(indication)
    adsl["LTBURDZ"] = np.linspace(-1, 1, n)[::-1] if burden is None else np.asarray(burden)
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        adsl[flag] = "Y"
    parts = []
    for code, origin in (endpoints or {"PFS": 0.0}).items():
        begin = INFUSION + pd.Timedelta(days=origin)
        parts.append(
            pd.DataFrame(
                {
                    **key, **source, "PARAMCD": code, "PARAM": code, "AVAL": days, "AVALU": "d",
                    "STARTDT": str(begin.date()),
                    "ADT": [str((begin + pd.Timedelta(days=math.floor(d))).date()) for d in days],
                    "CNSR": np.where(failed, 0, 1), "EVENTCD": np.where(failed, "DEATH", competing),
                }
            )
        )  # fmt: skip
    values = {"TMAX": np.full(n, 10.0), **{code: np.asarray(v) for code, v in metrics.items()}}
    adpp = pd.concat(
        pd.DataFrame({**key, "PARCAT1": "PCR", "PROFTYP": "COURSE", "DOSENO": 1, "PARAMCD": code,
                      "PARAM": code, "PARAMN": number, "AVAL": value, "AVALU": UNITS[code]})
        for number, (code, value) in enumerate(values.items(), start=1)
    )  # fmt: skip
    given: dict[str, pd.DataFrame] = {
        "adsl": conform(adsl, "ADSL"),
        "adtte": conform(pd.concat(parts, ignore_index=True), "ADTTE"),
        "adpp": conform(adpp.reset_index(drop=True), "ADPP"),
    }
    if adpc is not None:
        given["adpc"] = adpc
    return Sources(
        **{f.name: given.get(f.name, empty_dataset(f.name.upper())) for f in fields(Sources)}
    )


def prepare(sources: Sources, **changes: Any) -> Study:
    """The study as its models see it, with PFS and AUC28 unless the changes say else."""
    settings = {
        "endpoints": ["PFS"],
        "metrics": ["AUC28"],
        "primary": [],
        "primary_adjustment": "TUMOUR_BURDEN",
        "full_adjustment": ["AGE"],
        "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
        "ordinal_metrics": [],
        "forest_metrics": [],
        **changes,
    }
    return prepare_study(sources, ExposureResponseSettings.model_validate(settings))


def draw_times(
    log2_exposure: np.ndarray,
    ratio: float,
    seed: int,
    *,
    median: float = 200.0,
    follow_up: float = 700.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Exponential times whose hazard is multiplied by `ratio` per doubling; days, rounded up."""
    rng = np.random.default_rng(seed)
    hazard = math.log(2) / median * ratio ** (log2_exposure - log2_exposure.mean())
    time = np.ceil(rng.exponential(1 / hazard))
    end = np.ceil(rng.uniform(0.6 * follow_up, follow_up, time.size))
    return np.minimum(time, end), time <= end


def make_survival_results(*endpoints: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Results and curves of those endpoints of ADTTE, by the stage, as tables and figures read.

    Also the recoveries and durations that the tables of the report name, if asked for.
    """
    from celldossier.exposure_response import time_to_event
    from celldossier.exposure_response.plan_results import collect_multiplicity, collect_plan
    from celldossier.results import ResultCollector

    log2 = np.random.default_rng(7).normal(14, 1.5, 45)
    time, event = draw_times(log2, 0.7, 8)
    names = [f"S-{i:04d}" for i in range(log2.size)]
    course = np.outer(2**log2, np.minimum(SAMPLE_DAYS, 10)) / 10
    metrics = {"AUC28": 2**log2 * 12, "CMAX": 2**log2}
    sources = make_sources(
        time, event, metrics, adpc=make_samples(names, course, time),
        endpoints=dict.fromkeys(endpoints, 0.0),
    )  # fmt: skip
    study = prepare(sources, endpoints=list(endpoints), metrics=["AUC28", "CMAX"])
    out = ResultCollector("exposure_response")
    output = time_to_event.run_cells(study, time_to_event.plan_cells(study), out)
    collect_plan(output.outcomes, "PCR", out)
    collect_multiplicity(output.outcomes, "PCR", out)
    return out.frame(), conform(pd.DataFrame(output.curves), "CURVES")

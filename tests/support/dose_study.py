"""A made-up study of three dose levels, as the exposure-response stage holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.exposure_response.dose_metrics import derive_dose_metrics, read_dose_units
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.study import Sources, Study
from celldossier.settings.exposure_response import ExposureResponseSettings

LEVELS = {"DL1": 50.0, "DL2": 150.0, "DL3": 450.0}
SHARES = ("TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT", "TEFFPCT")
SETTINGS: dict[str, Any] = {
    "metrics": ["AUC28", "CMAX"],
    "endpoints": ["OBJRESP", "CRSGE2", "OS"],
    "primary": [
        {"endpoint": "OBJRESP", "metric": "AUC28"},
        {"endpoint": "CRSGE2", "metric": "CMAX"},
    ],
    "dose_exposure": {"metrics": ["DOSETGP", "DOSETCM"]},
    "dose_response": {"metrics": ["DOSETGP"]},
}


def make_adex(adsl: pd.DataFrame, doses: np.ndarray) -> pd.DataFrame:
    """One infusion a subject; DOSETGP is `doses`, total twice and viable 1.8 times that."""
    n = len(adsl)
    columns = {
        "EXCAT": "CELL PRODUCT",
        "EXTRT": "CELLS",
        "DOSETYPE": "FIRST",
        "DOSENO": 1,
        "DOSEA": doses,
        "DOSEU": "10^6 cells",
        "DOSEKG": doses / 70,
        "DOSEKGU": "10^6 cells/kg",
        "DOSETOT": 2 * doses,
        "DOSEVIA": 1.8 * doses,
        "DOSETGP": doses,
        "DOSTOTKG": 2 * doses / 70,
        "DOSVIAKG": 1.8 * doses / 70,
        "DOSTGPKG": doses / 70,
        "LOTID": [f"L{i:03d}" for i in range(n)],
        "AFRLT": 0.0,
        "ADTM": "2026-01-01T08:00",
        "SRCDOM": "EX",
        "SRCROW": np.arange(1, n + 1),
    }
    return conform(adsl[["STUDYID", "USUBJID"]].assign(**columns), "ADEX")


def make_dose_study(
    n: int = 90,
    slope: float = 0.10,
    seed: int = 17,
    trials: tuple[str, ...] = ("S",),
    settings: dict[str, Any] | None = None,
) -> Study:
    """Study whose ln Cmax rises by `slope` with ln dose and by 0.35 with tumour burden."""
    rng = np.random.default_rng(seed)
    level = np.array(list(LEVELS))[np.arange(n) % 3]
    dose = np.array([LEVELS[name] for name in level]) * np.exp(rng.normal(0, 0.1, n))
    burden = rng.normal(size=n)
    log_cmax = 9 + slope * np.log(dose) + 0.35 * burden + rng.normal(0, 1, n)
    people = pd.DataFrame(
        {
            "STUDYID": np.array(trials)[np.arange(n) // 3 % len(trials)],
            "USUBJID": [f"S-{i:03d}" for i in range(n)],
        }
    )
    response = rng.random(n) < 0.55
    unknown = np.arange(n) % 15 == 7
    adpq = people.assign(
        LOTID=[f"L{i:03d}" for i in range(n)],
        CD4CD8=rng.uniform(0.3, 3, n),
        SRCDOM="LOTS",
        SRCROW=np.arange(1, n + 1),
        **{name: rng.uniform(5, 30, n) for name in SHARES},
    )
    ader = people.assign(
        ERFL="Y",
        TRT01A=level,
        INDIC=np.where(np.arange(n) % 2, "ALL", "NHL"),
        LTBURDZ=burden,
        CMAX=np.exp(log_cmax),
        AUC28=np.exp(log_cmax + 2 + rng.normal(0, 0.3, n)),
        RESPGRP=np.where(unknown, "UNKNOWN", np.where(response, "RESPONDER", "NONRESPONDER")),
    )
    crs = rng.random(n) < 1 / (1 + np.exp(-0.7 * (log_cmax - log_cmax.mean())))
    time = rng.exponential(300, n).clip(1)
    values = {
        "OBJRESP": {
            "KIND": "binary",
            "AVAL": np.where(unknown, np.nan, response.astype(float)),
            "REASND": np.where(unknown, "UNKRESP", ""),
        },
        "CRSGE2": {"KIND": "binary", "AVAL": crs.astype(float)},
        "OS": {
            "KIND": "time_to_event",
            "AVAL": np.minimum(time, 400).round(),
            "CNSR": (time > 400).astype(float),
            "STARTDY": 0.0,
        },
    }
    aderend = pd.concat(
        [
            people.assign(PARAMCD=code, PARAM=code, SRCDS="ADER", **columns)
            for code, columns in values.items()
        ]
    )
    chosen = ExposureResponseSettings.model_validate({**SETTINGS, **(settings or {})})
    sources = Sources(
        **{name: empty_dataset(name.upper()) for name in Sources.__dataclass_fields__}
    )
    sources = replace(sources, adex=make_adex(people, dose), adpq=conform(adpq, "ADPQ"))
    return with_doses(
        Study(
            sources,
            chosen,
            read_endpoints(chosen),
            conform(ader, "ADER"),
            conform(aderend, "ADEREND"),
            {"CMAX": "copies/ug", "AUC28": "d*copies/ug"},
        )
    )


def with_doses(study: Study) -> Study:
    """The study with the dose metrics derived (anew) from its ADEX and ADPQ."""
    adex, until = study.sources.adex, study.settings.dose_exposure.until
    doses = derive_dose_metrics(study.ader, adex, study.sources.adpq, until)
    return replace(
        study, ader=study.ader.assign(**doses), units={**study.units, **read_dose_units(adex)}
    )

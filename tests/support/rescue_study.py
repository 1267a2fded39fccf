"""A study with planted confounding, as the stage of exposure-response prepares it.

Tumour burden drives exposure and response, exposure drives CRS, and tocilizumab follows CRS:
it has no effect on exposure unless one is asked for.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.exposure_response.endpoint_values import derive_endpoints
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.study import Sources, Study
from celldossier.settings.exposure_response import ExposureResponseSettings

CODES = ("OBJRESP", "CRSGE2", "ICANSGE2", "CRSGR")


def make_settings(**changes: Any) -> ExposureResponseSettings:
    """Settings of a stage with the endpoints of this study."""
    return ExposureResponseSettings(**{"endpoints": CODES, "metrics": ("AUC28", "CMAX"), **changes})


def make_rescue_study(
    n: int = 150,
    seed: int = 1,
    *,
    settings: ExposureResponseSettings | None = None,
    effect: float = 0.0,
    treated_by_grade: tuple[float, ...] = (0.0, 0.15, 0.6, 0.8, 0.85),
    **columns: Any,
) -> Study:
    """A study of n subjects.

    Parameters
    ----------
    effect
        ln ratio of exposure that tocilizumab causes.
    treated_by_grade
        Probability of tocilizumab at each worst grade of CRS, 0 to 4.
    columns
        Columns that take the place of those drawn, in ADER and in ADSL.
    """
    rng = np.random.default_rng(seed)
    key = {"STUDYID": "S", "USUBJID": [f"S-{i:03d}" for i in range(n)]}
    burden = rng.normal(size=n)
    log_peak = np.log(20_000) + 0.5 * burden + rng.normal(0, 1, n)
    crs = np.digitize(1.0 * (log_peak - np.log(20_000)) + rng.logistic(size=n), [-1.4, 0, 2, 3.2])
    treated = rng.random(n) < np.array(treated_by_grade)[crs]
    log_peak = log_peak + effect * treated
    indication = np.where(rng.random(n) < 0.5, "ALL", "NHL")
    # Neurotoxicity follows the exposure in one of the two indications.
    slope = np.where(indication == "ALL", 1.2, 0.0)
    icans = np.digitize(slope * (log_peak - np.log(20_000)) + rng.logistic(size=n), [0.2, 0.9])
    responds = rng.random(n) < 1 / (1 + np.exp(-(0.6 * (log_peak - np.log(20_000)) - burden)))
    onset = np.where(crs > 0, rng.uniform(1, 6, n), np.nan)
    ader = {
        **key,
        "ERFL": "Y",
        "INDIC": indication,
        "LTBURDZ": burden,
        "AGE": 50.0,
        "CMAX": np.exp(log_peak),
        "AUC28": np.exp(log_peak + np.log(9) + rng.normal(0, 0.2, n)),
        "CMAXSEN": np.exp(log_peak),
        "RESPGRP": np.where(responds, "RESPONDER", "NONRESPONDER"),
        "OBJRESP": responds.astype(float),
        "CRSGR": crs.astype(float),
        "CRSONDY": onset,
        "ICANSGR": icans.astype(float),
        "TOCIFL": np.where(treated, "Y", "N"),
        "STERFL": "N",
        **{name: value for name, value in columns.items() if name != "SITEID"},
    }
    adsl = {
        **key,
        **dict.fromkeys(
            ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"), "Y"
        ),
        "SITEID": np.where(np.arange(n) % 3 == 0, "01", "02"),
        "MFGSITE": "A",
        "INDIC": ader["INDIC"],
        "TBURDBL": np.exp(burden),
        "TBURDU": "mm2",
        **{name: value for name, value in columns.items() if name == "SITEID"},
    }
    given = pd.DataFrame(ader)
    doses = given.loc[given["TOCIFL"] == "Y"]
    adcm = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": doses["USUBJID"],
            "CMTRT": "TOCILIZUMAB",
            "CMDECOD": "TOCILIZUMAB",
            "ASTDTM": "2026-01-05",
            "CMCLASS": "TOCILIZUMAB",
            "ASTDY": doses["CRSONDY"].fillna(3) + 1,
            "SRCDOM": "CM",
            "SRCROW": np.arange(1, len(doses) + 1),
        }
    )
    peaks = {"PARCAT1": "PCR", "PROFTYP": "COURSE", "DOSENO": 1, "PARAMCD": "TMAX", "AVAL": 10.0}
    peaks |= {"PARAM": "Tmax", "PARAMN": 1, "AVALU": "d"}
    frames = {
        "adsl": conform(pd.DataFrame(adsl), "ADSL"),
        "adcm": conform(adcm, "ADCM"),
        "adpp": conform(pd.DataFrame({**key, **peaks}), "ADPP"),
    }
    names = [field.name for field in fields(Sources)]
    sources = Sources(**{name: frames.get(name, empty_dataset(name.upper())) for name in names})
    chosen = settings or make_settings()
    endpoints = read_endpoints(chosen)
    table = conform(given, "ADER")
    aderend = derive_endpoints(sources, table, endpoints)
    units = {"CMAX": "copies/ug", "AUC28": "d*copies/ug"}
    return Study(sources, chosen, endpoints, table, aderend, units)

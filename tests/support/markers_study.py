"""A small study with markers, counts and onsets, on top of that of the exposure-response tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from celldossier.datasets import conform
from celldossier.exposure_response.study import Sources


def add_markers(sources: Sources, *, slope: float = 0.5, seed: int = 11) -> Sources:
    """Add IL6 and CRP over time, infections, and onsets of CRS to a study of `make_study`.

    ln IL6 rises by `slope` for a doubling of CMAX; after tocilizumab (day 5) it is a hundred
    times as high. CRP does not depend on the exposure.
    """
    rng = np.random.default_rng(seed)
    subjects = sources.adsl["USUBJID"].to_numpy()
    n = subjects.size
    cmax = (
        sources.adpp.loc[sources.adpp["PARAMCD"] == "CMAX"]
        .set_index("USUBJID")["AVAL"]
        .reindex(subjects)
        .to_numpy()
    )
    x = np.log2(cmax) - 14
    treated = np.isin(subjects, sources.adcm["USUBJID"].to_numpy())
    parts = []
    intercept = rng.normal(0, 0.5, n)
    for day in (-1.0, 1.0, 3.0, 7.0, 14.0, 27.0):
        course = 1.5 * np.exp(-((day - 4.5) ** 2) / 30)
        noise = rng.normal(0, 0.4, (2, n))
        il6 = np.exp(2 + course + intercept + (slope * x if day > 0 else 0.0) + noise[0])
        il6 = np.where(treated & (day > 5), 100 * il6, il6)
        values = {"IL6": il6, "CRP": np.exp(3 + course + intercept + noise[1])}
        for code, value in values.items():
            parts.append(
                pd.DataFrame(
                    {
                        "STUDYID": "S",
                        "USUBJID": subjects,
                        "PARAMCD": code,
                        "PARAM": code,
                        "ASPEC": "SERUM",
                        "AVAL": value,
                        "AVALU": "pg/mL",
                        "BLQFL": "N",
                        "ALQFL": "N",
                        "ALLOQ": 1.0,
                        "AFRLT": day,
                        "NFRLT": day,
                        "ABLFL": "Y" if day < 0 else "N",
                        "SRCDOM": "LB",
                        "SRCROW": np.arange(1, n + 1),
                    }
                )
            )
    adsl = sources.adsl.assign(FUDUR=200.0)
    infected = rng.poisson(np.exp(0.3 * x))
    rows = np.repeat(np.arange(n), infected)
    crs = sources.adae.loc[sources.adae["AESI"] == "CRS"]
    made = pd.concat(
        [
            pd.DataFrame(
                {
                    "STUDYID": "S",
                    "USUBJID": subjects[rows],
                    "AESI": "INFECTION",
                    "EPISODE": np.arange(rows.size) + 1,
                    "ASTDTM": "2026-01-20",
                    "ASTDY": 19.0,
                    "ATOXGRN": 2.0,
                    "WORSTFL": "N",
                    "ONGOFL": "N",
                    "ADURN": 5.0,
                    "SRCDOM": "AE",
                    "SRCROW": np.arange(1, rows.size + 1),
                }
            ),
            pd.DataFrame(
                {
                    "STUDYID": "S",
                    "USUBJID": crs["USUBJID"],
                    "AESI": "CRS",
                    "EPISODE": 1,
                    "ASTDTM": "2026-01-05",
                    "ASTDY": crs["ASTDY"],
                    "ATOXGRN": crs["ATOXGRN"],
                    "WORSTFL": "Y",
                    "ONGOFL": "N",
                    "ADURN": np.arange(len(crs)) % 7 + 1.0,
                    "SRCDOM": "AE",
                    "SRCROW": np.arange(1, len(crs) + 1),
                }
            ),
        ]
    )
    tmax = sources.adpp.loc[sources.adpp["PARAMCD"] == "CMAX"].assign(
        PARAMCD="TMAX", PARAM="TMAX", AVAL=12.0, AVALU="d"
    )
    return replace(
        sources,
        adsl=conform(adsl, "ADSL"),
        adpd=conform(pd.concat(parts, ignore_index=True), "ADPD"),
        adaesi=conform(made.assign(NEPISOD=1, NRECORD=1).reset_index(drop=True), "ADAESI"),
        adpp=conform(pd.concat([sources.adpp, tmax], ignore_index=True), "ADPP"),
    )

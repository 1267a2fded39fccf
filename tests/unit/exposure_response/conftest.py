"""A small study as the earlier stages hand it on, and ways to change it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.exposure_response.study import Sources

NAMES = tuple(field.name for field in fields(Sources))


@dataclass(frozen=True)
class Given:
    """Datasets of a small study; `change` replaces some of them."""

    sources: Sources

    def __getattr__(self, name: str) -> pd.DataFrame:
        return getattr(self.sources, name)

    def change(self, **frames: pd.DataFrame) -> Sources:
        return replace(self.sources, **frames)


def make_study(n: int = 60, seed: int = 5) -> Given:
    rng = np.random.default_rng(seed)
    usubjid = [f"S-{i:03d}" for i in range(n)]
    key = {"STUDYID": "S", "USUBJID": usubjid}
    source = {"SRCDOM": "X", "SRCROW": np.arange(1, n + 1)}
    burden = rng.normal(size=n)
    log_cmax = np.log(20000) + 0.5 * burden + rng.normal(0, 1, n)
    cmax = np.exp(log_cmax)
    auc = np.exp(log_cmax + np.log(9) + rng.normal(0, 0.3, n))
    crs = np.digitize(0.8 * (log_cmax - np.log(20000)) + rng.logistic(size=n), [-1, 0.3, 1.8, 3])
    responder = rng.random(n) < 0.6
    adsl = pd.DataFrame(
        {
            **key,
            "TRT01A": np.where(np.arange(n) % 2, "DL1", "DL2"),
            "INDIC": np.where(np.arange(n) % 3 == 0, "ALL", "NHL"),
            "AGE": rng.integers(18, 75, n).astype(float),
            "AGEGR1": "18-64",
            "SEX": np.where(np.arange(n) % 4 == 0, "F", "M"),
            "WTBL": rng.normal(70, 10, n),
            "LTBURDZ": burden,
            "PROCESS": "A",
            "LOTID": [f"L{i}" for i in range(n)],
        }
    )
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        adsl[flag] = "Y"
    adex = pd.DataFrame(
        {
            **key,
            **source,
            "EXCAT": "CELL PRODUCT",
            "EXTRT": "CELLS",
            "DOSENO": 1,
            "DOSEA": 100.0,
            "ADTM": "2026-01-01T08:00",
        }
    )
    samples = pd.concat(
        pd.DataFrame(
            {
                **key,
                **source,
                "PARAMCD": "PCR",
                "PARAM": "Transgene",
                "AVALU": "copies/ug",
                "AVAL": cmax * day / 100,
                "BLQFL": "N",
                "ALQFL": "N",
                "ALLOQ": 50.0,
                "NFRLT": day,
                "AFRLT": day + 0.05,
                "ANL01FL": "Y",
            }
        )
        for day in (1.0, 3.0, 7.0, 14.0)
    )
    values = {"CMAX": cmax, "AUC28": auc, "CMAXTMAX": cmax / 12}
    units = {"CMAX": "copies/ug", "AUC28": "d*copies/ug", "CMAXTMAX": "copies/ug/d"}
    adpp = pd.concat(
        pd.DataFrame(
            {
                **key,
                "PARCAT1": "PCR",
                "PROFTYP": "COURSE",
                "DOSENO": 1,
                "PARAMCD": code,
                "PARAM": code,
                "PARAMN": number,
                "AVAL": value,
                "AVALU": units[code],
            }
        )
        for number, (code, value) in enumerate(values.items(), start=1)
    )
    events = np.flatnonzero(crs > 0)
    adae = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": [usubjid[i] for i in events],
            "AETERM": "CRS",
            "AEDECOD": "Cytokine release syndrome",
            "AESI": "CRS",
            "ATOXGRN": crs[events],
            "ASTDTM": "2026-01-05",
            "ASTDY": rng.uniform(1, 10, events.size),
            "TRTEMFL": "Y",
            "SRCDOM": "AE",
            "SRCROW": np.arange(1, events.size + 1),
        }
    )
    flag = np.where(responder, "Y", "N")
    flag[:6] = ""
    adrs = pd.DataFrame(
        {
            **key,
            **source,
            "PARAMCD": "BOR",
            "AVALC": np.where(flag == "", "NE", "CR"),
            "RESPFL": flag,
        }
    )
    treated = np.flatnonzero(crs > 1)
    adcm = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": [usubjid[i] for i in treated],
            "CMTRT": "X",
            "CMDECOD": "TOCILIZUMAB",
            "CMCLASS": "TOCILIZUMAB",
            "ASTDTM": "2026-01-06",
            "ASTDY": 5.0,
            "SRCDOM": "CM",
            "SRCROW": np.arange(1, treated.size + 1),
        }
    )
    adpq = pd.DataFrame(
        {
            "STUDYID": "S",
            "LOTID": [f"L{i}" for i in range(n)],
            "TCMPCT": rng.normal(40, 5, n),
            "SRCDOM": "LOTS",
            "SRCROW": np.arange(1, n + 1),
        }
    )
    given = {
        "adsl": adsl, "adex": adex, "adpc": samples, "adpp": adpp, "adae": adae, "adrs": adrs,
        "adcm": adcm, "adpq": adpq,
    }  # fmt: skip
    return Given(
        Sources(
            **{
                name: conform(given[name].reset_index(drop=True), name.upper())
                if name in given
                else empty_dataset(name.upper())
                for name in NAMES
            }
        )
    )


@pytest.fixture(scope="session")
def study() -> Given:
    return make_study()

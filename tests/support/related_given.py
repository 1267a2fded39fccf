"""A made-up study in which the markers follow or go before the cells by known days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pharmacodynamics_given import make_study

from celldossier.pharmacodynamics.parameters import derive_adpdp
from celldossier.pharmacodynamics.study import Study

SUBJECTS = 12
DAYS = (1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0, 21.0)
PEAKS = (9.0, 11.0, 13.0)
"""Day of the peak of the cells, subject by subject in turn."""

KINETICS: Mapping[str, Any] = {
    "markers": ["IFNG", "CRP", "CD19B"],
    "lags": [-4, -2, 0, 2, 4],
    "lag_tolerance": 0.5,
    "samples": 100,
}


def make_related_study(
    shift: Mapping[str, float] | None = None, tocilizumab: float | None = None, **kinetics: Any
) -> Study:
    """Cells that rise and fall by a factor of two a day around their peak.

    Interferon gamma peaks four days earlier and CRP two days earlier, higher in subjects with
    more cells; B cells have their lowest value eight days later. Subject i has CRS of grade
    i modulo 4, subject 1 onwards interferon gamma that is twice as high a grade.
    """
    moved = {"IFNG": -4.0, "CRP": -2.0, "CD19B": 8.0, **(shift or {})}
    adpc, adpd, adpp, adaesi, adcm, adsl = [], [], [], [], [], []
    for i in range(SUBJECTS):
        subject, peak, grade = f"S-{i + 1:02d}", PEAKS[i % 3], i % 4
        key = {"STUDYID": "S", "USUBJID": subject}
        adsl.append({**key, "PKFL": "Y", "PDFL": "Y", "FUDUR": 100.0})
        height = 1000.0 * 1.3**i
        for name, value in (("TMAX", peak), ("CMAX", height), ("AUC28", 9 * height)):
            course = {"PARCAT1": "PCR", "PROFTYP": "COURSE", "DOSENO": 1.0}
            unit = "d" if name == "TMAX" else "copies/ug"
            adpp.append({**key, **course, "PARAMCD": name, "AVAL": value, "AVALU": unit})
        for number, day in enumerate((-0.1, *DAYS)):
            cells = height * 2.0 ** -abs(day - peak)
            at = {"AFRLT": day, "NFRLT": max(day, 0.0)}
            adpc.append(
                {
                    **key, **at, "PARAMCD": "PCR", "PCSPEC": "BLOOD", "ANL01FL": "Y",
                    "AVAL": cells if cells > 0.01 and day > 0 else np.nan, "AVALU": "copies/ug",
                    "BLQFL": "N" if cells > 0.01 and day > 0 else "Y", "ALQFL": "N", "ALLOQ": 0.01,
                }
            )  # fmt: skip
            for code, lag in moved.items():
                size = -1.0 if code == "CD19B" else 1.0
                level = 2.0**grade * 1.05**i if code == "IFNG" else 1.02**i
                value = 50.0 * level * 1.5 ** (-size * abs(day - peak - lag))
                adpd.append(
                    {
                        **key, **at, "PARAMCD": code, "PARAM": code, "ASPEC": "SERUM",
                        "AVAL": 5.0 if day < 0 and size > 0 else value, "AVALU": "pg/mL",
                        "BLQFL": "N", "ALLOQ": 0.1, "ABLFL": "Y" if day < 0 else "N",
                        "SRCDOM": "LB", "SRCROW": float(number),
                    }
                )  # fmt: skip
        if grade:
            adaesi.append({**key, "AESI": "CRS", "ASTDY": 4.0, "ATOXGRN": float(grade)})
        if tocilizumab is not None:
            adcm.append({**key, "CMCLASS": "TOCILIZUMAB", "ASTDY": tocilizumab})
    study = make_study(
        {"kinetics": {**KINETICS, **kinetics}},
        adpd,
        adsl,
        adpc=adpc,
        adpp=adpp,
        adaesi=adaesi,
        adcm=adcm,
    )
    return replace(study, adpdp=derive_adpdp(study.sources, study.settings))


def make_repeated_study() -> Study:
    """Three weekly doses: CRP before a dose falls by a tenth from dose 2 to 3, far more before."""
    adpd, adex, adpp, adsl = [], [], [], []
    for i in range(4):
        key = {"STUDYID": "S", "USUBJID": f"S-{i + 1:02d}"}
        adsl.append({**key, "PKFL": "Y", "PDFL": "Y", "FUDUR": 100.0})
        for dose in (1, 2, 3):
            start = 7.0 * (dose - 1)
            before = 20 * 0.9**dose if dose > 1 else 100.0
            adex.append(
                {**key, "PDOSENO": float(dose), "DOSENO": float(dose), "AFRLT": start,
                 "DOSETYPE": "FIRST" if dose == 1 else "REPEAT"}
            )  # fmt: skip
            for name, value in (("CMAX", 100.0 * dose), ("CTROUGH", 10.0)):
                adpp.append(
                    {**key, "PARCAT1": "PCR", "PROFTYP": "DOSE", "DOSENO": float(dose),
                     "PARAMCD": name, "AVAL": value, "AVALU": "copies/ug"}
                )  # fmt: skip
            for number, (day, value) in enumerate(
                ((start - 0.02, before), (start + 1, 80.0), (start + 3, 40.0))
            ):
                adpd.append(
                    {**key, "PARAMCD": "CRP", "PARAM": "CRP", "ASPEC": "SERUM", "AVAL": value + i,
                     "AVALU": "mg/L", "BLQFL": "N", "AFRLT": day, "NFRLT": round(day),
                     "ABLFL": "Y" if day < 0 else "N", "SRCROW": float(10 * dose + number)}
                )  # fmt: skip
    study = make_study({"kinetics": {"markers": ["CRP"]}}, adpd, adsl, adex=adex, adpp=adpp)
    return replace(study, adpdp=derive_adpdp(study.sources, study.settings))

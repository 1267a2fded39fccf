"""Five subjects with a course that can be computed by hand, as the stage reads them."""

from __future__ import annotations

from math import nan

import pandas as pd

from celldossier.cellular_kinetics.stage import analyse_cellular_kinetics
from celldossier.datasets import conform, empty_dataset
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

DAYS = (0.0, 7.0, 10.0, 14.0, 21.0, 28.0)
# Results of each subject at DAYS: None is missing, "BLQ" below the limit of 50.
COURSES = {
    "S1": ("BLQ", 1000.0, 8000.0, 4000.0, 1000.0, 250.0),
    "S2": ("BLQ", 500.0, 2000.0, 1000.0, 250.0, 62.5),
    "S3": ("BLQ", 2000.0, 32000.0, 16000.0, None, 1000.0),
    "S4": ("BLQ", "BLQ", "BLQ", "BLQ", "BLQ", "BLQ"),
    "S5": ("BLQ", 100.0, 900.0, 500.0, 100.0, "BLQ"),
}
DOSES = {"S1": "DL1", "S2": "DL1", "S3": "DL2", "S4": "DL2", "S5": "DL2"}
RESPONSES = {"S1": "Y", "S3": "Y", "S2": "N", "S4": "N"}


def make_adpc(courses=COURSES, **variables):
    rows = []
    for subject, results in courses.items():
        for day, result in zip(DAYS, results, strict=True):
            number = isinstance(result, float)
            rows.append(
                {
                    "STUDYID": "T",
                    "USUBJID": subject,
                    "PARAMCD": "PCR",
                    "PARAM": "Transgene",
                    "PCSPEC": "BLOOD",
                    "AVAL": result if number else nan,
                    "AVALC": "" if result is None else str(result),
                    "AVALU": "copies/ug",
                    "BLQFL": "Y" if result == "BLQ" else "N",
                    "ALQFL": "N",
                    "ALLOQ": 50.0,
                    "AFRLT": day + 0.125 if day else -0.05,
                    "NFRLT": day,
                    "ANL01FL": "Y",
                    "SRCDOM": "PC",
                    "SRCROW": len(rows) + 1,
                }
            )
    return conform(pd.DataFrame(rows).assign(**variables), "ADPC")


def make_adsl(**variables):
    subjects = list(DOSES)
    frame = pd.DataFrame({"USUBJID": subjects, "STUDYID": "T", "INDIC": "NHL"})
    frame["TRT01A"] = frame["TRT01P"] = [DOSES[subject] for subject in subjects]
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        frame[flag] = "Y"
    return conform(frame.assign(**variables), "ADSL")


def make_adex(*later):
    rows = [
        {"USUBJID": subject, "DOSENO": 1, "DOSEA": 50.0, "DOSEP": 50.0, "AFRLT": 0.0}
        for subject in DOSES
    ]
    frame = pd.DataFrame([*rows, *later])
    frame = frame.assign(
        STUDYID="T", EXCAT="CELL PRODUCT", EXTRT="CAR-T", SRCDOM="EX", DOSEU="10^6"
    )
    frame["ADTM"] = [f"2025-01-{number:02d}" for number in range(1, len(frame) + 1)]
    frame["SRCROW"] = range(101, 101 + len(frame))
    return conform(frame, "ADEX")


def make_adrs(responses=RESPONSES):
    rows = [
        {
            "STUDYID": "T",
            "USUBJID": subject,
            "PARAMCD": "BOR",
            "AVALC": "CR" if flag == "Y" else "PD",
            "RESPFL": flag,
            "SRCDOM": "RS",
            "SRCROW": number,
        }
        for number, (subject, flag) in enumerate(responses.items(), start=1)
    ]
    return conform(pd.DataFrame(rows), "ADRS")


def make_adcm(*rows):
    frame = pd.DataFrame(list(rows))
    if frame.empty:
        return empty_dataset("ADCM")
    frame = frame.assign(STUDYID="T", CMTRT="X", CMDECOD="X", ASTDTM="2025", SRCDOM="CM")
    return conform(frame.assign(SRCROW=range(1, len(frame) + 1)), "ADCM")


def analyse(
    adpc=None,
    adsl=None,
    adex=None,
    adrs=None,
    adcm=None,
    adpd=None,
    adtte=None,
    adbrg=None,
    **settings,
):
    return analyse_cellular_kinetics(
        adpc=make_adpc() if adpc is None else adpc,
        adsl=make_adsl() if adsl is None else adsl,
        adex=make_adex() if adex is None else adex,
        adrs=make_adrs() if adrs is None else adrs,
        adcm=make_adcm() if adcm is None else adcm,
        adpd=empty_dataset("ADPD") if adpd is None else adpd,
        adtte=empty_dataset("ADTTE") if adtte is None else adtte,
        adbrg=empty_dataset("ADBRG") if adbrg is None else adbrg,
        settings=CellularKineticsSettings.model_validate(settings),
    )

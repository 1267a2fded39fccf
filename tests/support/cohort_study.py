"""Infused subjects with the safety records that a test gives, and what is derived from them."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
from small_study import SmallStudy, to_table

from celldossier.datasets import empty_dataset
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.study import Sources
from celldossier.settings.exposure_response import ExposureResponseSettings

INFUSION = pd.Timestamp("2024-03-01")


def make_cohort(subjects, fa=(), ae=(), cm=(), dm=None, **safety):
    """A study of infused subjects with the safety records that a test gives."""
    tables = {
        "DM": [
            {"USUBJID": name, "RFICDTC": "2024-02-01", "ARM": "DL1", "AGE": "40", **(dm or {})}
            for name in subjects
        ],
        "EX": [
            {
                "USUBJID": name,
                "EXCAT": "CELL PRODUCT",
                "EXTRT": "X",
                "EXDOSE": "100",
                "EXDOSU": "10^6 cells",
                "EXSTDTC": INFUSION.date().isoformat(),
            }
            for name in subjects
        ],
        "FA": list(fa),
        "AE": list(ae),
        "CM": list(cm),
    }
    tables = {name: records for name, records in tables.items() if records}
    return SmallStudy(
        tables={name: to_table(records) for name, records in tables.items()},
        sources={name: {"file": f"{name.lower()}.csv"} for name in tables},
        options={"safety": safety},
    )


def date(day):
    return (INFUSION + pd.Timedelta(days=day)).date().isoformat()


def daily(subject, event, grades, scale="ASTCT 2019"):
    """Grades recorded by day, from day 0."""
    return [
        {
            "USUBJID": subject,
            "FAOBJ": event,
            "FATESTCD": "GRADE",
            "FAORRES": str(grade),
            "FASCAT": scale,
            "FADTC": date(day),
        }
        for day, grade in enumerate(grades)
    ]


def report(subject, grade, start, end="", term="Cytokine release syndrome", **more):
    return {
        "USUBJID": subject,
        "AETERM": term,
        "AEDECOD": term,
        "AETOXGR": str(grade),
        "AESCAT": "ASTCT 2019",
        "AESTDTC": date(start),
        "AEENDTC": date(end) if end != "" else "",
        **more,
    }


def give(subject, drug, start, end="", **more):
    ended = date(end) if end != "" else ""
    return {
        "USUBJID": subject,
        "CMTRT": drug,
        "CMDECOD": drug,
        "CMSTDTC": date(start),
        "CMENDTC": ended,
        **more,
    }


def derive(*arguments, **options):
    return make_cohort(*arguments, **options).derive()


def derive_outcomes(datasets):
    """Outcomes of exposure-response, from the datasets of the study."""
    names = [field.name for field in fields(Sources)]
    sources = Sources(
        **{name: datasets.get(name.upper(), empty_dataset(name.upper())) for name in names}
    )
    settings = ExposureResponseSettings.model_validate({"analyte": "PCR"})
    return derive_ader(sources, settings).set_index("USUBJID")


def components(subject, day, fever, oxygen, hypotension="N"):
    values = {"TEMP": fever, "HYPOTENS": hypotension, "OXYGEN": oxygen}
    return [
        {
            "USUBJID": subject,
            "FAOBJ": "CRS",
            "FATESTCD": name,
            "FAORRES": value,
            "FADTC": date(day),
        }
        for name, value in values.items()
        if value
    ]

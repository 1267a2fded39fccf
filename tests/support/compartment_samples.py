"""Blood and bone marrow of four subjects, and images, in the form of ADPC and ADPD."""

from __future__ import annotations

from math import nan

import pandas as pd

from celldossier.datasets import conform, empty_dataset

# Subject, specimen, day, result: None is missing, "BLQ" below the limit of 50.
SAMPLES = (
    ("S1", "BLOOD", 7.0, 1000.0),
    ("S1", "BLOOD", 27.0, 400.0),
    ("S1", "BLOOD", 29.0, 100.0),
    ("S1", "BONE MARROW", 7.25, 500.0),
    ("S1", "BONE MARROW", 28.0, 1600.0),
    ("S2", "BLOOD", 7.0, 200.0),
    ("S2", "BONE MARROW", 7.0, "BLQ"),
    ("S2", "BONE MARROW", 28.0, 900.0),
    ("S3", "BLOOD", 7.0, "BLQ"),
    ("S3", "BONE MARROW", 7.0, 80.0),
    ("S3", "BLOOD", 28.0, "BLQ"),
    ("S3", "BONE MARROW", 28.0, "BLQ"),
    ("S3", "BONE MARROW", 60.0, None),
    ("S4", "BLOOD", 7.0, 5000.0),
    ("S1", "DNA", 7.0, 999.0),
)


def make_samples(samples=SAMPLES, **variables):
    rows = [
        {
            "STUDYID": "T",
            "USUBJID": subject,
            "PARAMCD": "PCR",
            "PARAM": "Transgene",
            "PCSPEC": specimen,
            "AVAL": result if isinstance(result, float) else nan,
            "AVALU": "copies/ug",
            "BLQFL": "Y" if result == "BLQ" else "N",
            "ALQFL": "N",
            "ALLOQ": 50.0,
            "AFRLT": day,
            "NFRLT": 28.0 if 26 < day < 30 else round(day),
            "ANL01FL": "Y" if specimen == "BLOOD" else "N",
            "SRCDOM": "PC",
            "SRCROW": number,
        }
        for number, (subject, specimen, day, result) in enumerate(samples, start=1)
    ]
    return conform(pd.DataFrame(rows).assign(**variables), "ADPC")


def make_images(*rows):
    frame = pd.DataFrame(
        [
            {
                "STUDYID": "T",
                "USUBJID": subject,
                "PARAMCD": marker,
                "PARAM": "Signal",
                "ALOC": place,
                "AVAL": value,
                "AVALU": "% of injected activity",
                "BLQFL": "N",
                "ALQFL": "N",
                "AFRLT": day,
                "NFRLT": day,
                "ABLFL": "N",
                "SRCDOM": "MO",
                "SRCROW": number,
            }
            for number, (subject, marker, place, day, value) in enumerate(rows, start=1)
        ]
    )
    return conform(frame, "ADPD") if len(frame) else empty_dataset("ADPD")

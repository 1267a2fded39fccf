"""Courses of antibody results of a few subjects, as ADAB and ADSL."""

from __future__ import annotations

from typing import Any

import pandas as pd

from celldossier.datasets import conform

P, N = "POSITIVE", "NEGATIVE"
Visit = tuple[float, str, float | None]


def make_adsl(subjects: list[str], **changes: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame({"STUDYID": "S", "USUBJID": subjects, "TRT01A": "DL1"})
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        frame[flag] = "Y"
    for variable, values in changes.items():
        for subject, value in values.items():
            frame.loc[frame["USUBJID"] == subject, variable] = value
    return conform(frame, "ADSL")


def make_adab(records: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(records)
    frame = frame.assign(
        STUDYID="S",
        PARAM="Antibody",
        SRCDOM="IS",
        SRCROW=range(1, len(frame) + 1),
        ABLFL=frame["AFRLT"].map(lambda t: "Y" if t <= 0 else "N"),
    )
    frame["PARAMCD"] = frame["PARAMCD"].fillna("ADA_BAB") if "PARAMCD" in frame else "ADA_BAB"
    frame["ISBDAGNT"] = frame["ISBDAGNT"].fillna("CAR") if "ISBDAGNT" in frame else "CAR"
    return conform(frame, "ADAB")


def course(subject: str, *visits: Visit) -> list[dict[str, Any]]:
    """Confirmatory results, with a titre where one is given."""
    rows: list[dict[str, Any]] = []
    for day, result, titre in visits:
        common = {"USUBJID": subject, "AFRLT": day}
        rows.append({**common, "ISCAT": "SCREENING", "AVALC": result})
        if result == P:
            rows.append({**common, "ISCAT": "CONFIRMATORY", "AVALC": P})
        if titre is not None:
            rows.append(
                {**common, "ISCAT": "TITER", "AVALC": "TITER", "AVAL": titre, "AVALU": "titer"}
            )
    return rows

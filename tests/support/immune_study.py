"""Small datasets of antibodies and what stands beside them, for the stage `immunogenicity`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from celldossier.datasets import conform, read_specification
from celldossier.immunogenicity.status import derive_adim
from celldossier.settings.immunogenicity import ImmunogenicitySettings

P, N = "POSITIVE", "NEGATIVE"
Visit = tuple[float, str, float | None]
FLAGS = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")


def make_adsl(subjects: Sequence[str]) -> pd.DataFrame:
    """Infused subjects, all in every set, first infusion on 1 January 2024."""
    frame = pd.DataFrame({"STUDYID": "S", "USUBJID": list(subjects), "TRT01A": "DL1"})
    frame = frame.assign(**dict.fromkeys(FLAGS, "Y"), TRTSDTM="2024-01-01T09:00")
    return conform(frame, "ADSL")


def make_adab(subjects: Mapping[str, Sequence[Visit]]) -> pd.DataFrame:
    """Final results of one target by day, with a titre where one is given."""
    rows: list[dict[str, Any]] = []
    for subject, visits in subjects.items():
        for day, result, titre in visits:
            common = {"USUBJID": subject, "AFRLT": float(day), "ABLFL": "Y" if day <= 0 else "N"}
            rows.append({**common, "ISCAT": "RESULT", "AVALC": result})
            if titre is not None:
                rows.append({**common, "ISCAT": "TITER", "AVALC": "TITER", "AVAL": titre})
    frame = pd.DataFrame(rows).assign(
        STUDYID="S",
        PARAMCD="ADA_BAB",
        PARAM="Antibody",
        ISBDAGNT="CAR",
        SRCDOM="IS",
        SRCROW=range(1, len(rows) + 1),
    )
    return conform(frame, "ADAB")


def make_adim(adab: pd.DataFrame, settings: ImmunogenicitySettings) -> pd.DataFrame:
    return derive_adim(adab, make_adsl(sorted(set(adab["USUBJID"]))), settings)


def make_adpair(ratios: Mapping[str, Mapping[int, float | None]]) -> pd.DataFrame:
    """Pairs of PCR and flow by subject and day; None: flow is below its limit."""
    rows = [
        {
            "STUDYID": "S",
            "USUBJID": subject,
            "PAIRCD": "PCR-FLOW",
            "AFRLT": float(day),
            "NFRLT": float(day),
            "TIMEDIFF": 0.0,
            "PARAMCD1": "PCR",
            "AVALU1": "copies/ug",
            "BLQFL1": "N",
            "PARAMCD2": "FLOW",
            "AVALU2": "cells/uL",
            "BLQFL2": "Y" if ratio is None else "N",
            "AGREECAT": "FIRST" if ratio is None else "BOTH",
            "ANL01FL": "N" if ratio is None else "Y",
            "RATIO": ratio,
            "RATIOU": "cells/uL per copies/ug",
            "SRCROW1": day + 1,
            "SRCROW2": day + 1,
        }
        for subject, days in ratios.items()
        for day, ratio in days.items()
    ]
    return conform(pd.DataFrame(rows), "ADPAIR")


def make_adpp(peaks: Mapping[str, float]) -> pd.DataFrame:
    """CMAX of the course of each subject, analyte PCR."""
    rows = [
        {
            "STUDYID": "S",
            "USUBJID": subject,
            "PARCAT1": "PCR",
            "PROFTYP": "COURSE",
            "DOSENO": 1,
            "PARAMCD": "CMAX",
            "PARAM": "Cmax",
            "PARAMN": 1,
            "AVAL": value,
            "AVALU": "copies/ug",
        }
        for subject, value in peaks.items()
    ]
    return conform(pd.DataFrame(rows), "ADPP")


def make_readouts(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Readouts of the tier CELLULAR: by default an ELISpot against the target CAR."""
    frame = pd.DataFrame([{"PARAMCD": "ELISPOT", "AVALU": "SFU/10^6 cells", **row} for row in rows])
    given = frame["AVALC"] if "AVALC" in frame else pd.Series("", index=frame.index)
    frame = frame.assign(
        STUDYID="S",
        PARAM="ELISpot",
        ISBDAGNT="CAR",
        ISCAT="CELLULAR",
        AVALC=given.fillna("VALUE").replace("", "VALUE"),
        NFRLT=frame["AFRLT"],
        ABLFL=["Y" if day <= 0 else "N" for day in frame["AFRLT"]],
        SRCDOM="IS",
        SRCROW=range(1001, 1001 + len(frame)),
    )
    return conform(frame, "ADAB")


def make_adtte(rows: Sequence[tuple[str, str, int, int, bool]]) -> pd.DataFrame:
    """Endpoints of subjects: code, days of origin and end from 1 January 2024, whether an event."""
    first = pd.Timestamp("2024-01-01")

    def day(number: int) -> str:
        return (first + pd.Timedelta(days=number)).date().isoformat()

    frame = pd.DataFrame(
        [
            {
                "USUBJID": subject,
                "PARAMCD": code,
                "STARTDT": day(begin),
                "ADT": day(end),
                "AVAL": float(end - begin + 1),
                "CNSR": 0 if event else 1,
            }
            for subject, code, begin, end, event in rows
        ]
    )
    frame = frame.assign(STUDYID="S", PARAM=frame["PARAMCD"], SRCDOM="RS", SRCROW=1)
    return conform(frame, "ADTTE")


def make_adex(infusions: Mapping[str, Sequence[tuple[float, str]]]) -> pd.DataFrame:
    """Infusions of subjects: day and type."""
    rows = [
        {"STUDYID": "S", "USUBJID": subject, "DOSENO": number, "AFRLT": day, "DOSETYPE": kind}
        for subject, given in infusions.items()
        for number, (day, kind) in enumerate(given, start=1)
    ]
    frame = pd.DataFrame(rows).assign(SRCROW=range(1, len(rows) + 1))
    return conform(frame.assign(**_required("ADEX", frame)), "ADEX")


def make_crs(episodes: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Episodes of CRS: subject and infusion before the onset."""
    frame = pd.DataFrame(
        [{"STUDYID": "S", "USUBJID": subject, "DOSENO": dose} for subject, dose in episodes],
        columns=["STUDYID", "USUBJID", "DOSENO"],
    )
    frame = frame.assign(AESI="CRS", EPISODE=range(1, len(frame) + 1))
    return conform(frame.assign(**_required("ADAESI", frame)), "ADAESI")


def _required(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    """Values for what a specification requires and a test does not ask about."""
    variables = read_specification(name).variables
    values: dict[str, Any] = {}
    for code, variable in variables.items():
        if variable.required and code not in frame:
            first = variable.codelist[0] if variable.codelist else "X"
            values[code] = first if variable.type == "text" else 1
    return values

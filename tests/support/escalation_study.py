"""Made-up subjects of a dose escalation: who was given what when, and what followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache

import pandas as pd

from celldossier.datasets import empty_dataset, read_specification
from celldossier.dose_exploration.study import Sources

PLANNED = {"DL1": 50.0, "DL2": 150.0, "DL3": 450.0}
FLAGS = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL", "EFFFL")


def make_escalation(rows: Sequence[Mapping[str, object]]) -> Sources:
    """Sources of subjects.

    Parameters
    ----------
    rows
        One a subject: id, level, day (of the infusion in 2024, from 0), and where they differ
        from the usual: cohort (""), part (ESCALATION), dlt (day of a DLT), reason (why it is
        not evaluable), response (Y, N), observed (200, last day), inside (Y: dose in its window),
        actual (level given).
    """
    start = pd.Timestamp("2024-01-01T09:00")
    given = pd.DataFrame([dict(row) for row in rows])
    for name, value in {
        **{"cohort": "", "part": "ESCALATION", "reason": "", "response": ""},
        **{"observed": 200.0, "inside": "Y"},
    }.items():
        given[name] = given[name].fillna(value) if name in given else value
    given["dlt"] = given["dlt"] if "dlt" in given else float("nan")
    given["actual"] = (
        given["actual"].fillna(given["level"]) if "actual" in given else given["level"]
    )
    reason = given["reason"].mask(given["part"] != "ESCALATION", "NOTESCAL")
    keys = pd.DataFrame({"STUDYID": "S", "USUBJID": given["id"]})
    times = [(start + pd.Timedelta(days=d)).isoformat(timespec="minutes") for d in given["day"]]
    adsl = keys.assign(
        PART=given["part"],
        COHORT=given["cohort"],
        TRT01P=given["level"],
        TRT01A=given["actual"],
        TRTSDTM=times,
        LSTDY=given["observed"],
        DLTEVLFL=["N" if r else "Y" for r in reason],
        NDLTRSN=reason,
        **dict.fromkeys(FLAGS, "Y"),
    )
    adex = keys.assign(
        EXCAT="CELL PRODUCT",
        EXTRT="CELLS",
        DOSENO=1,
        DOSEP=given["level"].map(PLANNED),
        DOSEA=given["level"].map(PLANNED),
        DOSEU="10^6 cells",
        INWINFL=given["inside"],
        ADTM=times,
        SRCDOM="EX",
        SRCROW=range(1, len(keys) + 1),
    )
    toxic = given["dlt"].notna()
    adae = keys[toxic].assign(
        AETERM="CARDIAC FAILURE",
        AEDECOD="Cardiac failure",
        DLTFL="Y",
        TRTEMFL="Y",
        ASTDY=given.loc[toxic, "dlt"],
        SRCDOM="AE",
        SRCROW=range(1, int(toxic.sum()) + 1),
    )
    known = given["response"] != ""
    adrs = keys[known].assign(
        PARAMCD="ORR",
        AVALC=given.loc[known, "response"],
        SRCDOM="RS",
        SRCROW=range(1, int(known.sum()) + 1),
    )
    made = {"adsl": adsl, "adex": adex, "adae": adae, "adrs": adrs}
    names = [field.name for field in fields(Sources)]
    return Sources(**{n: _fill(made[n], n.upper()) if n in made else _empty(n) for n in names})


@cache
def _empty(name: str) -> pd.DataFrame:
    return empty_dataset(name.upper())


def _fill(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """All variables of the dataset, unknown ones missing; unchecked, for many studies in a row."""
    variables = read_specification(name).variables
    blank = {n: "" if v.type == "text" else float("nan") for n, v in variables.items()}
    missing = {n: value for n, value in blank.items() if n not in frame}
    return frame.assign(**missing)[list(variables)].reset_index(drop=True)


def make_cohort(
    name: str,
    level: str,
    day: int,
    dlts: int = 0,
    size: int = 3,
    responses: int = 0,
    **more: object,
) -> list[dict[str, object]]:
    """Rows of a cohort: its first subjects have the DLTs (on day 10), its last the responses."""
    return [
        {
            "id": f"{name}-{number}",
            "cohort": name,
            "level": level,
            "day": day + number,
            **({"dlt": 10.0} if number < dlts else {}),
            "response": "Y" if number >= size - responses else "N",
            **more,
        }
        for number in range(size)
    ]

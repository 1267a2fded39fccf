"""Four subjects: what was planned and taken of them, how they were judged, and its summary."""

from __future__ import annotations

from functools import lru_cache
from math import nan

import pandas as pd

from celldossier.cellular_kinetics.sampling_adequacy import CRITERIA
from celldossier.cellular_kinetics.sampling_summaries import summarise_sampling
from celldossier.datasets import conform
from celldossier.settings.sampling import SamplingRules

DOSES = {"S-001": "DL1", "S-002": "DL1", "S-003": "DL2", "S-004": "DL2"}
RULES = SamplingRules.model_validate({"schedule": [{"days": [0, 7, 10, 28]}]})
STATUS = {
    "S-001": ("TAKEN", "TAKEN", "TAKEN", "TAKEN"),
    "S-002": ("TAKEN", "MISSED", "TAKEN", "EXTRA"),
    "S-003": ("TAKEN", "TAKEN", "MISSED", "STOPPED"),
    "S-004": ("TAKEN", "TAKEN", "TAKEN", "TAKEN"),
}
TMAX = {"S-001": 10.0, "S-002": 10.4, "S-003": 17.0, "S-004": 20.0}
JUDGED = {
    "EARLY": ("Y", 2.0, ""),
    "PEAK": ("N", 11.0, "NONEAFT"),
    "COUNT": ("Y", 5.0, ""),
    "AREA": ("Y", 5.0, ""),
    "TERMINAL": ("N", 1.4, "SPANLOW"),
    "STOP": ("Y", 28.1, "TWOBLQ"),
    "COLLECT": ("N", 1.0, "MISSAMP"),
    "WINDOW": ("NA", nan, "NOWINDOW"),
}
UNITS = dict(zip(CRITERIA, ("results", "d", "results", "results", "half-lives", "d"), strict=False))


@lru_cache(maxsize=1)
def make_compared() -> pd.DataFrame:
    """The plan against the samples, in the form of `compare_with_plan`."""
    rows = []
    for analyte in ("PCR", "FLOW"):
        for subject, statuses in STATUS.items():
            for day, status in zip((0.0, 7.0, 10.0, 28.0), statuses, strict=True):
                taken = status in ("TAKEN", "EXTRA")
                rows.append(
                    {
                        "USUBJID": subject,
                        "PARAMCD": analyte,
                        "NFRLT": day,
                        "STATUS": status,
                        "AFRLT": day + 0.2 if taken else nan,
                        "HASRES": taken,
                        "BLQFL": ("Y" if day in (0.0, 28.0) else "N") if taken else "",
                        "TIMEDEV": 0.2 if taken else nan,
                        "WINFL": "",
                    }
                )
    return pd.DataFrame(rows)


@lru_cache(maxsize=1)
def make_adsa() -> pd.DataFrame:
    """Dataset ADSA: the second of the doses meets every criterion that can be judged."""
    rows = []
    for analyte in ("PCR", "FLOW"):
        for subject, dose in DOSES.items():
            for number, code in enumerate(CRITERIA, start=1):
                met, measure, reason = JUDGED[code]
                good = dose == "DL2" and met == "N"
                rows.append(
                    {
                        **{"STUDYID": "S", "USUBJID": subject, "TRT01A": dose},
                        **{"PARCAT1": analyte, "CRIT": code, "CRITN": number},
                        **{"CRITFL": "Y" if good else met, "AVAL": measure},
                        **{"AVALU": UNITS.get(code, "samples"), "CRITRSN": "" if good else reason},
                    }
                )
    return conform(pd.DataFrame(rows), "ADSA")


def make_sampling_results(rules: SamplingRules = RULES) -> pd.DataFrame:
    """Analysis results of the sampling of those subjects."""
    peaks = [
        {"USUBJID": subject, "PARCAT1": analyte, "PARAMCD": "TMAX", "AVAL": time}
        for analyte in ("PCR", "FLOW")
        for subject, time in TMAX.items()
    ]
    levels = pd.DataFrame({"dose": list(DOSES.values())}, index=list(DOSES))
    return summarise_sampling(make_compared(), make_adsa(), pd.DataFrame(peaks), levels, rules)

"""The dataset ADSL: baseline, time zero, populations with the reason for each absence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from celldossier.datasets import read_specification
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.baseline import (
    derive_laboratory,
    derive_organ_function,
    derive_product,
    group_age,
    group_by_median,
    group_paediatric_age,
    group_region,
)
from celldossier.study_data.body_size import body_mass_index, body_surface_area
from celldossier.study_data.domain import Domain
from celldossier.study_data.lymphodepletion import summarise_lymphodepletion
from celldossier.study_data.populations import derive_populations
from celldossier.study_data.subjects import Subjects
from celldossier.terms.study_terms import CELL_PRODUCT

COMPLETED = ("STUDYID", "USUBJID", "RFICDTC", "DTHDTC")
"""Variables of DM that ADSL has in another form: filled in, or of several domains."""


def list_collected(kind: Literal["text", "float"]) -> list[str]:
    """Variables of ADSL whose origin is DM, as its specification says: as collected."""
    return [
        name
        for name, variable in read_specification("ADSL").variables.items()
        if variable.type == kind and variable.origin.split(",")[0] == f"DM.{name}"
        if name not in COMPLETED
    ]


def derive_adsl(
    domains: Mapping[str, Domain],
    subjects: Subjects,
    datasets: Mapping[str, pd.DataFrame],
    settings: StudyDataSettings,
) -> pd.DataFrame:
    """Dataset ADSL: one record a subject.

    Parameters
    ----------
    domains
        Raw domains after mapping, by name.
    datasets
        The datasets of the other domains (ADEX, ADPC, ADPD, ADAB, ADAE, ADRS, ADCM, ADLD,
        ADPQ), with their subjects' days.
    """
    dm = domains["DM"]
    used = dm.active
    usubjid = dm.subject[used].reset_index(drop=True)
    texts, floats = list_collected("text"), list_collected("float")
    text = {name: dm.frame[name][used].reset_index(drop=True) for name in texts}
    numbers = {name: dm.number(name)[used].reset_index(drop=True) for name in floats}
    zero = subjects.of(usubjid, "zero")
    infused = zero.notna()
    arm = dm.frame["ARM"][used].reset_index(drop=True)
    actual = dm.frame["ACTARM"][used].reset_index(drop=True)
    actual = actual.where(actual != "", arm)
    deaths = dm.dates["DTHDTC"].take(used)
    death_day = subjects.days(deaths, usubjid)
    lot = _first_lot(datasets["ADEX"]).reindex(usubjid).fillna("").reset_index(drop=True)
    last = _last_days(datasets).reindex(usubjid).reset_index(drop=True)
    laboratory, multiples = derive_laboratory(usubjid, datasets["ADPD"], settings.baseline)
    frame = pd.DataFrame(
        {
            "STUDYID": dm.frame["STUDYID"][used].reset_index(drop=True),
            "USUBJID": usubjid,
            **text,
            **numbers,
            **laboratory,
            "AGEGR1": group_age(numbers["AGE"]),
            "AGEGR2": group_paediatric_age(numbers["AGE"]),
            "REGION1": group_region(text["COUNTRY"], settings.baseline.chinese_countries),
            "BSABL": body_surface_area(numbers["WTBL"], numbers["HTBL"]),
            "BMIBL": body_mass_index(numbers["WTBL"], numbers["HTBL"]),
            "LTBURDZ": standardise_log(numbers["TBURDBL"], [text["INDIC"], text["TBURDU"]]),
            "TBURDGR": group_by_median(numbers["TBURDBL"], [text["INDIC"], text["TBURDU"]]),
            "TRT01P": arm,
            "TRT01A": actual.where(infused, ""),
            "TRTSDTM": subjects.of(usubjid, "zero_text"),
            "RFICDTC": subjects.of(usubjid, "consent_text"),
            "LOTID": lot,
            **derive_product(lot, datasets["ADPQ"]),
            **summarise_lymphodepletion(
                usubjid, datasets["ADLD"], datasets["ADPD"], settings.dosing.lymphodepletion
            ),
            "DTHDTC": deaths.text,
            "DTHDTF": deaths.imputed,
            "DTHDY": death_day,
            "LSTDY": death_day.fillna(last),
            "FUDUR": death_day.fillna(last).where(lambda days: days >= 0),
        }
    )
    frame = frame.assign(**derive_organ_function(frame, multiples, settings.baseline))
    return frame.assign(**derive_populations(domains, subjects, frame, datasets, settings.dosing))


def standardise_log(values: pd.Series, within: list[pd.Series]) -> pd.Series:
    """Natural logarithm less the mean, over the SD (n - 1), within groups.

    NaN where a value is not positive or its group has no spread: tumour burdens of
    different units are never put on one scale.
    """
    positive = values.where(values > 0).to_numpy(dtype=float)
    logs = pd.Series(np.log(positive), index=values.index)
    groups = logs.groupby(within)
    spread = groups.transform("std")
    return (logs - groups.transform("mean")) / spread.where(spread > 0)


def _first_lot(adex: pd.DataFrame) -> pd.Series:
    first = adex[(adex["EXCAT"] == CELL_PRODUCT) & (adex["DOSENO"] == 1)]
    return first.drop_duplicates("USUBJID").set_index("USUBJID")["LOTID"]


def _last_days(datasets: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Latest day of any record, by subject."""
    columns = {"ADAE": ("ASTDY", "AENDY"), "ADCM": ("ASTDY",)}
    parts = [
        pd.DataFrame({"USUBJID": frame["USUBJID"], "DAY": _observed(frame, name)})
        for dataset, frame in datasets.items()
        if dataset not in ("ADPQ", "ADLD", "ADAESI")
        for name in columns.get(dataset, ("AFRLT",))
    ]
    return pd.concat(parts, ignore_index=True).groupby("USUBJID")["DAY"].max()


def _observed(frame: pd.DataFrame, name: str) -> pd.Series:
    """Days of a dataset without those of completed dates, which show nobody on study."""
    flags = {"ASTDY": "ASTDTF", "AENDY": "AENDTF"}
    return frame[name].where(frame[flags[name]] == "") if name in flags else frame[name]

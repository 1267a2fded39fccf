"""The dataset ADSL: baseline, time zero, populations with the reason for each absence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.study_data.body_size import body_surface_area
from celldossier.study_data.domain import Domain
from celldossier.study_data.exposure import CELL_PRODUCT
from celldossier.study_data.samples import TIERS_OF_STATUS, flag
from celldossier.study_data.subjects import Subjects

TEXTS = ("SUBJID", "SITEID", "COUNTRY", "SEX", "RACE", "INDIC", "STAGEBL", "TBURDU", "PRHSCT")
NUMBERS = ("AGE", "HTBL", "WTBL", "ECOGBL", "TBURDBL", "TARGBL", "PRLINES", "ALCBL")


def derive_adsl(
    dm: Domain,
    subjects: Subjects,
    datasets: Mapping[str, pd.DataFrame],
    collected: Mapping[str, bool],
) -> pd.DataFrame:
    """Dataset ADSL: one record a subject.

    Parameters
    ----------
    datasets
        The datasets of the other domains (ADEX, ADPC, ADPD, ADAB, ADAE, ADRS, ADCM,
        ADPQ), with their subjects' days.
    collected
        By raw domain, whether the config names it.
    """
    used = dm.active
    usubjid = dm.subject[used].reset_index(drop=True)
    text = {name: dm.frame[name][used].reset_index(drop=True) for name in (*TEXTS, "BRIDGFL")}
    numbers = {name: dm.numbers[name][used].reset_index(drop=True) for name in NUMBERS}
    zero = subjects.of(usubjid, "zero")
    infused = zero.notna()
    arm = dm.frame["ARM"][used].reset_index(drop=True)
    actual = dm.frame["ACTARM"][used].reset_index(drop=True)
    actual = actual.where(actual != "", arm)
    deaths = dm.dates["DTHDTC"].take(used)
    lot = _first_lot(datasets["ADEX"]).reindex(usubjid).fillna("").reset_index(drop=True)
    processes = datasets["ADPQ"].drop_duplicates("LOTID").set_index("LOTID")["PROCESS"]
    death_day = subjects.days(deaths, usubjid)
    frame = pd.DataFrame(
        {
            "STUDYID": dm.frame["STUDYID"][used].reset_index(drop=True),
            "USUBJID": usubjid,
            **text,
            **numbers,
            "AGEGR1": group_age(numbers["AGE"]),
            "BSABL": body_surface_area(numbers["WTBL"], numbers["HTBL"]),
            "LTBURDZ": standardise_log(numbers["TBURDBL"], [text["INDIC"], text["TBURDU"]]),
            "TRT01P": arm,
            "TRT01A": actual.where(infused, ""),
            "TRTSDTM": subjects.of(usubjid, "zero_text"),
            "RFICDTC": subjects.of(usubjid, "consent_text"),
            "DTHDTC": deaths.text,
            "DTHDTF": deaths.imputed,
            "DTHDY": death_day,
            "LOTID": lot,
            "PROCESS": lot.map(processes).fillna(""),
            "LSTDY": death_day.fillna(_last_days(datasets).reindex(usubjid).reset_index(drop=True)),
        }
    )
    return frame.assign(**_populations(dm, subjects, frame, datasets, collected))


def group_age(age: pd.Series) -> pd.Series:
    """Age group; "" where the age is not known."""
    groups = np.select([age < 18, age < 65, age >= 65], ["<18", "18-64", ">=65"], default="")
    return pd.Series(groups, index=age.index, dtype=object)


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
        if dataset not in ("ADPQ", "ADAESI")
        for name in columns.get(dataset, ("AFRLT",))
    ]
    return pd.concat(parts, ignore_index=True).groupby("USUBJID")["DAY"].max()


def _observed(frame: pd.DataFrame, name: str) -> pd.Series:
    """Days of a dataset without those of completed dates, which show nobody on study."""
    flags = {"ASTDY": "ASTDTF", "AENDY": "AENDTF"}
    return frame[name].where(frame[flags[name]] == "") if name in flags else frame[name]


def _populations(
    dm: Domain,
    subjects: Subjects,
    adsl: pd.DataFrame,
    datasets: Mapping[str, pd.DataFrame],
    collected: Mapping[str, bool],
) -> dict[str, pd.Series]:
    usubjid = adsl["USUBJID"]
    used = dm.active
    none = pd.Series("", index=usubjid.index, dtype=object)

    def given(variable: str, condition: pd.Series) -> pd.Series:
        """Flag, or blank where the study did not collect the variable."""
        if variable not in dm.given:
            return none
        return flag(condition[used].reset_index(drop=True))

    enrolled = given("RFICDTC", dm.frame["RFICDTC"] != "")
    released = subjects.frame["released"].reindex(dm.subject).eq(True).reset_index(drop=True)
    infused = adsl["TRTSDTM"] != ""
    kinetics = datasets["ADPC"]
    sampled = _have(usubjid, kinetics, (kinetics["ANL01FL"] == "Y") & (kinetics["AFRLT"] > 0))
    pd_data, ada = datasets["ADPD"], datasets["ADAB"]
    ada_tested = ada["ISCAT"].isin(TIERS_OF_STATUS)
    endpoint = _have(usubjid, datasets["ADRS"], datasets["ADRS"]["AFRLT"] > 0)
    # Adverse events are recorded for all infused subjects, so that none is an assessment too.
    endpoint = endpoint | collected["AE"] | collected["FA"]
    in_kinetics = infused & sampled
    reasons = {
        "NPKRSN": _reasons(infused, collected["PC"], [(~sampled, "NOCK")]),
        "NPDRSN": _reasons(
            infused,
            any(collected[name] for name in ("LB", "QS", "MO", "MI")),
            [
                (~_have(usubjid, pd_data, pd_data["AFRLT"] <= 0), "NOPDBASE"),
                (~_have(usubjid, pd_data, pd_data["AFRLT"] > 0), "NOPDPOST"),
            ],
        ),
        "NIMRSN": _reasons(
            infused,
            collected["IS"],
            [
                (~_have(usubjid, ada, ada_tested & (ada["AFRLT"] <= 0)), "NOADABASE"),
                (~_have(usubjid, ada, ada_tested & (ada["AFRLT"] > 0)), "NOADAPOST"),
            ],
        ),
        "NERRSN": _reasons(
            infused,
            collected["PC"] and (collected["RS"] or collected["AE"] or collected["FA"]),
            [(~in_kinetics, "NOCK"), (~endpoint, "NOENDPOINT")],
        ),
    }
    stated = dm.frame["NOINFRSN"][used].reset_index(drop=True)
    return {
        "ENRLFL": enrolled if "RFICDTC" in dm.given else flag(pd.Series(True, usubjid.index)),
        "LEUKFL": given("LEUKDTC", dm.frame["LEUKDTC"] != ""),
        "MANUFL": given("MFGSTAT", released),
        "SAFFL": flag(infused),
        "PKFL": flag(reasons["NPKRSN"] == ""),
        "PDFL": flag(reasons["NPDRSN"] == ""),
        "IMFL": flag(reasons["NIMRSN"] == ""),
        "ERFL": flag(reasons["NERRSN"] == ""),
        "NSAFRSN": none.where(infused, stated.where(stated != "", "NOTINFUSED")),
        **reasons,
    }


def _have(usubjid: pd.Series, dataset: pd.DataFrame, rows: pd.Series) -> pd.Series:
    return usubjid.isin(dataset["USUBJID"][rows])


def _reasons(
    infused: pd.Series, collected: bool, absences: list[tuple[pd.Series, str]]
) -> pd.Series:
    """First reason that keeps a subject out of a population; "" where there is none."""
    rules = [(pd.Series(not collected, index=infused.index), "NOTCOLL"), (~infused, "NOTINFUSED")]
    rules += absences
    reason = np.select([rule for rule, _ in rules], [code for _, code in rules], default="")
    return pd.Series(reason, index=infused.index, dtype=object)

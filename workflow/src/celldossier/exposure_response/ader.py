"""ADER: exposure, outcomes and covariates, one row a subject."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.datasets import conform
from celldossier.exposure_response.covariate_variables import derive_covariates
from celldossier.exposure_response.dose_metrics import derive_dose_metrics
from celldossier.exposure_response.study import KEY, Sources
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN

ALL_METRICS = ("AUC28", "AUC84", "CMAX", "CMAXTMAX", "EXPRATE")
"""Metrics that are parameters of the non-compartmental analysis."""
EVENTS = {"CRS": ("CRSGR", "CRSONDY", "CRSRSN"), "ICANS": ("ICANSGR", "ICANONDY", "ICANSRSN")}
RESCUE = {"TOCIFL": "TOCILIZUMAB", "STERFL": "STEROID"}


def derive_ader(sources: Sources, settings: ExposureResponseSettings) -> pd.DataFrame:
    """Derive ADER for the infused subjects.

    An outcome is missing where the study has no record of its domain at all (it was
    not collected); within a study that collects adverse events, a subject without a
    CRS or ICANS record has grade 0. Where only daily components were collected, grade 0
    needs a day of that event whose grade is known: nobody looked at the others.

    Returns
    -------
    pandas.DataFrame
        Dataset ADER.
    """
    adsl, adcm, adpq = sources.adsl, sources.adcm, sources.adpq
    infused = adsl.loc[adsl["SAFFL"] == "Y"]
    ader = infused[KEY].reset_index(drop=True)
    covariates = derive_covariates(infused, sources.adex, adpq)
    ader = pd.concat([ader, covariates.reset_index(drop=True)], axis=1)
    # The dose behind the exposure: that of the first course, as in the kinetics (R15).
    until = settings.dose_exposure.until
    ader = ader.assign(**derive_dose_metrics(ader, sources.adex, adpq, until))
    ader = _add_exposure(ader, sources.adpc, sources.adpp, settings)
    ader["CMAXSITE"] = _by_subject(ader, find_peak_at_site(sources.adtiss, settings)["VALUE"])
    ader = _add_response(ader, sources.adrs)
    for event, names in EVENTS.items():
        watched = _list_watched(ader, sources.adae, sources.adfa, event, settings.event_window)
        ader = _add_event(ader, sources.adae, event, names, watched, settings.event_window)
    collected = ader["STUDYID"].isin(set(adcm["STUDYID"]))
    for variable, medication in RESCUE.items():
        given = select_rescue(adcm, medication, settings)
        flag = _by_subject(ader, given.groupby(KEY).size()).notna()
        ader[variable] = np.where(collected, np.where(flag, "Y", "N"), "")
    return conform(ader, "ADER")


def select_rescue(
    adcm: pd.DataFrame, medication: str, settings: ExposureResponseSettings
) -> pd.DataFrame:
    """Doses of a rescue medication from the infusion to `confounding.rescue_until`."""
    in_time = (adcm["ASTDY"] >= 0) & (adcm["ASTDY"] <= settings.confounding.rescue_until)
    return adcm.loc[(adcm["CMCLASS"] == medication) & in_time]


def _by_subject(ader: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Values of a series by study and subject, in the rows of ADER."""
    found = values.reindex(pd.MultiIndex.from_frame(ader[KEY]))
    return pd.Series(found.to_numpy(dtype=float), index=ader.index)


def _add_exposure(
    ader: pd.DataFrame,
    adpc: pd.DataFrame,
    adpp: pd.DataFrame,
    settings: ExposureResponseSettings,
) -> pd.DataFrame:
    parameters = adpp.loc[adpp["PARCAT1"] == settings.analyte]
    # The course from the first infusion is the exposure; later infusions are part of it.
    first = parameters.loc[parameters["PROFTYP"] == "COURSE"]
    exposure, reasons = {}, []
    for metric in ALL_METRICS:
        rows = first.loc[first["PARAMCD"] == metric].set_index(KEY)
        # A change from baseline may be below 0 (R24): it has no logarithm.
        falls = rows["AVAL"] < 0
        exposure[metric] = _by_subject(ader, rows["AVAL"].mask(falls))
        key = pd.MultiIndex.from_frame(ader[KEY])
        reason = rows["PPREASND"].mask(falls, "NEGCHG").reindex(key).fillna("NOCK").to_numpy()
        missing = exposure[metric].isna().to_numpy()
        reasons.append(
            [
                f"{metric}={code}" if absent and metric in settings.metrics else ""
                for code, absent in zip(reason, missing, strict=True)
            ]
        )
    text = ["; ".join(filter(None, row)) for row in zip(*reasons, strict=True)]
    samples = adpc.loc[(adpc["PARAMCD"] == settings.analyte) & (adpc["ANL01FL"] == "Y")]
    half = _by_subject(ader, samples.groupby(KEY)["ALLOQ"].max()) / 2
    never = exposure["CMAX"] == 0
    exposure["CMAXSEN"] = exposure["CMAX"].mask(never, half)
    exposure["AUC28SEN"] = exposure["AUC28"].mask(exposure["AUC28"] == 0, half * 28)
    for day in (3, 7):
        value, time = _landmark(samples, day, settings.landmark_lookback)
        exposure[f"CLD{day}"] = _by_subject(ader, value)
        exposure[f"CLD{day}DY"] = _by_subject(ader, time)
    return ader.assign(**exposure, EXPRSN=text)


def _landmark(samples: pd.DataFrame, day: int, lookback: float) -> tuple[pd.Series, pd.Series]:
    """Concentration and time of the last sample at or before a landmark, by subject.

    The nominal day decides where it is given, so that a day-3 sample drawn some
    hours late still belongs to day 3; whether it came before an onset is judged on
    its actual time.
    """
    scheduled = samples["NFRLT"].where(samples["NFRLT"].notna(), samples["AFRLT"])
    near = (scheduled > 0) & (scheduled <= day) & (scheduled >= day - lookback)
    value = samples["AVAL"].mask(samples["BLQFL"] == "Y", samples["ALLOQ"] / 2)
    usable = samples.assign(VALUE=value).loc[near & value.notna() & samples["AFRLT"].notna()]
    last = usable.sort_values([*KEY, "AFRLT", "SRCROW"], kind="stable").groupby(KEY).last()
    return last["VALUE"], last["AFRLT"]


def find_peak_at_site(adtiss: pd.DataFrame, settings: ExposureResponseSettings) -> pd.DataFrame:
    """Highest concentration after the infusion at the target site, by subject; BLQ is 0.

    Returns
    -------
    pandas.DataFrame
        VALUE and AFRLT (days, the first of equal values), by STUDYID and USUBJID.
    """
    site = settings.target_site
    rows = adtiss.loc[
        (adtiss["PARAMCD"] == settings.analyte)
        & (adtiss["COMPART"] == site)
        & (adtiss["ANL01FL"] == "Y")
        & (adtiss["AFRLT"] > 0)
    ]
    rows = rows.assign(VALUE=rows["AVAL"].mask(rows["BLQFL"] == "Y", 0.0))
    rows = rows.loc[rows["VALUE"].notna()].sort_values(["VALUE", "AFRLT"], ascending=[False, True])
    return rows.drop_duplicates(KEY).set_index(KEY)[["VALUE", "AFRLT"]]


def _add_response(ader: pd.DataFrame, adrs: pd.DataFrame) -> pd.DataFrame:
    best = adrs.loc[adrs["PARAMCD"] == "BOR"].drop_duplicates(KEY).set_index(KEY)
    key = pd.MultiIndex.from_frame(ader[KEY])
    flag = best["RESPFL"].reindex(key).fillna("").to_numpy()
    collected = ader["STUDYID"].isin(set(adrs["STUDYID"])).to_numpy()
    known = [*RESPONSE_GROUPS.values(), UNKNOWN]
    group = np.select([*(flag == code for code in RESPONSE_GROUPS), collected], known, "")
    event = np.select([flag == "Y", flag == "N"], [1.0, 0.0], math.nan)
    response = best["AVALC"].reindex(key).fillna("").to_numpy()
    return ader.assign(BORC=response, RESPGRP=group, OBJRESP=event)


def _list_watched(
    ader: pd.DataFrame, adae: pd.DataFrame, adfa: pd.DataFrame, event: str, window: float
) -> pd.Series:
    """Subjects in whom the event would have been recorded: its absence means grade 0."""
    reported = ader["STUDYID"].isin(set(adae.loc[adae["SRCDOM"] == "AE", "STUDYID"]))
    known = (adfa["DTYPE"].fillna("") != "") & (adfa["FAOBJ"] == event) & adfa["AVAL"].notna()
    days = adfa.loc[known & adfa["ADY"].between(0, window)]
    return reported | _by_subject(ader, days.groupby(KEY).size()).notna()


def _add_event(
    ader: pd.DataFrame,
    adae: pd.DataFrame,
    event: str,
    names: tuple[str, str, str],
    watched: pd.Series,
    window: float,
) -> pd.DataFrame:
    """Add worst grade, onset and the reason where the grade is not known."""
    grade, onset, reason = names
    emergent = adae.loc[(adae["AESI"] == event) & (adae["TRTEMFL"] == "Y")]
    rows = emergent.loc[emergent["ASTDY"] <= window]
    worst = _by_subject(ader, rows.groupby(KEY)["ATOXGRN"].max())
    first = _by_subject(ader, rows.groupby(KEY)["ASTDY"].min())
    worst = worst.mask(first.isna() & watched, 0.0)
    # An event without a grade, or one with a partial date that may lie in the window,
    # leaves the worst grade unknown where it could be worse than those that are known.
    undated = emergent.loc[emergent["ASTDY"].isna()]
    doubtful = pd.concat([rows.loc[rows["ATOXGRN"].isna()], undated])
    possible = _by_subject(ader, doubtful["ATOXGRN"].fillna(5.0).groupby(_keys(doubtful)).max())
    worst = worst.mask(possible > worst)
    somewhere = ader["STUDYID"].isin(set(ader.loc[watched, "STUDYID"]) | set(adae["STUDYID"]))
    why = np.select([first.notna() | possible.notna(), somewhere], ["UNGRADED", "NOCOMPON"], "")
    text = pd.Series(np.where(why == "", "NOTCOLL", why), index=ader.index, dtype=object)
    return ader.assign(**{grade: worst, onset: first, reason: text.mask(worst.notna(), "")})


def _keys(rows: pd.DataFrame) -> list[pd.Series]:
    return [rows[name] for name in KEY]

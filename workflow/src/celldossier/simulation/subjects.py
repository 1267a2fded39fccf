"""Enrolled subjects: demographics, baseline disease, dates, dose level, product lot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.escalation import (
    assign_dose_levels,
    name_parts,
    run_escalation,
    space_cohorts,
)
from celldossier.simulation.records import round_significant, shift_days, to_minutes
from celldossier.simulation.sites import draw_countries, fit_races
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota, draw_quota_within, open_stream

# Tumour burden: median and SD of ln. ALL in % marrow blasts, NHL in SPD mm2.
BURDEN = {"ALL": (35.0, 0.45), "NHL": (2500.0, 0.80)}
LARGEST_BLASTS = 99.0
RACES = {"ASIAN": 0.62, "WHITE": 0.31, "BLACK OR AFRICAN AMERICAN": 0.07}

NOT_INFUSED_REASONS = ("DEATH BEFORE INFUSION", "DISEASE PROGRESSION BEFORE INFUSION")
FAILED_REASON = "MANUFACTURING FAILURE"


def draw_subjects(spec: StudySpecification) -> pd.DataFrame:
    """Draw all enrolled subjects, one row each in order of consent.

    Returns
    -------
    DataFrame with internal columns: identifiers, INFUSED (bool), dates as
    datetime64 (minutes), baseline covariates as numbers, BURDENZ (standardised
    ln tumour burden as reported), dose level and process.
    """
    rng = open_stream(spec.seed, "subjects")
    enrolment = spec.enrolment
    missing = enrolment.manufacturing_failures + enrolment.lost_before_infusion
    total = enrolment.infused + missing
    first, last = to_minutes(enrolment.first_consent), to_minutes(enrolment.last_consent)
    span = (last - first) / np.timedelta64(1, "D")
    consent_day = np.floor(np.sort(rng.uniform(0, span, total)))
    consent = shift_days(np.full(total, first), consent_day + 9 / 24)

    infused = ~draw_quota(rng, total, missing)
    failed = draw_quota_within(rng, ~infused, enrolment.manufacturing_failures)
    site = rng.integers(1, enrolment.sites + 1, total)
    number = np.arange(1, total + 1)
    digits = max(3, len(str(total)))
    subjid = [f"{s:02d}-{n:0{digits}d}" for s, n in zip(site, number, strict=True)]

    is_all = np.zeros(total, dtype=bool)
    is_all[infused] = draw_quota(
        rng, enrolment.infused, round(enrolment.all_share * enrolment.infused)
    )
    is_all[~infused] = rng.uniform(size=missing) < enrolment.all_share
    indication = np.where(is_all, "ALL", "NHL")
    adolescent = draw_quota_within(rng, infused & is_all, enrolment.adolescents)
    adolescent = _keep_first_cohort_adult(spec, adolescent, infused & is_all, infused)

    frame = pd.DataFrame(
        {
            "USUBJID": [f"{spec.study}-{name}" for name in subjid],
            "SUBJID": subjid,
            "SITEID": [f"{s:02d}" for s in site],
            "INFUSED": infused,
            "FAILED": failed,
            "INDIC": indication,
            "ADOLESCENT": adolescent,
            "CONSENT": consent,
        }
    )
    frame = frame.assign(
        **_draw_demographics(spec, rng, adolescent, is_all, site),
        **_draw_disease(rng, is_all),
        **_draw_dates(rng, consent, infused, failed),
    )
    cohorts = run_escalation(spec)
    frame["DOSELEVEL"] = assign_dose_levels(spec, rng, infused, cohorts)
    frame = space_cohorts(spec, frame, cohorts)
    frame["PART"], frame["COHORT"] = name_parts(frame, cohorts)
    frame = frame.assign(**_draw_history(spec, frame))
    frame["PROCESS"] = _assign_processes(spec, frame)
    frame["LOTID"] = [f"{spec.study}-L{n:0{digits}d}" for n in number]
    return frame


def _draw_demographics(
    spec: StudySpecification,
    rng: np.random.Generator,
    adolescent: NDArray[np.bool_],
    is_all: NDArray[np.bool_],
    site: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    n = adolescent.size
    male = rng.uniform(size=n) < 0.56
    adult_age = np.where(
        is_all,
        np.clip(np.rint(38 + 14 * rng.standard_normal(n)), 18, 74),
        np.clip(np.rint(58 + 12 * rng.standard_normal(n)), 20, 80),
    )
    age = np.where(adolescent, rng.integers(12, 18, n), adult_age).astype(int)
    adult_height = np.where(male, 172.0, 160.0) + 6.5 * rng.standard_normal(n)
    young_height = np.where(male, 150 + 4.2 * (age - 12), 151 + 2.0 * (age - 12))
    height = np.where(adolescent, young_height + 6 * rng.standard_normal(n), adult_height)
    height = np.round(np.clip(height, 138, 198), 1)
    bmi = np.where(adolescent, 19.5, 24.0) * np.exp(0.14 * rng.standard_normal(n))
    race = rng.choice(list(RACES), size=n, p=list(RACES.values()))
    country = draw_countries(spec.seed, site, spec.enrolment.sites, RACES["ASIAN"])
    others = {name: share / (1 - RACES["ASIAN"]) for name, share in list(RACES.items())[1:]}
    race = fit_races(spec.seed, race, country, others)
    hispanic = (race == "WHITE") & (rng.uniform(size=n) < 0.15)
    return {
        "AGE": age,
        "SEX": np.where(male, "M", "F"),
        "RACE": race,
        "ETHNIC": np.where(hispanic, "HISPANIC OR LATINO", "NOT HISPANIC OR LATINO"),
        "COUNTRY": country,
        "HEIGHT": height,
        "WEIGHT": np.round(bmi * (height / 100) ** 2, 1),
    }


def _draw_disease(rng: np.random.Generator, is_all: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    n = is_all.size
    z = rng.standard_normal(n)
    medians = np.where(is_all, BURDEN["ALL"][0], BURDEN["NHL"][0])
    spreads = np.where(is_all, BURDEN["ALL"][1], BURDEN["NHL"][1])
    burden = medians * np.exp(spreads * z)
    burden = np.where(is_all, np.minimum(burden, LARGEST_BLASTS), burden)
    burden = round_significant(burden, 3)
    # The truth is defined on the burden that is reported: rounding and ceiling included.
    reported_z = np.log(burden / medians) / spreads
    stage = rng.choice(["I", "II", "III", "IV"], size=n, p=[0.05, 0.18, 0.32, 0.45])
    return {
        "BURDEN": burden,
        "BURDENZ": reported_z,
        "TARGET": np.round(100 * rng.beta(14, 1.4, n), 1),
        "ECOG": (rng.uniform(size=n) < 0.55).astype(int),
        "STAGE": np.where(is_all, "NOT APPLICABLE", stage),
        "PRIORLINES": 2 + rng.binomial(4, 0.28, n),
        "PRIORHSCT": rng.uniform(size=n) < np.where(is_all, 0.38, 0.22),
        "BRIDGING": rng.uniform(size=n) < 0.6,
        "ALC": np.clip(np.round(0.9 * np.exp(0.55 * rng.standard_normal(n)), 2), 0.15, 4.0),
    }


def _draw_dates(
    rng: np.random.Generator,
    consent: NDArray[np.datetime64],
    infused: NDArray[np.bool_],
    failed: NDArray[np.bool_],
) -> dict[str, NDArray[Any]]:
    n = consent.size
    leukapheresis = rng.integers(3, 11, n).astype(float)
    manufacture = leukapheresis + rng.integers(1, 4, n)
    culture = rng.integers(8, 13, n)
    release = manufacture + culture + rng.integers(7, 13, n)
    infusion_day = release + rng.integers(6, 15, n)
    infusion_hour = rng.integers(9 * 60, 14 * 60, n) / (24 * 60)
    midnight = consent.astype("datetime64[D]").astype("datetime64[m]")
    infusion = shift_days(midnight, np.where(infused, infusion_day + infusion_hour, np.nan))
    return {
        "LEUKAPHERESIS": shift_days(midnight, leukapheresis),
        "MANUFACTURE": shift_days(midnight, manufacture),
        "RELEASE": shift_days(midnight, np.where(failed, np.nan, release)),
        "CULTUREDAYS": culture,
        "INFUSION": infusion,
        "VEINTOVEIN": np.where(infused, infusion_day - leukapheresis, np.nan),
    }


def _keep_first_cohort_adult(
    spec: StudySpecification,
    adolescent: NDArray[np.bool_],
    eligible: NDArray[np.bool_],
    infused: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Swap adolescents of the first cohort with the next adults of their indication."""
    first = np.flatnonzero(infused)[: spec.dosing.escalation.cohort_size]
    young = first[adolescent[first]]
    later = np.setdiff1d(np.flatnonzero(eligible & ~adolescent), first)[: young.size]
    moved = adolescent.copy()
    moved[young[: later.size]] = False
    moved[later] = True
    return moved


def _draw_history(spec: StudySpecification, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Prior therapy against the target, disease outside marrow and nodes, chemistry."""
    rng = open_stream(spec.seed, "history")
    n = len(frame)
    is_all = (frame["INDIC"] == "ALL").to_numpy()
    burden = frame["BURDENZ"].to_numpy(dtype=float)
    male = (frame["SEX"] == "M").to_numpy()
    return {
        "PRIORTARGET": rng.uniform(size=n) < np.where(is_all, 0.25, 0.04),  # blinatumomab
        "EXTRAMEDULLARY": rng.uniform(size=n) < np.where(is_all, 0.18, 0.45),
        "LDH": round_significant(290 * np.exp(0.25 * burden + 0.35 * rng.standard_normal(n)), 3),
        "CREAT": round_significant(
            np.where(male, 76.0, 60.0) * np.exp(0.20 * rng.standard_normal(n)), 3
        ),
        "ALT": round_significant(24 * np.exp(0.45 * rng.standard_normal(n)), 3),
        "AST": round_significant(22 * np.exp(0.40 * rng.standard_normal(n)), 3),
        "BILI": round_significant(9 * np.exp(0.45 * rng.standard_normal(n)), 3),
    }


def _assign_processes(spec: StudySpecification, frame: pd.DataFrame) -> NDArray[np.str_]:
    """The process of each lot: the change is made at one moment of manufacture."""
    made = frame["MANUFACTURE"].to_numpy().astype("datetime64[m]")
    infused = frame["INFUSED"].to_numpy(dtype=bool)
    earlier = round(spec.processes[0].infused_share * spec.enrolment.infused)
    code_a, code_b = spec.processes[0].code, spec.processes[1].code
    order = np.argsort(made[infused], kind="stable")
    codes = np.where(np.arange(order.size) < earlier, code_a, code_b)
    process = np.full(len(frame), code_a)
    placed = np.empty(order.size, dtype=process.dtype)
    placed[order] = codes
    process[infused] = placed
    if earlier < order.size:
        change = made[infused][order[earlier]]
        process[~infused] = np.where(made[~infused] >= change, code_b, code_a)
    return process

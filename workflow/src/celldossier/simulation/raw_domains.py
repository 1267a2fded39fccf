"""Raw domains that only lay out what was drawn before: DM, PC and RS."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.kinetics import MeasuredConcentrations
from celldossier.simulation.outcomes import RESPONSE_DAYS, DiseaseCourse
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    format_numbers,
    name_visits,
    round_significant,
    shift_days,
)
from celldossier.simulation.schedule import time_point_name
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import draw_quota_within, open_stream
from celldossier.simulation.subjects import FAILED_REASON, NOT_INFUSED_REASONS

Array = NDArray[np.float64]


BURDEN_UNITS = {"ALL": "% MARROW BLASTS", "NHL": "mm2"}
RESPONSE_WORDS = {
    "CR": "COMPLETE RESPONSE",
    "CRi": "COMPLETE RESPONSE WITH INCOMPLETE RECOVERY",
    "PR": "PARTIAL RESPONSE",
    "SD": "STABLE DISEASE",
    "NR": "NO RESPONSE",
    "PD": "PROGRESSIVE DISEASE",
    "NE": "NOT EVALUABLE",
}


def write_demographics(
    spec: StudySpecification, subjects: pd.DataFrame, infused: pd.DataFrame, death_day: Array
) -> pd.DataFrame:
    """Lay out ``dm.csv``: every enrolled subject, infused or not."""
    rng = open_stream(spec.seed, "not_infused")
    n = len(subjects)
    is_infused = subjects["INFUSED"].to_numpy(dtype=bool)
    failed = subjects["FAILED"].to_numpy(dtype=bool)
    lost = ~is_infused & ~failed
    # Three in five of those who are lost before infusion die, the others progress.
    dead = draw_quota_within(rng, lost, round(0.6 * int(lost.sum())))
    release = subjects["RELEASE"].to_numpy().astype("datetime64[m]")
    death = np.full(n, np.datetime64("NaT"), dtype="datetime64[m]")
    death[dead] = shift_days(release, rng.integers(1, 8, n))[dead]
    infusion = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    death[is_infused] = shift_days(infusion, death_day)
    codes = np.array([level.code for level in spec.dosing.levels])
    names = np.array(
        [
            f"{level.code}: {level.planned:g} x 10^6 CAR+ viable T cells"
            for level in spec.dosing.levels
        ]
    )
    level = subjects["DOSELEVEL"].to_numpy()
    frame = pd.DataFrame(
        {
            "USUBJID": subjects["USUBJID"],
            "SUBJID": subjects["SUBJID"],
            "SITEID": subjects["SITEID"],
            "RFICDTC": format_datetimes(subjects["CONSENT"].to_numpy().astype("datetime64[m]")),
            "RFXSTDTC": format_datetimes(subjects["INFUSION"].to_numpy().astype("datetime64[m]")),
            "DTHDTC": format_dates(death),
            "DTHFL": np.where(np.isnat(death), "", "Y"),
            "AGE": subjects["AGE"].astype(str),
            "AGEU": "YEARS",
            "SEX": subjects["SEX"],
            "RACE": subjects["RACE"],
            "ETHNIC": subjects["ETHNIC"],
            "COUNTRY": subjects["COUNTRY"],
            "ARMCD": codes[level],
            "ARM": names[level],
            "INDIC": subjects["INDIC"],
            "HTBL": format_fixed(subjects["HEIGHT"], 1),
            "WTBL": format_fixed(subjects["WEIGHT"], 1),
            "ECOGBL": subjects["ECOG"].astype(str),
            "STAGEBL": subjects["STAGE"],
            "TBURDBL": format_numbers(subjects["BURDEN"]),
            "TBURDU": subjects["INDIC"].map(BURDEN_UNITS),
            "TARGBL": format_fixed(subjects["TARGET"], 1),
            "PRLINES": subjects["PRIORLINES"].astype(str),
            "PRHSCT": np.where(subjects["PRIORHSCT"], "Y", "N"),
            "BRIDGFL": np.where(subjects["BRIDGING"], "Y", "N"),
            "ALCBL": format_fixed(subjects["ALC"], 2),
            "LEUKDTC": format_dates(subjects["LEUKAPHERESIS"].to_numpy()),
            "MFGSTAT": np.where(failed, "FAILED", "RELEASED"),
            "NOINFRSN": np.select(
                [failed, dead, lost & ~dead], [FAILED_REASON, *NOT_INFUSED_REASONS], default=""
            ),
        }
    )
    return finish_domain(frame, spec.study, "dm", [])


def write_concentrations(
    spec: StudySpecification,
    infused: pd.DataFrame,
    times: Array,
    measured: MeasuredConcentrations,
    sampled: NDArray[np.bool_],
) -> pd.DataFrame:
    """Lay out ``pc.csv``: PCR and flow in blood, and a few marrow samples by PCR."""
    rng = open_stream(spec.seed, "marrow")
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    nominal = np.array(spec.sampling.days)
    rows, columns = np.nonzero(sampled)
    blocks = []
    for code, name, unit, method, laboratory, values, assay in (
        (
            "CARPCR",
            "CAR Transgene",
            "copies/ug DNA",
            "QPCR",
            "CENTRAL LAB A",
            measured.pcr,
            spec.sampling.pcr,
        ),
        (
            "CARFLOW",
            "CAR-Positive T Cells",
            "cells/uL",
            "FLOW CYTOMETRY",
            "CENTRAL LAB B",
            measured.flow,
            spec.sampling.flow,
        ),
    ):
        parts = [("BLOOD", rows, columns, values[rows, columns], times[rows, columns])]
        if code == "CARPCR":
            day = int(np.flatnonzero(nominal == 28)[0])
            is_all = (infused["INDIC"] == "ALL").to_numpy()
            chosen = draw_quota_within(
                rng, is_all, round(spec.sampling.marrow_share * int(is_all.sum()))
            )
            place = np.flatnonzero(chosen & sampled[:, day])
            noise = np.exp(assay.residual_sd * rng.standard_normal(place.size))
            marrow = round_significant(measured.pcr[place, day] * spec.sampling.marrow_partition)
            marrow = round_significant(marrow * noise)
            later = times[place, day] + 30 / 1440
            parts.append(("BONE MARROW", place, np.full(place.size, day), marrow, later))
        for specimen, who, which, results, moment in parts:
            number, visit = name_visits(nominal[which])
            below = results < assay.lloq
            blocks.append(
                pd.DataFrame(
                    {
                        "USUBJID": infused["USUBJID"].to_numpy()[who],
                        "PCTESTCD": code,
                        "PCTEST": name,
                        "PCORRES": np.where(below, "BLQ", format_numbers(results)),
                        "PCORRESU": unit,
                        "PCLLOQ": f"{assay.lloq:g}",
                        "PCULOQ": format_numbers([assay.uloq], 9)[0],
                        "PCSPEC": specimen,
                        "PCMETHOD": method,
                        "PCNAM": laboratory,
                        "VISITNUM": number,
                        "VISIT": visit,
                        "PCTPT": [time_point_name(day) for day in nominal[which].tolist()],
                        "PCTPTNUM": [f"{day:g}" for day in nominal[which].tolist()],
                        "PCDTC": format_datetimes(shift_days(start[who], moment)),
                    }
                )
            )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "pc", ["PCTESTCD", "PCSPEC", "PCDTC"])


def write_responses(
    spec: StudySpecification, infused: pd.DataFrame, course: DiseaseCourse, visit_days: Array
) -> pd.DataFrame:
    """Lay out ``rs.csv``: the overall response at each assessed visit."""
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    rows, columns = np.nonzero(course.assessments != "")
    status = course.assessments[rows, columns]
    is_all = (infused["INDIC"] == "ALL").to_numpy()[rows]
    number, visit = name_visits(np.array(RESPONSE_DAYS)[columns])
    words = [
        "RELAPSED DISEASE" if code == "PD" and leukaemia else RESPONSE_WORDS[code]
        for code, leukaemia in zip(status.tolist(), is_all.tolist(), strict=True)
    ]
    frame = pd.DataFrame(
        {
            "USUBJID": infused["USUBJID"].to_numpy()[rows],
            "RSTESTCD": "OVRLRESP",
            "RSTEST": "Overall Response",
            "RSCAT": np.where(is_all, "ALL", "LUGANO 2014"),
            "RSORRES": words,
            "RSSTRESC": status,
            "VISITNUM": number,
            "VISIT": visit,
            "RSDTC": format_dates(shift_days(start[rows], visit_days[rows, columns])),
        }
    )
    return finish_domain(frame, spec.study, "rs", ["RSDTC"])

"""Raw domains that only lay out what was drawn before: DM, PC and RS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.assays import Bridging, report_results
from celldossier.simulation.chemistry import group_hepatic, group_renal
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
from celldossier.simulation.schedule import UNSCHEDULED_VISIT, time_point_name
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.specification_parts import Assay
from celldossier.simulation.streams import draw_quota_within, open_stream
from celldossier.simulation.subject_records import identify_subjects
from celldossier.simulation.subjects import FAILED_REASON, NOT_INFUSED_REASONS

Array = NDArray[np.float64]

MARROW_DAY = 28.0
BRIDGING_SPECIMEN = "DNA"  # archived extract: measured again, and no sample of the kinetics
# Name and unit of each test; method and laboratory of its assays, in order of use.
METHODS = {
    "CARPCR": (
        "CAR Transgene",
        "copies/ug DNA",
        (("QPCR", "CENTRAL LAB A"), ("DDPCR", "CENTRAL LAB C")),
    ),
    "CARFLOW": ("CAR-Positive T Cells", "cells/uL", (("FLOW CYTOMETRY", "CENTRAL LAB B"),)),
}

NEGATIVE_SHARE = 0.85
"""Share of complete responses of leukaemia without residual disease in marrow."""

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
            **identify_subjects(subjects, "INFUSION"),
            "DTHDTC": format_dates(death),
            "DTHFL": np.where(np.isnat(death), "", "Y"),
            "ARMCD": codes[level],
            "ARM": names[level],
            "PART": subjects["PART"],
            "COHORT": subjects["COHORT"],
            "INDIC": subjects["INDIC"],
            "ECOGBL": subjects["ECOG"].astype(str),
            "STAGEBL": subjects["STAGE"],
            "EXTRAMED": np.where(subjects["EXTRAMEDULLARY"], "Y", "N"),
            "TBURDBL": format_numbers(subjects["BURDEN"]),
            "TBURDU": subjects["INDIC"].map(BURDEN_UNITS),
            "TARGBL": format_fixed(subjects["TARGET"], 1),
            "PRLINES": subjects["PRIORLINES"].astype(str),
            "PRTARG": np.where(subjects["PRIORTARGET"], "Y", "N"),
            "PRHSCT": np.where(subjects["PRIORHSCT"], "Y", "N"),
            "BRIDGFL": np.where(subjects["BRIDGING"], "Y", "N"),
            "ALCBL": format_fixed(subjects["ALC"], 2),
            "HEPGRP": group_hepatic(subjects),
            "RENGRP": group_renal(subjects),
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
    second: NDArray[np.bool_],
    bridging: Bridging,
) -> pd.DataFrame:
    """Lay out ``pc.csv``: PCR and flow in blood, PCR in marrow and in archived DNA.

    Parameters
    ----------
    second
        Subjects whose PCR results are those of the second assay.
    bridging
        Archived DNA of subjects of the first assay, measured again by the second.
    """
    rng = open_stream(spec.seed, "marrow")
    nominal = np.array(spec.sampling.days)
    vcn = infused["VCN"].to_numpy(dtype=float)
    rows, columns = np.nonzero(sampled)
    flow = measured.flow[rows, columns]
    reported = report_results(spec, measured.pcr, second, vcn)
    parts = [
        Samples("CARFLOW", "BLOOD", rows, columns, flow, times[rows, columns], np.zeros_like(rows)),
    ]
    day = int(np.flatnonzero(nominal == MARROW_DAY)[0])
    is_all = (infused["INDIC"] == "ALL").to_numpy()
    chosen = draw_quota_within(rng, is_all, round(spec.sampling.marrow_share * int(is_all.sum())))
    place = np.flatnonzero(chosen & sampled[:, day])
    noise = np.exp(spec.sampling.pcr.residual_sd * rng.standard_normal(place.size))
    marrow = round_significant(measured.pcr[place, day] * spec.sampling.marrow_partition)
    marrow = report_results(
        spec, round_significant(marrow * noise)[:, np.newaxis], second[place], vcn[place]
    )[:, 0]
    later = times[place, day] + 30 / 1440
    again = times[bridging.rows, bridging.columns]
    for specimen, who, which, results, moment, by_second in (
        ("BLOOD", rows, columns, reported[rows, columns], times[rows, columns], second[rows]),
        ("BONE MARROW", place, np.full(place.size, day), marrow, later, second[place]),
        (
            BRIDGING_SPECIMEN,
            bridging.rows,
            bridging.columns,
            bridging.results,
            again,
            np.ones(bridging.rows.size, dtype=bool),
        ),
    ):
        parts.append(
            Samples("CARPCR", specimen, who, which, results, moment, by_second.astype(int))
        )
    frames = [_lay_out_samples(spec, infused, part) for part in parts]
    frame = pd.concat(frames, ignore_index=True)
    return finish_domain(frame, spec.study, "pc", ["PCTESTCD", "PCSPEC", "PCDTC"])


@dataclass(frozen=True)
class Samples:
    """Results of one test in one specimen, one entry a sample.

    ``version`` is 0 for the first and 1 for the second assay of the test.
    """

    test: str
    specimen: str
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    result: Array
    day: Array
    version: NDArray[np.int64]


def _lay_out_samples(
    spec: StudySpecification, infused: pd.DataFrame, samples: Samples
) -> pd.DataFrame:
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    nominal = np.array(spec.sampling.days)[samples.column]
    if samples.test == "CARPCR":
        assays: tuple[Assay, ...] = (spec.sampling.pcr, spec.assay_change)
    else:
        assays = (spec.sampling.flow,)
    name, unit, methods = METHODS[samples.test]
    lloq = np.array([assay.lloq for assay in assays])[samples.version]
    number, visit = name_visits(nominal)

    def by_version(texts: list[str]) -> NDArray[np.str_]:
        chosen: NDArray[np.str_] = np.array(texts)[samples.version]
        return chosen

    return pd.DataFrame(
        {
            "USUBJID": infused["USUBJID"].to_numpy()[samples.row],
            "PCTESTCD": samples.test,
            "PCTEST": name,
            "PCORRES": np.where(samples.result < lloq, "BLQ", format_numbers(samples.result)),
            "PCORRESU": unit,
            "PCLLOQ": by_version([f"{assay.lloq:g}" for assay in assays]),
            "PCULOQ": by_version([format_numbers([assay.uloq], 9)[0] for assay in assays]),
            "PCSPEC": samples.specimen,
            "PCMETHOD": by_version([method for method, _ in methods]),
            "PCASSAYV": by_version([str(1 + version) for version in range(len(methods))]),
            "PCNAM": by_version([laboratory for _, laboratory in methods]),
            "VISITNUM": number,
            "VISIT": visit,
            "PCTPT": [time_point_name(day) for day in nominal.tolist()],
            "PCTPTNUM": [f"{day:g}" for day in nominal.tolist()],
            "PCDTC": format_datetimes(shift_days(start[samples.row], samples.day)),
        }
    )


def write_responses(
    spec: StudySpecification, infused: pd.DataFrame, course: DiseaseCourse, visit_days: Array
) -> pd.DataFrame:
    """Lay out ``rs.csv``: the overall response at each assessed visit."""
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    rows, columns = np.nonzero(course.assessments != "")
    status = course.assessments[rows, columns]
    number, visit = name_visits(np.array(RESPONSE_DAYS)[columns])
    day = visit_days[rows, columns]
    # Progression between the visits is found at a visit of its own.
    found = np.flatnonzero(course.unscheduled)
    rows = np.concatenate([rows, found])
    day = np.concatenate([day, course.progression_day[found]])
    status = np.concatenate([status, np.full(found.size, "PD")])
    number += [UNSCHEDULED_VISIT[0]] * found.size
    visit += [UNSCHEDULED_VISIT[1]] * found.size
    is_all = (infused["INDIC"] == "ALL").to_numpy()[rows]
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
            "RSDTC": format_dates(shift_days(start[rows], day)),
        }
    )
    frame = pd.concat([frame, _lay_out_residual_disease(spec, frame)], ignore_index=True)
    return finish_domain(frame, spec.study, "rs", ["RSDTC", "RSTESTCD"])


def _lay_out_residual_disease(spec: StudySpecification, responses: pd.DataFrame) -> pd.DataFrame:
    """Minimal residual disease in marrow with each assessment of leukaemia.

    Negative in most complete responses, positive in all other results that were assessed.
    """
    rng = open_stream(spec.seed, "residual_disease")
    assessed = (responses["RSCAT"] == "ALL") & (responses["RSSTRESC"] != "NE")
    rows = responses.loc[assessed]
    complete = rows["RSSTRESC"].isin(["CR", "CRi"]).to_numpy()
    negative = complete & (rng.uniform(size=len(rows)) < NEGATIVE_SHARE)
    result = np.where(negative, "NEGATIVE", "POSITIVE")
    return rows.assign(
        RSTESTCD="MRD", RSTEST="Minimal Residual Disease", RSORRES=result, RSSTRESC=result
    )

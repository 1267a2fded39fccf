"""Raw domains of the CAR-NK study: subjects, doses, lots, concentrations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.car_nk.draw import DrawnNk, planned_doses, planned_samples
from celldossier.simulation.car_nk.layouts import RAW_COLUMNS
from celldossier.simulation.car_nk.specification import CarNkSpecification
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    format_numbers,
    shift_days,
)
from celldossier.simulation.subject_records import (
    describe_shared_lots,
    identify_subjects,
    place_in_arms,
)

Array = NDArray[np.float64]
PRODUCT = "CD19 CAR-NK"
WITHDRAWN = "WITHDRAWAL BY SUBJECT BEFORE INFUSION"


def name_visit(spec: CarNkSpecification, day: float) -> str:
    """Visit of a nominal day: within a cycle by its cycle, else by the day."""
    length, last = spec.dosing.cycle_length, spec.dosing.cycles
    if day < 0:
        return "SCREENING"
    cycle = min(int(day // length), last - 1)
    if cycle == last - 1 and day - cycle * length > length:
        return f"DAY {day:g}"
    return f"CYCLE {cycle + 1} DAY {int(day - cycle * length)}"


def write_demographics(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``dm.csv``: every enrolled subject, infused or not."""
    subjects = drawn.subjects
    infused = subjects["INFUSED"].to_numpy(dtype=bool)
    death = np.full(len(subjects), np.datetime64("NaT"), dtype="datetime64[m]")
    death[infused] = shift_days(drawn.start, drawn.course.death)
    frame = pd.DataFrame(
        {
            **identify_subjects(subjects, "START"),
            **place_in_arms(subjects, spec.dosing.levels, "CAR+ NK cells a dose"),
            "DTHDTC": format_dates(death),
            "DTHFL": np.where(np.isnat(death), "", "Y"),
            "INDIC": "B-NHL",
            "ECOGBL": subjects["ECOG"].astype(str),
            "STAGEBL": subjects["STAGE"],
            "TBURDBL": format_numbers(subjects["BURDEN"]),
            "TBURDU": "mm2",
            "PRLINES": subjects["PRIORLINES"].astype(str),
            "PRHSCT": np.where(subjects["PRIORHSCT"], "Y", "N"),
            "PRTARG": np.where(subjects["PRTARG"], "Y", "N"),
            "HLAMM": subjects["HLAMM"].astype(str),
            "NOINFRSN": np.where(infused, "", WITHDRAWN),
        }
    )
    return finish_domain(frame, spec.study, "dm", [], RAW_COLUMNS)


def write_lots(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``lots.csv``: a lot serves several subjects, so that its subject is blank."""
    lots = drawn.lots
    frame = pd.DataFrame(
        {
            **describe_shared_lots(lots),
            "TRANSPCT": format_fixed(lots["TRANSDUCTION"], 1),
            "VCN": format_fixed(lots["VCN"], 2),
        }
    )
    return finish_domain(frame, spec.study, "lots", ["LOTID"], RAW_COLUMNS)


def write_exposure(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``ex.csv``: lymphodepletion before each cycle, every dose of the cells."""
    users, start = drawn.infused["USUBJID"].to_numpy(), drawn.start
    planned = np.array([level.planned for level in spec.dosing.levels])[drawn.infused["LEVEL"]]
    nominal = np.append(planned_doses(spec), np.nan)
    rows, columns = np.nonzero(~np.isnan(drawn.given))
    lot = drawn.lot[rows, columns]
    dose = drawn.doses[rows, columns]
    viable = np.round(dose / (drawn.lots["TRANSDUCTION"].to_numpy(dtype=float)[lot] / 100), 1)
    total = np.round(viable / (drawn.lots["VIABILITY"].to_numpy(dtype=float)[lot] / 100), 1)
    begun = shift_days(start[rows], drawn.given[rows, columns])
    unplanned = columns == nominal.size - 1
    day = nominal[columns]
    blocks = [
        pd.DataFrame(
            {
                "USUBJID": users[rows],
                "EXCAT": "CELL PRODUCT",
                "EXTRT": f"{spec.study} {PRODUCT}",
                "EXDOSE": format_fixed(dose, 1),
                "EXDOSU": "10^6 CELLS",
                "EXPDOSE": format_fixed(planned[rows], 0),
                "EXDOSTOT": format_fixed(total, 1),
                "EXDOSVIA": format_fixed(viable, 1),
                "EXDOSTGP": format_fixed(dose, 1),
                "EXROUTE": "INTRAVENOUS",
                "EXLOT": drawn.lots["LOTID"].to_numpy()[lot],
                "EPOCH": np.where(unplanned, "RETREATMENT", "TREATMENT"),
                "EXPLFL": np.where(unplanned, "N", "Y"),
                "EXTPTNUM": format_numbers(day),
                "EXSTDTC": format_datetimes(begun),
                "EXENDTC": format_datetimes(
                    shift_days(begun, np.full(rows.size, spec.dosing.infusion_minutes / 1440))
                ),
            }
        )
    ]
    number = len(spec.dosing.days)
    for cycle in range(spec.dosing.cycles + 1):
        first = drawn.given[:, min(cycle * number, nominal.size - 1)]
        chosen = np.flatnonzero(~np.isnan(first))
        midnight = shift_days(start[chosen], first[chosen])
        midnight = midnight.astype("datetime64[D]").astype("datetime64[m]")
        extra = cycle == spec.dosing.cycles
        for order, (drug, amount) in enumerate(spec.dosing.lymphodepletion.items()):
            for before in spec.dosing.lymphodepletion_days:
                at = shift_days(midnight, np.full(chosen.size, before + (9 + 2 * order) / 24))
                blocks.append(
                    pd.DataFrame(
                        {
                            "USUBJID": users[chosen],
                            "EXCAT": "LYMPHODEPLETION",
                            "EXTRT": drug,
                            "EXDOSE": f"{amount:g}",
                            "EXDOSU": "mg/m2",
                            "EXPDOSE": f"{amount:g}",
                            "EXDOSTOT": "",
                            "EXDOSVIA": "",
                            "EXDOSTGP": "",
                            "EXROUTE": "INTRAVENOUS",
                            "EXLOT": "",
                            "EPOCH": "RETREATMENT" if extra else "TREATMENT",
                            "EXPLFL": "N" if extra else "Y",
                            "EXTPTNUM": "" if extra else f"{nominal[cycle * number] + before:g}",
                            "EXSTDTC": format_datetimes(at),
                            "EXENDTC": format_datetimes(
                                shift_days(at, np.full(chosen.size, 1 / 24))
                            ),
                        }
                    )
                )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "ex", ["EXSTDTC", "EXTRT"], RAW_COLUMNS)


def write_concentrations(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``pc.csv``: both assays in blood, round each dose."""
    start = drawn.start
    rows, columns = np.nonzero(drawn.sampled)
    after, dose = planned_samples(spec)
    number = len(spec.dosing.days)
    point = np.array(
        [
            f"CYCLE {d // number + 1} DOSE {d % number + 1} {_time_point(a)}"
            for a, d in zip(after.tolist(), dose.tolist(), strict=True)
        ]
    )
    visit = np.array([name_visit(spec, day) for day in drawn.nominal.tolist()])
    nominal = np.array(format_numbers(drawn.nominal))
    moments = format_datetimes(shift_days(start[rows], drawn.times[rows, columns]))
    blocks = []
    for code, name, unit, method, version, laboratory, values, assay in (
        (
            "CARPCR", "CAR Transgene", "copies/ug DNA", "DPCR", "1.0", "CENTRAL LAB A",
            drawn.measured.pcr, spec.sampling.pcr,
        ),
        (
            "CARFLOW", "CAR-Positive NK Cells", "cells/uL", "FLOW CYTOMETRY", "1.0",
            "CENTRAL LAB B", drawn.measured.flow, spec.sampling.flow,
        ),
    ):  # fmt: skip
        results = values[rows, columns]
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": drawn.infused["USUBJID"].to_numpy()[rows],
                    "PCTESTCD": code,
                    "PCTEST": name,
                    "PCORRES": np.where(results < assay.lloq, "BLQ", format_numbers(results)),
                    "PCORRESU": unit,
                    "PCLLOQ": f"{assay.lloq:g}",
                    "PCULOQ": format_numbers([assay.uloq], 9)[0],
                    "PCSPEC": "BLOOD",
                    "PCMETHOD": method,
                    "PCASSAYV": version,
                    "PCNAM": laboratory,
                    "VISIT": visit[columns],
                    "PCTPT": point[columns],
                    "PCTPTNUM": nominal[columns],
                    "PCDTC": moments,
                }
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "pc", ["PCTESTCD", "PCDTC"], RAW_COLUMNS)


def _time_point(after: float) -> str:
    if after == 0:
        return "PRE-DOSE"
    return f"{after * 24:.0f} H POST-DOSE" if after < 1 else f"{after:g} D POST-DOSE"


def lay_out(
    blocks: list[pd.DataFrame], spec: CarNkSpecification, name: str, order: list[str]
) -> pd.DataFrame:
    """Join blocks of records and lay them out as one raw file."""
    return finish_domain(pd.concat(blocks, ignore_index=True), spec.study, name, order, RAW_COLUMNS)

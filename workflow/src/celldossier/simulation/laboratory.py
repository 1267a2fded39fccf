"""Blood counts, cytokines and B cells of infused subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.chemistry import (
    DELAYED,
    add_leukocytes,
    draw_chemistry,
    draw_delays,
    draw_homeostatic,
)
from celldossier.simulation.exposure import SampledExposure
from celldossier.simulation.immune_markers import (
    REFERENCE_CMAX,
    draw_cytokines,
    draw_haemoglobin,
    draw_subsets,
)
from celldossier.simulation.kinetics import (
    KineticParameters,
    compute_concentrations,
    convert_to_cells,
)
from celldossier.simulation.outcomes import RescueMedication, Toxicity
from celldossier.simulation.records import (
    finish_domain,
    format_datetimes,
    format_numbers,
    name_visits,
    round_significant,
    shift_days,
)
from celldossier.simulation.schedule import SCREENING_DAY
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]


SAFETY_DAYS = (0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 14.0, 21.0, 28.0)
COUNT_DAYS = (SCREENING_DAY, *SAFETY_DAYS, 60.0, 90.0, 180.0, 270.0, 360.0)
B_CELL_DAYS = (SCREENING_DAY, 28.0, 60.0, 90.0, 180.0, 270.0, 360.0)
HOMEOSTATIC_DAYS = (SCREENING_DAY, 0.0, 7.0)
CHEMISTRY_DAYS = (SCREENING_DAY, 0.0, 28.0)
CHEMICAL = ("SERUM", "CLINICAL CHEMISTRY", CHEMISTRY_DAYS)
FACTOR_DAYS = (0.0, 3.0, 7.0, 11.0, 14.0, 28.0)
SUBSET_DAYS = (SCREENING_DAY, 0.0, 7.0, 14.0, 28.0, 60.0, 90.0, 180.0, 270.0, 360.0)
FACTOR = ("SERUM", "IMMUNOASSAY", FACTOR_DAYS)
SUBSET = ("BLOOD", "FLOW CYTOMETRY", SUBSET_DAYS)
LABORATORY_DAYS = (SCREENING_DAY, *SAFETY_DAYS, 60.0, 90.0, 180.0, 270.0, 360.0)


@dataclass(frozen=True)
class Test:
    """What a laboratory prints beside a result."""

    name: str
    unit: str
    upper_normal: str
    lloq: float
    specimen: str
    method: str
    days: tuple[float, ...]


TESTS: dict[str, Test] = {
    "IL6": Test("Interleukin 6", "pg/mL", "7", 1.5, "SERUM", "IMMUNOASSAY", SAFETY_DAYS),
    "IFNG": Test("Interferon Gamma", "pg/mL", "15", 2.0, "SERUM", "IMMUNOASSAY", SAFETY_DAYS),
    "FERRITIN": Test("Ferritin", "ng/mL", "400", 5.0, "SERUM", "IMMUNOASSAY", SAFETY_DAYS),
    "CRP": Test("C Reactive Protein", "mg/L", "5", 0.3, "SERUM", "IMMUNOTURBIDIMETRY", SAFETY_DAYS),
    "LYM": Test("Lymphocytes", "10^9/L", "4", 0.0, "BLOOD", "CELL COUNTER", COUNT_DAYS),
    "NEUT": Test("Neutrophils", "10^9/L", "7.5", 0.0, "BLOOD", "CELL COUNTER", COUNT_DAYS),
    "PLAT": Test("Platelets", "10^9/L", "400", 0.0, "BLOOD", "CELL COUNTER", COUNT_DAYS),
    "WBC": Test("Leukocytes", "10^9/L", "10", 0.0, "BLOOD", "CELL COUNTER", COUNT_DAYS),
    "IL7": Test("Interleukin 7", "pg/mL", "", 0.5, "SERUM", "IMMUNOASSAY", HOMEOSTATIC_DAYS),
    "IL15": Test("Interleukin 15", "pg/mL", "", 0.5, "SERUM", "IMMUNOASSAY", HOMEOSTATIC_DAYS),
    "LDH": Test("Lactate Dehydrogenase", "U/L", "250", 0.0, *CHEMICAL),
    "CREAT": Test("Creatinine", "umol/L", "104", 0.0, *CHEMICAL),
    "ALT": Test("Alanine Aminotransferase", "U/L", "40", 0.0, *CHEMICAL),
    "AST": Test("Aspartate Aminotransferase", "U/L", "40", 0.0, *CHEMICAL),
    "BILI": Test("Bilirubin", "umol/L", "20.5", 0.0, *CHEMICAL),
    "IL2": Test("Interleukin 2", "pg/mL", "5", 1.0, *FACTOR),
    "IL10": Test("Interleukin 10", "pg/mL", "10", 1.0, *FACTOR),
    "TNF": Test("Tumor Necrosis Factor", "pg/mL", "16", 2.0, *FACTOR),
    "TGFB1": Test("Transforming Growth Factor Beta 1", "ng/mL", "", 0.5, *FACTOR),
    "GZMB": Test("Granzyme B", "pg/mL", "", 5.0, *FACTOR),
    "PRF1": Test("Perforin 1", "ng/mL", "", 0.5, *FACTOR),
    "CD3": Test("T Cells (CD3+)", "cells/uL", "2100", 1.0, *SUBSET),
    "CD4": Test("T Helper Cells (CD3+CD4+)", "cells/uL", "1400", 1.0, *SUBSET),
    "CD8": Test("Cytotoxic T Cells (CD3+CD8+)", "cells/uL", "1000", 1.0, *SUBSET),
    "TREG": Test("Regulatory T Cells (CD4+CD25+CD127low)", "cells/uL", "", 0.5, *SUBSET),
    "HGB": Test("Hemoglobin", "g/L", "175", 0.0, "BLOOD", "CELL COUNTER", SUBSET_DAYS),
    "CD19B": Test(
        "B Cells (CD19+)", "cells/uL", "500", 1.0, "BLOOD", "FLOW CYTOMETRY", B_CELL_DAYS
    ),
}

# Baseline median and ln SD; ln fold of the peak at reference exposure, its change per
# doubling of Cmax and per CRS grade, its ln SD; days from CRS onset to peak, width in days.
CYTOKINES: dict[str, tuple[float, float, float, float, float, float, float, float]] = {
    "IL6": (6.0, 0.7, 2.0, 0.25, 0.7, 0.6, 1.5, 2.4),
    "IFNG": (4.0, 0.7, 2.0, 0.30, 0.5, 0.6, 1.0, 2.6),
    "FERRITIN": (600.0, 0.8, 0.8, 0.15, 0.35, 0.4, 4.0, 5.0),
    "CRP": (8.0, 0.9, 1.2, 0.12, 0.35, 0.4, 2.0, 3.5),
}
IL6_AFTER_TOCILIZUMAB = 5.0  # blocked receptors no longer clear IL-6
IL6_EFFECT_DAYS = 12.0


@dataclass(frozen=True)
class BloodCounts:
    """Individual baselines (10^9/L) and course parameters of the blood counts."""

    lymphocytes: Array
    neutrophils: Array
    platelets: Array
    depth: Array
    nadir_day: Array
    recovery_days: Array


def draw_blood_counts(spec: StudySpecification, infused: pd.DataFrame) -> BloodCounts:
    """Draw the course of leukocytes after lymphodepletion, independent of the cells."""
    rng = open_stream(spec.seed, "blood_counts")
    n = len(infused)
    return BloodCounts(
        lymphocytes=infused["ALC"].to_numpy(dtype=float),
        neutrophils=3.4 * np.exp(0.35 * rng.standard_normal(n)),
        platelets=145 * np.exp(0.40 * rng.standard_normal(n)),
        depth=np.clip(2.4 + 0.8 * rng.standard_normal(n), 0.8, 4.5),
        nadir_day=np.clip(6.5 + 1.5 * rng.standard_normal(n), 3.0, 11.0),
        recovery_days=9.0 * np.exp(0.45 * rng.standard_normal(n)),
    )


def _neutrophils(counts: BloodCounts, times: Array) -> Array:
    from_nadir = times - counts.nadir_day[:, np.newaxis]
    # Falls within days of lymphodepletion, recovers at an individual pace.
    width = np.where(from_nadir < 0, 5.0, counts.recovery_days[:, np.newaxis])
    dip = counts.depth[:, np.newaxis] * np.exp(-((from_nadir / width) ** 2))
    return counts.neutrophils[:, np.newaxis] * np.exp(np.where(times < -5, 0.0, -dip))


def _platelets(counts: BloodCounts, times: Array) -> Array:
    from_nadir = times - counts.nadir_day[:, np.newaxis] - 4.0
    width = np.where(from_nadir < 0, 7.0, 1.4 * counts.recovery_days[:, np.newaxis])
    dip = 0.55 * counts.depth[:, np.newaxis] * np.exp(-((from_nadir / width) ** 2))
    return counts.platelets[:, np.newaxis] * np.exp(np.where(times < -5, 0.0, -dip))


def _own_lymphocytes(counts: BloodCounts, times: Array) -> Array:
    recovered = 1 - np.exp(-np.maximum(times - 4, 0) / 45)
    share = np.where(times < -5, 1.0, 0.04 + 0.9 * recovered)
    return counts.lymphocytes[:, np.newaxis] * share


def compute_other_leukocytes(counts: BloodCounts, times: Array) -> Array:
    """CAR-negative leukocytes, cells/uL: neutrophils, own lymphocytes, monocytes."""
    neutrophils = _neutrophils(counts, times)
    total = 1.08 * neutrophils + _own_lymphocytes(counts, times)
    return 1000.0 * total


def write_laboratory(
    spec: StudySpecification,
    infused: pd.DataFrame,
    visit_times: Array,
    last_day: Array,
    counts: BloodCounts,
    parameters: KineticParameters,
    exposure: SampledExposure,
    crs: Toxicity,
    rescue: RescueMedication,
) -> pd.DataFrame:
    """Lay out ``lb.csv``.

    Parameters
    ----------
    visit_times
        Actual days of LABORATORY_DAYS, shape (subjects, visits).
    last_day
        Last day on study: progression, death or cut-off.
    """
    rng = open_stream(spec.seed, "laboratory")
    other = compute_other_leukocytes(counts, visit_times)
    transgene = compute_concentrations(parameters, visit_times)
    cells = convert_to_cells(transgene, infused["VCN"].to_numpy(dtype=float), other)
    noise = np.exp(0.08 * rng.standard_normal((3, *visit_times.shape)))
    results = {
        "LYM": _own_lymphocytes(counts, visit_times) * noise[0] + cells / 1000,
        "NEUT": _neutrophils(counts, visit_times) * noise[1],
        "PLAT": _platelets(counts, visit_times) * noise[2],
        "CD19B": _draw_b_cells(rng, infused, parameters, visit_times),
    }
    results["LYM"][:, 0] = counts.lymphocytes
    for code in CYTOKINES:
        results[code] = _draw_cytokine(rng, code, visit_times, exposure, crs, rescue)
    delayed = draw_delays(spec, visit_times.shape)
    results["IL6"] = np.where(delayed, spec.handling.il6_factor * results["IL6"], results["IL6"])
    results["WBC"] = add_leukocytes(results["NEUT"], results["LYM"])
    results |= draw_chemistry(spec, infused, visit_times)
    results |= draw_homeostatic(spec, visit_times)
    results |= draw_cytokines(spec, visit_times, exposure, crs)
    results |= draw_subsets(spec, results["LYM"], cells, visit_times)
    results["HGB"] = draw_haemoglobin(spec, visit_times)
    missed = rng.uniform(size=visit_times.shape) < spec.sampling.missed_share
    missed[:, :2] = False
    taken = ~missed & (visit_times <= last_day[:, np.newaxis])
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    users = infused["USUBJID"].to_numpy()
    days = np.array(LABORATORY_DAYS)
    blocks = []
    for code, test in TESTS.items():
        rows, columns = np.nonzero(taken & np.isin(days, test.days)[np.newaxis, :])
        values = round_significant(results[code][rows, columns], 4)
        text = format_numbers(values, 4)
        below = values < test.lloq
        late = delayed[rows, columns] & (test.method == "IMMUNOASSAY")
        number, visit = name_visits(days[columns])
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[rows],
                    "LBTESTCD": code,
                    "LBTEST": test.name,
                    "LBORRES": np.where(below, "BLQ", text),
                    "LBORRESU": test.unit,
                    "LBORNRHI": test.upper_normal,
                    "LBLLOQ": f"{test.lloq:g}" if test.lloq > 0 else "",
                    "LBSPEC": test.specimen,
                    "LBSPCCND": np.where(late, DELAYED, ""),
                    "LBMETHOD": test.method,
                    "VISITNUM": number,
                    "VISIT": visit,
                    "LBTPTNUM": [f"{day:g}" for day in days[columns]],
                    "LBDTC": format_datetimes(shift_days(start[rows], visit_times[rows, columns])),
                }
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "lb", ["LBTESTCD", "LBDTC"])


def _draw_cytokine(
    rng: np.random.Generator,
    code: str,
    times: Array,
    exposure: SampledExposure,
    crs: Toxicity,
    rescue: RescueMedication,
) -> Array:
    median, spread, peak, per_doubling, per_grade, sd, delay, width = CYTOKINES[code]
    n = times.shape[0]
    baseline = median * np.exp(spread * rng.standard_normal(n))
    doublings = np.log2(np.maximum(exposure.cmax, 25.0) / REFERENCE_CMAX)
    fold = peak + per_doubling * doublings + per_grade * crs.grade + sd * rng.standard_normal(n)
    fold = np.maximum(fold, 0.0)
    center = np.where(np.isnan(crs.onset), 6.0, crs.onset) + delay
    shape = np.exp(-0.5 * ((times - center[:, np.newaxis]) / width) ** 2)
    # Nothing before the infusion knows of what follows it.
    shape = np.where(times > 0, shape, 0.0)
    values = baseline[:, np.newaxis] * np.exp(fold[:, np.newaxis] * shape)
    values = values * np.exp(0.25 * rng.standard_normal(times.shape))
    if code == "IL6":
        since = times - rescue.tocilizumab_day[:, np.newaxis]
        after = (since >= 0) & (since < IL6_EFFECT_DAYS)
        values = np.where(after, values * IL6_AFTER_TOCILIZUMAB, values)
    largest: Array = np.minimum(values, 500000.0)
    return largest


def _draw_b_cells(
    rng: np.random.Generator, infused: pd.DataFrame, parameters: KineticParameters, times: Array
) -> Array:
    """B cells are gone while the transgene stays above an individual threshold."""
    n = len(infused)
    median = np.where(infused["INDIC"] == "ALL", 40.0, 60.0)
    baseline = median * np.exp(0.9 * rng.standard_normal(n))
    threshold = 80 * np.exp(0.7 * rng.standard_normal(n))
    grid = np.arange(14.0, 400.0, 4.0)
    above = compute_concentrations(parameters, np.tile(grid, (n, 1))) > threshold[:, np.newaxis]
    last_above = np.where(above.any(axis=1), grid[-1 - np.argmax(above[:, ::-1], axis=1)], 14.0)
    start = np.where(above[:, -1], np.inf, last_above + 20.0)[:, np.newaxis]
    normal = 150.0 * np.exp(0.4 * rng.standard_normal(n))[:, np.newaxis]
    recovered = normal * (1 - np.exp(-np.maximum(times - start, 0.0) / 120))
    values = np.where(times < 0, baseline[:, np.newaxis], recovered)
    return values * np.exp(0.2 * rng.standard_normal(times.shape))

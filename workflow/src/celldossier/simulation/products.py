"""Product lots, the cell dose and lymphodepletion."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    shift_days,
)
from celldossier.simulation.reinfusion import Reinfusion
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]

# Fludarabine 30 mg/m2 and cyclophosphamide 500 mg/m2 on days -5, -4, -3.
LYMPHODEPLETION = (("FLUDARABINE", 30.0), ("CYCLOPHOSPHAMIDE", 500.0))
LYMPHODEPLETION_DAYS = (-5, -4, -3)
INFUSION_MINUTES = 20
PHENOTYPES = ("TN", "TSCM", "TCM", "TEM", "TEFF")


def draw_products(spec: StudySpecification, subjects: pd.DataFrame) -> pd.DataFrame:
    """Draw the attributes of each lot and the actual dose of each infused subject.

    Returns
    -------
    ``subjects`` with VIABILITY, TRANSDUCTION (%), VCN, CD4CD8, TCM, TSCM (%),
    ACTUALDOSE, VIABLECELLS, TOTALCELLS (10^6; NaN where not infused) added.
    """
    rng = open_stream(spec.seed, "products")
    n = len(subjects)
    later = subjects["PROCESS"].to_numpy(dtype=str) == spec.processes[1].code
    typical = np.where(later, spec.processes[1].transduction, spec.processes[0].transduction)
    transduction = np.round(np.clip(typical + 6 * rng.standard_normal(n), 12, 75), 1)
    viability = np.round(np.clip(91 + 3.5 * rng.standard_normal(n), 72, 98.5), 1)
    failed = subjects["FAILED"].to_numpy(dtype=bool)
    # A failed lot fails on viability: below the release limit of 70 %.
    viability = np.where(failed, np.round(rng.uniform(40, 66, n), 1), viability)
    vcn = np.round(spec.sampling.vcn * np.exp(spec.sampling.vcn_sd * rng.standard_normal(n)), 2)
    planned = np.array([level.planned for level in spec.dosing.levels])[subjects["DOSELEVEL"]]
    scatter = np.exp(spec.dosing.actual_ln_sd * rng.standard_normal(n))
    infused = subjects["INFUSED"].to_numpy(dtype=bool)
    actual = np.where(infused, np.round(planned * scatter, 1), np.nan)
    viable = np.round(actual / (transduction / 100), 1)
    cd4cd8 = np.round(1.2 * np.exp(0.45 * rng.standard_normal(n)), 2)
    tcm = np.round(np.clip(32 + 9 * rng.standard_normal(n), 4.0, 70.0), 1)
    tscm = np.round(np.clip(14 + 5 * rng.standard_normal(n), 1.0, 29.0), 1)
    return subjects.assign(
        **_draw_quality(spec, tcm.astype(float), tscm.astype(float)),
        VIABILITY=viability,
        TRANSDUCTION=transduction,
        VCN=vcn,
        CD4CD8=cd4cd8,
        TCM=tcm,
        TSCM=tscm,
        PLANNEDDOSE=planned,
        ACTUALDOSE=actual,
        VIABLECELLS=viable,
        TOTALCELLS=np.round(viable / (viability / 100), 1),
    )


def _draw_quality(spec: StudySpecification, tcm: Array, tscm: Array) -> dict[str, Array]:
    """The other memory subsets, fold expansion in culture and potency of each lot.

    Naive, effector memory and effector cells share what central and stem cell memory
    leave, less 2 % that are of none. Potency is interferon gamma in co-culture, pg/mL.
    """
    rng = open_stream(spec.seed, "quality")
    parts = rng.dirichlet([2.0, 6.0, 3.0], tcm.size)
    rest = np.maximum(98.0 - tcm - tscm, 0.0)[:, np.newaxis] * parts
    naive, memory, effector = np.floor(10 * rest.T) / 10
    return {
        "TN": naive,
        "TEM": memory,
        "TEFF": effector,
        "EXPANSIONFOLD": np.round(42 * np.exp(0.35 * rng.standard_normal(tcm.size)), 1),
        "POTENCY": np.rint(2600 * np.exp(0.40 * rng.standard_normal(tcm.size))),
    }


def write_lots(spec: StudySpecification, subjects: pd.DataFrame) -> pd.DataFrame:
    """Lay out ``lots.csv``: one lot a subject, failed lots without a release date."""
    frame = pd.DataFrame(
        {
            "USUBJID": subjects["USUBJID"],
            "LOTID": subjects["LOTID"],
            "PROCESS": subjects["PROCESS"],
            "SITE": np.where(subjects["COUNTRY"] == "CHN", "SHANGHAI", "BOSTON"),
            "MFGDTC": format_dates(subjects["MANUFACTURE"].to_numpy()),
            "RELDTC": format_dates(subjects["RELEASE"].to_numpy()),
            "RELSTAT": np.where(subjects["FAILED"], "REJECTED", "RELEASED"),
            "VIABPCT": format_fixed(subjects["VIABILITY"], 1),
            "TRANSPCT": format_fixed(subjects["TRANSDUCTION"], 1),
            "VCN": format_fixed(subjects["VCN"], 2),
            "CD4CD8": format_fixed(subjects["CD4CD8"], 2),
            **{f"{name}PCT": format_fixed(subjects[name], 1) for name in PHENOTYPES},
            "EXPFOLD": format_fixed(subjects["EXPANSIONFOLD"], 1),
            "POTENCY": format_fixed(subjects["POTENCY"], 0),
            "POTENCU": "pg/mL",
            "CULTDAYS": format_fixed(subjects["CULTUREDAYS"], 0),
            "VEINVEIN": format_fixed(subjects["VEINTOVEIN"], 0),
        }
    )
    return finish_domain(frame, spec.study, "lots", ["LOTID"])


def write_exposure(
    spec: StudySpecification, infused: pd.DataFrame, reinfusion: Reinfusion
) -> pd.DataFrame:
    """Lay out ``ex.csv``: six lymphodepletion records and one cell infusion a course.

    An unplanned second infusion has no planned dose and no lymphodepletion.
    """
    rng = open_stream(spec.seed, "lymphodepletion")
    # One subject in twenty has the doses reduced to 80 % for renal function.
    reduced = np.where(rng.uniform(size=len(infused)) < 0.05, 0.8, 1.0)
    infusion = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    second = shift_days(infusion, reinfusion.day)
    given = ~np.isnat(second)
    planned = reinfusion.planned
    blocks = [_lay_out_infusion(spec, infused, infusion, np.ones(len(infused)), "TREATMENT", "Y")]
    for chosen, epoch, flag in (
        (given & planned, "RETREATMENT", "Y"),
        (given & ~planned, "TREATMENT", "N"),
    ):
        factor = reinfusion.dose_factor[chosen]
        blocks.append(
            _lay_out_infusion(spec, infused.loc[chosen], second[chosen], factor, epoch, flag)
        )
    blocks += _lay_out_lymphodepletion(infused, infusion, reduced, "TREATMENT")
    again = given & planned
    blocks += _lay_out_lymphodepletion(
        infused.loc[again], second[again], reduced[again], "RETREATMENT"
    )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "ex", ["EXSTDTC", "EXTRT"])


def _lay_out_infusion(
    spec: StudySpecification,
    infused: pd.DataFrame,
    start: NDArray[np.datetime64],
    factor: Array,
    epoch: str,
    planned: str,
) -> pd.DataFrame:
    dose = np.round(infused["ACTUALDOSE"].to_numpy(dtype=float) * factor, 1)
    viable = np.round(dose / (infused["TRANSDUCTION"].to_numpy(dtype=float) / 100), 1)
    total = np.round(viable / (infused["VIABILITY"].to_numpy(dtype=float) / 100), 1)
    end = shift_days(start, np.full(len(infused), INFUSION_MINUTES / 1440))
    return pd.DataFrame(
        {
            "USUBJID": infused["USUBJID"].to_numpy(),
            "EXCAT": "CELL PRODUCT",
            "EXTRT": f"{spec.study} CD19 CAR-T",
            "EXDOSE": format_fixed(dose, 1),
            "EXDOSU": "10^6 CELLS",
            "EXPDOSE": format_fixed(infused["PLANNEDDOSE"], 0) if planned == "Y" else "",
            "EXDOSTOT": format_fixed(total, 1),
            "EXDOSVIA": format_fixed(viable, 1),
            "EXDOSTGP": format_fixed(dose, 1),
            "EXROUTE": "INTRAVENOUS",
            "EPOCH": epoch,
            "EXPLFL": planned,
            "EXSTDTC": format_datetimes(start),
            "EXENDTC": format_datetimes(end),
            "EXLOT": infused["LOTID"].to_numpy(),
        }
    )


def _lay_out_lymphodepletion(
    infused: pd.DataFrame,
    infusion: NDArray[np.datetime64],
    reduced: Array,
    epoch: str,
) -> list[pd.DataFrame]:
    midnight = infusion.astype("datetime64[D]").astype("datetime64[m]")
    n = len(infused)
    blocks = []
    for order, (drug, dose) in enumerate(LYMPHODEPLETION):
        for day in LYMPHODEPLETION_DAYS:
            start = shift_days(midnight, np.full(n, day + (9 + 2 * order) / 24))
            blocks.append(
                pd.DataFrame(
                    {
                        "USUBJID": infused["USUBJID"].to_numpy(),
                        "EXCAT": "LYMPHODEPLETION",
                        "EXTRT": drug,
                        "EXDOSE": format_fixed(dose * reduced, 0),
                        "EXDOSU": "mg/m2",
                        "EXPDOSE": f"{dose:g}",
                        "EXDOSTOT": "",
                        "EXDOSVIA": "",
                        "EXDOSTGP": "",
                        "EXROUTE": "INTRAVENOUS",
                        "EPOCH": epoch,
                        "EXPLFL": "Y",
                        "EXSTDTC": format_datetimes(start),
                        "EXENDTC": format_datetimes(shift_days(start, np.full(n, 1 / 24))),
                        "EXLOT": "",
                    }
                )
            )
    return blocks

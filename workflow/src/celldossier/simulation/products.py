"""Product lots, the cell dose and lymphodepletion."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    shift_days,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

# Fludarabine 30 mg/m2 and cyclophosphamide 500 mg/m2 on days -5, -4, -3.
LYMPHODEPLETION = (("FLUDARABINE", 30.0), ("CYCLOPHOSPHAMIDE", 500.0))
LYMPHODEPLETION_DAYS = (-5, -4, -3)
INFUSION_MINUTES = 20


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
    return subjects.assign(
        VIABILITY=viability,
        TRANSDUCTION=transduction,
        VCN=vcn,
        CD4CD8=np.round(1.2 * np.exp(0.45 * rng.standard_normal(n)), 2),
        TCM=np.round(np.clip(32 + 9 * rng.standard_normal(n), 4, 70), 1),
        TSCM=np.round(np.clip(14 + 5 * rng.standard_normal(n), 1, 29), 1),
        PLANNEDDOSE=planned,
        ACTUALDOSE=actual,
        VIABLECELLS=viable,
        TOTALCELLS=np.round(viable / (viability / 100), 1),
    )


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
            "VIABPCT": format_fixed(subjects["VIABILITY"], 1),
            "TRANSPCT": format_fixed(subjects["TRANSDUCTION"], 1),
            "VCN": format_fixed(subjects["VCN"], 2),
            "CD4CD8": format_fixed(subjects["CD4CD8"], 2),
            "TCMPCT": format_fixed(subjects["TCM"], 1),
            "TSCMPCT": format_fixed(subjects["TSCM"], 1),
            "CULTDAYS": format_fixed(subjects["CULTUREDAYS"], 0),
            "VEINVEIN": format_fixed(subjects["VEINTOVEIN"], 0),
        }
    )
    return finish_domain(frame, spec.study, "lots", ["LOTID"])


def write_exposure(spec: StudySpecification, infused: pd.DataFrame) -> pd.DataFrame:
    """Lay out ``ex.csv``: six lymphodepletion records and one cell infusion a subject."""
    rng = open_stream(spec.seed, "lymphodepletion")
    infusion = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    blocks = [
        pd.DataFrame(
            {
                "USUBJID": infused["USUBJID"],
                "EXCAT": "CELL PRODUCT",
                "EXTRT": f"{spec.study} CD19 CAR-T",
                "EXDOSE": format_fixed(infused["ACTUALDOSE"], 1),
                "EXDOSU": "10^6 CELLS",
                "EXPDOSE": format_fixed(infused["PLANNEDDOSE"], 0),
                "EXDOSTOT": format_fixed(infused["TOTALCELLS"], 1),
                "EXDOSVIA": format_fixed(infused["VIABLECELLS"], 1),
                "EXROUTE": "INTRAVENOUS",
                "EXSTDTC": format_datetimes(infusion),
                "EXENDTC": format_datetimes(
                    shift_days(infusion, np.full(len(infused), INFUSION_MINUTES / 1440))
                ),
                "EXLOT": infused["LOTID"],
            }
        )
    ]
    midnight = infusion.astype("datetime64[D]").astype("datetime64[m]")
    # One subject in twenty has the doses reduced to 80 % for renal function.
    reduced = np.where(rng.uniform(size=len(infused)) < 0.05, 0.8, 1.0)
    for order, (drug, dose) in enumerate(LYMPHODEPLETION):
        for day in LYMPHODEPLETION_DAYS:
            start = shift_days(midnight, np.full(len(infused), day + (9 + 2 * order) / 24))
            blocks.append(
                pd.DataFrame(
                    {
                        "USUBJID": infused["USUBJID"],
                        "EXCAT": "LYMPHODEPLETION",
                        "EXTRT": drug,
                        "EXDOSE": format_fixed(dose * reduced, 0),
                        "EXDOSU": "mg/m2",
                        "EXPDOSE": f"{dose:g}",
                        "EXDOSTOT": "",
                        "EXDOSVIA": "",
                        "EXROUTE": "INTRAVENOUS",
                        "EXSTDTC": format_datetimes(start),
                        "EXENDTC": format_datetimes(
                            shift_days(start, np.full(len(infused), 1 / 24))
                        ),
                        "EXLOT": "",
                    }
                )
            )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "ex", ["EXSTDTC", "EXTRT"])

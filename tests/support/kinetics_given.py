"""Analysis results of the cellular kinetics, as the stage gives them."""

from __future__ import annotations

import math

import pandas as pd
from compartment_samples import make_images, make_samples
from persistence_study import (
    make_levels,
    make_persistence_samples,
    make_persistence_times,
    repeat_courses,
)
from phases_given import add_phase_counts
from results_given import DOSES, add_block
from two_assays import make_subjects, make_two_assays

from celldossier.cellular_kinetics.assay_pairs import derive_adpair
from celldossier.cellular_kinetics.compartment_summaries import summarise_compartments
from celldossier.cellular_kinetics.compartments import derive_adtiss
from celldossier.cellular_kinetics.concordance import summarise_concordance
from celldossier.cellular_kinetics.persistence import summarise_persistence
from celldossier.cellular_kinetics.quantifiability import (
    derive_adpers,
    list_planned_days,
    read_persistence,
)
from celldossier.datasets import conform, empty_dataset
from celldossier.results import ResultCollector
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.compartments import CompartmentRules

STRATA = {
    "process": ("A", "B"),
    "age": ("18-64", "<18", ">=65", "UNKNOWN"),
    "region": ("CHINA", "OTHER"),
    "hepatic": ("MILD", "NORMAL"),
    "renal": ("NORMAL", "SEVERE"),
}


def add_doses(out: ResultCollector, analyte: str, unit: str) -> None:
    """Add the parameters of two doses, without a trough that is quantifiable before the first."""
    units = {"CMAX": unit, "TMAX": "d", "CTROUGH": unit, "AUCTAU": f"d*{unit}", "CAVG": unit}
    for code in (*units, "PTF"):
        for dose in ("1", "2"):
            values = [] if (code, dose) == ("CTROUGH", "1") else [10.0, 20.0, 40.0]
            place = {"variable": code, "analyte": analyte, "by": {"pdose": dose}}
            extra = {"n_nc": 0.0, "n_blq": 3.0 - len(values)}
            add_block(out, "by_dose", values, unit=units.get(code, ""), extra=extra, **place)
    ratio: dict[str, float | str] = {"gmr": 1.25, "gmr_low": 0.9, "gmr_high": 1.7, "p": 0.2, "n": 3}
    for code in ("ARAUC", "ARCMAX"):
        by = {"pdose": "2"}
        out.add("accumulation", ratio, dataset="ADPP", variable=code, analyte=analyte, by=by, n=3)
    for code in ("CTROUGH", "CMAX"):
        out.add("dose_trend", ratio, dataset="ADPP", variable=code, analyte=analyte, n=3)


def add_trend(out: ResultCollector, analyte: str, unit: str) -> None:
    """Add the change from baseline at two days, of too few subjects at the second."""
    groups: tuple[dict[str, str], ...] = ({}, {"dose": "DL1"})
    for by in groups:
        for visit, values in (("0", [8.0, 10.0, 12.0]), ("28", [20.0, 40.0])):
            for code, its_unit in (("CONC", unit), ("CHG", unit), ("FOLD", "")):
                place = {"variable": code, "analyte": analyte, "by": {"visit": visit, **by}}
                add_block(out, "trend", values, unit=its_unit, extra={"n_blq": 0.0}, **place)


def kinetics_results() -> pd.DataFrame:
    out = ResultCollector("cellular_kinetics")
    add_phase_counts(out)
    groups: list[dict[str, str]] = [
        *({**by} for by in DOSES),
        *({"response": level} for level in ("NONRESPONDER", "RESPONDER", "UNKNOWN")),
        {"indication": "NHL"},
        {"study": "S"},
        *({key: level} for key, names in STRATA.items() for level in names),
    ]
    units = {"PCR": "copies/ug", "FLOW": "cells/uL"}
    for analyte, unit in units.items():
        for by in groups:
            values = (
                [34712.0, 12050.0, 51000.0] if by != {"response": "UNKNOWN"} else [880.4, 901.0]
            )
            for code, its_unit in (("CMAX", unit), ("AUC28", f"d*{unit}")):
                add_block(
                    out,
                    "summary",
                    values,
                    variable=code,
                    analyte=analyte,
                    by=by,
                    unit=its_unit,
                    extra={"n_nc": 1.0, "n_blq": 0.0},
                )
            add_block(
                out,
                "summary",
                [9.0, 10.0, 14.0],
                variable="TMAX",
                analyte=analyte,
                by=by,
                unit="d",
                extra={"n_nc": 0.0, "n_blq": 0.0},
            )
            for code in ("LAMZHL", "LAMZHLR", "HLCON", "HLCONLL", "HLCONUL"):
                add_block(
                    out,
                    "summary",
                    [] if by.get("dose") == "DL1" else [20.0, 31.0, 44.0],
                    variable=code,
                    analyte=analyte,
                    by=by,
                    unit="d",
                    extra={"n_nc": 2.0, "n_blq": 0.0},
                )
        add_doses(out, analyte, unit)
        add_trend(out, analyte, unit)
        for by in groups:
            out.add(
                "reasons",
                {"n": 2},
                dataset="ADPP",
                variable="LAMZHL",
                analyte=analyte,
                by={"reason": "R2LOW", **by},
            )
        out.add(
            "ratio_by_response",
            {"gmr": 1.735, "gmr_low": 1.02, "gmr_high": 2.951},
            dataset="ADPP",
            variable="CMAX",
            analyte=analyte,
        )
        for level, gmr in (("<18", 2.5), (">=65", 0.8)):
            out.add(
                "ratio",
                {"gmr": gmr, "gmr_low": gmr / 2, "gmr_high": gmr * 2, "reference": "18-64"},
                dataset="ADPP",
                variable="CMAX",
                analyte=analyte,
                by={"age": level},
            )
        out.add(
            "heterogeneity",
            {"p": 0.25},
            dataset="ADPP",
            variable="CMAX",
            analyte=analyte,
            by={"grouping": "age"},
        )
        for visit, values in (("7", [100.0, 200.0, 400.0]), ("28", [50.0, 60.0]), ("-1", [])):
            add_block(
                out,
                "concentration",
                values,
                variable="CONC",
                analyte=analyte,
                by={"visit": visit},
                unit=unit,
                reason="BLQHALF",
                extra={"n_blq": 1.0},
            )
    return out.frame()


def compartment_results() -> pd.DataFrame:
    """Bone marrow beside blood, and images of two places, as the stage summarises them."""
    flags = dict.fromkeys(("ENRLFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"), "Y")
    subjects = pd.DataFrame({"STUDYID": "S", "USUBJID": ["S1", "S2", "S3", "S4"]})
    images = make_images(
        *((f"S{number}", "SIGNAL", place, day, 50.0 / day + number)
          for number in (1, 2, 3) for place in ("LIVER", "KNEE JOINT") for day in (1.0, 7.0))
    )  # fmt: skip
    adtiss = derive_adtiss(
        make_samples(),
        images,
        conform(subjects.assign(**flags), "ADSL"),
        empty_dataset("ADEX"),
        CompartmentRules(imaging=("SIGNAL",)),
    )
    return summarise_compartments(adtiss)


def adpp(subjects: int = 2) -> pd.DataFrame:
    """Parameters of two analytes: one value flagged, one missing with its reason."""
    rows = []
    for number in range(1, subjects + 1):
        for analyte in ("PCR", "FLOW"):
            for code, value, flag, reason in (
                ("CMAX", 34712.3 * number, "PEAKLAST" if number == 1 else "", ""),
                ("LAMZHL", math.nan, "R2LOW", "R2LOW"),
                ("LAMZNPT", 9.0, "", ""),
            ):
                rows.append(
                    {
                        "STUDYID": "S",
                        "USUBJID": f"S-{number:03d}",
                        "TRT01A": "DL1",
                        "PARCAT1": analyte,
                        "PROFTYP": "COURSE",
                        "DOSENO": 1,
                        "PARAMCD": code,
                        "PARAM": code,
                        "PARAMN": 1,
                        "AVAL": value,
                        "AVALU": "copies/ug",
                        "FLAG": flag,
                        "PPREASND": reason,
                    }
                )
    return conform(pd.DataFrame(rows), "ADPP")


def concordance_results() -> pd.DataFrame:
    """Two assays of the cells, by the stage itself."""
    adpc, kinetics = make_two_assays(), CellularKineticsSettings()
    pairs = derive_adpair(adpc, make_subjects(adpc), kinetics)
    return summarise_concordance(pairs, kinetics.concordance)[0]


def persistence_results() -> pd.DataFrame:
    """Duration of quantifiability, by the stage itself."""
    courses = repeat_courses(3)
    samples, levels = make_persistence_samples(courses), make_levels(courses)
    adtte = make_persistence_times(samples, courses)
    facts, analyte = read_persistence(adtte, samples, levels.index, "PCR")
    rules = CellularKineticsSettings().persistence
    adpers = derive_adpers(facts, analyte, list_planned_days(samples, analyte), rules)
    return summarise_persistence(adpers, facts, samples, levels, rules)[0]

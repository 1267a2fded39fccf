"""A small run in memory: analysis results of every stage, in the shape that the stages give."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
import pytest
from compartment_samples import make_images, make_samples
from crosswalk_study import SETTINGS as CROSSWALK_SETTINGS
from crosswalk_study import make_crosswalk
from outcome_results import add_responses, add_times
from persistence_study import (
    make_levels,
    make_persistence_samples,
    make_persistence_times,
    repeat_courses,
)
from phases_given import add_phase_counts, make_adph
from products_given import make_products_given
from sampling_given import make_adsa, make_sampling_results
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
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.compartments import CompartmentRules
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dosing import DosingSettings
from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.safety import SafetySettings
from celldossier.stats.descriptive import describe
from celldossier.terms.language import Language
from celldossier.tlf.model import Context
from celldossier.tlf.stage import RunInputs

DOSES = ({}, {"dose": "DL1"}, {"dose": "DL2"})
STRATA = {
    "process": ("A", "B"),
    "age": ("18-64", "<18", ">=65", "UNKNOWN"),
    "region": ("CHINA", "OTHER"),
    "hepatic": ("MILD", "NORMAL"),
    "renal": ("NORMAL", "SEVERE"),
}


def add_block(
    out: ResultCollector,
    analysis: str,
    values: Iterable[float],
    *,
    reason: str = "NOVALUE",
    extra: Mapping[str, float] | None = None,
    **place: Any,
) -> None:
    """Add a descriptive block, as the stages do: missing statistics carry a reason."""
    data = list(values)
    block: dict[str, float | str] = dict(describe(data))
    notes = {stat: reason for stat, value in block.items() if math.isnan(float(value))}
    if 0 < len(data) < 3:
        block["values"] = "; ".join(f"{value:.6g}" for value in data)
    out.add(
        analysis,
        {**block, **(extra or {})},
        dataset="ADPP",
        n=float(len(data)),
        notes=notes,
        **place,
    )


def study_data_results() -> pd.DataFrame:
    out = ResultCollector("study_data")
    for name in ("ENROLLED", "MANUFACTURED", "INFUSED", "CK"):
        for by, n in zip(DOSES, (10, 4, 6), strict=True):
            count = n - (name == "CK")
            out.add(
                "populations",
                {"n": count, "pct": 100 * count / n},
                dataset="ADSL",
                by={"population": name, **by},
                n=count,
            )
    for reason, n in (("NOCK", 1), ("<b>own words</b>", 2)):
        out.add(
            "population_reasons",
            {"n": n},
            dataset="ADSL",
            by={"population": "CK", "reason": reason},
        )
    ages = ([12, 30, 45, 64, 70], [12, 70], [30, 45, 64])
    for by, known, missing in zip(DOSES, ages, (5.0, 2.0, 3.0), strict=True):
        extra = {"n_missing": missing}
        add_block(
            out, "demographics", known, variable="AGE", by=dict(by), unit="years", extra=extra
        )
        for sex in ("F", "M"):
            out.add(
                "demographics",
                {"n": 2, "pct": 40.0},
                dataset="ADSL",
                variable="SEX",
                by={"level": sex, **by},
            )
        for group in ("18-64", "<18", ">=65"):
            out.add(
                "demographics",
                {"n": 1, "pct": 20.0},
                dataset="ADSL",
                variable="AGEGR1",
                by={"level": group, **by},
            )
        add_block(
            out,
            "demographics",
            [1200, 2400, 3600],
            variable="TBURDBL",
            by={"indication": "NHL", **by},
            unit="mm2",
        )
    for by, n in zip(DOSES, (2, 0, 2), strict=True):
        add_events(out, dict(by), n)
    add_responses(out, "ALL", "LUGANO2014", **dict.fromkeys(("CR", "PR", "SD", "PD", "NE"), 1))
    for endpoint in ("OS", "DOR", "BCREC"):
        add_times(out, endpoint, {"indication": "ALL"})
        add_times(out, endpoint, {})
    return pd.concat([out.frame(), make_products_given().summarise()], ignore_index=True)


def add_events(out: ResultCollector, by: Mapping[str, str], n: int) -> None:
    """Add CRS of some of six subjects, all of grade 3, and no ICANS."""
    for event, count in (("ICANS", 0), ("CRS", n)):
        counts = {"n": count, "pct": 100 * count / 6, "n_infused": 6, "n_episodes": count}
        out.add("special_interest", counts, dataset="ADAESI", variable=event, by=by, n=count)
    if not n:
        return
    place = {"dataset": "ADAESI", "variable": "CRS"}
    for grade in ("1", "2", "3", "4", "5", "UNKNOWN"):
        share = {"n": n * (grade == "3"), "pct": 100 / 3 * (grade == "3")}
        out.add("special_interest_grade", share, by={**by, "grade": grade}, **place)
    onset = {"n": n, "median": 2.5, "min": 1, "max": 4}
    out.add("special_interest_onset", onset, by=by, **place)
    unknown = {"n": 0, "median": math.nan, "min": math.nan, "max": math.nan, "n_ongoing": 2}
    notes = dict.fromkeys(("median", "min", "max"), "NOVALUE")
    out.add("special_interest_duration", unknown, by=by, notes=notes, **place)
    for treatment in ("TOCILIZUMAB", "STEROID", "ANAKINRA", "SILTUXIMAB"):
        given = {"n": n * (treatment == "STEROID"), "pct": 100.0 * (treatment == "STEROID")}
        out.add("special_interest_treatment", given, by={**by, "treatment": treatment}, **place)


def dose_results() -> pd.DataFrame:
    out = ResultCollector("dose_exploration")
    for by in DOSES:
        add_block(out, "dose", [40, 50, 60], variable="DOSEA", by=dict(by), unit="10^6 cells")
        add_block(out, "dose", [], variable="DOSETOT", by=dict(by), reason="NOTCOLL")
        out.add(
            "dose",
            {"n_inwindow": 2, "pct_inwindow": 66.7, "n_outwindow": 1, "n_nowindow": 0},
            dataset="ADEX",
            variable="INWINFL",
            by=dict(by),
        )
    return out.frame()


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


def exposure_response_results() -> pd.DataFrame:
    out = ResultCollector("exposure_response")
    models = [
        ("OBJRESP", "AUC28", "TUMOUR_BURDEN", "PRIMARY", "PRIMARY", ""),
        ("OBJRESP", "AUC28", "UNADJUSTED", "PRIMARY", "SECONDARY", ""),
        ("OBJRESP", "CMAX", "UNADJUSTED", "UNKNOWN_EXCLUDED", "SENSITIVITY", "FEWEVENT"),
        ("CRSGE2", "CMAX", "UNADJUSTED", "PRIMARY", "SECONDARY", ""),
        ("CRSGE3", "CLD3", "UNADJUSTED", "LANDMARK", "SENSITIVITY", ""),
        ("ICANSGE2", "CMAX", "UNADJUSTED", "PRIMARY", "SECONDARY", "FEWEVENT"),
    ]
    for endpoint, metric, adjustment, population, role, reason in models:
        common = {
            "dataset": "ADER",
            "variable": endpoint,
            "analyte": "PCR",
            "by": {"metric": metric, "adjustment": adjustment, "population": population},
        }
        separated = endpoint == "CRSGE3"
        texts = {
            "role": role,
            "family": "EFFICACY" if endpoint == "OBJRESP" else "SAFETY",
            "status": "REFUSED" if reason else "RUN",
            "model": "NONE" if reason else "FIRTH" if separated else "ML",
            "covariates": "NONE",
        }
        if reason:
            texts["reason"] = reason
        out.add("plan", texts, **common)
        names = ("or", "or_low", "or_high", "p", "auc_roc", "separation")
        fit = (1.352, 1.041, 1.756, 0.0004, 0.6123, float(separated))
        numbers = dict(zip(names, fit, strict=True))
        if reason:
            numbers = dict.fromkeys(names, math.nan)
        out.add(
            "logistic",
            {"n": 99.0, "events": 61.0, "n_er": 100.0, **numbers},
            n=99.0,
            notes=dict.fromkeys(names, reason) if reason else {},
            **common,
        )
        is_tested = not reason and role != "SENSITIVITY"
        out.add(
            "multiplicity",
            {"q": 0.012 if is_tested else math.nan},
            notes={} if is_tested else {"q": reason or "SENSANAL"},
            **common,
        )
    for metric in ("AUC28", "CMAX", "CMAXTMAX"):
        blocks = {
            f"{stat}_{suffix}": value
            for suffix, values in (("event", [100.0, 200.0, 300.0]), ("noevent", [50.0, 80.0]))
            for stat, value in describe(values).items()
        }
        out.add(
            "ratio_by_response",
            {**blocks, "gmr": 2.87, "gmr_low": 1.5, "gmr_high": 5.5, "p_wilcoxon": 0.2},
            dataset="ADER",
            variable=metric,
            analyte="PCR",
            by={"endpoint": "OBJRESP", "population": "PRIMARY"},
            n=5.0,
        )
    for grade in ("CRSGR", "ICANSGR"):
        by = {"metric": "CMAX", "adjustment": "UNADJUSTED"}
        out.add(
            "ordinal",
            {
                "n": 99.0, "events": 80.0, "or": 1.9, "or_low": 1.4, "or_high": 2.6, "p": 0.002,
                "po_p": 0.41, "po_verdict": "NOT_REJECTED",
            },
            dataset="ADER",
            variable=grade,
            analyte="PCR",
            by=by,
            n=99.0,
        )  # fmt: skip
        for cut in ("GE1", "GE2"):
            missing = cut == "GE2" and grade == "ICANSGR"
            names = ("or", "or_low", "or_high", "p")
            numbers = dict(zip(names, (1.8, 1.2, 2.7, 0.01), strict=True))
            if missing:
                numbers = dict.fromkeys(names, math.nan)
            out.add(
                "cumulative",
                {"n": 99.0, "events": 40.0, **numbers},
                dataset="ADER",
                variable=grade,
                analyte="PCR",
                by={**by, "grade": cut},
                n=99.0,
                notes=dict.fromkeys(names, "FEWEVENT") if missing else {},
            )
    return out.frame()


ADA_STATUSES = (
    "BASELINE_POSITIVE", "PREVALENCE", "TREATMENT_EMERGENT", "TREATMENT_INDUCED",
    "TREATMENT_BOOSTED", "NOT_BOOSTED", "PERSISTENT", "TRANSIENT", "NEGATIVE", "UNDETERMINED",
)  # fmt: skip


def immunogenicity_results(target: str = "CAR") -> pd.DataFrame:
    out = ResultCollector("immunogenicity")
    for by in DOSES:
        common = {"dataset": "ADIM", "analyte": target, "by": dict(by)}
        out.add("incidence", {"n": 9.0, "n_infused": 10.0}, variable="EVALUABLE", n=10.0, **common)
        for status in ADA_STATUSES:
            out.add(
                "incidence",
                {"n": 1.0, "denominator": 9.0, "pct": 11.1, "ci_low": 0.3, "ci_high": 48.2},
                variable=status,
                n=9.0,
                **common,
            )
    out.add(
        "not_evaluable",
        {"n": 1.0},
        dataset="ADIM",
        variable="EVALFL",
        analyte=target,
        by={"reason": "NOADAPOST"},
    )
    return out.frame()


def adim(subjects: int) -> pd.DataFrame:
    rows = [
        {
            "STUDYID": "S",
            "USUBJID": f"S-{number:03d}",
            "TRT01A": "DL1",
            "ISBDAGNT": "CAR",
            "EVALFL": "Y",
            "ADASTAT": "INDUCED",
            "ADAONDY": 28.25,
            "NPOSTBL": 4,
            "NPOSTPOS": 2,
            "NNOSTAT": 0,
        }
        for number in range(subjects)
    ]
    return conform(pd.DataFrame(rows), "ADIM") if rows else empty_dataset("ADIM")


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


def both(text: str) -> dict[str, str]:
    return {"en": text, "zh": f"{text}中"}


def make_assay(analyte: str, domain: str, unit: str, lloq: float | None) -> dict[str, Any]:
    return {
        "analyte": analyte, "domain": domain, "label": both(f"{analyte} label"),
        "platform": both("platform"), "matrix": both("blood"), "unit": unit, "lod": None,
        "lloq": lloq, "uloq": None, "accuracy": "", "precision": "", "input_amount": "",
        "stability": "", "laboratory": "=cmd()", "version": "1", "validation": "",
    }  # fmt: skip


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    trial: dict[str, Any] = {
        name: both(name)
        for name in (
            "design", "population", "lymphodepletion", "dose_levels", "matrices", "schedule"
        )
    }  # fmt: skip
    trial |= {"id": "S-1", "phase": "1", "investigator_initiated": True}
    return {
        "study": {
            "id": "S",
            "data_cutoff": "2025-12-15",
            "trials": [trial],
            "product": {"product_class": "car_t"},
        },
        "bioanalysis": {
            "assays": [
                make_assay("PCR", "CK", "copies/ug", 50.0),
                make_assay("FLOW", "CK", "cells/uL", None),
                make_assay("ADA", "ADA", "titer", None),
            ]
        },
        "cellular_kinetics": CROSSWALK_SETTINGS.model_dump(mode="json"),
        "dose_exploration": DoseExplorationSettings().model_dump(mode="json"),
        "exposure_response": ExposureResponseSettings().model_dump(mode="json"),
        "immunogenicity": ImmunogenicitySettings().model_dump(mode="json"),
        "study_data": {
            "safety": SafetySettings().model_dump(mode="json"),
            "dosing": DosingSettings().model_dump(mode="json"),
            "efficacy": EfficacySettings().model_dump(mode="json"),
        },
    }


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


@pytest.fixture(scope="session")
def stage_results() -> dict[str, pd.DataFrame]:
    return {
        "study_data": study_data_results(),
        "dose_exploration": dose_results(),
        "cellular_kinetics": pd.concat(
            [
                kinetics_results(),
                make_crosswalk()[1],
                concordance_results(),
                persistence_results(),
                compartment_results(),
                make_sampling_results(),
            ],
            ignore_index=True,
        ),
        "exposure_response": exposure_response_results(),
        "immunogenicity": immunogenicity_results(),
    }


def exclusions(subjects: int) -> pd.DataFrame:
    """One record of each subject that was not used."""
    names = [f"S-{number:03d}" for number in range(1, subjects + 1)]
    frame = pd.DataFrame({"subject": names, "row": range(1, subjects + 1)})
    return conform(frame.assign(domain="PC", file="pc.csv", reason="NOTDONE"), "EXCLUSIONS")


@pytest.fixture(scope="session")
def inputs(settings: dict[str, Any], stage_results: dict[str, pd.DataFrame]) -> RunInputs:
    return RunInputs(
        results=stage_results.__getitem__,
        curves=lambda stage: empty_dataset("CURVES"),
        dataset=lambda name: (
            {"ADIM": adim, "ADPP": adpp, "EXCLUSIONS": exclusions}[name](45)
            if name in ("ADIM", "ADPP", "EXCLUSIONS")
            else make_crosswalk()[0]
            if name == "ADPPX"
            else {"ADPH": make_adph, "ADSA": make_adsa}[name]()
            if name in ("ADPH", "ADSA")
            else empty_dataset(name)
        ),
        settings=settings,
        file_hash=lambda path: hashlib.sha256(path.encode()).hexdigest(),
    )


def make_context(
    results: pd.DataFrame,
    settings: Mapping[str, Any],
    language: str = "en",
    datasets: Mapping[str, pd.DataFrame] | None = None,
    **options: Any,
) -> Context:
    """Context of a drawing function that reads these results."""
    return Context(
        language=Language("zh" if language == "zh" else "en"),
        results=AnalysisResults([results]),
        curves=empty_dataset("CURVES"),
        dataset=dict(datasets or {}).__getitem__,
        settings=settings,
        options=options,
    )


@pytest.fixture(scope="session")
def context_for() -> Callable[..., Context]:
    return make_context


@pytest.fixture(scope="session")
def make_adim() -> Callable[[int], pd.DataFrame]:
    return adim


@pytest.fixture(scope="session")
def make_ada_results() -> Callable[[str], pd.DataFrame]:
    return immunogenicity_results


@pytest.fixture(scope="session")
def make_adpp() -> Callable[..., pd.DataFrame]:
    return adpp

"""A small made-up study for the figures: no real data, only the shapes they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.comparability import ComparabilitySettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.terms.language import Language
from celldossier.tlf.model import Context

DAYS = (-0.2, 0.04, 1, 3, 5, 7, 9, 11, 14, 21, 28, 60, 90, 180, 270, 360)
LLOQ = {"PCR": 50.0, "FLOW": 1.0}
UNIT = {"PCR": "copies/ug", "FLOW": "cells/uL"}
KEYS = {"STUDYID": "T-1"}

SETTINGS: dict[str, Any] = {
    "bioanalysis": {
        "assays": [
            {
                "analyte": "PCR",
                "domain": "CK",
                "label": {"en": "CAR transgene (qPCR)", "zh": "CAR转基因（qPCR）"},
                "unit": "copies/ug",
                "lloq": 50.0,
            },
            {
                "analyte": "FLOW",
                "domain": "CK",
                "label": {
                    "en": "CAR-positive T cells (flow cytometry)",
                    "zh": "CAR阳性T细胞（流式）",
                },
                "unit": "cells/uL",
                "lloq": 1.0,
            },
        ]
    },
    "cellular_kinetics": {
        "primary_analyte": "PCR",
        "figures": {"panels": 12, "report_pages": 2},
    },
    "immunogenicity": ImmunogenicitySettings().model_dump(mode="json"),
    "special_considerations": SpecialConsiderationsSettings().model_dump(mode="json"),
    "comparability": ComparabilitySettings().model_dump(mode="json"),
    "exposure_response": {
        "analyte": "PCR",
        "endpoints": ["OBJRESP"],
        "adjustments": ["UNADJUSTED", "TUMOUR_BURDEN"],
        "confidence_level": 0.95,
        "ratio_confidence_level": 0.9,
        "unknown_response": ["NONRESPONDER", "EXCLUDED"],
        "covariates": [{"variable": "SEX"}, {"variable": "AGE"}],
    },
}


def subject(number: int) -> str:
    return f"T-1-{number:03d}"


def make_adsl(count: int) -> pd.DataFrame:
    number = np.arange(1, count + 1)
    frame = pd.DataFrame(
        {
            "STUDYID": "T-1",
            "USUBJID": [subject(k) for k in number],
            "TRT01A": [f"DL{1 + k % 3}" for k in number],
            "INDIC": np.where(number % 2 == 0, "ALL", "NHL"),
            "DTHDY": np.where(number % 5 == 0, 200.0, np.nan),
        }
    )
    flags = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")
    return conform(frame.assign(**dict.fromkeys(flags, "Y")), "ADSL")


def make_adpc(count: int) -> pd.DataFrame:
    """Rise to a peak at day 10 and a fall in two phases; low ends are below the LLOQ."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(1, count + 1):
        peak = 24000 * np.exp(rng.normal(0, 1))
        for analyte, factor in (("PCR", 1.0), ("FLOW", 0.004)):
            for day in DAYS:
                level = (
                    factor
                    * peak
                    * (
                        np.exp(0.75 * (day - 10))
                        if day < 10
                        else 0.98 * np.exp(-0.16 * (day - 10)) + 0.02 * np.exp(-0.006 * (day - 10))
                    )
                )
                value = level * np.exp(rng.normal(0, 0.3)) if day > 0 else 0.0
                below = value < LLOQ[analyte]
                rows.append(
                    {
                        "USUBJID": subject(number),
                        "PARAMCD": analyte,
                        "PARAM": analyte,
                        "AVAL": np.nan if below else value,
                        "AVALU": UNIT[analyte],
                        "BLQFL": "Y" if below else "N",
                        "ALQFL": "N",
                        "ALLOQ": LLOQ[analyte],
                        "AFRLT": day,
                        "NFRLT": max(day, 0.0),
                        "ANL01FL": "Y",
                        "SRCDOM": "PC",
                        "SRCROW": len(rows) + 1,
                    }
                )
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADPC")


def make_adaesi(count: int) -> pd.DataFrame:
    """An episode of CRS in three of four; of every sixth also ICANS, which goes on."""
    rows = [
        {
            "USUBJID": subject(k),
            "AESI": event,
            "EPISODE": 1,
            "NEPISOD": 1,
            "WORSTFL": "Y",
            "NRECORD": 1,
            "ATOXGRN": 1 + k % 4,
            "ASTDY": 3.0 + k % 3,
            "AENDY": 9.0 + k % 3 if event == "CRS" else np.nan,
            "ONGOFL": "N" if event == "CRS" else "Y",
            "SRCDOM": "AE",
            "SRCROW": 2 * k + (event == "CRS"),
        }
        for k in range(1, count + 1)
        for event in ("CRS", "ICANS")
        if (k % 4 if event == "CRS" else k % 6 == 0)
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADAESI") if rows else empty_dataset("ADAESI")


def make_adpp(adpc: pd.DataFrame) -> pd.DataFrame:
    """TMAX of each profile, as the stage gives it."""
    known = adpc[adpc["AVAL"].notna() & (adpc["AFRLT"] >= 1)]
    peak = known.sort_values("AVAL", ascending=False).drop_duplicates(["USUBJID", "PARAMCD"])
    frame = pd.DataFrame(
        {
            "USUBJID": peak["USUBJID"],
            "PARCAT1": peak["PARAMCD"],
            "AVAL": peak["AFRLT"],
            "AVALU": "d",
        }
    ).assign(PROFTYP="COURSE", DOSENO=1, PARAMCD="TMAX", PARAM="Tmax", PARAMN=2, **KEYS)
    return conform(frame, "ADPP")


def make_adlz(count: int) -> pd.DataFrame:
    """A regression of PCR over days 60 to 360: of odd subjects it fails its gate."""
    rows = [
        {
            "USUBJID": subject(k),
            "PARCAT1": "PCR",
            "PROFTYP": "COURSE",
            "DOSENO": 1,
            "REVFL": "N",
            "LAMZ": 0.006,
            "LAMZICPT": 6.5,
            "LAMZLL": 60.0,
            "LAMZUL": 360.0,
            "GATE": "SPANLOW" if k % 2 else "PASS",
        }
        for k in range(1, count + 1)
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADLZ")


def make_adcm(count: int) -> pd.DataFrame:
    rows = [
        {
            "USUBJID": subject(k),
            "CMTRT": drug,
            "CMDECOD": drug,
            "CMCLASS": drug,
            "ASTDTM": "2024-01-05",
            "ASTDY": day,
            "SRCDOM": "CM",
            "SRCROW": 2 * k + (drug == "STEROID"),
        }
        for k in range(1, count + 1)
        for drug, day in (("TOCILIZUMAB", 4.5), ("STEROID", 6.0))
        if k % 3 == 0
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADCM")


def make_adrs(count: int) -> pd.DataFrame:
    rows = [
        {
            "USUBJID": subject(k),
            "PARAMCD": "OVR",
            "AVALC": "CR" if day == 28 else "PD",
            "RESPFL": "Y" if day == 28 else "N",
            "AFRLT": day,
            "SRCDOM": "RS",
            "SRCROW": 2 * k + (day == 28),
        }
        for k in range(1, count + 1)
        for day in (28.0, 180.0)
        if day == 28 or k % 2
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADRS")


def make_adex(count: int) -> pd.DataFrame:
    rows = [
        {
            "USUBJID": subject(k),
            "EXCAT": "CELL PRODUCT",
            "EXTRT": "T",
            "DOSENO": dose,
            "ADTM": f"2024-0{dose}-01",
            "AFRLT": 0.0 if dose == 1 else 100.0,
            "SRCDOM": "EX",
            "SRCROW": 2 * k + dose,
        }
        for k in range(1, count + 1)
        for dose in (1, 2)
        if dose == 1 or k == 2
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADEX")


def make_profile_curves(suppress: float = 180.0) -> pd.DataFrame:
    """Summary points by dose and by response; empty from the day `suppress` on."""
    rows = []
    for analyte, scale in (("PCR", 1.0), ("FLOW", 0.004)):
        series = ["total", "dose=DL1", "dose=DL2", "dose=DL3"]
        series += [f"response={level}" for level in ("RESPONDER", "NONRESPONDER", "UNKNOWN")]
        for place, name in enumerate(series):
            for day in DAYS[1:]:
                y = (
                    scale
                    * (10000 + 4000 * place)
                    * (np.exp(0.6 * (day - 10)) if day < 10 else np.exp(-0.03 * (day - 10)))
                )
                shown = day < suppress
                for curve, low, high in (
                    ("profile", y / 3, y * 3),
                    ("profile_median", y / 2, y * 2),
                ):
                    rows.append(
                        {
                            "curve_id": f"cellular_kinetics.{curve}/{analyte}",
                            "series": name,
                            "x": max(round(day), 0) if day > 0.5 else day,
                            "y": y if shown else np.nan,
                            "low": low if shown else np.nan,
                            "high": high if shown else np.nan,
                            "n": 38 - place if shown else 4,
                            "x_unit": "d",
                            "y_unit": UNIT[analyte],
                            "kind": "summary",
                        }
                    )
    return conform(pd.DataFrame(rows), "CURVES")


def make_ader(count: int) -> pd.DataFrame:
    """Exposure rises with the number; the last subject was never quantifiable."""
    number = np.arange(1, count + 1)
    exposure = 500.0 * 1.25**number
    exposure[-1] = 0.0
    grade = np.minimum(number // 7, 4).astype(float)
    return conform(
        pd.DataFrame(
            {
                "STUDYID": "T-1",
                "USUBJID": [subject(k) for k in number],
                "ERFL": "Y",
                "CMAX": exposure,
                "AUC28": exposure * 12,
                "CLD3": exposure / 100 + 25,
                "CLD3DY": 3.1,
                "RESPGRP": np.where(number == 3, "UNKNOWN", "RESPONDER"),
                "OBJRESP": np.where(number == 3, np.nan, (number % 3 > 0).astype(float)),
                "CRSGR": grade,
                "CRSONDY": np.where(grade > 0, 2.05 + number % 5, np.nan),
            }
        ),
        "ADER",
    )


def make_aderend(count: int) -> pd.DataFrame:
    ader = make_ader(count)
    values = {"OBJRESP": ader["OBJRESP"], "ICANSGE2": 0.0}
    values |= {f"CRSGE{k}": (ader["CRSGR"] >= k).astype(float) for k in (2, 3)}
    rows = pd.concat(
        ader[["STUDYID", "USUBJID"]].assign(
            PARAMCD=code,
            PARAM=code,
            KIND="binary",
            AVAL=value,
            ONSETDY=ader["CRSONDY"],
            REASND=np.where(pd.isna(value), "UNKRESP", ""),
            SRCDS="ADER",
        )
        for code, value in values.items()
    )
    return conform(rows.reset_index(drop=True), "ADEREND")


def make_er_results(count: int = 30, refused: str = "") -> ResultCollector:
    """Results in the shape of the stage; `refused` is the reason for which no model was run."""
    out = ResultCollector("exposure_response")
    common: dict[str, Any] = {"dataset": "ADER", "analyte": "PCR"}
    for endpoint in ("OBJRESP", "CRSGE2", "CRSGE3"):
        for metric, population in (("AUC28", "PRIMARY"), ("CMAX", "PRIMARY"), ("CLD3", "LANDMARK")):
            for adjustment, ratio in (("UNADJUSTED", 1.234), ("TUMOUR_BURDEN", 1.567)):
                ratios = {"or": ratio, "or_low": ratio / 1.2, "or_high": ratio * 1.2}
                notes = {}
                if refused:
                    ratios, notes = dict.fromkeys(ratios, np.nan), dict.fromkeys(ratios, refused)
                out.add(
                    "logistic",
                    {"n": count, "events": count // 3, **ratios},
                    variable=endpoint,
                    by={"metric": metric, "adjustment": adjustment, "population": population},
                    n=count,
                    notes=notes,
                    **common,
                )
            for bin_ in ("Q1", "Q2", "Q3"):
                out.add(
                    "quartiles",
                    {"n": count // 3, "events": int(bin_[1])},
                    variable=endpoint,
                    by={"metric": metric, "bin": bin_},
                    **common,
                )
    for grade, values in (("0", 6), ("1", 7), ("2", 7), ("3", 7), ("4", 2)):
        block = {"n": values, "q1": 800.0, "median": 1234.0, "q3": 3000.0, "min": 0.0, "max": 9e5}
        out.add(
            "grade_summary",
            block,
            variable="CMAX",
            by={"endpoint": "CRSGR", "grade": grade},
            unit="copies/ug",
            n=values,
            **common,
        )
    out.add("grade_trend", {"p": 0.0001}, variable="CMAX", by={"endpoint": "CRSGR"}, **common)
    for covariate, level, details in (
        ("SEX", "F", {"reference": "M"}),
        ("SEX", "U", {"reference": "M"}),
        ("AGE", "P90_VS_P10", {"x_low": 14.0, "x_high": 68.31}),
    ):
        ratios = {"gmr": 1.5, "gmr_low": 1.1, "gmr_high": 2.05}
        notes = {}
        if level == "U":
            ratios, notes = dict.fromkeys(ratios, np.nan), dict.fromkeys(ratios, "FEWLEVEL")
        out.add(
            "covariate_forest",
            {**ratios, "n": 12, "n_reference": 18, **details},
            variable="AUC28",
            by={"covariate": covariate, "level": level},
            n=12,
            notes=notes,
            **common,
        )
    age = {"covariate": "AGE", "level": "P90_VS_P10"}
    out.add(
        "covariate_full",
        {"gmr": 1.3, "gmr_low": 0.9, "gmr_high": 1.88, "n": 30, "x_low": 14.0, "x_high": 68.31},
        variable="AUC28",
        by=age,
        n=30,
        **common,
    )
    for model in ("TOTAL", "WITH_EXPOSURE"):
        out.add(
            "covariate_outcome",
            {
                **{"ratio": 2.0, "ratio_low": 1.1, "ratio_high": 900.0, "n": 30, "events": 10},
                **{"measure": "OR", "x_low": 14.0, "x_high": 68.31},
            },
            variable="OBJRESP",
            by={**age, "model": model},
            n=30,
            **common,
        )
    return out


def make_er_curves() -> pd.DataFrame:
    rows = []
    for endpoint in ("OBJRESP", "CRSGE2", "CRSGE3"):
        for metric in ("AUC28", "CMAX", "CLD3"):
            common = {
                "curve_id": f"exposure_response.probability/{endpoint}/{metric}",
                "x_unit": "log2(copies/ug)",
                "y_unit": "1",
            }
            for x in np.linspace(9.3, 18, 21):
                y = 1 / (1 + np.exp(-(x - 14)))
                point = {"x": x, "y": y, "low": y * 0.8, "high": y + 0.2 * (1 - y), "n": 30}
                rows.append({**common, **point, "series": "fit", "kind": "fit"})
            for x in (10.0, 13.0, 16.0):
                point = {"x": x, "y": 0.3, "low": 0.1, "high": 0.6, "n": 10}
                rows.append({**common, **point, "series": "observed", "kind": "observed"})
    return conform(pd.DataFrame(rows), "CURVES")


def make_adim(count: int) -> pd.DataFrame:
    status = ["NEGATIVE", "INDUCED", "BOOSTED", "NOT BOOSTED", "UNDETERMINED", ""]
    rows = [
        {
            "USUBJID": subject(k),
            "ISBDAGNT": "CAR",
            "EVALFL": "N" if status[k % 6] == "" else "Y",
            "ADAPOSFL": "N" if status[k % 6] == "NEGATIVE" else "Y",
            "ADASTAT": status[k % 6],
            "NPOSTBL": 2,
            "NPOSTPOS": 1,
            "NNOSTAT": 0,
        }
        for k in range(1, count + 1)
    ]
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADIM")


def make_adab(count: int) -> pd.DataFrame:
    rows = []
    for k in range(1, count + 1):
        for day in (-3.0, 28.0, 90.0, 180.0):
            positive = (k + int(day)) % 2 == 0
            tiers = [("SCREENING", "POSITIVE" if positive else "NEGATIVE", np.nan)]
            if positive:
                tiers += [("CONFIRMATORY", "POSITIVE", np.nan), ("TITER", "TITER", 160.0)]
            for tier, result, titre in tiers:
                rows.append(
                    {
                        "USUBJID": subject(k),
                        "PARAMCD": "ADA_BAB",
                        "PARAM": "ADA",
                        "ISBDAGNT": "CAR",
                        "ISCAT": tier,
                        "AVALC": result,
                        "AVAL": titre,
                        "AFRLT": day,
                        "ABLFL": "Y" if day < 0 else "N",
                        "SRCDOM": "IS",
                        "SRCROW": len(rows) + 1,
                    }
                )
    return conform(pd.DataFrame(rows).assign(**KEYS), "ADAB")


MAKERS: dict[str, Callable[[int], pd.DataFrame]] = {
    "ADSL": make_adsl,
    "ADPC": make_adpc,
    "ADAESI": make_adaesi,
    "ADPP": lambda count: make_adpp(make_adpc(count)),
    "ADLZ": make_adlz,
    "ADCM": make_adcm,
    "ADRS": make_adrs,
    "ADEX": make_adex,
    "ADER": make_ader,
    "ADEREND": make_aderend,
    "ADIM": make_adim,
    "ADAB": make_adab,
}


@pytest.fixture(scope="session")
def make_context() -> Callable[..., Context]:
    """Gives a context with that many subjects, language, results, curves and options."""
    kept: dict[tuple[str, int], pd.DataFrame] = {}
    all_curves = pd.concat([make_profile_curves(), make_er_curves()], ignore_index=True)
    er_results = make_er_results()

    def make(
        language: str = "zh",
        count: int = 30,
        curves: pd.DataFrame | None = None,
        results: ResultCollector | None = None,
        replace: dict[str, pd.DataFrame] | None = None,
        **options: object,
    ) -> Context:
        def dataset(name: str) -> pd.DataFrame:
            if replace and name in replace:
                return replace[name]
            if (name, count) not in kept:
                kept[name, count] = MAKERS[name](count)
            return kept[name, count].copy()

        return Context(
            language=Language(language),  # type: ignore[arg-type]
            results=AnalysisResults([(results or er_results).frame()]),
            curves=all_curves if curves is None else curves,
            dataset=dataset,
            settings=SETTINGS,
            options=options,
        )

    return make


@pytest.fixture(scope="session")
def profile_curves() -> Callable[..., pd.DataFrame]:
    return make_profile_curves


@pytest.fixture(scope="session")
def er_results() -> Callable[..., ResultCollector]:
    return make_er_results


@pytest.fixture(scope="session")
def er_curves() -> Callable[[], pd.DataFrame]:
    return make_er_curves

"""A small run in memory: analysis results of every stage, in the shape that the stages give."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from comparability_given import comparability_results, comparability_settings
from crosswalk_study import SETTINGS as CROSSWALK_SETTINGS
from crosswalk_study import make_crosswalk
from exposure_given import exposure_response_results
from kinetics_given import (
    adpp,
    compartment_results,
    concordance_results,
    kinetics_results,
    persistence_results,
)
from phases_given import make_adph
from precision_study import make_precision_results
from results_given import adim, dose_results, exclusions, immunogenicity_results, study_data_results
from sampling_given import make_adsa, make_sampling_results
from special_given import special_results
from survival_study import make_survival_results

from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dosing import DosingSettings
from celldossier.settings.efficacy import EfficacySettings
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.settings.safety import SafetySettings
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.terms.language import Language
from celldossier.tlf.model import Context
from celldossier.tlf.stage import RunInputs


def both(text: str) -> dict[str, str]:
    return {"en": text, "zh": f"{text}中"}


def make_assay(analyte: str, domain: str, unit: str, lloq: float | None) -> dict[str, Any]:
    return {
        "analyte": analyte, "domain": domain, "label": both(f"{analyte} label"),
        "platform": both("platform"), "matrix": both("blood"), "unit": unit, "lod": None,
        "lloq": lloq, "uloq": None, "accuracy": "", "precision": "", "input_amount": "",
        "stability": "", "laboratory": "=cmd()", "version": "1", "validation": "",
        "test_codes": [analyte],
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
            "product": {
                "product_class": "car_t",
                "gene_modified": True,
                "first_of_kind": False,
            },
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
        "special_considerations": SpecialConsiderationsSettings().model_dump(mode="json"),
        "comparability": comparability_settings().model_dump(mode="json"),
        "pharmacodynamics": PharmacodynamicsSettings().model_dump(mode="json"),
        "study_data": {
            "safety": SafetySettings().model_dump(mode="json"),
            "dosing": DosingSettings().model_dump(mode="json"),
            "efficacy": EfficacySettings().model_dump(mode="json"),
        },
    }


@pytest.fixture(scope="session")
def stage_results() -> dict[str, pd.DataFrame]:
    return {
        "study_data": study_data_results(),
        "dose_exploration": pd.concat([dose_results(), make_precision_results()]),
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
        "exposure_response": pd.concat(
            [exposure_response_results(), make_survival_results("PFS", "BCREC")[0]],
            ignore_index=True,
        ),
        "immunogenicity": immunogenicity_results(),
        "special_considerations": special_results(),
        "comparability": comparability_results(),
    }


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

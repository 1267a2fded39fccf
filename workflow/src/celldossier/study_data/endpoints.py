"""The dataset ADTTE as a whole: which endpoints a study has, from which datasets."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.study import ProductClass
from celldossier.settings.study_data import StudyDataSettings
from celldossier.settings.time_to_event import EndpointCode, TimeToEventSettings
from celldossier.study_data.assessment_schedule import plan_assessments
from celldossier.study_data.domain import Domain
from celldossier.study_data.efficacy_checks import check_missed_assessments, check_recovery
from celldossier.study_data.marker_endpoints import derive_persistence, derive_recovery
from celldossier.study_data.stops import find_stops
from celldossier.study_data.time_to_event import derive_survival, finish_adtte
from celldossier.study_data.timeline import make_timeline

STEM_CELLS = (ProductClass.STEM, ProductClass.MESENCHYMAL, ProductClass.PLURIPOTENT_DERIVED)
DISEASE = ("OS", "PFS", "EFS", "DOR", "TTR", "TTNT")
"""Endpoints that only a disease has which can progress."""


def find_persistence_analyte(tte: TimeToEventSettings, bioanalysis: BioanalysisSettings) -> str:
    """Analyte whose loss is the end of persistence: the declared one, else the first of CK."""
    first = (assay.analyte for assay in bioanalysis.assays if assay.domain == "CK")
    return tte.persistence_analyte or next(first, "")


def list_endpoints(
    tte: TimeToEventSettings, product_class: ProductClass, bioanalysis: BioanalysisSettings
) -> tuple[str, ...]:
    """Endpoints that apply to a study: those it names, or those of its class of product.

    Recoveries apply where they have a rule.
    """
    chosen: tuple[EndpointCode, ...] | None = tte.endpoints
    names: tuple[str, ...] = chosen or ()
    if chosen is None:
        analyte = find_persistence_analyte(tte, bioanalysis)
        own = [a.analyte for a in bioanalysis.assays if a.background == "endogenous"]
        disease = () if product_class in STEM_CELLS else DISEASE
        persistence = () if product_class in STEM_CELLS and analyte in own else ("PERSIST",)
        names = (*disease, *persistence)
    return (*names, *tte.recoveries)


def derive_adtte(
    mapped: Mapping[str, Domain],
    datasets: Mapping[str, pd.DataFrame],
    adsl: pd.DataFrame,
    deaths: pd.DataFrame,
    last_alive: pd.DataFrame,
    settings: StudyDataSettings,
    bioanalysis: BioanalysisSettings,
    product_class: ProductClass,
) -> pd.DataFrame:
    """Dataset ADTTE: one record an infused subject and endpoint.

    An endpoint is derived where it applies (`list_endpoints`) and its domains were
    collected. A subject without a value for it has a record with the reason.

    Parameters
    ----------
    datasets
        ADEX, ADPC, ADPD, ADRS, ADDS, ADCM.
    adsl
        Dataset ADSL, for indication and baseline.
    deaths, last_alive
        From `celldossier.study_data.disposition`.
    """
    tte = settings.efficacy.time_to_event
    adrs, adpc, adpd = datasets["ADRS"], datasets["ADPC"], datasets["ADPD"]
    stops = find_stops(datasets["ADEX"], datasets["ADCM"], settings.efficacy)
    timeline = make_timeline(datasets["ADEX"], adrs, stops, datasets["ADDS"], deaths, last_alive)
    subject = adsl.set_index("USUBJID")
    assessed = timeline.loc[timeline["KIND"] == "BASELINE", "USUBJID"]
    baseline = subject["TBURDBL"].notna() | subject.index.isin(assessed)
    planned = plan_assessments(adrs, subject[["STUDYID", "COHORT", "INDIC"]], tte)
    collected = {name: domain.collected and domain.usable for name, domain in mapped.items()}
    endpoints = list_endpoints(tte, product_class, bioanalysis)
    if collected["RS"] and {"PFS", "EFS", "DOR"} & set(endpoints):
        check_missed_assessments(mapped["RS"], timeline, planned, tte)
    undated = deaths.loc[deaths["DAY"].isna(), "USUBJID"].tolist()
    survival = derive_survival(timeline, undated, collected, planned, baseline, settings.efficacy)
    parts = [survival[survival["PARAMCD"].isin(endpoints)]]
    analyte = find_persistence_analyte(tte, bioanalysis)
    if "PERSIST" in endpoints and (adpc["PARAMCD"] == analyte).any():
        parts.append(derive_persistence(adpc, analyte, timeline))
    for code, rule in tte.recoveries.items():
        units = set(adpd.loc[adpd["PARAMCD"] == rule.analyte, "AVALU"])
        if units == {rule.unit}:
            recovery = derive_recovery(code, rule, adpd, timeline)
            parts.append(recovery)
            if code != "BCAPL":
                check_recovery(mapped["LB"], adpd, rule, recovery)
        elif collected["LB"]:
            mapped["LB"].report_file(
                "RECOVERYUNIT",
                value=rule.analyte,
                endpoint=code,
                unit=rule.unit,
                found=", ".join(sorted(units)) or "-",
            )
    return finish_adtte(parts, tte)

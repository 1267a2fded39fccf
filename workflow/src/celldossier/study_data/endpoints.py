"""The dataset ADTTE as a whole: which endpoints a study has, from which datasets."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.efficacy_checks import check_missed_assessments, check_recovery
from celldossier.study_data.marker_endpoints import derive_persistence, derive_recovery
from celldossier.study_data.response import find_stops
from celldossier.study_data.time_to_event import derive_survival, finish_adtte, plan_assessments
from celldossier.study_data.timeline import make_timeline


def derive_adtte(
    mapped: Mapping[str, Domain],
    datasets: Mapping[str, pd.DataFrame],
    adsl: pd.DataFrame,
    deaths: pd.DataFrame,
    last_alive: pd.DataFrame,
    settings: StudyDataSettings,
    bioanalysis: BioanalysisSettings,
) -> pd.DataFrame:
    """Dataset ADTTE: one record an infused subject and endpoint.

    An endpoint is derived where its domains were collected and, for a recovery, where
    its rule is set. A subject without a value for it has a record with the reason.

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
    stops = find_stops(datasets["ADCM"], settings.efficacy)
    timeline = make_timeline(datasets["ADEX"], adrs, stops, datasets["ADDS"], deaths, last_alive)
    subject = adsl.set_index("USUBJID")
    assessed = timeline.loc[timeline["KIND"] == "BASELINE", "USUBJID"]
    baseline = subject["TBURDBL"].notna() | subject.index.isin(assessed)
    planned = plan_assessments(adrs, subject["INDIC"], tte)
    collected = {name: domain.collected and domain.usable for name, domain in mapped.items()}
    if collected["RS"]:
        check_missed_assessments(mapped["RS"], timeline, planned, tte)
    undated = deaths.loc[deaths["DAY"].isna(), "USUBJID"].tolist()
    parts = [derive_survival(timeline, undated, collected, planned, baseline, settings.efficacy)]
    analyte = tte.persistence_analyte or next(
        (assay.analyte for assay in bioanalysis.assays if assay.domain == "CK"), ""
    )
    if (adpc["PARAMCD"] == analyte).any():
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

"""Pharmacodynamic markers from laboratory, scores, images and tissue: the dataset ADPD."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_times import derive_relative_times
from celldossier.study_data.results import read_results
from celldossier.study_data.samples import add_baseline, check_duplicates, flag, time_samples
from celldossier.study_data.specimens import check_changes, check_conditions
from celldossier.study_data.subjects import Subjects

SERIES = ["USUBJID", "PARAMCD", "ASPEC", "ALOC"]
"""What makes a course over time with a baseline of its own."""


def derive_adpd(
    domains: Sequence[Domain],
    subjects: Subjects,
    assays: Sequence[Assay],
    settings: StudyDataSettings,
) -> pd.DataFrame:
    """Dataset ADPD: markers with baseline and change, from all domains that hold such.

    The baseline is the last result at or before the first infusion of a subject,
    marker, specimen and location; the change of results up to it is not given.

    Parameters
    ----------
    domains
        LB, QS, MO and MI.
    assays
        Assays of the domain PD.
    """
    parts = [_derive_markers(domain, subjects, assays, settings) for domain in domains]
    frame = pd.concat(parts, ignore_index=True)
    frame = add_baseline(frame, SERIES)
    return frame.assign(PCHG=100 * frame["CHG"] / frame["BASE"].where(frame["BASE"] != 0))


def _derive_markers(
    domain: Domain, subjects: Subjects, assays: Sequence[Assay], settings: StudyDataSettings
) -> pd.DataFrame:
    """Records of one domain, without baseline."""
    prefix = domain.name
    results = read_results(domain, assays, settings)
    conditions = check_conditions(domain, settings)
    times = time_samples(domain, subjects)
    specimen, place = domain.text(f"{prefix}SPEC"), domain.text(f"{prefix}LOC")
    analyte = results["analyte"]
    check_duplicates(domain, times, [analyte, specimen, place], analyte, settings.duplicate_samples)
    check_changes(domain, analyte, results["lloq"])
    name = domain.text(f"{prefix}TEST")
    frame = pd.DataFrame(
        {
            "USUBJID": domain.subject,
            "PARAMCD": analyte,
            "PARAM": name.where(name != "", analyte),
            "ASPEC": specimen,
            "ALOC": place,
            **conditions,
            "AVAL": results["value"],
            "AVALC": domain.text(f"{prefix}ORRES"),
            "AVALU": results["unit"],
            "BLQFL": flag(results["blq"]),
            "ALQFL": flag(results["alq"]),
            "ALLOQ": results["lloq"],
            "AULOQ": results["uloq"],
            "ANRHI": domain.number(f"{prefix}ORNRHI") * results["factor"] + results["shift"],
            "AMETHOD": domain.text(f"{prefix}METHOD"),
            "ASSAYV": domain.text(f"{prefix}ASSAYV"),
            "REFID": domain.text(f"{prefix}REFID"),
            "RUNID": domain.text(f"{prefix}RUNID"),
            "ALABNAM": domain.text(f"{prefix}NAM"),
            "AVISIT": domain.text("VISIT"),
            "ADTM": domain.dates[f"{prefix}DTC"].text,
            **derive_relative_times(domain, times, subjects),
            **domain.trace,
        }
    )
    return frame[domain.active].reset_index(drop=True)

"""Concomitant medicines against exposure, by their timing relative to the peak (clause S8.2-1).

A medicine that began at or after the peak cannot have changed the peak. One that began before
it may have; but it was given for a reason, and a subject whose peak is late had longer to be
given it. Each ratio carries the note ``CONFOUND``.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.special_considerations.groups import add_group_exposure
from celldossier.special_considerations.study import COURSE, KEY, Study
from celldossier.terms.study_terms import NEW_THERAPY

ONCE = "ONCE"
"""Frequency of a medicine that was given on one day and has no end."""

BEFORE, AFTER, NEVER, UNKNOWN = "BEFORE", "AFTER", "NEVER", "UNKNOWN"

OTHER_SECTIONS = (NEW_THERAPY, "LYMPHODEPLETION")
"""Classes that are not concomitant: they end the observation, or prepare it."""


def list_classes(study: Study) -> list[str]:
    """Classes and names of medicines that are looked at: the configured, else all classes."""
    if study.settings.concomitant:
        return list(study.settings.concomitant)
    found = set(study.sources.adcm["CMCLASS"]) - {"", *OTHER_SECTIONS}
    return sorted(found)


def read_peak_days(study: Study) -> pd.Series:
    """Day of the peak of each subject (TMAX of the whole course), d; NaN where there is none."""
    adpp = study.sources.adpp
    rows = adpp.loc[
        (adpp["PARCAT1"] == study.analyte)
        & (adpp["PROFTYP"] == COURSE)
        & (adpp["PARAMCD"] == "TMAX")
    ]
    places = pd.MultiIndex.from_frame(study.subjects[KEY])
    return pd.Series(rows.set_index(KEY)["AVAL"].reindex(places).to_numpy(dtype=float))


def read_first_days(
    adcm: pd.DataFrame, subjects: pd.DataFrame, name: str, before: float, until: float
) -> pd.DataFrame:
    """First day of a medicine whose course reaches into the window, a row a subject.

    Parameters
    ----------
    adcm
        Medicines; days from the first infusion.
    name
        Class or standardised name.
    before, until
        The course ended no earlier than `before` days before the infusion (one without an end
        goes on, unless it was given once), and began no later than day `until`.

    Returns
    -------
    DataFrame
        ``FIRST`` (d; NaN where not given, or where the day is not known) and ``GIVEN``, in the
        rows of `subjects`.
    """
    named = (adcm["CMCLASS"] == name) | (adcm["CMDECOD"].str.upper() == name.upper())
    once = adcm["CMDOSFRQ"].str.upper() == ONCE
    end = adcm["AENDY"].fillna(adcm["ASTDY"].where(once))
    rows = adcm.loc[named & ~(end < -before) & ~(adcm["ASTDY"] > until)]
    places = pd.MultiIndex.from_frame(subjects[KEY])
    # A record without a day may be the first: then the first day is not known.
    first = rows.groupby(KEY)["ASTDY"].agg(lambda days: np.min(days.to_numpy(dtype=float)))
    return pd.DataFrame(
        {
            "FIRST": first.reindex(places).to_numpy(dtype=float),
            "GIVEN": places.isin(pd.MultiIndex.from_frame(rows[KEY])),
        }
    )


def classify_timing(first: pd.Series, given: pd.Series, peak: pd.Series) -> pd.Series:
    """Timing of a medicine relative to the peak: BEFORE, AFTER (or at it), NEVER, UNKNOWN.

    UNKNOWN: given, and its first day or the day of the peak is not known.
    """
    timing = np.select(
        [~given, first.isna() | peak.isna(), first < peak], [NEVER, UNKNOWN, BEFORE], AFTER
    )
    return pd.Series(timing, index=first.index, dtype=object)


def summarise_concomitant_medicines(study: Study, out: ResultCollector) -> None:
    """Add `cm_timing` and `cm_exposure` for each class; `cm_count` says how many there are."""
    adcm, settings = study.sources.adcm, study.settings
    classes = list_classes(study) if len(adcm) else []
    out.add(
        "cm_count",
        {"n_classes": float(len(classes)) if len(adcm) else math.nan},
        dataset="ADCM",
        variable="CMCLASS",
        notes={} if len(adcm) else {"n_classes": "NOTCOLL"},
    )
    peak, kinetics = read_peak_days(study), study.subjects["PKFL"] == "Y"
    window = f"{settings.concomitant_before:g} d before the infusion to day"
    where = f"PKFL = Y; {window} {settings.concomitant_until:g}"
    for name in classes:
        days = read_first_days(
            adcm, study.subjects, name, settings.concomitant_before, settings.concomitant_until
        )
        timing = classify_timing(days["FIRST"], days["GIVEN"], peak)
        masks = {level: (timing == level) & kinetics for level in (BEFORE, AFTER, NEVER, UNKNOWN)}
        distance = (days["FIRST"] - peak)[(masks[BEFORE] | masks[AFTER])]
        statistics = {f"n_{level.lower()}": float(mask.sum()) for level, mask in masks.items()}
        statistics |= {
            "n": float(len(distance)),
            "median": float(distance.median()) if len(distance) else math.nan,
            "min": float(distance.min()) if len(distance) else math.nan,
            "max": float(distance.max()) if len(distance) else math.nan,
        }
        out.add(
            "cm_timing",
            statistics,
            dataset="ADCM",
            variable="ASTDY",
            analyte=study.analyte,
            by={"medication": name},
            where=where,
            units=dict.fromkeys(("median", "min", "max"), "d"),
            n=float(kinetics.sum()),
            notes=explain_missing(statistics, "NOGROUP"),
        )
        add_group_exposure(
            study,
            out,
            "cm_exposure",
            {level: masks[level] for level in (BEFORE, AFTER, NEVER)},
            NEVER,
            key="timing",
            by={"medication": name},
            where=where,
            note="CONFOUND",
        )

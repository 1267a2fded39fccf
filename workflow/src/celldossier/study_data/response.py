"""Disease response: checks of RS and the dataset ADRS."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.results import check_not_done
from celldossier.study_data.samples import check_duplicates, time_samples
from celldossier.study_data.subjects import Subjects

NEW_THERAPY = "NEW_THERAPY"
"""Medication class (`medication_classes`) of a treatment of the disease after the product."""


def derive_adrs(
    rs: Domain, subjects: Subjects, adcm: pd.DataFrame, settings: StudyDataSettings
) -> pd.DataFrame:
    """Dataset ADRS: each overall response (OVR), and the best of a subject (BOR).

    The best response is the first in `response_order` among the assessments after
    the first infusion and not after the start of a new therapy (`adcm`, class
    NEW_THERAPY), whose effect it would show; the earliest record that has it is its
    source. A subject whose assessments all say nothing has such a category as best response, with a
    blank responder flag; a subject without assessment has no record.
    """
    test = rs.frame["RSTESTCD"]
    rs.exclude(~test.isin(settings.efficacy.response_tests), "OTHERTEST", test)
    check_not_done(rs, settings)
    category = rs.frame["RSSTRESC"]
    order = [*settings.efficacy.response_order, *settings.efficacy.unknown_response_categories]
    unknown = rs.active & ~category.isin(order)
    rs.report("RESPONSEUNKNOWN", unknown, "RSSTRESC")
    rs.exclude(unknown, "BADRESULT", category)
    times = time_samples(rs, subjects)
    check_duplicates(rs, times, [test, rs.frame["RSCAT"]], test, settings.duplicate_samples)
    frame = pd.DataFrame(
        {
            "USUBJID": rs.subject,
            "PARAMCD": "OVR",
            "RSCAT": rs.frame["RSCAT"],
            "AVALC": category,
            "RESPFL": flag_response(category, settings),
            "AVISIT": rs.frame["VISIT"],
            "ADTM": rs.dates["RSDTC"].text,
            "AFRLT": times["actual"],
            "NFRLT": times["nominal"],
            **rs.trace,
        }
    )
    frame = frame[rs.active].reset_index(drop=True)
    rank = frame["AVALC"].map({name: place for place, name in enumerate(order)})
    new = adcm[(adcm["CMCLASS"] == NEW_THERAPY) & (adcm["ASTDY"] > 0)]
    until = frame["USUBJID"].map(new.groupby("USUBJID")["ASTDY"].min()).astype("float64")
    counts = (frame["AFRLT"] > 0) & ~(frame["AFRLT"] > until)
    after = frame.assign(RANK=rank.astype("float64"))[counts]
    best = after.sort_values(["USUBJID", "RANK", "AFRLT", "SRCROW"], kind="stable")
    best = best.drop_duplicates("USUBJID").drop(columns="RANK").assign(PARAMCD="BOR")
    return pd.concat([frame, best], ignore_index=True)


def flag_response(category: pd.Series, settings: StudyDataSettings) -> pd.Series:
    """Y for a responder category, blank for one that says nothing, N for the others."""
    flags = pd.Series("N", index=category.index, dtype=object)
    flags = flags.mask(category.isin(settings.efficacy.responder_categories), "Y")
    return flags.mask(category.isin(settings.efficacy.unknown_response_categories), "")

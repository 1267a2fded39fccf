"""Immunogenicity: the dataset ADAB."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_times import derive_relative_times
from celldossier.study_data.parsing import parse_numbers
from celldossier.study_data.results import check_not_done, check_test_codes
from celldossier.study_data.samples import (
    TIERS_OF_STATUS,
    check_duplicates,
    flag,
    flag_baseline,
    time_samples,
)
from celldossier.study_data.subjects import Subjects


def derive_adab(
    samples: Domain, subjects: Subjects, assays: Sequence[Assay], settings: StudyDataSettings
) -> pd.DataFrame:
    """Dataset ADAB: antibody results by target and tier, as observed."""
    check_test_codes(samples, assays)
    check_not_done(samples, settings)
    raw = samples.frame["ISORRES"]
    tier = samples.frame["ISCAT"]
    # A titre is also written 1:160.
    number = parse_numbers(raw.str.replace(r"^1\s*:\s*", "", regex=True))
    word = raw.str.upper()
    is_word = word.isin(["POSITIVE", "NEGATIVE"])
    titre = (number > 0) & (tier == "TITER")
    # Without tiers a titre stands in the place of POSITIVE: only positive samples have one.
    positive_titre = (number > 0) & (tier == "RESULT")
    status = is_word & tier.isin(TIERS_OF_STATUS)
    unread = samples.active & ~(titre | positive_titre | status)
    test = samples.frame["ISTESTCD"]
    samples.report("RESULTUNMAPPED", unread, "ISORRES", test=test, canonical="ISORRES")
    samples.exclude(unread, "BADRESULT", raw)
    times = time_samples(samples, subjects)
    target = samples.frame["ISBDAGNT"]
    check_duplicates(samples, times, [test, target, tier], test, settings.duplicate_samples)
    result = word.mask(titre, "TITER").mask(positive_titre, "POSITIVE")
    frame = pd.DataFrame(
        {
            "USUBJID": samples.subject,
            "PARAMCD": test,
            "PARAM": samples.frame["ISTEST"].where(samples.frame["ISTEST"] != "", test),
            "ISBDAGNT": target,
            "ISCAT": tier,
            "AVAL": number.where(titre | positive_titre),
            "AVALC": result,
            "AVALU": samples.frame["ISORRESU"],
            "AVISIT": samples.frame["VISIT"],
            "ADTM": samples.dates["ISDTC"].text,
            **derive_relative_times(samples, times, subjects),
            **samples.trace,
        }
    )
    frame = frame[samples.active].reset_index(drop=True)
    keys = ["USUBJID", "PARAMCD", "ISBDAGNT", "ISCAT"]
    frame = frame.assign(ABLFL=flag(flag_baseline(frame, keys)))
    _check_antibody_baseline(samples, frame)
    return frame


def _check_antibody_baseline(samples: Domain, adab: pd.DataFrame) -> None:
    tested = adab[adab["ISCAT"].isin(TIERS_OF_STATUS)]
    earliest = tested.groupby(["USUBJID", "ISBDAGNT"])["AFRLT"].min()
    for subject, target in sorted(earliest.index[earliest > 0]):
        samples.report_file("ADABASELINE", subject=subject, target=target or "-")

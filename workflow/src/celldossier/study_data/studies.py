"""Studies that are pooled: which study a subject belongs to, and whether its records agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from celldossier.study_data.domain import Domain


def check_studies(domains: Mapping[str, Domain], trials: Collection[str], study_id: str) -> None:
    """Check STUDYID of every domain against DM, and that of DM against the declared trials.

    A subject whom two studies claim is an error, as is a record that names another study
    than its subject's: nobody can tell which of the two is wrong. A record that names
    none is of its subject's study.

    Parameters
    ----------
    trials
        Identifiers under ``study.trials``.
    study_id
        Study of a subject for whom DM names none.
    """
    dm = domains["DM"]
    own = dm.frame["STUDYID"].mask(dm.frame["STUDYID"] == "", study_id)
    _check_claims(dm, own)
    used = dm.active
    studies = dict(zip(dm.subject[used], own[used], strict=True))
    for domain in domains.values():
        given = domain.frame["STUDYID"]
        _check_declared(domain, given, {*trials, study_id})
        if domain is not dm:
            of_subject = domain.subject.map(studies)
            wrong = domain.active & (given != "") & of_subject.notna() & (given != of_subject)
            domain.report("STUDYDIFFERS", wrong, "STUDYID", study=of_subject.fillna(""))
            domain.exclude(wrong, "STUDYDIFF", given)


def _check_claims(dm: Domain, study: pd.Series) -> None:
    first = study.where(dm.active).groupby(dm.subject).transform("first")
    claimed = dm.active & (study != first)
    dm.report("SUBJECTTWOSTUDIES", claimed, "USUBJID", study=study, other=first.fillna(""))
    dm.exclude(claimed, "SUBJDUP", dm.subject)


def _check_declared(domain: Domain, given: pd.Series, declared: Collection[str]) -> None:
    other = domain.active & (given != "") & ~given.isin(list(declared))
    count = given.where(other).groupby(given).transform("count")
    first = other & ~given.where(other).duplicated()
    domain.report("STUDYUNDECLARED", first, "STUDYID", count=count)

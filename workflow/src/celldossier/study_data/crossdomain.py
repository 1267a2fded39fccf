"""Checks across domains and over whole domains: subjects, times, tests, what the product asks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain

if TYPE_CHECKING:
    from celldossier.study_data.subjects import Subjects

SAME_VISIT = 3.0  # days by which samples that belong together may be taken in another order


def check_across(
    mapped: Mapping[str, Domain],
    subjects: Subjects,
    datasets: Mapping[str, pd.DataFrame],
    settings: StudyDataSettings,
    cutoff: pd.Timestamp,
) -> None:
    """Check what no domain shows by itself.

    Parameters
    ----------
    datasets
        Analysis datasets of the domains, with actual and nominal days.
    """
    dm = mapped["DM"]
    if not (dm.usable and mapped["EX"].usable):
        return
    check_look_alikes(mapped)
    _check_sites(dm)
    _check_consents_at_cutoff(dm, cutoff)
    _check_unexplained(mapped, subjects)
    for name, dataset in (("PC", "ADPC"), ("LB", "ADPD"), ("IS", "ADAB")):
        frame = datasets[dataset]
        # A record may have further rows, of analytes that are computed from it.
        frame = frame[frame["SRCDOM"] == name].drop_duplicates(["SRCFILE", "SRCROW"])
        _check_visit_order(mapped[name], frame)
        _check_contradictions(mapped[name], frame, settings)
    _check_visit_dates(mapped["PC"], datasets["ADPC"], datasets["ADPD"], settings)


def simplify(identifier: str) -> str:
    """An identifier without what people get wrong: width, case, separators, leading zeros.

    >>> simplify("Ｓ１_007") == simplify("s1-07")
    True
    """
    text = unicodedata.normalize("NFKC", identifier).casefold()
    text = re.sub(r"[\W_]+", "-", text).strip("-")
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)


def check_look_alikes(mapped: Mapping[str, Domain]) -> None:
    """Find identifiers that differ from one of DM by their spelling only."""
    dm = mapped["DM"]
    known: dict[str, str] = {}
    for subject in dm.subject[dm.active].unique():
        known.setdefault(simplify(subject), subject)
    exact = set(dm.subject)
    for domain in mapped.values():
        if not domain.usable:
            continue
        first = ~domain.subject.duplicated()
        own = domain.subject[first & (domain.subject != "")]
        if domain.name == "DM":
            like = own.map(lambda subject: known.get(simplify(subject), subject))
        else:
            like = own[~own.isin(exact)].map(lambda subject: known.get(simplify(subject), ""))
        like = like.reindex(domain.frame.index, fill_value="")
        rows = (like != "") & (like != domain.subject)
        domain.report("SUBJECTLOOKALIKE", rows, "USUBJID", like=like)


def _check_sites(dm: Domain) -> None:
    """Find sites that lie in several countries; one finding a site."""
    site, country = dm.frame["SITEID"], dm.frame["COUNTRY"]
    given = dm.active & (site != "") & (country != "")
    for name, countries in country[given].groupby(site[given]):
        if countries.nunique() > 1:
            counts = countries.value_counts().sort_index()
            text = ", ".join(f"{code} ({count})" for code, count in counts.items())
            column = dm.raw_columns["COUNTRY"]
            dm.report_file("SITECOUNTRY", column=column, value=text, site=str(name))


def _check_consents_at_cutoff(dm: Domain, cutoff: pd.Timestamp) -> None:
    late = dm.dates["RFICDTC"].time > cutoff + pd.Timedelta(days=1)
    late &= dm.reason.isin(("", "AFTERCUTOFF"))
    if late.any():
        last = dm.dates["RFICDTC"].time[late].max().date().isoformat()
        dm.report_file(
            "CUTOFFCONSENT",
            column=dm.raw_columns["RFICDTC"],
            value=last,
            count=str(int(late.sum())),
            cutoff=cutoff.date().isoformat(),
        )


def _check_unexplained(mapped: Mapping[str, Domain], subjects: Subjects) -> None:
    """Find subjects without infusion, without a reason for it and without any record."""
    dm = mapped["DM"]
    seen = pd.concat([domain.subject for name, domain in mapped.items() if name != "DM"])
    alone = dm.active & ~dm.subject.isin(set(seen)) & (dm.frame["NOINFRSN"] == "")
    dm.report("SUBJECTNORECORD", alone, "USUBJID")


def _report_rows(
    domain: Domain, rule_id: str, rows: pd.DataFrame, variable: str, **fields: list[str]
) -> None:
    """One finding a row of an analysis dataset, at the row's own record."""
    if rows.empty:
        return
    cells = {
        "file": rows["SRCFILE"].tolist(),
        "row": [int(row) for row in rows["SRCROW"]],
        "column": [domain.raw_columns.get(variable, variable)] * len(rows),
        "subject": rows["USUBJID"].tolist(),
        "value": rows["ADTM"].tolist(),
    }
    domain.findings.add_many(rule_id, domain.name, cells, fields)


def _days(values: Iterable[float]) -> list[str]:
    return [f"{value:.4g}" for value in values]


def _check_visit_order(domain: Domain, frame: pd.DataFrame) -> None:
    """Find samples of a dose taken days before one that was planned earlier after that dose."""
    timed = frame[frame["NFRLT"].notna() & frame["AFRLT"].notna() & (frame["NFRLT"] >= 0)]
    if timed.empty:
        return
    # A dose that was delayed moves its own samples only.
    timed = timed.assign(DOSENO=timed["DOSENO"].fillna(0.0))
    timed = timed.sort_values(["USUBJID", "DOSENO", "NFRLT", "AFRLT", "SRCROW"], kind="stable")
    # The latest day among all samples of the dose that were planned for an earlier time.
    keys = ["USUBJID", "DOSENO"]
    visits = timed.groupby([*keys, "NFRLT"], sort=False)["AFRLT"].max()
    latest = visits.groupby(level=keys).cummax().groupby(level=keys).shift()
    places = pd.MultiIndex.from_frame(timed[[*keys, "NFRLT"]])
    earlier = pd.Series(latest.reindex(places).to_numpy(), index=timed.index)
    rows = timed["AFRLT"] < earlier - SAME_VISIT
    wrong = timed[rows]
    _report_rows(
        *(domain, "VISITORDER", wrong, f"{domain.name}DTC"),
        nominal=_days(wrong["NFRLT"]),
        actual=_days(wrong["AFRLT"]),
        latest=_days(earlier[rows]),
    )


def _check_contradictions(domain: Domain, frame: pd.DataFrame, settings: StudyDataSettings) -> None:
    """Find actual times so far from the nominal one that one of them must be wrong."""
    apart = (frame["AFRLT"] - frame["NFRLT"]).abs()
    days, share = settings.nominal_contradiction
    # Screening is planned as a span: before the infusion only the fixed limit of days counts.
    limit = np.maximum(days, share * frame["NFRLT"].abs())
    wrong = frame[(apart > limit) & (frame["NFRLT"] >= 0)]
    _report_rows(
        *(domain, "TIMECONTRADICTS", wrong, f"{domain.name}DTC"),
        nominal=_days(wrong["NFRLT"]),
        actual=_days(wrong["AFRLT"]),
    )


def _check_visit_dates(
    pc: Domain, adpc: pd.DataFrame, adpd: pd.DataFrame, settings: StudyDataSettings
) -> None:
    """Find concentrations whose visit has laboratory samples, all of them on other days."""
    keys = ["USUBJID", "AVISIT"]
    named = adpc.drop_duplicates(["SRCFILE", "SRCROW"])
    named = named[(named["AVISIT"] != "") & named["AFRLT"].notna()]
    laboratory = adpd[(adpd["AVISIT"] != "") & adpd["AFRLT"].notna() & (adpd["SRCDOM"] == "LB")]
    if named.empty or laboratory.empty:
        return
    spans = laboratory.groupby(keys)["AFRLT"].agg(["min", "max"])
    both = named.join(spans, on=keys)
    after = both["AFRLT"] - both["max"]
    before = both["min"] - both["AFRLT"]
    apart = np.maximum(after, before)
    rows = both[apart > settings.nominal_contradiction[0]]
    _report_rows(
        *(pc, "VISITDATESDIFFER", rows, "PCDTC"),
        visit=rows["AVISIT"].tolist(),
        apart=_days(apart[rows.index]),
    )

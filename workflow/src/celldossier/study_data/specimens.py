"""Specimens and assays of the sampled domains: condition, limits and methods that change."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number

SHOWN = 5
"""Values of a change that a message names."""

WITHIN_SUBJECT = ("PC", "IS")
"""Domains in which a change within a subject bears on its analysis, and is found by subject."""


def check_conditions(domain: Domain, settings: StudyDataSettings) -> pd.DataFrame:
    """Flag specimens whose condition was recorded as not acceptable, or exclude them.

    Returns
    -------
    DataFrame
        ``SPCCND``: the condition as recorded; ``CONDFL``: Y where it is not acceptable, N
        elsewhere, blank where the domain records no condition. Aligned with the records.
    """
    variable = f"{domain.name}SPCCND"
    condition = domain.text(variable)
    accepted = {"", *(text.casefold() for text in settings.acceptable_conditions)}
    flagged = ~condition.str.casefold().isin(accepted)
    for text in sorted(condition[domain.active & flagged].unique()):
        count = int((domain.active & (condition == text)).sum())
        domain.report_file(
            "SPECIMENFLAGGED",
            column=domain.raw_columns[variable],
            value=text,
            count=str(count),
            use=settings.flagged_specimens,
        )
    if settings.flagged_specimens == "exclude":
        domain.exclude(flagged, "SPECCOND", condition)
    flags = pd.Series(np.where(flagged, "Y", "N"), index=condition.index, dtype=object)
    return pd.DataFrame(
        {"SPCCND": condition, "CONDFL": flags if variable in domain.given else ""},
        index=condition.index,
    )


def describe_method(domain: Domain) -> pd.Series:
    """Method, assay version and laboratory of each record in one text."""
    parts = [domain.text(f"{domain.name}{name}") for name in ("METHOD", "ASSAYV", "NAM")]
    table = pd.concat(parts, axis=1)
    names = {
        key: " / ".join(part for part in key if part)
        for key in table.drop_duplicates().itertuples(index=False, name=None)
    }
    keys = table.itertuples(index=False, name=None)
    return pd.Series([names[key] for key in keys], index=table.index, dtype=object)


def check_changes(domain: Domain, analyte: pd.Series, lloq: pd.Series | None = None) -> None:
    """Find lower limits and methods of an analyte that change within the study or a subject.

    Each finding names the values in the order of their first sample, with its date.

    Parameters
    ----------
    lloq
        Limit of each record in the unit of the assay.
    """
    changing = [("ASSAYCHANGE", describe_method(domain))]
    if lloq is not None:
        changing.append(("LLOQCHANGE", lloq.map(format_number).where(lloq.notna(), "")))
    dates = domain.dates[f"{domain.name}DTC"]
    for rule, value in changing:
        frame = pd.DataFrame(
            {
                "subject": domain.subject,
                "analyte": analyte,
                # An archived extract that a new assay measures again is no change of method.
                "specimen": domain.text(f"{domain.name}SPEC"),
                "value": value,
                "day": dates.time.dt.floor("D"),
            }
        )[domain.active & (value != "") & dates.known]
        _report_changes(domain, rule, frame, ["analyte"])
        if domain.name in WITHIN_SUBJECT:
            _report_changes(domain, f"{rule}SUBJECT", frame, ["analyte", "subject", "specimen"])


def _report_changes(domain: Domain, rule: str, frame: pd.DataFrame, keys: list[str]) -> None:
    if frame["value"].nunique() < 2:
        return
    first = frame.groupby([*keys, "value"], sort=True)["day"].min().reset_index()
    several = first.groupby(keys)["value"].transform("size") > 1
    for key, group in first[several].groupby(keys, sort=True):
        ordered = group.sort_values(["day", "value"], kind="stable")
        texts = [
            f"{value} ({day.date().isoformat()})"
            for value, day in zip(ordered["value"], ordered["day"], strict=True)
        ]
        listed = "; ".join(texts[:SHOWN]) + ("; ..." if len(texts) > SHOWN else "")
        names = dict(zip(keys, key, strict=True))
        domain.report_file(
            rule,
            subject=str(names.get("subject", "")),
            test=str(names["analyte"]),
            count=str(len(texts)),
            changes=listed,
        )

"""Scales of the grades of CRS and ICANS: names, and which of them analyses use.

Grades of two scales are never pooled: what is grade 2 in one is grade 3 in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.safety import SafetySettings
from celldossier.study_data.domain import Domain

ASTCT = "ASTCT 2019"
LEGACY = "LEGACYSCALE"


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for name, entry in read_resource("terms", "grading_scales.yaml").items():
        for spelling in (name, *entry["spellings"]):
            names[_fold(spelling)] = name
    return names


def _fold(text: str) -> str:
    return " ".join(text.upper().replace(",", " ").replace("(", " ").replace(")", " ").split())


def name_scales(text: pd.Series) -> pd.Series:
    """Name of the scale that each text means; "" where it is blank or not known."""
    known = _spellings()
    names = {spelling: known.get(_fold(spelling), "") for spelling in text.unique()}
    return text.map(names).astype(object)


def choose_scale(settings: SafetySettings) -> str:
    """The scale of CRS and ICANS that analyses use."""
    return settings.grading_scale or ASTCT


def is_used(scale: pd.Series, text: pd.Series, settings: SafetySettings) -> pd.Series:
    """Whether a grade is of the scale that analyses use; a blank scale is taken for it."""
    return (scale == choose_scale(settings)) | (text == "")


def check_scales(
    graded: Mapping[str, tuple[Domain, pd.DataFrame]], settings: SafetySettings
) -> None:
    """Find grades without a scale, of an unknown one, of another one, and several in one study.

    Parameters
    ----------
    graded
        By domain (AE, FA): the domain, and its grades of CRS and ICANS that are not
        derived anew from components: ``event``, ``scale``, ``text`` (as collected).
    """
    chosen = choose_scale(settings)
    for domain, rows in graded.values():
        variable = f"{domain.name}SCAT"
        column = domain.raw_columns[variable]
        for event, own in rows.groupby("event", sort=True):
            words = {"event": str(event), "scale": chosen}
            blank = own["text"] == ""
            if blank.any():
                domain.report_file(
                    "SCALEMISSING", column=column, count=str(int(blank.sum())), **words
                )
            for text, some in own[~blank & (own["scale"] == "")].groupby("text", sort=True):
                domain.report_file(
                    "SCALEUNKNOWN",
                    column=column,
                    value=str(text),
                    count=str(len(some)),
                    canonical=variable,
                    **words,
                )
            for scale, some in own[~own["scale"].isin(["", chosen])].groupby("scale", sort=True):
                domain.report_file(
                    "SCALELEGACY", column=column, value=str(scale), count=str(len(some)), **words
                )
    _check_mixture(graded, settings)


def _check_mixture(
    graded: Mapping[str, tuple[Domain, pd.DataFrame]], settings: SafetySettings
) -> None:
    """Several scales are an error, unless the study names the one that counts."""
    if settings.grading_scale or not graded:
        return
    every = pd.concat([rows for _, rows in graded.values()])
    for event, own in every[every["scale"] != ""].groupby("event", sort=True):
        scales = sorted(own["scale"].unique())
        if len(scales) > 1:
            for domain, rows in graded.values():
                mine = rows[(rows["event"] == event) & (rows["scale"] != "")]
                if not mine.empty:
                    column = domain.raw_columns[f"{domain.name}SCAT"]
                    domain.report_file(
                        "SCALEMIXED", column=column, event=str(event), value=", ".join(scales)
                    )
                    break

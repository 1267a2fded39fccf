"""Levels of the grouping variables of each subject: dose, study, indication, process, ..."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from celldossier.settings.kinetics_summaries import KineticsSummaries
from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN

SUBJECT_VARIABLES = {
    "dose": "TRT01A",
    "study": "STUDYID",
    "indication": "INDIC",
    "process": "PROCESS",
    "region": "REGION1",
    "hepatic": "HEPGRP",
    "renal": "RENGRP",
}
"""Variable of ADSL that holds the level of a grouping."""


def derive_subject_levels(
    adsl: pd.DataFrame, adrs: pd.DataFrame, settings: KineticsSummaries | None = None
) -> pd.DataFrame:
    """Levels of the grouping variables of each subject of the kinetics population.

    Parameters
    ----------
    adsl
        Subjects; those with PKFL = Y are taken.
    adrs
        Responses; the best overall response (PARAMCD BOR) says whether a subject
        responded.
    settings
        Ages at which the age bands begin.

    Returns
    -------
    DataFrame
        Index USUBJID; one column a grouping (`GROUPINGS` of the settings). A subject
        whose level is not known has UNKNOWN; where the level of no subject is known
        the whole column is blank: not collected, there is nothing to group.
    """
    settings = settings or KineticsSummaries()
    subjects = adsl[adsl["PKFL"] == "Y"].drop_duplicates("USUBJID").set_index("USUBJID")
    best = adrs[adrs["PARAMCD"] == "BOR"].drop_duplicates("USUBJID").set_index("USUBJID")["RESPFL"]
    columns = {key: subjects[variable] for key, variable in SUBJECT_VARIABLES.items()}
    columns["age"] = age_band(subjects["AGE"], settings.age_bands)
    # A response that was assessed as not evaluable was collected, though not known.
    response = subjects.index.to_series().map(best).map(RESPONSE_GROUPS).fillna("")
    columns["response"] = response if best.empty else response.replace("", UNKNOWN)
    levels = pd.DataFrame({key: values.astype(object) for key, values in columns.items()})
    for key in levels:
        if (levels[key] != "").any():
            levels[key] = levels[key].replace("", UNKNOWN)
    return levels


def age_band(age: pd.Series, bands: tuple[int, ...]) -> pd.Series:
    """Band of each age in years, "" where it is not known.

    >>> age_band(pd.Series([17.9, 18, 70]), (18, 65)).tolist()
    ['<18', '18-64', '>=65']
    """
    names = [f"<{bands[0]}"]
    # A band of one year has one age in its name.
    for start, end in pairwise(bands):
        names.append(f"{start}-{end - 1}" if end - 1 > start else str(start))
    names.append(f">={bands[-1]}")
    years = age.astype("float64").to_numpy()
    place = np.searchsorted(np.asarray(bands, dtype=float), years, side="right")
    found = np.array(names, dtype=object)[place]
    return pd.Series(np.where(np.isnan(years), "", found), index=age.index, dtype=object)

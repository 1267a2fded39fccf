"""Groups before and after a change: of the lots, and of the subjects by the lots they were given.

A group is named as the lots name it (process, site), by the version of the assay, or BEFORE and
AFTER. A subject of no group says why: ``NOLOTKN`` (lot not known), ``MIXLOTS`` (given lots of
several groups), ``MIXASSAY`` (measured by several versions), ``NOLOTGRP`` (nothing tells the group
of its lot), ``NOSAMPKN`` (no sample whose version of the assay is known).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.settings.comparability import AFTER, BEFORE, ComparabilitySettings
from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED

KEY = ["STUDYID", "USUBJID"]
LOT = ["STUDYID", "LOTID"]


def group_lots(adpq: pd.DataFrame, settings: ComparabilitySettings) -> pd.Series:
    """Group of each lot, blank where it is not known, in the rows of `adpq`.

    Notes
    -----
    A date of manufacture may be a month or a year: it is told where all its days lie on one side
    of the change. By ASSAY a lot has no group: any version may measure its subject.
    """
    if settings.by in ("PROCESS", "SITE"):
        return adpq[settings.by].astype(object)
    groups: NDArray[np.object_] = np.full(len(adpq), "", dtype=object)
    if settings.by == "DATE":
        made, change = adpq["MFGDTC"].astype(str).str[:10], str(settings.change_date)
        size, known = made.str.len(), made.str.len() >= 4
        # The first day and the last one that a month or a year can mean.
        first = made + size.map({4: "-01-01", 7: "-01"}).fillna("")
        last = made + size.map({4: "-12-31", 7: "-31"}).fillna("")
        groups = np.select(
            [~known, last < change, first >= change], ["", BEFORE, AFTER], ""
        ).astype(object)
    elif settings.by == "LOTS":
        groups = np.where(adpq["LOTID"].isin(settings.changed_lots), AFTER, BEFORE).astype(object)
    return pd.Series(groups, index=adpq.index, dtype=object)


def group_subjects(
    subjects: pd.DataFrame,
    adex: pd.DataFrame,
    adpq: pd.DataFrame,
    adpc: pd.DataFrame,
    settings: ComparabilitySettings,
    analyte: str,
) -> pd.DataFrame:
    """Group of each subject, or why it has none, in the rows of `subjects`.

    Parameters
    ----------
    subjects
        Infused subjects of ADSL. One whose doses name no lot has its own (ADSL.LOTID); a study
        without a list of lots may still name process and site in ADSL.
    adex, adpq
        Doses with their lots, and the lots. Retreatment is not part of the course.
    adpc
        Concentrations, for groups by ASSAY: the samples of `analyte` with ANL01FL = Y.

    Returns
    -------
    DataFrame
        ``GROUP`` (blank: none), ``GRPRSN`` (reason code where blank) and ``DONORID`` (of the one
        lot of the subject; blank where not known or of several).
    """
    lots = list_lots(subjects, adex).merge(
        adpq.assign(GROUP=group_lots(adpq, settings))[[*LOT, "GROUP", "DONORID"]],
        on=LOT,
        how="left",
    )
    places = pd.MultiIndex.from_frame(subjects[KEY])
    donors = _single(lots, "DONORID").reindex(places).fillna("").to_numpy(dtype=object)
    if settings.by == "ASSAY":
        samples = adpc.loc[(adpc["PARAMCD"] == analyte) & (adpc["ANL01FL"] == "Y")]
        parts = samples[[*KEY, "PCASSAYV"]].rename(columns={"PCASSAYV": "GROUP"})
        absent, unknown, mixed = "NOSAMPKN", "NOSAMPKN", "MIXASSAY"
    else:
        parts = lots[[*KEY, "GROUP"]].fillna("")
        absent, unknown, mixed = "NOLOTKN", "NOLOTGRP", "MIXLOTS"
    parts = parts.drop_duplicates()
    counts = parts.groupby(KEY)["GROUP"].agg(["size", "first"]).reindex(places)
    size = counts["size"].fillna(0).to_numpy(dtype=float)
    name = counts["first"].fillna("").to_numpy(dtype=object)
    if settings.by in ("PROCESS", "SITE"):
        own = subjects["PROCESS" if settings.by == "PROCESS" else "MFGSITE"].to_numpy(dtype=object)
        stands = (size <= 1) & (name == "")
        name = np.where(stands, own, name)
        size = np.where(stands & (own != ""), 1.0, size)
    group = np.where(size == 1, name, "")
    # One lot of an unknown group is not yet a mixture.
    blank = (parts["GROUP"] == "").groupby([parts[key] for key in KEY]).any()
    partly = blank.reindex(places, fill_value=False).to_numpy(dtype=bool)
    reasons = [group != "", size == 0, partly, size > 1]
    reason = np.select(reasons, ["", absent, unknown, mixed], unknown)
    return pd.DataFrame(
        {
            "GROUP": group.astype(object),
            "GRPRSN": reason.astype(object),
            "DONORID": donors,
        },
        index=subjects.index,
    )


def list_lots(subjects: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Lots of the course of each subject: ``STUDYID``, ``USUBJID``, ``LOTID``, a row a lot."""
    planned = ~adex["DOSETYPE"].isin(NOT_PLANNED)
    given = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & planned & (adex["LOTID"] != "")]
    named = given[[*KEY, "LOTID"]].drop_duplicates()
    known = pd.MultiIndex.from_frame(named[KEY])
    listed = pd.MultiIndex.from_frame(subjects[KEY]).isin(known)
    own = subjects.loc[(subjects["LOTID"] != "").to_numpy() & ~listed]
    own = own[[*KEY, "LOTID"]]
    found: pd.DataFrame = pd.concat([named, own], ignore_index=True)
    return found


def read_doses(subjects: pd.DataFrame, adex: pd.DataFrame) -> pd.Series:
    """Dose of the first infusion of the product, in the rows of `subjects`; NaN where not known.

    Doses in several units have no common scale: then all are NaN.
    """
    given = adex.loc[(adex["EXCAT"] == CELL_PRODUCT) & (adex["DOSENO"] == 1)]
    if given.loc[given["DOSEA"].notna(), "DOSEU"].nunique() > 1:
        return pd.Series(np.nan, index=subjects.index)
    doses = given.drop_duplicates(KEY).set_index(KEY)["DOSEA"]
    places = pd.MultiIndex.from_frame(subjects[KEY])
    return pd.Series(doses.reindex(places).to_numpy(dtype=float), index=subjects.index)


def _single(lots: pd.DataFrame, name: str) -> pd.Series:
    """The one value that all lots of a subject share, blank where they differ."""
    values = lots[[*KEY, name]].fillna("").drop_duplicates().groupby(KEY)[name]
    single = values.agg(["size", "first"])
    return single["first"].where(single["size"] == 1, "")

"""Pharmacodynamic markers as endpoints: peak, fold and nadir of a subject, and all its values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.exposure_response.study import KEY, Sources
from celldossier.settings.endpoints import EndpointRule


def select_marker_values(
    sources: Sources, endpoint: EndpointRule, *, all_samples: bool = False
) -> pd.DataFrame:
    """Values of the marker after the infusion until the end of its window.

    Values after the first dose of `not_after` are left out unless `all_samples`.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, AFRLT, VALUE (half of the limit where the result is below it), BLQ
        (bool) and BASE (baseline, likewise).
    """
    rows = sources.adpd.loc[sources.adpd["PARAMCD"] == endpoint.marker]
    if len(rows):
        most = str(rows["ASPEC"].value_counts().sort_index().idxmax())
        rows = rows.loc[rows["ASPEC"] == (endpoint.specimen or most)]
    below = rows["BLQFL"] == "Y"
    rows = rows.assign(BLQ=below, VALUE=rows["AVAL"].mask(below, rows["ALLOQ"] / 2))
    start = rows.loc[rows["ABLFL"] == "Y"].drop_duplicates(KEY)[[*KEY, "VALUE"]]
    rows = rows.drop(columns="BASE").merge(
        start.rename(columns={"VALUE": "BASE"}), on=KEY, how="left"
    )
    # The nominal day decides where it is given: a day-28 sample drawn an hour late is of day 28.
    scheduled = rows["NFRLT"].where(rows["NFRLT"].notna(), rows["AFRLT"])
    counted = rows.loc[(rows["AFRLT"] > 0) & (scheduled <= endpoint.until) & rows["VALUE"].notna()]
    if endpoint.not_after and not all_samples:
        given = sources.adcm.loc[
            (sources.adcm["CMCLASS"] == endpoint.not_after) & (sources.adcm["ASTDY"] >= 0)
        ]
        first = given.groupby(KEY)["ASTDY"].min().rename("GIVEN").reset_index()
        counted = counted.merge(first, on=KEY, how="left")
        counted = counted.loc[~(counted["AFRLT"] > counted["GIVEN"])]
    return counted[[*KEY, "AFRLT", "VALUE", "BLQ", "BASE"]].reset_index(drop=True)


def derive_marker(
    sources: Sources, ader: pd.DataFrame, endpoint: EndpointRule, *, all_samples: bool = False
) -> dict[str, object]:
    """Value of a marker endpoint in the rows of ADER, or why there is none.

    Returns
    -------
    dict
        Columns AVAL, AVALU, BLQFL, REASND and SRCDS of ADEREND.
    """
    samples = sources.adpd.loc[sources.adpd["PARAMCD"] == endpoint.marker]
    collected = ader["STUDYID"].isin(set(samples["STUDYID"]))
    rows = select_marker_values(sources, endpoint, all_samples=all_samples)
    key = pd.MultiIndex.from_frame(ader[KEY])
    if endpoint.kind == "repeated":
        value = rows.groupby(KEY).size().astype(float)
        blq = pd.Series(dtype=bool)
        base = pd.Series(dtype=float)
    else:
        ordered = rows.sort_values([*KEY, "VALUE", "AFRLT"], kind="stable").groupby(KEY)
        chosen = ordered.first() if endpoint.statistic == "NADIR" else ordered.last()
        value, blq, base = chosen["VALUE"], chosen["BLQ"], chosen["BASE"]
        if endpoint.statistic == "FOLD":
            value = value / base.where(base > 0)
    found = pd.Series(value.reindex(key).to_numpy(dtype=float), index=ader.index)
    sampled = pd.Series(ader[KEY].apply(tuple, axis=1).isin(set(value.index)), index=ader.index)
    reason = np.select(
        [found.notna(), ~collected, sampled], ["", "NOTCOLL", "NOPDBASE"], "NOPDPOST"
    )
    columns: dict[str, object] = {
        "AVAL": found,
        "AVALU": str(samples["AVALU"].iloc[0]) if len(samples) else "",
        "REASND": pd.Series(reason, index=ader.index),
        "SRCDS": "ADPD",
    }
    if endpoint.kind == "repeated" or endpoint.statistic == "FOLD":
        columns["AVALU"] = ""
    if endpoint.kind == "continuous":
        flag = blq.reindex(key).map({True: "Y", False: "N"}).fillna("").to_numpy()
        columns["BLQFL"] = pd.Series(flag, index=ader.index).mask(found.isna(), "")
    return columns

"""Records at one time, and records before the dose (rules R1, R3)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.arrangement import Flat
from celldossier.cellular_kinetics.places import Ints
from celldossier.cellular_kinetics.sample_arrays import Samples
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


def settle_duplicates(
    rows: Flat, samples: Samples, settings: CellularKineticsSettings
) -> tuple[Flat, Ints]:
    """R1: one result a time; the input order decides what is first.

    Parameters
    ----------
    rows
        Rows with a result, sorted by profile and time.

    Returns
    -------
    Flat
        The rows that remain, with their results.
    array of int
        Places of those that are left out.

    Raises
    ------
    InputDataError
        If there are any and `duplicates` is error.
    """
    same = (rows.profile[1:] == rows.profile[:-1]) & (rows.time[1:] == rows.time[:-1])
    later = np.flatnonzero(same) + 1
    if not len(later):
        return rows, later
    flat = pd.DataFrame({name: values for name, values in vars(rows).items()})
    duplicated = flat.duplicated(["profile", "time"], keep=False)
    at = [flat["profile"], flat["time"]]
    if settings.duplicates == "error":
        groups = flat[duplicated].groupby(["profile", "time"], sort=True)["row"]
        raise InputDataError([_describe(group.to_numpy(), samples) for _, group in groups])
    if settings.duplicates != "first":
        flat["alq"] = flat["alq"].groupby(at).transform("any")
    if settings.duplicates == "max":
        flat["conc"] = flat["conc"].groupby(at).transform("max")
        flat["blq"] = flat["conc"].isna()
    elif settings.duplicates == "mean":
        mean = flat["conc"].fillna(0.0).groupby(at).transform("mean")
        blq = (mean == 0) | (mean < flat["lloq"].groupby(at).transform("max"))
        flat["conc"] = flat["conc"].where(~duplicated, mean.where(~blq))
        flat["blq"] = flat["blq"].where(~duplicated, blq)
    merged = Flat(**{name: flat[name].to_numpy() for name in vars(rows)})
    return merged.take(np.delete(np.arange(len(flat)), later)), later


def _describe(rows: Ints, samples: Samples) -> str:
    first = rows[0]
    numbers = ", ".join(str(samples.row[row]) for row in rows)
    subject = samples.subject.names[samples.subject.codes[first]]
    analyte = samples.analyte.names[samples.analyte.codes[first]]
    return (
        f"{subject}, {analyte}: several results at time {samples.number('TIME')[first]:.10g} "
        f"(data rows {numbers}); correct the data, or set duplicates to first, mean or max."
    )


def place_predose(rows: Flat) -> tuple[Flat, Ints]:
    """R3: the last record at or before time 0 is the pre-dose sample, at time 0.

    Returns
    -------
    Flat
        The rows without earlier ones.
    array of int
        Places of the earlier ones.
    """
    before = rows.time <= 0
    if not before.any():
        return rows, np.zeros(0, dtype=np.int64)
    screened = np.flatnonzero(before[:-1] & before[1:] & (rows.profile[1:] == rows.profile[:-1]))
    placed = rows.take(np.delete(np.arange(len(before)), screened)) if len(screened) else rows
    predose = placed.time <= 0
    time, nominal = placed.time.copy(), placed.nominal.copy()
    np.copyto(time, 0.0, where=predose)
    np.copyto(nominal, 0.0, where=predose)
    return replace(placed, time=time, nominal=nominal), screened

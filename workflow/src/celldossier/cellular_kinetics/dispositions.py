"""What became of each sample, and what is worth a look in the samples.

Every input row has exactly one disposition: it is used, or it is excluded with
a reason; C(0) = 0 that was put in has a row of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.arrangement import Arrangement
from celldossier.cellular_kinetics.codes import Codes, code_of, is_one_of, to_texts
from celldossier.cellular_kinetics.doses import PROFILE_KEYS
from celldossier.cellular_kinetics.places import Bools
from celldossier.cellular_kinetics.profiles import EXCLUDED, IMPUTED, Block

BELOW = ("BLQFIRST", "EMBZERO", "EMBHALF", "EMBDROP", "BLQALL", "BLQCLOSE", "BLQLATE")
"""Dispositions of samples below the limit of quantitation."""

Columns = dict[str, npt.NDArray[Any]]


def derive_dispositions(
    block: Block, arrangement: Arrangement, window: Bools, points: Codes
) -> Columns:
    """One row a sample of the block: what the NCA made of it.

    Parameters
    ----------
    block, arrangement
        The profiles, and what they were taken from.
    window
        Samples of the lambda-z windows, shape (profiles, samples).
    points
        Codes of IN and OUT at the samples that a reviewed window names (R18).

    Returns
    -------
    dict of arrays
        PROFILE (its number), ROW (number of the data row; 0 where C(0) was put in),
        COPY (Y where the record was lent by the neighbouring dose), TIME, NTIME, CONC, BLQ,
        LLOQ as given (BLQ also where the number is below the limit), RELTIME (time used),
        VALUE (concentration used in the areas), DISPOS (disposition), USED, IMPUTED and LZFL
        (Y/N), LZREV (IN, OUT or blank); texts as codes.
    """
    profiles, rows, samples = block.profiles, block.rows, arrangement.samples
    count = len(rows.row)
    # C(0) = 0 of a profile in which nothing is quantifiable was used for nothing.
    extra = np.flatnonzero(profiles.inserted & ~np.isnan(profiles.value[:, 0]))
    extra = extra[profiles.row[extra, 0] < 0]
    start = np.searchsorted(rows.profile, extra)
    # The inserted record stands before the others of its profile.
    place = np.arange(count)
    if len(extra):
        shift = np.zeros(count + 1, dtype=np.int64)
        np.add.at(shift, start, 1)
        place += np.cumsum(shift[:-1])
    added = start + np.arange(len(extra))
    total = count + len(extra)

    def lengthen(values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        if not len(extra):
            return values
        result = np.empty(total, dtype=values.dtype)
        result[place] = values
        result[added] = fill
        return result

    inside = block.column >= 0
    column = np.maximum(block.column, 0)

    def of_sample(values: npt.NDArray[Any], outside: Any) -> npt.NDArray[Any]:
        found = values.T[column, rows.profile]
        if not inside.all():
            found[~inside] = outside
        return lengthen(found, values.T[0, extra])

    profile = lengthen(rows.profile, extra)
    code = of_sample(profiles.disposition, 0)
    if not inside.all():
        code = np.where(code == 0, lengthen(block.outside, 0), code)
    columns: Columns = {
        "PROFILE": profile + block.first,
        "ROW": lengthen(samples.row[rows.row], 0),
    }
    copied = np.zeros(0, dtype=bool) if samples.copied is None else samples.copied[rows.row]
    columns["COPY"] = _flag(lengthen(copied, False) if len(copied) else np.zeros(total, dtype=bool))
    for name in ("TIME", "NTIME", "CONC", "BLQ", "LLOQ"):
        columns[name] = lengthen(samples.number(name)[rows.row], np.nan)
    columns["BLQ"] = np.where(is_one_of(code, BELOW), 1.0, columns["BLQ"])
    columns["RELTIME"] = of_sample(profiles.time, np.nan)
    value = of_sample(profiles.value, np.nan)
    columns["VALUE"] = np.where(code == code_of("BLQALL"), 0.0, value)
    columns["DISPOS"] = code
    columns["USED"] = _flag(~is_one_of(code, EXCLUDED))
    columns["IMPUTED"] = _flag(is_one_of(code, IMPUTED))
    columns["LZFL"] = _flag(of_sample(window, False))
    columns["LZREV"] = of_sample(points, 0)
    return _sort(columns)


def _flag(mask: Bools) -> npt.NDArray[np.int16]:
    """Codes of Y and N."""
    return np.where(mask, np.int16(code_of("Y")), np.int16(code_of("N")))


def _sort(columns: Columns) -> Columns:
    """Rows by profile, time and data row; most blocks are so already."""
    time = columns["RELTIME"]
    unplaced = np.isnan(time) & (columns["ROW"] > 0)
    time = np.where(unplaced, columns["TIME"], time) if unplaced.any() else time
    profile, row = columns["PROFILE"], columns["ROW"]
    later = (time[1:] > time[:-1]) | ((time[1:] == time[:-1]) & (row[1:] >= row[:-1]))
    if (later | (profile[1:] > profile[:-1])).all():
        return columns
    order = np.lexsort((row, time, profile))
    return {name: values[order] for name, values in columns.items()}


def list_findings(block: Block, arrangement: Arrangement, later: Bools) -> Columns:
    """What is worth a look in the samples; nothing here stops the analysis.

    Parameters
    ----------
    block, arrangement
        As for `derive_dispositions`.
    later
        Quantifiable samples after the loss of quantifiability (R20).

    Returns
    -------
    dict of arrays
        CODE and the row of the samples. PREDOSEQ: quantifiable pre-dose; BELOWLLQ: number
        below LLOQ; ZEROCONC: zero that is not marked BLQ; SCREEN, DUPREC: not used;
        REEXPAND: quantifiable after the loss; AFTCENS: after the censoring time.
    """
    profiles, rows, copied = block.profiles, block.rows, arrangement.samples.copied
    # Before a later dose cells of the earlier are expected: that is its trough.
    first = (profiles.keys["DOSENO"] == 1).to_numpy()[:, None]
    after = (profiles.quantifiable | profiles.blq) & (profiles.time > profiles.censored[:, None])
    after_row = profiles.row[after]
    own = np.ones(len(rows.row), dtype=bool) if copied is None else ~copied[rows.row]
    found = {
        "PREDOSEQ": profiles.row[profiles.quantifiable & (profiles.time == 0) & first],
        "BELOWLLQ": rows.row[own & (rows.conc > 0) & (rows.conc < rows.lloq)],
        "ZEROCONC": rows.row[own & (rows.conc == 0)],
        "SCREEN": rows.row[block.outside == code_of("SCREEN")],
        "DUPREC": rows.row[block.outside == code_of("DUPREC")],
        "REEXPAND": profiles.row[later & ~np.isfinite(profiles.gap)[:, None]],
        "AFTCENS": after_row if copied is None else after_row[~copied[after_row]],
    }
    return {
        "CODE": np.repeat([code_of(name) for name in found], [len(row) for row in found.values()]),
        "row": np.concatenate(list(found.values())),
    }


def frame_findings(found: Columns, arrangement: Arrangement) -> pd.DataFrame:
    """Findings of all blocks: CODE, USUBJID, ANALYTE, DOSENO, TIME, CONC, ROW (the data row)."""
    samples, row = arrangement.samples, found["row"]
    dose = samples.number("DOSENO")[row]
    frame = pd.DataFrame(
        {
            "CODE": to_texts(found["CODE"]),
            "USUBJID": samples.subject.names[samples.subject.codes[row]],
            "ANALYTE": samples.analyte.names[samples.analyte.codes[row]],
            "DOSENO": np.where(np.isnan(dose), 1.0, dose).astype("int64"),
            "TIME": samples.number("TIME")[row],
            "CONC": samples.number("CONC")[row],
            "ROW": samples.row[row],
        }
    )
    return frame.sort_values([*PROFILE_KEYS, "ROW", "CODE"], kind="stable", ignore_index=True)

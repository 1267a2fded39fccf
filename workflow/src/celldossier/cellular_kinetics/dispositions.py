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
from celldossier.cellular_kinetics.codes import BLANK, Codes, blanks, code_of, is_one_of, to_texts
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
    count = len(profiles.last)
    # C(0) = 0 of a profile in which nothing is quantifiable was used for nothing.
    extra = np.flatnonzero(profiles.inserted & ~np.isnan(profiles.value[:, 0]))
    # The inserted record stands before the others of its profile.
    source = np.arange(len(rows.row))
    added = np.searchsorted(rows.profile, extra)
    source, added = np.insert(source, added, 0), added + np.arange(len(extra))
    given = np.ones(len(source), dtype=bool)
    given[added] = False
    profile = np.take(rows.profile, source)
    profile[added] = extra
    column = np.take(block.column, source)
    column[added] = 0
    outside = column < 0
    # Where a record stands in the padded arrays, which are stored column by column.
    place = np.maximum(column, 0) * count + profile

    def of_sample(values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        found = np.take(values.T.reshape(-1), place)
        if outside.any():
            found[outside] = fill
        return found

    code = of_sample(profiles.disposition, 0)
    if outside.any():
        code[outside] = block.outside[source[outside]]
    row = np.take(rows.row, source)

    def of_row(values: npt.NDArray[Any], fill: Any) -> npt.NDArray[Any]:
        found = np.take(values, row)
        found[added] = fill
        return found

    def number(name: str) -> npt.NDArray[Any]:
        known = name in samples.numbers
        return of_row(samples.numbers[name], np.nan) if known else np.full(len(row), np.nan)

    is_below, is_imputed = is_one_of(code, BELOW), is_one_of(code, IMPUTED)
    is_used = ~is_one_of(code, EXCLUDED) if outside.any() else code != code_of("EMBDROP")
    value = of_sample(profiles.value, np.nan)
    value[code == code_of("BLQALL")] = 0.0
    columns: Columns = {
        "PROFILE": profile + block.first,
        "ROW": of_row(samples.row, 0),
        "COPY": np.zeros(len(row), dtype=bool),
        **{name: number(name) for name in ("TIME", "NTIME", "CONC", "BLQ", "LLOQ")},
        "RELTIME": of_sample(profiles.time, np.nan),
        "VALUE": value,
        "DISPOS": code,
        "USED": is_used,
        "IMPUTED": is_imputed,
        "LZFL": of_sample(window, False),
        "LZREV": of_sample(points, BLANK) if points.any() else blanks(len(row)),
    }
    columns["BLQ"][is_below] = 1.0
    if samples.copied is not None:
        columns["COPY"] = of_row(samples.copied, False)
    return _sort(columns, given)


def _sort(columns: Columns, given: Bools) -> Columns:
    """Rows by profile, time and data row; most blocks are so already."""
    time = columns["RELTIME"]
    unplaced = np.isnan(time) & given
    if unplaced.any():
        time = np.where(unplaced, columns["TIME"], time)
    profile, row = columns["PROFILE"], columns["ROW"]
    in_order = time[1:] > time[:-1]
    in_order |= profile[1:] > profile[:-1]
    if not in_order.all():
        in_order |= (time[1:] == time[:-1]) & (row[1:] >= row[:-1])
    if in_order.all():
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

"""What became of each sample, and what is worth a look in the samples.

Every input row has exactly one disposition: it is used, or it is excluded with
a reason; C(0) = 0 that was put in has a row of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.doses import PROFILE_KEYS
from celldossier.cellular_kinetics.profiles import EXCLUDED, IMPUTED, Bools, Profiles

BELOW = ("BLQFIRST", "EMBZERO", "EMBHALF", "EMBDROP", "BLQALL", "BLQCLOSE", "BLQLATE")
"""Dispositions of samples below the limit of quantitation."""


def derive_dispositions(
    samples: pd.DataFrame, profiles: Profiles, outside: pd.Series, window: Bools
) -> pd.DataFrame:
    """One row a sample: what the NCA made of it.

    Parameters
    ----------
    samples
        Checked samples.
    profiles, outside
        From `derive_profiles`.
    window
        Samples of the lambda-z windows, shape (profiles, samples).

    Returns
    -------
    DataFrame
        USUBJID, ANALYTE, DOSENO, ROW (number of the data row; 0 where C(0) was put in),
        COPY (Y where the record was lent by the neighbouring dose), TIME, NTIME, CONC, BLQ,
        LLOQ as given (BLQ also where the number is below the limit), RELTIME (time used),
        VALUE (concentration used in the areas), DISPOS (disposition code), USED (Y/N), IMPUTED
        (Y/N), LZFL (Y/N).
    """
    present = profiles.disposition != ""
    profile, column = np.nonzero(present)
    row = profiles.row[profile, column]
    inside = pd.DataFrame(
        {
            "profile": profile,
            "row": row,
            "RELTIME": profiles.time[profile, column],
            "VALUE": profiles.value[profile, column],
            "DISPOS": profiles.disposition[profile, column],
            "LZFL": np.where(window[profile, column], "Y", "N"),
        }
    )
    # C(0) = 0 of a profile in which nothing is quantifiable was used for nothing.
    inside = inside[(inside["row"] >= 0) | inside["VALUE"].notna()]
    rows = np.flatnonzero(outside.to_numpy() != "")
    index = pd.MultiIndex.from_frame(profiles.keys[PROFILE_KEYS])
    excluded = pd.DataFrame(
        {
            "profile": index.get_indexer(
                pd.MultiIndex.from_frame(samples.iloc[rows][PROFILE_KEYS])
            ),
            "row": rows,
            "RELTIME": np.nan,
            "VALUE": np.nan,
            "DISPOS": outside.iloc[rows].to_numpy(),
            "LZFL": "N",
        }
    )
    every = pd.concat([inside, excluded], ignore_index=True)
    row = every["row"].to_numpy()
    code = every["DISPOS"].to_numpy()
    given, source = row >= 0, np.maximum(row, 0)
    columns = {
        name: profiles.keys[name].to_numpy()[every["profile"].to_numpy()] for name in PROFILE_KEYS
    }
    columns["DOSENO"] = columns["DOSENO"].astype("int64")
    columns["ROW"] = np.where(given, samples["ROW"].to_numpy()[source], 0)
    copied = samples["COPY"].to_numpy(dtype=bool)[source]
    columns["COPY"] = np.where(given & copied, "Y", "N").astype(object)
    for name in ("TIME", "NTIME", "CONC", "BLQ", "LLOQ"):
        columns[name] = np.where(given, samples[name].to_numpy()[source], np.nan)
    columns["BLQ"] = np.where(np.isin(code, BELOW), 1.0, columns["BLQ"])
    columns["RELTIME"] = every["RELTIME"].to_numpy()
    columns["VALUE"] = np.where(code == "BLQALL", 0.0, every["VALUE"].to_numpy())
    columns["DISPOS"] = code
    columns["USED"] = np.where(np.isin(code, EXCLUDED), "N", "Y").astype(object)
    columns["IMPUTED"] = np.where(np.isin(code, IMPUTED), "Y", "N").astype(object)
    columns["LZFL"] = every["LZFL"].to_numpy()
    time = np.where(given & np.isnan(columns["RELTIME"]), columns["TIME"], columns["RELTIME"])
    order = np.lexsort((columns["ROW"], time, every["profile"].to_numpy()))
    return pd.DataFrame({name: values[order] for name, values in columns.items()})


def list_findings(
    samples: pd.DataFrame, profiles: Profiles, outside: pd.Series, later: Bools
) -> pd.DataFrame:
    """What is worth a look in the samples; nothing here stops the analysis.

    Parameters
    ----------
    samples, profiles, outside
        As for `derive_dispositions`.
    later
        Quantifiable samples after the loss of quantifiability (R20).

    Returns
    -------
    DataFrame
        CODE (PREDOSEQ: quantifiable pre-dose; BELOWLLQ: number below LLOQ; ZEROCONC: zero
        that is not marked BLQ; SCREEN, DUPREC: not used; REEXPAND: quantifiable
        after the loss; AFTCENS: after the censoring time), USUBJID, ANALYTE,
        DOSENO, TIME, CONC, ROW (number of the data row).
    """
    conc, row = samples["CONC"].to_numpy(), profiles.row
    own = ~samples["COPY"].to_numpy(dtype=bool)
    # Before a later dose cells of the earlier are expected: that is its trough.
    first = (profiles.keys["DOSENO"] == 1).to_numpy()[:, None]
    after = (profiles.quantifiable | profiles.blq) & (profiles.time > profiles.censored[:, None])
    rows = {
        "PREDOSEQ": row[profiles.quantifiable & (profiles.time == 0) & first],
        "BELOWLLQ": np.flatnonzero(own & (conc > 0) & (conc < samples["LLOQ"].to_numpy())),
        "ZEROCONC": np.flatnonzero(own & (conc == 0)),
        "SCREEN": np.flatnonzero(outside.to_numpy() == "SCREEN"),
        "DUPREC": np.flatnonzero(outside.to_numpy() == "DUPREC"),
        "REEXPAND": row[later & ~np.isfinite(profiles.gap)[:, None]],
        "AFTCENS": row[after & own[row]],
    }
    every = np.concatenate(list(rows.values())).astype("int64")
    findings = samples.iloc[every][[*PROFILE_KEYS, "TIME", "CONC", "ROW"]].reset_index(drop=True)
    findings.insert(0, "CODE", np.repeat(list(rows), [len(found) for found in rows.values()]))
    findings["CODE"] = findings["CODE"].astype(object)
    findings["DOSENO"] = findings["DOSENO"].astype("int64")
    return findings.sort_values([*PROFILE_KEYS, "ROW", "CODE"], kind="stable", ignore_index=True)

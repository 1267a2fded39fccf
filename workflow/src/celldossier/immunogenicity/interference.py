"""Samples in which something else than the subject's response may decide the result.

A cell has no trough that an assay must tolerate. What disturbs it are antibodies of
donors (immunoglobulin), missing B cells (anti-CD20) and soluble target.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.interference import MedicationWindow, SolubleTarget

ONCE = "ONCE"
B_CELLS, SOLUBLE = "IFBCELL", "IFSOLTGT"
"""Reason codes of a negative sample that says nothing."""


def mark_interference(
    samples: pd.DataFrame,
    adcm: pd.DataFrame,
    adpd: pd.DataFrame,
    settings: ImmunogenicitySettings,
) -> pd.DataFrame:
    """Mark each sample with what may have decided its result.

    Parameters
    ----------
    samples
        One row a sample: USUBJID, ISBDAGNT, DAY (days from the first infusion).
    adcm, adpd
        Datasets ADCM and ADPD.

    Returns
    -------
    pandas.DataFrame
        `samples` with PASSIVE (bool, under immunoglobulin) and MASK (reason code why a
        negative result would be inconclusive, else blank). A sample without a time, a
        medicine without a start and a sample without a result of the marker nearby mark
        nothing.
    """
    rules = settings.interference
    depleted = _under_medicine(samples, adcm, rules.b_cell_depletion)
    soluble = np.zeros(len(samples), dtype=bool)
    for target in rules.soluble_targets:
        soluble |= _above_limit(samples, adpd, target)
    mask = np.select([soluble, depleted], [SOLUBLE, B_CELLS], default="")
    return samples.assign(
        PASSIVE=_under_medicine(samples, adcm, rules.immunoglobulin), MASK=mask.astype(object)
    )


def select_medicines(adcm: pd.DataFrame, window: MedicationWindow) -> pd.DataFrame:
    """Records of ADCM whose name or class the window names."""
    names = [name.upper() for name in window.names]
    named = adcm["CMDECOD"].str.upper().isin(names) | adcm["CMCLASS"].str.upper().isin(names)
    return adcm[named]


def _under_medicine(
    samples: pd.DataFrame, adcm: pd.DataFrame, window: MedicationWindow
) -> np.ndarray:
    """Whether a medicine was given so long before each sample, or is going on."""
    given = select_medicines(adcm, window)
    given = given[given["ASTDY"].notna()]
    # One without an end goes on, unless it was given once.
    once = given["CMDOSFRQ"].str.upper() == ONCE
    end = given["AENDY"].fillna(given["ASTDY"].where(once, np.inf))
    given = pd.DataFrame(
        {"USUBJID": given["USUBJID"], "START": given["ASTDY"], "END": end + window.days}
    )
    rows = samples.reset_index(drop=True).rename_axis("ROW").reset_index()
    pairs = rows[["ROW", "USUBJID", "DAY"]].merge(given, on="USUBJID")
    inside = (pairs["DAY"] >= pairs["START"]) & (pairs["DAY"] <= pairs["END"])
    return np.isin(np.arange(len(samples)), pairs.loc[inside, "ROW"])


def _above_limit(samples: pd.DataFrame, adpd: pd.DataFrame, target: SolubleTarget) -> np.ndarray:
    """Whether the result of the marker nearest to each sample lies above the limit."""
    marker = adpd[adpd["PARAMCD"] == target.marker]
    level = marker["AVAL"].mask(marker["BLQFL"] == "Y", 0.0)
    day = marker["AFRLT"].fillna(marker["NFRLT"])
    found = pd.DataFrame({"USUBJID": marker["USUBJID"], "AT": day, "LEVEL": level}).dropna()
    rows = samples.reset_index(drop=True).rename_axis("ROW").reset_index()
    pairs = rows[["ROW", "USUBJID", "DAY"]].merge(found, on="USUBJID")
    pairs = pairs.assign(APART=(pairs["AT"] - pairs["DAY"]).abs())
    pairs = pairs[pairs["APART"] <= target.days]
    # Of two results equally near the higher one counts: it is the more careful reading.
    pairs = pairs.sort_values(["ROW", "APART", "LEVEL"], ascending=[True, True, False])
    nearest = pairs.drop_duplicates("ROW")
    above = np.isin(np.arange(len(samples)), nearest.loc[nearest["LEVEL"] > target.limit, "ROW"])
    own = np.ones(len(samples), dtype=bool)
    if target.target:
        own = (samples["ISBDAGNT"] == target.target).to_numpy()
    return above & own

"""How much antibody: titres and signals of samples, and whether they rose over baseline."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.settings.immunogenicity import ImmunogenicitySettings

TITRE, SIGNAL, CATEGORY = "TITRE", "SIGNAL", "CATEGORY"
"""Kinds of readout: a dilution series, a number of any other unit, or words alone."""
PERCENT = "%"
"""Unit of an inhibition by the drug, which confirms and says nothing of an amount."""
SIGNAL_TIERS = (("RESULT", "CONFIRMATORY", ""), ("SCREENING",))
"""Tiers whose signal stands for a titre; the screening signal where the others have none."""


def derive_amounts(records: pd.DataFrame, by_sample: list[str]) -> pd.DataFrame:
    """Titre of each sample, else its signal.

    Parameters
    ----------
    records
        Records of ADAB with the columns of `by_sample`.

    Returns
    -------
    pandas.DataFrame
        One row a sample that has an amount: TITER (highest value, NaN where it is
        below its limit), TITERLO and TITERHI (what it is at least and at most: a titre
        "<20" is between 0 and 20, one ">2560" is 2560 or more), TITERU, READOUT.
    """
    low = records["BLQFL"] == "Y"
    amount = records.assign(
        TITER=records["AVAL"],
        TITERLO=records["AVAL"].mask(low, 0.0),
        TITERHI=records["AVAL"].mask(low, records["ALLOQ"]).mask(records["ALQFL"] == "Y", math.inf),
        TITERU=records["AVALU"],
        # Without tiers a titre stands in the place of POSITIVE.
        READOUT=np.where(
            (records["ISCAT"] == "TITER") | (records["AVALC"] != "VALUE"), TITRE, SIGNAL
        ),
    )
    amount = amount[amount["TITERHI"].notna() & (amount["AVALU"] != PERCENT)]
    signals = [
        amount[(amount["READOUT"] == SIGNAL) & amount["ISCAT"].isin(tiers)]
        for tiers in SIGNAL_TIERS
    ]
    order = ["TITERHI", "TITERLO"]
    picked = [
        rows.sort_values(order, kind="stable").groupby(by_sample).tail(1).set_index(by_sample)
        for rows in (amount[amount["READOUT"] == TITRE], *signals)
    ]
    found = pd.concat(picked)
    found = found[~found.index.duplicated()]
    return found[["TITER", "TITERLO", "TITERHI", "TITERU", "READOUT"]]


def compare_amounts(
    baseline: pd.Series, samples: pd.DataFrame, settings: ImmunogenicitySettings
) -> NDArray[np.object_]:
    """Whether the amount of each sample rose over that of the baseline sample by a boost.

    Only amounts of the same readout and unit are compared. A titre outside the series
    decides where its bound does: 160 after "<20" is at least 8-fold.

    Returns
    -------
    numpy.ndarray
        "Y", "N", or blank where the amounts leave it open, shape (n,).
    """
    fold = settings.signal_fold
    if baseline["READOUT"] == TITRE:
        fold = settings.dilution_factor**settings.boosted_steps
    same = _comparable(baseline, samples)
    least = samples["TITERLO"].where(same).to_numpy(dtype=float)
    most = samples["TITERHI"].where(same).to_numpy(dtype=float)
    # A dilution series gives exact powers; the factor keeps its rounding from deciding.
    fold *= 1 - 1e-9
    rose = [least >= fold * baseline["TITERHI"], most < fold * baseline["TITERLO"]]
    return np.select(rose, ["Y", "N"], default="").astype(object)


def find_boost_day(
    baseline: pd.Series, positives: pd.DataFrame, settings: ImmunogenicitySettings
) -> float:
    """Day of the first sample that rose over baseline by a boost; NaN where none did.

    A subject who was positive at baseline is positive from the first: the antibodies that the
    product brought begin with the rise, not with the first positive sample.
    """
    rose = compare_amounts(baseline, positives, settings) == "Y"
    return float(positives["DAY"].to_numpy(dtype=float)[rose].min()) if rose.any() else math.nan


def _comparable(baseline: pd.Series, samples: pd.DataFrame) -> pd.Series:
    same = samples["READOUT"].eq(baseline["READOUT"]) & samples["TITERU"].eq(baseline["TITERU"])
    # A titre of 0 or none at all is no baseline to rise from.
    return same & samples["TITERHI"].notna() & bool(baseline["TITERHI"] > 0)


def test_boost(
    baseline: pd.Series, positives: pd.DataFrame, settings: ImmunogenicitySettings
) -> tuple[str, str]:
    """Status of a subject who was positive at baseline.

    Boosted: a later titre is at least `boosted_steps` steps of a dilution by
    `dilution_factor` above that of baseline (Shankar 2014: two steps of two-fold, four
    times); a signal (fluorescence, signal to noise) at least `signal_fold` times.

    Parameters
    ----------
    baseline
        The baseline sample.
    positives
        Its positive later samples.

    Returns
    -------
    tuple
        BOOSTED, NOT BOOSTED or UNDETERMINED, and the reason code of the last:
        CATEGORIC, NOTITER or TITERLIM.
    """
    rose = compare_amounts(baseline, positives, settings)
    if (rose == "Y").any():
        return "BOOSTED", ""
    if (rose == "N").all():
        return "NOT BOOSTED", ""
    if baseline["READOUT"] == CATEGORY:
        return "UNDETERMINED", "CATEGORIC"
    return "UNDETERMINED", "TITERLIM" if _comparable(baseline, positives).all() else "NOTITER"

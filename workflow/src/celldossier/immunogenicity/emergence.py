"""When a subject has treatment-emergent ADA: the days that are known, and those that are not.

Antibodies can act only on what follows their onset, and the onset is seen at samples only.
Between the last sample without them and the first one with them the state is not known, nor
is it after the last sample.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from celldossier.immunogenicity.amounts import compare_amounts
from celldossier.immunogenicity.status import (
    KEY,
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    derive_judged_samples,
    select_binding,
)
from celldossier.settings.immunogenicity import ImmunogenicitySettings

WITH, WITHOUT = "WITH", "WITHOUT"
"""State of a subject at a time: with or without treatment-emergent ADA; blank where unknown."""
NEVER = ("NEGATIVE", "NOT BOOSTED")
EMERGENT = ("INDUCED", "BOOSTED")
OPEN = "UNDETERMINED"
SAME_VISIT = 0.5
"""Days between an antibody sample and another sample of the same visit."""


def derive_emergence(
    adab: pd.DataFrame,
    adim: pd.DataFrame,
    settings: ImmunogenicitySettings,
    adcm: pd.DataFrame | None = None,
    adpd: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Days of treatment-emergent ADA of each subject and target whose status is known.

    A later sample is with emergent ADA where it is positive (of a subject negative at baseline), or
    also rose over baseline by a boost (of one positive at baseline); a positive sample whose amount
    leaves that open says nothing, nor does an inconclusive one. A subject whose status is not
    determined in the end is known for the samples that do say something: to leave it out of what
    was known at an earlier day would let later samples decide who is in a comparison.

    Parameters
    ----------
    adab, adim
        Datasets ADAB and ADIM.
    settings
        Section `immunogenicity`.
    adcm, adpd
        Datasets ADCM and ADPD, as for ADIM.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, ISBDAGNT; CLEARDY, last day known to be without emergent ADA before
        any; ONSETDY and LASTDY, first and last day of the first spell with them (NaN without
        one); FIRSTDY, day of the first later sample that says something; OPENDY, day of the
        first before the onset that leaves a boost open (NaN without one). Days from the first
        infusion.
    """
    samples = derive_judged_samples(select_binding(adab, settings), settings, adcm, adpd)
    known = samples.loc[samples["STATUS"].isin([POSITIVE, NEGATIVE]) & samples["DAY"].notna()]
    groups = dict(iter(known.groupby(KEY)))
    rows = []
    for subject in adim.loc[adim["ADASTAT"].isin([*NEVER, *EMERGENT, OPEN])].to_dict("records"):
        key = tuple(str(subject[name]) for name in KEY)
        days, state = _emergent_samples(groups[key], str(subject["ADASTAT"]), settings)
        if (state != "").any():
            rows.append(dict(zip(KEY, key, strict=True)) | _first_spell(days, state))
    columns = [*KEY, "CLEARDY", "ONSETDY", "LASTDY", "FIRSTDY", "OPENDY"]
    return pd.DataFrame(rows, columns=columns)


def _emergent_samples(
    known: pd.DataFrame, status: str, settings: ImmunogenicitySettings
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Days of the later samples, and the state of each: WITH, WITHOUT or blank."""
    later = known.loc[~known["BASELINE"] & (known["DAY"] > 0)]
    positive = (later["STATUS"] == POSITIVE).to_numpy(dtype=bool)
    days = later["DAY"].to_numpy(dtype=float)
    if status in NEVER:
        return days, np.full(days.shape, WITHOUT, dtype=object)
    if status == "INDUCED":
        return days, np.where(positive, WITH, WITHOUT).astype(object)
    baseline = known.loc[known["BASELINE"]].iloc[-1]
    rose = compare_amounts(baseline, later, settings)
    verdicts = np.select([~positive | (rose == "N"), rose == "Y"], [WITHOUT, WITH], UNKNOWN)
    return days, verdicts.astype(object)


def _first_spell(all_days: NDArray[np.float64], states: NDArray[np.object_]) -> dict[str, float]:
    """The first run of samples with emergent ADA; a baseline without them is behind all."""
    says = states != UNKNOWN
    days, positive = all_days[says], states[says] == WITH
    onset = days[positive].min() if positive.any() else math.inf
    open_days = all_days[~says & (all_days < onset)]
    opened = {"OPENDY": float(open_days.min()) if open_days.size else math.nan}
    if not positive.any():
        return {
            "CLEARDY": float(days[-1]),
            "ONSETDY": math.nan,
            "LASTDY": math.nan,
            "FIRSTDY": float(days[0]),
            **opened,
        }
    first = int(np.argmax(positive))
    rest = positive[first:]
    length = rest.size if rest.all() else int(np.argmin(rest))
    return {
        "CLEARDY": float(days[first - 1]) if first else 0.0,
        "ONSETDY": float(days[first]),
        "LASTDY": float(days[first + length - 1]),
        "FIRSTDY": float(days[0]),
        **opened,
    }


def state_at(spells: pd.DataFrame, days: ArrayLike) -> list[str]:
    """State at a day each: WITH, WITHOUT, or blank where no sample vouches for it.

    Parameters
    ----------
    spells
        Rows of `derive_emergence`, one for each day, shape (n,).
    days
        Days from the first infusion, shape (n,).
    """
    t = np.asarray(days, dtype=float)
    onset, last = spells["ONSETDY"].to_numpy(float), spells["LASTDY"].to_numpy(float)
    after = (t >= onset - SAME_VISIT) & (t <= last + SAME_VISIT)
    before = t <= spells["CLEARDY"].to_numpy(float) + SAME_VISIT
    return [str(state) for state in np.select([after, before], [WITH, WITHOUT], UNKNOWN)]

"""Dataset ADPAIR: the results of two assays in the same sample, side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.datasets import conform, read_specification
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

CATEGORIES = ("BOTH", "FIRST", "SECOND", "NEITHER")
"""Which of the two results is quantifiable."""

_SIDE = ("PARAMCD", "AFRLT", "NFRLT", "AVAL", "AVALU", "BLQFL", "ALQFL", "ALLOQ")


def pair_code(first: str, second: str) -> str:
    """Code of a pair of analytes.

    >>> pair_code("PCR", "FLOW")
    'PCR-FLOW'
    """
    return f"{first}-{second}"


def list_assay_pairs(
    samples: pd.DataFrame, settings: CellularKineticsSettings
) -> list[tuple[str, str]]:
    """Pairs of analytes to compare: those of the config, else the primary one with each other.

    By default an analyte of the primary one's unit is left out, as is one that was converted
    from another (ADPC.DTYPE): neither is a second assay of the cells.
    """
    declared = settings.concordance.pairs
    if declared:
        return [(pair.first, pair.second) for pair in declared]
    primary = settings.primary_analyte
    measured = samples[samples["DTYPE"] != "CONVERTED"].drop_duplicates("PARAMCD")
    units: dict[str, str] = dict(zip(measured["PARAMCD"], measured["AVALU"], strict=True))
    if primary not in units:
        return []
    return [(primary, code) for code in sorted(units) if units[code] != units[primary]]


def derive_adpair(
    samples: pd.DataFrame, adsl: pd.DataFrame, settings: CellularKineticsSettings
) -> pd.DataFrame:
    """Pairs of results of one subject, specimen and time after the first infusion.

    Parameters
    ----------
    samples
        From `celldossier.cellular_kinetics.analysis_datasets.select_samples`.
    adsl
        Subjects; those with PKFL = Y are taken.
    settings
        Section `cellular_kinetics`, of which `concordance`.

    Returns
    -------
    DataFrame
        Dataset ADPAIR. Two results form a pair where each is the nearest in time to the
        other, within `time_difference`, and they have the same nominal time or one has none.
        A sample without a result forms none.
    """
    subjects = set(adsl.loc[adsl["PKFL"] == "Y", "USUBJID"])
    known = samples["AVAL"].notna() | (samples["BLQFL"] == "Y")
    used = samples[known & (samples["AFRLT"] > 0) & samples["USUBJID"].isin(subjects)]
    parts = [
        _pair(used, first, second, settings.concordance.time_difference)
        for first, second in list_assay_pairs(samples, settings)
    ]
    return conform(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(), "ADPAIR")


def _pair(samples: pd.DataFrame, first: str, second: str, longest: float) -> pd.DataFrame:
    keys = ["USUBJID", "PCSPEC"]
    columns = ["STUDYID", *keys, *_SIDE, "SRCFILE", "SRCROW"]
    left = samples.loc[samples["PARAMCD"] == first, columns].reset_index(drop=True)
    right = samples.loc[samples["PARAMCD"] == second, columns].reset_index(drop=True)
    both = (
        left.rename_axis("LEFT")
        .reset_index()
        .merge(
            right.drop(columns="STUDYID").rename_axis("RIGHT").reset_index(),
            on=keys,
            suffixes=("1", "2"),
        )
    )
    difference = both["AFRLT2"] - both["AFRLT1"]
    planned = both["NFRLT1"].fillna(both["NFRLT2"])
    same = planned.eq(both["NFRLT2"].fillna(planned)) | planned.isna()
    # A whole number of seconds, whatever the rounding of days.
    near = difference.abs() <= longest + 1e-6
    both = both.assign(TIMEDIFF=difference, NFRLT=planned, FAR=difference.abs())[same & near]
    both = both.sort_values(["FAR", "LEFT", "RIGHT"], kind="stable")
    nearest = ~both.duplicated("LEFT") & ~both.duplicated("RIGHT")
    both = both[nearest].sort_values("LEFT", kind="stable")
    blq1, blq2 = both["BLQFL1"] == "Y", both["BLQFL2"] == "Y"
    # No cell was seen: without a limit of quantitation a 0 is no quantifiable result either.
    known1, known2 = ~blq1 & ~(both["AVAL1"] <= 0), ~blq2 & ~(both["AVAL2"] <= 0)
    category = np.select([known1 & known2, known1, known2], CATEGORIES[:3], default=CATEGORIES[3])
    value1, value2 = both["AVAL1"].where(~blq1), both["AVAL2"].where(~blq2)
    within = (both["ALQFL1"] != "Y") & (both["ALQFL2"] != "Y")
    used = within & (value1 > 0) & (value2 > 0)
    paired = both.assign(
        PAIRCD=pair_code(first, second),
        AFRLT=both["AFRLT1"],
        AVAL1=value1,
        AVAL2=value2,
        AGREECAT=category,
        ANL01FL=np.where(used, "Y", "N"),
        RATIO=(value2 / value1).where(used),
        RATIOU=both["AVALU2"] + " per " + both["AVALU1"],
    )
    return paired[list(read_specification("ADPAIR").variables)]

"""Covariates of ADER: what was known of a subject and its product at the infusion."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.datasets import read_specification
from celldossier.exposure_response.study import KEY

ATTRIBUTES = (
    *("VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT", "TEFFPCT"),
    *("EXPFOLD", "POTENCY", "CULTDAYS", "VEINVEIN"),
)
"""Attributes of a lot that are numbers."""

SEVERAL = "SEVERAL"
"""Process or site where the lots of a subject are of several."""


def list_from_adsl() -> list[str]:
    """Variables of ADER whose origin is ADSL, as its specification says."""
    variables = read_specification("ADER").variables
    return [name for name, variable in variables.items() if variable.origin == f"ADSL.{name}"]


def derive_covariates(
    subjects: pd.DataFrame, adex: pd.DataFrame, adpq: pd.DataFrame
) -> pd.DataFrame:
    """What ADER takes from ADSL, and the covariates of the product, in the rows of the subjects.

    A subject whose course has several lots has the mean of an attribute weighted by the
    dose of each; where a lot given lacks the attribute, or its dose is not known, there
    is none: a mean over the others would be of another product. Retreatment and unplanned
    infusions are not part of the course.

    Parameters
    ----------
    subjects
        Rows of ADSL.
    adex, adpq
        Doses, and the attributes of the lots.
    """
    found: pd.DataFrame = subjects[list_from_adsl()].copy()
    before, at = subjects["ALCPRELD"], subjects["ALCINF"]
    # Not ADSL.ALCDEPL: its nadir may lie days after the infusion.
    found["ALCDPINF"] = (100 * (1 - at / before)).where(before > 0)
    lots = _lots_given(subjects, adex, adpq)
    key = pd.MultiIndex.from_frame(subjects[KEY])
    for name in ATTRIBUTES:
        found[name] = _pool(lots, name).reindex(key).to_numpy(dtype=float)
    for name, source in (("PROCESS", "PROCESS"), ("MFGSITE", "SITE")):
        found[name] = _single(lots, source).reindex(key).fillna("").to_numpy()
        # A study without a list of lots may still name the process of each subject.
        found[name] = found[name].where(found[name] != "", subjects[name])
    found["NLOTS"] = lots.groupby(KEY).size().reindex(key).to_numpy(dtype=float)
    found["POTENCU"] = _single(lots, "POTENCU").reindex(key).fillna("").to_numpy()
    # Potencies in two units have no common scale.
    if found.loc[found["POTENCY"].notna(), "POTENCU"].nunique() > 1:
        found["POTENCY"] = np.nan
    return found


def _lots_given(subjects: pd.DataFrame, adex: pd.DataFrame, adpq: pd.DataFrame) -> pd.DataFrame:
    """Lots of the course of each subject with their attributes and dose, one row a lot.

    Where the doses name no lot, it is the subject's own (ADSL.LOTID).
    """
    planned = ~adex["DOSETYPE"].isin(["RETREATMENT", "UNPLANNED"])
    given = adex.loc[(adex["EXCAT"] == "CELL PRODUCT") & planned & (adex["LOTID"] != "")]
    doses = given.groupby([*KEY, "LOTID"])["DOSEA"].sum(min_count=1).reset_index()
    key = pd.MultiIndex.from_frame(subjects[KEY])
    named = key.isin(pd.MultiIndex.from_frame(doses[KEY]))
    own = subjects.loc[~named & (subjects["LOTID"] != "").to_numpy(), [*KEY, "LOTID"]]
    doses = pd.concat([doses, own.assign(DOSEA=np.nan)], ignore_index=True)
    lots = adpq.drop_duplicates(["STUDYID", "LOTID"]).drop(columns="USUBJID")
    given_lots: pd.DataFrame = doses.merge(lots, on=["STUDYID", "LOTID"], how="left")
    return given_lots


def _pool(lots: pd.DataFrame, name: str) -> pd.Series:
    several = lots.groupby(KEY)["LOTID"].transform("size") > 1
    weight = lots["DOSEA"].where(several, 1.0)
    # min_count: a sum over an unknown dose or attribute is unknown.
    sums = pd.DataFrame(
        {**{key: lots[key] for key in KEY}, "SUM": lots[name] * weight, "WEIGHT": weight}
    ).assign(BROKEN=lambda rows: rows["SUM"].isna())
    total = sums.groupby(KEY)[["SUM", "WEIGHT", "BROKEN"]].sum()
    return (total["SUM"] / total["WEIGHT"]).where((total["BROKEN"] == 0) & (total["WEIGHT"] > 0))


def _single(lots: pd.DataFrame, name: str) -> pd.Series:
    """The one text of all lots of a subject, `SEVERAL` where they differ."""
    texts = lots.assign(TEXT=lots[name].fillna("")).groupby(KEY)["TEXT"]
    first, kinds = texts.first(), texts.nunique()
    return first.where(kinds == 1, SEVERAL)

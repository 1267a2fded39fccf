"""The crosswalk as dataset ADPPX, and its counts as analysis results."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd

from celldossier.cellular_kinetics.summaries import POPULATION, STAGE
from celldossier.datasets import conform
from celldossier.results import ResultCollector
from celldossier.terms.parameters import find_parameter


def derive_adppx(differences: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Dataset ADPPX.

    Parameters
    ----------
    differences
        Of `compare_presets`.
    samples
        From `select_samples`, for the study of each subject.
    """
    if differences.empty:
        return conform(pd.DataFrame(), "ADPPX")
    frame = differences
    studies = samples.drop_duplicates("USUBJID").set_index("USUBJID")["STUDYID"]
    names = {code: find_parameter(code).en for code in frame["PARAMCD"].unique()}
    both = frame["AVAL"].gt(0) & frame["AVALX"].notna()
    return conform(
        pd.DataFrame(
            {
                "STUDYID": frame["USUBJID"].map(studies),
                "USUBJID": frame["USUBJID"],
                "PARCAT1": frame["ANALYTE"],
                "DOSENO": frame["DOSENO"],
                "PARAMCD": frame["PARAMCD"],
                "PARAM": frame["PARAMCD"].map(names),
                "PRESET": frame["PRESET"],
                "AVAL": frame["AVAL"],
                "PPREASND": frame["REASND"],
                "AVALX": frame["AVALX"],
                "XREASND": frame["REASNDX"],
                "RATIO": (frame["AVALX"] / frame["AVAL"]).where(both),
                "RULES": frame["RULES"],
                "JOINT": frame["JOINT"],
            }
        ),
        "ADPPX",
    )


def summarise_crosswalk(
    compared: pd.DataFrame, adppx: pd.DataFrame, subjects: pd.Index
) -> pd.DataFrame:
    """Analyses ``crosswalk`` and ``crosswalk_rules``: how many values differ, how far, and why.

    Parameters
    ----------
    compared
        From `compare_presets`. A parameter in which no value differs has its row too,
        with a count of 0.
    adppx
        Dataset ADPPX.
    subjects
        Subjects of the kinetics set.
    """
    collector = ResultCollector(STAGE)
    counted = compared[compared["USUBJID"].isin(subjects)]
    differing = adppx[adppx["USUBJID"].isin(subjects)]
    for preset, parameters in counted.groupby("PRESET", sort=True):
        rows = differing[differing["PRESET"] == preset]
        for (analyte, code), values in parameters.groupby(["ANALYTE", "PARAMCD"], sort=True):
            found = rows[(rows["PARCAT1"] == analyte) & (rows["PARAMCD"] == code)]
            ratio = found["RATIO"].dropna()
            statistics = {
                "n_diff": len(found),
                "n_ratio": len(ratio),
                "n_gained": int((found["AVAL"].isna() & found["AVALX"].notna()).sum()),
                "n_lost": int((found["AVAL"].notna() & found["AVALX"].isna()).sum()),
            }
            spread = {
                "median": float(ratio.median()) if len(ratio) else math.nan,
                "min": float(ratio.min()) if len(ratio) else math.nan,
                "max": float(ratio.max()) if len(ratio) else math.nan,
            }
            add = partial(
                collector.add,
                variable=str(code),
                analyte=str(analyte),
                dataset="ADPPX",
                n=len(values),
            )
            add(
                "crosswalk",
                {"n": len(values), **statistics, **spread},
                by={"preset": str(preset)},
                where=f"{POPULATION}; PRESET = {preset}",
                method="count of values that differ by more than 1e-9; ratios of those above 0",
                notes={} if len(ratio) else dict.fromkeys(spread, "NOVALUE"),
            )
            every = (found["RULES"] + ";" + found["JOINT"]).str.split(";").explode()
            counts = every[every != ""].value_counts()
            for rule in sorted(counts.index, key=lambda name: int(name[1:])):
                add(
                    "crosswalk_rules",
                    {"n": int(counts[rule])},
                    by={"preset": str(preset), "rule": str(rule)},
                    where=f"{POPULATION}; PRESET = {preset}; {rule} in RULES or JOINT",
                    method="count",
                )
    return collector.frame()

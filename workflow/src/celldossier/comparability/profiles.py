"""Concentrations over nominal time of each group, as measured."""

from __future__ import annotations

import math

from celldossier.comparability.groups import KEY
from celldossier.comparability.study import Study
from celldossier.results import ResultCollector, explain_missing
from celldossier.stats.descriptive import describe

FEW = 3
"""Samples of a day below which no median is given."""


def summarise_profiles(study: Study, out: ResultCollector) -> None:
    """Add `profile`: median and quartiles of each analyte, group and nominal day (d).

    Results below the limit of quantitation stand at the limit, so that a group whose assay has a
    lower limit falls lower: where the assay differs, the profiles are not of one kind.
    """
    adpc = study.sources.adpc
    samples = adpc.loc[
        adpc["PARAMCD"].isin(study.analytes)
        & (adpc["ANL01FL"] == "Y")
        & (adpc["DOSENO"] == 1)
        & (adpc["AFRLT"] > 0)
        & adpc["NFRLT"].notna()
    ]
    shown = samples["AVAL"].where(samples["BLQFL"] != "Y", samples["ALLOQ"])
    samples = samples.assign(SHOWN=shown)[shown.notna()]
    kinetics = study.subjects.loc[study.subjects["PKFL"] == "Y", [*KEY, "GROUP"]]
    joined = samples.merge(kinetics, on=KEY, how="inner")
    joined = joined.loc[joined["GROUP"].isin(study.groups)]
    for (analyte, group, day), rows in joined.groupby(["PARAMCD", "GROUP", "NFRLT"], sort=True):
        block = describe(rows["SHOWN"].to_numpy(dtype=float))
        few = block["n"] < FEW
        statistics = {"n": block["n"]} | {
            name: math.nan if few else block[name] for name in ("median", "q1", "q3")
        }
        out.add(
            "profile",
            statistics,
            dataset="ADPC",
            variable="AVAL",
            analyte=str(analyte),
            by={"group": str(group), "day": f"{day:g}"},
            where="ANL01FL = Y, DOSENO = 1, PKFL = Y",
            unit=str(rows["AVALU"].iloc[0]),
            units={"n": ""},
            n=float(rows["USUBJID"].nunique()),
            method="results below the limit of quantitation at the limit",
            notes=explain_missing(statistics, "FEWVAL"),
        )

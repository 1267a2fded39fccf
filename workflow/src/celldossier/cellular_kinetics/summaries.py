"""Analysis results of the cellular kinetics: concentrations, parameters, ratios of groups."""

from __future__ import annotations

import pandas as pd

from celldossier.cellular_kinetics.groups import add_block, list_groups, withhold_geometric
from celldossier.cellular_kinetics.phase_summaries import add_phases
from celldossier.cellular_kinetics.ratios import add_ratios
from celldossier.cellular_kinetics.rescue import add_rescue_timing
from celldossier.results import ResultCollector
from celldossier.settings.kinetics_summaries import KineticsSummaries

STAGE = "cellular_kinetics"
POPULATION = "ADSL.PKFL = Y"

UNGATED = {"LAMZ": "LAMZRAW", "LAMZHL": "LAMZHLR"}
"""Gated parameter and its raw twin, summarised side by side (R17)."""


def summarise_kinetics(
    adnca: pd.DataFrame,
    adpp: pd.DataFrame,
    levels: pd.DataFrame,
    adcm: pd.DataFrame,
    adph: pd.DataFrame,
    settings: KineticsSummaries,
) -> pd.DataFrame:
    """All analysis results of the stage (dataset ARD).

    Parameters
    ----------
    adnca, adpp
        Datasets of the stage.
    levels
        From `derive_subject_levels`: the subjects of the kinetics population.
    adcm
        Medications, for the time of the rescue medication against the peak.
    adph
        Dataset ADPH.
    settings
        Groupings of the parameters.

    Returns
    -------
    DataFrame
        Analyses ``concentration``, ``summary``, ``reasons``, ``ungated``,
        ``summary_sensitivity``, ``ratio``, ``heterogeneity``, ``ratio_by_response``,
        ``rescue_timing``, ``phase_pattern``, ``phase`` and ``phase_reason``.
    """
    collector = ResultCollector(STAGE)
    _add_concentrations(collector, adnca[adnca["USUBJID"].isin(levels.index)], levels)
    parameters = adpp[adpp["USUBJID"].isin(levels.index)]
    _add_parameters(collector, parameters, levels, settings)
    _add_sensitivity(collector, parameters, adnca, levels)
    add_ratios(collector, parameters, levels, settings)
    add_rescue_timing(collector, parameters, adcm)
    add_phases(collector, adph, levels)
    return collector.frame()


def visit_name(nominal: float) -> str:
    """Level of the grouping variable `visit`: the nominal day as text."""
    return f"{nominal:g}"


def displayed_samples(adnca: pd.DataFrame) -> pd.DataFrame:
    """Results at a nominal time, without repeated samples and those of another time or course.

    The further variable KNOWN is the concentration, missing where it is below the
    limit (also where the NCA imputed a value).
    """
    result = (adnca["BLQFL"] == "Y") | adnca["AVAL"].notna()
    out = adnca["NCAXRS"].isin(["MISSING", "SCREEN", "DUPREC", "NOTIME", "AFTREINF"])
    shown = adnca[result & ~out & adnca["NRRLT"].notna() & (adnca["DTYPE"] != "START0")]
    return shown.assign(KNOWN=shown["AVAL"].where(shown["BLQFL"] != "Y"))


def _add_concentrations(
    collector: ResultCollector, adnca: pd.DataFrame, levels: pd.DataFrame
) -> None:
    """Concentrations by nominal time; a BLQ result counts as 0 in the arithmetic statistics."""
    shown = displayed_samples(adnca)
    for group in list_groups(levels, (), ("dose",)):
        rows = shown[shown["USUBJID"].isin(group.subjects)]
        for (analyte, _), samples in rows.groupby(["PARAMCD", "NRRLT"], sort=True):
            known = samples["KNOWN"]
            n_blq = int(known.isna().sum())
            add_block(
                collector,
                "concentration",
                known.fillna(0.0),
                extra={"n_blq": n_blq},
                dataset="ADNCA",
                variable="CONC",
                analyte=str(analyte),
                by={"visit": visit_name(samples["NRRLT"].iloc[0]), **group.by},
                where=f"{POPULATION}; NCAXRS not MISSING, SCREEN, DUPREC, NOTIME; BLQ as 0",
                unit=samples["AVALU"].iloc[0],
                withheld=withhold_geometric(n_blq, len(samples)),
            )


def _add_parameters(
    collector: ResultCollector,
    parameters: pd.DataFrame,
    levels: pd.DataFrame,
    settings: KineticsSummaries,
) -> None:
    """Parameters in every grouping, also where a group has no value, and why values are missing."""
    groupings: list[tuple[str, ...]] = [(), *((key,) for key in settings.groupings)]
    if {"dose", "indication"} <= set(settings.groupings):
        groupings.append(("dose", "indication"))
    groups = [*list_groups(levels, *groupings)]
    flagged = parameters.assign(ALLBLQ=_is_all_blq(parameters))
    for (analyte, code), rows in flagged.groupby(["PARCAT1", "PARAMCD"], sort=True):
        known = sorted(set(rows["PPREASND"]) - {""})
        for group in groups:
            part = rows[rows["USUBJID"].isin(group.subjects)]
            add_block(
                collector,
                "summary",
                part["AVAL"],
                extra={"n_nc": int(part["AVAL"].isna().sum()), "n_blq": int(part["ALLBLQ"].sum())},
                dataset="ADPP",
                variable=str(code),
                analyte=str(analyte),
                by=group.by,
                where=POPULATION,
                unit=rows["AVALU"].iloc[0],
            )
            # A reason that occurs in one group is 0 in the others, not blank.
            for reason in known:
                collector.add(
                    "reasons",
                    {"n": int((part["PPREASND"] == reason).sum())},
                    dataset="ADPP",
                    where=POPULATION,
                    n=len(part),
                    method="count",
                    variable=str(code),
                    analyte=str(analyte),
                    by={"reason": reason, **group.by},
                )
    for gated, raw in UNGATED.items():
        twins = parameters[parameters["PARAMCD"] == raw]
        for analyte, rows in twins.groupby("PARCAT1", sort=True):
            for group in groups:
                part = rows[rows["USUBJID"].isin(group.subjects)]
                add_block(
                    collector,
                    "ungated",
                    part["AVAL"],
                    extra={"n_nc": int(part["AVAL"].isna().sum())},
                    dataset="ADPP",
                    variable=gated,
                    analyte=str(analyte),
                    by=group.by,
                    where=f"{POPULATION}; values of {raw}",
                    unit=rows["AVALU"].iloc[0],
                )


def _is_all_blq(rows: pd.DataFrame) -> pd.Series:
    """Whether a value stands for all results below the limit of quantitation."""
    return rows["FLAG"].str.split(";").map(lambda flags: "BLQALL" in flags).astype(bool)


def _add_sensitivity(
    collector: ResultCollector, parameters: pd.DataFrame, adnca: pd.DataFrame, levels: pd.DataFrame
) -> None:
    """CMAX with all-BLQ subjects at half of their LLOQ, and areas without early samples (R9)."""
    # Where the limit changed within a subject, only the highest bounds all its results.
    limits = adnca[adnca["ARRLT"] > 0].groupby(["USUBJID", "PARAMCD"])["ALLOQ"].max()
    replaced = parameters[parameters["PARAMCD"] == "CMAX"].copy()
    keys = pd.MultiIndex.from_frame(replaced[["USUBJID", "PARCAT1"]])
    half = pd.Series(limits.reindex(keys).to_numpy() / 2, index=replaced.index)
    replaced["AVAL"] = replaced["AVAL"].where(~_is_all_blq(replaced), half)
    early = parameters[parameters["PARAMCD"].str.fullmatch(r"AUC[0-9P]+XE")].copy()
    early["PARAMCD"] = early["PARAMCD"].str.removesuffix("XE")
    for rows, what in ((replaced, "all-BLQ subjects at LLOQ/2"), (early, "without early samples")):
        for (analyte, code), values in rows.groupby(["PARCAT1", "PARAMCD"], sort=True):
            for group in list_groups(levels, (), ("dose",)):
                part = values[values["USUBJID"].isin(group.subjects)]
                add_block(
                    collector,
                    "summary_sensitivity",
                    part["AVAL"],
                    extra={"n_nc": int(part["AVAL"].isna().sum())},
                    dataset="ADPP",
                    variable=str(code),
                    analyte=str(analyte),
                    by=group.by,
                    where=f"{POPULATION}; {what}",
                    unit=values["AVALU"].iloc[0],
                )

"""Comparability: before and after a manufacturing change (guideline 8.4), from earlier datasets.

Analyses, for tables and templates. The level of `group` is the group itself, or, in a contrast, the
group after the change that is compared with the reference:

=================== ============================ ============ ==================================
analysis            variable                     by           statistics
=================== ============================ ============ ==================================
change              none                         none         n_groups, reference; missing with
                                                              the reason where nothing compares
group_count         LOTID, USUBJID               group        n; of lots n_released, n_infused;
                                                              of subjects n_kinetics, n_efficacy
group_none          LOTID, USUBJID               reason       n of those in no group
assay               PCMETHOD, PCASSAYV, PCNAM,   group        n_samples, levels
                    ALLOQ
assay_aspect        the same                     group        state, distance
assay_gate          PCASSAYV                     group        state, reason
attribute           quality attribute            group        block
attribute_contrast  quality attribute            group        n_test, n_reference, estimate with
                                                              limits, eq_low, eq_high, p, differs,
                                                              scale, no_difference, verdict
attribute_range     quality attribute            range        n, factor, centre, low, high
attribute_inside    quality attribute            group,       n, denominator, pct with limits (%)
                                                 range
exposure            parameter                    approach,    block, n_zero
                                                 group
ratio               parameter                    approach,    n_test, n_reference, gmr with
                                                 group,       limits, sd, se, se_bridge, verdict,
                                                 model        role (PRIMARY, SENSITIVITY), cluster,
                                                              n_needed_test, n_needed_reference;
                                                              adjusted: n_lost, covariates
sensitivity         parameter                    the same     n_test, n_reference, gmr with
                                                              limits, verdict; SHIFT: no p_tost,
                                                              probability
balance             covariate                    group,       before, after
                                                 model,
                                                 level
profile             AVAL                         group, day   n, median, q1, q3
time_ratio          parameter that is a time     approach,    n_test, n_reference, ratio with
                                                 group        limits
outcome             RESPONSE, CRS, CRSGE3,       group        n, denominator, pct with limits (%)
                    ICANS, ICANSGE3
risk                the same                     group        n_test, n_reference, rd (%) and rr
                                                              with limits
marker              marker                       group,       block
                                                 parameter,
                                                 specimen
marker_ratio        marker                       the same     n_test, n_reference, gmr with limits
=================== ============================ ============ ==================================

A verdict is margin_lower, margin_upper, p_tost, probability (%) and verdict (WITHIN, NOTWITHIN).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from celldossier.comparability.attribute_ranges import summarise_ranges
from celldossier.comparability.attributes import summarise_attributes
from celldossier.comparability.gate import check_gates, summarise_gates
from celldossier.comparability.kinetics import summarise_exposure, summarise_times
from celldossier.comparability.kinetics_ratio import summarise_ratios
from celldossier.comparability.outcomes import summarise_markers, summarise_outcomes
from celldossier.comparability.profiles import summarise_profiles
from celldossier.comparability.sensitivity import summarise_sensitivity
from celldossier.comparability.study import BridgeUse, Sources, Study, read_study
from celldossier.results import ResultCollector
from celldossier.settings.comparability import ComparabilitySettings


@dataclass(frozen=True)
class Comparability:
    """What the stage hands on."""

    results: pd.DataFrame


def compare_groups(
    sources: Sources,
    settings: ComparabilitySettings,
    primary_analyte: str,
    bridges: dict[str, tuple[BridgeUse, ...]] | None = None,
) -> Comparability:
    """Run the stage; `primary_analyte` is that of the settings of the kinetics.

    `bridges` are those of `read_bridges`, by analyte.

    Where no change is declared, or the data hold one group only, the results say so and hold
    nothing else.
    """
    study = read_study(sources, settings, primary_analyte, bridges)
    out = ResultCollector("comparability")
    summarise_change(study, out)
    if not study.missing:
        summarise_groups(study, out)
        gates = check_gates(study)
        summarise_gates(study, gates, out)
        summarise_attributes(study, out)
        summarise_ranges(study, out)
        summarise_exposure(study, gates, out)
        summarise_ratios(study, gates, out)
        summarise_sensitivity(study, gates, out)
        summarise_times(study, gates, out)
        summarise_profiles(study, out)
        summarise_outcomes(study, out)
        summarise_markers(study, out)
    return Comparability(out.frame())


def summarise_change(study: Study, out: ResultCollector) -> None:
    """Add `change`: what is compared with what, or why nothing is."""
    compared: dict[str, float | str] = {
        "n_groups": float(len(study.groups)) if study.groups else math.nan,
        "reference": study.reference if study.groups else math.nan,
        "by": study.settings.by if study.groups else math.nan,
    }
    out.add(
        "change",
        compared,
        dataset="ADPQ",
        where="all lots",
        n=float(len(study.subjects)),
        notes=dict.fromkeys(compared, study.missing) if study.missing else {},
    )


def summarise_groups(study: Study, out: ResultCollector) -> None:
    """Add `group_count` of lots and subjects, and `group_none` for subjects in no group."""
    lots, subjects = study.lots, study.subjects
    for group in study.groups:
        own = lots.loc[lots["GROUP"] == group]
        out.add(
            "group_count",
            {
                "n": float(len(own)),
                "n_released": float((own["RELSTAT"] == "RELEASED").sum()),
                "n_infused": float((own["INFUSFL"] == "Y").sum()),
            },
            dataset="ADPQ",
            variable="LOTID",
            by={"group": group},
            n=float(len(own)),
        )
        treated = subjects.loc[subjects["GROUP"] == group]
        out.add(
            "group_count",
            {
                "n": float(len(treated)),
                "n_kinetics": float((treated["PKFL"] == "Y").sum()),
                "n_efficacy": float((treated["EFFFL"] == "Y").sum()),
            },
            dataset="ADSL",
            variable="USUBJID",
            by={"group": group},
            where="SAFFL = Y",
            n=float(len(treated)),
        )
    alone = float((lots["GROUP"] == "").sum())
    # By the version of the assay no lot has a group.
    if alone and study.settings.by != "ASSAY":
        out.add(
            "group_none",
            {"n": alone},
            dataset="ADPQ",
            variable="LOTID",
            by={"reason": "NOLOTGRP"},
            n=alone,
        )
    for reason in sorted(set(subjects["GRPRSN"]) - {""}):
        count = float((subjects["GRPRSN"] == reason).sum())
        out.add(
            "group_none",
            {"n": count},
            dataset="ADSL",
            variable="USUBJID",
            by={"reason": reason},
            where="SAFFL = Y",
            n=count,
        )

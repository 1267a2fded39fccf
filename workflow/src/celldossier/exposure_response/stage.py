"""Exposure-response, from the datasets of earlier stages to ADER, results and curves.

Analyses (all with the analyte of the settings), for tables, figures and templates:

=================== ================= ================================== ======================
analysis            variable          by                                 statistics
=================== ================= ================================== ======================
plan                endpoint code     metric, adjustment, population     role, family, status,
                                                                         model, covariates,
                                                                         reason (all text)
logistic            endpoint code     metric, adjustment, population     n, events, or, or_low,
                                                                         or_high, p, log_or, se,
                                                                         auc_roc, separation,
                                                                         model; n_er = n +
                                                                         n_nooutcome + n_onset +
                                                                         n_noexposure + n_blq +
                                                                         n_nocovariate
fisher              endpoint code     metric, population                 events_high, n_high,
                                                                         events_low, n_low, p
quartiles           endpoint code     metric                             bins
quartiles           endpoint code     metric, bin                        n, events, pct, ci_low,
                                                                         ci_high, exposure_min,
                                                                         exposure_max,
                                                                         pct_predicted
multiplicity        endpoint code     metric, adjustment, population     p, q, family,
                                                                         prespecified
ratio_by_response   metric            endpoint, population               gmr, gmr_low, gmr_high,
                                                                         p_wilcoxon, block with
                                                                         _event and _noevent
grade_summary       metric            endpoint (CRSGR, ICANSGR), grade   block, values
grade_trend         metric            endpoint (CRSGR, ICANSGR)          n, z, p, q
ordinal             CRSGR, ICANSGR    metric, adjustment                 n, events, or, or_low,
                                                                         or_high, p, po_chisq,
                                                                         po_df, po_p, po_levels,
                                                                         po_verdict
cumulative          CRSGR, ICANSGR    metric, adjustment, grade (GE1..)  n, events, or, or_low,
                                                                         or_high, p
covariate_forest    metric            covariate, level                   gmr, gmr_low, gmr_high,
                                                                         p, q, n, n_reference,
                                                                         reference (text) or
                                                                         x_low, x_high
rescue_ratio        metric            term (TOCILIZUMAB, STEROID)        gmr, gmr_low, gmr_high,
                                                                         n_given, n_without
=================== ================= ================================== ======================

Populations: PRIMARY; UNKNOWN_EXCLUDED (or UNKNOWN_NONRESPONDER, whichever is not
primary); LANDMARK (metrics CLD3, CLD7); BLQ_HALF_LLOQ. Adjustments: UNADJUSTED,
TUMOUR_BURDEN, FULL. Odds ratios are per doubling of the metric. Bins: Q1-Q4, T1-T3
or H1-H2. A refused model has its statistics empty with the reason code as note; the
OR of a separated model carries the note SEPARFIX.

Curves: `exposure_response.probability/<ENDPOINT>/<METRIC>`, x = log2 exposure, y =
probability; series ``fit`` (kind fit) and ``observed`` (kind observed, one point a bin).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.datasets import conform
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.binary import collect_models, run_cell
from celldossier.exposure_response.covariates import collect_forest, collect_rescue_ratios
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.groups import (
    collect_event_ratios,
    collect_grades,
    collect_ordinal,
)
from celldossier.exposure_response.observed import collect_observed_rates
from celldossier.exposure_response.plan import make_plan
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings


@dataclass(frozen=True)
class ExposureResponse:
    """What the stage hands on."""

    ader: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def analyse_exposure_response(
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    adpc: pd.DataFrame,
    adpp: pd.DataFrame,
    adae: pd.DataFrame,
    adfa: pd.DataFrame,
    adrs: pd.DataFrame,
    adcm: pd.DataFrame,
    adpq: pd.DataFrame,
    settings: ExposureResponseSettings,
) -> ExposureResponse:
    """Derive ADER, run the plan of models, and describe exposure by outcome and covariate."""
    endpoints = read_endpoints(settings.endpoints)
    ader = derive_ader(adsl, adex, adpc, adpp, adae, adfa, adrs, adcm, adpq, settings)
    units = _units(adpc, adpp, settings.analyte)
    out = ResultCollector("exposure_response")
    cells = [run_cell(ader, cell, settings) for cell in make_plan(settings, endpoints)]
    collect_models(cells, settings, out)
    curves = collect_observed_rates(cells, settings, units, out)
    collect_event_ratios(ader, endpoints, settings, out)
    collect_grades(ader, settings, units, out)
    collect_ordinal(ader, settings, out)
    collect_forest(ader, settings, out)
    collect_rescue_ratios(ader, settings, out)
    return ExposureResponse(ader, out.frame(), conform(curves, "CURVES"))


def _units(adpc: pd.DataFrame, adpp: pd.DataFrame, analyte: str) -> dict[str, str]:
    """Unit of each metric of the analyte."""
    parameters = adpp.loc[(adpp["PARCAT1"] == analyte) & (adpp["AVALU"] != "")]
    units = dict(zip(parameters["PARAMCD"], parameters["AVALU"], strict=True))
    concentration = adpc.loc[(adpc["PARAMCD"] == analyte) & (adpc["ANL01FL"] == "Y"), "AVALU"]
    if len(concentration):
        units |= {"CLD3": str(concentration.iloc[0]), "CLD7": str(concentration.iloc[0])}
    return units

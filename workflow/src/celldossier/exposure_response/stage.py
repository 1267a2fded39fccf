"""Exposure-response, from the datasets of earlier stages to ADER, results and curves.

Each family of models (`FAMILIES`) makes its cells of the plan from the settings before
any model is fitted, then runs them.

Analyses (all with the analyte of the settings), for tables, figures and templates:

=================== ================= ================================== ======================
analysis            variable          by                                 statistics
=================== ================= ================================== ======================
plan                endpoint code     metric, adjustment, population,    role, family, status,
                                      model                              method, covariates,
                                                                         landmark, reason (all
                                                                         text)
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
multiplicity        endpoint code     metric, adjustment, population,    p, q, family,
                                      model                              prespecified
ratio_by_response   metric            endpoint, population               gmr, gmr_low, gmr_high,
                                                                         p_wilcoxon, block with
                                                                         _event and _noevent
grade_summary       metric            endpoint (CRSGR, ICANSGR), grade   block, values
grade_trend         metric            endpoint (CRSGR, ICANSGR)          n, z, p, q
ordinal             CRSGR, ICANSGR    metric, adjustment                 n, events, or, or_low,
                                                                         or_high, p, po_chisq,
                                                                         po_df, po_p, po_levels,
                                                                         po_verdict; counts as in
                                                                         logistic
cumulative          CRSGR, ICANSGR    metric, adjustment, grade (GE1..)  n, events, or, or_low,
                                                                         or_high, p
covariate_forest    metric            covariate, level                   gmr, gmr_low, gmr_high,
                                                                         p, q, n, n_reference,
                                                                         reference (text) or
                                                                         x_low, x_high
predicted_          endpoint code     metric, adjustment, at (P50,       n, events, n_exposure,
probability                           DOSE.<level>, VALUE.<value>)       exposure, pct, ci_low,
                                                                         ci_high
predicted_grade     CRSGR, ICANSGR    metric, adjustment, at, grade      n, exposure, pct,
                                                                         ci_low, ci_high
predicted_survival  endpoint code     metric, adjustment, at, month      n, events, exposure,
                                                                         pct, ci_low, ci_high
exposure_by_dose    metric            dose                               block
subgroup            endpoint code     metric, subgroup, level            n, events, n_left_out,
                                                                         or, or_low, or_high, p
subgroup_           endpoint code     metric, subgroup                   chi_squared, df, p, q,
interaction                                                              n_levels, n_unknown, cut
event_features      CRS, ICANS        metric, bin (also ALL)             n, n_known, n_event, ...
plan_summary        endpoint code or  (model)                            n_planned, n_run,
                    blank                                                n_refused, n_primary,
                                                                         n_secondary,
                                                                         n_sensitivity
covariate_model     metric                                               n, parameters,
                                                                         subjects_per_parameter,
                                                                         condition, max_vif,
                                                                         r_squared, n_incomplete,
                                                                         imputations, verdict
covariate_full      metric            covariate, level                   gmr, gmr_low, gmr_high,
                                                                         p, q, n, n_level, vif,
                                                                         boot_low, boot_high, gmr
                                                                         with _complete, and as
                                                                         covariate_forest
covariate_missing   metric            covariate                          n, n_missing,
                                                                         pct_missing, handling,
                                                                         reason
covariate_selection metric            covariate, level                   frequency, simultaneous,
                                                                         boot_inclusion, selected,
                                                                         sign
covariate_          metric                                               n, candidates, entering,
selection_rule                                                           threshold, halves, bound,
                                                                         samples, imputations
product_exposure    metric            covariate, adjustment              gmr, gmr_low, gmr_high,
                                                                         slope, sd, p, q, n
covariate_outcome   endpoint code     covariate, level, model            ratio, ratio_low,
                                                                         ratio_high, p, q, n,
                                                                         events, measure, model;
                                                                         ratio with _complete
covariate_outcome_  endpoint code     model                              n, events, parameters,
model                                                                    events_per_parameter,
                                                                         n_incomplete,
                                                                         imputations, verdict,
                                                                         model
covariate_outcome_  endpoint code     covariate, model                   n, n_missing, handling,
missing                                                                  reason
dose_exposure       metric            dose_metric, analysis (ALL,        n, n_er = n + n_nodose +
                                      TUMOUR_BURDEN, STUDYID, INDIC),    n_noexposure + n_blq +
                                      level (ALL, or of the variable)    n_nocovariate; slope,
                                                                         slope_low, slope_high,
                                                                         slope_se, p_zero, p_one,
                                                                         r2, region_low,
                                                                         region_high, dose_ratio,
                                                                         dose_min, dose_max,
                                                                         rdnm, rdnm_low,
                                                                         rdnm_high, max_ratio,
                                                                         verdict; n_rank, rho,
                                                                         rho_low, rho_high, rho_p
dose_exposure_test  metric            dose_metric, analysis (STUDYID,    n, n_levels, f, df,
                                      INDIC)                             df_residual, p
dose_response       endpoint code     metric (of dose), adjustment       n, events, n_infused = n +
                                      (UNADJUSTED, EXPOSURE)             n_nooutcome + n_early +
                                                                         n_nodose + n_noexposure +
                                                                         n_late;
                                                                         measure (OR, HR), method,
                                                                         exposure_metric, ratio,
                                                                         ratio_low, ratio_high, p,
                                                                         log_ratio, se, dose_min,
                                                                         dose_max, correlation;
                                                                         ph_p (HR)
dose_rate           endpoint code     dose                               n, events, pct, pct_low,
                                                                         pct_high, order
dose_trend          endpoint code     none                               n, events, z, p,
                                                                         p_asymptotic
interaction         endpoint code     metric, modifier                   n, events, ratio,
                                                                         ratio_low, ratio_high,
                                                                         p, model
interaction_level   endpoint code     metric, modifier, level            n, events, or, or_low,
                                                                         or_high, at
sensitivity         endpoint code     metric, adjustment, population     n, events, n_primary,
                                                                         or, or_low, or_high, p,
                                                                         model
confounding         endpoint code     metric                             n, events, or, or_low,
                                                                         or_high, p, log_or with
                                                                         _unadjusted, _adjusted
                                                                         and _burden;
                                                                         percent_change, model
rescue_ratio        metric            term (TOCILIZUMAB, STEROID)        gmr, gmr_low, gmr_high;
                                                                         n, geomean, gcv, n_zero
                                                                         with _given, _without
rescue_by_grade     metric            term, grade (of CRS)               as rescue_ratio
rescue_course       TOCILIZUMAB,      event (FROM_ONSET, TO_PEAK)        n, median, min, max,
                    STEROID                                              n_given, n_unknown,
                                                                         n_after, n_not_after
weight_strata       metric            term, grade                        n_given, n_without
weighted_ratio      metric            term, population (CRS,             naive and gmr with
                                      CRS_OVERLAP)                       limits, p, weight_min,
                                                                         weight_max, truncated,
                                                                         ess, ess_given,
                                                                         ess_without; n_crs =
                                                                         n_given + n_without +
                                                                         n_unknown_treatment +
                                                                         n_noexposure +
                                                                         n_nocovariate + n_grade
weight_balance      metric            term, population, covariate        smd_before, smd_after
evaluation          endpoint code     metric, adjustment, population     see `evaluation`
calibration_group   endpoint code     metric, adjustment, population,    n, events, predicted,
                                      group                              pct, ci_low, ci_high
leave_out           endpoint code     metric, factor, level              n, n_left_out, events,
                                                                         or, or_low, or_high, p
ordinal_influence   grade code        metric, adjustment                 or, or_min, or_max,
                                                                         dfbetas_max,
                                                                         n_influential
ordinal_cut         grade code        metric, adjustment, grade          n, events, auc, brier,
                                                                         slope, predicted, pct
count               endpoint code     metric, adjustment, population     n, events (total), n_with,
                                                                         follow_up (years), rr,
                                                                         rr_low, rr_high, p,
                                                                         pearson, p_dispersion,
                                                                         alpha, model, offset
hazard              endpoint code     metric (CCURR), adjustment,        n, days, events,
                                      population (AT_RISK)               days_noexposure,
                                                                         events_noexposure, or,
                                                                         or_low, or_high, p,
                                                                         baseline_df, model
emax                endpoint code     metric, model (EMAX, SIGMOID)      n, events, e0, emax, ec50,
                                                                         ec50_low, ec50_high,
                                                                         hill, aicc, aicc_linear,
                                                                         aicc_difference,
                                                                         supported (text)
biomarker           endpoint code     metric, adjustment, population     n, n_below, pct_below,
                                      (PRIMARY, ALL_SAMPLES)             ratio, ratio_low,
                                                                         ratio_high, p, r_squared
biomarker_rank      endpoint code     metric                             n, rho, rho_low,
                                                                         rho_high, p
repeated            endpoint code     metric (CCURR or of the profile),  n, values, ratio,
                                      adjustment, population             ratio_low, ratio_high, p,
                                                                         change, change_low,
                                                                         change_high, p_change
                                                                         (per week), sd_*, random
onset_peak          CRS, ICANS                                           n, n_event, n_nopeak,
                                                                         n_before, pct_before,
                                                                         ci_low, ci_high,
                                                                         median_onset,
                                                                         median_tmax
cox                 endpoint code     metric, adjustment, population     n, events, hr, hr_low,
                                                                         hr_high, p, log_hr, se,
                                                                         ph_p, concordance,
                                                                         concordance_se,
                                                                         monotone, n_competing;
                                                                         n_er = n + n_nooutcome +
                                                                         n_before +
                                                                         n_noexposure + n_late +
                                                                         n_blq + n_nocovariate
cox_timedep         as cox            as cox                             as cox
log_rank            endpoint code     metric, split (HALF, TERTILE)      n, events, chisq, df, p,
                                                                         n_before, ...
survival_groups     endpoint code     metric, split, group               n, events, median,
                                                                         median_low,
                                                                         median_high, begin,
                                                                         exposure_min,
                                                                         exposure_max
survival_at         endpoint code     metric, split, group, time         survival, survival_low,
                                                                         survival_high, n_at_risk
survival_at_risk    endpoint code     metric, split, group, day          n
=================== ================= ================================== ======================

Populations: PRIMARY; UNKNOWN_EXCLUDED (or UNKNOWN_NONRESPONDER, whichever is not
primary); LANDMARK (metrics CLD3, CLD7); BLQ_HALF_LLOQ; DOSE (all infused subjects,
metrics of dose). Adjustments: UNADJUSTED, TUMOUR_BURDEN, FULL; EXPOSURE in the population
DOSE. Odds ratios are per doubling of the metric. Bins: Q1-Q4, T1-T3 or H1-H2. A refused
model has its statistics empty with the reason code as note; the OR of a separated model
carries the note SEPARFIX.

Curves: `exposure_response.probability/<ENDPOINT>/<METRIC>`, x = log2 exposure, y =
probability; series ``fit`` (kind fit) and ``observed`` (kind observed, one point a bin).
`exposure_response.benefit_risk/<METRIC>`: a series an endpoint, by the primary adjustment.
`exposure_response.dose_exposure/<METRIC>/<DOSE>` and `.dose_proportional/...`, a series a
study, x = dose, y = exposure.
`exposure_response.biomarker/<ENDPOINT>/<METRIC>`, x = log2 exposure, y = marker; series ``fit``.

`exposure_response.survival/<ENDPOINT>/<METRIC>/<SPLIT>`: x = days on the clock of the endpoint, y =
per cent without the event; series H1, H2 or T1 to T3, lowest exposure first.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import pandas as pd

from celldossier.datasets import conform
from celldossier.exposure_response import (
    binary,
    biomarkers,
    counts,
    dose_response,
    emax,
    grades,
    hazard,
    interaction,
    repeated_markers,
    sensitivity,
    time_to_event,
)
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.confounding import collect_confounding
from celldossier.exposure_response.covariate_exposure import collect_covariate_models
from celldossier.exposure_response.covariate_outcomes import collect_outcome_covariates
from celldossier.exposure_response.covariate_product import collect_product_exposure
from celldossier.exposure_response.covariates import collect_forest
from celldossier.exposure_response.dose_exposure import collect_dose_exposure
from celldossier.exposure_response.dose_metrics import read_dose_units
from celldossier.exposure_response.endpoint_values import derive_endpoints
from celldossier.exposure_response.endpoints import read_endpoints
from celldossier.exposure_response.evaluation import collect_evaluation, run_evaluated
from celldossier.exposure_response.event_features import collect_event_features
from celldossier.exposure_response.groups import collect_event_ratios, collect_grades
from celldossier.exposure_response.leave_out import collect_leave_out
from celldossier.exposure_response.onset import collect_onset_and_peak
from celldossier.exposure_response.ordinal_evaluation import collect_ordinal_evaluation
from celldossier.exposure_response.plan import ModelOutcome
from celldossier.exposure_response.plan_results import collect_multiplicity, collect_plan
from celldossier.exposure_response.plan_summary import collect_plan_summary
from celldossier.exposure_response.rescue_medication import collect_rescue_medication
from celldossier.exposure_response.rescue_weighting import collect_rescue_weighting
from celldossier.exposure_response.study import Sources, Study
from celldossier.exposure_response.subgroups import collect_subgroups
from celldossier.results import ResultCollector
from celldossier.settings.exposure_response import ExposureResponseSettings

FAMILIES: tuple[ModuleType, ...] = (
    binary,
    grades,
    dose_response,
    interaction,
    sensitivity,
    counts,
    hazard,
    emax,
    biomarkers,
    repeated_markers,
    time_to_event,
)
"""Families of models: modules with `plan_cells(study)` and `run_cells(study, cells, out)`."""


@dataclass(frozen=True)
class ExposureResponse:
    """What the stage hands on."""

    ader: pd.DataFrame
    aderend: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def analyse_exposure_response(
    sources: Sources, settings: ExposureResponseSettings
) -> ExposureResponse:
    """Derive ADER and ADEREND, run the plan of models, and describe exposure.

    Raises
    ------
    ConfigError
        If the settings name an endpoint or a covariate that is not there.
    """
    study = prepare_study(sources, settings)
    out = ResultCollector("exposure_response")
    plan = [(family, family.plan_cells(study)) for family in FAMILIES]
    outcomes: list[ModelOutcome] = []
    curves: list[object] = []
    for family, cells in plan:
        output = family.run_cells(study, cells, out)
        outcomes += output.outcomes
        curves += output.curves
    collect_plan(outcomes, settings.analyte, out)
    collect_plan_summary(outcomes, settings.analyte, out)
    collect_multiplicity(outcomes, settings.analyte, out)
    collect_event_ratios(study, out)
    collect_grades(study, out)
    collect_subgroups(study, out)
    collect_event_features(study, out)
    curves += collect_dose_exposure(study, out)
    collect_onset_and_peak(study, out)
    collect_forest(study.ader, settings, out)
    collect_covariate_models(study, out)
    collect_product_exposure(study, out)
    collect_outcome_covariates(study, out)
    collect_confounding(study, out)
    collect_rescue_medication(study, out)
    collect_rescue_weighting(study, out)
    evaluated = run_evaluated(study)
    curves += collect_evaluation(study, evaluated, out)
    collect_leave_out(study, evaluated, out)
    collect_ordinal_evaluation(study, out)
    return ExposureResponse(
        study.ader, study.aderend, out.frame(), conform(pd.DataFrame(curves), "CURVES")
    )


def prepare_study(sources: Sources, settings: ExposureResponseSettings) -> Study:
    """ADER and ADEREND of the sources, with the endpoints and units that belong to them."""
    endpoints = read_endpoints(settings)
    ader = derive_ader(sources, settings)
    aderend = derive_endpoints(sources, ader, endpoints)
    units = read_units(sources, settings)
    return Study(sources, settings, endpoints, ader, aderend, units)


def read_units(sources: Sources, settings: ExposureResponseSettings) -> dict[str, str]:
    """Unit of each metric of the analyte."""
    adpp, adpc, analyte = sources.adpp, sources.adpc, settings.analyte
    parameters = adpp.loc[(adpp["PARCAT1"] == analyte) & (adpp["AVALU"] != "")]
    units = dict(zip(parameters["PARAMCD"], parameters["AVALU"], strict=True))
    concentration = adpc.loc[(adpc["PARAMCD"] == analyte) & (adpc["ANL01FL"] == "Y"), "AVALU"]
    if len(concentration):
        units |= dict.fromkeys(("CLD3", "CLD7"), str(concentration.iloc[0]))
    at_site = sources.adtiss.loc[sources.adtiss["PARAMCD"] == analyte, "AVALU"]
    if len(at_site):
        units["CMAXSITE"] = str(at_site.iloc[0])
    return units | read_dose_units(sources.adex)

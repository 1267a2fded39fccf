"""The stage `cellular_kinetics`: from ADPC to parameters, analysis results and curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from celldossier.cellular_kinetics.analysis_datasets import (
    add_missing_profiles,
    derive_adlz,
    derive_adnca,
    derive_adpp,
    derive_nca_input,
    keep_dispositions,
    select_samples,
)
from celldossier.cellular_kinetics.assay_pairs import derive_adpair
from celldossier.cellular_kinetics.baseline_adjusted import add_change, blank_phases
from celldossier.cellular_kinetics.bridging import (
    derive_adppb,
    estimate_bridges,
    scale_samples,
)
from celldossier.cellular_kinetics.bridging_results import draw_bridges, summarise_bridging
from celldossier.cellular_kinetics.compartment_summaries import (
    draw_compartment_lines,
    summarise_compartments,
)
from celldossier.cellular_kinetics.compartments import check_specimens, derive_adtiss
from celldossier.cellular_kinetics.concordance import summarise_concordance
from celldossier.cellular_kinetics.crosswalk import compare_presets
from celldossier.cellular_kinetics.crosswalk_results import derive_adppx, summarise_crosswalk
from celldossier.cellular_kinetics.curves import summarise_profiles
from celldossier.cellular_kinetics.dose_profiles import (
    DOSE,
    assign_doses,
    has_repeat_doses,
    list_doses,
)
from celldossier.cellular_kinetics.dose_summaries import summarise_doses
from celldossier.cellular_kinetics.levels import derive_subject_levels
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.peaks import add_peaks_of_all_samples
from celldossier.cellular_kinetics.persistence import summarise_persistence
from celldossier.cellular_kinetics.phase_datasets import (
    add_phase_parameters,
    derive_adph,
    derive_phases,
    draw_phase_lines,
    find_repeat_infusion,
    mark_phases,
)
from celldossier.cellular_kinetics.quantifiability import (
    derive_adpers,
    list_planned_days,
    read_persistence,
)
from celldossier.cellular_kinetics.sampling import add_peak_gap, analyse_sampling
from celldossier.cellular_kinetics.sampling_summaries import summarise_sampling
from celldossier.cellular_kinetics.summaries import summarise_kinetics
from celldossier.cellular_kinetics.trend_summaries import summarise_trend
from celldossier.cellular_kinetics.window_decisions import split_windows
from celldossier.datasets import conform, empty_dataset
from celldossier.io.stages import STAGES
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


@dataclass(frozen=True)
class KineticsOutput:
    """What the stage hands on: its datasets, analysis results and curves."""

    adnca: pd.DataFrame
    adpp: pd.DataFrame
    adlz: pd.DataFrame
    adph: pd.DataFrame
    adsa: pd.DataFrame
    adppx: pd.DataFrame
    adpair: pd.DataFrame
    adppb: pd.DataFrame
    adtiss: pd.DataFrame
    adpers: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def analyse_cellular_kinetics(
    adpc: pd.DataFrame,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    adcm: pd.DataFrame,
    adpd: pd.DataFrame,
    adtte: pd.DataFrame,
    adbrg: pd.DataFrame,
    settings: CellularKineticsSettings,
    windows: pd.DataFrame | None = None,
) -> KineticsOutput:
    """NCA of every profile, and its summaries.

    Parameters
    ----------
    adpc
        Concentrations; those with ANL01FL = Y are analysed, those of other specimens are
        compared with the central compartment.
    adsl, adex, adrs, adcm, adtte
        Subjects (populations, dose levels, death), infusions, responses, medications, times to
        events.
    adpd
        Markers, among them images of the cells.
    adbrg
        Samples that two versions of an assay measured.
    settings
        Section `cellular_kinetics`.
    windows
        Reviewed lambda-z windows, from `check_windows` (R18). Where doses are repeated, one
        that names a dose is of that dose, one that names none is of the course.

    Returns
    -------
    KineticsOutput
        All datasets empty where there is no concentration.

    Raises
    ------
    InputDataError
        See `estimate_nca` and `select_samples`.
    """
    samples = select_samples(adpc)
    check_specimens(samples, settings.compartments)
    adtiss = derive_adtiss(adpc, adpd, adsl, adex, settings.compartments)
    distribution = summarise_compartments(adtiss)
    distribution_lines = draw_compartment_lines(adtiss)
    if samples.empty:
        datasets = STAGES["cellular_kinetics"].datasets
        empty = {name.lower(): empty_dataset(name) for name in datasets} | {"adtiss": adtiss}
        return KineticsOutput(
            **empty, results=distribution, curves=conform(distribution_lines, "CURVES")
        )
    profiles = add_missing_profiles(samples, adsl)
    given = derive_nca_input(profiles, adsl, adex, adcm)
    doses = list_doses(adex)
    repeated = has_repeat_doses(doses)
    assigned = assign_doses(given, doses, settings) if repeated else given
    of_course, of_doses = split_windows(windows, repeated)
    result = estimate_nca(assigned, settings, course=True, windows=of_course).as_text()
    bridges = estimate_bridges(adbrg, settings.bridging)
    scaled = scale_samples(given, profiles, bridges)
    if repeated and len(scaled.samples):
        scaled = replace(scaled, samples=assign_doses(scaled.samples, doses, settings))
    adppb = derive_adppb(scaled, profiles, result, adsl, settings, of_course)
    result = add_peaks_of_all_samples(result, given, settings)
    phases = derive_phases(given, settings, find_repeat_infusion(adex))
    phases = blank_phases(phases, settings.no_specific_marker)
    adph = derive_adph(phases, profiles, adsl)
    sampling = analyse_sampling(samples, result, adsl, adex, adrs, adcm, settings)
    result = add_peak_gap(result, sampling)
    kept = keep_dispositions(result, samples)
    adnca = derive_adnca(samples, kept, adsl, adex, doses)
    adnca = add_change(mark_phases(adnca, adph), settings.no_specific_marker)
    adpp = derive_adpp(profiles, add_phase_parameters(result, phases), adsl)
    adlz = derive_adlz(profiles, result)
    levels = derive_subject_levels(adsl, adrs, settings.summaries)
    curves = [summarise_profiles(adnca, levels), draw_phase_lines(adph)]
    crosswalk = compare_presets(assigned, settings, of_course)
    adppx = derive_adppx(crosswalk.differences, profiles)
    results = [
        summarise_kinetics(adnca, adpp, levels, adcm, adph, settings.summaries),
        summarise_crosswalk(crosswalk.compared, adppx, levels.index),
        summarise_sampling(
            sampling.compared,
            sampling.adsa,
            result.parameters.rename(columns={"ANALYTE": "PARCAT1"}),
            levels,
            settings.sampling,
        ),
    ]
    results.append(summarise_trend(adnca, levels))
    adpair = derive_adpair(samples, adsl, settings)
    concordance, lines = summarise_concordance(adpair, settings.concordance)
    facts, analyte = read_persistence(adtte, samples, levels.index, settings.primary_analyte)
    planned = list_planned_days(samples, analyte)
    adpers = derive_adpers(facts, analyte, planned, settings.persistence)
    duration, steps = summarise_persistence(adpers, facts, samples, levels, settings.persistence)
    bridging = summarise_bridging(adbrg, bridges, scaled, samples, levels.index)
    results += [concordance, duration, distribution, bridging]
    curves += [lines, steps, distribution_lines, draw_bridges(adbrg, bridges)]
    if repeated:
        each = estimate_nca(assigned, settings, windows=of_doses).as_text()
        kept = keep_dispositions(each, samples)
        adnca = _join(adnca, derive_adnca(samples, kept, adsl, adex, doses, DOSE), "ADNCA")
        by_dose = derive_adpp(profiles, each, adsl, DOSE)
        results.append(summarise_doses(by_dose, levels))
        adpp = _join(adpp, by_dose, "ADPP")
        adlz = _join(adlz, derive_adlz(profiles, each, DOSE), "ADLZ")
    return KineticsOutput(
        adnca=adnca,
        adpp=adpp,
        adlz=adlz,
        adph=adph,
        adsa=sampling.adsa,
        adppx=adppx,
        adpair=adpair,
        adppb=adppb,
        adtiss=adtiss,
        adpers=adpers,
        results=conform(pd.concat(results, ignore_index=True), "ARD"),
        curves=conform(pd.concat(curves, ignore_index=True), "CURVES"),
    )


def _join(course: pd.DataFrame, doses: pd.DataFrame, name: str) -> pd.DataFrame:
    """Records of the courses and of each dose as one dataset."""
    return conform(pd.concat([course, doses], ignore_index=True), name)

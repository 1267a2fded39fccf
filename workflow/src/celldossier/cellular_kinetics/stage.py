"""The stage `cellular_kinetics`: from ADPC to parameters, analysis results and curves."""

from __future__ import annotations

from dataclasses import dataclass

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
from celldossier.cellular_kinetics.curves import summarise_profiles
from celldossier.cellular_kinetics.groups import derive_subject_levels
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.summaries import summarise_kinetics
from celldossier.datasets import empty_dataset
from celldossier.settings.cellular_kinetics import CellularKineticsSettings


@dataclass(frozen=True)
class KineticsOutput:
    """What the stage hands on: datasets ADNCA, ADPP, ADLZ, its analysis results and curves."""

    adnca: pd.DataFrame
    adpp: pd.DataFrame
    adlz: pd.DataFrame
    results: pd.DataFrame
    curves: pd.DataFrame


def analyse_cellular_kinetics(
    adpc: pd.DataFrame,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    adcm: pd.DataFrame,
    settings: CellularKineticsSettings,
) -> KineticsOutput:
    """NCA of every profile, and its summaries.

    Parameters
    ----------
    adpc
        Concentrations; those with ANL01FL = Y are analysed.
    adsl, adex, adrs, adcm
        Subjects (populations, dose levels, death), infusions, responses, medications.
    settings
        Section `cellular_kinetics`.

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
    if samples.empty:
        return KineticsOutput(
            *(empty_dataset(name) for name in ("ADNCA", "ADPP", "ADLZ", "ARD", "CURVES"))
        )
    profiles = add_missing_profiles(samples, adsl)
    result = estimate_nca(derive_nca_input(profiles, adsl, adex, adcm), settings)
    adnca = derive_adnca(samples, keep_dispositions(result, samples), adsl, adex)
    adpp = derive_adpp(profiles, result, adsl, adex)
    levels = derive_subject_levels(adsl, adrs)
    return KineticsOutput(
        adnca=adnca,
        adpp=adpp,
        adlz=derive_adlz(profiles, result),
        results=summarise_kinetics(adnca, adpp, levels, adcm),
        curves=summarise_profiles(adnca, levels),
    )

"""Runs, samples and what the results say of their assays: the datasets of bioanalysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.study_data.assay_results import check_results, check_runs, collect_results
from celldossier.study_data.biospecimens import (
    check_samples,
    count_results,
    derive_adbe,
    derive_adrun,
    derive_adsamp,
)
from celldossier.study_data.bridging import check_bridging_data, derive_adbrg
from celldossier.study_data.domain import Domain


def derive_bioanalysis(
    mapped: Mapping[str, Domain],
    datasets: Mapping[str, pd.DataFrame],
    assays: Sequence[Assay],
) -> dict[str, pd.DataFrame]:
    """Datasets ADRUN, ADBE, ADSAMP and ADBRG, with findings on runs, samples, versions, limits.

    Parameters
    ----------
    datasets
        ADPC, ADPD and ADAB.
    """
    adrun = derive_adrun(mapped["RUNS"], assays)
    adbe = derive_adbe(mapped["BE"])
    results = collect_results(datasets, assays, adrun)
    adsamp = derive_adsamp(mapped["BE"], adbe, results, assays)
    check_results(mapped, results, assays)
    check_runs(mapped["RUNS"], adrun, assays)
    check_samples(mapped, adbe, adsamp, results)
    adbrg = derive_adbrg(datasets["ADPC"], assays)
    check_bridging_data(mapped["PC"], adbrg, assays)
    return {
        "ADRUN": count_results(adrun, results),
        "ADBE": adbe,
        "ADSAMP": adsamp,
        "ADBRG": adbrg,
    }

"""Planned and collected samples of the kinetics, and whether they are enough (S3.2-12)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.analysis_datasets import is_after_reinfusion
from celldossier.cellular_kinetics.doses import PROFILE_KEYS
from celldossier.cellular_kinetics.nca import NcaResult
from celldossier.cellular_kinetics.sampling_adequacy import (
    CRITERIA,
    Judged,
    find_second_blq,
    judge_sampling,
)
from celldossier.cellular_kinetics.sampling_plan import (
    PLANNED_DOSES,
    compare_with_plan,
    find_end_of_plan,
    list_planned,
)
from celldossier.datasets import conform
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.parameters import parameter_unit


@dataclass(frozen=True)
class SamplingOutput:
    """Dataset ADSA, the plan against the samples, and what was judged."""

    adsa: pd.DataFrame
    compared: pd.DataFrame
    judged: dict[str, Judged]


def analyse_sampling(
    samples: pd.DataFrame,
    result: NcaResult,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    adrs: pd.DataFrame,
    adcm: pd.DataFrame,
    settings: CellularKineticsSettings,
) -> SamplingOutput:
    """Hold the samples against the plan, and judge each profile of the kinetics population.

    Parameters
    ----------
    samples
        From `select_samples`. Those after an infusion that was not planned do not count.
    result
        NCA of the courses.
    adsl, adex, adrs, adcm
        Subjects, infusions, responses and medications, for the end of the plan.
    settings
        Section `cellular_kinetics`.
    """
    rules = settings.sampling
    own = samples[~is_after_reinfusion(samples, adex)]
    own = own[own["USUBJID"].isin(adsl.loc[adsl["SAFFL"] == "Y", "USUBJID"])]
    has_result = own["AVAL"].notna() | (own["BLQFL"] == "Y")
    results = own[has_result & (own["AFRLT"] > 0)]
    parameters = result.parameters.rename(columns={"ANALYTE": "PARCAT1"})
    peaks = parameters[(parameters["PARAMCD"] == "TMAX") & parameters["AVAL"].notna()]
    peaks = peaks.drop_duplicates(["USUBJID", "PARCAT1"])
    tmax = pd.Series(
        peaks["AVAL"].to_numpy(),
        index=pd.MultiIndex.from_frame(peaks[["USUBJID", "PARCAT1"]], names=["USUBJID", "PARAMCD"]),
    )
    # Of several doses only the last can be followed until nothing is quantifiable any more.
    doses = adex[adex["DOSETYPE"].isin(PLANNED_DOSES)].groupby("USUBJID")["AFRLT"].max()
    last_dose = doses.reindex(tmax.index.get_level_values("USUBJID")).to_numpy()
    since = pd.Series(np.fmax(tmax.to_numpy(), last_dose), index=tmax.index)
    analytes = sorted(samples["PARAMCD"].unique())
    ends = find_end_of_plan(adsl, adex, adrs, adcm, rules.ends)
    planned = list_planned(rules, adsl, adex, analytes, ends)
    compared = compare_with_plan(planned, own, find_second_blq(results, since))
    subjects = sorted(adsl.loc[adsl["PKFL"] == "Y", "USUBJID"].unique())
    profiles = pd.MultiIndex.from_product([subjects, analytes], names=["USUBJID", "PARAMCD"])
    judged = judge_sampling(profiles, results, parameters, since, compared, ends, settings)
    return SamplingOutput(derive_adsa(judged, adsl), compared, judged)


def add_peak_gap(result: NcaResult, sampling: SamplingOutput) -> NcaResult:
    """The parameters of the NCA, and PEAKGAP: how far apart the results around the peak lie."""
    peak = sampling.judged["PEAK"]
    known = result.parameters[result.parameters["PARAMCD"] == "TMAX"]
    keys = pd.MultiIndex.from_frame(known[["USUBJID", "ANALYTE"]], names=peak.met.index.names)
    value = peak.measure.reindex(keys).to_numpy()
    reason = peak.reason.reindex(keys).fillna("NOSAMPLE")
    missing = pd.Series(value).isna().to_numpy()
    gap = known[PROFILE_KEYS].assign(
        PARAMCD="PEAKGAP",
        AVAL=value,
        AVALU=parameter_unit("PEAKGAP", "d", ""),
        FLAG="",
        REASND=pd.Series(reason.to_numpy(), index=known.index).where(missing, ""),
    )
    # A peak with a result after it, but without the distance, is the first result of all.
    near = gap["REASND"].isin(["", "NONENEAR", "NONEAFT"])
    gap["REASND"] = gap["REASND"].mask(missing & near, "NONEBEF")
    columns = list(result.parameters.columns)
    return replace(
        result, parameters=pd.concat([result.parameters, gap[columns]], ignore_index=True)
    )


def derive_adsa(judged: dict[str, Judged], adsl: pd.DataFrame) -> pd.DataFrame:
    """Dataset ADSA of the criteria that `judge_sampling` judged."""
    subjects = adsl.drop_duplicates("USUBJID").set_index("USUBJID")
    parts = []
    for place, code in enumerate(CRITERIA, start=1):
        part = judged[code]
        subject = part.met.index.get_level_values("USUBJID")
        parts.append(
            pd.DataFrame(
                {
                    "STUDYID": subjects["STUDYID"].reindex(subject).to_numpy(),
                    "USUBJID": subject,
                    "TRT01A": subjects["TRT01A"].reindex(subject).fillna("").to_numpy(),
                    "PARCAT1": part.met.index.get_level_values("PARAMCD"),
                    "CRIT": code,
                    "CRITN": place,
                    "CRITFL": part.met.to_numpy(),
                    "AVAL": part.measure.to_numpy(),
                    "AVALU": part.unit,
                    "CRITRSN": part.reason.to_numpy(),
                }
            )
        )
    return conform(pd.concat(parts, ignore_index=True), "ADSA")

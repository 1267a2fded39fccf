"""ADNCA, ADPP and ADLZ: the samples, the parameters and the regressions as analysis datasets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.dose_profiles import COURSE
from celldossier.cellular_kinetics.nca import NcaResult
from celldossier.datasets import conform
from celldossier.errors import InputDataError
from celldossier.terms.parameters import find_parameter, order_parameters
from celldossier.terms.study_terms import NEW_THERAPY, NOT_PLANNED

AFTER_REINFUSION = "AFTREINF"
"""Reason of a sample that counts for no parameter of the first course, since cells were given."""


def select_samples(adpc: pd.DataFrame) -> pd.DataFrame:
    """The samples of the kinetics analysis: ANL01FL = Y, indexed from 0.

    Raises
    ------
    InputDataError
        If an analyte has several units: they are never summarised together (R25).
    """
    selected = adpc[adpc["ANL01FL"] == "Y"].reset_index(drop=True)
    units = selected.groupby("PARAMCD", sort=True)["AVALU"].unique()
    faults = [
        f"The analyte {analyte} has several units ({', '.join(sorted(found))}); values of "
        "different units are never summarised together (R25)."
        for analyte, found in units.items()
        if len(found) > 1
    ]
    if faults:
        raise InputDataError(faults)
    return selected


def add_missing_profiles(samples: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """The samples, and one empty record for each analyte that a subject has no sample of.

    A subject of the kinetics set (PKFL = Y) without any sample of an analyte that
    the study measured would otherwise vanish from its parameters; so each is there,
    empty, with the reason NOSAMPLE (R10). The records stand at the end.

    Parameters
    ----------
    samples
        From `select_samples`.
    """
    analytes = samples.drop_duplicates("PARAMCD")[["PARAMCD", "PARAM", "PCSPEC", "AVALU"]]
    subjects = adsl.loc[adsl["PKFL"] == "Y", ["STUDYID", "USUBJID"]]
    wanted = subjects.merge(analytes, how="cross")
    present = pd.MultiIndex.from_frame(samples[["USUBJID", "PARAMCD"]])
    absent = wanted[~pd.MultiIndex.from_frame(wanted[["USUBJID", "PARAMCD"]]).isin(present)]
    if absent.empty:
        return samples
    empty = absent.assign(BLQFL="N", ALQFL="N", SRCROW=0).reindex(columns=samples.columns)
    texts = [name for name in samples if not pd.api.types.is_numeric_dtype(samples[name])]
    typed = {name: "float64" for name in samples if name not in texts}
    filled = empty.fillna({name: "" for name in texts}).astype(typed)
    return pd.concat([samples.astype(typed), filled], ignore_index=True)


def derive_nca_input(
    samples: pd.DataFrame, adsl: pd.DataFrame, adex: pd.DataFrame, adcm: pd.DataFrame
) -> pd.DataFrame:
    """Samples in the form of `estimate_nca`, those without a time as missing results.

    Parameters
    ----------
    samples
        From `select_samples`.
    adsl, adex, adcm
        For the time at which a profile is censored, see `derive_censoring`.
    """
    # A sample after cells were given anew tells nothing of the first course, nor its peak.
    timed = samples["AFRLT"].notna() & ~is_after_reinfusion(samples, adex)
    below = samples["BLQFL"] == "Y"
    censored = derive_censoring(adsl, adex, adcm)
    return pd.DataFrame(
        {
            "USUBJID": samples["USUBJID"],
            "ANALYTE": samples["PARAMCD"],
            "TIME": samples["AFRLT"],
            "NTIME": samples["NFRLT"],
            "CONC": samples["AVAL"].where(~below & timed),
            "BLQ": (below & timed).astype(int),
            "LLOQ": samples["ALLOQ"],
            "ULOQ": samples["AULOQ"],
            # "> 1000000" is above the limit, although its number equals it (R8).
            "ALQ": (samples["ALQFL"] == "Y").astype(int),
            "CONCU": samples["AVALU"],
            "CENSTIME": samples["USUBJID"].map(censored).astype("float64"),
        }
    )


def derive_censoring(adsl: pd.DataFrame, adex: pd.DataFrame, adcm: pd.DataFrame) -> pd.Series:
    """First of death, new therapy and re-infusion of each subject, days (R15).

    Planned repeat and split doses do not censor; unplanned infusions and retreatments do
    (ADEX.DOSETYPE). A new therapy is a medication of the class NEW_THERAPY that starts
    after the first infusion.

    Returns
    -------
    Series of float
        By USUBJID; subjects without such an event are not in it.
    """
    again = adex[adex["DOSETYPE"].isin(NOT_PLANNED)]
    therapy = adcm[(adcm["CMCLASS"] == NEW_THERAPY) & (adcm["ASTDY"] > 0)]
    events = pd.concat(
        [
            adsl[["USUBJID", "DTHDY"]].rename(columns={"DTHDY": "DAY"}),
            again[["USUBJID", "AFRLT"]].rename(columns={"AFRLT": "DAY"}),
            therapy[["USUBJID", "ASTDY"]].rename(columns={"ASTDY": "DAY"}),
        ],
        ignore_index=True,
    )
    events = events[events["DAY"] > 0]
    return events.groupby("USUBJID", sort=True)["DAY"].min()


def is_after_reinfusion(samples: pd.DataFrame, adex: pd.DataFrame) -> pd.Series:
    """Whether a sample lies after the subject's first unplanned infusion or retreatment."""
    again = adex[adex["DOSETYPE"].isin(NOT_PLANNED)].groupby("USUBJID")["AFRLT"].min()
    return samples["AFRLT"] > samples["USUBJID"].map(again).astype("float64")


def keep_dispositions(result: NcaResult, samples: pd.DataFrame) -> NcaResult:
    """The result without the dispositions of records that were added to the samples."""
    given = result.dispositions["ROW"] <= len(samples)
    # C(0) that was put in belongs to a profile that has samples.
    return replace(result, dispositions=result.dispositions[given].reset_index(drop=True))


def derive_adnca(
    samples: pd.DataFrame,
    result: NcaResult,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    doses: pd.DataFrame,
    profile_type: str = COURSE,
) -> pd.DataFrame:
    """Dataset ADNCA: each sample with the value that the NCA used, or why it used none.

    A concentration that was put in at the dose (R4) is a derived record that names the
    record of the infusion as its source. A trough is a copy (DTYPE COPY) in the profile of the
    dose that it was not taken for.

    Parameters
    ----------
    doses
        From `list_doses`.
    profile_type
        COURSE or DOSE: what a profile of `result` is.
    """
    dispositions = result.dispositions
    given = (dispositions["ROW"] > 0).to_numpy()
    source = samples.iloc[np.where(given, dispositions["ROW"] - 1, 0)].reset_index(drop=True)
    keys = pd.MultiIndex.from_frame(dispositions[["USUBJID", "DOSENO"]])
    known = doses.drop_duplicates(["USUBJID", "DOSENO"]).set_index(["USUBJID", "DOSENO"])
    dose = known.reindex(keys).reset_index(drop=True)
    subject, analyte = dispositions["USUBJID"], dispositions["ANALYTE"]
    profile = samples.drop_duplicates(["USUBJID", "PARAMCD"]).set_index(["USUBJID", "PARAMCD"])
    place = profile.index.get_indexer(pd.MultiIndex.from_arrays([subject, analyte]))
    has_result = source["AVAL"].notna() | (source["BLQFL"] == "Y")
    no_time = given & source["AFRLT"].isna() & has_result
    reinfused = given & is_after_reinfusion(source, adex) & has_result
    code = dispositions["DISPOS"].where(~no_time, "NOTIME").where(~reinfused, AFTER_REINFUSION)
    excluded = dispositions["USED"] == "N"
    imputed = dispositions["IMPUTED"] == "Y"
    observed = source["AVAL"].where(given & (dispositions["BLQ"] != 1))
    unused = no_time | reinfused
    below = pd.Series(np.where(unused, source["BLQFL"] == "Y", dispositions["BLQ"] == 1))
    copied = np.where(dispositions["COPY"] == "Y", "COPY", "")
    start, planned = dose["DOSETIME"].fillna(0.0), dose["NDOSETIME"].fillna(dose["DOSETIME"])
    return conform(
        pd.DataFrame(
            {
                "STUDYID": profile["STUDYID"].to_numpy()[place],
                "USUBJID": subject,
                "PARAMCD": analyte,
                "PARAM": profile["PARAM"].to_numpy()[place],
                "PCSPEC": profile["PCSPEC"].to_numpy()[place],
                "TRT01A": _of_subject(adsl, "TRT01A", subject),
                "PROFTYP": profile_type,
                "DOSENO": dispositions["DOSENO"],
                "DOSEA": dose["DOSEA"],
                "DOSEU": dose["DOSEU"].fillna(""),
                "ARRLT": (dispositions["TIME"] - start).where(given, 0.0),
                "NRRLT": (dispositions["NTIME"] - planned.fillna(0.0)).where(given, 0.0),
                "MRRLT": dispositions["RELTIME"],
                "AVAL": dispositions["VALUE"].where(imputed, observed),
                "AVALU": profile["AVALU"].to_numpy()[place],
                "DTYPE": code.where(imputed, copied),
                "BLQFL": np.where(below, "Y", "N"),
                "ALLOQ": dispositions["LLOQ"],
                "NCAXFL": np.where(excluded, "Y", "N"),
                "NCAXRS": code.where(excluded, ""),
                "LZFL": dispositions["LZFL"],
                "LZREV": dispositions["LZREV"],
                "SRCDOM": source["SRCDOM"].where(given, "EX"),
                "SRCFILE": source["SRCFILE"].where(given, dose["SRCFILE"].fillna("")),
                "SRCROW": source["SRCROW"].where(given, dose["SRCROW"].fillna(0)),
            }
        ),
        "ADNCA",
    )


def derive_adpp(
    samples: pd.DataFrame, result: NcaResult, adsl: pd.DataFrame, profile_type: str = COURSE
) -> pd.DataFrame:
    """Dataset ADPP: the parameters, named as in the registry; `profile_type` as in ADNCA."""
    parameters = result.parameters
    codes = order_parameters(parameters["PARAMCD"].unique())
    number = {code: place for place, code in enumerate(codes, start=1)}
    names = {code: find_parameter(code).en for code in codes}
    profile = samples.drop_duplicates(["USUBJID", "PARAMCD"]).set_index(["USUBJID", "PARAMCD"])
    subject = parameters["USUBJID"]
    place = profile.index.get_indexer(pd.MultiIndex.from_arrays([subject, parameters["ANALYTE"]]))
    return conform(
        pd.DataFrame(
            {
                "STUDYID": profile["STUDYID"].to_numpy()[place],
                "USUBJID": subject,
                "TRT01A": _of_subject(adsl, "TRT01A", subject),
                "PARCAT1": parameters["ANALYTE"],
                "PROFTYP": profile_type,
                "DOSENO": parameters["DOSENO"],
                "PARAMCD": parameters["PARAMCD"],
                "PARAM": parameters["PARAMCD"].map(names),
                "PARAMN": parameters["PARAMCD"].map(number),
                "AVAL": parameters["AVAL"],
                "AVALU": parameters["AVALU"],
                "FLAG": parameters["FLAG"],
                "PPREASND": parameters["REASND"],
                "PPSPEC": profile["PCSPEC"].to_numpy()[place],
            }
        ),
        "ADPP",
    )


def derive_adlz(
    samples: pd.DataFrame, result: NcaResult, profile_type: str = COURSE
) -> pd.DataFrame:
    """Dataset ADLZ: the raw terminal regression of each profile, with the outcome of the gates."""
    fits = result.lambda_z.rename(columns={"ANALYTE": "PARCAT1"}).drop(columns=["R2", "CLSTP"])
    studies = samples.drop_duplicates("USUBJID").set_index("USUBJID")["STUDYID"]
    return conform(fits.assign(STUDYID=fits["USUBJID"].map(studies), PROFTYP=profile_type), "ADLZ")


def _of_subject(adsl: pd.DataFrame, variable: str, subject: pd.Series) -> pd.Series:
    return subject.map(adsl.drop_duplicates("USUBJID").set_index("USUBJID")[variable]).fillna("")

"""A drawn study of CTX-101 as the stage of immunogenicity sees it, without files in between.

The antibody samples are those of the raw domain; what the stage derives from them (status and
onset) is its own work. The samples of the cells keep the planted level beside the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.immunogenicity.emergence import derive_emergence
from celldossier.immunogenicity.status import derive_adim
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.simulation.assays import limits_on_first_scale
from celldossier.simulation.draw import DrawnStudy
from celldossier.simulation.immunogenicity import ANTIBODY_DAYS, write_immunogenicity
from celldossier.simulation.kinetics import compute_concentrations
from celldossier.simulation.specification import StudySpecification

SETTINGS = ImmunogenicitySettings()


@dataclass(frozen=True)
class Found:
    """A drawn study as the stage sees it.

    Attributes
    ----------
    adsl
        What the stage reads of it: all infused subjects are in all sets.
    adim, spells
        What the stage derives from the antibody samples.
    samples
        Blood samples of both assays, one row each, with the planted LATENT and UNMASKED (the
        flow result without the loss by antibodies); SUBJECT is the row of the drawn arrays.
    """

    adsl: pd.DataFrame
    adim: pd.DataFrame
    spells: pd.DataFrame
    samples: pd.DataFrame


def lay_out_antibodies(study: DrawnStudy, spec: StudySpecification) -> pd.DataFrame:
    """ADAB of the antibody samples as the raw domain has them."""
    raw = write_immunogenicity(
        spec, study.infused, study.antibodies, study.times_of(ANTIBODY_DAYS), study.last_day
    )
    start = raw["USUBJID"].map(study.infused.set_index("USUBJID")["INFUSION"])
    nominal = raw["ISTPTNUM"].astype(float)
    titre = raw["ISCAT"] == "TITER"
    return raw[["STUDYID", "USUBJID", "ISBDAGNT", "ISCAT"]].assign(
        PARAMCD=raw["ISTESTCD"],
        AVAL=pd.to_numeric(raw["ISORRES"].where(titre)),
        AVALC=raw["ISORRES"].mask(titre, "TITER"),
        AVALU=raw["ISORRESU"],
        ALLOQ=np.nan,
        BLQFL="N",
        ALQFL="N",
        ABLFL=np.where(nominal == 0, "Y", "N"),
        AFRLT=(pd.to_datetime(raw["ISDTC"]) - pd.to_datetime(start)).dt.total_seconds() / 86400,
        NFRLT=nominal,
        SRCROW=np.arange(len(raw)),
    )


def lay_out_subjects(study: DrawnStudy, spec: StudySpecification) -> pd.DataFrame:
    """What the stage reads of ADSL: all infused subjects are in all sets."""
    frame = study.infused[["USUBJID"]].assign(STUDYID=spec.study)
    return frame.assign(SAFFL="Y", PKFL="Y", NIMRSN="", TRT01A="")


def lay_out_samples(study: DrawnStudy, spec: StudySpecification) -> pd.DataFrame:
    """Blood samples that were taken; PCR on the scale of the first assay, with its own limit."""
    times = study.times_of(spec.sampling.days)
    rows, columns = np.nonzero(study.sampled)
    day = times[rows, columns]
    latent = compute_concentrations(study.parameters, times)[rows, columns]
    masked = day >= study.antibodies.onset[rows]
    flow = study.measured.flow[rows, columns]
    unmasked = flow / np.where(masked, spec.immunogenicity.flow_factor, 1.0)
    limits = limits_on_first_scale(spec, study.second_assay)[rows]
    common = pd.DataFrame(
        {
            "STUDYID": spec.study,
            "USUBJID": study.infused["USUBJID"].to_numpy()[rows],
            "SUBJECT": rows,
            "PCSPEC": "BLOOD",
            "AFRLT": day,
            "NFRLT": np.array(spec.sampling.days)[columns],
            "ALQFL": "N",
            "DTYPE": "",
            "SRCFILE": "",
            "LATENT": latent,
        }
    )
    pcr = common.assign(
        PARAMCD="PCR",
        AVALU="copies/ug",
        RESULT=study.measured.pcr[rows, columns],
        UNMASKED=np.nan,
        ALLOQ=limits,
    )
    cells = common.assign(
        PARAMCD="FLOW",
        AVALU="cells/uL",
        RESULT=flow,
        UNMASKED=unmasked,
        ALLOQ=spec.sampling.flow.lloq,
    )
    frame = pd.concat([pcr, cells], ignore_index=True)
    return frame.assign(SRCROW=np.arange(len(frame)))


def read_study(study: DrawnStudy, spec: StudySpecification) -> Found:
    """Let the stage derive status and onset from the antibody samples."""
    adab = lay_out_antibodies(study, spec)
    adsl = lay_out_subjects(study, spec)
    adim = derive_adim(adab, adsl, SETTINGS)
    return Found(adsl, adim, derive_emergence(adab, adim, SETTINGS), lay_out_samples(study, spec))


def quantify(samples: pd.DataFrame, result: str) -> pd.DataFrame:
    """Samples with the result of that column as a laboratory reports it."""
    below = samples[result] < samples["ALLOQ"]
    return samples.assign(AVAL=samples[result].mask(below), BLQFL=np.where(below, "Y", "N"))

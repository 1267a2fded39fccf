"""Six subjects of two dose levels with known exposure, for the precision at the sample size."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.precision import summarise_precision
from celldossier.dose_exploration.study import Sources, Study
from celldossier.results import ResultCollector
from celldossier.settings.dose_exploration import DoseExplorationSettings

FLAGS = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")
EXPOSURE = {"DL1": (10.0, 20.0, 40.0, 80.0), "DL2": (5.0, 50.0)}


def make_precision_results(**precision: object) -> pd.DataFrame:
    """Results of four subjects of DL1, two of DL2, one without a value, one not infused."""
    rows = [
        (f"{dose}-{number}", dose, value)
        for dose, values in EXPOSURE.items()
        for number, value in enumerate(values)
    ]
    subjects = [(name, dose) for name, dose, _ in rows] + [("DL2-9", "DL2"), ("DL1-9", "DL1")]
    adsl = pd.DataFrame(subjects, columns=["USUBJID", "TRT01A"]).assign(STUDYID="S")
    for flag in FLAGS:
        adsl[flag] = np.where(adsl["USUBJID"] == "DL1-9", "N", "Y")
    adsl["PART"] = np.where(adsl["TRT01A"] == "DL1", "ESCALATION", "EXPANSION")
    adpp = pd.DataFrame(
        [
            {
                "STUDYID": "S",
                "USUBJID": name,
                "PARCAT1": analyte,
                "PROFTYP": profile,
                "DOSENO": 1,
                "PARAMCD": code,
                "PARAM": code,
                "PARAMN": 1,
                "AVAL": value * factor,
                "AVALU": "copies/ug",
            }
            for name, _, value in [*rows, ("DL2-9", "DL2", 0.0), ("DL1-9", "DL1", 7.0)]
            # Other analytes and single doses must not count.
            for analyte, profile, factor in (
                ("PCR", "COURSE", 1.0), ("FLOW", "COURSE", 3.0), ("PCR", "DOSE", 5.0)
            )
            for code in ("CMAX", "AUC28")
        ]
    )  # fmt: skip
    known = {"adsl": conform(adsl, "ADSL"), "adpp": conform(adpp, "ADPP")}
    names = [field.name for field in fields(Sources)]
    sources = Sources(**{n: known.get(n, empty_dataset(n.upper())) for n in names})
    settings = DoseExplorationSettings.model_validate({"precision": precision})
    out = ResultCollector("dose_exploration")
    assert summarise_precision(Study(sources, settings), out) == []
    return out.frame()

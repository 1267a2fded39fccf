"""Dataset ADIMC: each sample that was tested for a cellular response, with its verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.datasets import conform, read_specification
from celldossier.immunogenicity.cellular_response import SUBJECT, derive_cellular_samples
from celldossier.immunogenicity.status import NEGATIVE, POSITIVE
from celldossier.settings.cellular_response import CellularSettings


def derive_adimc(
    adab: pd.DataFrame, adsl: pd.DataFrame, settings: CellularSettings
) -> pd.DataFrame:
    """Derive ADIMC: readout, control and verdict of each sample of the infused subjects.

    Parameters
    ----------
    adab, adsl
        Datasets ADAB and ADSL.
    settings
        Responder rules and controls.

    Returns
    -------
    pandas.DataFrame
        Dataset ADIMC, a row a sample and test (shape (n, variables of the dataset)); readout,
        control and difference in the unit of the readout, days from the first infusion.
    """
    infused = adsl.loc[adsl["SAFFL"] == "Y", [*SUBJECT, "TRT01A"]]
    samples = derive_cellular_samples(adab, settings).merge(infused, on=SUBJECT)
    value, control = samples["VALUE"].astype(float), samples["CONTROL"].astype(float)
    frame = samples.assign(
        CELLDY=samples["DAY"],
        ABLFL=np.where(samples["BASELINE"], "Y", "N"),
        AVAL=value,
        BLQFL=np.where(value.isna() & samples["BELOW"], "Y", "N"),
        FOLD=value / control.where(control > 0),
        DIFF=value - control,
        CELLFL=samples["RESPONSE"].map({POSITIVE: "Y", NEGATIVE: "N"}).fillna(""),
        CELLRSN=samples["REASON"],
    )
    own = [name for name in read_specification("ADIMC").variables if name in frame]
    return conform(frame[own], "ADIMC")

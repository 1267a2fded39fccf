"""Concomitant medication of infused subjects: bridging, supportive, rescue."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.outcomes import RescueMedication, Toxicity
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    shift_days,
)
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]


def write_medication(
    spec: StudySpecification,
    infused: pd.DataFrame,
    crs: Toxicity,
    icans: Toxicity,
    rescue: RescueMedication,
    last_day: Array,
    new_therapy_day: Array,
) -> pd.DataFrame:
    """Lay out ``cm.csv``: bridging, supportive and rescue medication, later therapy."""
    rng = open_stream(spec.seed, "medication")
    start = infused["INFUSION"].to_numpy().astype("datetime64[m]")
    users = infused["USUBJID"].to_numpy()
    weight = infused["WEIGHT"].to_numpy(dtype=float)
    n = users.size
    blocks = []

    def add(
        given: NDArray[np.bool_],
        drug: str,
        category: str,
        indication: str,
        dose: list[str],
        unit: str,
        begin: list[str],
        end: list[str],
    ) -> None:
        chosen = np.flatnonzero(given)
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[chosen],
                    "CMTRT": drug,
                    "CMDECOD": drug,
                    "CMCAT": category,
                    "CMINDC": indication,
                    "CMDOSE": [dose[i] for i in chosen],
                    "CMDOSU": unit,
                    "CMSTDTC": [begin[i] for i in chosen],
                    "CMENDTC": [end[i] for i in chosen],
                }
            )
        )

    toci = rescue.tocilizumab_day
    add(
        ~np.isnan(toci),
        "TOCILIZUMAB",
        "RESCUE",
        "CYTOKINE RELEASE SYNDROME",
        format_fixed(np.minimum(np.rint(8 * weight / 20) * 20, 800), 0),
        "mg",
        format_datetimes(shift_days(start, toci)),
        format_datetimes(shift_days(start, toci + 1 / 24)),
    )
    steroid = rescue.steroid_day
    for neurological, indication in (
        (True, "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME"),
        (False, "CYTOKINE RELEASE SYNDROME"),
    ):
        led = icans.grade >= np.maximum(crs.grade, 1)
        stop = np.minimum(steroid + 3.0, last_day)
        add(
            ~np.isnan(steroid) & (led == neurological),
            "DEXAMETHASONE",
            "RESCUE",
            indication,
            ["10"] * n,
            "mg",
            format_datetimes(shift_days(start, steroid)),
            format_datetimes(shift_days(start, stop)),
        )
    leukapheresis = infused["LEUKAPHERESIS"].to_numpy().astype("datetime64[m]")
    bridging = infused["BRIDGING"].to_numpy(dtype=bool)
    is_all = (infused["INDIC"] == "ALL").to_numpy()
    begun = shift_days(leukapheresis, rng.integers(2, 6, n))
    for wanted, drug, dose, unit in (
        (is_all, "VINCRISTINE", "2", "mg"),
        (~is_all, "BENDAMUSTINE", "90", "mg/m2"),
    ):
        add(
            bridging & wanted,
            drug,
            "BRIDGING",
            "DISEASE CONTROL",
            [dose] * n,
            unit,
            format_dates(begun),
            format_dates(begun + np.timedelta64(1440, "m")),
        )
    prophylaxis = rng.uniform(size=n) < 0.7
    add(
        prophylaxis,
        "LEVETIRACETAM",
        "SUPPORTIVE",
        "SEIZURE PROPHYLAXIS",
        ["500"] * n,
        "mg",
        format_dates(shift_days(start, np.full(n, -1.0))),
        format_dates(shift_days(start, np.minimum(np.full(n, 28.0), last_day))),
    )
    for wanted, drug, dose, unit in (
        (is_all, "INOTUZUMAB OZOGAMICIN", "0.8", "mg/m2"),
        (~is_all, "POLATUZUMAB VEDOTIN", "1.8", "mg/kg"),
    ):
        add(
            ~np.isnan(new_therapy_day) & wanted,
            drug,
            "SUBSEQUENT THERAPY",
            "DISEASE PROGRESSION",
            [dose] * n,
            unit,
            format_dates(shift_days(start, new_therapy_day)),
            format_dates(shift_days(start, new_therapy_day)),
        )
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "cm", ["CMSTDTC", "CMDECOD"])

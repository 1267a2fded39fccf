"""A made-up study of which the infusions and their lots alone are known."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.study import Sources


def make_infusions(
    infusions: list[dict[str, object]], lots: dict[str, float] | None = None
) -> Sources:
    """Sources of infusions that are given with what matters; lots: VCN by lot."""
    rows = []
    for number, infusion in enumerate(infusions, 1):
        amount = float(infusion.get("DOSEA", 100))  # type: ignore[arg-type]
        rows.append(
            {
                "STUDYID": "S",
                "USUBJID": "A",
                "EXCAT": "CELL PRODUCT",
                "EXTRT": "CELLS",
                "DOSENO": number,
                "DOSETYPE": "FIRST" if number == 1 else "REPEAT",
                "COURSE": 1,
                "PDOSENO": number,
                "NFRAC": 1,
                "DOSEA": amount,
                "DOSEP": 100.0,
                "DOSEU": "10^6 cells",
                "DOSEBAS": "TGP",
                "DOSETOT": 3 * amount,
                "DOSEVIA": 2 * amount,
                "DOSETGP": amount,
                "DOSEKG": amount / 50,
                "DOSEM2": amount / 2,
                "INWINFL": "Y",
                "LOTID": "L1",
                "ADTM": f"2026-01-{number:02d}T08:00",
                "AFRLT": float(number - 1),
                "SRCDOM": "EX",
                "SRCFILE": "ex.csv",
                "SRCROW": number,
                **infusion,
            }
        )
    adex = conform(pd.DataFrame(rows), "ADEX")
    subjects = sorted(set(adex["USUBJID"]))
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": subjects, "TRT01A": "DL1", "SAFFL": "Y"})
    for flag in ("ENRLFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        adsl[flag] = "Y"
    adsl = conform(adsl.assign(WTBL=50.0, BSABL=2.0), "ADSL")
    known = {"L1": 2.0} if lots is None else lots
    adpq = pd.DataFrame(
        {"STUDYID": "S", "LOTID": list(known), "VCN": list(known.values()), "SRCDOM": "LOTS"}
    ).assign(SRCROW=range(1, len(known) + 1), VIABPCT=80.0, TRANSPCT=40.0)
    given_ones = {"adsl": adsl, "adex": adex}
    if known:
        given_ones["adpq"] = conform(adpq, "ADPQ")
    names = [field.name for field in fields(Sources)]
    return Sources(**{n: given_ones.get(n, empty_dataset(n.upper())) for n in names})

"""A made-up study of two dose levels: doses, exposure, events and response."""

from __future__ import annotations

import math
from dataclasses import fields

import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.study import Sources

LOW, HIGH = [10.0, 20.0, 40.0, 80.0, 160.0, 0.0], [30.0, 60.0, 120.0, 240.0, 480.0]


def make_level_study(**changes: pd.DataFrame) -> Sources:
    """Level B (planned 50) with the exposures LOW, level A (150) with HIGH; one dose outside."""
    values = [("B", 50.0, x) for x in LOW] + [("A", 150.0, x) for x in HIGH]
    ids = [f"S{number:02d}" for number in range(len(values))]
    base = pd.DataFrame({"STUDYID": "S", "USUBJID": ids})
    adsl = base.assign(TRT01A=[v[0] for v in values], TRTSDTM="2026-01-05T10:00", DLTEVLFL="Y")
    adsl["NDLTRSN"], adsl["LSTDY"], adsl["TRT01P"] = "", 400.0, adsl["TRT01A"]
    adsl.loc[0, ["DLTEVLFL", "NDLTRSN"]] = ["N", "DOSEOUT"]
    for flag in ("ENRLFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        adsl[flag] = "Y"
    planned = [v[1] for v in values]
    adex = base.assign(
        EXCAT="CELL PRODUCT", EXTRT="CELLS", DOSENO=1, DOSETYPE="FIRST", COURSE=1, PDOSENO=1,
        DOSEA=planned, DOSEP=planned, DOSESUM=planned, DOSPSUM=planned, DOSEU="10^6 cells",
        DOSEBAS="TGP", INWINFL="Y", ADTM="2026-01-05T10:00", SRCDOM="EX",
        SRCROW=range(1, len(values) + 1),
    )  # fmt: skip
    # The first subject of the lower level had 140: nearer the upper level, and in its window.
    adex.loc[0, ["DOSEA", "DOSESUM", "INWINFL"]] = [140.0, 140.0, "N"]
    adpp = base.assign(
        TRT01A=adsl["TRT01A"], PARCAT1="PCR", PROFTYP="COURSE", DOSENO=1, PARAMCD="CMAX",
        PARAM="Cmax", PARAMN=1, AVAL=[v[2] for v in values], AVALU="copies/ug",
    )  # fmt: skip
    adae = base.iloc[:4].assign(
        AETERM="X", AEDECOD="X", TRTEMFL="Y", DLTFL=["Y", "Y", "Y", "N"],
        SRCDOM="AE", SRCROW=range(1, 5),
        # Within the period, on its last day, after it.
        ASTDTM=["2026-01-06", "2026-02-02", "2026-02-03", "2026-01-06"], ASTDY=[1, 28, 29, 1],
    )  # fmt: skip
    adaesi = base.iloc[[0, 1, 6]].assign(
        AESI="CRS", EPISODE=1, NEPISOD=1, WORSTFL="Y", NRECORD=1, ATOXGRN=[2, 3, math.nan],
        ONGOFL="N", SRCDOM="AE", SRCROW=1,
    )  # fmt: skip
    adrs = base.assign(
        PARAMCD="ORR", AVALC=["Y", "N", "", "Y", "Y", "N", "Y", "Y", "Y", "N", ""], SRCDOM="RS",
        SRCROW=1,
    )  # fmt: skip
    known = {"adsl": adsl, "adex": adex, "adpp": adpp, "adae": adae, "adaesi": adaesi, "adrs": adrs}
    known = {name: conform(frame, name.upper()) for name, frame in known.items()} | changes
    names = [field.name for field in fields(Sources)]
    return Sources(**{n: known.get(n, empty_dataset(n.upper())) for n in names})

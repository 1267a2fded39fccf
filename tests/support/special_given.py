"""Small frames for the stage of special considerations, whose answers can be told by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from celldossier.datasets import empty_dataset
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.special_considerations.stage import summarise_special_considerations
from celldossier.special_considerations.study import Sources, Study, read_study

ANALYTE = "PCR"
METRICS = ("CMAX", "AUC28")


def make_subjects(**columns: list[Any]) -> pd.DataFrame:
    """ADSL of infused subjects S-01, S-02 ... with the given columns."""
    n = len(next(iter(columns.values())))
    frame = empty_dataset("ADSL").reindex(range(n))
    text = frame.select_dtypes(exclude="number").columns
    frame[text] = frame[text].astype(object).fillna("")
    frame["STUDYID"], frame["USUBJID"] = "S", [f"S-{k:02d}" for k in range(1, n + 1)]
    for flag in ("SAFFL", "PKFL", "EFFFL"):
        frame[flag] = "Y"
    return frame.assign(**columns)


def make_exposure(
    values: list[float], unit: str = "copies/ug", metrics: tuple[str, ...] = METRICS
) -> pd.DataFrame:
    """ADPP with the same value of each metric, a subject a value."""
    return pd.DataFrame(
        [
            {
                "STUDYID": "S", "USUBJID": f"S-{k:02d}", "PARCAT1": ANALYTE, "PROFTYP": "COURSE",
                "PARAMCD": metric, "AVAL": value, "AVALU": unit,
            }
            for k, value in enumerate(values, start=1)
            for metric in metrics
        ]
    )  # fmt: skip


def make_records(*records: dict[str, Any]) -> pd.DataFrame:
    """Records of any dataset; `subject` is the number of the subject."""
    rows = [
        {"STUDYID": "S", "USUBJID": f"S-{record['subject']:02d}"}
        | {name: value for name, value in record.items() if name != "subject"}
        for record in records
    ]
    return pd.DataFrame(rows)


def make_sources(adsl: pd.DataFrame, adpp: pd.DataFrame, **others: pd.DataFrame) -> Sources:
    """Sources with empty datasets for all that is not given."""
    names = [name for name in Sources.__dataclass_fields__ if name not in ("adsl", "adpp")]
    empty = {name: empty_dataset(name.upper()) for name in names}
    return replace(Sources(adsl=adsl, adpp=adpp, **empty), **others)


def make_study(sources: Sources, **settings: Any) -> Study:
    return read_study(sources, SpecialConsiderationsSettings(**settings), ANALYTE)


def special_sources() -> Sources:
    """Twelve subjects of three age groups, with all that the stage reads."""
    adsl = make_subjects(
        AGE=[13.0, 15, 16, 30, 35, 40, 45, 50, 55, 66, 70, 71],
        WTBL=[30.0, 40, 50, 60, 62, 64, 66, 68, 70, 72, 74, 76],
        LDFL=["Y"] * 12,
        LDREG=["CYCLOPHOSPHAMIDE"] * 12,
        ALCINF=[0.01 * k for k in range(1, 13)],
        ALCNAD=[0.02] * 12,
        VCN=[1.0 + k for k in range(12)],
        FUDUR=[100.0] * 6 + [500.0] * 6,
    )
    adpp = make_exposure([800.0, 900, 700, 400, 300, 500, 450, 350, 420, 200, 150, 180])
    adrs = make_records(
        *({"subject": k, "PARAMCD": "BOR", "RESPFL": "YN"[k % 2]} for k in range(1, 13))
    )
    adaesi = make_records({"subject": 1, "AESI": "CRS", "ATOXGRN": 3.0, "ASTDY": 5.0})
    adld = make_records(
        *(
            {
                "subject": k, "LDNO": 1, "LDTRT": "CYCLOPHOSPHAMIDE", "LDTOTA": 1500.0 - k,
                "LDRATIO": 1.0, "LDDOSEU": "mg/m2", "LDOMFL": "N",
            }
            for k in range(1, 13)
        )
    )  # fmt: skip
    adpq = pd.DataFrame(
        {"INFUSFL": "Y", "VCN": [1.0 + k for k in range(12)], "TRANSPCT": [40.0] * 12}
    )
    adcm = make_records(
        *(
            {
                "subject": k,
                "CMCLASS": "STEROID",
                "CMDECOD": "",
                "ASTDY": day,
                "AENDY": day,
                "CMDOSFRQ": "",
            }
            for k, day in ((1, 3.0), (2, 4.0), (3, 5.0), (4, 11.0))
        )
    )
    peaks = make_exposure([10.0] * 12, "d", ("TMAX",))
    adpp = pd.concat([adpp, peaks], ignore_index=True)
    return make_sources(adsl, adpp, adrs=adrs, adaesi=adaesi, adld=adld, adpq=adpq, adcm=adcm)


def special_results() -> pd.DataFrame:
    """Analysis results of the stage for the subjects of `special_sources`."""
    settings = SpecialConsiderationsSettings()
    return summarise_special_considerations(special_sources(), settings, ANALYTE).results

"""Small frames for the stage of comparability, whose answers can be told by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from celldossier.comparability.stage import compare_groups
from celldossier.comparability.study import Sources, Study, read_study
from celldossier.datasets import empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.comparability import ComparabilitySettings

ANALYTE = "PCR"
BOTH = {"en": "a reason", "zh": "理由"}
ASSAY_1 = {"PCMETHOD": "QPCR", "PCASSAYV": "1", "PCNAM": "LAB A", "ALLOQ": 50.0}
ASSAY_2 = {"PCMETHOD": "DDPCR", "PCASSAYV": "2", "PCNAM": "LAB C", "ALLOQ": 25.0}
"""Two assays that differ in everything."""


@cache
def _empty(dataset: str) -> pd.DataFrame:
    """Checking a dataset against its specification takes as long as a test: once is enough."""
    return empty_dataset(dataset)


def name_subject(k: int) -> str:
    return f"S-{k:02d}"


def name_lot(k: int) -> str:
    return f"L{k:02d}"


def make_rows(dataset: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of a dataset; what is not given is blank, or NaN for a number."""
    frame = _empty(dataset).reindex(range(len(rows)))
    text = frame.select_dtypes(exclude="number").columns
    frame[text] = frame[text].astype(object).fillna("")
    frame["STUDYID"] = "S"
    for name in {name for row in rows for name in row}:
        blank = "" if name in text else float("nan")
        frame[name] = [row.get(name, blank) for row in rows]
    return frame


def make_subjects(n: int, **columns: list[Any]) -> pd.DataFrame:
    """ADSL of infused subjects S-01, S-02 ..., each with a lot of its own number."""
    flags = dict.fromkeys(("SAFFL", "PKFL", "EFFFL"), "Y")
    rows = [{"USUBJID": name_subject(k), "LOTID": name_lot(k), **flags} for k in range(1, n + 1)]
    return make_rows("ADSL", rows).assign(**columns)


def make_lots(processes: str, **columns: list[Any]) -> pd.DataFrame:
    """ADPQ of lots L01, L02 ..., a letter a process; released and given."""
    given = {"RELSTAT": "RELEASED", "INFUSFL": "Y"}
    rows = [
        {"LOTID": name_lot(k), "PROCESS": process, **given}
        for k, process in enumerate(processes, start=1)
    ]
    return make_rows("ADPQ", rows).assign(**columns)


def make_samples(*assays: dict[str, Any], analyte: str = ANALYTE) -> pd.DataFrame:
    """ADPC with one sample a subject, measured by the assay of its place."""
    fixed = {"PARAMCD": analyte, "PCSPEC": "BLOOD", "ANL01FL": "Y"}
    rows = [
        {"USUBJID": name_subject(k), **fixed, **assay} for k, assay in enumerate(assays, start=1)
    ]
    return make_rows("ADPC", rows)


def make_parameters(
    analyte: str = ANALYTE, unit: str = "copies/ug", **values: list[float]
) -> pd.DataFrame:
    """ADPP: values of each parameter, a subject a value."""
    rows = [
        {
            "USUBJID": name_subject(k), "PARCAT1": analyte, "PROFTYP": "COURSE",
            "PARAMCD": parameter, "AVAL": value, "AVALU": unit,
        }
        for parameter, given in values.items()
        for k, value in enumerate(given, start=1)
    ]  # fmt: skip
    return make_rows("ADPP", rows)


def make_sources(**given: pd.DataFrame) -> Sources:
    """Sources with empty datasets for all that is not given."""
    empty = {name: _empty(name.upper()) for name in Sources.__dataclass_fields__}
    return replace(Sources(**empty), **given)


def make_settings(**settings: Any) -> ComparabilitySettings:
    """Settings of a change from process A to others, unless they say otherwise."""
    return ComparabilitySettings(**{"by": "PROCESS", "reference": "A", **settings})


def make_study(sources: Sources, **settings: Any) -> Study:
    return read_study(sources, make_settings(**settings), ANALYTE)


def read_number(
    results: AnalysisResults,
    analysis: str,
    variable: str = "",
    stat: str = "n",
    analyte: str = "",
    **by: str,
) -> float:
    value = results.find(f"comparability.{analysis}", variable, analyte, by, stat)
    assert value is not None, f"{analysis}/{variable}/{analyte}/{by}/{stat} was not computed"
    return value.number


def read_word(
    results: AnalysisResults,
    analysis: str,
    variable: str = "",
    stat: str = "n",
    analyte: str = "",
    **by: str,
) -> str:
    """The text of a statistic, or the reason code where it is missing."""
    value = results.find(f"comparability.{analysis}", variable, analyte, by, stat)
    assert value is not None, f"{analysis}/{variable}/{analyte}/{by}/{stat} was not computed"
    return value.text or value.note_code


def comparability_settings(**settings: Any) -> ComparabilitySettings:
    """Settings of `comparability_sources`: a margin of CMAX, two analytes, a marker."""
    margin = {"parameter": "CMAX", "lower": 0.5, "upper": 2, "justification": BOTH}
    given = {
        "analytes": (ANALYTE, "FLOW"), "metrics": ("CMAX", "AUC28"), "times": ("TMAX",),
        "adjust_for": ("LTBURDZ", "DOSEA"), "margins": [margin], "attributes": ("TRANSPCT", "VCN"),
        "markers": [{"analyte": "IL6", "parameter": "PDPEAK"}],
    }  # fmt: skip
    return make_settings(**(given | settings))


def comparability_sources() -> Sources:
    """Six subjects of each process: PCR by another assay after the change, FLOW by the same."""
    logs = [-0.3, -0.2, -0.05, 0.05, 0.2, 0.3]
    adpp = pd.concat(
        [
            make_parameters(
                analyte,
                CMAX=[scale * math.exp(x) for x in (*logs, *logs)],
                AUC28=[5 * scale * math.exp(x) for x in (*logs, *logs)],
            )
            for analyte, scale in ((ANALYTE, 1300.0), ("FLOW", 10.0))
        ]
        + [
            make_parameters(analyte, unit="d", TMAX=[8.0 + k % 6 for k in range(12)])
            for analyte in (ANALYTE, "FLOW")
        ]
    )
    flow = {"PCMETHOD": "FLOW CYTOMETRY", "PCASSAYV": "1", "PCNAM": "LAB B", "ALLOQ": 1.0}
    times = {"AVALU": "copies/ug", "AFRLT": 7.1, "NFRLT": 7.0, "DOSENO": 1, "AVAL": 100.0,
             "BLQFL": "N"}  # fmt: skip
    adpc = pd.concat(
        [
            make_samples(*[ASSAY_1] * 6, *[ASSAY_2] * 6),
            make_samples(*[flow] * 12, analyte="FLOW"),
        ]
    ).assign(**times)
    transduction = [44.0, 45, 46, 47, 43, 45]
    events = [{"USUBJID": name_subject(k), "AESI": "CRS", "ATOXGRN": 1.0} for k in (1, 2, 3, 7)]
    best = [
        {"USUBJID": name_subject(k), "PARAMCD": "BOR", "RESPFL": "YN"[k % 2]} for k in range(1, 13)
    ]
    peaks = [
        {
            "USUBJID": name_subject(k), "PARCAT1": "IL6", "ASPEC": "SERUM", "PARAMCD": "PDPEAK",
            "AVAL": 10.0 * k, "AVALU": "pg/mL",
        }
        for k in range(1, 13)
    ]  # fmt: skip
    doses = [
        {
            "USUBJID": name_subject(k), "EXCAT": "CELL PRODUCT", "LOTID": name_lot(k),
            "DOSETYPE": "FIRST", "DOSENO": 1, "DOSEA": 100.0 + 7 * (k % 5), "DOSEU": "10^6 cells",
        }
        for k in range(1, 13)
    ]  # fmt: skip
    return make_sources(
        adex=make_rows("ADEX", doses),
        adsl=make_subjects(12, LTBURDZ=[0.1 * k for k in range(6)] * 2),
        adpq=make_lots(
            "A" * 6 + "B" * 6,
            TRANSPCT=[*transduction, *(value - 10 for value in transduction)],
            VCN=[2.0, 3, 2.5, 3.5, 2, 3] * 2,
        ),
        adpc=adpc,
        adpp=adpp,
        adrs=make_rows("ADRS", best),
        adaesi=make_rows("ADAESI", events),
        adpdp=make_rows("ADPDP", peaks),
    )


def comparability_results(**settings: Any) -> pd.DataFrame:
    """Analysis results of the stage for the subjects of `comparability_sources`."""
    rules = comparability_settings(**settings)
    return compare_groups(comparability_sources(), rules, ANALYTE).results

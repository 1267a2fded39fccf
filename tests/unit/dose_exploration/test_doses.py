from __future__ import annotations

import math
from dataclasses import fields

import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.dose_exploration.doses import derive_subject_doses
from celldossier.dose_exploration.stage import explore_doses
from celldossier.dose_exploration.study import Sources
from celldossier.results import AnalysisResults
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.stats.descriptive import describe

SETTINGS = DoseExplorationSettings()
FLAGS = ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL")


def make(rows: list[dict[str, object]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    adex = pd.DataFrame(rows)
    adex = adex.assign(
        STUDYID="S",
        EXCAT=adex.get("EXCAT", pd.Series("CELL PRODUCT", index=adex.index)),
        EXTRT="CELLS",
        ADTM="2026-01-01T08:00",
        SRCDOM="EX",
        SRCROW=range(1, len(adex) + 1),
    )
    if "DOSEU" not in adex:
        adex["DOSEU"] = "10^6 cells"
    subjects = sorted(set(adex["USUBJID"]))
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": subjects, "TRT01A": "DL1", "BSABL": 2.0})
    adsl.loc[adsl["USUBJID"] == "D", "TRT01A"] = "DL2"
    for flag in FLAGS:
        adsl[flag] = "Y"
    return conform(adsl, "ADSL"), conform(adex, "ADEX")


def describe_doses(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Results of the stage for a study of which doses alone are known."""
    adsl, adex = make(rows)
    known = {"adsl": adsl, "adex": adex}
    names = [field.name for field in fields(Sources)]
    sources = Sources(**{n: known.get(n, empty_dataset(n.upper())) for n in names})
    return explore_doses(sources, SETTINGS).results


ROWS: list[dict[str, object]] = [
    {"USUBJID": s, "DOSENO": 1, "DOSEA": a, "DOSEP": 100.0, "DOSEM2": a / 2, "INWINFL": w}
    for s, a, w in (("A", 90.0, "Y"), ("B", 110.0, "Y"), ("C", 130.0, "N"), ("D", 100.0, "Y"))
]


def number(values: AnalysisResults, variable: str, stat: str, **by: str) -> float:
    found = values.find("dose_exploration.dose", variable, "", by, stat)
    assert found is not None
    return found.number


def test_doses_are_described_in_total_and_by_dose_level() -> None:
    values = AnalysisResults([describe_doses(ROWS)])
    for stat, expected in describe([90, 110, 130, 100]).items():
        assert number(values, "DOSEA", stat) == expected
    assert number(values, "DOSERAT", "geomean", dose="DL1") == pytest.approx(
        (0.9 * 1.1 * 1.3) ** (1 / 3)
    )
    assert number(values, "DOSEM2", "max") == 65
    single = values.find("dose_exploration.dose", "DOSEA", "", {"dose": "DL2"}, "values")
    assert single is not None and single.text == "100"


def test_the_window_counts_inside_outside_and_not_judged() -> None:
    rows = [*ROWS, {"USUBJID": "E", "DOSENO": 1, "DOSEA": 80.0, "INWINFL": ""}]
    values = AnalysisResults([describe_doses(rows)])
    found = [
        number(values, "INWINFL", s)
        for s in ("n_inwindow", "n_outwindow", "n_nowindow", "pct_inwindow")
    ]
    assert found == [3, 1, 1, 75]


def test_split_doses_of_a_subject_are_added_up() -> None:
    rows = [
        {"USUBJID": "A", "DOSENO": k, "DOSEA": a, "DOSEP": p, "INWINFL": w}
        for k, a, p, w in ((1, 10.0, 10.0, "Y"), (2, 250.0, 400.0, "N"))
    ]
    doses = derive_subject_doses(*make(rows)).iloc[0]
    assert (doses["DOSEA"], doses["DOSEP"], doses["INFUSIONS"]) == (260, 410, 2)
    assert doses["DOSERAT"] == pytest.approx(260 / 410) and doses["INWINFL"] == "N"


def test_a_missing_amount_of_one_infusion_makes_the_sum_unknown_not_smaller() -> None:
    rows = [
        {"USUBJID": "A", "DOSENO": 1, "DOSEA": 10.0, "INWINFL": "Y"},
        {"USUBJID": "A", "DOSENO": 2, "DOSEA": math.nan, "INWINFL": ""},
    ]
    doses = derive_subject_doses(*make(rows)).iloc[0]
    assert math.isnan(doses["DOSEA"]) and doses["INWINFL"] == ""


def test_lymphodepletion_is_no_dose_of_the_product() -> None:
    rows = [*ROWS, {"USUBJID": "A", "DOSEA": 30.0, "EXCAT": "LYMPHODEPLETION"}]
    for row in rows:
        row.setdefault("EXCAT", "CELL PRODUCT")
    doses = derive_subject_doses(*make(rows)).set_index("USUBJID")
    assert doses.loc["A", "DOSEA"] == 90 and doses.loc["A", "INFUSIONS"] == 1


def test_doses_in_different_units_have_no_common_mean() -> None:
    rows = [{**row, "DOSEU": "10^6 cells/kg" if i else "10^6 cells"} for i, row in enumerate(ROWS)]
    values = AnalysisResults([describe_doses(rows)])
    found = values.find("dose_exploration.dose", "DOSEA", "", {}, "mean")
    assert found is not None and found.note_code == "MIXUNIT" and found.unit == ""
    assert number(values, "DOSERAT", "mean") == pytest.approx(1.075)


def test_what_was_not_collected_says_so() -> None:
    values = AnalysisResults([describe_doses(ROWS)])
    found = values.find("dose_exploration.dose", "DOSEVIA", "", {}, "geomean")
    assert found is not None and math.isnan(found.number) and found.note_code == "NOTCOLL"
    assert number(values, "DOSEVIA", "n") == 0

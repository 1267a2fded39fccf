"""Earlier studies beside the registration study: quoted or computed, never pooled."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from exploration_study import make_rows, make_study, make_subjects, note, read, run_part
from pydantic import ValidationError

from celldossier.dose_exploration.prior_studies import QUOTED, summarise_prior_studies
from celldossier.results import AnalysisResults
from celldossier.settings.prior_studies import FACTS, PriorStudy, StudyFacts

BOTH = {"en": "text", "zh": "文字"}
IIT = {
    "id": "IIT1", "label": BOTH, "source": BOTH, "n_infused": 15, "dose_low": 20, "dose_high": 100,
    "exposures": {"CMAX": {"geomean": 12000, "unit": "copies/ug", "n": 14, "assay": "qPCR"}},
    "crs": {"n": 9, "of": 15}, "response": {"n": 11, "of": 14},
}  # fmt: skip


def make_two_studies() -> dict[str, pd.DataFrame]:
    """Studies R and I in the data, of four and two subjects."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for study, levels, peaks in (("R", ["DL2"] * 4, (10.0, 1000.0, 10.0, 1000.0)),
                                 ("I", ["DL1"] * 2, (5.0, 5.0))):  # fmt: skip
        adsl, adex = make_subjects(levels, study)
        names = list(adsl["USUBJID"])
        found = {
            "adsl": adsl,
            "adex": adex,
            "adpp": make_rows(
                "ADPP",
                [
                    {
                        "USUBJID": name, "PARCAT1": "PCR", "PARAMCD": "CMAX", "AVAL": peak,
                        "AVALU": "copies/ug",
                    }
                    for name, peak in zip(names, peaks, strict=True)
                ],
                study,
            ),
            "adrs": make_rows(
                "ADRS",
                [
                    {"USUBJID": name, "PARAMCD": "ORR", "AVALC": "Y" if k == 0 else "N"}
                    for k, name in enumerate(names)
                ],
                study,
            ),
        }  # fmt: skip
        for name, frame in found.items():
            parts.setdefault(name, []).append(frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


@pytest.fixture(scope="module")
def values() -> AnalysisResults:
    settings = {"prior_studies": {"studies": [IIT]}}
    return run_part(summarise_prior_studies, make_study(settings, **make_two_studies()))


def test_each_study_of_the_data_is_computed_by_itself(values: AnalysisResults) -> None:
    assert read(values, "prior_study", "CMAX", "geomean", study="R") == pytest.approx(100)
    assert read(values, "prior_study", "CMAX", "geomean", study="I") == pytest.approx(5)
    assert read(values, "prior_study", "OBJRESP", "pct", study="R") == 25
    assert read(values, "prior_study", "DOSE", "low", study="R") == 150
    assert read(values, "prior_study", "DOSE", "n_infused", study="I") == 2


def test_no_value_is_of_studies_together(values: AnalysisResults) -> None:
    rows = values.select("dose_exploration.prior_study")
    assert set(rows["group1"]) == {"study"} and set(rows["level1"]) == {"R", "I", "IIT1"}


def test_a_quoted_study_is_shown_as_declared_with_its_exact_interval(
    values: AnalysisResults,
) -> None:
    place = {"study": "IIT1"}
    assert read(values, "prior_study", "CMAX", "geomean", **place) == 12000
    assert read(values, "prior_study", "OBJRESP", "pct", **place) == pytest.approx(100 * 11 / 14)
    # R: binom.test(11, 14)$conf.int
    low, high = (read(values, "prior_study", "OBJRESP", s, **place) for s in ("ci_low", "ci_high"))
    assert (low, high) == pytest.approx((49.20243, 95.34207), abs=1e-4)


def test_what_the_source_does_not_state_is_empty_with_the_reason(values: AnalysisResults) -> None:
    assert note(values, "prior_study", "ICANSGE3", "pct", study="IIT1") == "NOTSTATED"
    assert note(values, "prior_study", "AUC28", "geomean", study="IIT1") == "NOTSTATED"
    # Adverse events of the made-up studies were not collected.
    assert note(values, "prior_study", "CRSGE1", "pct", study="R") == "NOTCOLL"


def test_doses_per_weight_have_no_range_in_cells() -> None:
    data = make_two_studies()
    data["adex"] = data["adex"].assign(DOSEU="10^6 cells/kg")
    values = run_part(summarise_prior_studies, make_study(**data))
    assert note(values, "prior_study", "DOSE", "low", study="R") == "MIXUNIT"


def test_the_facts_are_those_that_the_guideline_lists() -> None:
    assert tuple(StudyFacts.model_fields) == FACTS
    assert {*QUOTED.values()} <= set(PriorStudy.model_fields)


@pytest.mark.parametrize("wrong", [{"crs": {"n": 4, "of": 3}}, {"n_infused": 0}, {"id": "x y"}])
def test_impossible_counts_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PriorStudy.model_validate({**IIT, **wrong})


def test_the_range_of_doses_counts_a_split_dose_once_and_no_unplanned_infusion() -> None:
    adsl, adex = make_subjects(["DL2", "DL2"], "R")
    # A tenth of the first subject's dose was given first; the second had a top-up.
    parts = {"DOSETYPE": ["FIRST", "FIRST", "SPLIT", "UNPLANNED"], "NFRAC": [2, 1, 2, None]}
    rows = pd.concat([adex, adex], ignore_index=True).assign(**parts)
    rows["DOSEA"] = [15.0, 150.0, 135.0, 10.0]
    rows.loc[3, ["PDOSENO", "DOSESUM"]] = None
    values = run_part(summarise_prior_studies, make_study(adsl=adsl, adex=rows))
    ends = [read(values, "prior_study", "DOSE", stat, study="R") for stat in ("low", "high")]
    assert ends == [150, 150]

"""Who was made before and who after the change, and why some are in neither group."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from comparability_given import (
    ANALYTE,
    ASSAY_1,
    ASSAY_2,
    BOTH,
    make_lots,
    make_rows,
    make_samples,
    make_settings,
    make_sources,
    make_study,
    make_subjects,
    name_subject,
)
from pydantic import ValidationError

from celldossier.comparability.groups import group_lots, read_doses
from celldossier.comparability.stage import compare_groups
from celldossier.errors import ConfigError
from celldossier.results import AnalysisResults
from celldossier.settings.comparability import ComparabilitySettings


def make_doses(*lots: tuple[int, str, str], unit: str = "10^6 cells") -> pd.DataFrame:
    """ADEX: number of the subject, lot, type of the dose."""
    rows = [
        {
            "USUBJID": name_subject(k), "EXCAT": "CELL PRODUCT", "LOTID": lot,
            "DOSETYPE": kind, "DOSENO": 1, "DOSEA": 100.0 * k, "DOSEU": unit,
        }
        for k, lot, kind in lots
    ]  # fmt: skip
    return make_rows("ADEX", rows)


def by_date(change: str) -> ComparabilitySettings:
    return ComparabilitySettings.model_validate({"by": "DATE", "change_date": change})


def test_a_subject_is_in_the_group_of_its_lot() -> None:
    study = make_study(make_sources(adsl=make_subjects(4), adpq=make_lots("ABBA")))
    assert study.groups == ("A", "B")
    assert study.subjects["GROUP"].tolist() == ["A", "B", "B", "A"]


def test_the_lots_of_the_doses_go_before_the_subjects_own() -> None:
    doses = make_doses((1, "L02", "FIRST"))
    study = make_study(make_sources(adsl=make_subjects(2), adpq=make_lots("AB"), adex=doses))
    assert study.subjects["GROUP"].tolist() == ["B", "B"]


def test_lots_of_both_groups_put_a_subject_in_neither() -> None:
    doses = make_doses((1, "L01", "FIRST"), (1, "L02", "PLANNED"), (3, "L03", "FIRST"))
    study = make_study(make_sources(adsl=make_subjects(3), adpq=make_lots("ABB"), adex=doses))
    assert study.subjects["GROUP"].tolist() == ["", "B", "B"]
    assert study.subjects["GRPRSN"].tolist() == ["MIXLOTS", "", ""]


def test_retreatment_with_another_lot_changes_nothing() -> None:
    doses = make_doses((1, "L01", "FIRST"), (1, "L02", "RETREATMENT"))
    study = make_study(make_sources(adsl=make_subjects(2), adpq=make_lots("AB"), adex=doses))
    assert study.subjects["GROUP"].tolist() == ["A", "B"]


def test_without_a_list_of_lots_the_subject_names_its_process() -> None:
    adsl = make_subjects(3, PROCESS=["A", "B", ""])
    study = make_study(make_sources(adsl=adsl))
    assert study.subjects["GROUP"].tolist() == ["A", "B", ""]
    assert study.subjects["GRPRSN"].tolist() == ["", "", "NOLOTGRP"]


def test_a_subject_without_a_lot_has_a_reason() -> None:
    adsl = make_subjects(2, LOTID=["", "L02"])
    study = make_study(make_sources(adsl=adsl, adpq=make_lots("AB")))
    assert study.subjects["GRPRSN"].tolist() == ["NOLOTKN", ""]


@pytest.mark.parametrize(
    ("made", "group"),
    [
        ("2024-05-31", "BEFORE"),
        ("2024-06-01", "AFTER"),
        ("2024-06-15T10:00", "AFTER"),
        ("2024-05", "BEFORE"),
        ("2024-06", "AFTER"),
        ("2024", ""),
        ("2023", "BEFORE"),
        ("2025", "AFTER"),
        ("", ""),
    ],
)
def test_a_date_is_told_where_all_its_days_lie_on_one_side(made: str, group: str) -> None:
    lots = make_lots("A", MFGDTC=[made])
    assert group_lots(lots, by_date("2024-06-01")).tolist() == [group]


def test_a_month_that_the_change_divides_is_in_no_group() -> None:
    lots = make_lots("A", MFGDTC=["2024-06"])
    assert group_lots(lots, by_date("2024-06-15")).tolist() == [""]


def test_a_list_of_lots_tells_before_from_after() -> None:
    settings = ComparabilitySettings(by="LOTS", changed_lots=("L02",))
    assert group_lots(make_lots("AAA"), settings).tolist() == ["BEFORE", "AFTER", "BEFORE"]


def test_groups_by_assay_are_those_of_the_samples() -> None:
    samples = pd.concat(
        [make_samples(ASSAY_1, ASSAY_2, ASSAY_1), make_samples(ASSAY_1, ASSAY_2, ASSAY_2)]
    )
    sources = make_sources(adsl=make_subjects(4), adpq=make_lots("AAAA"), adpc=samples)
    study = make_study(sources, by="ASSAY", reference="1")
    assert study.subjects["GROUP"].tolist() == ["1", "2", "", ""]
    assert study.subjects["GRPRSN"].tolist() == ["", "", "MIXASSAY", "NOSAMPKN"]


def test_doses_in_several_units_are_no_covariate() -> None:
    adsl = make_subjects(2)
    one = make_doses((1, "L01", "FIRST"), (2, "L02", "FIRST"))
    assert read_doses(adsl, one).tolist() == [100, 200]
    two = pd.concat([one.iloc[:1], make_doses((2, "L02", "FIRST"), unit="mL")])
    assert read_doses(adsl, two).isna().all()


@pytest.mark.parametrize(
    ("settings", "processes", "reason"),
    [
        ({"by": "", "reference": ""}, "AB", "NOCHANGE"),
        ({}, "BB", "NOREFGRP"),
        ({}, "AA", "ONEGROUP"),
    ],
)
def test_what_has_not_two_groups_is_not_compared(
    settings: dict[str, Any], processes: str, reason: str
) -> None:
    sources = make_sources(adsl=make_subjects(2), adpq=make_lots(processes))
    found = compare_groups(sources, make_settings(**settings), ANALYTE).results
    assert set(found["analysis_id"]) == {"comparability.change"}
    assert set(found["note_code"]) == {reason}


def test_lots_and_subjects_of_each_group_are_counted() -> None:
    lots = make_lots(
        "AABB",
        RELSTAT=["RELEASED", "REJECTED", "RELEASED", "RELEASED"],
        INFUSFL=["Y", "N", "Y", "Y"],
    )
    adsl = make_subjects(4, LOTID=["L01", "L03", "L04", ""], PKFL=["Y", "Y", "N", "Y"])
    sources = make_sources(adsl=adsl, adpq=lots)
    results = AnalysisResults([compare_groups(sources, make_settings(), ANALYTE).results])
    places = [("LOTID", "n"), ("LOTID", "n_released"), ("LOTID", "n_infused"),
              ("USUBJID", "n"), ("USUBJID", "n_kinetics")]  # fmt: skip
    found = [
        results.find("comparability.group_count", variable, by={"group": group}, stat=stat)
        for group in "AB"
        for variable, stat in places
    ]
    assert [value.number for value in found if value] == [2, 1, 1, 1, 1, 2, 2, 2, 2, 1]
    none = results.find("comparability.group_none", "USUBJID", by={"reason": "NOLOTKN"})
    assert none is not None and none.number == 1


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"by": "PROCESS"}, "reference names the group"),
        ({"by": "DATE"}, "change_date"),
        ({"by": "LOTS"}, "changed_lots"),
        ({"by": "DATE", "change_date": "2024-06-01", "reference": "A"}, "leave reference"),
    ],
)
def test_a_grouping_that_is_not_complete_is_refused(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        ComparabilitySettings.model_validate(settings)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"lower": 1.1}, "below 1"),
        ({"justification": {"en": "why", "zh": " "}}, "justification in both languages"),
        ({"parameter": "LAMZHL"}, "none of metrics"),
    ],
)
def test_a_margin_is_of_something_compared_and_has_a_reason(
    change: dict[str, Any], fault: str
) -> None:
    margin = {"parameter": "CMAX", "lower": 0.5, "upper": 2, "justification": BOTH}
    ComparabilitySettings.model_validate({"margins": [margin]})
    with pytest.raises(ValidationError, match=fault):
        ComparabilitySettings.model_validate({"margins": [margin | change]})


def test_a_margin_of_its_analyte_goes_before_that_of_all() -> None:
    wide = {"parameter": "CMAX", "lower": 0.33, "upper": 3, "justification": BOTH}
    own = {**wide, "analyte": "FLOW", "lower": 0.5, "upper": 2}
    settings = ComparabilitySettings.model_validate({"margins": [wide, own]})
    found = [settings.find_margin("CMAX", analyte) for analyte in ("FLOW", "PCR")]
    assert [margin.upper for margin in found if margin] == [2, 3]
    assert settings.find_margin("AUC28", "PCR") is None


def test_names_that_no_dataset_has_are_refused_together() -> None:
    with pytest.raises(ConfigError) as caught:
        make_study(make_sources(), attributes=("VIABPCT", "RELSTAT"), adjust_for=("AGEE",))
    assert len(caught.value.faults) == 2


def test_two_margins_of_one_parameter_are_refused() -> None:
    margin = {"parameter": "CMAX", "lower": 0.5, "upper": 2, "justification": BOTH}
    with pytest.raises(ValidationError, match="two margins of CMAX"):
        ComparabilitySettings.model_validate({"margins": [margin, margin]})

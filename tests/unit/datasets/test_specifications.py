"""Each dataset has one specification, and every frame is held to it."""

import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset, list_specifications, read_specification
from celldossier.errors import InputDataError
from celldossier.io.stages import CHECKS, DATASETS

SPECIFICATIONS = list_specifications()


@pytest.mark.parametrize("specification", SPECIFICATIONS, ids=lambda s: s.name)
def test_a_specification_is_named_as_its_file_and_its_keys_are_variables(specification) -> None:
    assert read_specification(specification.name).name == specification.name
    assert set(specification.keys) <= set(specification.variables)


@pytest.mark.parametrize(
    "specification", [s for s in SPECIFICATIONS if s.layer == "analysis"], ids=lambda s: s.name
)
def test_an_analysis_dataset_can_be_exported_to_xpt(specification) -> None:
    assert len(specification.name) <= 8
    for name, variable in specification.variables.items():
        assert len(name) <= 8, name
        assert len(variable.en) <= 40, name
        assert variable.origin, f"{name} has no origin"


def test_every_dataset_that_has_a_specification_is_handed_on_by_one_stage() -> None:
    analysis = [s.name for s in SPECIFICATIONS if s.layer == "analysis"]
    assert sorted(DATASETS) == sorted(analysis)
    checks = [s.name.lower() for s in SPECIFICATIONS if s.layer == "checks"]
    assert sorted(CHECKS) == sorted(checks)


def row(**values: object) -> pd.DataFrame:
    given = {
        "domain": "PC",
        "file": "pc.csv",
        "row": 1,
        "subject": "S1",
        "reason": "X",
        "detail": "",
    }
    return pd.DataFrame([given | values])


def test_missing_text_becomes_blank_and_variables_are_ordered() -> None:
    frame = conform(row(detail=None)[["reason", "row", "domain", "file", "detail"]], "EXCLUSIONS")
    assert list(frame.columns) == list(read_specification("EXCLUSIONS").variables)
    assert frame.loc[0, "detail"] == ""
    assert frame.loc[0, "subject"] == ""
    assert frame["row"].dtype == "int64"


def test_a_variable_that_the_specification_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError, match="EXTRA"):
        conform(row(EXTRA=1), "EXCLUSIONS")


def test_all_faults_of_a_frame_are_listed_at_once() -> None:
    frame = pd.concat([row(domain=""), row(reason="", row=2), row(row=2.5)])
    with pytest.raises(InputDataError) as error:
        conform(frame, "EXCLUSIONS")
    text = "\n".join(error.value.faults)
    assert "domain breaks the rule 'a required text is not blank'" in text
    assert "reason breaks the rule 'a required text is not blank'" in text
    assert "row breaks the rule 'whole number' with the value 2.5" in text


def test_a_value_outside_its_codelist_and_a_duplicated_key_are_refused() -> None:
    with pytest.raises(InputDataError, match="fatal"):
        conform(
            pd.DataFrame(
                {"severity": ["fatal"], "rule_id": "R", "message_en": "m", "message_zh": "m"}
            ),
            "FINDINGS",
        )
    with pytest.raises(InputDataError, match="domain"):
        conform(pd.concat([row(), row()]), "EXCLUSIONS")


def test_rows_are_sorted_by_their_keys_whatever_their_order() -> None:
    frame = pd.concat([row(row=3), row(row=1), row(row=2)])
    assert conform(frame, "EXCLUSIONS")["row"].tolist() == [1, 2, 3]


def test_an_empty_dataset_has_all_its_variables() -> None:
    assert list(empty_dataset("ADSL").columns) == list(read_specification("ADSL").variables)

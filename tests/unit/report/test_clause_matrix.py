"""The status of a clause follows from outputs that exist and hold subjects."""

import pandas as pd
import pytest

from celldossier.io.resources import read_resource, shared_path
from celldossier.report.clauses import (
    NOT_BUILT,
    TOO_FEW,
    Output,
    check_evidence_ids,
    derive_clause_matrix,
)
from celldossier.report.matrix import BLOCKS, derive_conditions
from celldossier.settings.read import read_model
from celldossier.settings.study import Product, ProductClass
from celldossier.settings.tlfs import TlfCatalogue

VERSION = "cde-draft-2024-06"
OUTPUTS = {
    "T25": Output("T25", True, 40),
    "T26": Output("T26", True, 2),
    "T78": Output("T78", False, 0, "NOTCOLL"),
}
CONDITIONS = {"gene_modified": True, "repeat_dosing": False}


def derive(narratives: dict | None = None, **clause: object):
    given = {"id": "S4.1-3", "section": "S4.1", "applies": {"all": True}} | clause
    return derive_clause_matrix([given], OUTPUTS, CONDITIONS, "car_t", narratives or {}, 3)[0]


def test_a_clause_is_addressed_when_all_its_evidence_holds_enough_subjects() -> None:
    row = derive(evidence=["T25"])
    assert (row.status, row.evidence) == ("addressed", ("T25",))


def test_an_output_with_too_few_subjects_is_no_evidence() -> None:
    row = derive(evidence=["T25", "T26"])
    assert (row.status, row.reason) == ("not_available", TOO_FEW)


def test_an_output_that_was_not_made_hands_on_its_reason() -> None:
    row = derive(evidence=["T25", "T78"])
    assert (row.status, row.reason, row.evidence) == ("not_available", "NOTCOLL", ("T25",))


def test_one_of_several_outputs_is_enough_where_the_product_decides_which() -> None:
    row = derive(either=["T78", "T25"])
    assert (row.status, row.evidence) == ("addressed", ("T25",))
    row = derive(either=["T78", "T26"])
    assert (row.status, row.reason, row.evidence) == ("not_available", "NOTCOLL", ("T26",))


def test_a_part_of_the_answer_is_never_enough() -> None:
    row = derive(partial=["T25"], requires=["T99"])
    assert (row.status, row.reason, row.evidence) == ("not_available", NOT_BUILT, ("T25",))


def test_a_text_that_the_sponsor_owes_is_not_provided_until_it_stands_in_the_config() -> None:
    owed = {"evidence": ["T25"], "owed": ["dose_rationale"]}
    assert derive(**owed).status == "not_provided"
    assert derive({"dose_rationale": {"en": "x", "zh": "x"}}, **owed).status == "addressed"


def test_a_clause_for_another_product_or_design_is_not_applicable() -> None:
    assert derive(applies={"classes": ["stem"]}, evidence=["T25"]).status == "not_applicable"
    row = derive(applies={"condition": "repeat_dosing"}, evidence=["T25"])
    assert (row.status, row.reason) == ("not_applicable", "repeat_dosing")


@pytest.fixture(scope="module")
def resource() -> dict:
    return read_resource("guideline", VERSION, "clauses.yaml")


def test_a_product_that_is_declared_wholly_new_makes_its_clause_live(resource: dict) -> None:
    both = {"en": "x", "zh": "x"}
    subjects = pd.DataFrame({"SAFFL": ["Y"], "AGE": [40.0]})
    doses = pd.DataFrame({"DOSETYPE": ["FIRST"]})
    clause = next(item for item in resource["clauses"] if item["id"] == "S3.2-3")
    found = []
    for new in (False, True):
        product = Product(
            name="X", product_class="car_t", gene_modified=True, source="autologous",
            route="systemic", description=both, first_of_kind=new,
        )  # fmt: skip
        settings = {
            "study": {"product": product.model_dump(mode="json")},
            "cellular_kinetics": {"no_specific_marker": []},
            "dose_exploration": {"escalation": {"design": None}},
            "comparability": {"by": ""},
        }
        conditions = derive_conditions(settings, subjects, doses)
        assert not conditions["dose_escalation"]
        outputs = {"T09": Output("T09", True, 12)}
        texts = {"first_in_human_dose": both}
        found.append(
            derive_clause_matrix([clause], outputs, conditions, "car_t", texts, 3)[0].status
        )
    assert found == ["not_applicable", "addressed"]


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        *(("S2-3", output) for output in ("T82", "T14", "T26", "T43", "T52", "T78")),
        *(("S2-1", output) for output in ("T25", "T49", "T56", "T62")),
        *(("S4.3-4", output) for output in ("T06", "T47", "T47a")),
        *(("S5-1", output) for output in ("T17", "T52", "T67")),
    ],
)
def test_a_clause_that_asks_for_several_things_is_open_while_one_of_them_is_missing(
    resource: dict, asked: str, missing: str
) -> None:
    clause = next(item for item in resource["clauses"] if item["id"] == asked)
    outputs = {name: Output(name, True, 12) for name in clause["evidence"]}
    arguments = (CONDITIONS | {"minors": False}, "car_t", {}, 3)
    assert derive_clause_matrix([clause], outputs, *arguments)[0].status == "addressed"
    outputs[missing] = Output(missing, False, 0, "NOTCOLL")
    assert derive_clause_matrix([clause], outputs, *arguments)[0].status == "not_available"


def test_every_evidence_id_is_declared(resource: dict) -> None:
    declared = [tlf.id for tlf in read_model(shared_path("config/tlfs.yaml"), TlfCatalogue).tlfs]
    assert check_evidence_ids(resource["clauses"], [*declared, *BLOCKS]) == []


def test_an_output_that_a_clause_still_requires_is_not_yet_declared(resource: dict) -> None:
    declared = {tlf.id for tlf in read_model(shared_path("config/tlfs.yaml"), TlfCatalogue).tlfs}
    waiting = {name for clause in resource["clauses"] for name in clause.get("requires", [])}
    assert waiting & declared == set(), "move it from `requires` to `evidence`"


def test_every_clause_can_be_decided(resource: dict) -> None:
    classes = {member.value for member in ProductClass}
    ids = [clause["id"] for clause in resource["clauses"]]
    assert len(ids) == len(set(ids)) == 58
    sections = read_resource("guideline", VERSION, "guideline.yaml")["sections"]
    for clause in resource["clauses"]:
        assert clause["section"] in sections
        assert set(clause["applies"].get("classes", [])) <= classes
        answered = {"evidence", "either", "requires", "owed", "statement"} & set(clause)
        assert answered, f"{clause['id']} has nothing that could answer it"


def test_the_clauses_are_those_of_the_guideline(resource: dict, shared_folder) -> None:
    import yaml

    text = (shared_folder / "guideline" / "clauses.yaml").read_text(encoding="utf-8")
    asked = [(clause["id"], clause["lines"]) for clause in yaml.safe_load(text)["clauses"]]
    assert [(clause["id"], clause["lines"]) for clause in resource["clauses"]] == asked


@pytest.mark.parametrize(("by", "status"), [("", "not_applicable"), ("PROCESS", "addressed")])
def test_a_change_that_is_declared_makes_its_clause_live(
    resource: dict, by: str, status: str
) -> None:
    both = {"en": "x", "zh": "x"}
    product = Product(
        name="X", product_class="car_t", gene_modified=True, source="autologous",
        route="systemic", description=both,
    )  # fmt: skip
    settings = {
        "study": {"product": product.model_dump(mode="json")},
        "cellular_kinetics": {"no_specific_marker": []},
        "dose_exploration": {"escalation": {"design": None}},
        "comparability": {"by": by},
    }
    subjects = pd.DataFrame({"SAFFL": ["Y"], "AGE": [40.0]})
    conditions = derive_conditions(settings, subjects, pd.DataFrame({"DOSETYPE": ["FIRST"]}))
    clause = next(item for item in resource["clauses"] if item["id"] == "S8.4-1")
    outputs = {name: Output(name, True, 12) for name in clause["evidence"]}
    found = derive_clause_matrix([clause], outputs, conditions, "car_t", {}, 3)
    assert found[0].status == status

"""The JSON Schema and the page of settings follow from the typed models."""

import json

import pytest

from celldossier.io.resources import shared_path
from celldossier.settings.documents import make_documents
from celldossier.settings.model import SECTIONS, Settings, effective_sections
from celldossier.settings.read import check_values, merge, read_yaml

DOCUMENTS = make_documents()
EXAMPLES = [
    "config.yaml",
    *(f"studies/{path.name}" for path in sorted(shared_path("config", "studies").glob("*.yaml"))),
]

BELOW = {"studies/ctx101_before.yaml": ("config.yaml",)}
"""Config files that stand on others, which are named before them."""


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_generated_document_is_up_to_date(name: str) -> None:
    committed = shared_path(*name.split("/")).read_text(encoding="utf-8")
    assert committed == DOCUMENTS[name], f"run `celldossier document` to write {name} anew"


def test_every_setting_has_a_description() -> None:
    rows = [line for line in DOCUMENTS["config/README.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert not [row for row in rows if "|  |" in row[: row.index("|", 2) + 4]]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_shipped_config_is_valid_and_complete_in_json(name: str) -> None:
    files = [shared_path("config", *layer.split("/")) for layer in (*BELOW.get(name, ()), name)]
    settings = check_values(merge([read_yaml(file) for file in files]), Settings, files)
    sections = effective_sections(settings)
    assert set(sections) == {*SECTIONS, "run"}
    json.dumps(sections, allow_nan=False)


def test_the_guideline_version_has_no_default() -> None:
    assert Settings.model_fields["guideline_version"].is_required()
    assert Settings.model_fields["config_version"].is_required()

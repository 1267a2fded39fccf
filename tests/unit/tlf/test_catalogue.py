"""config/tlfs.yaml and the catalogues of terms: everything that is named exists."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from celldossier.datasets import list_specifications
from celldossier.errors import ConfigError
from celldossier.io.resources import read_resource, shared_path
from celldossier.settings.model import SECTIONS, GuidelineVersion
from celldossier.settings.read import read_model
from celldossier.settings.tlfs import TlfCatalogue
from celldossier.terms.language import LOCALES
from celldossier.tlf.registry import DRAWINGS, find_drawing

CATALOGUE = read_model(shared_path("config", "tlfs.yaml"), TlfCatalogue)
# fmt: off
SHELLS = (
    "T01", "T02", "T04", "T05", "T06", "T14", "T16", "F20", "F21", "F22", "F23", "T24",
    "T25", "T26", "T27", "T34", "T36", "T40a", "T51", "T52", "T52a", "F53", "F54", "F55", "T56",
    "T58a", "T34b", "T34c", "T37", "F35", "F35a",
    "F60", "F61", "T62", "T63",
    "T65", "F72", "T78", "F78", "L78",
)
# fmt: on
PACKAGE = Path(inspect.getfile(find_drawing)).parent


def terms(locale: str) -> dict[str, str]:
    path = shared_path("report_templates", "locale", locale, "LC_MESSAGES", "terms.po")
    with path.open("rb") as handle:
        return {str(m.id): str(m.string) for m in read_po(handle) if m.id}


def test_every_shell_of_this_version_is_declared_once() -> None:
    declared = [tlf.id for tlf in CATALOGUE.tlfs]
    assert len(declared) == len(set(declared))
    assert set(SHELLS) <= set(declared)


def test_every_drawing_that_is_declared_exists_and_every_one_that_exists_is_declared() -> None:
    assert {tlf.draw for tlf in CATALOGUE.tlfs} == set(DRAWINGS)
    for name, place in DRAWINGS.items():
        module, function = place.split(":")
        assert callable(getattr(import_module(f"celldossier.tlf.{module}"), function)), name


def test_an_unknown_drawing_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"os\.system.*concentrations"):
        find_drawing("os.system")


def test_datasets_settings_and_sections_that_are_named_exist() -> None:
    datasets = {s.name for s in list_specifications()}
    versions = GuidelineVersion.__args__  # type: ignore[attr-defined]
    sections = read_resource("guideline", versions[0], "guideline.yaml")["sections"]
    for tlf in CATALOGUE.tlfs:
        assert set(tlf.datasets) <= datasets, tlf.id
        assert set(tlf.settings) <= set(SECTIONS), tlf.id
        assert tlf.section in sections, tlf.id
        assert "" not in (tlf.title.en, tlf.title.zh)


def test_clauses_name_the_same_evidence_as_the_catalogue() -> None:
    clauses = read_resource("guideline", "cde-draft-2024-06", "clauses.yaml")["clauses"]
    evidence = {(item, c["id"]) for c in clauses for item in c.get("evidence", [])}
    declared = {(tlf.id, clause) for tlf in CATALOGUE.tlfs for clause in tlf.clauses}
    assert declared == {pair for pair in evidence if pair[0] not in ("MATRIX", "SUMMARY")}


def test_both_catalogues_hold_the_same_keys_with_a_text() -> None:
    english, chinese = (terms(LOCALES[code]) for code in ("en", "zh"))
    assert set(english) == set(chinese)
    assert all(english.values()) and all(chinese.values())


def test_both_texts_of_a_key_take_the_same_values() -> None:
    english, chinese = (terms(LOCALES[code]) for code in ("en", "zh"))
    for key, text in english.items():
        fields = [sorted(re.findall(r"\{[^}]*\}", each)) for each in (text, chinese[key])]
        assert fields[0] == fields[1], key


def test_every_footnote_of_the_declaration_has_a_text() -> None:
    known = terms("en")
    for tlf in CATALOGUE.tlfs:
        for key in tlf.footnotes:
            stem = f"footnote.{key.split('{')[0]}"
            assert any(k == stem or ("{" in key and k.startswith(stem)) for k in known), key


def test_every_text_that_the_code_names_has_a_text() -> None:
    known = set(terms("en"))
    pattern = re.compile(
        r'"((?:ada|aesi|column|domain|figure|footnote|label|ld|lot|population|statistic|unit)\.[A-Za-z0-9_.]+)"'
    )
    named = {
        key for path in sorted(PACKAGE.glob("*.py")) for key in pattern.findall(path.read_text())
    }
    assert len(named) > 50
    assert named <= known


def test_every_reason_code_has_both_texts() -> None:
    for code, text in read_resource("terms", "reason_codes.yaml").items():
        assert text["en"] and text["zh"], code


def test_no_reason_code_stands_twice() -> None:
    """Of two texts of one code the later would be printed for both, in silence."""
    path = shared_path("resources", "terms", "reason_codes.yaml")
    lines = path.read_text(encoding="utf-8").splitlines()
    codes = [line.split(":")[0] for line in lines if re.match(r"[A-Z0-9]+:", line)]
    assert set(codes) == set(read_resource("terms", "reason_codes.yaml"))
    assert sorted(codes) == sorted(set(codes))


def test_every_reason_for_not_showing_an_output_has_a_text() -> None:
    known = set(read_resource("terms", "reason_codes.yaml"))
    named = {
        code
        for path in sorted(PACKAGE.glob("*.py"))
        for code in re.findall(r'NotShown\("([A-Z0-9]+)"\)', path.read_text())
    }
    assert "NOTCOLL" in named
    assert named <= known

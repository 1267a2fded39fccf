"""config/tlfs.yaml and the catalogues of terms: everything that is named exists."""

from __future__ import annotations

import ast
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
from celldossier.tlf.drawings import find_drawing, list_modules

CATALOGUE = read_model(shared_path("config", "tlfs.yaml"), TlfCatalogue)
# fmt: off
SHELLS = (
    "T01", "T02", "T04", "T05", "T06", "T14", "T16", "F20", "F21", "F22", "F23", "T24",
    "T25", "T26", "T27", "T34", "T36", "T40a", "T51", "T52", "T52a", "F53", "F54", "F55", "T56",
    "T58a", "T34b", "T34c", "T37", "F35", "F35a",
    "F60", "F61", "T62", "T63",
    "T65", "F72", "T78", "F78", "L78",
    "T56b", "F56b", "T56c", "T57", "T57a", "T68", "T69", "T69a", "T70", "T70a",
    "T49a", "F49a", "T49b", "T56e", "T62b", "T63b", "T65b", "F66",
    "T14a", "L14", "F15", "T19", "F19", "T82", "F82",
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
    drawings = set()
    for module in list_modules():
        for name, value in vars(import_module(f"celldossier.tlf.{module}")).items():
            here = name.startswith("draw_") and value.__module__ == f"celldossier.tlf.{module}"
            if here and inspect.signature(value).parameters.keys() == {"context"}:
                drawings.add(f"{module}.{name.removeprefix('draw_')}")
    assert len(drawings) > 100
    assert {tlf.draw for tlf in CATALOGUE.tlfs} == drawings
    for draw in drawings:
        assert callable(find_drawing(draw)), draw


def test_an_unknown_drawing_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"os\.system.* the nearest is \w+"):
        find_drawing("os.system")
    with pytest.raises(ConfigError, match="the nearest is tables_kinetics"):
        find_drawing("table_kinetics.concentrations")
    with pytest.raises(ConfigError, match=r"tables_kinetics draws .*concentrations"):
        find_drawing("tables_kinetics.concentration")


def test_datasets_settings_and_sections_that_are_named_exist() -> None:
    datasets = {s.name for s in list_specifications()}
    versions = GuidelineVersion.__args__  # type: ignore[attr-defined]
    sections = read_resource("guideline", versions[0], "guideline.yaml")["sections"]
    for tlf in CATALOGUE.tlfs:
        assert set(tlf.datasets) <= datasets, tlf.id
        assert set(tlf.settings) <= set(SECTIONS), tlf.id
        assert tlf.section in sections, tlf.id
        assert "" not in (tlf.title.en, tlf.title.zh)


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


def read_texts(folder: Path) -> tuple[set[str], set[str]]:
    """Texts of the Python files of a folder.

    Returns
    -------
    tuple
        The texts, and those with a part that is computed as expressions in which it is
        open: ``f"level.{key}.{level}"`` is ``level\\..*\\..*``.
    """
    whole: set[str] = set()
    parted: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
        inside = {id(part) for node in joined for part in node.values}
        whole |= {
            node.value
            for node in nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        }
        for node in joined:
            parts = (
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
                for part in node.values
            )
            parted.add("".join(parts))
    return whole, parted


def test_every_text_of_the_catalogue_is_named_somewhere() -> None:
    whole, parted = read_texts(PACKAGE.parent)
    for path in sorted(shared_path("report_templates").rglob("*.j2")):
        text = path.read_text(encoding="utf-8")
        whole |= set(re.findall(r'"([^" ]+)"', text))
        parted |= {f"{re.escape(stem)}.*" for stem in re.findall(r'"([a-z_]+\.[^" ]*)" ~', text)}
    for tlf in CATALOGUE.tlfs:
        for key in tlf.footnotes:
            ends = re.split(r"\{.*?\}", f"footnote.{key}")
            parted.add(".*".join(re.escape(end) for end in ends))
    codes = {
        code
        for path in sorted(shared_path("resources").rglob("*.yaml"))
        for code in re.findall(r"[\w#.<>=/^-]+", path.read_text(encoding="utf-8"))
    }
    # What is open behind its first word names every text of that word: then the rest of the
    # key, or its last part, must be a text of the code or a code of the resources.
    parted = {name for name in parted if re.match(r"[a-z_]+\\\.", name)}
    broad = {name for name in parted if re.fullmatch(r"[a-z_]+\\\.\.\*", name)}
    narrow, wide = (re.compile("|".join(sorted(names))) for names in (parted - broad, broad))
    idle = set()
    for key in terms("en"):
        if key in whole or narrow.fullmatch(key):
            continue
        rest = {key.partition(".")[2], key.rpartition(".")[2]}
        if not (wide.fullmatch(key) and rest & (whole | codes)):
            idle.add(key)
    assert idle == set()


def test_every_text_that_the_code_names_has_a_text() -> None:
    known = set(terms("en"))
    stems = {key.split(".")[0] for key in known}
    whole, _ = read_texts(PACKAGE)
    form = re.compile(r"([a-z_]+)\.[A-Za-z0-9_.#]+")
    named = {text for text in whole if (match := form.fullmatch(text)) and match[1] in stems}
    assert len(named) > 500
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

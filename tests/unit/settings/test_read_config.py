"""The config is a typed model: every fault is named with file, line and the nearest key."""

from pathlib import Path

import pytest

from celldossier.errors import ConfigError
from celldossier.settings.base import Section
from celldossier.settings.read import check_values, known_keys, merge, read_model, read_yaml
from celldossier.settings.study import Product


class Inner(Section):
    half_life: float = 1.0
    names: tuple[str, ...] = ()


class Outer(Section):
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()
    number: int


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_an_unknown_key_names_the_nearest_known_key_the_file_and_the_line(tmp_path: Path) -> None:
    file = write(tmp_path / "study.yaml", "number: 1\ninner:\n  # a comment\n  halflife: 2\n")
    with pytest.raises(ConfigError) as error:
        read_model(file, Outer)
    assert error.value.exit_code == 2
    assert error.value.faults == (
        f"{file}, line 4: the key 'inner.halflife' is unknown. "
        "The nearest known key is 'half_life'.",
    )


def test_all_faults_of_a_config_are_listed_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "study.yaml", "inner:\n  half_life: long\nitems:\n  - {nmes: [a]}\n")
    with pytest.raises(ConfigError) as error:
        read_model(file, Outer)
    faults = "\n".join(error.value.faults)
    assert "line 2: 'inner.half_life' has the value 'long'" in faults
    assert "line 4: the key 'items.0.nmes' is unknown. The nearest known key is 'names'." in faults
    assert "the key 'number' is missing" in faults
    assert len(error.value.faults) == 3


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "study.yaml", "number: 1\nnumber: 2\n")
    with pytest.raises(ConfigError, match=r"line 2: .*'number' stands twice"):
        read_yaml(file)


def test_a_missing_file_and_broken_yaml_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="line 2: this is not valid YAML"):
        read_yaml(write(tmp_path / "broken.yaml", "a: 1\n b: [\n"))


def test_a_yaml_tag_makes_no_object(tmp_path: Path) -> None:
    file = write(tmp_path / "evil.yaml", "number: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_yaml(file)


def test_the_key_of_snakemake_itself_is_let_through() -> None:
    assert check_values({"number": 3, "pathvars": {"results": "x"}}, Outer).number == 3


def test_a_later_layer_replaces_lists_and_merges_mappings() -> None:
    merged = merge([{"a": {"x": 1, "y": [1, 2]}, "b": 1}, {"a": {"y": [3]}}])
    assert merged == {"a": {"x": 1, "y": [3]}, "b": 1}


def test_known_keys_are_found_inside_lists() -> None:
    assert known_keys(Outer, ("items", 0)) == ["half_life", "names"]


def test_a_product_outside_the_scope_of_the_guideline_is_refused_with_the_clause() -> None:
    values = {
        "name": "X",
        "product_class": "blood_component",
        "gene_modified": False,
        "source": "allogeneic",
        "route": "systemic",
        "description": {"en": "x", "zh": "x"},
    }
    with pytest.raises(ConfigError, match=r"outside the scope of the guideline \(clause S1-2"):
        check_values(values, Product)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param(BOMB, "more than 1000000 values", id="aliases of aliases"),
        pytest.param("number: &a [*a]\n", "refers to itself", id="a list in itself"),
        pytest.param("number: &a {b: *a}\n", "refers to itself", id="a mapping in itself"),
        pytest.param(f"number: {'[' * 5000}{']' * 5000}\n", "too deeply", id="5000 levels"),
        pytest.param("? [a, b]\n: 1\n", "line 1: .*a key must be one text", id="a list as key"),
        pytest.param("number: 2024-02-30\n", "line 1: .*'2024-02-30'", id="no such day"),
        pytest.param('number: "\x01"\n', "not valid YAML", id="a control character"),
    ],
)
def test_a_hostile_config_is_refused_at_once_and_in_a_sentence(
    text: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=what):
        read_model(write(tmp_path / "study.yaml", text), Outer)


def test_a_hostile_config_is_refused_where_snakemake_has_read_it_already(tmp_path: Path) -> None:
    file = write(tmp_path / "study.yaml", BOMB)
    with pytest.raises(ConfigError, match="more than 1000000 values"):
        check_values({"numbr": 1}, Outer, [file])


def test_an_alias_that_repeats_a_little_is_let_through(tmp_path: Path) -> None:
    text = "number: 1\ninner: &i {half_life: 2}\nitems: [*i, *i]\n"
    read = read_model(write(tmp_path / "study.yaml", text), Outer)
    assert [item.half_life for item in read.items] == [2, 2]

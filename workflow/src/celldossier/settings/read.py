"""Reading of config files: faults are listed all at once, with file, line and nearest key."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from celldossier.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60
SNAKEMAKE_KEYS = ("pathvars",)
"""Keys that Snakemake itself reads from the config; let through (design.md section 3)."""


MAX_NODES = 1_000_000
"""Keys and values of a config with its aliases written out; a config of more is refused."""


class UniqueKeyLoader(yaml.SafeLoader):
    """YAML loader that refuses a key given twice: the first value would be lost in silence."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Build a value; ConstructorError where it is none, such as the date 2024-02-30."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"the value '{node.value}' is none of its type ({error})",
                node.start_mark,
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; ConstructorError if a key stands twice."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be one text or number", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Content of a YAML file that holds a mapping.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, or does not hold a mapping.
    """
    # The loader is a SafeLoader: no tag of the file makes an object.
    loader = _open_yaml(path)
    try:
        node = loader.get_single_node()
        _check_nodes(node, path)
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            f"{path}, line {line}: this is not valid YAML: {error.problem}."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: this is not valid YAML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: keys are nested too deeply to be a config.") from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: the file must hold keys and values.")
    return content


def _open_yaml(path: Path) -> UniqueKeyLoader:
    try:
        return UniqueKeyLoader(_read_text(path))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: this is not valid YAML: {error}.") from error


def _check_nodes(root: yaml.Node | None, path: Path) -> None:
    """Refuse aliases that repeat parts of a file without end, or nearly so.

    Ten lines of aliases of aliases stand for more values than a memory holds.
    """
    sizes: dict[int, int | None] = {}  # None while the node is being counted

    def count(node: yaml.Node) -> int:
        known = sizes.get(id(node), 0)
        if known is None:
            line = node.start_mark.line + 1
            raise ConfigError(f"{path}, line {line}: this part refers to itself by an alias.")
        if known:
            return known
        sizes[id(node)] = None
        parts: Iterable[yaml.Node] = ()
        if isinstance(node, yaml.MappingNode):
            parts = (part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        size = 1 + sum(count(part) for part in parts)
        sizes[id(node)] = size
        return size

    if root is not None and count(root) > MAX_NODES:
        raise ConfigError(
            f"{path}: with its aliases written out, the file holds more than {MAX_NODES} values; "
            "this is no config."
        )


def read_model(path: Path, model: type[Model]) -> Model:
    """Read one YAML file as a typed model; see `check_values` for the errors."""
    return check_values(read_yaml(path), model, [path])


def check_values(
    values: Mapping[str, Any], model: type[Model], files: Sequence[Path] = ()
) -> Model:
    """Validate values against a typed model.

    Parameters
    ----------
    values
        The merged content of the config files.
    files
        The files it came from, in the order in which they were merged; the
        last one that holds a key is named in the error.

    Raises
    ------
    ConfigError
        With one sentence a fault: file, line, key, rule, and the nearest known
        key where a key is unknown.
    """
    content = {key: value for key, value in values.items() if key not in SNAKEMAKE_KEYS}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [(path, _key_lines(path)) for path in files]
        raise ConfigError(
            [_describe(fault, model, lines) for fault in error.errors(include_url=False)]
        ) from error


def _describe(
    fault: Any, model: type[BaseModel], lines: list[tuple[Path, dict[Location, int]]]
) -> str:
    location: Location = tuple(
        part
        for part in fault["loc"]
        if not (isinstance(part, str) and part.startswith("function-"))
    )
    place = _place(location, lines)
    key = ".".join(str(part) for part in location)
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(
            str(location[-1]), known_keys(model, location[:-1]), n=1, cutoff=0.0
        )
        hint = f" The nearest known key is '{near[0]}'." if near else ""
        return f"{place}the key '{key}' is unknown.{hint}"
    if fault["type"] == "missing":
        return f"{place}the key '{key}' is missing and has no default."
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}'{key}' has the value {_SHORT.repr(fault['input'])}: {message}."


def _place(location: Location, lines: list[tuple[Path, dict[Location, int]]]) -> str:
    """File and line of the key, or of the nearest key around it."""
    for length in range(len(location), 0, -1):
        for path, known in reversed(lines):
            if location[:length] in known:
                return f"{path}, line {known[location[:length]]}: "
    return f"{lines[-1][0]}: " if lines else ""


def known_keys(model: type[BaseModel], location: Iterable[str | int]) -> list[str]:
    """Keys that the model knows at a place of the config."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None:
            return []
        if isinstance(part, int) or part not in current.model_fields:
            continue
        current = _nested_model(current.model_fields[part].annotation)
    return sorted(current.model_fields) if current is not None else []


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _nested_model(argument)
        if found is not None:
            return found
    return None


def _key_lines(path: Path) -> dict[Location, int]:
    """Line of each key of a YAML file, by its place; empty where the file cannot be parsed."""
    lines: dict[Location, int] = {}

    def walk(node: yaml.Node, location: Location) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                place = (*location, str(key.value))
                lines[place] = key.start_mark.line + 1
                walk(value, place)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[(*location, index)] = value.start_mark.line + 1
                walk(value, (*location, index))

    loader = _open_yaml(path)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    _check_nodes(root, path)
    if root is not None:
        walk(root, ())
    return lines


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"The file {path} does not exist.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file {path} cannot be read as UTF-8 text: {error}.") from error


def merge(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge config layers as Snakemake does: mappings key by key, everything else replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
                merged[key] = merge([merged[key], value])
            else:
                merged[key] = value
    return merged

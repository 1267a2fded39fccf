"""What is generated from the typed settings: the JSON Schema and the table of all keys."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from celldossier.io.files import canonical_json
from celldossier.settings.model import Settings
from celldossier.settings.tlfs import TlfCatalogue

HEAD = """# Settings

Every key of a config file: meaning with unit, type, default. This page is
generated from the typed models in `workflow/src/celldossier/settings/` by
`celldossier document`; a test holds it up to date.

| key | meaning | type | default |
|---|---|---|---|
"""


def make_schema(model: type[BaseModel] = Settings) -> str:
    """JSON Schema of the config, for editors and for Snakemake's ``validate``."""
    schema: dict[str, Any] = model.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return canonical_json(schema) + "\n"


def make_documents() -> dict[str, str]:
    """Generated files by their path below the project root."""
    return {
        "workflow/schemas/config.schema.json": make_schema(),
        "workflow/schemas/tlfs.schema.json": make_schema(TlfCatalogue),
        "config/README.md": HEAD + "".join(f"| {' | '.join(row)} |\n" for row in _rows(Settings)),
    }


def _rows(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str, str, str]]:
    rows = []
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        nested, repeated = _nested(field.annotation)
        rows.append((f"`{key}`", field.description or "", _type(field), _default(field, nested)))
        if nested is not None and nested.__name__ != "Bilingual":
            rows.extend(_rows(nested, f"{key}[]." if repeated else f"{key}."))
    return rows


def _nested(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in get_args(annotation):
        nested, _ = _nested(argument)
        if nested is not None:
            return nested, True
    return None, False


def _type(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{member.value}`" for member in annotation)
    return f"`{_name(annotation)}`".replace("|", "\\|")


def _name(annotation: Any) -> str:
    """A type as a reader writes it: without the validators, which are no part of it.

    >>> _name(dict[str, Annotated[tuple[int, ...], "checked"] | None])
    'dict[str, tuple[int, ...] | None]'
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _name(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(map(_name, arguments)))
    if arguments:
        return f"{origin.__name__}[{', '.join(map(_name, arguments))}]"
    if annotation is Ellipsis:
        return "..."
    return "None" if annotation is type(None) else str(annotation.__name__)


def _default(field: FieldInfo, nested: type[BaseModel] | None) -> str:
    if field.is_required():
        return "required"
    if nested is not None:
        return ""
    value = field.get_default(call_default_factory=True, validated_data={})
    return f"`{value!r}`".replace("|", "\\|")

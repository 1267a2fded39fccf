"""Dataset specifications: one file a dataset, ``resources/datasets/<NAME>.yaml``.

The specification is the only declaration of a dataset. The checks between
stages (`datasets.conform`), the reading of raw domains and, later, define.xml
are derived from it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from celldossier.io.resources import list_resources, read_resource


class Variable(BaseModel):
    """One variable of a dataset.

    A ``text`` is never null (missing is ""), a ``float`` is NaN when missing,
    an ``integer`` is a whole number, stored as float64 where it may be missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = Field(description="English label, at most 40 characters (XPT v5).", max_length=40)
    zh: str = Field(description="Chinese label.", max_length=20)
    type: Literal["text", "float", "integer"]
    unit: str = Field("", description="Unit, where it is fixed.")
    required: bool = Field(False, description="The value may not be missing.")
    origin: str = Field("", description="Where the value comes from: source variable or rule.")
    codelist: tuple[str, ...] = Field(
        (), description="Allowed values; the blank is always allowed."
    )


class Specification(BaseModel):
    """Specification of one dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    layer: Literal["source", "analysis", "results", "checks"]
    structure: str = Field(description="What one row is.")
    label: dict[Literal["en", "zh"], str]
    keys: tuple[str, ...]
    variables: dict[str, Variable]


@lru_cache(maxsize=64)
def read_specification(name: str) -> Specification:
    """Specification of the dataset of that name."""
    return Specification.model_validate(read_resource("datasets", f"{name}.yaml"))


def list_specifications() -> list[Specification]:
    """All dataset specifications, sorted by name."""
    return [read_specification(path.stem) for path in list_resources("datasets")]

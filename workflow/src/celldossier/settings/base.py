"""What all sections of the configuration share.

A section is one frozen pydantic model in a module of its own. Each field has a
type, a default where one is defensible, bounds, and a description that gives
its unit; config/README.md and the JSON Schema are generated from them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Bilingual(Section):
    """A text in the two languages of the report."""

    en: str = Field(description="English text.")
    zh: str = Field(description="Chinese (zh_CN) text.")


Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]
"""An upper-case code, such as an analyte, a parameter or a domain name."""

RunName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A name that is safe as a folder name: letters, digits, dot, underscore, hyphen."""

Range = tuple[float, float]
"""A lower and an upper limit, limits included."""

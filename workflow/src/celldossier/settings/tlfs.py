"""Model of ``config/tlfs.yaml``: each table, listing and figure, declared once.

Targets, captions, numbers and report order derive from it. Which clauses of the guideline it is
evidence for stands with the clauses, ``resources/guideline/<version>/clauses.yaml``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from celldossier.settings.base import Bilingual, Section

TlfId = Annotated[str, StringConstraints(pattern=r"^[TFL][0-9]{2}[a-z]?$")]


class Tlf(Section):
    """One table, listing or figure."""

    id: TlfId = Field(description="Kind and number of the shell in the catalogue, T25 or F20.")
    section: str = Field(description="Section of the guideline where it stands, S4.1.")
    title: Bilingual = Field(description="Title.")
    draw: str = Field(description="MODULE.NAME: it is made by draw_NAME of celldossier.tlf.MODULE.")
    options: dict[str, str | int | float | bool | list[str]] = Field(
        default_factory=dict, description="Options of that function."
    )
    stage: str = Field(description="Stage whose results it shows.")
    datasets: tuple[str, ...] = Field((), description="Datasets it shows or its results come from.")
    settings: tuple[str, ...] = Field(
        (), description="Sections of the config whose values it shows, besides those of its stage."
    )
    footnotes: tuple[str, ...] = Field((), description="Keys footnote.<name> of the terms.")
    landscape: bool = Field(False, description="Printed on a landscape page.")

    @property
    def drawing(self) -> str:
        """Name of the drawing without its module, as the footnotes print it."""
        return self.draw.partition(".")[2]

    @property
    def kind(self) -> Literal["table", "figure", "listing"]:
        """Table, figure or listing, from the first letter of the id."""
        kinds: dict[str, Literal["table", "figure", "listing"]]
        kinds = {"T": "table", "F": "figure", "L": "listing"}
        return kinds[self.id[0]]


class TlfCatalogue(Section):
    """All tables, listings and figures, in the order of the report."""

    tlfs: tuple[Tlf, ...]

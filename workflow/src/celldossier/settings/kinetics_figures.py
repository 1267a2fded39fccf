"""How many subjects stand on a page of the individual profiles, and how many pages are printed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Section


class KineticsFigures(Section):
    """Individual profiles of the kinetics."""

    panels: Literal[1, 2, 4, 6, 12] = Field(
        6, description="Subjects on a page of the individual profiles; 1 is a page a subject."
    )
    report_pages: int = Field(
        2,
        ge=1,
        description=(
            "Pages of the individual profiles that the report prints, in the order of the "
            "subjects; the pages of all subjects are in the folder of tables and figures."
        ),
    )

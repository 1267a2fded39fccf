"""Section `report`: languages, and the sponsor's own texts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from celldossier.settings.base import Bilingual, Section

NarrativeKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ReportSettings(Section):
    """What the report prints beside the computed results."""

    languages: tuple[Literal["zh", "en"], ...] = Field(
        ("zh", "en"), min_length=1, description="Languages of the report."
    )
    narratives: dict[NarrativeKey, Bilingual] = Field(
        default_factory=dict,
        description="Sponsor texts by key, plain text with Markdown emphasis; the clauses that "
        "ask for a narrative name the key, and say 'not provided' where it is missing.",
    )
    minimum_subjects: int = Field(
        3, ge=1, description="Subjects that an output must hold to count as evidence for a clause."
    )

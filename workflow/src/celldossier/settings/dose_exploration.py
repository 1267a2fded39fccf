"""Section `dose_exploration`: planned and actual doses."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Section


class DoseExplorationSettings(Section):
    """Planned and actual doses.

    The pre-specified window of the dose is a key of the study data, where each
    administration is judged.
    """

    by_dose: bool = Field(True, description="Statistics by dose level beside those of all.")

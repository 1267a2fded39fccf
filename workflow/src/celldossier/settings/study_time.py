"""Part `study_data.time`: how dates become days."""

from __future__ import annotations

from celldossier.settings.base import Section


class TimeSettings(Section):
    """How dates become days, and what the data cut-off does."""

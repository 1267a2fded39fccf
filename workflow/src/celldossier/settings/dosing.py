"""Part `study_data.dosing`: the doses of the cell product."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from celldossier.settings.base import Range, Section


class DosingSettings(Section):
    """Planned and actual doses of the cell product."""

    dose_window: Range = Field(
        (0.8, 1.2), description="Pre-specified window of actual over planned dose, ratio."
    )

    @model_validator(mode="after")
    def _window_is_one(self) -> Self:
        low, high = self.dose_window
        if not low < high:
            raise ValueError(f"dose_window: the lower limit {low:g} is not below {high:g}")
        return self

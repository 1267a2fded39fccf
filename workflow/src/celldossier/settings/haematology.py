"""Part `haematology` of the section `pharmacodynamics`: blood counts and cytopenias."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section

BloodCount = Literal["NEUT", "PLAT", "HGB", "LYM", "WBC"]
"""Keys of resources/terms/ctcae_blood_counts.yaml."""


COUNTS: dict[Code, BloodCount] = {
    "NEUT": "NEUT",
    "PLAT": "PLAT",
    "HGB": "HGB",
    "LYM": "LYM",
    "WBC": "WBC",
}


class HaematologySettings(Section):
    """Blood counts, and depth and duration of cytopenias."""

    counts: dict[Code, BloodCount] = Field(
        default_factory=lambda: dict(COUNTS),
        description=(
            "Analyte to the blood count whose grades (resources/terms/ctcae_blood_counts.yaml, "
            "CTCAE 5.0) it is given."
        ),
    )
    lower_limits: dict[Code, float] = Field(
        default_factory=dict,
        description=(
            "Lower limit of normal of an analyte, in its unit: the upper end of grade 1. Where it "
            "is not given, grades 0 and 1 are not told apart."
        ),
    )
    confirm: int = Field(
        2,
        ge=1,
        description=(
            "Consecutive samples of a lower grade that end an episode; the episode ends at the "
            "first of them."
        ),
    )
    crossing: Literal["sample", "linear"] = Field(
        "sample",
        description=(
            "Beginning and end of an episode: sample (the first sample inside, the first sample "
            "back) or linear (where the straight line between the samples on either side crosses "
            "the limit of the grade)."
        ),
    )
    prolonged_day: float = Field(
        28,
        gt=0,
        description=(
            "Days after the first infusion: an episode that began before and is still at its grade "
            "in a sample from then on is prolonged."
        ),
    )
    prolonged_window: float = Field(
        3, ge=0, description="Days by which a sample may be drawn before `prolonged_day`."
    )
    until_new_therapy: bool = Field(
        True,
        description=(
            "Samples after a new therapy, a retreatment or an unplanned infusion are left out."
        ),
    )
    min_subjects: int = Field(
        5, ge=2, description="Least number of subjects for which a median duration is estimated."
    )

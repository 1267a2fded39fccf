"""Part `parameters` of the section `pharmacodynamics`: what is computed of each marker."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Code, Section

Kind = Literal["continuous", "count", "ordinal", "score"]
Direction = Literal["rise", "fall", "both"]
Handling = Literal["keep", "exclude", "apart"]
MarkerClass = Literal[
    "CYTOKINE",
    "INFLAMMATION",
    "BLOOD_COUNT",
    "LYMPHOCYTE_SUBSET",
    "TARGET_CELL",
    "TUMOUR",
    "SCORE",
    "TISSUE_FACTOR",
    "IMAGING",
    "GENE",
    "ORGAN",
]
Day = Annotated[float, Field(gt=0, le=9999)]

CODE_ROOM = 3
"""Characters that an area's day may take, so that its code (PDAUC365) has 8 at most."""


class RecoveryCriterion(Section):
    """When a marker has returned."""

    criterion: Literal["baseline", "normal", "absolute"] = Field(
        description=(
            "baseline: within `factor` of the baseline; normal: at or below the upper limit of "
            "normal of the sample; absolute: at or beyond `threshold`."
        )
    )
    factor: float = Field(
        1.5,
        ge=1,
        description=(
            "With baseline: at most this many times the baseline after a rise, at least the "
            "baseline divided by it after a fall."
        ),
    )
    threshold: float | None = Field(
        None,
        description=(
            "With absolute, in the unit of the marker: at most this after a rise, at least this "
            "after a fall."
        ),
    )
    consecutive: int = Field(
        1, ge=1, description="Consecutive samples that must meet the criterion, the first counts."
    )
    timing: Literal["sample", "interpolated"] = Field(
        "sample",
        description=(
            "Time of the return: of the first of these samples, or where the straight line from "
            "the sample before it crosses the limit."
        ),
    )

    @model_validator(mode="after")
    def _absolute_has_a_threshold(self) -> Self:
        if (self.criterion == "absolute") != (self.threshold is not None):
            raise ValueError("`threshold` is given with the criterion absolute, and only with it")
        return self


class MarkerRule(Section):
    """What differs for one marker; what is not given is as resources/terms/markers.yaml says."""

    marker: Code = Field(description="Analyte code of an assay of the domain PD.")
    marker_class: MarkerClass | None = Field(
        None, description="Class of the marker: which tables show it."
    )
    kind: Kind | None = Field(
        None,
        description=(
            "continuous, count, ordinal or score. Scores and ordinal markers are described by "
            "their changes, the others by ratios to the baseline too."
        ),
    )
    direction: Direction | None = Field(
        None,
        description="Direction of the effect: rise, fall or both; of a score, of an improvement.",
    )
    window: Day | None = Field(
        None, description="End of the window of peak and nadir, days after the first infusion."
    )
    rise_factor: float | None = Field(
        None, gt=1, description="Ratio to the baseline that counts as a response of the marker."
    )
    recovery: RecoveryCriterion | None = Field(None, description="When the marker has returned.")
    beyond: float | None = Field(
        None,
        description=(
            "Threshold of the duration above it (after a rise) or below it (after a fall), in the "
            "unit of the marker; without it the upper limit of normal, for rises."
        ),
    )
    after: tuple[Code, ...] | None = Field(
        None,
        description=(
            "Classes of medication (ADCM.CMCLASS) after whose first dose a sample no longer "
            "speaks for the effect of the product, as tocilizumab for interleukin-6."
        ),
    )
    after_medication: Handling = Field(
        "apart",
        description=(
            "Samples after such a medication: keep, exclude, or apart (left out of the parameters; "
            "peak of all samples, and of these alone, beside them)."
        ),
    )
    flagged: Handling | None = Field(
        None, description="Samples of flagged condition (ADPD.CONDFL): keep, exclude or apart."
    )
    mcid: float | None = Field(
        None,
        gt=0,
        description="Least improvement of a score that counts as a response, in its unit.",
    )


class MarkerParameterSettings(Section):
    """Parameters of the course of each marker."""

    markers: tuple[Code, ...] = Field(
        (), description="Analyte codes that are analysed; none given: all of the domain PD."
    )
    window: Day = Field(
        28, description="End of the window of peak and nadir, days after the first infusion."
    )
    areas: tuple[Day, ...] = Field(
        (28,), description="Ends of the areas from the first infusion on, days."
    )
    area_tolerance: float = Field(
        3,
        ge=0,
        description=(
            "Days that the last sample may lie before the end of an area; its value is held until "
            "then, flagged."
        ),
    )
    area_samples: int = Field(
        2, ge=1, description="Least number of samples after the infusion of which an area is taken."
    )
    rise_factor: float = Field(
        2, gt=1, description="Ratio to the baseline that counts as a response of a marker."
    )
    below_limit: float = Field(
        0.5,
        ge=0,
        le=1,
        description=(
            "Share of the lower limit of quantitation that a result below it is taken as in areas "
            "and changes. In ratios the limit itself gives a bound."
        ),
    )
    recovery_factor: float = Field(
        1.5, ge=1, description="Ratio to the baseline within which a marker has returned to it."
    )
    recovery_consecutive: int = Field(
        1, ge=1, description="Consecutive samples that must meet the criterion of the return."
    )
    recovery_timing: Literal["sample", "interpolated"] = Field(
        "sample", description="Time of the return: of the first such sample, or interpolated."
    )
    rules: tuple[MarkerRule, ...] = Field((), description="Markers that differ, one entry each.")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for name, values in (
            ("markers", self.markers),
            ("areas", self.areas),
            ("rules", tuple(rule.marker for rule in self.rules)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: an entry is named twice")
        for end in self.areas:
            if len(f"{end:g}") > CODE_ROOM:
                raise ValueError(f"areas: {end:g} has more than {CODE_ROOM} characters")
        return self

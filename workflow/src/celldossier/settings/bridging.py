"""Bridging of the versions of an assay: which results tie them, and how that is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from celldossier.settings.base import Section


class BridgingData(Section):
    """Samples that two versions of an assay measured (`bioanalysis.assays[].bridging`)."""

    from_version: str = Field(
        description="Version whose results are brought to the other, as PCASSAYV names it.",
        min_length=1,
    )
    to_version: str = Field(
        description="Version on whose scale all results are analysed, as PCASSAYV names it.",
        min_length=1,
    )
    specimens: tuple[str, ...] = Field(
        description=(
            "Specimens (PCSPEC) that stand for a sample measured again, for instance DNA; none of "
            "study_data.kinetics_specimens."
        ),
        min_length=1,
    )
    pairs: Literal["time", "sample"] = Field(
        "time",
        description=(
            "What makes two results a pair, within a subject: the same time of sampling (PCDTC), "
            "or the same sample (PCREFID)."
        ),
    )

    @model_validator(mode="after")
    def _versions_differ(self) -> Self:
        if self.from_version == self.to_version:
            raise ValueError(f"the version {self.to_version} cannot be bridged to itself")
        return self


def check_bridging(bridging: Sequence[BridgingData], domain: str, declared: Sequence[str]) -> None:
    """Hold the bridging of an assay against its domain and its versions.

    Raises
    ------
    ValueError
        If the assay is not one of the cells, a version is not declared, or the versions are not
        brought to one scale, each by one bridge.
    """
    if not bridging:
        return
    if domain != "CK":
        raise ValueError("only an assay of domain CK is bridged")
    sources = [one.from_version for one in bridging]
    targets = {one.to_version for one in bridging}
    unknown = sorted({*sources, *targets} - set(declared))
    if unknown:
        raise ValueError(f"bridging names the version {unknown[0]}, which versions does not")
    if len(targets) > 1 or targets & set(sources):
        raise ValueError("all versions are bridged to one version")
    if len(set(sources)) < len(sources):
        raise ValueError("a version is bridged twice")


class BridgeRules(Section):
    """How the bridge of two versions of an assay is estimated and used (S8.4-1)."""

    confidence_level: float = Field(
        0.95,
        gt=0,
        lt=1,
        description=(
            "Level of the confidence limits of the factor and the slope. Where the limits of the "
            "slope do not hold 1, the bridge depends on the level and no factor is applied."
        ),
    )

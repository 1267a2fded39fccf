"""Factors of body weight over body surface area by species (terms/km_factors.yaml)."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource


class KmFactor(BaseModel):
    """A species: names, Km in kg/m2, reference weight and range of weights in kg."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    zh: str
    km: float
    weight: float
    range: tuple[float, float] | None = None


@lru_cache(maxsize=1)
def km_factors() -> dict[str, KmFactor]:
    """Factors by species."""
    declared = read_resource("terms", "km_factors.yaml")
    return {name: KmFactor.model_validate(rest) for name, rest in declared.items()}

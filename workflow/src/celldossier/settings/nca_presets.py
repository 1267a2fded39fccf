"""Presets of the section `cellular_kinetics`: the conventions of peers as sets of its keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource

PresetName = Literal["celldossier", "phoenix", "pknca"]
"""Conventions that a config may name: our own, and those of resources/terms/nca_presets.yaml."""


class PresetKey(BaseModel):
    """Value of one key under a preset, the rule that it steers, and where this comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str | float
    rule: str
    source: str


class Preset(BaseModel):
    """One convention: names, keys by their place (``blq.embedded``), and what it cannot express."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    zh: str
    keys: dict[str, PresetKey]
    limits: dict[str, str]


@lru_cache(maxsize=1)
def read_presets() -> dict[str, Preset]:
    """The presets by name, but for `celldossier`, whose values are the defaults."""
    rows = read_resource("terms", "nca_presets.yaml")
    return {name: Preset.model_validate(row) for name, row in rows.items()}


def list_preset_keys() -> dict[str, str]:
    """Every key that a preset sets, with the rule that it steers."""
    return {
        place: key.rule for preset in read_presets().values() for place, key in preset.keys.items()
    }


def fill_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a config, with those keys of its preset that it does not give itself.

    >>> fill_preset({"preset": "pknca", "lambda_z": {"min_span": 2}})["lambda_z"]
    {'min_span': 2, 'min_points': 3.0, 'min_r2adj': 0.0}
    """
    filled = dict(values)
    preset = read_presets().get(str(values.get("preset", "")))
    for place, key in preset.keys.items() if preset else ():
        *sections, name = place.split(".")
        part = filled
        for section in sections:
            inner = part.get(section, {})
            if not isinstance(inner, Mapping):
                break  # The model says what is wrong with it.
            part[section] = part = dict(inner)
        else:
            part.setdefault(name, key.value)
    return filled

"""Covariates: which variables may be one, and which are known too late (terms/covariates.yaml)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from celldossier.io.resources import read_resource
from celldossier.terms.language import Language

Kind = Literal["continuous", "categorical"]
Scale = Literal["linear", "log"]


class Candidate(BaseModel):
    """A variable of ADER that is known before or at the infusion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variable: str
    group: str
    kind: Kind
    scale: Scale = "linear"


@lru_cache(maxsize=1)
def known_candidates() -> dict[str, Candidate]:
    """Candidate covariates by variable, in the order of tables and figures."""
    declared: dict[str, dict[str, Any]] = read_resource("terms", "covariates.yaml")["candidates"]
    return {
        name: Candidate.model_validate({"variable": name, **rest})
        for name, rest in declared.items()
    }


def covariate_groups() -> tuple[str, ...]:
    """Groups of candidates, in the order of tables and figures."""
    return tuple(read_resource("terms", "covariates.yaml")["groups"])


def find_late_variables(variables: list[str]) -> dict[str, str]:
    """Those of the variables that are known only after the infusion, and what they are."""
    late: dict[str, list[str]] = read_resource("terms", "covariates.yaml")["after_infusion"]
    what = {name: kind for kind, names in late.items() for name in names}
    return {name: what[name].replace("_", " ") for name in variables if name in what}


def covariate_level(language: Language, covariate: str, level: str) -> str:
    """Words of a level of a covariate; Y and N of any flag are yes and no."""
    if level == "MISSING":
        return language.text("label.missing")
    term = f"level.{covariate.lower()}.{level}"
    if language.has(term):
        return language.text(term)
    return language.text(f"level.flag.{level}") if level in ("Y", "N") else level

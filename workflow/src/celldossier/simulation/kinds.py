"""Kinds of simulated studies: the key ``kind`` of a specification names one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from celldossier.simulation import study as car_t_study
from celldossier.simulation.car_nk import study as car_nk_study
from celldossier.simulation.car_nk.specification import CarNkSpecification
from celldossier.simulation.mesenchymal import study as mesenchymal_study
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification
from celldossier.simulation.specification import StudySpecification
from celldossier.simulation.study import SimulatedStudy

AnySpecification: TypeAlias = StudySpecification | CarNkSpecification | MesenchymalSpecification


@dataclass(frozen=True)
class Kind:
    """The specification of a kind of study, and what simulates it."""

    specification: type[StudySpecification | CarNkSpecification | MesenchymalSpecification]
    simulate: Callable[[Any], SimulatedStudy]


DEFAULT_KIND = "car_t"
KINDS: Mapping[str, Kind] = {
    DEFAULT_KIND: Kind(StudySpecification, car_t_study.simulate_study),
    "car_nk": Kind(CarNkSpecification, car_nk_study.simulate_study),
    "mesenchymal": Kind(MesenchymalSpecification, mesenchymal_study.simulate_study),
}


def kind_of(content: Mapping[str, object]) -> Kind | None:
    """Kind that a specification names; a CAR-T study where it names none, None if unknown."""
    return KINDS.get(str(content.get("kind", DEFAULT_KIND)))


def simulate_any(spec: AnySpecification) -> SimulatedStudy:
    """Simulate a study of any kind."""
    return KINDS[getattr(spec, "kind", DEFAULT_KIND)].simulate(spec)

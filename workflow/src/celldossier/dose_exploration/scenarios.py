"""Scenarios of true rates of toxicity for a number of dose levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from celldossier.settings.operating_characteristics import OperatingCharacteristicsSettings

AT_LEVEL, BETWEEN, TOXIC, SAFE, STUDY = "LEVEL", "BETWEEN", "TOXIC", "SAFE", "STUDY"
"""Kinds of scenarios: where the target lies, or one of the study's own."""


@dataclass(frozen=True)
class TrueRates:
    """A scenario.

    Attributes
    ----------
    kind
        LEVEL, BETWEEN, TOXIC, SAFE or STUDY.
    place
        Number of the level at which (LEVEL), or above which (BETWEEN) the target lies, or of the
        study's scenario (STUDY); 0 for the others.
    toxicity, efficacy
        True rates by level; efficacy empty where it is not given.
    """

    kind: str
    place: int
    toxicity: tuple[float, ...]
    efficacy: tuple[float, ...] = ()


def list_scenarios(
    settings: OperatingCharacteristicsSettings, levels: int, target: float
) -> list[TrueRates]:
    """Scenarios of the study, then the default ones for so many levels.

    The odds of toxicity rise by the same factor from level to level. The target lies at each
    level in turn, and halfway (on the log odds) between the two in the middle; every level is
    too toxic where the lowest lies one step above the target, and safe where the highest lies
    two steps below it.
    """
    own = [
        TrueRates(STUDY, number, each.toxicity, each.efficacy)
        for number, each in enumerate(settings.scenarios, start=1)
    ]
    if not settings.default_scenarios or levels < 1:
        return own
    places = [(AT_LEVEL, level, float(level)) for level in range(1, levels + 1)]
    if levels > 1:
        middle = levels // 2
        places.append((BETWEEN, middle, middle + 0.5))
    places += [(TOXIC, 0, 0.0), (SAFE, 0, levels + 2.0)]
    step, centre = math.log(settings.odds_ratio), math.log(target / (1 - target))
    return own + [
        TrueRates(
            kind,
            place,
            tuple(
                # Rounded, so that the rate that is printed is the one that was simulated.
                round(1 / (1 + math.exp(-centre - step * (level - at))), 4)
                for level in range(1, levels + 1)
            ),
        )
        for kind, place, at in places
    ]

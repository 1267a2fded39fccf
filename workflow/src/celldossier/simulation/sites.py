"""Study sites: each lies in one country, and its subjects are people of that country."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from celldossier.simulation.streams import draw_quota, open_stream

HERE, ELSEWHERE = "CHN", "USA"
ASIAN = "ASIAN"
Codes = NDArray[np.str_]


def draw_countries(
    seed: int, site: NDArray[np.int64], sites: int, chinese_share: float
) -> NDArray[np.str_]:
    """Country of each subject, which is that of the site.

    Parameters
    ----------
    site
        Number of the site of each subject, from 1.
    chinese_share
        Share of the sites that lie in China; at least one does where it is above 0.
    """
    rng = open_stream(seed, "site_countries")
    chinese = draw_quota(rng, sites, max(round(chinese_share * sites), int(chinese_share > 0)))
    return np.where(chinese[site - 1], HERE, ELSEWHERE)


def fit_races(seed: int, race: Codes, country: Codes, others: dict[str, float]) -> Codes:
    """Races as the country has them: Asian in China, one of the others elsewhere.

    A subject elsewhere who was drawn as of another race keeps it.

    Parameters
    ----------
    others
        Race: its share among the subjects elsewhere.
    """
    rng = open_stream(seed, "site_races")
    drawn = rng.choice(list(others), size=race.size, p=list(others.values()))
    abroad = np.where(race == ASIAN, drawn, race)
    return np.where(country == HERE, ASIAN, abroad)

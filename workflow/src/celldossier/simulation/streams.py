"""One independent random stream for each part of a simulated study.

A stream is found by its name, not by the order in which streams are asked for,
so that a part added later (or drawn twice as long) never moves the numbers of
another part. The name enters the seed sequence by its ASCII codes: no hash, so
the same numbers come on every machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def open_stream(seed: int, name: str) -> np.random.Generator:
    """Give the PCG64 generator of the stream called ``name``.

    Parameters
    ----------
    seed
        The seed of the study.
    name
        ASCII name of the part that draws from it, for example ``"kinetics"``.
    """
    child = np.random.SeedSequence(entropy=seed, spawn_key=tuple(name.encode("ascii")))
    return np.random.Generator(np.random.PCG64(child))


def draw_quota(rng: np.random.Generator, size: int, count: int) -> NDArray[np.bool_]:
    """Mark exactly ``count`` of ``size`` places, chosen at random."""
    marked = np.zeros(size, dtype=bool)
    marked[rng.permutation(size)[:count]] = True
    return marked


def draw_quota_within(
    rng: np.random.Generator, eligible: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """Mark ``count`` (or, where there are fewer, all) of the eligible places."""
    marked = np.zeros(eligible.size, dtype=bool)
    places = np.flatnonzero(eligible)
    marked[places[rng.permutation(places.size)[:count]]] = True
    return marked

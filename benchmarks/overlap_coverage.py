"""Coverage of the intervals of the overlap coefficient, in simulated groups of known overlap.

Two groups of normal logarithms at a given distance of their means (in standard deviations of the
first); how often 95 % intervals hold the true overlap. Run:

    python benchmarks/overlap_coverage.py --replicates 400
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

from celldossier.stats.overlap import (
    ESTIMATORS,
    INTERVALS,
    estimate_overlap,
    exact_interval,
    overlap_of_normals,
)

SIZES = ((10, 10), (24, 60))
DISTANCES = (0.0, 0.5, 1.0, 2.0)
RATIOS = (1.0, 1.5)
"""Standard deviation of the second group over that of the first."""


def count_coverage(replicates: int, resamples: int) -> None:
    """Print the share of intervals that hold the truth, a line a design."""
    print("n1 n2 distance ratio truth estimator interval mean covered")
    for (n1, n2), distance, ratio in product(SIZES, DISTANCES, RATIOS):
        rng = np.random.default_rng([n1, int(10 * distance), int(10 * ratio)])
        truth = float(overlap_of_normals(0, 1, distance, ratio))
        held: dict[tuple[str, str], list[tuple[float, bool]]] = {}
        for replicate in range(replicates):
            x, y = rng.normal(0, 1, n1), rng.normal(distance, ratio, n2)
            for estimator, interval in product(ESTIMATORS, INTERVALS):
                # The kernel is slower: half of the replicates say enough.
                if estimator == "KERNEL" and replicate % 2:
                    continue
                found = estimate_overlap(
                    np.exp(x),
                    np.exp(y),
                    estimator,
                    interval=interval,
                    resamples=resamples,
                    seed=replicate,
                )
                inside = found.low - 1e-9 <= truth <= found.high + 1e-9
                held.setdefault((estimator, interval), []).append((found.ovl, inside))
            low, high = exact_interval(x, y)
            inside = low - 1e-9 <= truth <= high + 1e-9
            held.setdefault(("NORMAL_EQUAL", "exact"), []).append((np.nan, inside))
        for (estimator, interval), pairs in held.items():
            mean, covered = np.mean([[float(v), float(c)] for v, c in pairs], axis=0)
            print(
                f"{n1} {n2} {distance} {ratio} {truth:.3f} {estimator} {interval} "
                f"{mean:.3f} {covered:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=500)
    options = parser.parse_args()
    count_coverage(options.replicates, options.resamples)

"""Our NCA of the replicated set, in a process of its own; called by `compare.py`."""

from __future__ import annotations

import sys
from typing import Any

from replicated import measure, replicate_profiles, report


def main(profiles: int, repeats: int) -> None:
    """Print the steps of the quickest of the repeats: frame in, all frames out."""
    import celldossier
    from celldossier.cellular_kinetics.nca import estimate_nca
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings

    settings = CellularKineticsSettings()
    estimate_nca(replicate_profiles(60), settings)
    frame, built = measure(lambda: replicate_profiles(profiles))
    runs: list[dict[str, float]] = []
    for _ in range(repeats):
        result: Any = None
        result, seconds = measure(lambda: estimate_nca(frame, settings))
        runs.append(seconds)
        # What is written down counts as computed.
        assert len(result.parameters) and len(result.dispositions) >= len(frame)
    steps = {"build": built, "nca": min(runs, key=lambda run: run["cpu"])}
    report("celldossier", celldossier.__version__, profiles, steps)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""Our NCA of the replicated set, in a process of its own; called by `compare.py`."""

from __future__ import annotations

import sys
from typing import Any

from replicated import measure, replicate_profiles, report


def main(profiles: int, repeats: int) -> None:
    """Print the steps of the quickest of the repeats: frame in, all frames out.

    `blocks` is the part of it between reading the frame of samples and writing those of the
    results: arrays in, arrays out.
    """
    import celldossier
    import celldossier.cellular_kinetics.nca as nca
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings

    settings = CellularKineticsSettings()
    blocks = {"cpu": 0.0, "wall": 0.0}
    analyse_block = nca._analyse_block

    def analyse_and_count(*arguments: Any) -> Any:
        result, seconds = measure(lambda: analyse_block(*arguments))
        for clock, value in seconds.items():
            blocks[clock] += value
        return result

    nca._analyse_block = analyse_and_count
    nca.estimate_nca(replicate_profiles(60), settings)
    frame, built = measure(lambda: replicate_profiles(profiles))
    runs: list[dict[str, dict[str, float]]] = []
    for _ in range(repeats):
        result: Any = None
        blocks.update(cpu=0.0, wall=0.0)
        result, seconds = measure(lambda: nca.estimate_nca(frame, settings))
        runs.append({"nca": seconds, "blocks": dict(blocks)})
        # What is written down counts as computed.
        assert len(result.parameters) and len(result.dispositions) >= len(frame)
    fastest = min(runs, key=lambda run: run["nca"]["cpu"])
    report("celldossier", celldossier.__version__, profiles, {"build": built, **fastest})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""The replicated cart60 set: 60 simulated CAR-T profiles under as many names as asked for.

Read by our side and by the peers in Python, which run in interpreters of their own: so it
imports pandas and numpy only. With a folder as third argument it writes the set as CSV for
the peers in R.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SOURCE = Path(__file__).parents[2] / "tests" / "reference" / "nca" / "input_cart60.csv"
COPIED = ("ANALYTE", "TIME", "NTIME", "CONC", "BLQ", "LLOQ", "DOSE")


def replicate_profiles(profiles: int) -> pd.DataFrame:
    """So many profiles (a multiple of 60), each sample a row, sorted by subject as studies are."""
    source = pd.read_csv(SOURCE)
    copies = profiles // source["USUBJID"].nunique()
    names = source["USUBJID"].unique()
    subjects = np.array(
        [f"{copy:05d}-{name}" for copy in range(copies) for name in names], dtype=object
    )
    rows = source.groupby("USUBJID", sort=False).size().to_numpy()
    columns: dict[str, Any] = {"USUBJID": np.repeat(subjects, np.tile(rows, copies))}
    for name in COPIED:
        columns[name] = np.tile(source[name].to_numpy(), copies)
    return pd.DataFrame(columns)


def measure(step: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a step gives, with the seconds of CPU and on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = step()
    return result, {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def report(engine: str, version: str, profiles: int, steps: dict[str, dict[str, float]]) -> None:
    """One line of JSON, which `compare.py` reads."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "engine": engine,
                "version": version,
                "profiles": profiles,
                "steps": steps,
                "peak_mb": peak,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    replicate_profiles(int(sys.argv[1])).to_csv(sys.argv[2], index=False)

"""The benchmark of the phases in small: that it works; rates need many profiles."""

from __future__ import annotations

import subprocess
import sys

from celldossier.io.resources import shared_path


def test_the_benchmark_prints_the_boundaries_and_rates_at_every_noise():
    script = shared_path("benchmarks", "phases.py")
    done = subprocess.run(
        [sys.executable, str(script), "--subjects", "200"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("end of distribution", "peak", "end of contraction", "doubling time"):
        rows = [line for line in lines if line.strip().startswith(name)]
        assert [line.split()[len(name.split())] for line in rows] == [
            *("0.150", "0.250", "0.350", "0.450")
        ]
    assert lines[-1].startswith("200 profiles")

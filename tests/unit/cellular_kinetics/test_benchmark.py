"""The benchmark of the NCA in small: that it works, not how fast."""

from __future__ import annotations

import subprocess
import sys

from celldossier.io.resources import shared_path


def test_the_benchmark_runs_ours_and_says_which_peers_were_not_measured():
    script = shared_path("benchmarks", "nca") / "compare.py"
    sizes = ["--profiles", "60", "--largest", "120", "--repeats", "1"]
    absent = ["--pkpdutils", "", "--rscript", ""]
    done = subprocess.run(
        [sys.executable, str(script), *sizes, *absent], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("pkpdutils", "PKNCA", "NonCompart"):
        assert any(name in line and "not measured" in line for line in lines)
    assert sum("celldossier, frame to frame" in line for line in lines) == 2

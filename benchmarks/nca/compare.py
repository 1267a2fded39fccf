"""CPU, wall time and memory of our NCA beside those of its peers, on the same profiles.

    python benchmarks/nca/compare.py --pkpdutils /path/to/python3.13

Each engine runs in a process of its own, so that the peak of memory is its own. Import, and
building the frame of samples, are apart for all. An engine that is not there is reported as
not measured; beside the R programs stand the seconds of peer_timings.csv, which were taken
elsewhere and are named as such. What to make of the figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZES = (60, 600, 6_000, 60_000)
RECORDED = {"PKNCA": {6_000: 419.92}, "NonCompart": {6_000: 50.03}}
"""CPU seconds at so many profiles, from the reference folder's peer_timings.csv: 2 vCPU Intel
Xeon 2.5 GHz, R 4.2.2, PKNCA 0.12.1, NonCompart 0.8.0 (the quicker of its two ways)."""


def run_engine(command: list[str]) -> dict[str, Any] | str:
    """The figures of an engine, or why there are none."""
    found = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
    if found.returncode:
        return (found.stderr.strip().splitlines() or ["no message"])[-1]
    figures: dict[str, Any] = json.loads(found.stdout.strip().splitlines()[-1])
    return figures


def run_r(name: str, profiles: int, rscript: str) -> dict[str, Any] | str:
    """The figures of a program in R."""
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.csv"
        subprocess.run(
            [sys.executable, "replicated.py", str(profiles), str(samples)], cwd=HERE, check=True
        )
        return run_engine([rscript, "run_peers.R", name, str(samples), str(profiles)])


def total(figures: dict[str, Any], clock: str, steps: tuple[str, ...]) -> float:
    """Seconds of those steps together."""
    return sum(figures["steps"][step][clock] for step in steps if step in figures["steps"])


WHOLE = ("batch", "nca", "frame")
"""Steps from the frame of samples to the frame of parameters."""


def show(name: str, profiles: int, figures: dict[str, Any] | str) -> None:
    """One line a run: seconds of CPU and on the clock, microseconds a profile, peak of memory."""
    if isinstance(figures, str):
        print(f"{profiles:>9,}  {name:<34}not measured ({figures})", flush=True)
        return
    parts = {f"{name}, frame to frame": WHOLE}
    if "batch" in figures["steps"]:
        parts[f"{name}, analysis alone"] = ("nca",)
    if "blocks" in figures["steps"]:
        parts[f"{name}, analysis alone"] = ("blocks",)
    for label, steps in parts.items():
        cpu, wall = total(figures, "cpu", steps), total(figures, "wall", steps)
        print(
            f"{profiles:>9,}  {label:<34}{cpu:>9.3f} s CPU {wall:>9.3f} s wall "
            f"{1e6 * cpu / profiles:>8.2f} us a profile {figures['peak_mb']:>8.0f} MB",
            flush=True,
        )


def show_ratios(ours: dict[str, Any], peers: dict[str, dict[str, Any] | str]) -> None:
    """How many times our CPU and wall seconds go into those of each peer, like beside like."""
    profiles = ours["profiles"]
    for name, figures in peers.items():
        if isinstance(figures, str):
            known = RECORDED.get(name, {}).get(profiles)
            if known:
                times = known / total(ours, "cpu", WHOLE)
                print(
                    f"{profiles:>9,}  {name}: {times:,.0f} x our CPU by its recorded "
                    f"{known:g} s of another machine, not measured here"
                )
            continue
        pairs = {"frame to frame": (WHOLE, WHOLE)}
        if "batch" in figures["steps"]:
            pairs["analysis alone"] = (("nca",), ("blocks",))
            pairs["its analysis alone beside ours frame to frame"] = (("nca",), WHOLE)
        for label, (theirs, own) in pairs.items():
            ratios = {
                clock: total(figures, clock, theirs) / total(ours, clock, own)
                for clock in ("cpu", "wall")
            }
            print(
                f"{profiles:>9,}  {name}: {ratios['cpu']:,.2f} x our CPU, "
                f"{ratios['wall']:,.2f} x wall, {label}"
            )


def main() -> int:
    """Run what is there at each size, and print figures and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int, nargs="*", default=list(SIZES))
    parser.add_argument(
        "--largest", type=int, default=1_000_020, help="profiles of our own last run; 0: none"
    )
    parser.add_argument("--repeats", type=int, default=5, help="the quickest of so many counts")
    parser.add_argument(
        "--pkpdutils",
        default=os.environ.get("CELLDOSSIER_PKPDUTILS", ""),
        metavar="PYTHON",
        help="interpreter that has pkpdutils (default: the variable CELLDOSSIER_PKPDUTILS)",
    )
    parser.add_argument("--rscript", default=shutil.which("Rscript") or "", help="Rscript")
    options = parser.parse_args()
    for profiles in options.profiles:
        count, repeats = str(profiles), str(options.repeats)
        ours = run_engine([sys.executable, "run_celldossier.py", count, repeats])
        show("celldossier", profiles, ours)
        if isinstance(ours, str):
            return 1
        peers: dict[str, dict[str, Any] | str] = {}
        command = [options.pkpdutils, "run_pkpdutils.py", count, repeats]
        peers["pkpdutils"] = run_engine(command) if options.pkpdutils else "no interpreter named"
        for name in ("PKNCA", "NonCompart"):
            peers[name] = (
                run_r(name.lower(), profiles, options.rscript)
                if options.rscript
                else "R is not installed"
            )
        for name, figures in peers.items():
            show(name, profiles, figures)
        show_ratios(ours, peers)
    if options.largest:
        figures = run_engine([sys.executable, "run_celldossier.py", str(options.largest), "1"])
        show("celldossier", options.largest, figures)
        return int(isinstance(figures, str))
    return 0


if __name__ == "__main__":
    sys.exit(main())

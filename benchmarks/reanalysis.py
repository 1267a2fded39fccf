"""CPU time of a run from nothing, and of the same run folder after a change of the config.

Both in copies of the project. The changed config is run once more from nothing, and every file of
the two runs is compared by its bytes.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / "tests" / "support"), str(PROJECT / "workflow" / "src")]

from clones import Clone, clone_project, expect_success  # noqa: E402

from celldossier.io.run_record import hash_run  # noqa: E402
from celldossier.settings.read import merge, read_yaml  # noqa: E402

PAGES = ("report",)
"""Rules that render pages, as their benchmark files are named."""
TABLES = ("tlf",)
"""Rules that draw tables, listings and figures."""
BASE = ("config/studies/mini.yaml", "benchmarks/reanalysis/change.yaml")
MARGIN = "benchmarks/reanalysis/margin.yaml"


def read_cpu_seconds(folder: Path, since: float = 0.0) -> dict[str, float]:
    """CPU seconds by rule, from the benchmark files that Snakemake wrote after `since`.

    The time of a job is that of its last sampling, which Snakemake takes every half second at
    first and every 30 s later.
    """
    seconds: Counter[str] = Counter()
    for file in sorted(folder.rglob("*.tsv")):
        if file.stat().st_mtime < since:
            continue
        with file.open(encoding="utf-8") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                # A job that ends before the first sampling has none.
                own = row["cpu_time"]
                seconds[file.relative_to(folder).with_suffix("").parts[0]] += (
                    float(own) if own not in ("NA", "") else 0.0
                )
    return dict(seconds)


def sum_seconds(seconds: Mapping[str, float], apart: tuple[str, ...] = ()) -> float:
    """All CPU seconds but those of the rules named."""
    return sum(own for rule, own in seconds.items() if rule not in apart)


def run_project(clone: Clone, name: str, config: list[str], cores: int) -> dict[str, float]:
    """Run the workflow in a copy of the project; CPU seconds by rule of what it ran."""
    start = time.time()
    expect_success(clone.snakemake("--configfile", *config, cores=cores))
    return read_cpu_seconds(clone.root / "benchmarks-run" / name, start)


def list_unequal(first: Path, second: Path) -> list[str]:
    """Files of two runs that are not the same, the record of time and machine apart."""
    one, two = hash_run(first), hash_run(second)
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))


def copy_project(target: Path) -> Clone:
    """A copy of the project that holds the configs of this measurement too."""
    clone = clone_project(target)
    for file in (PROJECT / "benchmarks" / "reanalysis").glob("*.yaml"):
        copied = clone.root / file.relative_to(PROJECT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(file.read_bytes())
    return clone


def print_seconds(cold: Mapping[str, float], warm: Mapping[str, float]) -> None:
    """Both runs by rule, and the shares of the second in the first."""
    print("| rule | from nothing, CPU s | after the change, CPU s |\n|---|---|---|")
    for rule in sorted(cold, key=lambda name: -cold[name]):
        again = f"{warm[rule]:.1f}" if rule in warm else "–"
        print(f"| {rule} | {cold[rule]:.1f} | {again} |")
    for label, apart in (
        ("all", ()),
        ("pages of the report apart", PAGES),
        ("pages, tables and figures apart", (*PAGES, *TABLES)),
    ):
        one, two = sum_seconds(cold, apart), sum_seconds(warm, apart)
        print(f"| {label} | {one:.1f} | {two:.1f} ({100 * two / one:.0f} %) |")


def main() -> int:
    """Measure, print, and fail where the two runs of the changed config are not equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", default=list(BASE), help="of the first run")
    parser.add_argument("--changed", nargs="+", default=[*BASE, MARGIN], help="of the second")
    parser.add_argument("--folder", type=Path, help="folder for the copies of the project")
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="reanalysis-"))
    names = {
        merge([read_yaml(PROJECT / file) for file in config])["run"]
        for config in (options.configfile, options.changed)
    }
    (name,) = names
    updated, afresh = copy_project(folder / "updated"), copy_project(folder / "afresh")
    cold = run_project(updated, name, options.configfile, options.cores)
    warm = run_project(updated, name, options.changed, options.cores)
    print_seconds(cold, warm)
    run_project(afresh, name, options.changed, options.cores)
    unequal = list_unequal(*(clone.root / "results" / name for clone in (updated, afresh)))
    print(f"Files that differ from a run of the changed config from nothing: {len(unequal)}")
    for file in unequal:
        print(f"- {file}")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())

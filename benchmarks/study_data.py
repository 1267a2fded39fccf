"""Time and memory of reading, checking and deriving a large study.

The committed subjects of CTX-101 are copied under new identifiers until there are as many
as asked for (about 220 records each), and the study is run through the stage:

    python benchmarks/study_data.py --subjects 10000 --folder /tmp/large

The claim that it serves: 10,000 subjects, about 2 million records, in under 60 s and 4 GB
on 2 cores. Results by date: benchmarks/README.md. CI runs it with two copies
(`tests/unit/study_data/test_benchmark.py`): that it works, not how fast.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from celldossier.io.resources import shared_path
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml

IDENTIFIERS = (
    *("USUBJID", "EXLOT", "LOTID", "DONORID"),
    *("RUNID", "REPEATOF", "PCRUNID", "ISRUNID"),
)
"""Columns that each copy has values of its own in."""


@cache
def shift(text: str, days: int) -> str:
    """A date so many days earlier: copies share no more dates than subjects of a study do."""
    if len(text) < 10:
        return text
    return (date.fromisoformat(text[:10]) - timedelta(days=days)).isoformat() + text[10:]


def copy_study(source: Path, folder: Path, subjects: int) -> int:
    """Write the tables of a study with its subjects copied; gives the number of records."""
    folder.mkdir(parents=True, exist_ok=True)
    with (source / "dm.csv").open(encoding="utf-8", newline="") as stream:
        own = sum(1 for _ in csv.reader(stream)) - 1
    copies = -(-subjects // own)
    records = 0
    for path in sorted(source.glob("*.csv")):
        if path.name.startswith("truth"):
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        dated = [place for place, name in enumerate(header) if name.endswith("DTC")]
        places = [place for place, name in enumerate(header) if name in IDENTIFIERS]
        with (folder / path.name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header)
            for copy in range(copies):
                for row in rows:
                    changed = list(row)
                    for place in places:
                        if row[place]:
                            changed[place] = f"{row[place]}-{copy:04d}"
                    for place in dated:
                        changed[place] = shift(row[place], copy)
                    writer.writerow(changed)
                records += len(rows)
    return records


@contextmanager
def measure(step: str) -> Iterator[None]:
    """Print the seconds of a step and the peak of memory so far (MB)."""
    start = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{step:<24}{time.perf_counter() - start:9.1f} s{peak:9.0f} MB peak", flush=True)


def run(folder: Path, config: Path) -> int:
    """Read, map, check and derive; gives the number of error findings."""
    from celldossier.io.tables import read_domains
    from celldossier.study_data.stage import derive_study_data

    values = read_yaml(config)
    values["study_data"]["root"] = str(folder)
    # The decisions of the example name records of the example.
    values["study_data"].pop("decisions", None)
    settings = check_values(values, Settings)
    with measure("read"):
        domains = read_domains(settings.study_data)
    records = sum(
        len(raw.table) for raws in domains.values() for raw in raws if raw.table is not None
    )
    with measure("map, check and derive"):
        data = derive_study_data(domains, settings.study_data, settings.bioanalysis, settings.study)
    print(
        f"{records} records read, {data.accounting['records_used'].sum()} used, "
        f"{len(data.findings)} findings, {data.errors} of them errors"
    )
    return data.errors


def main() -> int:
    """Make the study where it is not there yet, and run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=shared_path("config", "config.yaml"))
    options = parser.parse_args()
    if not (options.folder / "dm.csv").is_file():
        with measure("generate"):
            source = shared_path("resources", "studies", "CTX-101")
            print(f"{copy_study(source, options.folder, options.subjects)} records written")
    with measure("all"):
        errors = run(options.folder, options.config)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

"""Raw files of two runs: which records of them differ, as far as the files can be looked into."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from celldossier.io.run_record import name_raw_file
from celldossier.run_comparison.content import Gathering, RunContent
from celldossier.run_comparison.inputs import compare_raw


def compare_raw_files(old: RunContent, new: RunContent, gathering: Gathering) -> pd.DataFrame:
    """Compare the raw files that are not equal; record what can be looked into and what cannot."""
    found = [_whole_files(())]
    inputs = [run.inputs or {} for run in (old, new)]
    domains = [_raw_files(run) for run in (old, new)]
    for domain in [*domains[0], *(name for name in domains[1] if name not in domains[0])]:
        files = [own.get(domain, ()) for own in domains]
        hashes = [
            [own.get(f"raw/{file}", "") for file in names]
            for own, names in zip(inputs, files, strict=True)
        ]
        if files[0] == files[1] and hashes[0] == hashes[1]:
            continue
        tables = [
            run.raw(domain) if names else None for run, names in zip((old, new), files, strict=True)
        ]
        # Files that are not equal, by which they are named where they cannot be looked into.
        differing = sorted(
            {name for own in files for name in own}
            - {
                name
                for name, digest in zip(files[0], hashes[0], strict=True)
                if (name, digest) in zip(files[1], hashes[1], strict=True)
            }
        )
        if any(table is None and names for table, names in zip(tables, files, strict=True)):
            found.append(_whole_files(differing))
            continue
        blank = next(table for table in tables if table is not None)
        before, after = (blank[0].iloc[:0] if table is None else table[0] for table in tables)
        difference, places, form = compare_raw(before, after, blank[1])
        gathering.add("raw_record", domain, difference)
        # Qualifiers are joined to any record: a file of them that differs is a cause as a whole.
        joined = {file for run in (old, new) for file in _supplements(run, domain)}
        found += [
            places.astype(object),
            _whole_files(name for name in differing if name in joined),
        ]
        if form is not None:
            found.append(_whole_files((name for name in differing if name not in joined), form))
    return pd.concat(found, ignore_index=True)


def _whole_files(names: Iterable[str], columns: str = "") -> pd.DataFrame:
    """Places that are whole files: any record may follow from them."""
    rows = [("changed", name, "", "", columns) for name in names]
    return pd.DataFrame(rows, columns=["change", "file", "row", "subject", "columns"], dtype=object)


def _raw_files(run: RunContent) -> dict[str, tuple[str, ...]]:
    """Raw files of each domain, supplements too, as the settings name them."""
    named = run.settings.get("study_data", {}).get("sources", {})
    return {
        domain: tuple(
            name_raw_file(file)
            for source in sources
            for file in (source["file"], *source["supplement"])
        )
        for domain, sources in named.items()
    }


def _supplements(run: RunContent, domain: str) -> list[str]:
    """Files of supplemental qualifiers that are joined to a domain."""
    sources = run.settings.get("study_data", {}).get("sources", {}).get(domain, ())
    return [name_raw_file(file) for source in sources for file in source["supplement"]]

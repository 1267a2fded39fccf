"""Record accounting: every raw record is used, or excluded with a reason, file by file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from celldossier.datasets import conform
from celldossier.study_data.domain import Domain


def list_exclusions(domains: Mapping[str, Domain]) -> pd.DataFrame:
    """Dataset EXCLUSIONS: the records, and supplement records, that are not used."""
    parts: list[pd.DataFrame] = []
    for domain in domains.values():
        out = ~domain.active
        records = pd.DataFrame(
            {
                "file": domain.frame["SRCFILE"][out],
                "row": domain.frame["SRCROW"][out],
                "subject": domain.subject[out],
                "reason": domain.reason[out],
                "detail": domain.detail[out],
            }
        )
        supplements = [table[table["reason"] != ""] for table in domain.supplements]
        parts.extend(table.assign(domain=domain.name) for table in (records, *supplements))
    return conform(pd.concat(parts, ignore_index=True), "EXCLUSIONS")


def account_records(
    domains: Mapping[str, Domain],
    datasets: Mapping[str, pd.DataFrame],
    dataset_of: Mapping[str, str],
) -> pd.DataFrame:
    """Hold records read against records used and excluded; a gap is a fault of the program.

    A record is a row of a file; where columns become records (`long`), a row and a wide
    column; for a supplement, a row that was joined is used.

    Returns
    -------
    DataFrame
        Dataset ACCOUNTING: one row a domain and file (and wide column).

    Raises
    ------
    AssertionError
        Where records were lost or made up.
    """
    rows: list[dict[str, Any]] = []
    for name, domain in domains.items():
        dataset = datasets[dataset_of[name]]
        used = _count_used(domain, dataset)
        for file, records_in, excluded in _count_files(domain):
            if records_in != used.get(file, 0) + excluded:
                raise AssertionError(
                    f"{name}: {records_in} records read, {used.get(file, 0)} used, "
                    f"{excluded} excluded."
                )
            rows.append(_line(name, file, records_in, excluded, dataset_of[name]))
        for table in domain.supplements:
            file, excluded = str(table["file"].iloc[0]), int((table["reason"] != "").sum())
            rows.append(_line(name, file, len(table), excluded, dataset_of[name]))
    return conform(pd.DataFrame(rows), "ACCOUNTING")


def _line(domain: str, file: str, records_in: int, excluded: int, dataset: str) -> dict[str, Any]:
    return {
        "domain": domain,
        "file": file,
        "records_in": records_in,
        "records_used": records_in - excluded,
        "records_excluded": excluded,
        "dataset": dataset,
    }


def _count_files(domain: Domain) -> Iterator[tuple[str, int, int]]:
    """File, records read, records excluded."""
    files = domain.frame["SRCFILE"]
    read = files.value_counts()
    excluded = files[~domain.active].value_counts()
    # A file without records stands in the list too.
    own = set(files.unique())
    empty = [
        part.file
        for place, part in enumerate(domain.parts)
        if not (domain.part == place).any() and part.file not in own
    ]
    for file in [*files.unique(), *empty] or [""]:
        yield str(file), int(read.get(file, 0)), int(excluded.get(file, 0))


def _count_used(domain: Domain, dataset: pd.DataFrame) -> dict[str, int]:
    """Raw records that a dataset holds, by file; one may have become several rows."""
    if domain.name == "DM":
        if len(dataset) != int(domain.active.sum()):
            raise AssertionError(
                f"DM: {int(domain.active.sum())} records used, {len(dataset)} subjects."
            )
        files = domain.frame["SRCFILE"][domain.active]
    else:
        own = dataset.loc[dataset["SRCDOM"] == domain.name, ["SRCFILE", "SRCROW"]]
        files = own.drop_duplicates()["SRCFILE"]
    return {str(file): int(count) for file, count in files.value_counts().items()}

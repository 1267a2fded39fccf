"""Two runs compared as a whole: all that differs, counted, with its causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.run_record import name_raw_file
from celldossier.io.stages import CHECKS, STAGES
from celldossier.run_comparison.causes import Attribution, Cause, Causes, Changed
from celldossier.run_comparison.content import (
    DIFFERENCES,
    Comparison,
    Gathering,
    RunContent,
    compare_file,
    no_differences,
)
from celldossier.run_comparison.inputs import (
    UNKNOWN,
    PartChanges,
    compare_decisions,
    compare_parts,
    compare_raw,
)
from celldossier.run_comparison.outputs import add_clauses, add_outputs
from celldossier.run_comparison.records import Layout, TableDifferences
from celldossier.run_comparison.settings_changes import SettingChange, compare_settings

CHECK_LAYOUTS = {
    "findings": Layout(
        keys=("rule_id", "domain", "subject", "column", "value"),
        trace=("file", "row", "message_en", "message_zh"),
        subject="subject",
        named=("rule_id", "file", "row", "column"),
    ),
    "exclusions": Layout(
        keys=("domain", "subject", "reason"),
        trace=("file", "row"),
        subject="subject",
        named=("reason", "file", "row"),
    ),
    "accounting": Layout(keys=("domain", "file")),
}
"""Tables of the checks; a finding is the same where only its row in the file has changed."""


def compare_runs(old: RunContent, new: RunContent) -> Comparison:
    """All that differs between two runs, and what may have caused it.

    Tables are compared one after the other; two files of equal bytes are not looked into.
    """
    gathering = Gathering()
    settings, equal = compare_settings(old.settings, new.settings)
    gathering.parts("setting", _as_parts(settings, equal))
    decisions, decided = _compare_decisions(old, new)
    gathering.add("decision", "decisions", decisions)
    places = _compare_raw(old, new, gathering)
    records = {name: compare_parts(getattr(old, name), getattr(new, name)) for name in RECORDS}
    for name, kind in RECORDS.items():
        gathering.parts(kind, records[name])
    datasets = {
        name: compare_file(old, new, f"adam/{name}.parquet", dataset_layout(name))
        for stage in STAGES.values()
        for name in stage.datasets
    }
    attribution = Attribution(
        _list_changed(settings, decided, places, records),
        {
            name: found.rows["subject"].unique()
            for name, found in datasets.items()
            if found is not None
        },
    )
    _add_checks(old, new, gathering, attribution)
    for name, found in datasets.items():
        if found is not None:
            _add_dataset(name, found, old, new, gathering, attribution)
    differing = _add_results(old, new, gathering, attribution)
    add_outputs(old, new, gathering, attribution, differing)
    add_clauses(old, new, gathering, attribution)
    rows = pd.concat(gathering.rows, ignore_index=True) if gathering.rows else no_differences()
    return Comparison(
        old=old,
        new=new,
        differences=rows[list(DIFFERENCES)],
        counts=pd.DataFrame(gathering.counts),
        places=places,
        causes=attribution.printed,
    )


RECORDS = {"inputs": "input", "code": "code", "environment": "environment"}
"""Records of a run by parts, and the kind of their differences."""


def dataset_layout(name: str) -> Layout:
    """How the records of a dataset are told apart: its keys, with its trace to the raw rows."""
    specification = read_specification(name)
    trace = tuple(
        variable
        for variable in specification.variables
        if variable.rstrip("12") in ("SRCFILE", "SRCROW")
    )
    subject = "USUBJID" if "USUBJID" in specification.variables else ""
    return Layout(keys=specification.keys, trace=trace, subject=subject)


def _as_parts(changes: Iterable[SettingChange], equal: int) -> PartChanges:
    return PartChanges({item.key: (item.old or "", item.new or "") for item in changes}, equal)


def _compare_decisions(
    old: RunContent, new: RunContent
) -> tuple[TableDifferences, list[tuple[str, str, str]]]:
    tables = [run.table("checks/decisions.csv") for run in (old, new)]
    empty = pd.DataFrame(columns=list(read_specification("DECISIONS").variables), dtype=object)
    return compare_decisions(*(empty if table is None else table for table in tables))


def _compare_raw(old: RunContent, new: RunContent, gathering: Gathering) -> pd.DataFrame:
    """Compare the raw files that are not equal; record what can be looked into and what cannot."""
    columns = ["change", "file", "row", "subject", "columns"]
    found = [pd.DataFrame(columns=columns, dtype=object)]
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
        if any(table is None and names for table, names in zip(tables, files, strict=True)):
            # The files have changed and cannot be read any more: each as a whole is the cause.
            for name in sorted({*files[0], *files[1]}):
                found.append(
                    pd.DataFrame([["changed", name, "", "", ""]], columns=columns, dtype=object)
                )
            continue
        blank = next(table for table in tables if table is not None)
        before, after = (blank[0].iloc[:0] if table is None else table[0] for table in tables)
        difference, own_places = compare_raw(before, after, blank[1])
        gathering.add("raw_record", domain, difference)
        found.append(own_places.astype(object))
        # Qualifiers are joined to any record: a file of them that differs is a cause as a whole.
        joined = {file for run in (old, new) for file in _supplements(run, domain)}
        differing = [
            file
            for file in sorted(joined)
            if inputs[0].get(f"raw/{file}", "") != inputs[1].get(f"raw/{file}", "")
        ]
        found += [
            pd.DataFrame([["changed", file, "", "", ""]], columns=columns, dtype=object)
            for file in differing
        ]
    return pd.concat(found, ignore_index=True)


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


def _list_changed(
    settings: Iterable[SettingChange],
    decisions: Iterable[tuple[str, str, str]],
    places: pd.DataFrame,
    records: Mapping[str, PartChanges],
) -> Changed:
    sections: dict[str, tuple[str, ...]] = {}
    for item in settings:
        sections[item.section] = (*sections.get(item.section, ()), item.key)
    data: dict[str, Causes] = {}
    for file, subject in dict.fromkeys(zip(places["file"], places["subject"], strict=True)):
        data[subject] = data.get(subject, frozenset()) | {Cause("data", file, subject)}
    if "tlfs.yaml" in records["inputs"].changed:
        sections["tlfs.yaml"] = ("tlfs.yaml",)
    if not records["inputs"].known:
        data[""] = data.get("", frozenset()) | {Cause("data", UNKNOWN)}
    made: dict[str, Causes] = {}
    windows: dict[str, Causes] = {}
    for name, kind, subject in decisions:
        entry = windows if kind == "WINDOW" else made
        cause = Cause("decision", name, subject)
        entry[subject] = entry.get(subject, frozenset()) | {cause}
    return Changed(
        settings=sections,
        code=records["code"].causes,
        environment=records["environment"].causes,
        data=data,
        decisions=made,
        windows=windows,
    )


def _add_dataset(
    name: str,
    found: TableDifferences,
    old: RunContent,
    new: RunContent,
    gathering: Gathering,
    attribution: Attribution,
) -> None:
    subjects = {subject: "" for subject in found.rows["subject"]}
    for subject in subjects:
        subjects[subject] = attribution.print(attribution.record(name, subject))
    causes = [subjects[subject] for subject in found.rows["subject"]]
    kind = _dataset_kind(name)
    if len(found.rows):
        gathering.rows.append(found.rows.assign(kind=kind, object=name, causes=causes))
    everyone: set[str] = set()
    for run in (old, new):
        table = run.table(f"adam/{name}.parquet")
        if table is not None and "USUBJID" in table:
            everyone |= set(table["USUBJID"])
    differing = len(set(subjects) & everyone)
    gathering.count(
        kind,
        name,
        found.counts,
        subjects_equal=len(everyone) - differing,
        subjects_differing=differing,
    )


def _dataset_kind(name: str) -> str:
    """Whether a dataset holds parameters that a stage estimated, or records with a raw row."""
    variables = read_specification(name).variables
    estimated = name not in STAGES["study_data"].datasets and not dataset_layout(name).trace
    return "parameter" if estimated and {"PARAMCD", "AVAL"} <= set(variables) else "dataset"


def _add_checks(
    old: RunContent, new: RunContent, gathering: Gathering, attribution: Attribution
) -> None:
    for name in CHECKS:
        layout = CHECK_LAYOUTS.get(name)
        if layout is None:
            continue
        found = compare_file(old, new, f"checks/{name}.csv", layout)
        if found is not None:
            causes = [
                attribution.print(attribution.checks(subject)) for subject in found.rows["subject"]
            ]
            kind = {"findings": "finding", "exclusions": "exclusion"}.get(name, name)
            gathering.add(kind, name, found, causes)


def _add_results(
    old: RunContent, new: RunContent, gathering: Gathering, attribution: Attribution
) -> frozenset[str]:
    """Results and curves; the identifiers of the results that differ."""
    differing: set[str] = set()
    curves = Layout(keys=read_specification("CURVES").keys)
    for stage in STAGES:
        layout = Layout(keys=("value_id",))
        found = compare_file(old, new, f"ard/{stage}.parquet", layout)
        if found is not None:
            causes = attribution.print(attribution.results(stage)) if len(found.rows) else ""
            rows = found.rows.assign(key=found.rows["key"].str.removeprefix("value_id="))
            differing |= set(rows["key"])
            gathering.add("result", stage, TableDifferences(rows, found.counts), causes)
        if STAGES[stage].curves:
            found = compare_file(old, new, f"ard/{stage}_curves.parquet", curves)
            if found is not None:
                causes = attribution.print(attribution.results(stage)) if len(found.rows) else ""
                gathering.add("curve", stage, found, causes)
    return frozenset(differing)

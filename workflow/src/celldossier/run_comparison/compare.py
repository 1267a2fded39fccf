"""Two runs compared as a whole: all that differs, counted, with its causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from celldossier.datasets import read_specification
from celldossier.io.stages import CHECKS, STAGES
from celldossier.run_comparison.causes import TLFS, Attribution, Cause, Causes, Changed
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
)
from celldossier.run_comparison.outputs import add_clauses, add_outputs, add_texts
from celldossier.run_comparison.raw_changes import compare_raw_files
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
    places = compare_raw_files(old, new, gathering)
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
    add_texts(old, new, gathering, attribution)
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
    if TLFS in records["inputs"].changed:
        sections[TLFS] = (TLFS,)
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
    subjects = set(found.rows["subject"])
    places = list(zip(found.rows["subject"], found.rows["variable"], strict=True))
    # Where it differs for a subject of whom no record differs, a variable is one of the study.
    shared = {
        variable
        for subject, variable in dict.fromkeys(places)
        if variable and not attribution.has_own(name, subject)
    }
    texts = {
        (subject, of_study): attribution.print(attribution.record(name, subject, of_study))
        for subject, of_study in {(subject, variable in shared) for subject, variable in places}
    }
    causes = [texts[subject, variable in shared] for subject, variable in places]
    kind = _dataset_kind(name)
    if len(found.rows):
        gathering.rows.append(found.rows.assign(kind=kind, object=name, causes=causes))
    everyone: set[str] = set()
    for run in (old, new):
        table = run.table(f"adam/{name}.parquet")
        if table is not None and "USUBJID" in table:
            everyone |= set(table["USUBJID"])
    differing = len(subjects & everyone)
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

"""``celldossier study_data``: raw files to analysis datasets, the gate, and the summary."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from celldossier.cli.arguments import add_run_argument

if TYPE_CHECKING:
    from pathlib import Path

    from celldossier.settings.bioanalysis import BioanalysisSettings
    from celldossier.settings.study import StudySettings
    from celldossier.settings.study_data import StudyDataSettings
    from celldossier.study_data.stage import StudyData

SHOWN_PER_RULE = 10
"""Findings of one rule that the gate prints; all of them are in findings.csv."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier study_data`` with its verbs."""
    stage = subparsers.add_parser("study_data", help="raw data to analysis datasets")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    derive = verbs.add_parser("derive", help="read, map, check and derive; findings are written")
    derive.set_defaults(run=derive_datasets)
    gate = verbs.add_parser("gate", help="fail where the findings hold errors (exit code 3)")
    gate.set_defaults(run=pass_gate)
    summarise = verbs.add_parser("summarise", help="populations, demographics and accounting")
    summarise.set_defaults(run=summarise_datasets)
    for verb in (derive, gate, summarise):
        add_run_argument(verb)


def derive_from(
    settings: StudyDataSettings, bioanalysis: BioanalysisSettings, study: StudySettings
) -> StudyData:
    """Read raw files and decisions, relative to the working directory, and run the stage.

    Raises
    ------
    ConfigError
        If the folder of decisions cannot be used.
    """
    from celldossier.io.decisions import read_decision_files
    from celldossier.io.tables import read_domains
    from celldossier.study_data.stage import derive_study_data

    files = read_decision_files(settings.decisions)
    return derive_study_data(read_domains(settings), settings, bioanalysis, study, files)


def write_checks(data: StudyData, study: StudySettings, folder: Path) -> None:
    """Write what the checks found, as CSV and as a page of each language."""
    from celldossier.io.files import write_table
    from celldossier.io.run_folder import LANGUAGES
    from celldossier.study_data.findings_page import Checks, render_findings_page

    # A row number is a whole number in the file, though it may be missing.
    findings = data.findings.assign(row=data.findings["row"].astype("Int64"))
    decisions = data.decisions.assign(row=data.decisions["row"].astype("Int64"))
    write_table(findings, folder / "findings.csv")
    write_table(data.exclusions, folder / "exclusions.csv")
    write_table(data.accounting, folder / "accounting.csv")
    write_table(decisions, folder / "decisions.csv")
    checks = Checks(
        study=study.id,
        cutoff=study.data_cutoff.isoformat(),
        findings=data.findings,
        exclusions=data.exclusions,
        accounting=data.accounting,
        decisions=data.decisions,
    )
    for language in LANGUAGES:
        page = render_findings_page(checks, language)
        (folder / f"findings.{language}.html").write_text(page, encoding="utf-8")


def derive_datasets(options: argparse.Namespace) -> int:
    """Write ``adam/*.parquet`` and the files of the folder ``checks``.

    Gives 0 even where there are error findings, so that they are kept; the gate
    fails on them.
    """
    from celldossier.io.run_folder import RunFolder
    from celldossier.settings.bioanalysis import BioanalysisSettings
    from celldossier.settings.study import StudySettings
    from celldossier.settings.study_data import StudyDataSettings

    run = RunFolder(options.run_folder)
    study = StudySettings.model_validate(run.settings("study"))
    data = derive_from(
        StudyDataSettings.model_validate(run.settings("study_data")),
        BioanalysisSettings.model_validate(run.settings("bioanalysis")),
        study,
    )
    for name, frame in data.datasets.items():
        run.write_dataset(frame, name)
    write_checks(data, study, run.path("checks"))
    return 0


def pass_gate(options: argparse.Namespace) -> int:
    """Write ``checks/gate.json`` where there is no error finding.

    Raises
    ------
    InputDataError
        With the error findings, where there are any (exit code 3).
    """
    from celldossier.errors import InputDataError
    from celldossier.io.files import write_json
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.tables import read_checks
    from celldossier.study_data.gate import count_findings, list_errors

    run = RunFolder(options.run_folder)
    place = run.path("checks", "findings.csv")
    findings = read_checks(place)
    counts = count_findings(findings)
    if counts["errors"]:
        raise InputDataError(
            [
                *list_errors(findings, SHOWN_PER_RULE),
                f"The raw data have {counts['errors']} error findings that no decision accepts; "
                f"all findings are in {place}; to read them, open "
                f"{place.with_suffix('.en.html')} or {place.with_suffix('.zh.html')}.",
            ]
        )
    write_json(counts, run.path("checks", "gate.json"))
    print(
        f"No errors; {counts['warnings']} warnings, {counts['notes']} notes and "
        f"{counts['accepted']} accepted findings in {place.with_suffix('.en.html')}."
    )
    return 0


def summarise_datasets(options: argparse.Namespace) -> int:
    """Write ``ard/study_data.parquet``."""
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.tables import read_checks
    from celldossier.settings.bioanalysis import BioanalysisSettings
    from celldossier.settings.study import StudySettings
    from celldossier.settings.study_data import StudyDataSettings
    from celldossier.study_data.endpoints import list_endpoints
    from celldossier.study_data.summary import summarise_study_data

    run = RunFolder(options.run_folder)
    efficacy = StudyDataSettings.model_validate(run.settings("study_data")).efficacy
    endpoints = list_endpoints(
        efficacy.time_to_event,
        StudySettings.model_validate(run.settings("study")).product.product_class,
        BioanalysisSettings.model_validate(run.settings("bioanalysis")),
    )
    results = summarise_study_data(
        run.dataset("ADSL"),
        accounting=read_checks(run.path("checks", "accounting.csv")),
        exclusions=read_checks(run.path("checks", "exclusions.csv")),
        findings=read_checks(run.path("checks", "findings.csv")),
        adaesi=run.dataset("ADAESI"),
        adld=run.dataset("ADLD"),
        adpq=run.dataset("ADPQ"),
        adex=run.dataset("ADEX"),
        adrs=run.dataset("ADRS"),
        adtte=run.dataset("ADTTE"),
        adrun=run.dataset("ADRUN"),
        adsamp=run.dataset("ADSAMP"),
        endpoints=endpoints,
        efficacy=efficacy,
    )
    run.write_results(results, "study_data")
    return 0

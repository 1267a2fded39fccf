"""``celldossier report``: the clause matrix and the report of one language."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from celldossier.cli.arguments import add_run_argument

if TYPE_CHECKING:
    from celldossier.io.run_folder import RunFolder

REPORT = "clinical-pharmacology-report"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier report`` with its verbs."""
    stage = subparsers.add_parser("report", help="clause matrix and report")
    verbs = stage.add_subparsers(dest="verb", required=True, metavar="VERB")
    clauses = verbs.add_parser("clauses", help="derive the clause matrix")
    add_run_argument(clauses)
    clauses.set_defaults(run=write_clause_matrix)
    render = verbs.add_parser("render", help="render the report of one language")
    add_run_argument(render)
    render.add_argument("--lang", choices=["zh", "en"], required=True, help="language")
    render.set_defaults(run=render_language)


def read_sections(run: RunFolder) -> dict[str, Any]:
    """Effective sections of the config, with the run-level keys as ``run``."""
    from celldossier.settings.model import SECTIONS

    return {name: run.settings(name) for name in (*SECTIONS, "run")}


def write_clause_matrix(options: argparse.Namespace) -> int:
    """Write ``report/clause_matrix.csv``."""
    from celldossier.io.files import read_json, write_table
    from celldossier.io.resources import read_resource
    from celldossier.io.run_folder import RunFolder
    from celldossier.report.clauses import make_matrix_table
    from celldossier.report.matrix import derive_matrix, word_reason
    from celldossier.terms.language import Language

    run = RunFolder(options.run_folder)
    settings = read_sections(run)
    guideline = read_resource("guideline", settings["run"]["guideline_version"], "clauses.yaml")
    tlfs = read_json(run.path("tlf", settings["report"]["languages"][0], "tlfs.json"))
    matrix = derive_matrix(
        guideline["clauses"], tlfs, settings, run.dataset("ADSL"), run.dataset("ADEX")
    )
    english, chinese = (
        [word_reason(row, guideline, Language(code)) for row in matrix] for code in ("en", "zh")
    )
    write_table(make_matrix_table(matrix, english, chinese), run.path("report/clause_matrix.csv"))
    return 0


def render_language(options: argparse.Namespace) -> int:
    """Write the report of one language as HTML and PDF."""
    import hashlib

    from celldossier.io.decisions import list_decision_files
    from celldossier.io.files import hash_file, read_json
    from celldossier.io.resources import read_resource, shared_path
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.stages import CHECKS, DATASETS, STAGES
    from celldossier.io.tables import locate_raw_files, read_checks, read_run_table
    from celldossier.report.matrix import derive_conditions
    from celldossier.report.pdf import render_pdf
    from celldossier.report.provenance import describe_provenance, name_source
    from celldossier.report.render import ReportInputs, embed_images, render_report
    from celldossier.results import AnalysisResults
    from celldossier.settings.study_data import StudyDataSettings

    run = RunFolder(options.run_folder)
    settings = read_sections(run)
    version = settings["run"]["guideline_version"]
    folder = run.path("tlf", options.lang)
    tlfs = read_json(folder / "tlfs.json")
    lock = shared_path("uv.lock")
    study_data = StudyDataSettings.model_validate(settings["study_data"])
    sources = [*locate_raw_files(study_data).values(), *list_decision_files(study_data.decisions)]
    reference = settings["run"].get("reference_run")
    checks = {name: read_checks(run.path("checks", f"{name}.csv")) for name in CHECKS}
    inputs = ReportInputs(
        settings=settings,
        results=AnalysisResults(run.results(stage) for stage in STAGES),
        tlfs=tlfs,
        guideline=read_resource("guideline", version, "guideline.yaml"),
        clauses=read_resource("guideline", version, "clauses.yaml"),
        conditions=derive_conditions(settings, run.dataset("ADSL"), run.dataset("ADEX")),
        matrix=read_run_table(run.path("report/clause_matrix.csv"), "report clauses"),
        findings=checks["findings"],
        exclusions=checks["exclusions"],
        accounting=checks["accounting"],
        decisions=checks["decisions"],
        provenance=describe_provenance(
            inputs={name_source(path): hash_file(path) for path in sources},
            settings={
                name: hash_file(run.path("settings", f"{name}.json")) for name in sorted(settings)
            },
            datasets={name: hash_file(run.path("adam", f"{name}.parquet")) for name in DATASETS},
            lock_hash=hash_file(lock) if lock.is_file() else "",
        ),
        changes=read_json(run.path("comparison", "differences.json")) if reference else None,
    )
    page = render_report(inputs, options.lang)
    target = run.path("report", options.lang)
    target.mkdir(parents=True, exist_ok=True)
    identifier = hashlib.sha256(page.encode()).digest()[:16]
    (target / f"{REPORT}.pdf").write_bytes(render_pdf(page, folder, identifier))
    alone = embed_images(page, folder)
    (target / f"{REPORT}.html").write_text(alone, encoding="utf-8")
    return 0

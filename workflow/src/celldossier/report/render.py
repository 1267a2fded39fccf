"""The report as HTML, in one language, from the files that the stages handed on."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from celldossier.datasets import read_specification
from celldossier.errors import RunError
from celldossier.io.resources import read_resource, shared_path
from celldossier.report.matrix import BLOCKS
from celldossier.report.narratives import render_narrative
from celldossier.report.values import ReportValues
from celldossier.results import AnalysisResults
from celldossier.settings.study import StudySettings
from celldossier.terms.covariates import covariate_level
from celldossier.terms.endpoints import known_endpoints
from celldossier.terms.exposure_metrics import metric_label
from celldossier.terms.language import Language, LanguageCode, format_result, print_unit
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import find_parameter
from celldossier.terms.templates import close_chinese_gaps, make_environment

LISTED = 60
"""Lines of a table of changes that the report prints; differences.csv holds all of them."""
_IMAGE = re.compile(r'(?P<start><img class="tlf-image" src=")(?P<name>[^"]+)(?P<end>")')
"""An image as the macro of tables and figures writes it."""


@dataclass(frozen=True)
class ReportInputs:
    """All that the report of one language is made from.

    Attributes
    ----------
    tlfs
        The declared tables, listings and figures as the tlf stage wrote them.
    settings
        Effective sections of the config by name, `run` among them.
    clauses
        Content of clauses.yaml: clauses, conditions and fixed statements.
    conditions
        Outcome of each named condition for this study.
    matrix
        The clause matrix of the run, ``report/clause_matrix.csv``, as text columns.
    changes
        What differs from the reference run, ``comparison/differences.json``; None without one.
    """

    settings: Mapping[str, Any]
    results: AnalysisResults
    tlfs: Sequence[Mapping[str, Any]]
    guideline: Mapping[str, Any]
    clauses: Mapping[str, Any]
    conditions: Mapping[str, bool]
    matrix: pd.DataFrame
    findings: pd.DataFrame
    exclusions: pd.DataFrame
    accounting: pd.DataFrame
    decisions: pd.DataFrame
    provenance: Mapping[str, Any]
    changes: Mapping[str, Any] | None = None


def render_report(inputs: ReportInputs, language_code: LanguageCode) -> str:
    """Render the whole report as one page of HTML, which names its images by their files.

    Raises
    ------
    RunError
        If a text asks for a value or an output that does not exist.
    """
    language = Language(language_code)
    outputs = Outputs(inputs.tlfs)
    environment = make_environment(language_code)
    draw_output: Any = environment.get_template("macros/tlf.html.j2").module
    blocks = {block: language.text(f"report.block.{block}") for block in BLOCKS}

    def refer(name: str) -> Markup:
        shown = blocks[name] if name in blocks else outputs.get(name)["number"]
        return Markup('<a class="ref" href="#{}">{}</a>').format(name, shown)

    def place_output(tlf_id: str) -> Markup:
        output = outputs.place(tlf_id)
        return Markup(draw_output.render_tlf(output, {}, language.text))

    environment.globals.update(
        **_wording(inputs, language),
        **_facts(inputs, language),
        outputs=outputs,
        tlfs_of=outputs.rest,
        tlf=place_output,
        ref=refer,
        style={
            name: Markup(shared_path("report_templates", "style", f"{name}.css").read_text("utf-8"))
            for name in ("tlf", "report")
        },
    )
    page = environment.get_template("report.html.j2").render()
    return close_chinese_gaps(page) if language_code == "zh" else page


def _wording(inputs: ReportInputs, language: Language) -> dict[str, Any]:
    """Names of the templates that turn codes into words of the language."""
    narratives = inputs.settings["report"]["narratives"]
    terms = read_resource("terms", "termbase.yaml")
    endpoints = known_endpoints(inputs.settings["exposure_response"])
    efficacy = read_resource("terms", "efficacy_parameters.yaml")
    return {
        "language": language.code,
        "label": lambda both: language.label(both if isinstance(both, dict) else both.model_dump()),
        "text": language.text,
        "term": lambda key: language.label(terms[key]),
        "reason": language.reason,
        "symbol": lambda code: find_parameter(code).symbol,
        "metric_label": lambda code: metric_label(language, code),
        "variable_label": lambda dataset, name: variable_label(dataset, name, language),
        "covariate_level": lambda name, level: covariate_level(language, name, level),
        "compartment_name": lambda name: compartment_name(name, language),
        "endpoint_label": lambda code: language.label(endpoints[code]),
        "endpoint_family": lambda code: endpoints[code]["family"],
        "survival_label": lambda code: language.label(efficacy["endpoints"][code]),
        "statement": lambda key: language.label(inputs.clauses["statements"][key]),
        "narrative": lambda key: (
            render_narrative(language.label(narratives[key]))
            if key in narratives
            else Markup('<p class="owed">{}</p>').format(language.text("report.narrative_owed"))
        ),
    }


def _facts(inputs: ReportInputs, language: Language) -> dict[str, Any]:
    """Names of the templates that read results, settings and the records of the run."""
    values = ReportValues(inputs.results, language)
    study = StudySettings.model_validate(inputs.settings["study"])
    accounting = inputs.accounting.drop_duplicates("domain").set_index("domain")
    return {
        "value": values.value,
        "worded": values.worded,
        "vid": values.find_id,
        "unit": values.unit,
        "has": values.has,
        "number": values.number,
        "exists": lambda value_id: value_id in inputs.results,
        "levels": lambda analysis, key: natural_order(inputs.results.levels(analysis, key)),
        "analytes": inputs.results.analytes,
        "conditions": inputs.conditions,
        "collected": lambda domain: bool(
            domain in accounting.index and accounting.loc[domain, "file"] != ""
        ),
        "study": study,
        "product": study.product,
        "settings": inputs.settings,
        "guideline": inputs.guideline,
        "clauses": _matrix_rows(inputs, language),
        "findings": inputs.findings.to_dict("records"),
        "exclusions": inputs.exclusions.to_dict("records"),
        "accounting": inputs.accounting.to_dict("records"),
        "decisions": inputs.decisions.to_dict("records"),
        "provenance": inputs.provenance,
        "changes": inputs.changes,
        "figure": format_result,
        "print_unit": print_unit,
        "listed": LISTED,
    }


def compartment_name(name: str, language: Language) -> str:
    """Words for a specimen or a place; the study's own text where there is no term."""
    term = f"level.compartment.{name}"
    return language.text(term) if language.has(term) else name


def variable_label(dataset: str, name: str, language: Language) -> str:
    """Label of a variable after its specification; a variable of the study's own is its name."""
    variable = read_specification(dataset).variables.get(name)
    return name if variable is None else language.label({"en": variable.en, "zh": variable.zh})


def _matrix_rows(inputs: ReportInputs, language: Language) -> list[dict[str, Any]]:
    """Rows of the clause matrix, each with what the guideline asks."""
    asked = {clause["id"]: clause for clause in inputs.clauses["clauses"]}
    return [
        {
            "id": row["CLAUSE"],
            "section": row["SECTION"],
            "lines": asked[row["CLAUSE"]]["lines"],
            "asks": language.label(asked[row["CLAUSE"]]["asks"]),
            "status": row["STATUS"],
            "reason": row[f"REASON_{language.code.upper()}"],
            "evidence": row["EVIDENCE"].split(),
        }
        for row in inputs.matrix.to_dict("records")
    ]


class Outputs:
    """The tables, listings and figures, by id and by section; notes which were placed."""

    def __init__(self, tlfs: Sequence[Mapping[str, Any]]) -> None:
        self._by_id = {tlf["id"]: tlf for tlf in tlfs}
        self._placed: set[str] = set()
        self._before: Mapping[str, Any] = {}

    def get(self, tlf_id: str) -> Mapping[str, Any]:
        """The output of that id; RunError if tlfs.yaml does not declare it."""
        if tlf_id not in self._by_id:
            raise RunError(f"The report names {tlf_id}, which config/tlfs.yaml does not declare.")
        return self._by_id[tlf_id]

    def place(self, tlf_id: str) -> Mapping[str, Any]:
        """The output, noted as placed; RunError if it was placed before.

        One that is not shown is a line of text: it stands on the page of what comes before it
        in its section, and turns no page for itself.
        """
        if tlf_id in self._placed:
            raise RunError(f"The report places {tlf_id} twice.")
        self._placed.add(tlf_id)
        output = self.get(tlf_id)
        if output["status"] != "shown":
            follows = self._before.get("section") == output["section"]
            output = {**output, "landscape": follows and self._before["landscape"]}
        self._before = output
        return output

    def rest(self, section: str) -> list[str]:
        """Outputs of a section that its text has not placed."""
        return [
            name
            for name, tlf in self._by_id.items()
            if tlf["section"] == section and name not in self._placed
        ]

    def listed(self, kind: str) -> list[Mapping[str, Any]]:
        """Outputs of a kind that are shown, in the order of the report."""
        return [
            tlf for tlf in self._by_id.values() if tlf["kind"] == kind and tlf["status"] == "shown"
        ]


def embed_images(page: str, folder: Path) -> str:
    """The page with its images inside, so that it stands alone.

    Parameters
    ----------
    page
        What `render_report` gives.
    folder
        Where the images of the tlf stage lie.
    """

    def embed(tag: re.Match[str]) -> str:
        content = base64.b64encode((folder / Path(tag["name"]).name).read_bytes()).decode("ascii")
        return f"{tag['start']}data:image/svg+xml;base64,{content}{tag['end']}"

    return _IMAGE.sub(embed, page)

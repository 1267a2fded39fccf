"""The report as HTML, in one language, from the files that the stages handed on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from celldossier.datasets import read_specification
from celldossier.errors import RunError
from celldossier.io.resources import read_resource, shared_path
from celldossier.report.clauses import ClauseStatus
from celldossier.report.matrix import BLOCKS
from celldossier.report.narratives import render_narrative
from celldossier.report.values import ReportValues
from celldossier.results import AnalysisResults
from celldossier.settings.study import StudySettings
from celldossier.terms.language import Language, LanguageCode
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import find_parameter
from celldossier.terms.templates import close_chinese_gaps, make_environment


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
    matrix, reasons
        The clause matrix, and the wording of each row's reason in this language.
    """

    settings: Mapping[str, Any]
    results: AnalysisResults
    tlfs: Sequence[Mapping[str, Any]]
    guideline: Mapping[str, Any]
    clauses: Mapping[str, Any]
    conditions: Mapping[str, bool]
    matrix: Sequence[ClauseStatus]
    reasons: Sequence[str]
    findings: pd.DataFrame
    exclusions: pd.DataFrame
    accounting: pd.DataFrame
    decisions: pd.DataFrame
    provenance: Mapping[str, Any]


def render_report(
    inputs: ReportInputs, language_code: LanguageCode, image: Callable[[str], str]
) -> str:
    """Render the whole report as one page of HTML.

    Parameters
    ----------
    image
        Gives the address of an image file of the tlf stage: its name, for the
        PDF, or its content as a data address, for a page that stands alone.

    Raises
    ------
    RunError
        If a text asks for a value or an output that does not exist.
    """
    language = Language(language_code)
    values = ReportValues(inputs.results, language)
    outputs = Outputs(inputs.tlfs)
    study = StudySettings.model_validate(inputs.settings["study"])
    narratives = inputs.settings["report"]["narratives"]
    environment = make_environment(language_code)
    terms = read_resource("terms", "termbase.yaml")
    endpoints = read_resource("terms", "endpoints.yaml")
    efficacy = read_resource("terms", "efficacy_parameters.yaml")
    draw_output: Any = environment.get_template("macros/tlf.html.j2").module

    blocks = {block: language.text(f"report.block.{block}") for block in BLOCKS}

    def refer(name: str) -> Markup:
        shown = blocks[name] if name in blocks else outputs.get(name)["number"]
        return Markup('<a class="ref" href="#{}">{}</a>').format(name, shown)

    def place_output(tlf_id: str) -> Markup:
        output = outputs.place(tlf_id)
        sources = {name: image(name) for name in output.get("images", [])}
        return Markup(draw_output.render_tlf(output, sources, language.text))

    accounting = inputs.accounting.drop_duplicates("domain").set_index("domain")
    environment.globals.update(
        language=language_code,
        label=lambda both: language.label(both if isinstance(both, dict) else both.model_dump()),
        text=language.text,
        term=lambda key: language.label(terms[key]),
        reason=language.reason,
        value=values.value,
        vid=values.find_id,
        unit=values.unit,
        symbol=lambda code: find_parameter(code).symbol,
        has=values.has,
        variable_label=lambda dataset, name: variable_label(dataset, name, language),
        number=values.number,
        exists=lambda value_id: value_id in inputs.results,
        levels=lambda analysis, key: natural_order(inputs.results.levels(analysis, key)),
        analytes=inputs.results.analytes,
        compartment_name=lambda name: compartment_name(name, language),
        endpoint_label=lambda code: language.label(endpoints[code]),
        survival_label=lambda code: language.label(efficacy["endpoints"][code]),
        conditions=inputs.conditions,
        statement=lambda key: language.label(inputs.clauses["statements"][key]),
        narrative=lambda key: (
            render_narrative(language.label(narratives[key]))
            if key in narratives
            else Markup('<p class="owed">{}</p>').format(language.text("report.narrative_owed"))
        ),
        has_narrative=lambda key: key in narratives,
        collected=lambda domain: bool(
            domain in accounting.index and accounting.loc[domain, "file"] != ""
        ),
        outputs=outputs,
        tlfs_of=outputs.rest,
        tlf=place_output,
        ref=refer,
        study=study,
        product=study.product,
        settings=inputs.settings,
        guideline=inputs.guideline,
        clauses=_matrix_rows(inputs, language),
        findings=inputs.findings.to_dict("records"),
        exclusions=inputs.exclusions.to_dict("records"),
        accounting=inputs.accounting.to_dict("records"),
        decisions=inputs.decisions.to_dict("records"),
        provenance=inputs.provenance,
        style={
            name: Markup(shared_path("report_templates", "style", f"{name}.css").read_text("utf-8"))
            for name in ("tlf", "report")
        },
    )
    page = environment.get_template("report.html.j2").render()
    return close_chinese_gaps(page) if language_code == "zh" else page


def compartment_name(name: str, language: Language) -> str:
    """Words for a specimen or a place; the study's own text where there is no term."""
    term = f"level.compartment.{name}"
    return language.text(term) if language.has(term) else name


def variable_label(dataset: str, name: str, language: Language) -> str:
    """Label of a variable after its specification; a variable of the study's own is its name."""
    variable = read_specification(dataset).variables.get(name)
    return name if variable is None else language.label({"en": variable.en, "zh": variable.zh})


def _matrix_rows(inputs: ReportInputs, language: Language) -> list[dict[str, Any]]:
    rows = []
    for clause, status, reason in zip(
        inputs.clauses["clauses"], inputs.matrix, inputs.reasons, strict=True
    ):
        rows.append(
            {
                "id": clause["id"],
                "section": clause["section"],
                "lines": clause["lines"],
                "asks": language.label(clause["asks"]),
                "status": status.status,
                "reason": reason,
                "evidence": list(status.evidence),
            }
        )
    return rows


class Outputs:
    """The tables, listings and figures, by id and by section; notes which were placed."""

    def __init__(self, tlfs: Sequence[Mapping[str, Any]]) -> None:
        self._by_id = {tlf["id"]: tlf for tlf in tlfs}
        self._placed: set[str] = set()

    def get(self, tlf_id: str) -> Mapping[str, Any]:
        """The output of that id; RunError if tlfs.yaml does not declare it."""
        if tlf_id not in self._by_id:
            raise RunError(f"The report names {tlf_id}, which config/tlfs.yaml does not declare.")
        return self._by_id[tlf_id]

    def place(self, tlf_id: str) -> Mapping[str, Any]:
        """The output, noted as placed; RunError if it was placed before."""
        if tlf_id in self._placed:
            raise RunError(f"The report places {tlf_id} twice.")
        self._placed.add(tlf_id)
        return self.get(tlf_id)

    def has(self, tlf_id: str) -> bool:
        """Whether the output is declared."""
        return tlf_id in self._by_id

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


def embed_image(folder: Path) -> Callable[[str], str]:
    """Address of an image as its content, for a page that stands alone."""

    def address(name: str) -> str:
        content = base64.b64encode((folder / Path(name).name).read_bytes()).decode("ascii")
        return f"data:image/svg+xml;base64,{content}"

    return address

"""A part of the report, rendered with one number for every value of the results."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup
from two_runs import PEAKS, make_run

from celldossier.io.resources import read_resource, shared_path
from celldossier.report.render import make_environment, variable_label
from celldossier.run_comparison.compare import compare_runs
from celldossier.run_comparison.summary import summarise_comparison
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.comparability import ComparabilitySettings
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.settings.report import ReportSettings
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.settings.study import StudySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.terms.covariates import covariate_level
from celldossier.terms.language import Language, format_result, print_unit

TEMPLATES = shared_path("report_templates")
GUIDELINE = read_resource("guideline", "cde-draft-2024-06", "guideline.yaml")
CLAUSES = read_resource("guideline", "cde-draft-2024-06", "clauses.yaml")
FRONT = ("summary", "data", "methods", "matrix", "provenance", "changes", "amendment")
PARTS = (*FRONT, *GUIDELINE["sections"])
CJK = "\u3400-\u9fff"


def make_study(product_class: str = "car_t", gene_modified: bool = True) -> StudySettings:
    both = {"en": "text", "zh": "文本"}
    return StudySettings.model_validate(
        {
            "id": "S",
            "title": both,
            "sponsor": both,
            "product": {
                "name": "P",
                "product_class": product_class,
                "gene_modified": gene_modified,
                "source": "autologous" if gene_modified else "allogeneic",
                "target": "CD19" if gene_modified else "",
                "co_expressed": ["X"] if gene_modified else [],
                "route": "systemic" if gene_modified else "local",
                "description": both,
            },
            "trials": [
                {
                    "id": "S",
                    "phase": "1",
                    **dict.fromkeys(
                        ("design", "population", "lymphodepletion", "dose_levels"), both
                    ),
                    **dict.fromkeys(("matrices", "schedule"), both),
                    "investigator_initiated": not gene_modified,
                }
            ],
            "data_cutoff": "2025-01-31",
        }
    )


@lru_cache(maxsize=2)
def share_environment(language: Any) -> Environment:
    """One environment a language, so that each template is compiled once."""
    return make_environment(language)


@lru_cache(maxsize=1)
def share_changes() -> Any:
    """Two small runs compared: a raw result, a setting and a part of the code differ."""
    old, new = make_run(), make_run({**PEAKS, "S-2": 260.0})
    new.settings["cellular_kinetics"]["lambda_z"]["min_r2adj"] = 0.9
    new.code = {**(new.code or {}), "stats": "other"}
    new.tables["report/clause_matrix.csv"]["STATUS"] = "not_available"
    return summarise_comparison(compare_runs(old.content(), new.content()))


class Page:
    """Renders parts of the report with one number for every value.

    Parameters
    ----------
    interval
        Limits of every interval: decides the wording of comparisons.
    computed, known
        Whether the values are not missing; whether a stage computed them at all.
    """

    def __init__(
        self,
        language: Any = "en",
        *,
        interval: tuple[float, float] = (1.2, 2.4),
        computed: bool = True,
        known: bool = True,
        domains: tuple[str, ...] = ("PC", "LB", "IS", "AE", "RS", "CM", "LOTS"),
        study: StudySettings | None = None,
        minors: bool = True,
        repeat_dosing: bool = False,
        status: str = "addressed",
    ) -> None:
        self.environment = share_environment(language)
        self.printed: list[str] = []
        self.study = study or make_study()
        assay = {
            "test_codes": ["X"],
            **{key: {"en": "assay", "zh": "方法"} for key in ("label", "platform", "matrix")},
            "unit": "copies/ug",
        }
        settings = {
            "bioanalysis": BioanalysisSettings.model_validate(
                {
                    "assays": [
                        {"analyte": "PCR", "domain": "CK", **assay},
                        {"analyte": "FLOW", "domain": "CK", **assay},
                        {"analyte": "IL6", "domain": "PD", **assay},
                        {"analyte": "ADA", "domain": "ADA", **assay},
                    ]
                }
            ),
            "cellular_kinetics": CellularKineticsSettings(),
            "exposure_response": ExposureResponseSettings(),
            "immunogenicity": ImmunogenicitySettings(),
            "special_considerations": SpecialConsiderationsSettings(),
            "comparability": ComparabilitySettings(),
            "pharmacodynamics": PharmacodynamicsSettings(),
            "dose_exploration": DoseExplorationSettings(),
            "report": ReportSettings(),
        }
        self.settings: dict[str, Any] = {
            name: section.model_dump(mode="json") for name, section in settings.items()
        }
        self.settings["study_data"] = StudyDataSettings.model_validate(
            {
                "root": "raw",
                "sources": {"DM": {"file": "dm.csv"}, "EX": {"file": "ex.csv"}},
                "efficacy": {"responder_categories": ["CR", "PR"]},
                "kinetics_specimens": ["BLOOD"],
            }
        ).model_dump(mode="json")

        def label(both: Any) -> str:
            return str((both if isinstance(both, dict) else both.model_dump())[language])

        terms = read_resource("terms", "termbase.yaml")
        endpoints = read_resource("terms", "endpoints.yaml")
        survival = read_resource("terms", "efficacy_parameters.yaml")["endpoints"]

        def value(value_id: str, style: str = "sig3") -> Markup:
            assert known, f"{value_id} was not computed"
            self.printed.append(value_id)
            return Markup('<span data-value-id="{}">8.88</span>').format(value_id)

        def number(value_id: str) -> float:
            if not computed:
                return float("nan")
            return interval[0] if value_id.endswith("_low") else interval[1]

        self.globals = dict(
            language=language,
            label=label,
            term=lambda key: label(terms[key]),
            reason=lambda code: code,
            text=lambda key: key,
            value=value,
            worded=lambda value_id, key: value(value_id),
            number=number,
            has=lambda value_id: computed and known,
            exists=lambda value_id: known,
            unit=lambda value_id: "d",
            symbol=lambda code: code,
            variable_label=lambda dataset, name: variable_label(dataset, name, Language(language)),
            covariate_level=lambda name, level: covariate_level(Language(language), name, level),
            vid=lambda analysis_id, variable, analyte, stat, **by: "/".join(
                [analysis_id, str(variable), str(analyte), *sorted(by.values()), stat]
            ),
            levels=lambda analysis, key: ["DL1", "DL2"],
            analytes=lambda analysis: ["CAR"],
            compartment_name=lambda name: name,
            endpoint_label=lambda code: label(endpoints[code]),
            endpoint_family=lambda code: endpoints[code]["family"],
            metric_label=lambda code: code,
            survival_label=lambda code: label(survival[code]),
            conditions={
                "gene_modified": self.study.product.gene_modified,
                "repeat_dosing": repeat_dosing,
                "minors": minors,
                "first_of_kind": False,
                "no_specific_marker": False,
                "dose_escalation": True,
                "manufacturing_change": False,
                "mechanistic_data": False,
            },
            statement=lambda key: label(CLAUSES["statements"][key]),
            narrative=lambda key: Markup("<p>[{}]</p>").format(key),
            collected=lambda domain: domain in domains,
            tlfs_of=lambda section: [],
            tlf=lambda tlf_id: tlf_id,
            ref=lambda tlf_id: Markup('<a href="#{}">{}</a>').format(tlf_id, tlf_id),
            study=self.study,
            product=self.study.product,
            settings=self.settings,
            guideline=GUIDELINE,
            clauses=[
                {
                    "id": clause["id"],
                    "section": clause["section"],
                    "lines": clause["lines"],
                    "asks": label(clause["asks"]),
                    "status": status,
                    "reason": "" if status == "addressed" else "why",
                    "evidence": ["T25", "F20"],
                }
                for clause in CLAUSES["clauses"]
            ],
            findings=[
                {
                    "severity": severity,
                    "rule_id": "RULE",
                    "domain": "PC",
                    "message_en": "text",
                    "message_zh": "文本",
                    "decision": "D1" if severity == "error" else "",
                    "rule_severity": "warning",
                }
                for severity in ("error", "warning", "note")
            ]
            if computed
            else [],
            exclusions=[{"domain": "PC", "reason": "MISSING"}] if computed else [],
            accounting=[
                {
                    "domain": "PC",
                    "file": "pc.csv" if computed else "",
                    "dataset": "ADPC",
                    "records_in": "1",
                    "records_used": "1",
                    "records_excluded": "0",
                }
            ],
            decisions=[
                {
                    **dict.fromkeys(("subject", "domain", "file", "row", "column", "rule"), ""),
                    **{"id": "D1", "kind": kind, "measure": measure, "before": "a", "after": "b"},
                    **{"reason": "why", "author": "who", "date": "when"},
                }
                for kind, measure in (("CORRECT", "VALUE"), ("WINDOW",) * 2, ("TOTAL", "RECORDS"))
            ]
            if computed
            else [],
            provenance={
                "program": "0",
                "python": "3",
                "libraries": [{"name": "numpy", "version": "2"}],
                "lock_sha256": "00" if computed else "",
                "inputs": [{"file": "pc.csv", "sha256": "00"}],
                "settings": [{"section": "study", "sha256": "00"}],
                "datasets": [{"name": "ADPC", "sha256": "00"}],
                "seeds": [{"step": "bootstrap", "seed": 1}] if computed else [],
            },
            changes=share_changes(),
            figure=format_result,
            print_unit=print_unit,
            listed=5,
        )

    def render(self, part: str) -> str:
        """Text of one part, white space folded, without tags."""
        return self.render_template(self.environment.get_template(f"sections/{part}.html.j2"))

    def render_template(self, template: Template) -> str:
        """Text of a template; its macros read the globals of the environment."""
        self.environment.globals.update(self.globals)
        return " ".join(re.sub(r"<[^>]*>", "", template.render()).split())

"""The prose: complete in both languages, without typed numbers, never beyond the analysis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, Template
from markupsafe import Markup

from celldossier.io.resources import read_resource, shared_path
from celldossier.report.render import make_environment, variable_label
from celldossier.settings.bioanalysis import BioanalysisSettings
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.report import ReportSettings
from celldossier.settings.study import StudySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.terms.language import Language

TEMPLATES = shared_path("report_templates")
GUIDELINE = read_resource("guideline", "cde-draft-2024-06", "guideline.yaml")
CLAUSES = read_resource("guideline", "cde-draft-2024-06", "clauses.yaml")
FRONT = ("summary", "data", "methods", "matrix", "provenance")
PARTS = (*FRONT, *GUIDELINE["sections"])
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
CJK = "\u3400-\u9fff"

# Digits in a msgid that are no result: an interval whose level the stage fixes, names.
NO_RESULT = ("90%% CI", "95%% CI", "SHA-256", "interleukin-6")


def extract_messages() -> dict[str, set[str]]:
    """Each msgid of the templates, and the files where it stands."""
    options = {
        "extensions": "jinja2.ext.i18n,jinja2.ext.do",
        "newstyle_gettext": "true",
        "trimmed": "true",
        "silent": "false",
    }
    found: dict[str, set[str]] = {}
    for file, _, message, _, _ in extract_from_dir(
        TEMPLATES, method_map=[("**.j2", "jinja2")], options_map={"**": options}
    ):
        assert isinstance(message, str), f"{file}: plural forms are not used"
        found.setdefault(message, set()).add(file)
    return found


MESSAGES = extract_messages()


def read_chinese() -> dict[str, Any]:
    path = TEMPLATES / "locale" / "zh_CN" / "LC_MESSAGES" / "report.po"
    with path.open("rb") as handle:
        catalogue = read_po(handle, abort_invalid=True)
    assert not catalogue.obsolete
    return {str(message.id): message for message in catalogue if message.id}


CHINESE = read_chinese()


def test_every_sentence_has_a_chinese_translation_and_none_is_left_over() -> None:
    assert len(MESSAGES) > 200
    assert set(MESSAGES) == set(CHINESE)


def test_a_translation_is_final_and_has_the_same_placeholders() -> None:
    for message, entry in CHINESE.items():
        assert not entry.fuzzy, message
        assert entry.string.strip(), message
        names = PLACEHOLDER.findall(message)
        assert sorted(names) == sorted(PLACEHOLDER.findall(entry.string)), message
        # A percent sign that is not doubled makes the formatting fail at run time.
        assert entry.string % dict.fromkeys(names, ""), message


def find_digits(text: str) -> set[str]:
    """Digits outside placeholders and outside the names of `NO_RESULT`."""
    text = PLACEHOLDER.sub("", text)
    for name in NO_RESULT:
        text = text.replace(name, "")
    return set(re.findall(r"\d+", text))


def test_no_number_is_typed_into_a_sentence() -> None:
    assert {message for message in MESSAGES if find_digits(message)} == set()


def test_a_chinese_sentence_has_no_digit_that_the_english_one_lacks() -> None:
    for message, entry in CHINESE.items():
        # Chinese writes "doubling" with a digit.
        chinese = PLACEHOLDER.sub("", entry.string).replace("增加1倍", "")
        assert set(re.findall(r"\d+", chinese)) <= set(re.findall(r"\d+", message)), message


FORBIDDEN_EN = (
    r"caus(?:ed|es) (?!of)",
    r"\bleads? to\b",
    r"\bresulted in\b",
    r"\bdue to\b",
    r"\bproves?\b|\bproven\b",
    r"\bno effect\b",
    r"\bcompl(?:y|ies|iant)\b",
    r"\bpersist(?:ed|s)\b|\bpersistence\b",
    r"\bis comparable\b|\bare comparable\b",
    r"\bsafe and effective\b|\bwell tolerated\b",
)
FORBIDDEN_ZH = (
    "导致",
    "引起",
    "造成",
    "证明",
    "证实",
    "无影响",
    "没有影响",
    "符合指导原则",
    "具有可比性",
    "安全有效",
    "耐受性良好",
)


def template_sources() -> Iterator[tuple[str, str]]:
    for path in sorted(TEMPLATES.glob("**/*.j2")):
        yield path.name, path.read_text(encoding="utf-8")


def test_no_sentence_claims_more_than_an_association() -> None:
    for message in MESSAGES:
        for pattern in FORBIDDEN_EN:
            assert not re.search(pattern, message, flags=re.IGNORECASE), (pattern, message)
        for word in FORBIDDEN_ZH:
            assert word not in CHINESE[message].string, (word, message)


def test_the_wording_of_the_clauses_claims_nothing_either() -> None:
    texts = [clause["asks"] for clause in CLAUSES["clauses"]]
    texts += [*CLAUSES["conditions"].values(), *CLAUSES["statements"].values()]
    for text in texts:
        assert text["en"].strip() and text["zh"].strip()
        assert not re.search(MIXED_PUNCTUATION, text["zh"]), text["zh"]
        assert "导致" not in text["zh"]
        assert not re.search(r"caused by|leads to", text["en"])


MIXED_PUNCTUATION = rf"[{CJK}][,;:!?()]|[,;:!?()][{CJK}]"


def test_chinese_sentences_use_chinese_punctuation_and_the_terms_of_the_guideline() -> None:
    for message, entry in CHINESE.items():
        text = entry.string
        assert not re.search(MIXED_PUNCTUATION, text), text
        # What the guideline does not say; its own terms are in the termbase.
        for foreign in ("细胞药代", "药物动力学", "淋巴耗竭", "适应证", "因子风暴", "几何均值"):
            assert foreign not in text, text
        for english, chinese in (
            ("lymphodepletion", "清淋"),
            ("non-compartmental", "非房室分析"),
            ("exposure-response", "暴露-效应"),
            ("transduction efficiency", "转导效率"),
            ("cytokine release syndrome", "细胞因子释放综合征"),
            ("duration of quantifiability", "可定量持续时间"),
        ):
            assert english not in message.lower() or chinese in text, text


JINJA = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*trans\b.*?[-+]?%\}.*?\{%[-+]?\s*endtrans\s*[-+]?%\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)


class TextOfPage(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text.append(data)


def test_a_template_has_no_words_outside_its_translated_sentences() -> None:
    # Names of a hash function, this program, parameter codes; symbol of a sample size.
    allowed = {"SHA", "celldossier", "AUC", "CMAX", "n"}
    for name, source in template_sources():
        if name == "S9.html.j2":
            continue  # references stand in the language of their source
        parser = TextOfPage()
        parser.feed(JINJA.sub(" ", source))
        # A macro of the tables makes attributes; they are no words.
        text = re.sub(r'[\w-]+="[^"]*"', " ", " ".join(parser.text))
        words = set(re.findall(rf"[A-Za-z]+|[{CJK}]+", text))
        assert words <= allowed, (name, words - allowed)


def test_every_section_of_the_guideline_has_a_template() -> None:
    for part in PARTS:
        assert (TEMPLATES / "sections" / f"{part}.html.j2").is_file(), part
    files = {path.name.removesuffix(".html.j2") for path in (TEMPLATES / "sections").glob("*.j2")}
    assert files == set(PARTS)


# Rendering with made-up values ------------------------------------------------------------


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
            number=number,
            has=lambda value_id: computed and known,
            exists=lambda value_id: known,
            unit=lambda value_id: "d",
            symbol=lambda code: code,
            variable_label=lambda dataset, name: variable_label(dataset, name, Language(language)),
            vid=lambda analysis, variable, analyte, stat, **by: "/".join(
                [analysis, str(variable), str(analyte), *sorted(by.values()), stat]
            ),
            levels=lambda analysis, key: ["DL1", "DL2"],
            analytes=lambda analysis: ["CAR"],
            compartment_name=lambda name: name,
            endpoint_label=lambda code: label(endpoints[code]),
            survival_label=lambda code: label(survival[code]),
            conditions={
                "gene_modified": self.study.product.gene_modified,
                "repeat_dosing": repeat_dosing,
                "minors": minors,
                "first_of_kind": False,
                "no_specific_marker": False,
                "mechanistic_data": False,
            },
            statement=lambda key: label(CLAUSES["statements"][key]),
            narrative=lambda key: Markup("<p>[{}]</p>").format(key),
            has_narrative=lambda key: True,
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
        )

    def render(self, part: str) -> str:
        """Text of one part, white space folded, without tags."""
        return self.render_template(self.environment.get_template(f"sections/{part}.html.j2"))

    def render_template(self, template: Template) -> str:
        """Text of a template; its macros read the globals of the environment."""
        self.environment.globals.update(self.globals)
        return " ".join(re.sub(r"<[^>]*>", "", template.render()).split())


VARIANTS: dict[str, dict[str, Any]] = {
    "all computed": {},
    "interval with 1": {"interval": (0.8, 1.3), "status": "not_available"},
    "lower": {"interval": (0.3, 0.8), "status": "not_provided"},
    "refused by rule": {"computed": False, "status": "not_applicable"},
    "nothing collected": {"domains": (), "computed": False, "minors": False},
    "stem cells": {
        "study": make_study("mesenchymal", gene_modified=False),
        "repeat_dosing": True,
        "minors": False,
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("part", PARTS)
def test_every_section_has_text_and_both_languages_print_the_same_values(
    part: str, variant: str
) -> None:
    pages = {language: Page(language, **VARIANTS[variant]) for language in ("en", "zh")}
    texts = {language: page.render(part) for language, page in pages.items()}
    assert len(texts["en"]) > 40
    assert pages["en"].printed == pages["zh"].printed
    if part != "S9":
        assert re.search(rf"[{CJK}]", texts["zh"])
    assert not re.search(rf"[{CJK}]", texts["en"])
    for text in texts.values():
        assert "%(" not in text
        assert "None" not in text


ODDS = "{{ models.odds('CRSGE2', 'CMAX', 'UNADJUSTED') }}"
IMPORT = '{% import "macros/exposure_response.html.j2" as models with context %}'


def render_odds(**options: Any) -> str:
    page = Page(**options)
    return page.render_template(page.environment.from_string(IMPORT + ODDS))


def test_an_interval_above_one_is_worded_as_an_association_with_higher_odds() -> None:
    text = render_odds(interval=(1.2, 2.4))
    assert "CRS of grade 2 or higher: higher CMAX was associated with higher odds" in text


def test_an_interval_below_one_is_worded_as_an_association_with_lower_odds() -> None:
    assert "was associated with lower odds" in render_odds(interval=(0.4, 0.9))


@pytest.mark.parametrize("interval", [(0.8, 1.3), (1.0, 2.0), (0.5, 1.0)])
def test_an_interval_with_one_is_no_clear_association_and_not_proof_of_none(
    interval: tuple[float, float],
) -> None:
    text = render_odds(interval=interval)
    assert "no clear association with CMAX was seen" in text
    assert "the sample is small" in text
    assert "associated with" not in text
    chinese = render_odds(language="zh", interval=interval)
    assert "未见与CMAX存在明确的关联" in chinese
    assert "样本量有限" in chinese


def test_a_refused_model_is_named_with_its_reason_instead_of_left_out() -> None:
    text = render_odds(computed=False)
    assert "no model on CMAX is reported (8.88)" in text
    assert "odds ratio" not in text


def test_a_ratio_with_one_in_its_interval_is_no_clear_difference() -> None:
    assert "No clear difference in CMAX" in Page(interval=(0.7, 1.6)).render("S4.1")
    assert "non-responders, lay above one" in Page(interval=(1.1, 1.6)).render("S4.1")
    assert "non-responders, lay below one" in Page(interval=(0.3, 0.9)).render("S4.1")


def test_the_odds_are_printed_with_the_q_value_of_their_family() -> None:
    page = Page()
    assert "after adjustment for multiple tests" in page.render("summary")
    assert any("multiplicity" in value_id for value_id in page.printed)


def test_a_domain_without_a_file_is_written_as_not_collected() -> None:
    page = Page(domains=())
    for part, domain in (
        ("S4.1", "cellular kinetics"),
        ("S4.2", "pharmacodynamic"),
        ("S7.1", "immunogenicity"),
        ("S8.2", "concomitant medication"),
    ):
        assert f"Not collected: the study has no {domain} data" in page.render(part)


def test_a_section_for_another_product_class_says_why_it_does_not_apply() -> None:
    page = Page(study=make_study("mesenchymal", gene_modified=False))
    assert "Not applicable because the section concerns immune cell products" in page.render("S8.3")
    assert "Not applicable because the cells are not genetically modified" in page.render("S8.5")


def test_the_methods_follow_the_settings() -> None:
    page = Page()
    page.settings["cellular_kinetics"]["max_extrapolation"] = 35
    page.settings["cellular_kinetics"]["auc_rule"] = "linear"
    text = page.render("methods")
    assert "exceeds 35%" in text
    assert "Areas: linear trapezoids." in text
    assert "logarithmic ones where it falls" not in text


def test_the_methods_say_how_several_doses_and_cells_without_a_marker_are_analysed() -> None:
    page = Page(repeat_dosing=True)
    page.settings["cellular_kinetics"] |= {"dosing_interval": 7.0, "no_specific_marker": ["PCR"]}
    text = page.render("methods")
    assert "at most 1 days older" in text and "that of the protocol, 7 days" in text
    assert "the subject's own (assay)" in text and "held for 3 days at most" in text
    plain = Page().render("methods")
    assert "reviewed the window of a terminal slope" in plain
    assert "own clock" not in plain and "the subject's own" not in plain
    page.settings["cellular_kinetics"]["start"] = "minimum"
    assert "the lowest concentration of the dosing interval" in page.render("methods")


def test_the_methods_name_covariates_in_words_and_with_the_signs_of_the_language() -> None:
    for language, words in (("en", "Age, Indication"), ("zh", "年龄、适应症")):
        text = Page(language).render("methods")
        assert words in text
        assert "LTBURDZ" not in text


def test_the_methods_say_how_dates_become_days() -> None:
    page = Page()
    time = page.settings["study_data"]["time"]
    text = page.render("methods")
    assert "no time zone is declared" in text
    assert "No sampling windows are declared" in text
    assert f"Data cut-off {page.study.data_cutoff.isoformat()}: a record of any domain" in text
    assert "Death: the first possible day, but not before the last day" in text
    time["time_zone"], time["site_time_zones"] = "Asia/Shanghai", {"02": "America/New_York"}
    time["windows"] = [
        {"day": 7, "until": 14, "early": 1, "late": 2, "unit": "days"},
        {"day": 28, "until": None, "early": 5, "late": 5, "unit": "percent"},
    ]
    time["cutoff"] = "keep"
    time["visit_day_convention"] = "day_zero"
    time["predose_window"] = 0.5
    time["partial_dates"]["event_end"] = "none"
    text = page.render("methods")
    assert "(Asia/Shanghai; site 02: America/New_York)" in text
    assert "day 7–14: 1 to 2 d; day 28: 5 to 5 %" in text
    assert "are used, with a warning" in text
    assert "Planned days of visits: day 0 is the day of the first infusion" in text
    assert "at most 0.5 d before" in text
    assert "End of an adverse event: not completed." in text


def test_the_methods_print_each_declared_conversion_with_its_assumption() -> None:
    for language, none, assumed in (
        ("en", "are not converted into each other", "This assumes diploid cells"),
        ("zh", "不相互换算", "细胞为二倍体"),
    ):
        page = Page(language)
        assert none in page.render("methods")
        page.settings["bioanalysis"]["conversions"] = [
            {
                "analyte": "PCRCELL",
                "label": {"en": "Cells from PCR", "zh": "由PCR换算的细胞"},
                "source": "PCR",
                "white_cells": "WBC",
                "vcn": "lot",
                "window": 1.5,
                "dna_per_cell": 6.6e-6,
            }
        ]
        page.settings["bioanalysis"]["assays"][2]["molar_mass"] = 113.12
        page.settings["bioanalysis"]["assays"][2]["declared_factors"] = {"IU/mL": 10}
        text = page.render("methods")
        assert none not in text
        for words in (assumed, "6.6e-06", "1.5 d", "113.12 g/mol", "1 IU/mL"):
            assert words in text


def test_the_methods_say_that_the_peak_rule_goes_by_the_planned_time() -> None:
    page = Page()
    page.settings["cellular_kinetics"]["peak_from"] = 1
    assert "Samples planned before day 1" in page.render("methods")


def test_the_report_says_which_version_of_the_guideline_it_follows() -> None:
    for language, words in (("en", "have not been compared clause by clause"), ("zh", "逐条比对")):
        for part in ("S1", "summary", "matrix"):
            assert words in Page(language).render(part)


def test_every_named_sponsor_text_is_asked_for_where_its_clause_stands() -> None:
    pages = [Page(), Page(study=make_study("mesenchymal", gene_modified=False))]
    for clause in CLAUSES["clauses"]:
        for key in clause.get("owed", []):
            if clause["applies"].get("condition"):
                continue
            section = clause["section"]
            assert any(f"[{key}]" in page.render(section) for page in pages), (section, key)


def test_the_templates_name_only_known_terms_and_outputs() -> None:
    terms = read_resource("terms", "termbase.yaml")
    numbers = re.compile(r"\bref\(\"([A-Z]+[0-9]*[a-z]?)\"\)")
    declared = Path(shared_path("config", "tlfs.yaml")).read_text(encoding="utf-8")
    for name, source in template_sources():
        for key in re.findall(r"\bterm\(\"(\w+)\"\)", source):
            assert key in terms, (name, key)
        for output in numbers.findall(source):
            if output not in ("MATRIX", "SUMMARY"):
                assert f"id: {output}\n" in declared, (name, output)

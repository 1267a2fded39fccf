"""Risk class of immunogenicity and the study owed, by product (clauses S7.1-2, S7.2-1)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import yaml

from celldossier.datasets import conform, empty_dataset
from celldossier.immunogenicity.risk_class import (
    decide_outcome,
    decide_risk_class,
    summarise_risk_class,
)
from celldossier.io.resources import shared_path
from celldossier.report.clauses import Output, derive_clause_matrix
from celldossier.results import AnalysisResults
from celldossier.settings.bioanalysis import Assay
from celldossier.settings.study import Product, ProductClass
from celldossier.terms.immunogenicity_risk import product_words, risk_rules
from celldossier.terms.language import Language
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_immunogenicity_risk import draw_risk_class


def make_product(product_class: str, source: str, modified: bool, *expressed: str) -> Product:
    return Product.model_validate(
        {
            "name": "X",
            "product_class": product_class,
            "gene_modified": modified,
            "source": source,
            "route": "systemic",
            "co_expressed": expressed,
            "description": {"en": "A product.", "zh": "产品。"},
        }
    )


def make_status(*targets: str) -> pd.DataFrame:
    rows = [
        {"STUDYID": "S", "USUBJID": f"S-{k}", "ISBDAGNT": target, "EVALFL": "Y", "ADABLFL": "N",
         "NPOSTBL": 1, "NPOSTPOS": 0, "NNOSTAT": 0}
        for k, target in enumerate(targets)
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), "ADIM") if rows else empty_dataset("ADIM")


ADSL = pd.DataFrame({"USUBJID": ["S-0", "S-1", "S-2"], "SAFFL": ["Y", "Y", "N"]})


@pytest.mark.parametrize(
    ("product_class", "source", "modified", "rule", "study"),
    [
        ("car_t", "autologous", True, "IMMUNE", "owed"),
        ("til", "autologous", False, "IMMUNE", "owed"),
        ("stem", "autologous", False, "UNMODIFIED", "decide"),
        ("stem", "allogeneic", False, "UNMODIFIED", "decide"),
        ("stem", "allogeneic", True, "MODIFIED", "owed"),
        ("stem", "xenogeneic", False, "XENOGENEIC", "expected"),
        ("mesenchymal", "allogeneic", False, "MESENCHYMAL", "decide"),
        ("mesenchymal", "autologous", True, "MODIFIED", "owed"),
        ("mesenchymal", "xenogeneic", False, "XENOGENEIC", "expected"),
        ("pluripotent_derived", "allogeneic", False, "FOREIGN_PLURIPOTENT", "expected"),
        ("pluripotent_derived", "xenogeneic", False, "FOREIGN_PLURIPOTENT", "expected"),
        ("pluripotent_derived", "autologous", False, "UNMODIFIED", "decide"),
        ("pluripotent_derived", "allogeneic", True, "MODIFIED", "owed"),
    ],
)
def test_class_origin_and_modification_decide(
    product_class: str, source: str, modified: bool, rule: str, study: str
) -> None:
    assert decide_risk_class(make_product(product_class, source, modified)) == rule
    assert risk_rules()[rule].study == study


def test_every_cell_product_has_a_rule_and_a_name_in_both_languages() -> None:
    for product_class in set(ProductClass) - {ProductClass.NOT_CELL}:
        for source in ("autologous", "allogeneic", "xenogeneic", "not_applicable"):
            for modified in (True, False):
                assert decide_risk_class(make_product(product_class, source, modified))
            assert all(product_words("sources", source).values())
        assert set(product_words("classes", product_class)) == {"en", "zh"}
    assert decide_risk_class(make_product("not_a_cell_product", "not_applicable", False)) == ""


def test_a_study_not_made_is_a_waiver_only_where_earlier_results_may_decide() -> None:
    assert decide_outcome("decide", 0) == "WAIVED"
    assert decide_outcome("expected", 0) == decide_outcome("owed", 0) == "LACKING"
    assert decide_outcome("owed", 1) == "STUDIED"


def draw(product: Product, adim: pd.DataFrame, lang: str, *assays: Assay, **texts: Any) -> Any:
    found = summarise_risk_class(product, assays, adim, ADSL)
    study = {"product": product.model_dump(mode="json")}
    return draw_risk_class(
        Context(
            Language(lang),
            AnalysisResults([found]),
            pd.DataFrame(),
            lambda name: pd.DataFrame(),
            {"study": study, "report": {"narratives": texts}},
        )
    )


def lines_of(table: Any) -> dict[str, str]:
    assert isinstance(table, Table)
    return {row.cells[0].text: row.cells[1].text for row in table.rows}


def test_a_waived_study_shows_the_justification_of_the_sponsor() -> None:
    product = make_product("mesenchymal", "allogeneic", False)
    text = {"en": "No HLA class II.", "zh": "不表达HLA-II。"}
    table = draw(product, make_status(), "en", immunogenicity_risk=text)
    assert table.subjects == 2
    lines = lines_of(table)
    assert lines["Outcome"] == "Waived"
    assert lines["Justification of the sponsor"] == "No HLA class II."
    assert lines["Rule"].endswith("(guideline lines 383-385)")
    chinese = lines_of(draw(product, make_status(), "zh", immunogenicity_risk=text))
    assert chinese["申办者说明"] == "不表达HLA-II。"
    assert "immunogenicity_risk" in lines_of(draw(product, make_status(), "zh"))["申办者说明"]
    made = lines_of(draw(product, make_status("DONOR HLA", "DONOR HLA"), "en"))
    assert made["Outcome"] == "Studied"
    assert made["Subjects with antibody samples / infused"] == "2 / 2"
    assert "Justification of the sponsor" not in made


def test_who_gave_a_sample_was_studied_even_without_a_status() -> None:
    status = make_status("CAR", "CAR").assign(EVALFL="N", NPOSTBL=[0, 0], ADABLFL=["Y", ""])
    found = AnalysisResults(
        [summarise_risk_class(make_product("car_t", "autologous", True), (), status, ADSL)]
    )
    studied = found.find("immunogenicity.risk_class", "RISKCLASS", stat="n_studied")
    assert studied is not None and studied.number == 1


def test_a_study_owed_and_not_made_is_no_evidence_for_a_clause() -> None:
    product = make_product("pluripotent_derived", "allogeneic", False)
    table = draw(product, make_status(), "en")
    assert lines_of(table)["Outcome"] == "Owed and not made"
    assert table.subjects == 0


def test_each_co_expressed_product_says_whether_an_assay_is_declared() -> None:
    product = make_product("car_t", "autologous", True, "tEGFR", "IL-15")
    words = {"en": "x", "zh": "x"}
    assay = Assay.model_validate(
        {"analyte": "EGFRT", "domain": "ADA", "test_codes": ["T"], "label": words,
         "platform": words, "matrix": words, "unit": "titer", "target": "T-EGFR"}
    )  # fmt: skip
    lines = lines_of(draw(product, make_status("CAR", "TEGFR"), "en", assay))
    assert lines["Co-expressed product tEGFR"] == "An assay is declared; 1 subjects with results"
    assert lines["Co-expressed product IL-15"].startswith("No assay is declared; 0")


def test_what_is_no_cell_product_has_no_class() -> None:
    product = make_product("not_a_cell_product", "not_applicable", False)
    assert draw(product, make_status(), "en") == NotShown("NOTCLASS")


def test_the_lines_named_hold_the_rule(shared_folder: Any) -> None:
    lines = (shared_folder / "guideline" / "guideline.txt").read_text(encoding="utf-8").splitlines()
    numbered = {line.split(" ", 1)[0]: line for line in lines if line[:3].isdigit()}
    words = {"IMMUNE": "免疫细胞", "MODIFIED": "修饰", "FOREIGN_PLURIPOTENT": "异体诱导多能",
             "XENOGENEIC": "异种", "MESENCHYMAL": "间充质", "UNMODIFIED": "未经"}  # fmt: skip
    assert set(words) == set(risk_rules())
    for code, rule in risk_rules().items():
        first, last = rule.lines.split("-")
        quoted = "".join(numbered[str(k)] for k in range(int(first), int(last) + 1))
        assert words[code] in quoted
        assert "研究" in quoted or code == "IMMUNE" or "评估" in quoted


def test_the_clause_has_the_table_as_its_evidence() -> None:
    path = shared_path("resources", "guideline", "cde-draft-2024-06", "clauses.yaml")
    clauses = {item["id"]: item for item in yaml.safe_load(path.read_text("utf-8"))["clauses"]}
    assert clauses["S7.1-2"]["evidence"] == ["T77"]
    assert "T77" in clauses["S7.2-1"]["evidence"]


@pytest.mark.parametrize(
    ("config", "status"),
    [
        (("config.yaml",), "not_applicable"),
        (("studies", "nkx_201.yaml"), "not_applicable"),
        (("studies", "msx_301.yaml"), "addressed"),
    ],
)
def test_the_examples_answer_both_clauses(config: tuple[str, ...], status: str) -> None:
    study = yaml.safe_load(shared_path("config", *config).read_text("utf-8"))
    product = Product.model_validate(study["study"]["product"])
    results = summarise_risk_class(product, (), make_status("CAR", "CAR"), ADSL)
    assert set(results["analysis_id"]) == {"immunogenicity.risk_class"}
    path = shared_path("resources", "guideline", "cde-draft-2024-06", "clauses.yaml")
    asked = [
        item
        for item in yaml.safe_load(path.read_text("utf-8"))["clauses"]
        if item["id"] in ("S7.1-2", "S7.2-1")
    ]
    outputs = {name: Output(name, True, 12) for name in ("T06", "T77", "T78")}
    texts = study["report"]["narratives"]
    rows = derive_clause_matrix(asked, outputs, {}, product.product_class.value, texts, 3)
    assert [row.status for row in rows] == [status, "addressed"]

"""Risk class of immunogenicity, the study it asks for, and the assays of expressed products.

Analyses, for table 77 (clauses S7.1-2 and S7.2-1):

============== =========== ============ ====================================================
analysis       variable    by           statistics
============== =========== ============ ====================================================
risk_class     RISKCLASS   none         rule, risk, study, outcome (texts), n_infused,
                                        n_studied (subjects with an antibody status)
expressed      COEXPRESSED component    assay (Y, N: an assay is declared for it), n
                                        (subjects with an antibody status against it)
============== =========== ============ ====================================================

``outcome`` is STUDIED where any subject has a status, else WAIVED where the rule leaves the
decision to earlier results, else LACKING: a study that is owed was not made.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pandas as pd

from celldossier.results import ResultCollector
from celldossier.settings.bioanalysis import Assay
from celldossier.settings.study import Product
from celldossier.terms.immunogenicity_risk import risk_rules


def decide_risk_class(product: Product) -> str:
    """Code of the first rule that holds for a product, "" for what is no cell product.

    Source: guideline lines 370-388 (clause S7.1-2), ``resources/terms/immunogenicity_risk.yaml``.
    """
    described = (product.product_class.value, product.source, product.gene_modified)
    return next((code for code, rule in risk_rules().items() if rule.holds(*described)), "")


def decide_outcome(study: str, studied: int) -> str:
    """What became of the study: STUDIED, WAIVED or LACKING; see the head of the module."""
    if studied:
        return "STUDIED"
    return "WAIVED" if study == "decide" else "LACKING"


def summarise_risk_class(
    product: Product, assays: Sequence[Assay], adim: pd.DataFrame, adsl: pd.DataFrame
) -> pd.DataFrame:
    """Risk class, study owed and assays of the co-expressed products, as analysis results."""
    out = ResultCollector("immunogenicity")
    code = decide_risk_class(product)
    if not code:
        return out.frame()
    rule = risk_rules()[code]
    # One who was not evaluable was studied none the less: the status says why there is none.
    with_samples = adim[(adim["NPOSTBL"] > 0) | (adim["ADABLFL"] != "")]
    studied = int(with_samples["USUBJID"].nunique())
    infused = int((adsl["SAFFL"] == "Y").sum())
    out.add(
        "risk_class",
        {
            "rule": code,
            "risk": rule.risk,
            "study": rule.study,
            "outcome": decide_outcome(rule.study, studied),
            "n_infused": float(infused),
            "n_studied": float(studied),
        },
        dataset="ADIM",
        variable="RISKCLASS",
        n=float(infused),
        method=f"guideline lines {rule.lines}",
    )
    declared = {_plain(assay.target) for assay in assays if assay.domain == "ADA"}
    for name in product.co_expressed:
        own = with_samples["ISBDAGNT"].map(_plain) == _plain(name)
        out.add(
            "expressed",
            {
                "assay": "Y" if _plain(name) in declared else "N",
                "n": float(with_samples.loc[own, "USUBJID"].nunique()),
            },
            dataset="ADIM",
            variable="COEXPRESSED",
            by={"component": name},
            n=float(infused),
        )
    return out.frame()


def _plain(name: str) -> str:
    """A name without case, width and separators: EGFRt and egfr-T are one."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in text if letter.isalnum())

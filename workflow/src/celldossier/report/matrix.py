"""Clause matrix of a run: conditions from its data, wording of the reasons from the terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from celldossier.report.clauses import ClauseStatus, Output, derive_clause_matrix
from celldossier.settings.study import Product
from celldossier.terms.language import Language

BLOCKS = ("MATRIX", "SUMMARY")
"""Parts of the report, beside the declared outputs, that may be evidence."""


def derive_conditions(
    settings: Mapping[str, Any], adsl: pd.DataFrame, adex: pd.DataFrame
) -> dict[str, bool]:
    """Outcome of each named condition of the clauses, from the sections of the config and the data.

    Conditions that this version of the config cannot declare do not hold.
    """
    product = Product.model_validate(settings["study"]["product"])
    return {
        "gene_modified": product.gene_modified,
        "repeat_dosing": bool((adex["DOSETYPE"] == "REPEAT").any()),
        "minors": bool((adsl.loc[adsl["SAFFL"] == "Y", "AGE"] < 18).any()),
        "first_of_kind": product.first_of_kind,
        "no_specific_marker": bool(settings["cellular_kinetics"]["no_specific_marker"]),
        "dose_escalation": settings["dose_exploration"]["escalation"]["design"] is not None,
        "manufacturing_change": bool(settings["comparability"]["by"]),
        "mechanistic_data": False,
    }


def collect_outputs(tlfs: Sequence[Mapping[str, Any]], infused: int) -> dict[str, Output]:
    """Every output that may be evidence, by its id."""
    outputs = {
        tlf["id"]: Output(tlf["id"], tlf["status"] == "shown", tlf["subjects"], tlf["reason_code"])
        for tlf in tlfs
    }
    return outputs | {block: Output(block, True, infused) for block in BLOCKS}


def derive_matrix(
    clauses: Sequence[Mapping[str, Any]],
    tlfs: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
) -> list[ClauseStatus]:
    """Status of each clause for a run; see `derive_clause_matrix`."""
    product = Product.model_validate(settings["study"]["product"])
    return derive_clause_matrix(
        clauses,
        collect_outputs(tlfs, int((adsl["SAFFL"] == "Y").sum())),
        derive_conditions(settings, adsl, adex),
        product.product_class.value,
        settings["report"]["narratives"],
        settings["report"]["minimum_subjects"],
    )


def word_reason(row: ClauseStatus, guideline: Mapping[str, Any], language: Language) -> str:
    """The reason of a status as a sentence, "" where the evidence speaks for itself.

    Parameters
    ----------
    guideline
        The content of clauses.yaml: its conditions and statements.
    """
    if row.reason_kind == "condition":
        reason = language.label(guideline["conditions"][row.reason])
        return language.text("clause.not_applicable", reason=reason)
    if row.reason_kind == "owed":
        return language.text("clause.not_provided", keys=row.reason)
    if row.reason_kind == "code":
        return language.text("clause.not_available", reason=language.reason(row.reason))
    if row.reason_kind == "statement":
        return language.label(guideline["statements"][row.reason]).strip()
    return ""

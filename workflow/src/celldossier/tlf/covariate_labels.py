"""Words for covariates: names, groups, levels and contrasts, as tables and figures print them."""

from __future__ import annotations

from celldossier.datasets import read_specification
from celldossier.terms.covariates import covariate_groups, covariate_level, known_candidates
from celldossier.terms.language import Language
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.figures_axes import short_number
from celldossier.tlf.labels import unit_label, with_unit
from celldossier.tlf.model import Context

CONTINUOUS_LEVEL = "P90_VS_P10"
"""Level of a continuous covariate in the analysis results."""


def covariate_name(language: Language, covariate: str, unit: bool = True) -> str:
    """Label of a variable of ADER with its unit; its name where it is not in ADER."""
    variables = read_specification("ADER").variables
    if covariate not in variables:
        return covariate
    variable = variables[covariate]
    name = language.label({"en": variable.en, "zh": variable.zh})
    return with_unit(name, unit_label(language, variable.unit)) if unit else name


def group_label(language: Language, group: str) -> str:
    """Name of a group of covariates."""
    return language.text(f"level.covariate_group.{group}")


def order_covariates(context: Context, found: set[str]) -> list[tuple[str, list[str]]]:
    """Groups with those of their covariates that were found, in the order of the terms."""
    known = known_candidates()
    grouped = [
        (group, [name for name, item in known.items() if item.group == group and name in found])
        for group in covariate_groups()
    ]
    return [(group, names) for group, names in grouped if names]


def contrast_label(
    language: Language, printer: Printer, place: Place, covariate: str, level: str
) -> tuple[str, tuple[str, ...]]:
    """The contrast of a term: level against reference, or 90th against 10th percentile.

    Returns
    -------
    tuple
        Text, and the identifiers of the values printed in it.
    """
    name = covariate_name(language, covariate)
    if level == CONTINUOUS_LEVEL and printer.exists(place, "x_low"):
        low, high = printer.value(place, "x_low"), printer.value(place, "x_high")
        text = language.text(
            "figure.forest.continuous",
            name=name,
            low=short_number(low.number),
            high=short_number(high.number),
        )
        return text, (low.value_id, high.value_id)
    if not printer.exists(place, "reference"):
        return name, ()
    reference = printer.value(place, "reference")
    if reference.text == level:
        return name, (reference.value_id,)
    text = language.text(
        "figure.forest.continuous",
        name=name,
        low=covariate_level(language, covariate, reference.text),
        high=covariate_level(language, covariate, level),
    )
    return text, (reference.value_id,)

"""Words beside the numbers: names of parameters, analytes, groups and levels, and their order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from celldossier.datasets import read_specification
from celldossier.io.resources import read_resource
from celldossier.terms.endpoints import known_endpoints
from celldossier.terms.exposure_metrics import metric_label as metric_label
from celldossier.terms.language import Language, print_unit
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import find_parameter
from celldossier.tlf.model import Context

_PARTIAL_AREA = re.compile(r"^AUC[0-9]+(P[0-9]+)?(?=$|PE$|XE$|AB$|BB$)")


def general_code(code: str) -> str:
    """Code of the registry for a parameter code: ``AUC#`` for every partial area.

    >>> general_code("AUC28"), general_code("AUC28PE"), general_code("AUCLST")
    ('AUC#', 'AUC#PE', 'AUCLST')
    """
    return _PARTIAL_AREA.sub("AUC#", code)


def parameter_symbol(code: str) -> str:
    """Symbol of an NCA parameter, as in formulas: AUC0-28d.

    >>> parameter_symbol("AUC28"), parameter_symbol("CMAX")
    ('AUC0-28d', 'Cmax')
    """
    return find_parameter(code).symbol


def parameter_label(code: str, language: Language) -> str:
    """Symbol of an NCA parameter for a table: words in it are those of the language."""
    term = f"symbol.{general_code(code)}"
    if not language.has(term):
        return parameter_symbol(code)
    partial = _PARTIAL_AREA.match(code)
    return language.text(term, area=parameter_symbol(partial[0]) if partial else "")


def parameter_name(code: str, language: Language) -> str:
    """Full name of an NCA parameter in the language."""
    parameter = find_parameter(code, language.text("unit.d"))
    return language.label({"en": parameter.en, "zh": parameter.zh})


def endpoint_label(context: Context, code: str) -> str:
    """Name of an endpoint of ``resources/terms/endpoints.yaml`` or of the study's own."""
    return context.language.label(known_endpoints(context.settings["exposure_response"])[code])


def is_median_only(code: str) -> bool:
    """Whether the parameter is summarised by median (min, max) only, such as TMAX."""
    return find_parameter(code).summary == "median"


def with_unit(label: str, unit: str) -> str:
    """A label with its unit in parentheses; only the label of a quantity without dimension."""
    return f"{label} ({print_unit(unit)})" if unit not in ("", "1") else label


def unit_label(language: Language, unit: str) -> str:
    """A unit in the words of the language, where the catalogue has them: years, titre."""
    term = f"unit.{unit}"
    return language.text(term) if language.has(term) else unit


def equal_to(text: str) -> str:
    """A printed number behind its symbol; one that is only bounded keeps its own sign.

    >>> equal_to("0.030"), equal_to("<0.001")
    ('= 0.030', '<0.001')
    """
    return text if text.startswith("<") else f"= {text}"


def percent(share: float) -> str:
    """A share of the settings in percent, such as a confidence level.

    >>> percent(0.95), percent(0.975)
    ('95', '97.5')
    """
    return f"{100 * float(share):g}"


def level_label(language: Language, key: str, level: str) -> str:
    """Words for a level of a grouping variable; a level without a term is the study's own text."""
    if level == "MISSING":
        return language.text("label.missing")
    term = f"level.{key.lower()}.{level}"
    return language.text(term) if language.has(term) else level


def reason_label(language: Language, reason: str) -> str:
    """Words of a reason code; a reason that is no code of ours is the study's own text."""
    if reason in read_resource("terms", "reason_codes.yaml"):
        return language.reason(reason)
    return level_label(language, "reason", reason)


def variable_label(language: Language, dataset: str, variable: str) -> str:
    """Label of a variable after the dataset's specification, or its term if it is not in it."""
    declared = read_specification(dataset).variables.get(variable)
    if declared is None:
        return language.text(f"variable.{variable}")
    return language.label({"en": declared.en, "zh": declared.zh})


def order_levels(dataset: str, variable: str, levels: Iterable[str]) -> list[str]:
    """Levels in the order of the variable's codelist, others in natural order, missing last."""
    codelist = read_specification(dataset).variables[variable].codelist
    found = set(levels)
    known = [level for level in codelist if level in found]
    missing = [level for level in ("MISSING",) if level in found]
    return known + natural_order(found - {*known, *missing}) + missing


def assays(context: Context, *domains: str) -> list[dict[str, Any]]:
    """Declared assays of the domains CK, PD, ADA, in the order of the config."""
    return [a for a in context.settings["bioanalysis"]["assays"] if a["domain"] in domains]


def analyte_label(context: Context, code: str) -> str:
    """Name of an analyte in the language; its code where the config does not declare it."""
    for assay in context.settings["bioanalysis"]["assays"]:
        if assay["analyte"] == code:
            return context.language.label(assay["label"])
    return code


def target_label(context: Context, target: str) -> str:
    """Name of the target of an antibody, as the study writes it."""
    return analyte_label(context, target) if target else context.language.text("label.no_target")


def analytes_in(context: Context, analysis: str) -> list[str]:
    """Analytes of an analysis: the declared ones in the config's order, then any others."""
    rows = context.results.select(analysis)
    found = set(rows["analyte"]) - {""}
    declared = [assay["analyte"] for assay in context.settings["bioanalysis"]["assays"]]
    ordered = [code for code in declared if code in found]
    return ordered + sorted(found - set(ordered))

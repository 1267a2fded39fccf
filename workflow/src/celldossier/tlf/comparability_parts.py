"""What the tables and figures of comparability have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer
from celldossier.tlf.labels import analyte_label, metric_label, percent, variable_label
from celldossier.tlf.model import Cell, Context

CHANGE = Place("comparability.change")
COUNT = "comparability.group_count"
GATE = "comparability.assay_gate"
RATIO = "comparability.ratio"
APPROACHES = ("ASIS", "BRIDGED", "HIGHLLOQ")


def nothing_compared(printer: Printer) -> str:
    """Reason code why nothing was compared, blank where something was."""
    if not printer.exists(CHANGE, "reference"):
        return "NOCHANGE"
    return printer.value(CHANGE, "reference").note_code


def list_groups(context: Context, printer: Printer) -> list[str]:
    """Groups of the comparison, that before the change first."""
    reference = printer.value(CHANGE, "reference").text
    found = context.results.levels(COUNT, "group")
    return [reference, *(name for name in natural_order(found) if name != reference)]


def list_analytes(context: Context) -> list[str]:
    """Analytes compared, in the order of the settings."""
    named = context.settings["comparability"]["analytes"]
    return list(named) or [context.settings["cellular_kinetics"]["primary_analyte"]]


def list_approaches(context: Context, analyte: str) -> list[str]:
    """Approaches that an analyte was compared by; as measured first."""
    rows = context.results.select("comparability.exposure")
    found = set(rows.loc[rows["analyte"] == analyte, "level1"])
    return [name for name in APPROACHES if name in found]


def group_name(language: Language, group: str, by: str) -> str:
    """A group in words: before and after the change, or as the study names it."""
    term = f"change.group.{group}"
    if by in ("DATE", "LOTS") and language.has(term):
        return language.text(term)
    return group


def comparison_name(context: Context, group: str, reference: str) -> str:
    """The two groups of a contrast: B / A."""
    by = context.settings["comparability"]["by"]
    names = [group_name(context.language, name, by) for name in (group, reference)]
    return " / ".join(names)


def parameter_heading(context: Context, parameter: str, analyte: str) -> str:
    """Parameter and analyte in words: Cmax, CAR transgene."""
    return context.language.text(
        "change.parameter",
        parameter=metric_label(context.language, parameter),
        analyte=analyte_label(context, analyte),
    )


def levels(context: Context) -> dict[str, str]:
    """Confidence levels of the settings in percent, for heads and cells."""
    rules = context.settings["comparability"]
    return {
        "level": percent(rules["equivalence_level"]),
        "risk_level": percent(rules["confidence_level"]),
    }


def verdict_cell(context: Context, printer: Printer, place: Place) -> Cell:
    """The verdict in words, or why there is none; never a statement of comparability."""
    value = printer.value(place, "verdict")
    language = context.language
    if value.note_code:
        return Cell(language.reason(value.note_code), (value.value_id,))
    text = language.text(f"change.verdict.{value.text}", **levels(context))
    return Cell(text, (value.value_id,))


def shown_or_blank(printer: Printer, place: Place, stat: str, form: str) -> Cell:
    """A statistic of a verdict; an en dash where there is no verdict, which says why itself."""
    if not printer.exists(place, stat) or printer.value(place, stat).note_code:
        return printer.blank()
    return printer.cell(place, "{}", (stat, form))


def margin_notes(context: Context) -> list[str]:
    """The sponsor's reason for each margin of the kinetics, below the verdicts that it gives."""
    language = context.language
    notes = []
    for margin in context.settings["comparability"]["margins"]:
        analytes = [margin["analyte"]] if margin["analyte"] else list_analytes(context)
        names = [parameter_heading(context, margin["parameter"], code) for code in analytes]
        name = language.text("label.sentence_separator").join(names)
        notes.append(_justification(language, name, margin))
    return notes


def adjustment_notes(context: Context) -> list[str]:
    """What the adjusted ratios hold equal, what they could not, and the subjects this cost."""
    language, rules = context.language, context.settings["comparability"]
    rows = context.results.select(RATIO)
    held = rows.loc[(rows["stat_name"] == "covariates") & (rows["value_text"] != "")]
    separator = language.text("label.sentence_separator")
    notes = []
    for used in dict.fromkeys(held["value_text"]):
        names = used.split(", ")
        unused = [name for name in rules["adjust_for"] if name not in names]
        parts = {
            key: separator.join(covariate_name(language, name) for name in own)
            for key, own in (("used", names), ("unused", unused))
        }
        notes.append(language.text("change.adjusted_for", used=parts["used"]))
        if unused:
            notes.append(language.text("change.not_adjusted_for", unused=parts["unused"]))
    lost = rows.loc[(rows["stat_name"] == "n_lost") & (rows["value"] > 0), "value"]
    if len(lost):
        notes.append(language.text("change.lost", most=f"{lost.max():g}"))
    return list(dict.fromkeys(notes))


def covariate_name(language: Language, name: str) -> str:
    """A covariate in words; the dose is of ADEX, the others are of ADSL."""
    return variable_label(language, "ADEX" if name == "DOSEA" else "ADSL", name)


def attribute_margin_notes(context: Context) -> list[str]:
    """The sponsor's reason for each margin of a quality attribute."""
    language = context.language
    return [
        _justification(language, variable_label(language, "ADPQ", margin["attribute"]), margin)
        for margin in context.settings["comparability"]["attribute_margins"]
    ]


def _justification(language: Language, name: str, margin: Mapping[str, Any]) -> str:
    return language.text(
        "change.justification",
        name=name,
        lower=f"{margin['lower']:g}",
        upper=f"{margin['upper']:g}",
        reason=language.label(margin["justification"]),
    )


def margin_cell(printer: Printer, place: Place) -> Cell:
    """Lower and upper limit of the margin; an en dash where none was set."""
    if printer.value(place, "margin_lower").note_code:
        return printer.blank()
    return printer.cell(
        place, "{}–{}", ("margin_lower", "significant"), ("margin_upper", "significant")
    )

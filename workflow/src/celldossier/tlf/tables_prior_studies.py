"""Earlier studies beside the registration study (table 1a)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celldossier.settings.prior_studies import FACTS
from celldossier.terms.language import print_unit
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import endpoint_label, parameter_label, unit_label, with_unit
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PRIOR = "dose_exploration.prior_study"
OUTCOMES = ("CRSGE1", "CRSGE3", "ICANSGE1", "ICANSGE3", "OBJRESP")
FROM_TRIAL = {
    "design": "design", "disease": "population", "lymphodepletion": "lymphodepletion",
    "dose_levels": "dose_levels",
}  # fmt: skip
"""Facts that the table of the clinical studies gives where the part has none of its own."""


def draw_prior_studies(context: Context) -> Table | NotShown:
    """One column a study: what differs between them, then the values of each by itself."""
    language = context.language
    rules = context.settings["dose_exploration"]["prior_studies"]
    trials = {trial["id"]: trial for trial in context.settings["study"]["trials"]}
    quoted = {study["id"]: study for study in rules["studies"]}
    computed = [name for name in context.results.levels(PRIOR, "study") if name not in quoted]
    if not computed:
        return NotShown("NODATA")
    early = [name for name in computed if trials.get(name, {}).get("investigator_initiated")]
    order = [*quoted, *early, *(name for name in computed if name not in early)]
    printer = Printer(context.results, language)
    rows = [heading(language.text("prior.facts"))]
    for fact in FACTS:
        texts = [_fact(context, fact, name, quoted, trials) for name in order]
        if any(texts):
            missing = language.text("label.not_provided")
            cells = [Cell(text or missing) for text in texts]
            rows.append(Row((Cell(language.text(f"prior.fact.{fact}")), *cells), indent=1))
    rows.append(heading(language.text("prior.values")))
    rows.extend(_value_rows(context, printer, order, rules["exposures"]))
    columns = [Column(language.text("column.prior_quantity"), align="left", width="20%")]
    for name in order:
        kind = (
            f"quoted.{quoted[name]['kind']}"
            if name in quoted
            else "computed.investigator_initiated"
            if name in early
            else "computed.registration"
        )
        label = language.label(quoted[name]["label"]) if name in quoted else name
        columns.append(Column(label, group=language.text(f"prior.kind.{kind}"), align="left"))
    notes = [
        language.text(
            "footnote.prior_source",
            study=language.label(study["label"]),
            source=language.label(study["source"]),
        )
        for study in quoted.values()
    ]
    if not quoted and not early:
        notes.insert(0, language.text("footnote.prior_none"))
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes))


def _fact(
    context: Context,
    fact: str,
    name: str,
    quoted: Mapping[str, Any],
    trials: Mapping[str, Any],
) -> str:
    """The text of the settings, or that of the table of clinical studies; blank without either."""
    own = context.settings["dose_exploration"]["prior_studies"]["own_facts"]
    given = quoted[name]["facts"] if name in quoted else own.get(name, {})
    text = given.get(fact)
    if text is None and name in trials and fact in FROM_TRIAL:
        text = trials[name][FROM_TRIAL[fact]]
    return "" if text is None else context.language.label(text)


def _value_rows(
    context: Context, printer: Printer, order: list[str], exposures: list[str]
) -> list[Row]:
    language = context.language
    places = [Place(PRIOR, "DOSE", by={"study": name}) for name in order]
    infused = [printer.cell(place, "{}", ("n_infused", "count")) for place in places]
    range_forms = (("low", "significant"), ("high", "significant"))
    doses = [printer.cell(place, "{} – {}", *range_forms) for place in places]
    dose_label = with_unit(language.text("prior.dose"), unit_label(language, "10^6 cells"))
    rows = [
        Row((Cell(language.text("prior.infused")), *infused), indent=1),
        Row((Cell(dose_label), *doses), indent=1),
    ]
    for parameter in exposures:
        cells = []
        for name in order:
            place = Place(PRIOR, parameter, by={"study": name})
            unit = print_unit(unit_label(language, printer.value(place, "geomean").unit))
            known = printer.value(place, "n").number > 0
            forms = (("geomean", "significant"), *([("n", "count")] if known else []))
            cell = printer.cell(place, "{} " + unit + (" [{}]" if known else ""), *forms)
            cells.append(cell)
        label = language.text("prior.exposure", parameter=parameter_label(parameter, language))
        rows.append(Row((Cell(label), *cells), indent=1))
    for outcome in OUTCOMES:
        forms = (
            ("n", "count"), ("n_evaluable", "count"), ("pct", "fixed1"), ("ci_low", "fixed1"),
            ("ci_high", "fixed1"),
        )  # fmt: skip
        cells = [
            printer.cell(Place(PRIOR, outcome, by={"study": name}), "{}/{}, {} ({}, {})", *forms)
            for name in order
        ]
        rows.append(Row((Cell(endpoint_label(context, outcome)), *cells), indent=1))
    return rows

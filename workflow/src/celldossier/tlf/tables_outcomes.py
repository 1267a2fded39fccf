"""Observed outcomes: best response (table 52a), time to event (tables 34a, 40a and 58a)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.terms.language import Language, print_unit
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading, interval
from celldossier.tlf.labels import analyte_label, level_label, reason_label, unit_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

SUBJECTS = "study_data.response_subjects"
CATEGORIES = "study_data.best_response"
RATES = "study_data.response_rate"
TIMES = "study_data.time_to_event"
OWN = "OWN"
"""Vocabulary of a study's own, whose categories have no wording but their names."""

Groups = Sequence[dict[str, str]]


def draw_best_response(context: Context) -> Table | NotShown:
    """Best response and response rates of each indication, by dose level and in total."""
    language = context.language
    printer = Printer(context.results, language)
    total = Place(SUBJECTS, "BOR")
    if not printer.exists(total) or not printer.value(total, "n").number > 0:
        return NotShown("NOTCOLL")
    doses = natural_order(context.results.levels(SUBJECTS, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    indications = natural_order(context.results.levels(SUBJECTS, "indication"))
    rows: list[Row] = []
    for indication in indications:
        within = [{**by, "indication": indication} for by in groups]
        name = level_label(language, "indication", indication)
        rows.append(heading(name))
        rows.extend(_subject_rows(language, printer, within))
        rows.extend(_category_rows(context, printer, indication, within))
        rows.extend(_rate_rows(context, printer, within))
    if len(indications) > 1:
        # Criteria may differ between indications: over all of them only rates are given.
        rows.append(heading(language.text("response.all_indications")))
        rows.extend(_subject_rows(language, printer, groups))
        rows.extend(_rate_rows(context, printer, groups))
    columns = [Column(language.text("column.best_response"), align="left", width="34%")]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    columns.append(Column(language.text("label.total")))
    return Table(tuple(columns), tuple(rows), int(printer.value(total, "n").number))


def draw_time_to_event(context: Context) -> Table | NotShown:
    """Events, censoring and Kaplan-Meier estimates of the endpoints that apply to the study.

    Options: ``endpoints``, parameter codes of ADTTE in the order of the table.
    """
    language = context.language
    printer = Printer(context.results, language)
    named = context.options.get("endpoints")
    known = set(context.results.select(TIMES)["variable"])
    endpoints = [e for e in (named if isinstance(named, list) else []) if e in known]
    if not endpoints:
        return NotShown("NOTAPPL")
    if not any(printer.value(Place(TIMES, e), "n").number >= 0 for e in endpoints):
        return NotShown("NOTCOLL")
    indications = natural_order(context.results.levels(TIMES, "indication"))
    groups: list[dict[str, str]] = [*({"indication": name} for name in indications), {}]
    rows: list[Row] = []
    for endpoint in endpoints:
        term = read_resource("terms", "efficacy_parameters.yaml")["endpoints"][endpoint]
        rows.append(heading(language.label(term)))
        rows.extend(_endpoint_rows(context, printer, endpoint, groups))
    columns = [Column(language.text("column.endpoint"), align="left", width="46%")]
    columns += [
        Column(level_label(language, "indication", name), group=language.text("column.indication"))
        for name in indications
    ]
    columns.append(Column(language.text("label.total")))
    footnotes = tuple(_describe_recoveries(context, endpoints))
    return Table(tuple(columns), tuple(rows), printer.subjects, footnotes)


def _describe_recoveries(context: Context, endpoints: Sequence[str]) -> list[str]:
    """The criterion of each recovery that the table shows."""
    language = context.language
    terms = read_resource("terms", "efficacy_parameters.yaml")["endpoints"]
    rules = context.settings["study_data"]["efficacy"]["time_to_event"]["recoveries"]
    return [
        language.text(
            "footnote.tte_recovery",
            endpoint=language.label(terms[code]),
            analyte=analyte_label(context, rules[code]["analyte"]),
            at_least=f"{rules[code]['at_least']:g}",
            unit=print_unit(rules[code]["unit"]),
            consecutive=rules[code]["consecutive"],
        )
        for code in endpoints
        if code in rules
    ]


def _row(label: str, cells: Sequence[Cell], indent: int = 0) -> Row:
    return Row((Cell(label), *cells), indent=indent)


def _subject_rows(language: Language, printer: Printer, groups: Groups) -> list[Row]:
    places = [Place(SUBJECTS, "BOR", "", by) for by in groups]
    return [
        _row(
            language.text(f"response.{stat}"),
            [printer.cell(place, "{}", (stat, "count")) for place in places],
        )
        for stat in ("n", "n_evaluable")
    ]


def _category_rows(
    context: Context, printer: Printer, indication: str, groups: Groups
) -> list[Row]:
    """Categories of the criteria, best first, then who has no best response and why."""
    language = context.language
    rows = []
    criteria = read_resource("terms", "response_criteria.yaml")
    share = (("n", "count"), ("pct", "fixed1"))
    for vocabulary in sorted(set(_within(context, CATEGORIES, indication=indication)["variable"])):
        names = criteria.get(vocabulary)
        label = language.label(names) if names else language.text("response.own")
        blanks = [Cell("")] * len(groups)
        rows.append(_row(language.text("response.criteria", criteria=label), blanks))
        if names:
            categories = list(names["categories"])
        else:
            efficacy = context.settings["study_data"]["efficacy"]
            own = [*efficacy["response_order"], *efficacy["unknown_response_categories"]]
            categories = list(dict.fromkeys(own))
        for category in categories:
            text = category
            if names:
                meaning = language.label(names["categories"][category])
                text = language.text("response.category", category=category, meaning=meaning)
            places = [
                Place(CATEGORIES, vocabulary, "", {**by, "category": category}) for by in groups
            ]
            rows.append(_row(text, [printer.cell(p, "{} ({})", *share) for p in places], 1))
    unknown = _within(context, f"{CATEGORIES}_unknown", indication=indication)
    for reason in _levels(unknown, "reason"):
        places = [
            Place(f"{CATEGORIES}_unknown", "BOR", "", {**by, "reason": reason}) for by in groups
        ]
        cells = [printer.cell(place, "{} ({})", *share) for place in places]
        rows.append(_row(reason_label(language, reason), cells, 1))
    return rows


def _within(context: Context, analysis: str, **levels: str) -> pd.DataFrame:
    """Rows of an analysis at these levels of its groups."""
    rows = context.results.select(analysis)
    for key, level in levels.items():
        at = [(rows[f"group{i}"] == key) & (rows[f"level{i}"] == level) for i in (1, 2, 3)]
        rows = rows[at[0] | at[1] | at[2]]
    return rows


def _levels(rows: pd.DataFrame, key: str) -> list[str]:
    """Levels of a group in these rows."""
    own = [rows.loc[rows[f"group{i}"] == key, f"level{i}"] for i in (1, 2, 3)]
    return natural_order(set(pd.concat(own)))


def _rate_rows(context: Context, printer: Printer, groups: Groups) -> list[Row]:
    language = context.language
    stats = (("n", "count"), ("denominator", "count"), ("pct", "fixed1"))
    limits = (("ci_low", "fixed1"), ("ci_high", "fixed1"))
    whole = {key: level for key, level in groups[-1].items() if key == "indication"}
    found = _within(context, CATEGORIES, **whole)["variable"]
    kind = "own." if set(found) <= {OWN} else ""
    rows = []
    for parameter in ("ORR", "CORR", "CR"):
        for denominator in ("INFUSED", "EVALUABLE"):
            places = [
                Place(RATES, parameter, "", {**by, "denominator": denominator}) for by in groups
            ]
            if not printer.exists(places[-1]):
                continue
            cells = [printer.cell(p, "{}/{} ({}) [{}, {}]", *stats, *limits) for p in places]
            rows.append(_row(language.text(f"response.{kind}{parameter}.{denominator}"), cells))
    return rows


def _endpoint_rows(context: Context, printer: Printer, endpoint: str, groups: Groups) -> list[Row]:
    language = context.language
    places = [Place(TIMES, endpoint, "", by) for by in groups]
    subjects = [printer.cell(place, "{}", ("n", "count")) for place in places]
    rows = [_row(language.text("tte.n"), subjects)]
    if printer.value(places[-1], "n").note_code:
        return rows
    share = (("n", "count"), ("pct", "fixed1"))
    terms = read_resource("terms", "efficacy_parameters.yaml")
    events = terms["events"]

    def coded(analysis: str, key: str, *stats: tuple[str, str]) -> list[Row]:
        added = []
        found = set(_levels_of(context, f"{TIMES}_{analysis}", key, endpoint))
        known = [code for code in [*events, *terms["censoring"]] if code in found]
        for code in [*known, *sorted(found - set(known))]:
            label = language.label(events[code]) if key == "event" else reason_label(language, code)
            if analysis != "events":
                label = language.text(f"tte.{analysis}_of", reason=label)
            own = [p.of(f"{TIMES}_{analysis}").within(**{key: code}) for p in places]
            pattern = "{} ({})" if len(stats) > 1 else "{}"
            added.append(_row(label, [printer.cell(p, pattern, *stats) for p in own], 1))
        return added

    rows.extend(coded("missing", "reason", ("n", "count")))
    for name in ("events", "censored"):
        stats = ((f"n_{name}", "count"), (f"pct_{name}", "fixed1"))
        cells = [printer.cell(place, "{} ({})", *stats) for place in places]
        rows.append(_row(language.text(f"tte.{name}"), cells))
        rows.extend(coded(name, "event" if name == "events" else "reason", *share))
    if _competes(endpoint):
        rows.extend(coded("competing", "event", *share))
    return [*rows, *_estimate_rows(context, printer, endpoint, places)]


def _competes(endpoint: str) -> bool:
    terms = read_resource("terms", "efficacy_parameters.yaml")["endpoints"]
    return bool(terms[endpoint].get("competing", False))


def _levels_of(context: Context, analysis: str, key: str, endpoint: str) -> list[str]:
    rows = context.results.select(analysis)
    return _levels(rows[rows["variable"] == endpoint], key)


def _estimate_rows(
    context: Context, printer: Printer, endpoint: str, places: Sequence[Place]
) -> list[Row]:
    language = context.language
    medians = [place.of(f"{TIMES}_median") for place in places]
    unit = unit_label(language, printer.value(medians[-1], "median").unit)

    def spread(name: str, key: str) -> list[Row]:
        limits = ((f"{name}_low", "fixed1"), (f"{name}_high", "fixed1"))
        return [
            _row(
                language.text(f"tte.{key}", unit=unit),
                [printer.cell(place, "{}", (name, "fixed1")) for place in medians],
            ),
            _row(
                language.text("tte.interval"),
                [printer.cell(place, "({}, {})", *limits) for place in medians],
                1,
            ),
        ]

    rows = spread("median", "median")
    landmark = f"{TIMES}_landmark"
    for time in _levels_of(context, landmark, "time", endpoint):
        at = [place.of(landmark).within(time=time) for place in places]
        values = {"time": time, "unit": unit}
        stats = (*interval("survival", "fixed1"), ("n_at_risk", "count"))
        rows.append(
            _row(
                language.text("tte.survival", **values),
                [printer.cell(place, "{} ({}, {}) [{}]", *stats) for place in at],
            )
        )
        if printer.exists(at[-1], "incidence"):
            rows.append(
                _row(
                    language.text("tte.incidence", **values),
                    [printer.interval(p, "incidence", "fixed1") for p in at],
                )
            )
    return rows if _competes(endpoint) else [*rows, *spread("followup", "followup")]

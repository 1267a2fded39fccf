"""Table of the duration of quantifiability (34), by indication, dose level or response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celldossier.io.resources import read_resource
from celldossier.terms.order import natural_order
from celldossier.terms.study_terms import RESPONSE_GROUPS, UNKNOWN
from celldossier.tlf.cells import Place, Printer, heading, interval
from celldossier.tlf.labels import level_label, reason_label, unit_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

COUNTS = "cellular_kinetics.persistence"
MAIN = "PERSIST"
SENSITIVITY = ("PERSIGN", "PERSLOS")
RESPONSES = (*RESPONSE_GROUPS.values(), UNKNOWN)
_UNKNOWN = ("died", "stopped", "notfollowed", "relapsed", "missed")
"""States that are not evaluable, in the order in which they are asked for (`classify_landmark`)."""


def persistence_analyte(context: Context) -> str:
    """Analyte whose duration was estimated; blank where there is none."""
    return next(iter(context.results.analytes(COUNTS)), "")


def landmarks(context: Context) -> list[dict[str, Any]]:
    """Landmarks of the settings, with a text each."""
    declared = context.settings["cellular_kinetics"]["persistence"]["landmarks"]
    return [
        {
            **landmark,
            "text": context.language.text(
                "persistence.at",
                label=landmark["label"],
                day=f"{landmark['day']:g}",
                window=f"{landmark['window']:g}",
            ),
        }
        for landmark in declared
    ]


def draw_persistence(context: Context) -> Table | NotShown:
    """Quantifiable subjects at landmarks, and the time to the loss, a column a group.

    Options: ``by`` (indication, dose or response), ``full`` (with bounds, competing events and
    sensitivity analyses).
    """
    language = context.language
    printer = Printer(context.results, language)
    analyte = persistence_analyte(context)
    if not analyte:
        return NotShown("NOTAPPL")
    by = str(context.options.get("by", "indication"))
    levels = natural_order(context.results.levels(COUNTS, by))
    if by == "response":
        levels = [level for level in RESPONSES if level in levels]
    if not levels and by != "indication":
        return NotShown("NOTCOLL")
    groups: list[dict[str, str]] = [*({by: level} for level in levels), {}]
    places = [Place(COUNTS, MAIN, analyte, group) for group in groups]
    full = bool(context.options.get("full", True))
    rows = [
        *_subject_rows(context, printer, places),
        *_landmark_rows(context, printer, places),
        *_duration_rows(context, printer, places, full),
    ]
    if full:
        rows += _sensitivity_rows(context, printer, places)
    columns = [Column(language.text("column.statistic"), align="left", width="40%")]
    columns += [
        Column(level_label(language, by, level), group=language.text(f"persistence.column.{by}"))
        for level in levels
    ]
    columns.append(Column(language.text("label.total")))
    return Table(tuple(columns), tuple(rows), printer.subjects, (), (analyte,))


def _row(label: str, cells: Sequence[Cell], indent: int = 0) -> Row:
    return Row((Cell(label), *cells), indent=indent)


def _counted(printer: Printer, places: Sequence[Place], stat: str) -> list[Cell]:
    return [printer.cell(place, "{}", (stat, "count")) for place in places]


def _subject_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    rows = [_row(text("persistence.set"), _counted(printer, places, "n_set"))]
    for stat in ("n_never", "n_nosample"):
        if stat == "n_never" or printer.value(places[-1], stat).number > 0:
            rows.append(_row(text(f"persistence.{stat}"), _counted(printer, places, stat), 1))
    return [*rows, _row(text("persistence.n"), _counted(printer, places, "n"))]


def _landmark_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    rows = [heading(text("persistence.quantifiable"))]
    for landmark in landmarks(context):
        at = [p.of(f"{COUNTS}_landmark").within(landmark=landmark["label"]) for p in places]
        stats = (
            ("n_quantifiable", "count"),
            ("n_evaluable", "count"),
            *interval("pct", "fixed1"),
        )
        shares = [_share(printer, place, stats) for place in at]
        rows.append(_row(landmark["text"], shares))
        rows.append(_row(text("persistence.lost"), _counted(printer, at, "n_lost"), 1))
        unknown = tuple((f"n_{state}", "count") for state in _UNKNOWN)
        cells = [printer.cell(place, "{} / {} / {} / {} / {}", *unknown) for place in at]
        rows.append(_row(text("persistence.unknown"), cells, 1))
    return rows


def _share(printer: Printer, place: Place, stats: Sequence[tuple[str, str]]) -> Cell:
    """``5/8 (62.5) [24.5, 91.5]``; where nobody was sampled, why there is no share."""
    if printer.value(place, "pct").note_code:
        return printer.cell(place, "{}", ("pct", "fixed1"))
    return printer.cell(place, "{}/{} ({}) [{}, {}]", *stats)


def _duration_rows(
    context: Context, printer: Printer, places: Sequence[Place], full: bool
) -> list[Row]:
    text = context.language.text
    rows = [heading(text("persistence.duration"))]
    losses = (("n_loss", "count"), ("pct_loss", "fixed1"))
    rows.append(
        _row(text("persistence.loss"), [printer.cell(p, "{} ({})", *losses) for p in places])
    )
    if full:
        rows += _coded(context, printer, places, "ended", "event")
        rows += _coded(context, printer, places, "censored", "reason")
        if printer.value(places[-1], "n_either").number > 0:
            label = text("persistence.either")
            rows.append(_row(label, _counted(printer, places, "n_either"), 1))
    rows += _median_rows(context, printer, places)
    if full:
        medians = [place.of(f"{COUNTS}_median") for place in places]
        ends = _fixed(("turnbull_left", "turnbull_right", "both_low", "both_high"))
        cells = [printer.cell(place, "{}–{} ({}, {})", *ends) for place in medians]
        rows.append(_row(text("persistence.turnbull"), cells, 1))
    for landmark in landmarks(context):
        at = [p.of(f"{COUNTS}_survival").within(landmark=landmark["label"]) for p in places]
        stats = (*interval("km", "fixed1"), ("n_at_risk", "count"))
        label = text("persistence.survival", label=landmark["label"])
        rows.append(_row(label, [printer.cell(p, "{} ({}, {}) [{}]", *stats) for p in at]))
        if full:
            rows += _bound_rows(context, printer, at)
    return rows


def _bound_rows(context: Context, printer: Printer, at: Sequence[Place]) -> list[Row]:
    text = context.language.text
    turnbull = _fixed(("turnbull_low", "turnbull_high", "both_low", "both_high"))
    incidence = (*interval("early", "fixed1"), *interval("late", "fixed1"))
    return [
        _row(
            text("persistence.turnbull_at"),
            [printer.cell(p, "{}–{} ({}, {})", *turnbull) for p in at],
            1,
        ),
        _row(
            text("persistence.incidence_at"),
            [printer.cell(p, "{} ({}, {}) / {} ({}, {})", *incidence) for p in at],
            1,
        ),
    ]


def _median_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    medians = [place.of(f"{COUNTS}_median") for place in places]
    unit = unit_label(context.language, printer.value(medians[-1], "km").unit)
    label = context.language.text("persistence.median", unit=unit)
    return [_row(label, [printer.interval(p, "km", "fixed1") for p in medians])]


def _coded(
    context: Context, printer: Printer, places: Sequence[Place], analysis: str, key: str
) -> list[Row]:
    """Competing events or reasons of censoring, in the order of their vocabulary."""
    language = context.language
    terms = read_resource("terms", "efficacy_parameters.yaml")
    rows = context.results.select(f"{COUNTS}_{analysis}")
    rows = rows[rows["variable"] == places[-1].variable]
    found = {
        str(level)
        for i in (1, 2, 3)
        for level in rows.loc[rows[f"group{i}"] == key, f"level{i}"].unique()
    }
    order = [*terms["events"], *terms["censoring"]]
    known = [code for code in order if code in found]
    added = []
    for code in [*known, *sorted(found - set(known))]:
        own = [p.of(f"{COUNTS}_{analysis}").within(**{key: code}) for p in places]
        name = (
            language.label(terms["events"][code])
            if key == "event"
            else reason_label(language, code)
        )
        label = language.text(f"persistence.{analysis}", reason=name)
        stats = (("n", "count"), ("pct", "fixed1"))
        added.append(_row(label, [printer.cell(p, "{} ({})", *stats) for p in own], 1))
    return added


def _sensitivity_rows(context: Context, printer: Printer, places: Sequence[Place]) -> list[Row]:
    text = context.language.text
    rows: list[Row] = []
    for parameter in SENSITIVITY:
        own = [Place(COUNTS, parameter, place.analyte, place.by) for place in places]
        rows.append(heading(text(f"persistence.{parameter}")))
        losses = (("n_loss", "count"), ("pct_loss", "fixed1"))
        cells = [printer.cell(place, "{} ({})", *losses) for place in own]
        rows.append(_row(text("persistence.loss"), cells))
        rows += _median_rows(context, printer, own)
        for landmark in landmarks(context):
            at = [p.of(f"{COUNTS}_survival").within(landmark=landmark["label"]) for p in own]
            stats = (*interval("km", "fixed1"), ("n_at_risk", "count"))
            label = text("persistence.survival", label=landmark["label"])
            rows.append(_row(label, [printer.cell(p, "{} ({}, {}) [{}]", *stats) for p in at]))
    return rows


def _fixed(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "fixed1") for name in names)

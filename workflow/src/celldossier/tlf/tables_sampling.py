"""Sampling of the kinetics: plan and samples (table 7), adequacy (7a), each subject (listing 7)."""

from __future__ import annotations

import pandas as pd

from celldossier.terms.language import format_significant
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import (
    analyte_label,
    analytes_in,
    level_label,
    variable_label,
)
from celldossier.tlf.listings import EXCERPT_ROWS
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

TIME = "cellular_kinetics.sampling_time"
ADEQUACY = "cellular_kinetics.sampling_adequacy"
REASON = "cellular_kinetics.sampling_reason"
PEAK = "cellular_kinetics.sampling_peak"

CRITERIA = ("EARLY", "PEAK", "COUNT", "AREA", "TERMINAL", "STOP", "COLLECT", "WINDOW")

_COUNTS = (
    *("n_planned", "n_stopped", "n_missed", "n_extra", "n_collected", "n_analysed", "n_blq"),
    "n_inwindow",
)
_DEVIATIONS = ("median_deviation", "max_deviation")


def draw_sampling_times(context: Context) -> Table | NotShown:
    """Planned, collected and analysed samples and their deviations, by nominal time."""
    language = context.language
    analytes = analytes_in(context, TIME)
    if not analytes:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    rows: list[Row] = []
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        selected = context.results.select(TIME)
        days = natural_order(set(selected.loc[selected["analyte"] == analyte, "level1"]))
        for day in days:
            place = Place(TIME, "", analyte, {"visit": day})
            cells = [printer.cell(place, "{}", (stat, "count")) for stat in _COUNTS]
            cells += [printer.cell(place, "{}", (stat, "fixed2")) for stat in _DEVIATIONS]
            rows.append(Row((Cell(day), *cells)))
    columns = (
        Column(language.text("column.nominal_day"), align="left"),
        *(Column(language.text(f"sampling.{stat}")) for stat in (*_COUNTS, *_DEVIATIONS)),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=tuple(analytes))


def draw_sampling_adequacy(context: Context) -> Table | NotShown:
    """Criterion by criterion, how many subjects were sampled well enough, and why others not."""
    language = context.language
    analytes = analytes_in(context, ADEQUACY)
    if not analytes:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    doses = natural_order(context.results.levels(ADEQUACY, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        for code in CRITERIA:
            rows.extend(_criterion_rows(context, printer, code, analyte, groups))
        rows.append(_peak_row(context, printer, analyte, groups))
    columns = [Column(language.text("column.criterion"), align="left", width="42%")]
    columns += [
        Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
        for dose in doses
    ]
    columns.append(Column(language.text("label.total")))
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=tuple(analytes))


def draw_sampling_listing(context: Context) -> Table | NotShown:
    """One row a subject, one column a criterion; the CSV beside it holds every analyte in full."""
    frame = context.dataset("ADSA")
    if frame.empty:
        return NotShown("NOTCOLL")
    language = context.language
    analyte = context.settings["cellular_kinetics"]["primary_analyte"]
    rows = frame[frame["PARCAT1"] == analyte]
    if rows.empty:
        return NotShown("NODATA")
    columns = (
        Column(variable_label(language, "ADSA", "USUBJID"), align="left", width="13%"),
        Column(variable_label(language, "ADSA", "TRT01A"), align="left", width="8%"),
        *(Column(language.text(f"sampling.short.{code}")) for code in CRITERIA),
    )
    subjects = rows.groupby("USUBJID", sort=True)
    body = []
    for subject, part in list(subjects)[:EXCERPT_ROWS]:
        judged = {record["CRIT"]: record for record in part.to_dict("records")}
        cells = [_judged_cell(context, judged[code]) for code in CRITERIA]
        body.append(Row((Cell(str(subject)), Cell(part["TRT01A"].iloc[0]), *cells)))
    notes = []
    if subjects.ngroups > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=subjects.ngroups))
    return Table(
        columns, tuple(body), subjects.ngroups, tuple(notes), analytes=(analyte,), full=frame
    )


def _judged_cell(context: Context, record: dict[str, object]) -> Cell:
    """Met or not, the measure in brackets, and a mark for the reason."""
    met = context.language.text(f"sampling.met.{record['CRITFL']}")
    measure = float(str(record["AVAL"]))
    text = met if pd.isna(measure) else f"{met} ({format_significant(measure)})"
    reason = str(record["CRITRSN"])
    return Cell(text, reasons=(reason,) if reason else ())


def _criterion_rows(
    context: Context, printer: Printer, code: str, analyte: str, groups: list[dict[str, str]]
) -> list[Row]:
    """Subjects who meet the criterion, of those in whom it can be judged; below it the reasons."""
    language = context.language
    rules = context.settings["cellular_kinetics"]["sampling"]
    areas = context.settings["cellular_kinetics"]["partial_areas"]
    label = language.text(
        f"sampling.criterion.{code}", rules=rules, area=areas[0][1] if areas else 0
    )
    places = [Place(ADEQUACY, code, analyte, by) for by in groups]
    forms = (("n", "count"), ("n_judged", "count"), ("pct", "fixed1"))
    cells = [
        printer.cell(place, "{} / {} ({})", *forms)
        if printer.value(place, "n_judged").number
        else printer.cell(place, "{} / {}", *forms[:2])
        for place in places
    ]
    rows = [Row((Cell(label), *cells))]
    selected = context.results.select(REASON)
    here = (selected["variable"] == code) & (selected["analyte"] == analyte)
    total = selected[here & (selected["group1"] == "met") & (selected["group3"] == "")]
    for met, reason in sorted(set(zip(total["level1"], total["level2"], strict=True))):
        counts = []
        for by in groups:
            place = Place(REASON, code, analyte, {"met": met, "reason": reason, **by})
            known = printer.exists(place)
            counts.append(printer.cell(place, "{}", ("n", "count")) if known else Cell("0"))
        words = language.text(
            "sampling.reason",
            met=language.text(f"sampling.outcome.{met}"),
            reason=language.reason(reason),
        )
        rows.append(Row((Cell(words), *counts), indent=1))
    return rows


def _peak_row(
    context: Context, printer: Printer, analyte: str, groups: list[dict[str, str]]
) -> Row:
    """The nominal time nearest to the median Tmax of each group; marked where it is not near."""
    language = context.language
    rules = context.settings["cellular_kinetics"]["sampling"]
    label = language.text("sampling.group_peak", rules=rules)
    cells = []
    for by in groups:
        place = Place(PEAK, "TMAX", analyte, by)
        if not printer.exists(place, "median_tmax"):
            cells.append(printer.blank())
            continue
        forms = (("nearest", "significant"), ("median_tmax", "significant"))
        cell = printer.cell(place, "{} ({})", *forms)
        near = printer.exists(place, "near") and printer.value(place, "near").text == "N"
        text = f"{cell.text} {language.text('sampling.not_near')}" if near else cell.text
        cells.append(Cell(text, cell.value_ids, cell.reasons))
    return Row((Cell(label), *cells))

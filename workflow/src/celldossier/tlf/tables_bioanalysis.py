"""Bioanalysis: methods by version (table 6), runs (6a), samples (6b), their gaps (listing 6)."""

from __future__ import annotations

from celldossier.settings.assay_versions import AssayVersion
from celldossier.settings.bioanalysis import Assay
from celldossier.terms.language import Language
from celldossier.tlf.cells import Place, Printer, given_cell, heading, text_cells
from celldossier.tlf.labels import (
    analyte_label,
    analytes_in,
    level_label,
    reason_label,
    unit_label,
    with_unit,
)
from celldossier.tlf.listings import list_dataset
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RUNS = "study_data.assay_runs"
RUN_REASONS = "study_data.assay_run_reasons"
SAMPLES = "study_data.samples"
GAPS = "study_data.sample_gaps"
INFUSED = Place("study_data.populations", by={"population": "INFUSED"})

METHOD_WIDTHS = {
    "analyte_unit": "14%",
    "platform_matrix": "15%",
    "version_dates": "13%",
    "laboratory": "10%",
    "limits": "12%",
    "accuracy_precision": "",
    "input_lot": "",
    "stability": "",
    "validation": "",
}
STEPS = ("n_collected", "n_received", "n_analysed", "n_reported")
STATES = ("COLLECTED", "RECEIVED", "ANALYSED")
"""Last step of the samples that miss the step after it."""
LISTED = (
    *("USUBJID", "BEREFID", "PARAMCD", "ASPEC", "COLLDTM", "RECVDTM", "ANALDTM", "STATE"),
    *("GAPRSN", "DCOLANL", "STABDAY", "STABFL"),
)


def draw_bioanalytical_methods(context: Context) -> Table | NotShown:
    """The assays, a row a version: method, limits, validation, laboratory and dates."""
    language = context.language
    declared = [Assay.model_validate(each) for each in context.settings["bioanalysis"]["assays"]]
    if not declared:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    printer.cell(INFUSED, "{}", ("n", "count"))
    rows: list[Row] = []
    for domain in ("CK", "PD", "ADA"):
        of_domain = [assay for assay in declared if assay.domain == domain]
        if of_domain:
            rows.append(heading(language.text(f"domain.{domain}")))
        for assay in of_domain:
            name = with_unit(
                language.label(assay.label.model_dump()), unit_label(language, assay.unit)
            )
            rows.extend(
                Row(_version_cells(name, version, language)) for version in assay.complete_versions
            )
    columns = tuple(
        Column(language.text(f"column.{head}"), align="left", width=width)
        for head, width in METHOD_WIDTHS.items()
    )
    return Table(columns, tuple(rows), printer.subjects)


def _version_cells(name: str, version: AssayVersion, language: Language) -> tuple[Cell, ...]:
    blank = language.text("label.blank")
    separator = language.text("label.sentence_separator")
    limits = (version.lod, version.lloq, version.uloq)
    words = [
        language.label(text.model_dump())
        for text in (version.platform, version.matrix)
        if text is not None
    ]
    dates = [day.isoformat() if day else "" for day in (version.valid_from, version.valid_until)]
    period = language.text("label.period", start=dates[0] or blank, end=dates[1] or blank)
    stability = version.stability
    if version.stability_days is not None:
        days = f"{version.stability_days:g} d"
        stability = separator.join(text for text in (days, stability) if text)
    return (
        Cell(name),
        *text_cells(
            (
                separator.join(words),
                separator.join(
                    text for text in (version.version, period if any(dates) else "") if text
                )
                or language.text("label.not_provided"),
            )
        ),
        given_cell(language, version.laboratory),
        Cell(" / ".join(blank if limit is None else f"{limit:.10g}" for limit in limits)),
        given_cell(language, version.accuracy, version.precision),
        given_cell(language, version.input_amount, version.reagent_lot),
        given_cell(language, stability),
        given_cell(language, version.validation),
    )


def draw_run_acceptance(context: Context) -> Table | NotShown:
    """Runs by analyte, version and laboratory: accepted, rejected with reasons, controls."""
    language = context.language
    analytes = analytes_in(context, RUNS)
    if not analytes:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    printer.cell(INFUSED, "{}", ("n", "count"))
    rows: list[Row] = []
    for analyte in analytes:
        rows.append(heading(analyte_label(context, analyte)))
        for version, laboratory in _pairs(context, RUNS, analyte, "version", "laboratory"):
            place = Place(RUNS, "", analyte, {"version": version, "laboratory": laboratory})
            heads = (
                level_label(language, "version", version),
                level_label(language, "laboratory", laboratory),
            )
            cells = (
                *text_cells(heads),
                printer.cell(place, "{}", ("runs", "count")),
                printer.cell(place, "{} ({})", ("n_accepted", "count"), ("pct_accepted", "fixed1")),
                printer.cell(place, "{}", ("n_rejected", "count")),
                _reasons_cell(context, printer, place),
                printer.cell(place, "{}", ("n_repeats", "count")),
                *(
                    printer.cell(
                        place,
                        "{}/{} ({})",
                        (f"{name}_passed", "count"),
                        (f"{name}_total", "count"),
                        (f"pct_{name}", "fixed1"),
                    )
                    for name in ("cal", "qc")
                ),
                printer.cell(place, "{}", ("n_results", "count")),
            )
            rows.append(Row(cells))
    columns = (
        Column(language.text("runs.version"), align="left", width="10%"),
        Column(language.text("runs.laboratory"), align="left", width="13%"),
        Column(language.text("runs.runs")),
        Column(language.text("runs.accepted")),
        Column(language.text("runs.rejected")),
        Column(language.text("runs.reasons"), align="left", width="20%"),
        Column(language.text("runs.repeats")),
        Column(language.text("runs.calibrators")),
        Column(language.text("runs.controls")),
        Column(language.text("runs.results")),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=tuple(analytes))


def draw_sample_reconciliation(context: Context) -> Table | NotShown:
    """Samples collected, received, analysed, reported, and why others were not."""
    language = context.language
    found = context.results.select(SAMPLES)
    places = sorted(
        set(found.loc[found["analyte"] != "", ["analyte", "level1"]].itertuples(index=False))
    )
    if not places:
        return NotShown("NOTCOLL")
    printer = Printer(context.results, language)
    declared = analytes_in(context, SAMPLES)
    places.sort(key=lambda place: (declared.index(place[0]), place[1]))
    shown = [Place(SAMPLES, "", analyte, {"specimen": name}) for analyte, name in places]
    rows: list[Row] = []
    for position, step in enumerate(STEPS):
        cells = [printer.cell(place, "{}", (step, "count")) for place in shown]
        rows.append(Row((Cell(language.text(f"samples.{step}")), *cells)))
        if position < len(STATES):
            rows.extend(_gap_rows(context, printer, STATES[position], shown))
    for stat, pattern, parts in (
        ("n_results", "{}", (("n_results", "count"),)),
        (
            "days",
            "{} ({})",
            (("median_days", "integer"), ("max_days", "integer")),
        ),
        ("n_unstable", "{}/{}", (("n_unstable", "count"), ("n_judged", "count"))),
    ):
        cells = [printer.cell(place, pattern, *parts) for place in shown]
        rows.append(Row((Cell(language.text(f"samples.{stat}")), *cells)))
    columns = [Column(language.text("column.characteristic"), align="left", width="34%")]
    columns += [
        Column(
            level_label(language, "specimen", name),
            group=level_label(language, "analyte", analyte)
            if analyte == "MISSING"
            else analyte_label(context, analyte),
        )
        for analyte, name in places
    ]
    return Table(tuple(columns), tuple(rows), printer.subjects, analytes=tuple(declared))


def draw_sample_gaps(context: Context) -> Table | NotShown:
    """Samples without a result and samples analysed after the end of their stability."""
    frame = context.dataset("ADSAMP")
    if frame.empty:
        return NotShown("NOTCOLL")
    rows = frame[(frame["GAPRSN"] != "") | (frame["RESFL"] == "N") | (frame["STABFL"] == "Y")]
    if rows.empty:
        return NotShown("NODATA")
    return list_dataset(context, rows, "ADSAMP", LISTED)


def _pairs(context: Context, analysis: str, analyte: str, *keys: str) -> list[tuple[str, ...]]:
    """Levels of two grouping variables that stand together, sorted by the first."""
    rows = context.results.select(analysis)
    rows = rows[rows["analyte"] == analyte]
    places = {name: position for position, name in enumerate(sorted(keys), start=1)}
    found = rows[[f"level{places[name]}" for name in keys]].drop_duplicates()
    return sorted(tuple(map(str, record)) for record in found.itertuples(index=False))


def _reasons_cell(context: Context, printer: Printer, place: Place) -> Cell:
    """Reasons of the rejected runs with their number."""
    language = context.language
    cells = []
    for reason in context.results.levels(RUN_REASONS, "reason"):
        own = Place(RUN_REASONS, "", place.analyte, {**place.by, "reason": reason})
        if printer.exists(own):
            cells.append((reason_label(language, reason), printer.cell(own, "{}", ("n", "count"))))
    if not cells:
        return printer.blank()
    return Cell(
        language.text("label.sentence_separator").join(
            language.text("label.count_of_reason", reason=reason, n=cell.text)
            for reason, cell in cells
        ),
        tuple(identifier for _, cell in cells for identifier in cell.value_ids),
    )


def _gap_rows(context: Context, printer: Printer, state: str, places: list[Place]) -> list[Row]:
    """One row a reason for which samples did not get beyond a step."""
    language = context.language
    rows = []
    for reason in context.results.levels(GAPS, "reason"):
        own = [
            Place(GAPS, "", place.analyte, {**place.by, "state": state, "reason": reason})
            for place in places
        ]
        if any(printer.exists(place) for place in own):
            label = language.text(f"samples.gap.{state}", reason=reason_label(language, reason))
            cells = [
                printer.cell(place, "{}", ("n", "count"))
                if printer.exists(place)
                else Cell(language.text("label.zero"))
                for place in own
            ]
            rows.append(Row((Cell(label), *cells), indent=1))
    return rows

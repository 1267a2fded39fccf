"""Dose escalation: toxicities and decisions (table 10), decision boundaries (table 11)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import FORMATS, Place, Printer, heading
from celldossier.tlf.labels import level_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RULE = "dose_exploration.escalation_rule"
BOUNDARY = "dose_exploration.escalation_boundary"
DLT = "dose_exploration.dlt"
REASON = "dose_exploration.dlt_reason"
COHORT = "dose_exploration.cohort"
REPLAY = "dose_exploration.replay"
TOTAL = "dose_exploration.replay_total"

PARTS = ("ESCALATION", "EXPANSION")
LIMITS = ("escalate_le", "deescalate_ge", "eliminate_ge", "stop_lowest_ge")
MOST_COLUMNS = 15
"""Numbers of subjects that have a column; of more, the multiples of the cohort size."""


def draw_escalation(context: Context) -> Table | NotShown:
    """Dose levels, then cohorts in their order, each with the decision of every design."""
    reason = why_not_shown(context, DLT)
    if reason:
        return NotShown(reason)
    printer = Printer(context.results, context.language)
    text = context.language.text
    rows = [*_level_rows(context, printer), *_cohort_rows(context, printer)]
    names = ("infused", "evaluable", "dlts", "level_so_far", "posterior", "decision")
    # Words need room; counts do not.
    wide = {"posterior": "13%", "next": "9%", "outcome": "14%"}
    columns = (
        Column(text("escalation.column.step"), align="left", width="19%"),
        Column(text("column.dose_level")),
        *(
            Column(text(f"escalation.column.{name}"), width=wide.get(name, ""))
            for name in (*names, "expected", "next", "outcome")
        ),
    )
    return Table(columns, tuple(rows), printer.subjects)


def draw_decision_boundaries(context: Context) -> Table | NotShown:
    """Limits of the number of toxicities for each number of subjects, design by design."""
    reason = why_not_shown(context, BOUNDARY)
    if reason:
        return NotShown(reason)
    printer = Printer(context.results, context.language)
    text = context.language.text
    rule = context.settings["dose_exploration"]["escalation"]
    sizes = natural_order(context.results.levels(BOUNDARY, "n"))
    if len(sizes) > MOST_COLUMNS:
        sizes = [n for n in sizes if int(n) % rule["cohort_size"] == 0]
    rows: list[Row] = []
    for design in list_designs(context):
        rows.append(heading(_rule_cell(context, printer, design)))
        for limit in LIMITS:
            if limit == "stop_lowest_ge" and rule["lowest_dose_offset"] is None:
                continue
            cells = [
                _limit_cell(printer, Place(BOUNDARY, by={"design": design, "n": n}), limit)
                for n in sizes
            ]
            rows.append(Row((Cell(text(f"escalation.limit.{limit}")), *cells), indent=1))
    columns = [Column(text("escalation.column.limit"), align="left", width="28%")]
    columns += [Column(n, group=text("escalation.column.evaluable_so_far")) for n in sizes]
    return Table(tuple(columns), tuple(rows), printer.subjects)


def why_not_shown(context: Context, analysis: str) -> str:
    """Reason code where the study declares no design, or has no such data; else blank."""
    if context.settings["dose_exploration"]["escalation"]["design"] is None:
        return "NODESIGN"
    return "NOTCOLL" if context.results.select(analysis).empty else ""


def list_designs(context: Context) -> list[str]:
    """Designs of the analysis, that of the protocol first, then as the settings name them."""
    rule = context.settings["dose_exploration"]["escalation"]
    asked = list(dict.fromkeys([rule["design"], *rule["compared"]]))
    found = set(context.results.levels(RULE, "design"))
    return [design for design in asked if design in found]


def _limit_cell(printer: Printer, place: Place, limit: str) -> Cell:
    """The limit; a dash where no number of toxicities calls for the move, or there is no rule."""
    value = printer.value(place, limit)
    if value.note_code:
        return Cell(printer.blank().text, (value.value_id,))
    return printer.cell(place, "{}", (limit, "count"))


def _rule_cell(context: Context, printer: Printer, design: str) -> Cell:
    """Name of the design with what it was made for."""
    text = context.language.text
    place = Place(RULE, by={"design": design})
    own = printer.value(place, "protocol").text == "Y"
    name = text("escalation.of_protocol" if own else "escalation.compared", design=design)
    if not printer.exists(place, "target"):
        return Cell(text("escalation.rule.counts", name=name))
    stats = ["target", "cutoff", "prior_a", "prior_b"]
    limits = ("lambda_e", "lambda_d", "phi1", "phi2", "interval_low", "interval_high")
    stats += [stat for stat in limits if printer.exists(place, stat)]
    values = {stat: printer.value(place, stat) for stat in stats}
    digits = {"lambda_e": ".4f", "lambda_d": ".4f"}
    shown = {s: format(v.number, digits.get(s, "g")) for s, v in values.items()}
    kind = "boin" if "lambda_e" in values else "interval"
    words = text(f"escalation.rule.{kind}", name=name, **shown)
    return Cell(words, tuple(value.value_id for value in values.values()))


def _level_rows(context: Context, printer: Printer) -> list[Row]:
    """Counts and posterior of each dose level, the escalation apart from the expansion."""
    language = context.language
    rows: list[Row] = []
    for part in PARTS:
        if part not in context.results.levels(DLT, "part"):
            continue
        rows.append(heading(language.text(f"escalation.part.{part}")))
        for dose in list_doses(context, part):
            place = Place(DLT, "DLT", by={"part": part, "dose": dose})
            label = level_label(language, "dose", dose)
            counts = [printer.cell(place, "{}", (s, "count")) for s in ("n_infused", "n_evaluable")]
            toxic = printer.cell(place, "{}", ("n_dlt", "count"))
            estimate = printer.cell(
                place, "{} ({}, {})", ("mean", "fixed2"), ("low", "fixed2"), ("high", "fixed2")
            )
            decision = printer.blank()
            if printer.exists(place, "decision"):
                decision = printer.cell(place, "{}", ("decision", "count"))
            cells = [*counts, toxic, _ratio(printer, place), estimate, decision]
            blanks = [printer.blank()] * 3
            rows.append(
                Row((Cell(language.text("escalation.level")), Cell(label), *cells, *blanks))
            )
            rows.extend(_reason_rows(context, printer, part, dose))
    return rows


def _ratio(printer: Printer, place: Place) -> Cell:
    return printer.cell(place, "{}/{}", ("n_dlt", "count"), ("n_evaluable", "count"))


def _reason_rows(context: Context, printer: Printer, part: str, dose: str) -> list[Row]:
    """How many were not evaluable, by reason; which event it was."""
    language = context.language
    rows = []
    selected = context.results.select(REASON)
    here = (selected["level1"] == dose) & (selected["level2"] == part)
    for reason in sorted(set(selected.loc[here, "level3"])):
        place = Place(REASON, "NDLTRSN", by={"part": part, "dose": dose, "reason": reason})
        words = language.text("escalation.not_evaluable", reason=language.reason(reason))
        count = printer.cell(place, "{}", ("n", "count"))
        rows.append(Row((Cell(words), Cell(""), count, *[Cell("")] * 8), indent=1))
    place = Place(DLT, "DLT", by={"part": part, "dose": dose})
    terms = printer.value(place, "terms")
    if terms.text:
        words = language.text("escalation.terms", terms=terms.text)
        rows.append(Row((Cell(words, (terms.value_id,)), *[Cell("")] * 10), indent=1))
    return rows


def _cohort_rows(context: Context, printer: Printer) -> list[Row]:
    """Each cohort with the protocol's decision, then with all infused, then other designs."""
    text = context.language.text
    designs = list_designs(context)
    if not designs or context.results.select(COHORT).empty:
        return []
    rows = [_total_row(context, printer, designs[0], basis) for basis in ("EVALUABLE", "INFUSED")]
    for cohort in natural_order(context.results.levels(COHORT, "cohort")):
        place = Place(COHORT, by={"cohort": cohort})
        counts = [
            printer.cell(place, "{}", (s, "count")) for s in ("n_infused", "n_evaluable", "n_dlt")
        ]
        so_far = printer.cell(place, "{}/{}", ("dlt_level", "count"), ("n_level", "count"))
        lead = (
            printer.cell(place, "{}", ("name", "count")),
            printer.cell(place, "{}", ("level", "count")),
        )
        steps = _step_cells(context, printer, cohort, designs[0], "EVALUABLE")
        rows.append(Row((*lead, *counts, so_far, printer.blank(), *steps)))
        pending = printer.value(place, "n_pending")
        if pending.number:
            words = text("escalation.pending", n=f"{pending.number:.0f}")
            rows.append(Row((Cell(words, (pending.value_id,)), *[Cell("")] * 10), indent=1))
        everyone = printer.cell(
            place, "{}/{}", ("dlt_level_all", "count"), ("n_level_all", "count")
        )
        if everyone.text != so_far.text:
            steps = _step_cells(context, printer, cohort, designs[0], "INFUSED")
            name = Cell(text("escalation.everyone"))
            rows.append(Row((name, *[Cell("")] * 4, everyone, Cell(""), *steps), indent=1))
        for design in designs[1:]:
            steps = _step_cells(context, printer, cohort, design, "EVALUABLE")
            rows.append(Row((Cell(design), *[Cell("")] * 6, *steps), indent=1))
    return rows


def _step_cells(
    context: Context, printer: Printer, cohort: str, design: str, basis: str
) -> list[Cell]:
    """Decision, dose that it calls for, dose that followed, and how the two compare."""
    text = context.language.text
    place = Place(REPLAY, by={"basis": basis, "cohort": cohort, "design": design})
    following = printer.value(Place(COHORT, by={"cohort": cohort}), "next")
    outcome = printer.value(place, "outcome")
    decision = expected = printer.blank()
    if outcome.text != "NORULE":
        decision = printer.cell(place, "{}", ("decision", "count"))
        wanted = printer.value(place, "expected")
        expected = Cell(_name_level(context, wanted.text), (wanted.value_id,))
    return [
        decision,
        expected,
        Cell(_name_level(context, following.text), (following.value_id,)),
        Cell(text(f"escalation.outcome.{outcome.text}"), (outcome.value_id,)),
    ]


def _name_level(context: Context, level: str) -> str:
    if level in ("STOP", "END"):
        return context.language.text(f"escalation.{level}")
    return level_label(context.language, "dose", level)


def _total_row(context: Context, printer: Printer, design: str, basis: str) -> Row:
    """How often the rule was followed: a line across the table."""
    text = context.language.text
    place = Place(TOTAL, by={"basis": basis, "design": design})
    stats = ("n", "n_agree", "n_above", "n_below", "n_ended", "n_norule")
    counts = {s: printer.value(place, s) for s in stats}
    numbers = {s: FORMATS["count"](v.number) for s, v in counts.items()}
    words = text(f"escalation.total.{basis}", design=design, **numbers)
    return heading(Cell(words, tuple(value.value_id for value in counts.values())))


def list_doses(context: Context, part: str) -> list[str]:
    """Dose levels of a part, from the lowest."""
    rows = context.results.select(DLT)
    here = rows[(rows["group1"] == "dose") & (rows["level2"] == part)]
    ranks = here.loc[here["stat_name"] == "rank"].sort_values("value", kind="stable")
    return list(ranks["level1"])

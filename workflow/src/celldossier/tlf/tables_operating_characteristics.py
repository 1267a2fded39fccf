"""Table of the operating characteristics of escalation designs by scenario (12a)."""

from __future__ import annotations

from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RULES = "dose_exploration.oc_rules"
SCENARIO = "dose_exploration.oc_scenario"
LEVEL = "dose_exploration.oc_level"
TRIALS = "dose_exploration.oc"
SELECTION = "dose_exploration.oc_selection"

_STATISTICS = tuple(
    (name, "fixed1") for name in ("none", "above", "overdosed", "above_mtd", "size", "toxicities")
)


def draw_operating_characteristics(context: Context) -> Table | NotShown:
    """A block a scenario: its true rates, then what each design selects and whom it treats."""
    language = context.language
    printer = Printer(context.results, language)
    scenarios = natural_order(context.results.levels(SCENARIO, "scenario"))
    if not scenarios:
        return NotShown("NODESIGN")
    levels = natural_order(context.results.levels(LEVEL, "level"))
    settings = context.settings["dose_exploration"]
    asked = settings["operating_characteristics"]
    known = context.results.levels(TRIALS, "design")
    own = [settings["escalation"]["design"], *settings["escalation"]["compared"]]
    # The order of the settings; the results keep theirs by name.
    designs = [name for name in dict.fromkeys(asked["designs"] or own) if name in known]
    responders = any(
        printer.exists(Place(TRIALS, by={"scenario": scenario, "design": designs[0]}), "responders")
        for scenario in scenarios
    )
    rows: list[Row] = []
    for scenario in scenarios:
        place = Place(SCENARIO, by={"scenario": scenario})
        rows.append(heading(_name_scenario(context, printer, place)))
        rows += _rate_rows(context, printer, place, levels, responders)
        for design in designs:
            here = place.of(TRIALS).within(design=design)
            cells = [Cell(design)]
            for level in levels:
                at = here.of(SELECTION).within(level=level)
                cells.append(
                    printer.cell(at, "{} ({})", ("selected", "fixed1"), ("subjects", "fixed1"))
                    if printer.exists(at, "selected")
                    else printer.blank()
                )
            cells += [printer.cell(here, "{}", stat) for stat in _STATISTICS]
            if responders:
                cells.append(
                    printer.cell(here, "{}", ("responders", "fixed1"))
                    if printer.exists(here, "responders")
                    else printer.blank()
                )
            rows.append(Row(tuple(cells), indent=1))
    return Table(_columns(context, levels, responders), tuple(rows), 0, _notes(context, printer))


def _name_scenario(context: Context, printer: Printer, place: Place) -> Cell:
    kind, number = printer.value(place, "kind"), printer.value(place, "place")
    language = context.language
    if kind.text == "STUDY":
        asked = context.settings["dose_exploration"]["operating_characteristics"]
        name = language.label(asked["scenarios"][int(number.number) - 1]["name"])
    else:
        level = int(number.number)
        name = language.text(f"oc.scenario.{kind.text}", level=level, next=level + 1)
    scenario = language.text("oc.scenario", number=place.by["scenario"], name=name)
    return Cell(scenario, (kind.value_id, number.value_id))


def _rate_rows(
    context: Context, printer: Printer, place: Place, levels: list[str], responders: bool
) -> list[Row]:
    """True rates of toxicity, that of the maximum tolerated dose marked, and of response."""
    mtd = printer.value(place, "mtd")
    first = place.of(LEVEL).within(level=levels[0])
    rows = []
    for stat in ("toxicity", "efficacy"):
        if not printer.exists(first, stat):
            continue
        cells = [Cell(context.language.text(f"oc.true_rate.{stat}"), (mtd.value_id,))]
        for level in levels:
            at = place.of(LEVEL).within(level=level)
            if not printer.exists(at, stat):
                cells.append(printer.blank())
                continue
            is_mtd = stat == "toxicity" and int(mtd.number) == int(level)
            cells.append(printer.cell(at, "{} *" if is_mtd else "{}", (stat, "fixed1")))
        cells += [Cell("")] * (len(_STATISTICS) + responders)
        rows.append(Row(tuple(cells), indent=1))
    return rows


def _columns(context: Context, levels: list[str], responders: bool) -> tuple[Column, ...]:
    text = context.language.text
    columns = [Column(text("column.design"), align="left", width="24%")]
    group = text("column.oc_levels")
    columns += [Column(text("column.oc_level", level=level), group=group) for level in levels]
    columns += [Column(text(f"column.oc_{stat}")) for stat, _ in _STATISTICS]
    if responders:
        columns.append(Column(text("column.oc_responders")))
    return tuple(columns)


def _notes(context: Context, printer: Printer) -> tuple[str, ...]:
    rules = Place(RULES)
    numbers = {
        stat: f"{printer.value(rules, stat).number:.0f}"
        for stat in ("trials", "seed", "cohort_size", "cohorts", "start_level", "stop_at")
    }
    error = f"{printer.value(rules, 'error').number:.2g}"
    return (context.language.text("footnote.oc_rules", error=error, **numbers),)

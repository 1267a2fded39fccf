"""Immune responses by factors of product and patient (table 79d)."""

from __future__ import annotations

from celldossier.terms.covariates import covariate_level
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.covariate_labels import covariate_name
from celldossier.tlf.labels import analyte_label, order_levels, target_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

ANTIBODIES, CELLULAR = "immunogenicity.factor", "immunogenicity.cellular_factor"
INCIDENCE = "immunogenicity.incidence"
STATUSES = ("BASELINE_POSITIVE", "TREATMENT_EMERGENT")


def draw_immune_factors(context: Context) -> Table | NotShown:
    """A row for each level of each factor: antibodies, and the response of each cellular test."""
    antibodies, cellular = (context.results.select(name) for name in (ANTIBODIES, CELLULAR))
    targets = natural_order({*antibodies["analyte"], *cellular["analyte"]})
    if not targets:
        collected = len(context.results.select(INCIDENCE)) > 0
        return NotShown("NODATA" if collected else "NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    tests = natural_order(context.results.levels(CELLULAR, "test"))
    rows: list[Row] = []
    for target in targets:
        name = target_label(context, target)
        rows.append(heading(language.text("label.ada_target", target=name)))
        for factor in context.settings["immunogenicity"]["impact"]["factors"]:
            levels = _levels(context, target, factor)
            if not levels:
                continue
            rows.append(heading(covariate_name(language, factor)))
            for level in levels:
                place = Place("", "", target, {"factor": factor, "level": level})
                rows.append(_row(context, printer, place, tests))
    columns = [Column(language.text("column.factor_level"), align="left", width="24%")]
    columns += [Column(language.text(f"ada.{status}")) for status in STATUSES]
    columns += [
        Column(language.text("column.cellular_response", test=analyte_label(context, test)))
        for test in tests
    ]
    return Table(tuple(columns), tuple(rows), printer.subjects)


def _levels(context: Context, target: str, factor: str) -> list[str]:
    """Levels of a factor in the order of its codelist, who has none last."""
    found: set[str] = set()
    for analysis in (ANTIBODIES, CELLULAR):
        rows = context.results.select(analysis)
        own = (rows["analyte"] == target) & (rows["level1"] == factor)
        found |= set(rows.loc[own, "level2"])
    return order_levels("ADSL", factor, found)


def _row(context: Context, printer: Printer, place: Place, tests: list[str]) -> Row:
    label = covariate_level(context.language, place.by["factor"], place.by["level"])
    places = [Place(ANTIBODIES, status, place.analyte, place.by) for status in STATUSES]
    places += [
        Place(CELLULAR, "AFTER", place.analyte, {**place.by, "test": test}) for test in tests
    ]
    return Row((Cell(label), *(_share(printer, each) for each in places)), indent=1)


def _share(printer: Printer, place: Place) -> Cell:
    if not printer.exists(place):
        return printer.blank()
    percents = tuple((name, "fixed1") for name in ("pct", "ci_low", "ci_high"))
    stats = (("n", "count"), ("denominator", "count"), *percents)
    return printer.cell(place, "{} / {} ({}) [{}, {}]", *stats)

"""Tables of the studies (1), analysis sets (2), demographics (4) and bioanalytical methods (6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from celldossier.terms.language import Language
from celldossier.terms.order import natural_order
from celldossier.tlf.cells import Place, Printer, footnote_if, given_cell
from celldossier.tlf.labels import (
    level_label,
    order_levels,
    reason_label,
    unit_label,
    variable_label,
    with_unit,
)
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

POPULATIONS = "study_data.populations"
POPULATION_REASONS = "study_data.population_reasons"
DEMOGRAPHICS = "study_data.demographics"

_SETS = (
    "ENROLLED",
    "LEUKAPHERESED",
    "MANUFACTURED",
    "INFUSED",
    "CK",
    "PD",
    "ADA",
    "ER",
    "DLT",
    "RESPONSE",
)
_CONTINUOUS: Mapping[str, tuple[str, str]] = {
    # Variable: formats of mean and SD, of median and range.
    "AGE": ("fixed1", "integer"),
    "WTBL": ("fixed1", "fixed1"),
    "HTBL": ("fixed1", "integer"),
    "BSABL": ("fixed2", "fixed2"),
    "TBURDBL": ("significant", "significant"),
    "TARGBL": ("fixed1", "fixed1"),
    "PRLINES": ("fixed1", "integer"),
    "ALCBL": ("fixed2", "fixed2"),
}
_ROWS = (
    "AGE", "AGEGR1", "SEX", "RACE", "WTBL", "HTBL", "BSABL",
    "INDIC", "STAGEBL", "ECOGBL", "TBURDBL", "TARGBL", "PRLINES",
    "PRHSCT", "BRIDGFL", "ALCBL", "PROCESS",
)  # fmt: skip


def draw_studies(context: Context) -> Table | NotShown:
    """One row a study: design, population, regimen, doses, subjects infused, schedule, cut-off."""
    language = context.language
    printer = Printer(context.results, language)
    study = context.settings["study"]
    rows = []
    for trial in study["trials"]:
        name = trial["id"]
        if trial["investigator_initiated"]:
            name = language.text("label.investigator_initiated", study=name)
        place = _population("INFUSED")
        if len(study["trials"]) > 1:
            place = place.within(study=trial["id"])
        infused = (
            printer.cell(place, "{}", ("n", "count")) if printer.exists(place) else printer.blank()
        )
        before = [Cell(name), Cell(trial["phase"])]
        described = [
            given_cell(language, language.label(trial[key]))
            for key in (
                "design", "population", "lymphodepletion", "dose_levels", "matrices", "schedule"
            )
        ]  # fmt: skip
        last = Cell(str(study["data_cutoff"]))
        rows.append(Row((*before, *described[:4], infused, *described[4:], last)))
    heads = (
        "study", "phase", "design", "population", "lymphodepletion", "dose_levels",
        "n_infused", "matrices", "schedule", "data_cutoff",
    )  # fmt: skip
    narrow = {"study": "8%", "phase": "5%", "n_infused": "6%", "data_cutoff": "8%"}
    columns = tuple(
        Column(
            language.text(f"column.{head}"),
            align="center" if head in ("phase", "n_infused", "data_cutoff") else "left",
            width=narrow.get(head, ""),
        )
        for head in heads
    )
    return Table(columns, tuple(rows), printer.subjects)


def draw_analysis_sets(context: Context) -> Table | NotShown:
    """Subjects in each analysis set, by dose level and in all, and why the others are not in it."""
    language = context.language
    printer = Printer(context.results, language)
    found = set(context.results.levels(POPULATIONS, "population"))
    if not found:
        return NotShown("NODATA")
    doses = natural_order(context.results.levels(POPULATIONS, "dose"))
    rows = []
    for name in (name for name in _SETS if name in found):
        place = _population(name)
        cells = [Cell(language.text(f"population.{name}"))]
        cells += [
            _count_share(printer, place.within(dose=dose))
            if printer.exists(place.within(dose=dose))
            else printer.blank()
            for dose in doses
        ]
        cells.append(_count_share(printer, place))
        rows.append(Row(tuple(cells)))
        for reason in _reasons(context, name):
            count = place.of(POPULATION_REASONS).within(reason=reason)
            text = language.text("label.not_included", reason=reason_label(language, reason))
            number = printer.cell(count, "{}", ("n", "count"))
            rows.append(Row((Cell(text), *[Cell("")] * len(doses), number), indent=1))
    columns = [
        Column(language.text("column.analysis_set"), align="left", width="40%"),
        *(
            Column(level_label(language, "dose", dose), group=language.text("column.dose_level"))
            for dose in doses
        ),
        Column(language.text("label.total")),
    ]
    return Table(tuple(columns), tuple(rows), printer.subjects)


def draw_demographics(context: Context) -> Table | NotShown:
    """Demographics and baseline disease characteristics by dose level and in all."""
    language = context.language
    printer = Printer(context.results, language)
    variables = set(context.results.select(DEMOGRAPHICS)["variable"])
    if not variables:
        return NotShown("NODATA")
    doses = natural_order(context.results.levels(DEMOGRAPHICS, "dose"))
    groups: list[dict[str, str]] = [*({"dose": dose} for dose in doses), {}]
    rows: list[Row] = []
    few = False
    for variable in (name for name in _ROWS if name in variables):
        if variable in _CONTINUOUS:
            for by in _strata(context, variable):
                block, listed = _continuous_rows(printer, language, variable, by, groups)
                rows.extend(block)
                few = few or listed
        else:
            rows.extend(_category_rows(context, printer, variable, groups))
    columns = [Column(language.text("column.characteristic"), align="left", width="36%")]
    for by in groups:
        head = level_label(language, "dose", by["dose"]) if by else language.text("label.total")
        n = _group_size(printer, by)
        if n is not None:
            head = language.text("column.group_n", group=head, n=n.text)
        group = language.text("column.dose_level") if by else ""
        columns.append(Column(head, group=group, value_ids=n.value_ids if n else ()))
    notes = footnote_if(few, language, "footnote.few_values")
    return Table(tuple(columns), tuple(rows), printer.subjects, tuple(notes))


def _population(name: str) -> Place:
    return Place(POPULATIONS, by={"population": name})


def _count_share(printer: Printer, place: Place) -> Cell:
    return printer.cell(place, "{} ({})", ("n", "count"), ("pct", "fixed1"))


def _group_size(printer: Printer, by: Mapping[str, str]) -> Cell | None:
    """N of a column, or None where it is not that of the group.

    Analysis sets are counted by planned dose level, demographics by the actual one:
    where the two differ, an N would be that of other subjects.
    """
    infused = _population("INFUSED").within(**by)
    age = Place(DEMOGRAPHICS, "AGE", by=by)
    if not printer.exists(infused) or not printer.exists(age, "n_missing"):
        return None
    members = printer.value(age, "n").number + printer.value(age, "n_missing").number
    if printer.value(infused, "n").number != members:
        return None
    return printer.cell(infused, "{}", ("n", "count"))


def _reasons(context: Context, population: str) -> list[str]:
    rows = context.results.select(POPULATION_REASONS)
    rows = rows[(rows["group1"] == "population") & (rows["level1"] == population)]
    return sorted(set(rows.loc[rows["group2"] == "reason", "level2"]))


def _strata(context: Context, variable: str) -> list[dict[str, str]]:
    """Tumour burden is shown within each indication, for its unit differs; the others in all."""
    if variable != "TBURDBL":
        return [{}]
    rows = context.results.select(DEMOGRAPHICS)
    rows = rows[rows["variable"] == variable]
    found: set[str] = set()
    for position in (1, 2, 3):
        of_key = rows[f"group{position}"] == "indication"
        found |= set(rows.loc[of_key, f"level{position}"])
    return [{"indication": level} for level in natural_order(found)] or [{}]


def _continuous_rows(
    printer: Printer,
    language: Language,
    variable: str,
    by: Mapping[str, str],
    groups: Sequence[Mapping[str, str]],
) -> tuple[list[Row], bool]:
    """Heading, n, mean (SD), median (range); fewer than three values are listed."""
    mean_form, range_form = _CONTINUOUS[variable]
    places = [Place(DEMOGRAPHICS, variable, by={**by, **group}) for group in groups]
    unit = unit_label(language, printer.value(places[-1], "median").unit)
    label = variable_label(language, "ADSL", variable)
    if printer.value(places[-1], "n").number == 0:
        cells = [printer.cell(place, "{}", ("mean", mean_form)) for place in places]
        return [Row((Cell(with_unit(label, unit)), *cells))], False
    if by:
        stratum = level_label(language, "indication", by["indication"])
        label = language.text("label.within", label=label, stratum=stratum)
    # A dose level without a subject of the indication has no block at all.
    shown = [place if printer.exists(place) else None for place in places]
    listed = any(place is not None and printer.few(place) for place in shown)

    def line(statistic: str, pattern: str, form: str, *stats: str) -> Row:
        cells = []
        for place in shown:
            if place is None:
                cells.append(printer.blank())
            elif statistic != "n" and printer.few(place):
                values = printer.listed(place, form) if statistic == "mean_sd" else printer.blank()
                cells.append(values)
            else:
                cells.append(printer.cell(place, pattern, *((stat, form) for stat in stats)))
        return Row((Cell(language.text(f"statistic.{statistic}")), *cells), indent=1)

    return [
        Row((Cell(with_unit(label, unit)), *[Cell("")] * len(groups))),
        line("n", "{}", "count", "n"),
        line("mean_sd", "{} ({})", mean_form, "mean", "sd"),
        line("median_range", "{} ({}, {})", range_form, "median", "min", "max"),
    ], listed


def _category_rows(
    context: Context, printer: Printer, variable: str, groups: Sequence[Mapping[str, str]]
) -> list[Row]:
    """Heading, then one row a level with n (%)."""
    language = context.language
    rows = context.results.select(DEMOGRAPHICS)
    rows = rows[rows["variable"] == variable]
    found: set[str] = set()
    for position in (1, 2, 3):
        of_key = rows[f"group{position}"] == "level"
        found |= set(rows.loc[of_key, f"level{position}"])
    label = language.text("label.n_percent", label=variable_label(language, "ADSL", variable))
    if not found:
        # Not collected: one row says so.
        cells = [
            printer.cell(Place(DEMOGRAPHICS, variable, by=g), "{}", ("n", "count")) for g in groups
        ]
        return [Row((Cell(label), *cells))]
    block = [Row((Cell(label), *[Cell("")] * len(groups)))]
    for level in order_levels("ADSL", variable, found):
        places = [Place(DEMOGRAPHICS, variable, by={"level": level, **group}) for group in groups]
        cells = [
            _count_share(printer, place) if printer.exists(place) else printer.blank()
            for place in places
        ]
        block.append(Row((Cell(level_label(language, variable, level)), *cells), indent=1))
    return block

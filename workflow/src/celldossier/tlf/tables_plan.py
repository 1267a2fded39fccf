"""Plan of the exposure-response models (T51), and all their p values (T73)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import ADJUSTMENTS, exposure_analyte, order_codes
from celldossier.tlf.labels import endpoint_label, level_label, metric_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

PLAN = "exposure_response.plan"
SUMMARY = "exposure_response.plan_summary"
MULTIPLICITY = "exposure_response.multiplicity"
_MODELS = ("LOGISTIC", "ORDINAL", "COX", "COX_TIMEDEP")
_POPULATIONS = (
    "PRIMARY", "UNKNOWN_EXCLUDED", "UNKNOWN_NONRESPONDER", "BLQ_HALF_LLOQ", "LANDMARK",
    "NO_LANDMARK",
)  # fmt: skip


@dataclass(frozen=True)
class _Key:
    """One cell of the plan."""

    endpoint: str
    model: str
    metric: str
    adjustment: str
    population: str

    @property
    def row(self) -> tuple[str, str, str]:
        """What the row of the cell in the plan is; the adjustments are its columns."""
        return self.model, self.population, self.metric

    def place(self, analysis: str, analyte: str) -> Place:
        """Where the cell stands in the analysis results."""
        return Place(
            analysis,
            self.endpoint,
            analyte,
            {
                "metric": self.metric,
                "adjustment": self.adjustment,
                "population": self.population,
                "model": self.model,
            },
        )


def draw_analysis_plan(context: Context) -> Table | NotShown:
    """Each endpoint: model, metric and analysis, with an adjustment a column (T51)."""
    language, text = context.language, context.language.text
    keys = _read_keys(context)
    if not keys:
        return NotShown("NOTCOLL")
    analyte = exposure_analyte(context)
    printer = Printer(context.results, language)
    adjustments = order_codes({key.adjustment for key in keys}, ADJUSTMENTS)
    rows = [_counts(context, printer, Place(SUMMARY, "", analyte), text("label.all_endpoints"))]
    for endpoint in order_codes({key.endpoint for key in keys}, _endpoints(context)):
        own = [key for key in keys if key.endpoint == endpoint]
        family = printer.value(own[0].place(PLAN, analyte), "family")
        name = text(
            "label.endpoint_family",
            endpoint=endpoint_label(context, endpoint),
            family=level_label(language, "family", family.text),
        )
        counts = _counts(context, printer, Place(SUMMARY, endpoint, analyte), name)
        cell = counts.cells[0]
        rows.append(heading(Cell(cell.text, (family.value_id, *cell.value_ids))))
        rows += _plan_rows(context, printer, own, adjustments, analyte)
    columns = (
        Column(text("column.model"), align="left", width="15%"),
        Column(text("column.metric"), align="left", width="12%"),
        Column(text("column.analysis"), align="left", width="22%"),
        *(
            Column(
                level_label(language, "adjustment", each),
                group=text("column.adjustment_role"),
                align="left",
            )
            for each in adjustments
        ),
    )
    return Table(columns, tuple(rows), _subjects(context), analytes=(analyte,))


def _plan_rows(
    context: Context,
    printer: Printer,
    own: Sequence[_Key],
    adjustments: Sequence[str],
    analyte: str,
) -> list[Row]:
    """Rows of an endpoint; metrics that were planned and run alike share one."""
    language = context.language
    by_place = {(*key.row, key.adjustment): key for key in own}
    drawn: list[tuple[tuple[str, str], list[str], list[Cell]]] = []
    for row in _ordered_rows(context, {key.row for key in own}):
        model, population, metric = row
        cells = [
            _plan_cell(context, printer, by_place.get((*row, each)), analyte)
            for each in adjustments
        ]
        alike = drawn and drawn[-1][0] == (model, population)
        if alike and [_looks(c) for c in drawn[-1][2]] == [_looks(c) for c in cells]:
            drawn[-1][1].append(metric)
            drawn[-1][2][:] = [
                replace(old, value_ids=(*old.value_ids, *new.value_ids))
                for old, new in zip(drawn[-1][2], cells, strict=True)
            ]
        else:
            drawn.append(((model, population), [metric], cells))
    separator = language.text("label.list_separator")
    return [
        Row(
            (
                Cell(level_label(language, "er_model", model)),
                Cell(separator.join(metric_label(language, metric) for metric in metrics)),
                Cell(level_label(language, "population", population)),
                *cells,
            )
        )
        for (model, population), metrics, cells in drawn
    ]


def _looks(cell: Cell) -> tuple[str, tuple[str, ...]]:
    return cell.text, cell.reasons


def _counts(context: Context, printer: Printer, place: Place, name: str) -> Row:
    """Heading with the numbers of models planned, run and refused."""
    counts = [
        printer.cell(place, "{}", (stat, "count")) for stat in ("n_planned", "n_run", "n_refused")
    ]
    label = context.language.text(
        "label.plan_counts",
        name=name,
        planned=counts[0].text,
        run=counts[1].text,
        refused=counts[2].text,
    )
    return heading(Cell(label, tuple(v for cell in counts for v in cell.value_ids)))


def _plan_cell(context: Context, printer: Printer, key: _Key | None, analyte: str) -> Cell:
    """Role and method of a cell of the plan, or why it was not run."""
    if key is None:
        return printer.blank()
    language, place = context.language, key.place(PLAN, analyte)
    values = [printer.value(place, stat) for stat in ("role", "method", "landmark")]
    role, method, landmark = values
    label = language.text(
        "label.role_model",
        role=level_label(language, "role", role.text),
        model=level_label(language, "model", method.text),
    )
    value_ids = [value.value_id for value in values]
    if landmark.text != "NONE":
        label = language.text("label.from_landmark", text=label, day=landmark.text)
    reasons: tuple[str, ...] = ()
    if printer.exists(place, "reason"):
        reason = printer.value(place, "reason")
        value_ids.append(reason.value_id)
        reasons = (reason.text,)
    return Cell(label, tuple(value_ids), reasons)


def draw_multiplicity(context: Context) -> Table | NotShown:
    """Each test that counts: p, q, family, and whether it was pre-specified (T73)."""
    language, text = context.language, context.language.text
    analyte = exposure_analyte(context)
    printer = Printer(context.results, language)
    tested = [
        key
        for key in _read_keys(context)
        if printer.value(key.place(PLAN, analyte), "role").text != "SENSITIVITY"
    ]
    if not tested:
        return NotShown("NOTCOLL")
    adjustments = order_codes({key.adjustment for key in tested}, ADJUSTMENTS)
    families = {
        key.endpoint: printer.value(key.place(MULTIPLICITY, analyte), "family") for key in tested
    }
    order = order_codes({key.endpoint for key in tested}, _endpoints(context))
    rows: list[Row] = []
    for family in dict.fromkeys(families[endpoint].text for endpoint in order):
        for endpoint in [each for each in order if families[each].text == family]:
            name = text(
                "label.endpoint_family",
                endpoint=endpoint_label(context, endpoint),
                family=level_label(language, "family", family),
            )
            rows.append(heading(Cell(name, (families[endpoint].value_id,))))
            own = [key for key in tested if key.endpoint == endpoint]
            for row in _ordered_rows(context, {key.row for key in own}):
                members = {key.adjustment: key for key in own if key.row == row}
                rows.append(_test_row(context, printer, members, adjustments, analyte))
    columns = (
        Column(text("column.model"), align="left", width="15%"),
        Column(text("column.metric"), align="left", width="11%"),
        Column(text("column.analysis"), align="left", width="18%"),
        *(
            Column(text(f"statistic.{stat}"), group=level_label(language, "adjustment", each))
            for each in adjustments
            for stat in ("p", "q")
        ),
        Column(text("column.prespecified"), align="left", width="14%"),
    )
    return Table(columns, tuple(rows), _subjects(context), analytes=(analyte,))


def _test_row(
    context: Context,
    printer: Printer,
    members: Mapping[str, _Key],
    adjustments: Sequence[str],
    analyte: str,
) -> Row:
    """The p and q of each adjustment, and which of them was pre-specified."""
    language = context.language
    cells: list[Cell] = []
    chosen: list[str] = []
    value_ids: list[str] = []
    for adjustment in adjustments:
        if adjustment not in members:
            cells += [printer.blank(), printer.blank()]
            continue
        place = members[adjustment].place(MULTIPLICITY, analyte)
        cells += [printer.cell(place, "{}", (stat, "p")) for stat in ("p", "q")]
        prespecified = printer.value(place, "prespecified")
        value_ids.append(prespecified.value_id)
        if prespecified.text == "Y":
            chosen.append(level_label(language, "adjustment", adjustment))
    answer = language.text("label.prespecified.N")
    if chosen:
        listed = language.text("label.list_separator").join(chosen)
        answer = language.text("label.prespecified.Y", adjustments=listed)
    first = next(iter(members.values()))
    return Row(
        (
            Cell(level_label(language, "er_model", first.model)),
            Cell(metric_label(language, first.metric)),
            Cell(level_label(language, "population", first.population)),
            *cells,
            Cell(answer, tuple(value_ids)),
        )
    )


def _subjects(context: Context) -> int:
    """Subjects of the exposure-response set whom the models look at."""
    rows = context.results.select("exposure_response.logistic")
    counts = rows.loc[rows["stat_name"] == "n", "value"]
    return int(counts.max()) if len(counts) else 0


def _read_keys(context: Context) -> list[_Key]:
    """Cells of the plan; the keys of its results are sorted by name."""
    rows = context.results.select(PLAN)
    rows = rows[rows["stat_name"] == "role"]
    names = ("variable", "level1", "level2", "level3", "level4")
    return [
        _Key(endpoint, model, metric, adjustment, population)
        for endpoint, adjustment, metric, model, population in zip(
            *(rows[name] for name in names), strict=True
        )
    ]


def _ordered_rows(context: Context, rows: set[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Rows of an endpoint: model, then analysis, then metric in the order of the settings."""
    metrics = [str(metric) for metric in context.settings["exposure_response"]["metrics"]]
    ranks = [
        {name: rank for rank, name in enumerate(order_codes({row[place] for row in rows}, order))}
        for place, order in enumerate((_MODELS, _POPULATIONS, metrics))
    ]
    return sorted(
        rows, key=lambda row: tuple(rank[name] for rank, name in zip(ranks, row, strict=True))
    )


def _endpoints(context: Context) -> list[str]:
    return [str(code) for code in context.settings["exposure_response"]["endpoints"]]

"""Tables of counts (65a), daily hazards (62b, 63b), Emax models (56e) and markers (49a, 49b)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from celldossier.terms.language import print_unit
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import (
    ADJUSTMENTS,
    corrected,
    exposure_analyte,
    fitted_model,
    list_option,
    metric_name,
    tested,
)
from celldossier.tlf.fields import (
    Field,
    Reader,
    estimate,
    head_fields,
    level,
    read_row,
    stat,
    stats,
    where,
    word,
)
from celldossier.tlf.labels import endpoint_label, level_label, metric_label
from celldossier.tlf.model import Cell, Context, NotShown, Row, Table

COUNT, HAZARD = "exposure_response.count", "exposure_response.hazard"
EMAX = "exposure_response.emax"
BIOMARKER, RANK = "exposure_response.biomarker", "exposure_response.biomarker_rank"
REPEATED = "exposure_response.repeated"
_POPULATIONS = ("PRIMARY", "ALL_SAMPLES")
_METRICS = ("CCURR", "CMAX", "AUC28", "AUC84", "CMAXTMAX", "EXPRATE", "CMAXSITE")


def draw_count_models(context: Context) -> Table | NotShown:
    """Rate ratio per doubling of each metric, with the test of overdispersion."""
    fields = (
        Field("column.metric", metric_name, "13%", align="left"),
        Field("column.adjustment", level("adjustment"), "13%", align="left"),
        Field("statistic.n", stat("n", "count"), "6%"),
        Field(
            "column.count_total", stats("{} ({})", ("events", "count"), ("n_with", "count")), "11%"
        ),
        Field("column.rate_ratio", estimate("rr"), "17%"),
        Field("statistic.p", stat("p", "p"), "7%"),
        Field("statistic.q", tested("COUNT"), "7%"),
        Field(
            "column.dispersion",
            stats("{} ({})", ("pearson", "fixed2"), ("p_dispersion", "p")),
            "13%",
        ),
        Field("column.model", word("model", "model"), "13%"),
    )
    return _draw_models(context, COUNT, "rr", fields)


def draw_hazard_models(context: Context) -> Table | NotShown:
    """Odds ratio of an onset in a day per doubling of the concentration known by then.

    The option ``endpoints`` lists the codes of the binary endpoints.
    """
    fields = (
        Field("column.adjustment", level("adjustment"), "15%", align="left"),
        Field("statistic.n", stat("n", "count"), "7%"),
        *(
            Field(head, stats("{} ({})", (name, "count"), (f"{name}_noexposure", "count")), width)
            for head, name, width in (
                ("column.days_at_risk", "days", "16%"),
                ("column.onsets", "events", "12%"),
            )
        ),
        Field("column.odds_ratio", corrected("or", "SEPARFIX", _is_separated), "19%"),
        Field("statistic.p", stat("p", "p"), "8%"),
        Field("column.baseline_df", stat("baseline_df", "count"), "9%"),
        Field("column.model", fitted_model, "14%"),
    )
    return _draw_models(context, HAZARD, "or", fields, list_option(context, "endpoints"))


def draw_emax_models(context: Context) -> Table | NotShown:
    """Emax models that the settings ask for, beside the log-linear ones."""
    selected = context.results.select(EMAX)
    # Keys are sorted by name: level1 is the metric, level2 the model.
    found = sorted(
        set(zip(selected["variable"], selected["level1"], selected["level2"], strict=True))
    )
    if not found:
        return NotShown("NOTASKED")
    places = [
        Place(EMAX, endpoint, exposure_analyte(context), {"metric": metric, "model": model})
        for endpoint, metric, model in found
    ]
    fields = (
        Field("column.metric_model", _metric_and_model, "22%", align="left"),
        Field("statistic.n", stat("n", "count"), "5.5%"),
        Field("statistic.events", where("events", stat("events", "count")), "7%"),
        Field("column.e0", stat("e0"), "7%"),
        Field("column.emax", stat("emax"), "7%"),
        Field("column.ec50", estimate("ec50"), "18%"),
        Field("column.hill", stat("hill"), "6%"),
        Field("level.supported.EMAX", stat("aicc", "fixed1"), "8%", "column.aicc"),
        Field("level.supported.LOG_LINEAR", stat("aicc_linear", "fixed1"), "8%", "column.aicc"),
        Field("column.supported", word("supported", "supported"), "11.5%"),
    )
    return _table(context, fields, places)


def draw_biomarker_models(context: Context) -> Table | NotShown:
    """Ratio of each marker per doubling of each metric, and the rank correlation."""
    fields = (
        Field("column.metric", metric_name, "11%", align="left"),
        Field("column.adjustment", _adjustment_and_population, "26%", align="left"),
        Field("column.n_below", stats("{} ({})", ("n", "count"), ("n_below", "count")), "10%"),
        Field("column.ratio_per_doubling", estimate("ratio"), "19%"),
        Field("statistic.p", stat("p", "p"), "8%"),
        Field("statistic.q", tested("LINEAR"), "8%"),
        Field("column.spearman", _rank_correlation, "18%"),
    )
    return _draw_models(context, BIOMARKER, "ratio", fields)


def draw_repeated_markers(context: Context) -> Table | NotShown:
    """Mixed models of the repeated values of each marker."""
    fields = (
        Field("column.metric", metric_name, "16%", align="left"),
        Field("column.adjustment", level("adjustment"), "12%", align="left"),
        Field("column.n_values", stats("{} ({})", ("n", "count"), ("values", "count")), "11%"),
        Field("column.ratio_per_doubling", estimate("ratio"), "17%"),
        Field("statistic.p", stat("p", "p"), "7%"),
        Field("statistic.q", tested("MIXED"), "7%"),
        Field("column.change_per_week", _change, "17%"),
        Field("column.random_effects", word("random", "random"), "13%"),
    )
    return _draw_models(context, REPEATED, "ratio", fields)


def _draw_models(
    context: Context,
    analysis: str,
    statistic: str,
    fields: Sequence[Field],
    wanted: Sequence[str] | None = None,
) -> Table | NotShown:
    """One row a model of an analysis; an endpoint of which nothing was collected is left out.

    Parameters
    ----------
    statistic
        The estimate of the model.
    wanted
        Codes of the endpoints; all of them where it is None.
    """
    printer = Printer(context.results, context.language)
    places = []
    for place in _places(context, analysis):
        estimated = printer.value(place, statistic)
        uncollected = math.isnan(estimated.number) and estimated.note_code == "NOTCOLL"
        if not uncollected and (wanted is None or place.variable in wanted):
            places.append(place)
    return _table(context, fields, places) if places else NotShown("NOTCOLL")


def _table(context: Context, fields: Sequence[Field], places: Sequence[Place]) -> Table:
    """The rows below the name of their endpoint, in the order of the settings."""
    reader = Reader.of(context)
    rows: list[Row] = []
    for endpoint in _endpoints(context, places):
        rows.append(heading(endpoint_label(context, endpoint)))
        rows += [read_row(reader, fields, p) for p in places if p.variable == endpoint]
    return Table(
        head_fields(context, fields),
        tuple(rows),
        reader.printer.subjects,
        analytes=(exposure_analyte(context),),
    )


def _is_separated(printer: Printer, place: Place) -> bool:
    return printer.value(place, "or").note_code == "SEPARFIX"


def _metric_and_model(reader: Reader, place: Place) -> Cell:
    """The metric and the model, with the unit in which its EC50 is stated."""
    language = reader.context.language
    unit = reader.printer.value(place, "ec50").unit
    label = language.text(
        "label.metric_model",
        metric=metric_label(language, place.by["metric"]),
        model=level_label(language, "er_model", place.by["model"]),
    )
    if not unit:
        return Cell(label)
    return Cell(language.text("label.ec50_unit", label=label, unit=print_unit(unit)))


def _adjustment_and_population(reader: Reader, place: Place) -> Cell:
    language, population = reader.context.language, place.by["population"]
    label = level_label(language, "adjustment", place.by["adjustment"])
    if population == "PRIMARY":
        return Cell(label)
    analysis = level_label(language, "population", population)
    return Cell(language.text("label.adjustment_analysis", adjustment=label, analysis=analysis))


def _rank_correlation(reader: Reader, place: Place) -> Cell:
    """It knows no adjustment, and stands in the row of the primary model without one."""
    if (place.by["adjustment"], place.by["population"]) != ("UNADJUSTED", "PRIMARY"):
        return reader.printer.blank()
    metric = {"metric": place.by["metric"]}
    ranked = Place(RANK, place.variable, place.analyte, metric)
    return reader.printer.interval(ranked, "rho", "fixed2")


def _change(reader: Reader, place: Place) -> Cell:
    """Change a week, of models in which the exposure does not change itself."""
    if place.by["metric"] == "CCURR":
        return reader.printer.blank()
    return reader.printer.interval(place, "change")


def _places(context: Context, analysis: str) -> list[Place]:
    """Models of an analysis in the order of the report; level1 is the adjustment, by name."""
    rows = context.results.select(analysis)
    found = set(zip(rows["level2"], rows["level3"], rows["level1"], rows["variable"], strict=True))

    def rank(key: tuple[str, str, str, str]) -> tuple[int, int, int, tuple[str, ...]]:
        metric, population, adjustment, endpoint = key
        return (
            _position(metric, _METRICS),
            _position(population, _POPULATIONS),
            _position(adjustment, ADJUSTMENTS),
            (endpoint, metric, adjustment, population),
        )

    return [
        Place(
            analysis,
            endpoint,
            exposure_analyte(context),
            {"metric": metric, "adjustment": adjustment, "population": population},
        )
        for metric, population, adjustment, endpoint in sorted(found, key=rank)
    ]


def _position(code: str, order: tuple[str, ...]) -> int:
    return order.index(code) if code in order else len(order)


def _endpoints(context: Context, places: Iterable[Place]) -> list[str]:
    """Endpoints of the models, in the order of the settings."""
    found = {place.variable for place in places}
    order = [str(code) for code in context.settings["exposure_response"]["endpoints"]]
    return [code for code in order if code in found]

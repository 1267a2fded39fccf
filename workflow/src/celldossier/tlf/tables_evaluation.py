"""Tables of the evaluation of the models: performance and fit (56b), influence (56c)."""

from __future__ import annotations

from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.labels import endpoint_label, level_label, metric_label
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

EVALUATION = "exposure_response.evaluation"
ORDINAL_CUT = "exposure_response.ordinal_cut"
ORDINAL_INFLUENCE = "exposure_response.ordinal_influence"


def draw_evaluation(context: Context) -> Table | NotShown:
    """Discrimination, Brier score, calibration and tests of fit of each evaluated model."""
    places = _models(context)
    if not places:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    rows = [_binary_row(printer, context, place) for place in places]
    cuts = _cuts(context)
    shown_name = ""
    for place in cuts:
        name = language.text("label.ordinal_model", model=_name(context, place))
        if name != shown_name:
            shown_name = name
            rows.append(heading(name))
        rows.append(_cut_row(printer, context, place))
    apparent, corrected = language.text("column.apparent"), language.text("column.corrected")
    area, brier = language.text("column.auc_ci"), language.text("column.brier")
    calibrated, tests = language.text("column.calibration"), language.text("column.tests_p")
    columns = (
        Column(language.text("column.model"), align="left", width="23%"),
        Column(language.text("statistic.n"), width="5%"),
        Column(language.text("statistic.events"), width="6%"),
        Column(apparent, group=area, width="14%"),
        Column(corrected, group=area, width="7%"),
        Column(apparent, group=brier, width="6.5%"),
        Column(corrected, group=brier, width="7%"),
        Column(language.text("column.intercept"), group=calibrated, width="7%"),
        Column(language.text("column.slope"), group=calibrated, width="6%"),
        Column(language.text("column.test_fit"), group=tests, width="6%"),
        Column(language.text("column.test_residuals"), group=tests, width="6.5%"),
        Column(language.text("column.test_linearity"), group=tests, width="6%"),
    )
    analyte = exposure_analyte(context)
    return Table(columns, tuple(rows), printer.subjects, analytes=(analyte,))


def draw_influence(context: Context) -> Table | NotShown:
    """Odds ratio of each evaluated model without each subject, and who moves it."""
    places = [*_models(context), *_places(context, ORDINAL_INFLUENCE)]
    if not places:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    rows = []
    for place in places:
        residual = printer.blank()
        if printer.exists(place, "deviance_max"):
            residual = printer.cell(place, "{}", ("deviance_max", "fixed2"))
            if printer.exists(place, "deviance_subject"):
                residual = printer.cell(
                    place, "{} ({})", ("deviance_max", "fixed2"), ("deviance_subject", "count")
                )
        listed = printer.blank()
        if printer.exists(place, "influential"):
            found = printer.value(place, "influential")
            listed = Cell(found.text, (found.value_id,))
        rows.append(
            Row(
                (
                    Cell(_name(context, place)),
                    printer.cell(place, "{}", ("n", "count")),
                    printer.cell(
                        place, "{} – {}", ("or_min", "significant"), ("or_max", "significant")
                    ),
                    printer.cell(place, "{}", ("dfbetas_max", "fixed2")),
                    residual,
                    listed,
                )
            )
        )
    columns = (
        Column(language.text("column.model"), align="left", width="21%"),
        Column(language.text("statistic.n"), width="5%"),
        Column(language.text("column.or_range"), width="11%"),
        Column(language.text("column.dfbetas_max"), width="8%"),
        Column(language.text("column.deviance_max"), width="15%"),
        Column(language.text("column.influential"), align="left", width="40%"),
    )
    return Table(columns, tuple(rows), printer.subjects, analytes=(exposure_analyte(context),))


def _places(context: Context, analysis: str) -> list[Place]:
    """Models of an analysis, in the order of the results; the adjustment is the first key."""
    rows = context.results.select(analysis)
    keys = dict.fromkeys(zip(rows["variable"], rows["level1"], rows["level2"], strict=True))
    analyte = exposure_analyte(context)
    return [
        Place(analysis, variable, analyte, {"adjustment": adjustment, "metric": metric})
        for variable, adjustment, metric in keys
    ]


def _models(context: Context) -> list[Place]:
    """Evaluated logistic models: those of the settings' primary pairs first, in their order."""
    rows = context.results.select(EVALUATION)
    keys = dict.fromkeys(
        zip(rows["variable"], rows["level1"], rows["level2"], rows["level3"], strict=True)
    )
    settings = context.settings["exposure_response"]
    pairs = [
        (p["endpoint"], settings["primary_adjustment"], p["metric"]) for p in settings["primary"]
    ]
    first = [(*pair, "PRIMARY") for pair in pairs if (*pair, "PRIMARY") in keys]
    analyte = exposure_analyte(context)
    return [
        Place(
            EVALUATION,
            endpoint,
            analyte,
            {"adjustment": adjustment, "metric": metric, "population": population},
        )
        for endpoint, adjustment, metric, population in (
            *first, *sorted(key for key in keys if key not in first)
        )
    ]  # fmt: skip


def _cuts(context: Context) -> list[Place]:
    rows = context.results.select(ORDINAL_CUT)
    keys = dict.fromkeys(
        zip(rows["variable"], rows["level1"], rows["level3"], rows["level2"], strict=True)
    )
    analyte = exposure_analyte(context)
    return [
        Place(
            ORDINAL_CUT,
            variable,
            analyte,
            {"adjustment": adjustment, "metric": metric, "grade": grade},
        )
        for variable, adjustment, metric, grade in sorted(keys)
    ]


def _name(context: Context, place: Place) -> str:
    """Endpoint, metric, adjustment, and what else names the model."""
    language = context.language
    text = language.text(
        "label.model_name",
        endpoint=endpoint_label(context, place.variable),
        metric=metric_label(language, place.by["metric"]),
        adjustment=level_label(language, "adjustment", place.by["adjustment"]),
    )
    population = place.by.get("population", "PRIMARY")
    if population == "PRIMARY":
        return text
    return f"{text} – {level_label(language, 'population', population)}"


def _binary_row(printer: Printer, context: Context, place: Place) -> Row:
    return Row(
        (
            Cell(_name(context, place)),
            printer.cell(place, "{}", ("n", "count")),
            printer.cell(place, "{}", ("events", "count")),
            printer.interval(place, "auc", "fixed2"),
            printer.cell(place, "{}", ("auc_corrected", "fixed2")),
            printer.cell(place, "{}", ("brier", "fixed3")),
            printer.cell(place, "{}", ("brier_corrected", "fixed3")),
            printer.cell(place, "{}", ("intercept_corrected", "fixed2")),
            printer.cell(place, "{}", ("slope_corrected", "fixed2")),
            printer.cell(place, "{}", ("gof_p", "p")),
            printer.cell(place, "{}", ("residual_p", "p")),
            printer.cell(place, "{}", ("linearity_p", "p")),
        )
    )


def _cut_row(printer: Printer, context: Context, place: Place) -> Row:
    blank = printer.blank()
    grade = place.by["grade"].removeprefix("GE")
    return Row(
        (
            Cell(context.language.text("label.at_least_grade", grade=grade)),
            printer.cell(place, "{}", ("n", "count")),
            printer.cell(place, "{}", ("events", "count")),
            printer.interval(place, "auc", "fixed2"),
            blank,
            printer.cell(place, "{}", ("brier", "fixed3")),
            *(blank,) * 6,
        ),
        indent=1,
    )

"""The NCA under other conventions: how many values differ and why (28a), and which (38a)."""

from __future__ import annotations

from typing import Any

from celldossier.io.resources import read_resource
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import order_parameters
from celldossier.tlf.cells import Place, Printer, heading
from celldossier.tlf.labels import analyte_label, analytes_in, parameter_label
from celldossier.tlf.listings import list_dataset
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

CROSSWALK = "cellular_kinetics.crosswalk"
RULES = "cellular_kinetics.crosswalk_rules"
SECTION = "cellular_kinetics"

LISTED = (
    *("USUBJID", "PARCAT1", "PARAMCD", "PRESET"),
    *("AVAL", "PPREASND", "AVALX", "XREASND", "RATIO", "RULES", "JOINT"),
)


def draw_nca_crosswalk(context: Context) -> Table | NotShown:
    """One row a convention, analyte and parameter in which a value differs.

    The footnotes name the keys of each convention that differ from the study's own, and
    what it cannot express.
    """
    presets = list(context.settings[SECTION]["crosswalk"])
    if not presets:
        return NotShown("NOTASKED")
    analytes = analytes_in(context, CROSSWALK)
    if not analytes:
        return NotShown("NOTCOLL")
    language = context.language
    printer = Printer(context.results, language)
    rows: list[Row] = []
    for preset in presets:
        for analyte in analytes:
            head = language.text(
                "label.preset_analyte",
                preset=_preset_name(context, preset),
                analyte=analyte_label(context, analyte),
            )
            rows.append(heading(head))
            shown = _differing(context, printer, preset, analyte)
            rows += [_row(context, printer, place) for place in shown]
            if not shown:
                rows.append(heading(language.text("label.no_difference")))
    columns = (
        Column(language.text("column.parameter"), align="left", width="22%"),
        Column(language.text("statistic.n")),
        Column(language.text("statistic.n_diff")),
        Column(language.text("statistic.n_gained")),
        Column(language.text("statistic.n_lost")),
        Column(language.text("column.ratio_preset"), width="22%"),
        Column(language.text("column.rules_count"), align="left", width="22%"),
    )
    notes = [_describe(context, preset) for preset in presets]
    return Table(columns, tuple(rows), printer.subjects, tuple(notes), tuple(analytes))


def draw_nca_crosswalk_listing(context: Context) -> Table | NotShown:
    """The values that differ, as they stand in ADPPX."""
    if not context.settings[SECTION]["crosswalk"]:
        return NotShown("NOTASKED")
    frame = context.dataset("ADPPX")
    if frame.empty:
        return NotShown("NODATA")
    return list_dataset(context, frame, "ADPPX", LISTED)


def _differing(context: Context, printer: Printer, preset: str, analyte: str) -> list[Place]:
    """Places of the parameters in which a value differs, in the order of the registry."""
    rows = context.results.select(CROSSWALK)
    rows = rows[(rows["analyte"] == analyte) & (rows["level1"] == preset)]
    places = [
        Place(CROSSWALK, code, analyte, {"preset": preset})
        for code in order_parameters(rows["variable"].unique())
    ]
    return [place for place in places if printer.value(place, "n_diff").number > 0]


def _row(context: Context, printer: Printer, place: Place) -> Row:
    language = context.language
    ratio = [(stat, "significant") for stat in ("median", "min", "max")]
    return Row(
        (
            Cell(parameter_label(place.variable, language)),
            *(
                printer.cell(place, "{}", (stat, "count"))
                for stat in ("n", "n_diff", "n_gained", "n_lost")
            ),
            printer.cell(place, "{} ({}, {})", *ratio),
            _rules_cell(context, printer, place),
        ),
        indent=1,
    )


def _rules_cell(context: Context, printer: Printer, place: Place) -> Cell:
    """The rules that make the difference, each with its count."""
    rows = context.results.select(RULES)
    mask = (rows["variable"] == place.variable) & (rows["analyte"] == place.analyte)
    mask &= rows["level1"] == place.by["preset"]
    texts: list[str] = []
    identifiers: list[str] = []
    for rule in natural_order(set(rows.loc[mask, "level2"])):
        cell = printer.cell(place.of(RULES).within(rule=rule), "{}", ("n", "count"))
        texts.append(f"{rule}: {cell.text}")
        identifiers += cell.value_ids
    return Cell(context.language.text("label.list_separator").join(texts), tuple(identifiers))


def _preset_name(context: Context, preset: str) -> str:
    entry = read_resource("terms", "nca_presets.yaml").get(preset)
    return context.language.label(entry) if entry else preset


def _describe(context: Context, preset: str) -> str:
    """The keys in which a convention differs from the study, and what it cannot express."""
    language = context.language
    entry = read_resource("terms", "nca_presets.yaml").get(preset)
    if entry is None:
        return language.text("footnote.crosswalk_own", preset=preset)
    own = context.settings[SECTION]
    keys = [
        language.text("label.key_rule", name=place, value=_plain(key["value"]), rule=key["rule"])
        for place, key in entry["keys"].items()
        if _get(own, place) != key["value"]
    ]
    return language.text(
        "footnote.crosswalk_preset",
        preset=_preset_name(context, preset),
        keys=language.text("label.list_separator").join(keys),
        limits=language.label(entry["limits"]),
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _get(values: Any, place: str) -> Any:
    found = values
    for part in place.split("."):
        found = found[part]
    return found

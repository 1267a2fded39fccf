"""What the tables and figures of the exposure-response models share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from celldossier.tlf.cells import Place, Printer, level_cell
from celldossier.tlf.fields import Field, Reader, Reading, at, estimate, geomean, stat
from celldossier.tlf.labels import level_label, metric_label
from celldossier.tlf.model import Cell, Context

PLAN = "exposure_response.plan"
MULTIPLICITY = "exposure_response.multiplicity"

ADJUSTMENTS = ("UNADJUSTED", "TUMOUR_BURDEN", "FULL")
"""Adjustments of a model, in the order of the tables."""


def exposure_analyte(context: Context) -> str:
    """Analyte whose kinetics are the exposure."""
    return str(context.settings["exposure_response"]["analyte"])


def exposure_unit(context: Context) -> str:
    """Unit of its concentrations; blank where no assay is declared for it."""
    analyte = exposure_analyte(context)
    declared = context.settings["bioanalysis"]["assays"]
    return next((str(a["unit"]) for a in declared if a["analyte"] == analyte), "")


def list_option(context: Context, name: str) -> list[str]:
    """Codes that the declaration of the table names in its option.

    Raises
    ------
    TypeError
        If the option is no list.
    """
    value = context.options[name]
    if not isinstance(value, list):
        raise TypeError(f"the option {name} is a list of codes, not {value!r}")
    return [str(item) for item in value]


def order_codes(found: Iterable[str], order: Iterable[str]) -> list[str]:
    """Those that were found, in the order given; the others after them by name."""
    remaining = set(found)
    ordered = [each for each in order if each in remaining]
    return ordered + sorted(remaining - set(ordered))


def q_cell(printer: Printer, place: Place) -> Cell:
    """False discovery rate of a model; a sensitivity analysis repeats a question and has none."""
    q = printer.value(place, "q")
    if q.note_code == "SENSANAL":
        return replace(printer.blank(), value_ids=(q.value_id,))
    return printer.cell(place, "{}", ("q", "p"))


def metric_name(reader: Reader, place: Place) -> Cell:
    """Name of the exposure metric of a model."""
    return Cell(metric_label(reader.context.language, place.by["metric"]))


def fitted_model(reader: Reader, place: Place) -> Cell:
    """The model that was fitted in the end, or that there is none."""
    language, printer = reader.context.language, reader.printer
    if not printer.exists(place, "model"):
        return Cell(level_label(language, "model", "NONE"))
    return level_cell(language, "model", printer.value(place, "model"))


def tested(model: str) -> Reading:
    """False discovery rate of a model of that kind among all that are tested."""
    return at(
        lambda place: place.of(MULTIPLICITY).within(model=model),
        lambda reader, place: q_cell(reader.printer, place),
    )


def corrected(name: str, reason: str, is_corrected: Callable[[Printer, Place], bool]) -> Reading:
    """An estimate with its limits, marked where the likelihood had to be penalised for it."""

    def read(reader: Reader, place: Place) -> Cell:
        cell = reader.printer.interval(place, name)
        return replace(cell, reasons=(reason,)) if is_corrected(reader.printer, place) else cell

    return read


def compared_groups(*groups: tuple[str, str]) -> tuple[Field, ...]:
    """Number and geometric mean of groups side by side, and the ratio of their means.

    Parameters
    ----------
    groups
        Suffix of the statistics of each group, and the key of its head.
    """
    return (
        *(
            field
            for suffix, head in groups
            for field in (
                Field("statistic.n", stat(f"n{suffix}", "count"), "8%", head),
                Field("statistic.geomean_gcv", geomean(suffix), group=head),
            )
        ),
        Field("column.gmr", estimate("gmr")),
    )


def fitted_subjects(printer: Printer, places: Iterable[Place], estimated: str) -> int:
    """Subjects of the largest model that was fitted: refused models are no evidence.

    Parameters
    ----------
    estimated
        Name of the statistic that a refused model does not have.
    """
    return max(
        (
            int(printer.value(place, "n").number)
            for place in places
            if math.isfinite(printer.value(place, estimated).number)
        ),
        default=0,
    )

"""Listing of the doses: every infusion, and the sums over split doses and courses (14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from celldossier.terms.language import Language, format_fixed, format_significant
from celldossier.tlf.labels import reason_label, variable_label, with_unit
from celldossier.tlf.listings import EXCERPT_ROWS
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

ACCOUNT = "dose_exploration.accountability"

_AMOUNTS = (("DOSETOT", "WINTOTFL"), ("DOSEVIA", "WINVIAFL"), ("DOSETGP", "WINTGPFL"))
"""Amounts that have a window of their own."""

_ORDER = {"INFUSION": 0, "DOSE": 1, "COURSE": 2}
_CELLS = {"TOT": "total", "VIA": "viable", "TGP": "transgene_positive"}


def draw_dose_listing(context: Context) -> Table | NotShown:
    """One row an infusion: planned and given, cells by basis, gene copies, per kg and m2, lot.

    Sums over the fractions of a dose and over a course stand below their infusions where
    they add up more than one. The CSV beside it holds all rows and variables.
    """
    frame = context.dataset("ADDA")
    if frame.empty:
        return NotShown("NOTCOLL")
    language = context.language
    several = (frame["DALEVEL"] == "INFUSION") | (frame["NINFUS"] > 1)
    rows = frame.loc[several].assign(_order=frame["DALEVEL"].map(_ORDER))
    # A sum stands below the last of its infusions.
    last = rows["PDOSENO"].fillna(float("inf"))
    rows = rows.assign(_dose=last).sort_values(
        ["USUBJID", "COURSE", "_dose", "_order", "DOSENO"], kind="stable"
    )
    known = [name for name, _ in _AMOUNTS if frame[name].notna().any()]
    absent = [name for name, _ in _AMOUNTS if name not in known]
    lot = [name for name in ("VIABPCT", "TRANSPCT", "VCN") if frame[name].notna().any()]
    absent += [name for name in ("VIABPCT", "TRANSPCT", "VCN") if name not in lot]
    copies = bool(frame["COPIES"].notna().any())
    columns = _columns(language, frame, known, lot, copies)
    body = tuple(
        Row(_cells(language, record, known, lot, copies), indent=0)
        for record in rows.head(EXCERPT_ROWS).to_dict("records")
    )
    notes = _notes(context, frame, absent, copies)
    if len(rows) > EXCERPT_ROWS:
        notes.append(language.text("footnote.excerpt", shown=EXCERPT_ROWS, rows=len(rows)))
    return Table(columns, body, int(frame["USUBJID"].nunique()), tuple(notes), full=frame)


def _columns(
    language: Language, frame: pd.DataFrame, known: list[str], lot: list[str], copies: bool
) -> tuple[Column, ...]:
    def unit_of(variable: str) -> str:
        units = set(frame[variable]) - {""}
        return str(units.pop()) if len(units) == 1 else ""

    text = language.text
    dose = with_unit(text("dose_listing.dose"), unit_of("DOSEU"))
    given, of_lot = text("dose_listing.given"), text("dose_listing.of_lot")
    amounts = [*known, "COPIES"] if copies else known
    # Where a window is judged, its flag needs room.
    judged = {name for name, flag in _AMOUNTS if (frame[flag] != "").any()}
    columns = [
        Column(variable_label(language, "ADDA", "USUBJID"), align="left", width="10.5%"),
        Column(text("dose_listing.level"), align="left", width="4.5%"),
        Column(text("dose_listing.infusion"), align="left", width="8.5%"),
        Column(text("dose_listing.day"), width="4%"),
        Column(variable_label(language, "ADDA", "LOTID"), align="left", width="8.5%"),
        Column(text("dose_listing.planned"), group=dose),
        Column(text("dose_listing.actual"), group=dose),
        Column(text("dose_listing.ratio"), group=dose, width="6.5%"),
        *(
            Column(
                text(f"dose_listing.{name}"),
                group=given,
                width="6%" if name in judged else "",
            )
            for name in amounts
        ),
    ]
    for size, unit in (("kg", "DOSEKGU"), ("m2", "DOSEM2U")):
        cells = unit_of(unit) == f"10^6 cells/{size}"
        label = text("dose_listing.actual")
        group = with_unit(text(f"dose_listing.per_{size}"), f"10^6/{size}" if cells else "")
        columns.append(Column(label if cells else with_unit(label, unit_of(unit)), group=group))
        if copies:
            label = text("dose_listing.copies")
            unit = "" if cells else f"10^6 copies/{size}"
            columns.append(Column(with_unit(label, unit), group=group))
    units = {"VIABPCT": "%", "TRANSPCT": "%", "VCN": ""}
    columns += [
        Column(with_unit(text(f"dose_listing.{name}"), units[name]), group=of_lot) for name in lot
    ]
    return tuple(columns)


def _cells(
    language: Language,
    record: Mapping[Any, Any],
    known: list[str],
    lot: list[str],
    copies: bool,
) -> tuple[Cell, ...]:
    infusion = record["DALEVEL"] == "INFUSION"
    flags = dict(_AMOUNTS)
    day = format_fixed(float(str(record["AFRLT"])), 1) if infusion else ""
    cells = [
        Cell(str(record["USUBJID"]) if infusion else ""),
        Cell(str(record["TRT01A"]) if infusion else ""),
        Cell(_name(language, record)),
        Cell(day),
        Cell(str(record["LOTID"]) if infusion else ""),
        _number(record, "DOSEP"),
        _number(record, "DOSEA"),
        _number(record, "DOSERAT", "INWINFL"),
        *(_number(record, name, flags[name]) for name in known),
    ]
    if copies:
        cells.append(_copies(language, record, "COPIES"))
    for dose, copy in (("DOSEKG", "COPYKG"), ("DOSEM2", "COPYM2")):
        cells.append(_number(record, dose))
        if copies:
            cells.append(_number(record, copy))
    cells += [_number(record, name) if infusion else Cell("") for name in lot]
    return tuple(cells)


def _name(language: Language, record: Mapping[Any, Any]) -> str:
    """Number and type of an infusion, or what a sum adds up."""
    if record["DALEVEL"] == "INFUSION":
        kind = language.text(f"dose_type.{record['DOSETYPE']}")
        return f"{int(float(str(record['DOSENO'])))}: {kind}"
    key = f"dose_listing.sum_{record['DALEVEL']}"
    number = record["PDOSENO"] if record["DALEVEL"] == "DOSE" else record["COURSE"]
    return language.text(key, number=int(float(str(number))), n=int(float(str(record["NINFUS"]))))


def _number(record: Mapping[Any, Any], name: str, flag: str = "") -> Cell:
    """A number with its window flag, such as ``1.02 (Y)``; blank where there is none."""
    value = float(str(record[name]))
    if value != value:
        return Cell("–")
    window = str(record[flag]) if flag else ""
    text = format_fixed(value, 2) if name == "DOSERAT" else format_significant(value)
    # A no-break space keeps the flag beside its number.
    return Cell(text + (f"\u00a0({window})" if window else ""))


def _copies(language: Language, record: Mapping[Any, Any], name: str) -> Cell:
    value = float(str(record[name]))
    if value == value:
        return Cell(format_significant(value))
    reason = str(record["COPYRSN"])
    return Cell(language.text("label.not_calculated"), reasons=(reason,) if reason else ())


def _notes(context: Context, frame: pd.DataFrame, absent: list[str], copies: bool) -> list[str]:
    """What is counted, what is in no sum of the first course, what raw records are not here."""
    language = context.language
    text = language.text
    separator = text("label.list_separator")
    notes = []
    bases = sorted(set(frame["DOSEBAS"]) - {""})
    if len(bases) == 1:
        notes.append(text("dose_listing.note.basis", cells=text(f"dose_basis.{_CELLS[bases[0]]}")))
    if copies:
        basis = str(frame.loc[frame["COPIES"].notna(), "COPYBAS"].iloc[0])
        notes.append(text("dose_listing.note.copies", cells=text(f"dose_basis.{_CELLS[basis]}")))
    else:
        reasons = sorted(set(frame["COPYRSN"]) - {""})
        words = separator.join(language.reason(code) for code in reasons)
        notes.append(text("dose_listing.note.no_copies", reason=words))
    if absent:
        names = separator.join(variable_label(language, "ADDA", name) for name in absent)
        notes.append(text("dose_listing.note.absent", names=names))
    find = context.results.find
    counted = {
        stat: find(ACCOUNT, "INFUSION", "", {}, stat) for stat in ("n", "n_subjects", "n_counted")
    }
    numbers = {stat: f"{value.number:g}" for stat, value in counted.items() if value}
    others = {
        kind: find(ACCOUNT, "INFUSION", "", {"reason": kind}, "n")
        for kind in ("RETREATMENT", "UNPLANNED")
    }
    kinds = separator.join(
        f"{text(f'dose_type.{kind}')}: {value.number:g}" for kind, value in others.items() if value
    )
    notes.append(text("dose_listing.note.account", kinds=kinds, **numbers))
    raw = context.dataset("EXCLUSIONS")
    excluded = raw.loc[raw["domain"] == "EX", "reason"].value_counts().sort_index()
    if len(excluded):
        words = separator.join(
            f"{reason_label(language, str(code))}: {n}" for code, n in excluded.items()
        )
        notes.append(text("dose_listing.note.excluded", reasons=words))
    else:
        notes.append(text("dose_listing.note.none_excluded"))
    return notes

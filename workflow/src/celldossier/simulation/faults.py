"""Faults of a messy twin, declared as data.

A fault names the rule that must find it, the records that it may befall, a spoiler with
its arguments, and what the finding will say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import Field

from celldossier.settings.base import Code, Section

Choice: TypeAlias = str | tuple[str, ...]

SpoilerName = Literal[
    "set",
    "multiply",
    "replace",
    "swap",
    "move",
    "shift",
    "duplicate",
    "remove",
    "borrow",
    "drop_column",
    "encode",
]
"""What can be done to a record or a file; see `celldossier.simulation.spoilers`."""


class FoundAs(Section):
    """Where and how the finding will say it, where that is not the spoiled cell."""

    column: str | None = Field(None, description="Column of the finding; the spoiled one if blank.")
    value: str | None = Field(None, description="Its value; the cell of `cell` if blank.")
    cell: str | None = Field(None, description="Column whose cell is the value.")
    domain: Code | None = Field(None, description="Domain of the finding, if it is another one.")
    at: dict[str, Choice] = Field(
        default_factory=dict, description="Values of the subject's record there: the first of them."
    )
    row: Literal["record", "none"] = Field("record", description="The record, or the whole file.")
    subject: Literal["record", "none"] = Field("record", description="Subject of the record.")


class Fault(Section):
    """One fault to plant."""

    rule: Code = Field(description="Rule that must find it.")
    severity: Literal["error", "warning", "note"] = Field(description="Severity of the finding.")
    domain: Code = Field(description="Domain of the raw file.")
    select: dict[str, Choice] = Field(
        default_factory=dict, description="Column: value, or values, of the records it may befall."
    )
    unless: dict[str, Choice] = Field(
        default_factory=dict, description="Column: value, or values, of records to be spared."
    )
    with_record: dict[str, dict[str, Choice]] = Field(
        default_factory=dict,
        description="Domain: values; the subject must have such a record in that domain.",
    )
    without_record: dict[str, dict[str, Choice]] = Field(
        default_factory=dict,
        description="Domain: values; the subject must have no such record in that domain.",
    )
    also_without: dict[str, dict[str, Choice]] = Field(
        default_factory=dict,
        description="Domain: values; such records of the subject are removed besides.",
    )
    infused: bool = Field(True, description="Only subjects who received the product.")
    alone: bool = Field(
        False, description="Takes the subject for itself, as faults of DM, EX and LOTS do."
    )
    spoil: SpoilerName = Field(description="What is done to the record.")
    column: str = Field("", description="Column that is spoiled.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Of the spoiler.")
    found: FoundAs = Field(default_factory=FoundAs)
    consequences: tuple[Code, ...] = Field(
        (), description="Rules that may find something more of the same subject or file."
    )
    en: str = Field(min_length=1, description="What is wrong, in English.")
    zh: str = Field(min_length=1, description="What is wrong, in Chinese.")


class FaultList(Section):
    """A file of faults."""

    names: dict[str, str] = Field(
        default_factory=dict,
        description="What stands for $name in the shared faults, for instance a test code.",
    )
    without: tuple[Code, ...] = Field(
        (), description="Rules of the shared faults that the study cannot have."
    )
    faults: tuple[Fault, ...] = ()


def combine_faults(shared: FaultList, own: FaultList) -> list[Fault]:
    """Shared faults that the study can have, with its names put in, and its own.

    Raises
    ------
    ValueError
        If `without` names a rule that no shared fault has, or a name is not given.
    """
    unknown = set(own.without) - {fault.rule for fault in shared.faults}
    if unknown:
        raise ValueError(f"without: no shared fault has the rule {', '.join(sorted(unknown))}.")
    kept = [fault for fault in shared.faults if fault.rule not in own.without]
    named = [Fault.model_validate(_fill(fault.model_dump(), own.names)) for fault in kept]
    return [*named, *own.faults]


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("$") and len(value) > 1:
        if value[1:] not in names:
            raise ValueError(f"names: {value[1:]} is not given.")
        return names[value[1:]]
    if isinstance(value, dict):
        return {name: _fill(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(inner, names) for inner in value]
    return value

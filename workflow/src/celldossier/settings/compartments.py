"""Compartments of the body: which specimen the others are compared with, and how near in time."""

from __future__ import annotations

from pydantic import Field

from celldossier.settings.base import Code, Section


class CompartmentRules(Section):
    """Distribution of the cells: specimens and places as compartments beside the central one."""

    central: tuple[str, ...] = Field(
        ("BLOOD", "WHOLE BLOOD", "PERIPHERAL BLOOD"),
        description=(
            "Specimens (PCSPEC) of the central compartment, one and the same thing under several "
            "names; the ratio of each other compartment is to it."
        ),
    )
    no_compartment: tuple[str, ...] = Field(
        ("DNA",),
        description=(
            "Specimens that are no compartment of their own, such as archived DNA that was "
            "measured again."
        ),
    )
    imaging: tuple[Code, ...] = Field(
        (),
        description=(
            "Markers of ADPD that show the cells in the body, such as the signal of labelled "
            "cells; each place (ALOC) is a compartment, without a ratio to blood."
        ),
    )
    pair_window: float = Field(
        1,
        ge=0,
        description=(
            "Largest distance in time, in days, of a sample and the nearest central one, with "
            "which it makes a ratio."
        ),
    )

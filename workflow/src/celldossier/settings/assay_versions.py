"""Versions of an assay: what was validated, where it is run, and between which dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from celldossier.settings.base import Bilingual, Section


class MethodFacts(Section):
    """What the table of methods says of an assay, or of one of its versions."""

    lod: float | None = Field(None, gt=0, description="Limit of detection, in `unit`.")
    lloq: float | None = Field(None, gt=0, description="Lower limit of quantitation, in `unit`.")
    uloq: float | None = Field(None, gt=0, description="Upper limit of quantitation, in `unit`.")
    accuracy: str = Field("", description="Accuracy found in validation, with unit.")
    precision: str = Field("", description="Precision found in validation, with unit.")
    input_amount: str = Field("", description="Input, for instance ug of genomic DNA a reaction.")
    reagent_lot: str = Field("", description="Lot of the critical reagents or of the kit.")
    stability: str = Field("", description="Conditions of storage for which stability was shown.")
    stability_days: float | None = Field(
        None,
        gt=0,
        description=(
            "Longest time from collection to analysis for which stability was shown, days. A "
            "sample that was kept longer is a finding."
        ),
    )
    laboratory: str = Field("", description="Laboratory that ran the assay, as --NAM names it.")
    valid_from: date | None = Field(None, description="First day on which it may be run.")
    valid_until: date | None = Field(None, description="Last day on which it may be run.")
    validation: str = Field("", description="Reference of the validation report.")

    @model_validator(mode="after")
    def _limits_and_dates_are_in_order(self) -> Self:
        check_order(self)
        return self


class AssayVersion(MethodFacts):
    """One version of a method; what it does not say is that of the assay."""

    version: str = Field(description="Version, as --ASSAYV of the raw data.", min_length=1)
    platform: Bilingual | None = Field(None, description="Method; blank: that of the assay.")
    matrix: Bilingual | None = Field(None, description="Specimen; blank: that of the assay.")


def check_order(facts: MethodFacts) -> None:
    """Refuse limits or dates that are not in order.

    Raises
    ------
    ValueError
        If LOD exceeds LLOQ, LLOQ is not below ULOQ, or the dates end before they begin.
    """
    lod, lloq, uloq = facts.lod, facts.lloq, facts.uloq
    if lod is not None and lloq is not None and lod > lloq:
        raise ValueError("lod exceeds lloq")
    if uloq is not None and any(low is not None and low >= uloq for low in (lod, lloq)):
        raise ValueError("uloq is not above lod and lloq")
    first, last = facts.valid_from, facts.valid_until
    if first is not None and last is not None and last < first:
        raise ValueError("valid_until lies before valid_from")


def complete_versions(
    assay: MethodFacts,
    version: str,
    platform: Bilingual,
    matrix: Bilingual,
    versions: Sequence[AssayVersion],
) -> tuple[AssayVersion, ...]:
    """Versions with the facts of the assay in the place of what they do not say.

    An assay without versions has one, which is itself; its name may be blank.
    """
    shared = {name: getattr(assay, name) for name in MethodFacts.model_fields}
    shared |= {"platform": platform, "matrix": matrix}
    if not versions:
        return (AssayVersion.model_construct(version=version, **shared),)
    return tuple(
        AssayVersion.model_construct(
            version=own.version,
            **{
                name: value if getattr(own, name) in (None, "") else getattr(own, name)
                for name, value in shared.items()
            },
        )
        for own in versions
    )

"""A stage reads its datasets from the folder of a run, and what it hands on is written there."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from celldossier.io.run_folder import RunFolder

Sources = TypeVar("Sources", bound="DataclassInstance")


def read_sources(run: RunFolder, sources: type[Sources]) -> Sources:
    """The datasets that a stage declares as the fields of its class `sources`: ``adsl`` is ADSL."""
    names = [field.name for field in fields(sources)]
    return sources(**{name: run.dataset(name.upper()) for name in names})


def write_output(run: RunFolder, stage: str, output: Any) -> None:
    """Write what `celldossier.io.stages` says that the stage hands on.

    Parameters
    ----------
    output
        One field a dataset (``adpp`` is ADPP), ``results`` and, where the stage has them,
        ``curves``.
    """
    from celldossier.io.stages import STAGES

    for name in STAGES[stage].datasets:
        run.write_dataset(getattr(output, name.lower()), name)
    run.write_results(output.results, stage)
    if STAGES[stage].curves:
        run.write_curves(output.curves, stage)

"""Datasets: their specifications, and the checks that hold a frame to them."""

from celldossier.datasets.conform import check_dataset, conform, empty_dataset
from celldossier.datasets.specification import (
    Specification,
    Variable,
    list_specifications,
    read_specification,
)

__all__ = [
    "Specification",
    "Variable",
    "check_dataset",
    "conform",
    "empty_dataset",
    "list_specifications",
    "read_specification",
]

"""Specifications and one large simulated study that several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from celldossier.cli.simulate import read_specification
from celldossier.simulation.draw import DrawnStudy, draw_study
from celldossier.simulation.specification import StudySpecification

STUDIES = Path(__file__).parents[3] / "resources" / "studies"


@pytest.fixture(scope="session")
def ctx101() -> StudySpecification:
    return read_specification(STUDIES / "CTX-101" / "simulation.yaml")


@pytest.fixture(scope="session")
def large(ctx101: StudySpecification) -> DrawnStudy:
    """40,000 infused subjects: standard errors are an eighteenth of those of CTX-101."""
    return draw_study(ctx101.resized(40000).reseeded(7))

"""The small study of the tests of the study data."""

from __future__ import annotations

import pytest
from small_study import SmallStudy, make_study


@pytest.fixture
def study() -> SmallStudy:
    """Give a fresh copy of the small study."""
    return make_study()

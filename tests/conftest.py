"""What all tests share: markers by folder, and the folder of third-party data.

Third-party files are not part of the project. Tests that read them take the
fixture `shared_folder`, which the variable CELLDOSSIER_SHARED names: where it
is not set, they are skipped and counted; where it is set, a missing file fails.
"""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

# Hypothesis draws some values from the constants of whatever modules are loaded: what a test saw,
# derandomised or not, depended on the tests that ran before it in its process. No setting turns
# that off; where the name is gone, this line fails and says so.
pytest.MonkeyPatch().setattr(providers, "_get_local_constants", lambda: providers._local_constants)

# The gate gives the same answer for the same commit; at the desk, each run looks further.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("gate")

TESTS = Path(__file__).parent
SHARED_VARIABLE = "CELLDOSSIER_SHARED"


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder that CELLDOSSIER_SHARED names, or skip the test."""
    name = os.environ.get(SHARED_VARIABLE, "")
    if not name:
        pytest.skip(f"{SHARED_VARIABLE} is not set")
    folder = Path(name)
    if not folder.is_dir():
        pytest.fail(f"{SHARED_VARIABLE} names {folder}, which is not a folder.")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if TESTS in item.path.parents else ""
        if folder == "workflow":
            item.add_marker(pytest.mark.workflow)
        elif folder == "reference":
            item.add_marker(pytest.mark.reference)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were not run because the third-party data are not here."""
    skipped = terminalreporter.getreports("skipped")
    count = sum(SHARED_VARIABLE in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"{count} tests were not run: they read third-party data, "
            f"and {SHARED_VARIABLE} does not name the folder that holds them."
        )

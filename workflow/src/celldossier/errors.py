"""Errors that end a command, each with the exit code that the command line promises.

The text of an error is written for the user: whole sentences that say what is
wrong, where, and what to do. A traceback is for our own faults only.
"""

from __future__ import annotations

from collections.abc import Sequence


class CelldossierError(Exception):
    """Base of every error that a user can cause and mend.

    Parameters
    ----------
    faults
        One sentence a fault. All faults of one kind are given together, so that
        they can be mended in one go.
    """

    exit_code = 1

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class ConfigError(CelldossierError):
    """The configuration or the usage of a command is wrong (exit code 2)."""

    exit_code = 2


class InputDataError(CelldossierError):
    """The input data are wrong (exit code 3)."""

    exit_code = 3


class RunError(CelldossierError):
    """A run folder is not what it should be: a file is missing, or was changed (exit code 5)."""

    exit_code = 5

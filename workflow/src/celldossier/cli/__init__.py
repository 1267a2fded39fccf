"""The command ``celldossier``: one subcommand a stage, and the tools around a run.

Exit codes: 0 ok; 2 config or usage; 3 input data; 5 a run folder that is not
what it should be; 6 ``diff`` found differences. An error of the user is printed
as sentences, all faults at once; a traceback means a fault of the program.
"""

from __future__ import annotations

from celldossier.cli.threads import use_one_thread

use_one_thread()

import argparse  # noqa: E402  (threads are held before anything can import numpy)
import gc  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from contextlib import suppress  # noqa: E402
from importlib import import_module  # noqa: E402
from typing import NoReturn  # noqa: E402

from celldossier import __version__  # noqa: E402
from celldossier.errors import CelldossierError  # noqa: E402
from celldossier.io.stages import STAGES  # noqa: E402

COMMANDS = (
    "init",
    "check",
    *STAGES,
    "tlf",
    "report",
    "manifest",
    "nca",
    "er",
    "simulate",
    "explain",
    "verify",
    "freeze",
    "diff",
    "run_comparison",
    "document",
)
"""Modules of this package that add a subcommand, in the order of the help."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""New objects, and young and middle collections, after which Python looks for cycles of garbage."""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="celldossier",
        description="Clinical pharmacology of cell therapies: from raw data to a bilingual report.",
    )
    parser.add_argument("--version", action="version", version=f"celldossier {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"celldossier.cli.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; without `arguments`, that of the process, which it then ends.

    Returns
    -------
    int
        The exit code.
    """
    if arguments is None:
        # A tenth of the time of pages and figures went into looking for garbage among objects
        # that live as long as the command.
        gc.set_threshold(*GARBAGE_THRESHOLDS)
    code = _run(arguments)
    if arguments is None:
        _end_process(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A finding quotes the data: a terminal that lacks a sign must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CelldossierError as error:
        for fault in error.faults:
            print(f"Error: {fault}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no fault.
        return 0


def _end_process(code: int) -> NoReturn:
    """End at once, without the interpreter's teardown.

    Threads of Arrow that are still alive then abort the process now and then (exit code 134,
    "terminate called without an active exception", apache/arrow#34314), although all its files
    are written: a rule of a long run would fail for nothing.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
    os._exit(code)

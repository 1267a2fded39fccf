"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--run RUN``, the folder of a run; its value is ``run_folder``."""
    parser.add_argument(
        "--run",
        dest="run_folder",
        metavar="RUN",
        type=Path,
        required=True,
        help="folder of the run, results/<run>",
    )

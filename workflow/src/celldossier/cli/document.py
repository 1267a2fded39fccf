"""``celldossier document``: write the files that are generated from the typed settings."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier document``."""
    parser = subparsers.add_parser(
        "document", help="write config/README.md and the JSON Schemas anew (for developers)"
    )
    parser.set_defaults(run=write_documents)


def write_documents(options: argparse.Namespace) -> int:
    """Write every generated document of the project."""
    from celldossier.io.resources import shared_path
    from celldossier.settings.documents import make_documents

    for name, text in make_documents().items():
        path = shared_path(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0

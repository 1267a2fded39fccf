"""Print where the reports of a run lie; `make report` ends with it.

Call: ``.venv/bin/python workflow/setup/show_report.py [CONFIG ...]``, from the project's root.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = {"zh": "Chinese", "en": "English"}


def report_lines(root: Path, run: str, languages: list[str]) -> list[str]:
    """List the reports of a run, a line a file, the PDFs first.

    Parameters
    ----------
    root
        The project's folder; the paths in the lines are relative to it.
    run
        Name of the run.
    languages
        Codes of the languages that the config asks for.

    Raises
    ------
    FileNotFoundError
        If the PDF of a language is not there.
    """
    folder = Path("results", run, "report")
    lines = []
    for suffix in ("pdf", "html"):
        for code in languages:
            path = folder / code / f"clinical-pharmacology-report.{suffix}"
            if (root / path).is_file():
                lines.append(f"  {LANGUAGES[code]}, {suffix.upper()}: {path}")
            elif suffix == "pdf":
                raise FileNotFoundError(f"The run has ended, but there is no {path}.")
    return lines


def main(arguments: list[str]) -> int:
    """Print the list for the run that the config names; exit code 1 where a PDF is missing.

    Of several files, what a later one says of a key holds, as in Snakemake.
    """
    settings: dict[str, Any] = {}
    report: dict[str, Any] = {}
    for config in arguments or ["config/config.yaml"]:
        settings |= yaml.safe_load(Path(config).read_text(encoding="utf-8-sig"))
        report |= settings.get("report", {})
    run = settings["run"]
    languages = report.get("languages", list(LANGUAGES))
    try:
        lines = report_lines(Path(), run, languages)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The reports of {run}:", *lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``celldossier check``: the config and the data, without any analysis."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier check``."""
    parser = subparsers.add_parser("check", help="check config and data, without analysis")
    parser.add_argument(
        "--configfile",
        nargs="+",
        type=Path,
        default=[Path("config/config.yaml")],
        metavar="FILE",
        help="config file; later files are merged over earlier ones",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for the findings, exclusions, accounting and decisions",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=check_study_files)


def check_study_files(options: argparse.Namespace) -> int:
    """Check the config, read and check the raw data, and print every finding.

    Raises
    ------
    ConfigError
        If the config cannot be used (exit code 2).
    InputDataError
        If the data have errors (exit code 3).
    """
    from celldossier.cli.study_data import derive_from, write_checks
    from celldossier.errors import InputDataError
    from celldossier.io.files import canonical_json
    from celldossier.settings.model import Settings
    from celldossier.settings.read import check_values, merge, read_yaml
    from celldossier.study_data.gate import count_findings, list_findings

    values = merge([read_yaml(file) for file in options.configfile])
    settings = check_values(values, Settings, options.configfile)
    study = derive_from(settings.study_data, settings.bioanalysis, settings.study)
    if options.output is not None:
        write_checks(study, settings.study, options.output)
    if options.json:
        print(canonical_json(list_findings(study.findings), ascii_only=True))
    else:
        for finding in study.findings.to_dict("records"):
            accepted = f", accepted by {finding['decision']}" if finding["decision"] else ""
            print(
                f"{finding['severity']}: {finding['message_en']} [{finding['rule_id']}{accepted}]"
            )
    counts = count_findings(study.findings)
    if counts["errors"]:
        kept = "" if options.output is None else f" All findings are kept in {options.output}."
        raise InputDataError(
            f"The data have {counts['errors']} error findings; mend them or map them in the "
            f"config.{kept}"
        )
    if not options.json:
        print(
            f"Config and data can be used: {counts['warnings']} warnings, {counts['notes']} "
            f"notes, {counts['accepted']} findings accepted by decision."
        )
    return 0

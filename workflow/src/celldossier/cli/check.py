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
    from celldossier.errors import InputDataError
    from celldossier.io.files import canonical_json
    from celldossier.io.tables import read_domains
    from celldossier.settings.model import Settings
    from celldossier.settings.read import check_values, merge, read_yaml
    from celldossier.study_data.gate import list_findings
    from celldossier.study_data.stage import derive_study_data

    values = merge([read_yaml(file) for file in options.configfile])
    settings = check_values(values, Settings, options.configfile)
    domains = read_domains(settings.study_data)
    study = derive_study_data(domains, settings.study_data, settings.bioanalysis, settings.study)
    if options.json:
        print(canonical_json(list_findings(study.findings), ascii_only=True))
    else:
        for finding in study.findings.to_dict("records"):
            print(f"{finding['severity']}: {finding['message_en']} [{finding['rule_id']}]")
    errors = study.findings[study.findings["severity"] == "error"]
    if len(errors):
        raise InputDataError(
            f"The data have {len(errors)} error findings; mend them or map them in the config."
        )
    if not options.json:
        counts = study.findings["severity"].value_counts()
        print(
            f"Config and data can be used: {counts.get('warning', 0)} warnings, "
            f"{counts.get('note', 0)} notes."
        )
    return 0

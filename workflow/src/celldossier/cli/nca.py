"""``celldossier nca``: the NCA of one file of concentrations, without a study around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier nca``."""
    parser = subparsers.add_parser(
        "nca",
        help="non-compartmental analysis of one file of concentrations",
        description=(
            "Columns of the input: USUBJID, ANALYTE, TIME (from the start of the infusion), CONC "
            "(blank where BLQ = 1 or where the result is missing), BLQ (0 or 1), LLOQ; optional "
            "NTIME (nominal), ULOQ, DOSE, DOSENO, DOSETIME, CENSTIME (death, new therapy or "
            "unplanned re-infusion), CONCU (unit of CONC)."
        ),
    )
    parser.add_argument("concentrations", metavar="CONC", type=Path, help="file of concentrations")
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        help="YAML file with the keys of the section cellular_kinetics at its top level",
    )
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="file of the parameters"
    )
    parser.add_argument("--time-unit", default="d", metavar="UNIT", help="unit of TIME (d)")
    parser.add_argument(
        "--conc-unit", default="", metavar="UNIT", help="unit of CONC where there is no CONCU"
    )
    parser.set_defaults(run=estimate_parameters)


def estimate_parameters(options: argparse.Namespace) -> int:
    """Read concentrations, estimate the parameters and write them, one row each.

    Raises
    ------
    ConfigError
        If the settings file has a fault (exit code 2).
    InputDataError
        If the concentrations have faults, all of them listed (exit code 3).
    """
    from celldossier.cellular_kinetics.nca import estimate_nca
    from celldossier.io.files import write_table
    from celldossier.io.resources import read_resource
    from celldossier.io.tables import read_input_table
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings
    from celldossier.settings.read import read_model

    settings = (
        read_model(options.settings, CellularKineticsSettings)
        if options.settings
        else CellularKineticsSettings()
    )
    samples = read_input_table(options.concentrations)
    result = estimate_nca(
        samples, settings, time_unit=options.time_unit, conc_unit=options.conc_unit
    )
    write_table(result.parameters, options.output)
    words = read_resource("terms", "reason_codes.yaml")
    for code, count in result.findings["CODE"].value_counts(sort=False).sort_index().items():
        print(f"Note: {code} in {count} samples: {words[code]['en']}.", file=sys.stderr)
    excluded = result.dispositions[result.dispositions["USED"] == "N"]
    used = int((result.dispositions["ROW"] > 0).sum()) - len(excluded)
    print(f"{len(samples)} samples: {used} used, {len(excluded)} excluded.", file=sys.stderr)
    return 0

"""``celldossier nca``: the NCA of one file of concentrations, without a study around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from celldossier.cellular_kinetics.nca import NcaResult

DESCRIPTION = """\
Columns of the input, one row a sample:
  USUBJID    subject
  ANALYTE    analyte; each is analysed by itself
  TIME       time from the start of the first infusion, actual
  CONC       concentration; blank where BLQ = 1 or where the result is missing; the texts
             BLQ, BQL, <LLOQ and <50 are understood
  BLQ        1 below the limit of quantitation, else 0
  LLOQ       lower limit of quantitation; may be blank
Optional:
  NTIME      nominal time, on the clock of TIME
  ULOQ       upper limit of quantitation
  DOSE       amount of the dose; not used
  CENSTIME   death, new therapy or unplanned re-infusion, on the clock of TIME
  CONCU      unit of CONC, in place of --conc-unit
Several doses (each with a clock, a trough and an interval of its own):
  DOSENO     number of the dose that the sample belongs to; fractions of a split dose share it,
             a trough belongs to either of its doses
  DOSETIME   time of that dose, on the clock of TIME; NDOSETIME: its nominal time
  TAU        dosing interval of the protocol: that of the last dose of a cycle
  CYCLE      number of the cycle; blank: all doses are one cycle

Output, one row a parameter: USUBJID, ANALYTE, DOSENO, PARAMCD, AVAL, AVALU, FLAG, REASND (why AVAL
is empty). Partial areas that end after the next dose run over the course and stand at dose 1."""

EPILOG = "Exit codes: 0 well; 2 usage or settings; 3 concentrations or reviewed windows."


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier nca``."""
    parser = subparsers.add_parser(
        "nca",
        help="non-compartmental analysis of one file of concentrations",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("concentrations", metavar="CONC", type=Path, help="file of concentrations")
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        help="YAML file with the keys of the section cellular_kinetics at its top level",
    )
    parser.add_argument(
        "--half-life",
        metavar="FILE",
        type=Path,
        help="reviewed lambda-z windows: half_life.csv as in config/decisions/README.md",
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
        If the concentrations or the reviewed windows have faults, all of them listed (exit
        code 3).
    """
    from celldossier.cellular_kinetics.nca import estimate_nca
    from celldossier.io.files import write_table
    from celldossier.settings.cellular_kinetics import CellularKineticsSettings
    from celldossier.settings.read import read_model

    settings = (
        read_model(options.settings, CellularKineticsSettings)
        if options.settings
        else CellularKineticsSettings()
    )
    samples, windows = _read_inputs(options)
    result = estimate_nca(
        samples,
        settings,
        time_unit=options.time_unit,
        conc_unit=options.conc_unit,
        windows=windows,
    )
    write_table(result.parameters, options.output)
    _tell(result, len(samples))
    return 0


def _read_inputs(options: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Concentrations and reviewed windows; the faults of both are told together."""
    from celldossier.cellular_kinetics.samples import check_samples
    from celldossier.cellular_kinetics.window_decisions import check_windows
    from celldossier.errors import InputDataError
    from celldossier.io.tables import read_input_table

    windows = None
    faults: list[str] = []
    if options.half_life:
        try:
            windows = check_windows(read_input_table(options.half_life))
        except InputDataError as error:
            faults += error.faults
    try:
        samples = read_input_table(options.concentrations)
        if faults:
            check_samples(samples)
    except InputDataError as error:
        faults += error.faults
    if faults:
        raise InputDataError(faults)
    return samples, windows


def _tell(result: NcaResult, count: int) -> None:
    """What is worth a look, and what became of the samples."""
    from celldossier.io.resources import read_resource

    words = read_resource("terms", "reason_codes.yaml")
    for code, number in result.findings["CODE"].value_counts(sort=False).sort_index().items():
        print(f"Note: {code} in {number} samples: {words[code]['en']}.", file=sys.stderr)
    given = result.dispositions[result.dispositions["ROW"] > 0]
    # A trough has a disposition in the interval before it and in the one after it.
    used = given.loc[given["USED"] == "Y", "ROW"].nunique()
    print(f"{count} samples: {used} used, {count - used} excluded.", file=sys.stderr)

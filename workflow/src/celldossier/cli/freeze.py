"""``celldossier freeze NAME --run RUN``: keep a finished run with its inputs, read-only."""

from __future__ import annotations

import argparse
from pathlib import Path

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier freeze``."""
    parser = subparsers.add_parser(
        "freeze", help="keep a finished run and its inputs read-only, in archive/NAME"
    )
    parser.add_argument("name", metavar="NAME", help="name of the frozen run, no path")
    add_run_argument(parser)
    parser.add_argument(
        "--configfile",
        nargs="+",
        type=Path,
        default=[Path("config/config.yaml")],
        metavar="FILE",
        help="config file of the run; later files are merged over earlier ones",
    )
    parser.add_argument(
        "--tlfs",
        type=Path,
        default=Path("config/tlfs.yaml"),
        help="declaration of the tables, listings and figures, config/tlfs.yaml",
    )
    parser.set_defaults(run=freeze)


def freeze(options: argparse.Namespace) -> int:
    """Copy a finished, verified run to ``archive/NAME/``.

    Raises
    ------
    ConfigError
        If NAME is no name, is taken, or the config is not that of the run.
    RunError
        If the run is not finished or not what its manifest says.
    """
    from celldossier.errors import ConfigError
    from celldossier.io.archive import freeze_run, locate_frozen
    from celldossier.io.run_folder import RunFolder
    from celldossier.io.run_record import locate_inputs
    from celldossier.settings.model import Settings, effective_sections
    from celldossier.settings.read import check_values, merge, read_yaml

    locate_frozen(options.name)
    run = RunFolder(options.run_folder)
    values = merge([read_yaml(file) for file in options.configfile])
    settings = check_values(values, Settings, options.configfile)
    other = [
        name
        for name, content in effective_sections(settings).items()
        if content != run.settings(name)
    ]
    if other:
        raise ConfigError(
            f"{', '.join(map(str, options.configfile))} is not the config that the run "
            f"{options.run_folder} was made with: the section {', '.join(other)} differs. Name "
            "its config with --configfile."
        )
    inputs = locate_inputs(settings.study_data)
    for number, file in enumerate(options.configfile, start=1):
        inputs[f"config/{number}-{file.name}"] = file
    if options.tlfs.is_file():
        inputs["tlfs.yaml"] = options.tlfs
    target = freeze_run(options.name, options.run_folder, inputs, Path())
    print(f"The run {options.run_folder} is kept in {target}, read-only.")
    return 0

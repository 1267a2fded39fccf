"""``celldossier simulate``: write the raw data of a simulated study and its truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from celldossier.errors import ConfigError
from celldossier.io.resources import read_resource

if TYPE_CHECKING:
    from celldossier.simulation.faults import Fault
    from celldossier.simulation.kinds import AnySpecification
    from celldossier.simulation.messy_twin import MessyStudy
    from celldossier.simulation.study import SimulatedStudy


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command with the main parser."""
    parser = subparsers.add_parser(
        "simulate",
        help="write the raw data of a simulated study and the truth behind them",
        description=(
            "Simulate a cell therapy study from a specification: raw domains as CSV, "
            "truth.json and truth_subjects.csv."
        ),
    )
    parser.add_argument("specification", type=Path, metavar="SPEC", help="a simulation.yaml")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--subjects", type=int, metavar="N", help="number of infused subjects")
    parser.add_argument("--seed", type=int, metavar="S", help="seed instead of the specified one")
    parser.add_argument(
        "--messy",
        action="store_true",
        help="plant the faults of faults.yaml beside SPEC and list them in faults.csv",
    )
    parser.set_defaults(run=run)


def read_specification(path: Path) -> AnySpecification:
    """Read and check a simulation specification (YAML); its key ``kind`` says of what study.

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML mapping, or does not fit the model; all
        faults are given at once.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigError(f"{path}: the specification cannot be read: {fault.strerror}.") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path}: the specification is not valid YAML: {fault}.") from fault
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: the specification must be a mapping of sections.")
    return _validate(content, str(path))


def _validate(content: dict[str, object], source: str) -> AnySpecification:
    from celldossier.simulation.kinds import DEFAULT_KIND, KINDS, kind_of

    kind = kind_of(content)
    if kind is None:
        raise ConfigError(
            f"{source}: kind: {content['kind']!r} is none of {', '.join(sorted(KINDS))}."
        )
    if content.get("kind") == DEFAULT_KIND:
        content = {name: value for name, value in content.items() if name != "kind"}
    try:
        return kind.specification.model_validate(content)
    except ValidationError as fault:
        raise ConfigError(
            [
                f"{source}: {'.'.join(str(part) for part in error['loc']) or 'specification'}: "
                f"{error['msg']}."
                for error in fault.errors()
            ]
        ) from fault


def read_faults(beside: Path) -> list[Fault]:
    """Read the faults that are planted in a messy twin: the shared ones and the study's own.

    Parameters
    ----------
    beside
        The study's specification; its own faults stand in faults.yaml in the same folder.

    Raises
    ------
    ConfigError
        There is no such file, or it does not fit the model.
    """
    from celldossier.simulation.faults import FaultList, combine_faults

    path = beside.parent / "faults.yaml"
    if not path.is_file():
        raise ConfigError(f"{path}: a messy twin needs the list of its faults, which is not there.")
    try:
        own = FaultList.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        shared = FaultList.model_validate(read_resource("terms", "planted_faults.yaml"))
        return combine_faults(shared, own)
    except (ValueError, yaml.YAMLError) as fault:
        raise ConfigError(f"{path}: {fault}") from fault


def spoil_study(
    study: SimulatedStudy, specification: AnySpecification, faults: list[Fault]
) -> MessyStudy:
    """Plant faults in a simulated study; the seed of the study decides where."""
    from celldossier.simulation.messy_twin import plant_faults

    try:
        return plant_faults(
            study.raw, faults, specification.seed, specification.enrolment.data_cutoff
        )
    except ValueError as fault:
        raise ConfigError(f"{specification.study}: {fault}") from fault


def write_study(study: SimulatedStudy, folder: Path, messy: MessyStudy | None = None) -> None:
    """Write the raw CSV files (UTF-8, LF) and the truth of a simulated study.

    Parameters
    ----------
    messy
        Its messy twin, to be written in the place of the clean raw files, with faults.csv.
    """
    folder.mkdir(parents=True, exist_ok=True)
    encodings = messy.encodings if messy else {}
    for name, frame in (messy.raw if messy else study.raw).items():
        frame.to_csv(
            folder / f"{name}.csv",
            index=False,
            lineterminator="\n",
            encoding=encodings.get(name, "utf-8"),
        )
    if messy:
        messy.faults.to_csv(
            folder / "faults.csv", index=False, lineterminator="\n", encoding="utf-8"
        )
    study.truth_subjects.to_csv(
        folder / "truth_subjects.csv", index=False, lineterminator="\n", encoding="utf-8"
    )
    text = json.dumps(study.truth, indent=2, ensure_ascii=False) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8", newline="\n")


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 when all files are written."""
    from celldossier.simulation.kinds import simulate_any

    specification = read_specification(args.specification)
    changed = specification.model_dump()
    if args.subjects is not None:
        if args.subjects < 6:
            raise ConfigError("--subjects: a study needs at least 6 infused subjects.")
        changed = specification.resized(args.subjects).model_dump()
    if args.seed is not None:
        changed = changed | {"seed": args.seed}
    specification = _validate(changed, str(args.specification))
    study = simulate_any(specification)
    messy = None
    if args.messy:
        messy = spoil_study(study, specification, read_faults(args.specification))
    try:
        write_study(study, args.output, messy)
    except OSError as fault:
        raise ConfigError(
            f"{args.output}: the study cannot be written: {fault.strerror}."
        ) from fault
    planted = f", {len(messy.faults)} faults planted" if messy else ""
    infused = specification.enrolment.infused
    print(f"{specification.study}: {infused} infused{planted} -> {args.output}")
    return 0

"""``celldossier explain VALUE_ID --run RUN``: where a reported number comes from."""

from __future__ import annotations

import argparse

from celldossier.cli.arguments import add_run_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``celldossier explain``."""
    parser = subparsers.add_parser("explain", help="say where a reported number comes from")
    parser.add_argument("value_id", metavar="VALUE_ID", help="identifier printed with the number")
    add_run_argument(parser)
    parser.set_defaults(run=explain_value)


def explain_value(options: argparse.Namespace) -> int:
    """Print a statistic, the rows behind it, the rule that made it and the hash of its inputs.

    Raises
    ------
    ConfigError
        If no stage of the run has a value of that identifier; the nearest is named.
    """
    import difflib

    from celldossier.errors import ConfigError
    from celldossier.io.files import hash_file
    from celldossier.io.run_folder import RunFolder

    run = RunFolder(options.run_folder)
    stage = options.value_id.split(".", 1)[0]
    known = sorted(path.stem for path in run.path("ard").glob("*.parquet"))
    if stage not in known:
        raise ConfigError(
            f"The value '{options.value_id}' does not begin with a stage of the run {run.root}; "
            f"its stages are {', '.join(known) or 'none'}."
        )
    rows = run.results(stage)
    found = rows[rows["value_id"] == options.value_id]
    if found.empty:
        near = difflib.get_close_matches(options.value_id, rows["value_id"], n=1, cutoff=0.0)
        raise ConfigError(
            f"The run {run.root} has no value '{options.value_id}'."
            + (f" The nearest is '{near[0]}'." if near else "")
        )
    row = found.iloc[0]
    dataset = run.path("adam", f"{row['dataset']}.parquet")
    settings = run.path("settings", f"{stage}.json")
    lines = {
        "value": row["value_text"]
        or (f"missing ({row['note_code']})" if row["note_code"] else repr(float(row["value"]))),
        "unit": row["unit"],
        "subjects": "" if row["n"] != row["n"] else f"{row['n']:.0f}",
        "dataset": row["dataset"],
        "rows": row["filter"] or "all",
        "method": row["method"],
        "rule": stage,
        "command": f"celldossier {stage} (see workflow/rules/{stage}.smk)",
        "settings": f"settings/{stage}.json sha256 {hash_file(settings)}",
    }
    if dataset.is_file():
        lines["input"] = f"adam/{row['dataset']}.parquet sha256 {hash_file(dataset)}"
    print(options.value_id)
    for name, text in lines.items():
        if text:
            print(f"  {name:<9}{text}")
    return 0

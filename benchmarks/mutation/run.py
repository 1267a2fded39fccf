"""Mutation score of modules: the share of small wrong changes that the tests see.

    python benchmarks/mutation/run.py MODULES --tests TESTS --sample 400 --output FILE.jsonl

A process that has numpy and all else imported, but nothing of the project, forks a child for
each mutant (mutants.py); the child imports the changed module in place of the true one and runs
the tests that call the changed function, file by file, the module's own and the quickest first,
until one fails. Which test calls which function is found once, by running all tests on modules
whose functions tell that they are called. The sample is drawn by module in proportion to its
mutants, so that the share that is killed estimates that of all. --again runs those that survived
once more, after tests were written.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from called import Calls, collect_calls, run_tests
from child import in_child
from mutants import MODULE, Mutant, find_mutants

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
SPARE = 10.0
"""CPU seconds that a mutant may take beside four times what its tests take without it."""


class _Changed(SourceFileLoader):
    """A loader that takes the code of a changed tree."""

    tree: ast.Module

    def get_code(self, fullname: str) -> Any:
        """Compile the changed tree."""
        return compile(ast.fix_missing_locations(self.tree), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Answer for the changed module only."""
        if fullname != self.name:
            return None
        loader = _Changed(fullname, str(self.path))
        loader.tree = self.tree
        return spec_from_file_location(fullname, self.path, loader=loader)


def module_name(path: Path) -> str:
    """Return the dotted name of a module from the packages around it."""
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def list_modules(paths: Sequence[Path]) -> list[Path]:
    """Return the modules named, and all below the folders named."""
    found = [one for path in paths for one in (path.rglob("*.py") if path.is_dir() else [path])]
    return sorted(one.resolve() for one in found if one.name != "__init__.py")


def draw_sample(sizes: dict[Path, int], total: int, seed: int) -> list[tuple[Path, int]]:
    """Draw numbers of mutants: from each module in proportion to its mutants, in random order.

    `total` is met but for rounding (largest remainders); 0 takes all.
    """
    everything = sum(sizes.values())
    wanted = min(total or everything, everything)
    shares = {path: wanted * size / everything for path, size in sizes.items()}
    counts = {path: math.floor(share) for path, share in shares.items()}
    rest = sorted(shares, key=lambda path: (counts[path] - shares[path], str(path)))
    for path in rest[: wanted - sum(counts.values())]:
        counts[path] += 1
    drawn = []
    for path, count in counts.items():
        # A module keeps its sample when another one changes.
        chosen = random.Random(f"{seed} {path.name}").sample(range(sizes[path]), count)
        drawn += [(path, number) for number in chosen]
    random.Random(seed).shuffle(drawn)
    return drawn


def run_mutant(path: Path, tree: ast.Module, mutant: Mutant, calls: Calls) -> dict[str, Any]:
    """Return the outcome of a mutant: ``killed``, ``timeout``, ``crash`` or ``survived``."""
    definition = 0 if mutant.place.function == MODULE else mutant.place.definition
    files = calls.tests_of(str(path), module_name(path), definition)
    tests = sum(map(len, files.values()))
    if not tests:
        return {"outcome": "survived", "by": "no test calls it", "tests": 0}
    expected = sum(calls.seconds[test] for chosen in files.values() for test in chosen)

    def task() -> str:
        mutant.put()
        sys.meta_path.insert(0, _Finder(module_name(path), path, tree))
        for file, chosen in files.items():
            if failed := run_tests([file], set(chosen)):
                return failed
        return ""

    start = time.perf_counter()
    outcome, failed = in_child(task, SPARE + 4 * expected + len(files))
    if outcome == "done":
        outcome = "killed" if failed else "survived"
    return {
        "outcome": outcome,
        "by": failed or "",
        "tests": tests,
        "seconds": round(time.perf_counter() - start, 1),
    }


def read_equivalent() -> dict[tuple[str, str, str, str], str]:
    """Return the reason for each mutant that changes no result, by module, function and texts."""
    entries = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []
    return {
        (one["module"], one["function"], one["before"], one["after"]): one["reason"]
        for one in entries
    }


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % for a proportion (J Am Stat Assoc 1927;22:209)."""
    z, p = 1.959963984540054, successes / n
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def print_score(results: Sequence[dict[str, Any]], sizes: dict[str, int]) -> None:
    """Print a line a module and the whole, then each mutant that survived."""
    reasons = read_equivalent()
    print(
        "\n| module | mutants | run | killed | equivalent | survived |\n|---|---|---|---|---|---|"
    )
    survivors = []
    totals = [0, 0, 0, 0, 0]
    for module, size in sizes.items():
        own = [one for one in results if one["module"] == module]
        left = [one for one in own if one["outcome"] == "survived"]
        keys = [(one["module"], one["function"], one["before"], one["after"]) for one in left]
        open_ones = [one for one, key in zip(left, keys, strict=True) if key not in reasons]
        row = [size, len(own), len(own) - len(left), len(left) - len(open_ones), len(open_ones)]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        survivors += open_ones
        print(f"| {module} | " + " | ".join(map(str, row)) + " |")
    print("| all | " + " | ".join(map(str, totals)) + " |\n")
    counted = totals[1] - totals[3]
    if counted:
        low, high = wilson(totals[2], counted)
        print(f"Score {totals[2]}/{counted} = {totals[2] / counted:.3f} ({low:.3f} to {high:.3f})")
    for one in sorted(survivors, key=lambda one: (one["module"], one["line"])):
        tests = one["by"] or f"{one['tests']} tests"
        print(f"{one['module']}:{one['line']} {one['function']} [{one['operator']}] {tests}")
        print(f"    - {one['before']}\n    + {one['after']}")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("modules", nargs="+", type=Path, help="modules and folders of modules")
    parser.add_argument("--tests", nargs="+", type=Path, required=True, help="files and folders")
    parser.add_argument("--sample", type=int, default=0, help="mutants to run; 0 is all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so long")
    parser.add_argument("--longest", type=float, default=0.0, help="leave out slower tests, CPU s")
    parser.add_argument("--output", type=Path, required=True, help="outcomes, a JSON line each")
    parser.add_argument("--again", action="store_true", help="run survivors in the output again")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the mutants and print the score."""
    given = parse_arguments(arguments)
    started = time.monotonic()
    paths = list_modules(given.modules)
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    mutants = {path: find_mutants(tree) for path, tree in trees.items()}
    sizes = {path: len(found) for path, found in mutants.items()}
    done = _read_results(given.output, given.again)
    plan = list(_open_mutants(draw_sample(sizes, given.sample, given.seed), mutants, done))
    calls = collect_calls(
        paths, given.tests, given.output.with_suffix(".calls.json"), given.longest
    )
    for position, (path, mutant, row) in enumerate(plan):
        if time.monotonic() - started > 60 * given.minutes:
            print(f"Time is over: {len(plan) - position} mutants of the sample were not run.")
            break
        row |= run_mutant(path, trees[path], mutant, calls)
        done.append(row)
        with given.output.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
        print(f"{position + 1}/{len(plan)} {row['module']}:{row['line']} {row['outcome']}")
    print_score(done, {module_name(path): size for path, size in sizes.items()})


def _open_mutants(
    drawn: Sequence[tuple[Path, int]],
    mutants: dict[Path, list[Mutant]],
    done: Sequence[dict[str, Any]],
) -> Iterator[tuple[Path, Mutant, dict[str, Any]]]:
    known = {(one["module"], one["number"], one["after"]) for one in done}
    for path, number in drawn:
        mutant = mutants[path][number]
        before, after = mutant.texts()
        if (module_name(path), number, after) not in known:
            yield (
                path,
                mutant,
                {
                    "module": module_name(path),
                    "number": number,
                    "line": mutant.line,
                    "function": mutant.place.function,
                    "operator": mutant.operator,
                    "before": before,
                    "after": after,
                },
            )


def _read_results(path: Path, again: bool) -> list[dict[str, Any]]:
    """Return what was run before, the last outcome of each mutant; `again` drops survivors."""
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = {(one["module"], one["number"], one["after"]): one for one in rows}
    return [one for one in last.values() if not (again and one["outcome"] == "survived")]


if __name__ == "__main__":
    main()

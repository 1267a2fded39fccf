"""The mutation runner: its operators, its sample, and its verdicts on a module of ours."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks" / "mutation"


@pytest.fixture
def mutation(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import mutants
    import run

    yield mutants, run
    for name in ("mutants", "run", "called", "child"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("y = a < b", {"y = a <= b", "y = a >= b"}),
        ("y = a < b < c", {"y = a <= b < c", "y = a < b <= c"}),
        ("y += a * b", {"y -= a * b", "y += a / b"}),
        ("y = a and not b", {"y = a or not b", "y = a and b"}),
        ("y = a[:n]", {"y = a[:n + 1]"}),
        ("y = a[-1]", {"y = a[1]", "y = a[-2]"}),
        ("y = np.std(a, ddof=1)", {"y = np.std(a, ddof=2)", "y = np.std(a)"}),
        ("y = max(a, b)", {"y = min(a, b)"}),
        ("y = [a for a in b if a]", {"y = [a for a in b if not a]"}),
        ("a[i] = b", {"pass"}),
        ("def f(a: int = 3):\n    return a", {"def f(a: int=4):", "return None"}),
        ("if a:\n    y = b", {"if not a:"}),
    ],
)
def test_each_operator_makes_the_changes_that_it_names(mutation, source, changed):
    mutants, _ = mutation
    tree = ast.parse(source)
    found = mutants.find_mutants(tree)
    assert {one.texts()[1] for one in found} == changed
    # Looking changes nothing; putting one in changes the tree.
    assert ast.unparse(tree) == ast.unparse(ast.parse(source))
    found[0].put()
    assert ast.unparse(tree) != ast.unparse(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        '"""Add 1 + 2."""',
        "import a.b",
        "x: Literal[1, 2]",
        "@cache(maxsize=3)\ndef f() -> tuple[1, 2]: ...",
        "raise ValueError(1 + 2)",
        "warnings.warn('a' + b, stacklevel=2)",
        "__all__ = [1]",
        "T = TypeVar('T', bound=1)",
        "y = zip(a, b, strict=True)",
        "y = f'{a + 1}'",
    ],
)
def test_what_computes_nothing_is_left_alone(mutation, source):
    assert mutation[0].find_mutants(ast.parse(source)) == []


def test_a_sample_is_proportional_to_the_mutants_and_the_same_for_a_seed(mutation):
    _, run = mutation
    sizes = {Path("a.py"): 600, Path("b.py"): 300, Path("c.py"): 99}
    drawn = run.draw_sample(sizes, 100, 5)
    assert Counter(path.stem for path, _ in drawn) == {"a": 60, "b": 30, "c": 10}
    assert len(set(drawn)) == 100
    assert drawn == run.draw_sample(sizes, 100, 5)
    assert drawn != run.draw_sample(sizes, 100, 6)
    assert sorted(run.draw_sample(sizes, 0, 5)) == [
        (path, number) for path, size in sizes.items() for number in range(size)
    ]


def test_the_interval_of_the_score_is_that_of_a_published_example(mutation):
    # Newcombe, Stat Med 1998;17:857, table I, method 3.
    low, high = mutation[1].wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_mutant_is_killed_by_the_tests_that_call_it_and_survives_where_none_does(tmp_path):
    root = FOLDER.parents[1]
    source = root / "workflow" / "src" / "celldossier" / "stats"
    command = [
        sys.executable,
        str(FOLDER / "run.py"),
        str(source / "blood_counts.py"),
        str(source / "hysteresis.py"),
        *("--tests", str(root / "tests" / "unit" / "stats" / "test_blood_counts.py")),
        *("--sample", "8", "--output", str(tmp_path / "found.jsonl")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    for row in rows:
        tested = row["module"].endswith("blood_counts")
        assert row["outcome"] == ("killed" if tested else "survived"), row
        assert row["by"].startswith("tests/unit/stats/" if tested else "no test calls it")
    killed = sum(row["outcome"] == "killed" for row in rows)
    assert 0 < killed < 8
    assert f"Score {killed}/8" in done.stdout

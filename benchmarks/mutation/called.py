"""Which test calls which function, and how long it takes."""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
import pytest
from child import in_child

ROOT = Path(__file__).parents[2]
SET_UP = "set-up of the file"
QUICK = ["-q", "--tb=no", "--assert=plain"]
QUICK += [f"-pno:{name}" for name in ("cacheprovider", "unraisableexception", "threadexception")]
"""What spares half of the time that pytest needs around a test."""
LONGEST = 3600.0
"""CPU seconds that the tests of one file may take."""
EXAMPLES = 30
"""Examples of a property that does not say how many it needs."""


@dataclass
class Calls:
    """What was found: `callers` by ``path:line`` of a function, `imports` by test file."""

    callers: dict[str, set[str]] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def tests_of(self, path: str, module: str, definition: int) -> dict[str, list[str]]:
        """Return the tests to run, by file, for a change in a function of a module.

        `definition` is the line of the function. For 0, a change outside of functions, these are
        the callers of any function of the module; where there are none, all tests of the files
        that import it.
        """
        if definition:
            chosen = self.callers.get(f"{path}:{definition}", set())
        else:
            own = [tests for key, tests in self.callers.items() if key.startswith(f"{path}:")]
            chosen = set().union(*own) or {
                test for test in self.seconds if module in self.imports[_file_of(test)]
            }
        files: dict[str, list[str]] = {}
        for test in sorted(chosen, key=lambda test: self.seconds[test]):
            files.setdefault(_file_of(test), []).append(test)
        name = module.rsplit(".", 1)[-1]

        def rank(file: str) -> tuple[bool, float]:
            return Path(file).stem != f"test_{name}", sum(self.seconds[one] for one in files[file])

        return {file: files[file] for file in sorted(files, key=rank)}


TELL = "_tell_of_call"
"""Name, among the builtins, of what each function of a module calls when it is entered."""


class _Telling(SourceFileLoader):
    """A loader that lets each function tell that it is called.

    A trace (`sys.settrace`) would be told of every call of pandas too, and a test would take
    several times what it takes without.
    """

    def get_code(self, fullname: str) -> Any:
        """Compile the module with a call before the first statement of each function."""
        tree = ast.parse(Path(self.path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                begin = min(one.lineno for one in (node, *node.decorator_list))
                call = ast.parse(f"{TELL}({f'{self.path}:{begin}'!r})").body[0]
                node.body.insert(1 if ast.get_docstring(node) is not None else 0, call)
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class _TellingFinder(MetaPathFinder):
    def __init__(self, modules: set[str]) -> None:
        self.modules = modules

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Answer for the modules only."""
        spec = PathFinder.find_spec(fullname, path, target) if "." in fullname else None
        if spec is None or spec.origin not in self.modules:
            return None
        spec.loader = _Telling(fullname, spec.origin)
        return spec


class _TooLong(BaseException):
    """Ends a test that takes longer than allowed; no test catches it as an error of its own."""


def _end_test(number: int, frame: FrameType | None) -> None:
    raise _TooLong


class _Selector:
    """A pytest plugin: runs the tests named only, keeps the first failure and the time of each.

    A test that takes more than `longest` CPU seconds is ended and fails (0: never).
    """

    def __init__(
        self,
        chosen: set[str] | None,
        follow: Callable[[str], None] | None = None,
        longest: float = 0.0,
    ) -> None:
        self.chosen, self.follow, self.longest = chosen, follow, longest
        self.failed, self.seconds, self.collected = "", {}, 0
        self.failures: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.chosen is not None:
            items[:] = [item for item in items if item.nodeid in self.chosen]
        self.collected = len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (collection)"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, self.longest)
        answer = yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        self.seconds[item.nodeid] = time.process_time() - start
        return answer

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.follow:
            self.follow(f"{item.nodeid.split('::')[0]}::{SET_UP}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        if self.follow:
            self.follow(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failures.append(report.nodeid)
            self.failed = self.failed or report.nodeid


def _file_of(test: str) -> str:
    return test.split("::")[0]


def _pytest(arguments: Sequence[str], plugin: _Selector) -> None:
    os.chdir(ROOT)
    os.environ.pop("CI", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # The same examples for each mutant, and the first that fails is enough.
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=EXAMPLES,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    hypothesis.settings.load_profile("mutation")
    pytest.main([*QUICK, *arguments], plugins=[plugin])


def run_tests(files: Sequence[str], chosen: set[str]) -> str:
    """Run the chosen tests of some files until one fails; return its name, or a blank."""
    plugin = _Selector(chosen)
    _pytest(["-x", *files], plugin)
    if not plugin.failed and plugin.collected == 0:
        return "no test was left"
    return plugin.failed


def trace_file(file: str, modules: set[str], longest: float) -> dict[str, Any]:
    """Run a test file and return who calls what, what is imported, and the CPU seconds of each."""
    callers: dict[str, set[str]] = {}
    current = f"{file}::{SET_UP}"

    def follow(name: str) -> None:
        nonlocal current
        current = name

    def tell(function: str) -> None:
        callers.setdefault(function, set()).add(current)

    plugin = _Selector(None, follow, longest)
    signal.signal(signal.SIGPROF, _end_test)
    setattr(builtins, TELL, tell)
    sys.meta_path.insert(0, _TellingFinder(modules))
    _pytest([file], plugin)
    failures = set(plugin.failures)
    # What a file sets up may serve each of its tests.
    shared = f"{file}::{SET_UP}"
    good = {test for test in plugin.seconds if test not in failures}
    spread = {key: (own | good if shared in own else own) & good for key, own in callers.items()}
    return {
        "callers": {key: sorted(own) for key, own in spread.items() if own},
        "seconds": {test: plugin.seconds[test] for test in sorted(good)},
        "failures": sorted(failures) or ([plugin.failed] if plugin.failed else []),
        "imports": sorted(sys.modules),
    }


def collect_calls(
    modules: Sequence[Path],
    tests: Sequence[Path],
    store: Path,
    longest: float,
) -> Calls:
    """Run each test file once, or take what `store` has of it; a test that fails is left out.

    So is a test that takes more than `longest` CPU seconds, where that is not 0.
    What is stored of a file holds while it and the modules that it calls are what they were.
    """
    files = sorted(
        str(one.resolve().relative_to(ROOT))
        for path in tests
        for one in (path.rglob("test_*.py") if path.is_dir() else [path])
    )
    known = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    names = {str(path) for path in modules}
    calls = Calls()
    for file in files:
        if file not in known or known[file]["digest"] != _digest(file, known[file]["callers"]):
            start = time.perf_counter()
            outcome, found = in_child(lambda file=file: trace_file(file, names, longest), LONGEST)
            if outcome != "done":
                raise RuntimeError(f"{file} could not be traced: {outcome}.")
            print(f"traced {file} in {time.perf_counter() - start:.1f} s", flush=True)
            known[file] = found | {"digest": _digest(file, found["callers"])}
            store.write_text(json.dumps(known), encoding="utf-8")
        found = known[file]
        _import_all([name for name in found["imports"] if _is_foreign(name)])
        for failure in found["failures"]:
            print(f"{failure} is left out: it fails without a change or takes too long.")
        calls.seconds |= found["seconds"]
        calls.imports[file] = set(found["imports"])
        for key, own in found["callers"].items():
            calls.callers.setdefault(key, set()).update(own)
    return calls


def _is_foreign(name: str) -> bool:
    """Return whether a module is neither of the project nor of its tests."""
    if name in sys.modules or name.startswith(("celldossier", "tests", "_", "conftest")):
        return False
    top = name.split(".")[0]
    return top in sys.stdlib_module_names or any(
        (Path(folder) / top).is_dir() or (Path(folder) / f"{top}.py").is_file()
        for folder in sys.path
        if folder.endswith("site-packages")
    )


def _import_all(names: Sequence[str]) -> None:
    """Import what the tests import beside the project, so that no child has to."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name} is left to the children: {error!r}")


def _digest(file: str, callers: Iterable[str]) -> str:
    digest = hashlib.sha256((ROOT / file).read_bytes())
    for path in sorted({key.rpartition(":")[0] for key in callers}):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()

"""Runs of the workflow in folders of their own; every test reads from these few runs.

The full study runs twice, in two folders and with different ``--cores``; the
mini study runs once, and tests that change something work on a copy of it.
Pages are dear: the full study alone is printed in both languages, and its second
run in Chinese alone; each other study has the report of one language.
The runs that the chosen tests need are begun together, two at a time, and each
test waits for its own: a run by itself leaves a core idle for most of its time.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from clones import MINI, Clone, clone_project, expect_success
from plain_study import ANALYTES, ORDER, RESPONDERS, TERMS, days, profile_parameters

RUN = Path("results/CTX-101")
RAW = Path("resources/studies/CTX-101")


@dataclass(frozen=True)
class Plan:
    """A run that tests share: folder of its clone, arguments of Snakemake, cores.

    Where a language is named, the report is that of this language alone.
    """

    folder: str
    arguments: tuple[str, ...]
    cores: int
    language: str = ""

    def add_language(self, clone: Clone) -> tuple[str, ...]:
        """The arguments with the config file, written into the clone, that says the language."""
        if not self.language:
            return self.arguments
        file = "config/language.yaml"
        (clone.root / file).write_text(f"report: {{languages: [{self.language}]}}\n", "utf-8")
        return (*self.arguments, file)


def _of_study(name: str) -> tuple[str, ...]:
    return ("--configfile", f"config/studies/{name}.yaml")


PLANS = {
    "mini": Plan("mini/project", ("--configfile", MINI), 1),
    "full_run": Plan("full/first/project", (), 1),
    "pilot": Plan("pilot/project", _of_study("cdisc_pilot"), 1, "en"),
    "nkx": Plan("nkx/project", _of_study("nkx_201"), 1, "zh"),
    "msx": Plan("msx/project", _of_study("msx_301"), 1, "zh"),
    # Another folder, another number of cores; all but the English report and the manifest.
    "second_full_run": Plan(
        "full/second/deeper/project",
        (
            f"{RUN}/report/zh/clinical-pharmacology-report.pdf",
            *(f"{RUN}/checks/findings.{language}.html" for language in ("zh", "en")),
        ),
        2,
    ),
}
"""The shared runs, by the name of the fixture that gives each, in the order in which they begin."""

ENDS = ("mini", "pilot", "nkx", "msx", "full_run", "second_full_run")
"""The same in the order in which they are expected to end, which is that of their tests."""


def _needed_runs(item: pytest.Item) -> set[str]:
    """Shared runs that a test takes, itself or as a parameter."""
    names = set(getattr(item, "fixturenames", ()))
    if hasattr(item, "callspec"):
        names |= {value for value in item.callspec.params.values() if isinstance(value, str)}
    return names & set(PLANS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of a run that ends late behind the others; those without a run stay first."""
    items.sort(key=lambda item: max((ENDS.index(run) for run in _needed_runs(item)), default=-1))


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Clone]]]:
    """Begin the runs that the chosen tests need."""
    root = tmp_path_factory.mktemp("runs")
    needed = {run for item in request.session.items for run in _needed_runs(item)}
    # All copies are made before the first run and the first test can touch the original.
    clones = {name: clone_project(root / PLANS[name].folder) for name in PLANS if name in needed}

    def run(name: str) -> Clone:
        plan = PLANS[name]
        arguments = plan.add_language(clones[name])
        expect_success(clones[name].snakemake(*arguments, cores=plan.cores))
        return clones[name]

    pool = ThreadPoolExecutor(max_workers=2)
    yield {name: pool.submit(run, name) for name in clones}
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def mini(started: Mapping[str, Future[Clone]]) -> Clone:
    """A clone in which the mini study has run; not to be changed."""
    return started["mini"].result()


@pytest.fixture
def mini_copy(mini: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished mini study, to be changed."""
    target = tmp_path / "project"
    shutil.copytree(mini.root, target, symlinks=True)
    return Clone(target)


@pytest.fixture(scope="session")
def full_run(started: Mapping[str, Future[Clone]]) -> Clone:
    """A clone in which the example study has run, on one core."""
    return started["full_run"].result()


@pytest.fixture(scope="session")
def second_full_run(started: Mapping[str, Future[Clone]]) -> Clone:
    """Another clone in which the example study has run but for the English report and the manifest.

    Another folder, two cores.
    """
    return started["second_full_run"].result()


@pytest.fixture(scope="session")
def pilot(started: Mapping[str, Future[Clone]]) -> Clone:
    """A clone in which the public CDISC pilot study has run."""
    return started["pilot"].result()


@pytest.fixture(scope="session")
def nkx(started: Mapping[str, Future[Clone]]) -> Clone:
    """A clone in which the CAR-NK study has run."""
    return started["nkx"].result()


@pytest.fixture(scope="session")
def msx(started: Mapping[str, Future[Clone]]) -> Clone:
    """A clone in which the stem cell study has run."""
    return started["msx"].result()


@pytest.fixture
def planned() -> Callable[[Clone], set[str]]:
    """Give the rules that a run of the mini study would execute now."""

    def rules(clone: Clone, *arguments: str) -> set[str]:
        result = clone.snakemake("--dry-run", "--configfile", MINI, *arguments)
        expect_success(result)
        return {
            line.split()[1].rstrip(":")
            for line in result.stdout.splitlines()
            if line.startswith(("rule ", "localrule "))
        }

    return rules


@pytest.fixture(scope="session")
def root(full_run: Clone) -> Path:
    """Folder of the project in which the example study has run."""
    return full_run.root


@pytest.fixture(scope="session")
def raw(root: Path) -> Callable[[str], pd.DataFrame]:
    """Give a raw file of the example study, all texts."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(root / RAW / f"{name}.csv", dtype=str, keep_default_na=False)

    return read


@pytest.fixture(scope="session")
def dataset(root: Path) -> Callable[[str], pd.DataFrame]:
    """Give a dataset of the run of the example study."""
    return lambda name: pd.read_parquet(root / RUN / "adam" / f"{name}.parquet")


@pytest.fixture(scope="session")
def result(root: Path) -> Callable[..., dict[str, float]]:
    """Give the statistics of one place of the analysis results of that run."""
    tables = {path.stem: pd.read_parquet(path) for path in (root / RUN / "ard").glob("*.parquet")}

    def find(stage: str, analysis: str, variable: str, **by: str) -> dict[str, float]:
        rows = tables[stage]
        rows = rows[rows["analysis_id"] == f"{stage}.{analysis}"]
        analyte = by.pop("analyte", None)
        rows = rows[rows["variable"] == variable]
        if analyte is not None:
            rows = rows[rows["analyte"] == analyte]
        levels = [
            {row[f"group{i}"]: row[f"level{i}"] for i in (1, 2, 3) if row[f"group{i}"]}
            for row in rows.to_dict("records")
        ]
        rows = rows[[level == by for level in levels]]
        assert len(rows), (stage, analysis, variable, by)
        assert rows["stat_name"].is_unique
        return dict(zip(rows["stat_name"], rows["value"], strict=True))

    return find


@pytest.fixture(scope="session")
def infusion(raw) -> pd.DataFrame:
    """First infusion of each subject: `zero`, and the dose with its ratio to the plan."""
    ex = raw("ex")
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"].sort_values(["USUBJID", "EXSTDTC"])
    # Second infusions (retreatment, unplanned) are no part of the first course.
    cells = cells.drop_duplicates("USUBJID").copy()
    cells["zero"] = pd.to_datetime(cells["EXSTDTC"])
    cells["ratio"] = cells["EXDOSE"].astype(float) / cells["EXPDOSE"].astype(float)
    arm = raw("dm").set_index("USUBJID")["ARMCD"]
    return cells.set_index("USUBJID").assign(dose=lambda frame: arm.reindex(frame.index))


@pytest.fixture(scope="session")
def censoring(raw, infusion) -> dict[str, float]:
    """First of death, new therapy and unplanned second infusion of each subject, days (R15)."""
    dm, cm, ex = raw("dm"), raw("cm"), raw("ex")
    therapy = cm[cm["CMDECOD"].isin(["INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"])]
    unplanned = ex[(ex["EXCAT"] == "CELL PRODUCT") & (ex["EXPLFL"] == "N")]
    assert len(therapy) > 20 and len(unplanned) == 1
    found = dict.fromkeys(infusion.index, math.inf)
    for frame, column in ((dm, "DTHDTC"), (therapy, "CMSTDTC"), (unplanned, "EXSTDTC")):
        for subject, text in zip(frame["USUBJID"], frame[column], strict=True):
            if subject in found and text:
                found[subject] = min(found[subject], days(text, infusion.at[subject, "zero"]))
    return found


@pytest.fixture(scope="session")
def kinetics(raw, infusion, censoring) -> pd.DataFrame:
    """Parameters by subject and analyte, from pc.csv, ex.csv and dm.csv alone."""
    pc = raw("pc")
    pc = pc[pc["PCSPEC"].isin(["BLOOD", "WHOLE BLOOD"]) & pc["USUBJID"].isin(infusion.index)]
    pc = pc.assign(
        analyte=pc["PCTESTCD"].map(ANALYTES),
        time=[
            days(t, infusion.at[s, "zero"]) for s, t in zip(pc["USUBJID"], pc["PCDTC"], strict=True)
        ],
        nominal=pc["PCTPTNUM"].astype(float),
        conc=pd.to_numeric(pc["PCORRES"].where(pc["PCORRES"] != "BLQ"), errors="raise"),
    )
    assert not (pc["conc"] < pc["PCLLOQ"].astype(float)).any()
    rows = []
    for (subject, analyte), samples in pc.groupby(["USUBJID", "analyte"]):
        found = profile_parameters(samples.sort_values("time"), censoring[subject])
        rows.append({"USUBJID": subject, "PARCAT1": analyte, **found})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def responders(raw, infusion) -> pd.Series:
    """Y, N, or blank (not known) for each infused subject."""
    rs = raw("rs")
    rs = rs[rs["USUBJID"].isin(infusion.index) & (rs["RSTESTCD"] == "OVRLRESP")]
    after = [
        days(t, infusion.at[s, "zero"]) > 0 for s, t in zip(rs["USUBJID"], rs["RSDTC"], strict=True)
    ]
    best = rs[after].groupby("USUBJID")["RSSTRESC"].agg(lambda found: min(found, key=ORDER.index))
    best = best.reindex(infusion.index).fillna("NE")
    return best.map(lambda name: "" if name == "NE" else "Y" if name in RESPONDERS else "N")


@pytest.fixture(scope="session")
def grades(raw, infusion) -> pd.DataFrame:
    """Worst grade of CRS and ICANS that began within 28 days."""
    ae = raw("ae")
    ae = ae[ae["USUBJID"].isin(infusion.index)]
    start = [
        days(t, infusion.at[s, "zero"]) for s, t in zip(ae["USUBJID"], ae["AESTDTC"], strict=True)
    ]
    ae = ae.assign(grade=ae["AETOXGR"].astype(float), start=start)
    ae = ae[(ae["start"] >= 0) & (ae["start"] <= 28)]
    return (
        pd.DataFrame(
            {
                name: ae[ae["AEDECOD"] == term].groupby("USUBJID")["grade"].max()
                for name, term in TERMS.items()
            }
        )
        .reindex(infusion.index)
        .fillna(0.0)
    )


@pytest.fixture(scope="session")
def assessments(raw, infusion) -> dict[str, list[tuple[int, str]]]:
    """Category of each assessment after the infusion, by subject, with its day."""
    found: dict[str, list[tuple[int, str]]] = {subject: [] for subject in infusion.index}
    rs = raw("rs").sort_values(["USUBJID", "RSDTC"])
    rs = rs[rs["RSTESTCD"] == "OVRLRESP"]
    for subject, text, category in zip(rs["USUBJID"], rs["RSDTC"], rs["RSSTRESC"], strict=True):
        if subject in found:
            day = days(text[:10], infusion.at[subject, "zero"])
            if day > 0:
                found[subject].append((int(day), category))
    return found


@pytest.fixture(scope="session")
def new_therapy(raw, infusion) -> dict[str, int]:
    """Day of the first treatment of the disease after the infusion."""
    cm = raw("cm")
    cm = cm[cm["CMDECOD"].isin(["INOTUZUMAB OZOGAMICIN", "POLATUZUMAB VEDOTIN"])]
    found: dict[str, int] = {}
    for subject, text in zip(cm["USUBJID"], cm["CMSTDTC"], strict=True):
        if subject in infusion.index:
            day = int(days(text[:10], infusion.at[subject, "zero"]))
            if day > 0:
                found[subject] = min(day, found.get(subject, day))
    return found

"""A finished run in a folder of its own: config, raw files, few results, nothing derived."""

from __future__ import annotations

import shutil
from pathlib import Path

from celldossier.cli import main
from celldossier.io.files import write_json
from celldossier.io.resources import shared_path
from celldossier.io.run_folder import RunFolder
from celldossier.results import ResultCollector
from celldossier.settings.model import Settings, effective_sections
from celldossier.settings.read import check_values, read_yaml

CONFIG = "study.yaml"
RAW = "resources/studies/MINI"
RUN = Path("results/MINI")


def make_run(project: Path) -> RunFolder:
    """Lay out a project in `project`, which is the working directory, with one finished run."""
    shutil.copytree(shared_path(*RAW.split("/")), project / RAW)
    shutil.copytree(shared_path("config", "decisions", "MINI"), project / "config/decisions/MINI")
    shutil.copy(shared_path("config", "studies", "mini.yaml"), project / CONFIG)
    shutil.copy(shared_path("config", "tlfs.yaml"), project / "config" / "tlfs.yaml")
    run = RunFolder(RUN)
    settings = check_values(read_yaml(Path(CONFIG)), Settings, [Path(CONFIG)])
    for name, content in effective_sections(settings).items():
        write_json(content, run.path("settings", f"{name}.json"))
    collector = ResultCollector("cellular_kinetics")
    collector.add("summary", {"geomean": 12.5}, dataset="ADPP", variable="CMAX", analyte="PCR", n=7)
    run.write_results(collector.frame(), "cellular_kinetics")
    assert main(["manifest", "--run", str(run.root)]) == 0
    return run

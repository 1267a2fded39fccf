"""CPU time of the complete plan of exposure-response models of a run.

``python benchmarks/exposure_response/plan_time.py --run results/CTX-101`` reads the datasets of a
finished run, analyses them as `celldossier exposure_response estimate` does, writes nothing, and
says how many cells the plan has and how long all of them took. The demand (issue 5) is at least
150 models of CTX-101 in less than 60 s of CPU.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, fields
from pathlib import Path

from celldossier.exposure_response.stage import analyse_exposure_response
from celldossier.exposure_response.study import Sources
from celldossier.io.run_folder import RunFolder
from celldossier.settings.exposure_response import ExposureResponseSettings


@dataclass(frozen=True)
class PlanTime:
    """Cells of the plan, those that were run, by family of models, and the CPU time, s."""

    cells: dict[str, tuple[int, int]]
    seconds: float

    @property
    def total(self) -> int:
        """Cells of all families."""
        return sum(cells for cells, _ in self.cells.values())


def measure_plan(folder: Path) -> PlanTime:
    """Analyse a run and count its plan."""
    run = RunFolder(folder)
    settings = ExposureResponseSettings.model_validate(run.settings("exposure_response"))
    sources = Sources(**{field.name: run.dataset(field.name.upper()) for field in fields(Sources)})
    start = time.process_time()
    results = analyse_exposure_response(sources, settings).results
    seconds = time.process_time() - start
    status = results[
        (results["analysis_id"] == "exposure_response.plan") & (results["stat_name"] == "status")
    ]
    model = status["value_id"].str.extract(r"model=([^/;]+)", expand=False)
    cells = {
        str(name): (len(rows), int((rows["value_text"] == "RUN").sum()))
        for name, rows in status.groupby(model)
    }
    return PlanTime(cells, seconds)


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    found = measure_plan(parser.parse_args().run)
    print("| family | cells | run |\n|---|---|---|")
    for name, (cells, run) in found.cells.items():
        print(f"| {name} | {cells} | {run} |")
    print(f"\n{found.total} cells in {found.seconds:.1f} s of CPU")


if __name__ == "__main__":
    main()

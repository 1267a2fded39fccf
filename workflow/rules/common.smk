# Reads and checks the config, and holds the input functions that several rules share.
from pathlib import Path

from celldossier.cli.threads import use_one_thread

use_one_thread()

from celldossier.errors import CelldossierError
from celldossier.io.archive import list_reference_files
from celldossier.io.files import canonical_json
from celldossier.io.decisions import list_decision_files
from celldossier.io.run_record import SHARED
from celldossier.io.stages import CHECKS, STAGES, list_results
from celldossier.io.tables import locate_raw_files
from celldossier.settings.model import SECTIONS, Settings, effective_sections
from celldossier.settings.read import check_values
from snakemake.exceptions import WorkflowError

CONFIG_FILES = [Path(file) for file in workflow.config_settings.configfiles] or [
    Path("config/config.yaml")
]
PACKAGE = Path("workflow/src/celldossier")
FLOORS = ["errors.py", "io", "terms", "settings", "datasets", "results", "stats"]
# The way from the command line to any stage; the version and the number of threads are set there.
ENTRY = [
    "__init__.py",
    *(f"cli/{name}.py" for name in ("__init__", "arguments", "threads", "stage_files")),
]
LOCK = "uv.lock"
CHECKED = expand("<results>/checks/{name}.csv", name=CHECKS)
COMPARISON = expand(
    "<results>/comparison/{name}",
    name=["differences.csv", "differences.json", "en.html", "zh.html"],
)
FINDINGS_PAGES = expand("<results>/checks/findings.{lang}.html", lang=["zh", "en"])

try:
    SETTINGS = check_values(config, Settings, CONFIG_FILES)
    DECISION_FILES = [str(file) for file in list_decision_files(SETTINGS.study_data.decisions)]
    # Reviewed lambda-z windows are for the kinetics alone; the check of the data lists them too.
    REFERENCE_FILES = list_reference_files(SETTINGS.reference_run)
    HALF_LIFE_FILES = [file for file in DECISION_FILES if Path(file).name == "half_life.csv"]
except CelldossierError as error:
    raise WorkflowError("The config cannot be used:", *error.faults)

EFFECTIVE = effective_sections(SETTINGS)
LANGUAGES = list(SETTINGS.report.languages)
# A raw file that is missing is a finding of the check, not an error of the DAG.
RAW_FILES = [str(file) for file in locate_raw_files(SETTINGS.study_data).values() if file.is_file()]


def get_sources(stage: str) -> list[str]:
    """Everything that an edit can change the results of a stage by: its code, all lower floors, the lock."""
    parts = [
        PACKAGE / stage,
        PACKAGE / "cli" / f"{stage}.py",
        *(PACKAGE / part for part in [*ENTRY, *FLOORS]),
    ]
    files = [file for part in parts for file in ([part] if part.is_file() else part.rglob("*.py"))]
    return [LOCK, *sorted(str(file) for file in files)]


def get_run_folder(wildcards) -> str:
    """Folder of the run, which each command of a stage is given."""
    return f"results/{SETTINGS.run}"


def get_files(folder: str, *patterns: str) -> list[str]:
    """Files of a folder that a stage reads beside its code: resources, templates, catalogues."""
    return sorted(
        str(file) for pattern in patterns for file in Path(folder).rglob(pattern) if file.is_file()
    )


def get_program_files() -> list[str]:
    """Files beside the package that are part of the program, as a run records them."""
    return [file for folder, pattern in SHARED.items() for file in get_files(folder, pattern)]


def get_datasets(*stages: str) -> list[str]:
    """Analysis datasets that the stages hand on."""
    return [f"<results>/adam/{name}.parquet" for stage in stages for name in STAGES[stage].datasets]


def get_results(*stages: str) -> list[str]:
    """Analysis results and curves that the stages hand on."""
    return [f"<results>/ard/{name}.parquet" for stage in stages for name in list_results(stage)]


def get_section_settings(*sections: str) -> list[str]:
    """Settings files of the sections that a stage reads."""
    return [f"<results>/settings/{section}.json" for section in sections]


wildcard_constraints:
    section="|".join([*SECTIONS, "run"]),
    lang="zh|en",

"""The pages for people name files that are there, and the same files in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    *("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"),
    "docs/architecture.md",
)


def linked_files(page: str) -> set[str]:
    """Targets of the links and pictures of a page that lie in the project."""
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    return {target for target in targets if "://" not in target}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_of_the_project(page: str) -> None:
    folder = (ROOT / page).parent
    missing = {target for target in linked_files(page) if not (folder / target).exists()}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_stands_as_code_exists(page: str) -> None:
    """A path with a placeholder, ``tests/unit/<stage>/``, names no one file."""
    text = (ROOT / page).read_text(encoding="utf-8")
    made = {"results", "archive", "logs", "benchmarks-run", ".venv"}
    below = {path.name for path in ROOT.iterdir()} - made
    named = {
        path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if path.split("/")[0] in below
    }
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_both_readmes_lead_to_the_same_files() -> None:
    english, chinese = linked_files("README.md"), linked_files("README.zh-CN.md")
    assert english - {"README.zh-CN.md"} == chinese - {"README.md"}


def test_every_make_target_that_the_pages_name_exists() -> None:
    named = {
        target
        for page in PAGES
        for target in re.findall(r"`make (\w+)", (ROOT / page).read_text(encoding="utf-8"))
    }
    defined = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"report", "test"} <= named <= defined

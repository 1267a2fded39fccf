"""What a comparison takes a stage to read is what its rule names."""

from __future__ import annotations

import re

import pytest

from celldossier.io.resources import shared_path
from celldossier.io.stages import READS, STAGES


def rule_inputs(stage: str) -> str:
    """Inputs of the rules of a stage, as text; of the derivation and the summary together."""
    text = shared_path("workflow", "rules", f"{stage}.smk").read_text(encoding="utf-8")
    return "".join(re.findall(r"    input:\n(.*?)\n    output:", text, re.DOTALL))


def test_every_stage_with_results_is_known() -> None:
    assert list(READS) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_settings_and_datasets_that_its_rule_names(stage: str) -> None:
    inputs = rule_inputs(stage)
    sections = {
        name
        for call in re.findall(r"get_section_settings\(([^)]*)\)", inputs)
        for name in re.findall(r'"(\w+)"', call)
    }
    datasets = set(re.findall(r"<results>/adam/(\w+)\.parquet", inputs))
    results = set(re.findall(r"<results>/ard/(\w+)\.parquet", inputs))
    assert set(READS[stage].settings) == sections
    assert set(READS[stage].results) == results
    assert set(READS[stage].datasets) == datasets - set(STAGES[stage].datasets)


def test_no_stage_reads_what_a_later_one_makes() -> None:
    made: set[str] = set()
    for stage, handed in STAGES.items():
        assert {*READS[stage].datasets, *READS[stage].results} <= made, stage
        made |= {stage, *handed.datasets}

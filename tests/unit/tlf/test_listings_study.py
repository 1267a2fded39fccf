"""The listing of exclusions: decisions, absences from sets and lost records, none twice."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.tlf.listings_study import draw_evaluation_exclusions
from celldossier.tlf.model import NotShown, Table


def make_exclusions() -> pd.DataFrame:
    rows = [
        ("PC", 2, "S-001", "NOTDONE"),
        ("PC", 3, "S-001", "NOTDONE"),
        ("PC", 4, "S-002", "NOTSELECTED"),
        ("PC", 5, "S-002", "EXCLDECISION"),
        ("LB", 1, "S-003", "NOINFUSION"),
    ]
    frame = pd.DataFrame(rows, columns=["domain", "row", "subject", "reason"])
    return conform(frame.assign(file="x.csv"), "EXCLUSIONS")


def make_decisions() -> pd.DataFrame:
    line = {
        **{"id": "D1", "kind": "EXCLUDE", "subject": "S-002", "domain": "PC", "file": "pc.csv"},
        **{"measure": "USE", "before": "USED", "after": "EXCLDECISION"},
        **{"reason": "<b>mixed up</b>", "author": "NN", "date": "2025-01-07"},
    }
    total = {"id": "ALL", "kind": "TOTAL", "measure": "RECORDS", "before": "5", "after": "4"}
    return conform(pd.DataFrame([line, total]), "DECISIONS")


def make_adsl(flag: str = "Y") -> pd.DataFrame:
    sets = {name: "N" for name in ("ENRLFL", "PKFL", "PDFL", "IMFL", "ERFL")}
    rows = [
        {"USUBJID": "S-001", "NPKRSN": "NOCK", "NPDRSN": "NOTCOLL", "NIMRSN": "DECISION"},
        {"USUBJID": "S-002"},
    ]
    frame = pd.DataFrame(rows).fillna("").assign(STUDYID="S", SAFFL=flag, **sets)
    return conform(frame, "ADSL")


def draw(context_for: Any, settings: Any, language: str, **frames: pd.DataFrame) -> Any:
    context = context_for(conform(pd.DataFrame(), "ARD"), settings, language, frames)
    return draw_evaluation_exclusions(context)


@pytest.mark.parametrize(
    ("language", "impact", "absence"),
    [("en", "2 records not used", "not in the set"), ("zh", "2条记录未使用", "未纳入")],
)
def test_each_loss_is_a_row_with_its_impact_and_decision(
    context_for: Any, settings: Any, language: str, impact: str, absence: str
) -> None:
    table = draw(
        *(context_for, settings, language),
        ADSL=make_adsl(),
        EXCLUSIONS=make_exclusions(),
        DECISIONS=make_decisions(),
    )
    assert isinstance(table, Table)
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert [row[:2] for row in texts] == [["S-001", ""], ["S-001", "PC"], ["S-002", "PC"]]
    assert texts[0][3].startswith(absence)
    assert texts[1][3] == impact
    assert " → " in texts[2][3] and "USED" not in texts[2][3]
    assert texts[2][4] == "D1: <b>mixed up</b> (NN, 2025-01-07)"
    assert table.subjects == 2
    assert table.full is not None and len(table.full) == 3


def test_nothing_left_out_is_said_so(context_for: Any, settings: Any) -> None:
    empty = {name: empty_dataset(name) for name in ("ADSL", "EXCLUSIONS", "DECISIONS")}
    shown = draw(context_for, settings, "en", **empty)
    assert shown == NotShown("NODATA")

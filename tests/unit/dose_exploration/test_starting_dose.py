"""First dose in humans: scaled from animals, and from a number of active cells."""

from __future__ import annotations

from typing import Any

import pytest
from exploration_study import make_rows, make_study, make_subjects, note, read, run_part
from pydantic import ValidationError

from celldossier.dose_exploration.starting_dose import summarise_starting_dose
from celldossier.results import AnalysisResults
from celldossier.settings.starting_dose import ActiveCells

LABEL = {"en": "study", "zh": "研究"}
MOUSE = {
    "id": "NSG", "label": LABEL, "species": "mouse", "dose": 10, "finding": "NOAEL",
    "safety_factor": 10,
}  # fmt: skip
BENCHMARK = {"id": "B1", "label": LABEL, "cells": 20, "low": 10, "high": 40}


def run(starting_dose: dict[str, Any], **datasets: Any) -> AnalysisResults:
    adsl, adex = make_subjects(["DL1", "DL2", "DL3"])
    sources = {"adsl": adsl, "adex": adex, **datasets}
    return run_part(
        summarise_starting_dose, make_study({"starting_dose": starting_dose}, **sources)
    )


def test_a_mouse_dose_becomes_a_human_dose_by_four_methods() -> None:
    values = run({"animals": [MOUSE], "human_weight": 70, "human_height": 170})
    place = {"animal": "NSG"}
    by = {
        method: read(values, "human_dose", "DOSE", "dose_kg", method=method, **place)
        for method in ("KM", "DUBOIS", "MOSTELLER", "ALLOMETRIC")
    }
    assert by["KM"] == pytest.approx(0.81, rel=0.002)  # 10^6 cells/kg: 8.1 x 10^5 cells/kg
    assert by["DUBOIS"] == pytest.approx(10 * 3 * 1.8097 / 70, rel=1e-4)
    assert by["MOSTELLER"] == pytest.approx(10 * 3 * 1.8181 / 70, rel=1e-4)
    assert by["ALLOMETRIC"] == pytest.approx(10 * (0.02 / 70) ** 0.33)


def test_the_safety_factor_and_the_margin_are_of_the_total_dose() -> None:
    values = run({"animals": [MOUSE], "human_weight": 60})
    place = {"animal": "NSG", "method": "KM"}
    total = 10 * 3 / 37 * 60
    assert read(values, "human_dose", "DOSE", "dose", **place) == pytest.approx(total)
    assert read(values, "human_dose", "DOSE", "start", **place) == pytest.approx(total / 10)
    # The lowest planned first dose of the data is 50 x 10^6 cells.
    assert read(values, "first_dose", "PLANNED", "dose") == 50
    assert read(values, "human_dose", "DOSE", "margin", **place) == pytest.approx(total / 50)
    assert read(values, "human_dose", "DOSE", "within", **place) == "N"
    low = run({"animals": [MOUSE], "planned": 4.8})
    assert read(low, "human_dose", "DOSE", "within", **place) == "Y"


def test_a_weight_beyond_the_range_of_its_factor_is_marked() -> None:
    values = run({"animals": [{**MOUSE, "weight": 0.05}]})
    assert read(values, "animal_dose", "DOSE", "in_range", animal="NSG") == "N"
    assert read(values, "animal_dose", "DOSE", "weight", animal="NSG") == 0.05


def test_a_planned_dose_per_weight_is_one_of_the_declared_weight() -> None:
    adex = make_subjects(["DL1"])[1].assign(DOSEU="10^6 cells/kg", DOSEP=1.0)
    values = run({"human_weight": 65}, adex=adex)
    assert read(values, "first_dose", "PLANNED", "dose") == 65


def test_the_first_dose_of_a_split_plan_is_that_of_all_its_fractions() -> None:
    adsl, adex = make_subjects(["DL1", "DL1", "DL1", "DL2"])
    # A tenth was planned for the first fraction; the third subject was given no other.
    adex = adex.assign(DOSEP=[5.0, 5.0, 5.0, 15.0], NFRAC=[3, 3, 1, 3])
    adex.loc[2, "DOSPSUM"] = 5.0
    assert read(run({}, adsl=adsl, adex=adex), "first_dose", "PLANNED", "dose") == 50


def test_without_a_planned_dose_the_margin_is_empty_with_the_reason() -> None:
    adex = make_subjects(["DL1"])[1].assign(DOSEP=float("nan"))
    values = run({"animals": [MOUSE]}, adex=adex)
    assert note(values, "first_dose", "PLANNED", "dose") == "NOPLAN"
    assert (
        note(values, "human_dose", "DOSE", "margin", animal="NSG", method="KM")
        == note(values, "human_dose", "DOSE", "within", animal="NSG", method="KM")
        == "NOPLAN"
    )


def make_lots() -> Any:
    pairs = ((80.0, 50.0, "Y"), (90.0, 40.0, "Y"), (100.0, 20.0, "Y"), (50.0, 2.0, "N"))
    return make_rows(
        "ADPQ",
        [
            {"USUBJID": "A001", "LOTID": f"L{k}", "VIABPCT": v, "TRANSPCT": t, "INFUSFL": given}
            for k, (v, t, given) in enumerate(pairs)
        ],
    )


def test_active_cells_become_a_dose_by_the_share_of_the_lots_given() -> None:
    values = run({"active_cells": [BENCHMARK]}, adpq=make_lots())
    found = {
        stat: read(values, "active_cells", "DOSE", stat, benchmark="B1")
        for stat in ("share_low", "share", "share_high", "dose", "low", "high", "n_lots", "within")
    }
    # Shares of 40, 36 and 20%; the lot that was not given does not count.
    assert found["share_low"] == pytest.approx(20) and found["share"] == pytest.approx(36)
    assert found["dose"] == pytest.approx(20 / 0.36)
    assert (found["low"], found["high"]) == pytest.approx((10 / 0.40, 40 / 0.20))
    assert found["n_lots"] == 3 and found["within"] == "Y"


def test_a_declared_share_needs_no_lots_and_none_is_not_collected() -> None:
    declared = run({"active_cells": [{**BENCHMARK, "active_share": [0.1, 0.2, 0.4]}]})
    assert read(declared, "active_cells", "DOSE", "dose", benchmark="B1") == pytest.approx(100)
    assert note(declared, "active_cells", "DOSE", "n_lots", benchmark="B1") == "DECLARED"
    missing = run({"active_cells": [BENCHMARK]})
    assert note(missing, "active_cells", "DOSE", "dose", benchmark="B1") == "NOTCOLL"


@pytest.mark.parametrize(
    "wrong",
    [{"active_share": [0.5, 0.2, 0.4]}, {"active_share": [0.1, 0.2, 1.4]}, {"low": 30}],
)
def test_shares_and_ranges_out_of_order_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ActiveCells.model_validate({**BENCHMARK, **wrong})

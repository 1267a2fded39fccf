"""Tables 9, 9a, 16a, 1a and 65c: first dose, lowest active level, subsets, studies, route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from exploration_study import make_rows, make_study, make_subjects
from table_texts import heads, texts

from celldossier.dose_exploration.active_dose import summarise_active_dose
from celldossier.dose_exploration.dose_levels import summarise_levels
from celldossier.dose_exploration.prior_studies import summarise_prior_studies
from celldossier.dose_exploration.route_events import summarise_route_events
from celldossier.dose_exploration.starting_dose import summarise_starting_dose
from celldossier.dose_exploration.subset_dose import summarise_subset_doses
from celldossier.results import ResultCollector
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_prior_studies import draw_prior_studies
from celldossier.tlf.tables_route_events import draw_route_events
from celldossier.tlf.tables_starting_dose import draw_active_dose, draw_starting_dose
from celldossier.tlf.tables_subset_dose import draw_subset_dose

BOTH = {"en": "text", "zh": "文字"}
PARTS = (
    summarise_levels, summarise_starting_dose, summarise_active_dose, summarise_subset_doses,
    summarise_prior_studies, summarise_route_events,
)  # fmt: skip
EXPLORATION: dict[str, Any] = {
    "starting_dose": {
        "animals": [
            {"id": "M1", "label": {"en": "Graft", "zh": "移植瘤"}, "species": "mouse",
             "dose": 10, "finding": "NOAEL", "weight": 0.05},
        ],
        "active_cells": [
            {"id": "B1", "label": BOTH, "cells": 20, "active_share": [0.2, 0.4, 0.5]},
        ],
        "activity": {
            "proposed_level": "DL2",
            "criteria": [
                {"code": "PEAK", "label": {"en": "Peak", "zh": "峰值"}, "source": "KINETICS",
                 "analyte": "PCR", "parameter": "CMAX", "at_least": 1000},
            ],
        },
    },
    "prior_studies": {
        "studies": [
            {"id": "IIT1", "label": {"en": "Trial", "zh": "试验"}, "source": BOTH,
             "n_infused": 9, "response": {"n": 4, "of": 9}, "facts": {"route": BOTH}},
        ],
    },
}  # fmt: skip
Make = Callable[..., Context]


@pytest.fixture
def context(context_for: Make, settings: dict[str, Any]) -> Make:
    def make(exploration: dict[str, Any], language: str = "en", new: bool = False) -> Context:
        adsl, adex = make_subjects(["DL1", "DL2", "DL1", "DL2"])
        peaks = [
            {"USUBJID": name, "PARCAT1": "PCR", "PARAMCD": "CMAX", "AVAL": value,
             "AVALU": "copies/ug"}
            for name, value in zip(adsl["USUBJID"], (10.0, 5000.0, 20.0, 6000.0), strict=True)
        ]  # fmt: skip
        adae = make_rows("ADAE", [{"USUBJID": "A001", "AEDECOD": "Embolism", "SRCDOM": "AE"}])
        study = make_study(
            exploration, adsl=adsl, adex=adex, adpp=make_rows("ADPP", peaks), adae=adae
        )
        out = ResultCollector("dose_exploration")
        for part in PARTS:
            part(study, out)
        product = {**settings["study"]["product"], "first_of_kind": new}
        own = {
            "dose_exploration": study.settings.model_dump(mode="json"),
            "study": {**settings["study"], "product": product},
        }
        return context_for(out.frame(), {**settings, **own}, language)

    return make


def test_a_first_dose_is_supportive_where_the_product_is_not_new(context: Make) -> None:
    table = draw_starting_dose(context(EXPLORATION))
    assert isinstance(table, Table) and table.subjects == 4
    rows = texts(table)
    assert rows[0][0] == (
        "Graft (Mouse): no adverse effect up to 10.0 × 10⁶ cells/kg; weight 0.0500 kg, outside "
        "the range for which Km 3.00 is meant, safety factor 10.0"
    )
    # 10 x 3/37 x 60 = 48.6; a tenth of it; over 50.
    assert rows[1][1:] == ["0.811", "48.6", "4.86", "0.973", "no"]
    assert rows[-1][2] == "50.0 (40.0, 100)" and rows[-1][-1] == "yes"
    assert "supportive" in table.footnotes[0]
    new = draw_starting_dose(context(EXPLORATION, new=True))
    assert isinstance(new, Table) and not any("supportive" in note for note in new.footnotes)


def test_without_animals_the_table_says_why_it_is_not_there(context: Make) -> None:
    assert draw_starting_dose(context({})) == NotShown("NOTFIRST")
    assert draw_starting_dose(context({}, new=True)) == NotShown("NOSOURCE")
    assert draw_active_dose(context({})) == NotShown("NOCRITER")


def test_the_lowest_active_level_stands_beside_the_counts(context: Make) -> None:
    exploration = {**EXPLORATION}
    exploration["starting_dose"] = {**EXPLORATION["starting_dose"]}
    exploration["starting_dose"]["activity"] = {
        **EXPLORATION["starting_dose"]["activity"], "min_subjects": 2
    }  # fmt: skip
    table = draw_active_dose(context(exploration))
    rows = texts(table)
    assert heads(table)[1:3] == ["DL1 (50.0)", "DL2 (150)"]
    assert rows[1][1:] == ["0/2 (0.0)", "2/2 (100.0)", "DL2", "DL2"]
    assert rows[3][1:3] == ["no", "yes"]
    assert rows[4][:2] == ["Met at the level that the sponsor proposes (DL2)", "–"]
    assert rows[4][2] == "yes"


def test_subsets_that_were_not_counted_are_named_below_the_table(context: Make) -> None:
    table = draw_subset_dose(context(EXPLORATION))
    assert isinstance(table, Table)
    rows = texts(table)
    assert rows[0][0].startswith("Dose, total cells: median 250 (125, 375) × 10⁶ cells")
    assert [row[0] for row in rows[1:6]][:2] == ["Objective response", "CRS of grade 2 or higher"]
    assert rows[4][:3] == ["Cmax (copies/µg)", "14.1 [2]", "5480 [2]"]
    assert any("CD4+ cells" in note for note in table.footnotes)


def test_quoted_and_computed_studies_stand_side_by_side(context: Make) -> None:
    table = draw_prior_studies(context(EXPLORATION))
    assert isinstance(table, Table)
    assert heads(table) == ["Quantity", "Trial", "S"]
    assert [column.group for column in table.columns[1:]] == [
        "Investigator-initiated (quoted)",
        "Registration study (in the data)",
    ]
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["Route"] == ["text", "not provided"]
    assert rows["Objective response"] == ["4/9, 44.4 (13.7, 78.8)", "NC"]
    assert rows["Subjects infused, n"] == ["9", "4"]
    none = draw_prior_studies(context({}))
    assert isinstance(none, Table) and "No earlier study" in none.footnotes[0]


def test_events_of_the_route_are_shown_with_zero_and_one_route_says_so(context: Make) -> None:
    table = draw_route_events(context(EXPLORATION))
    assert isinstance(table, Table)
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["Embolism"][0] == "1 (25.0)" and rows["Thrombosis"] == ["0 (0.0)", "0", "0"]
    assert "one route" in table.footnotes[0]


def test_both_languages_print_the_same_values(context: Make) -> None:
    for draw in (draw_starting_dose, draw_active_dose, draw_subset_dose, draw_prior_studies,
                 draw_route_events):  # fmt: skip
        found = [draw(context(EXPLORATION, language)) for language in ("en", "zh")]
        ids = [
            [cell.value_ids for row in table.rows for cell in row.cells]
            for table in found
            if isinstance(table, Table)
        ]
        assert len(ids) == 2 and ids[0] == ids[1]

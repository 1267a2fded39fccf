"""Dose levels side by side, drawn: tables 14a, 19 and 82, listing 14, figures 15, 19 and 82."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from infusions_given import make_infusions
from level_study import make_level_study
from table_texts import heads, texts

from celldossier.datasets import empty_dataset
from celldossier.dose_exploration.stage import explore_doses
from celldossier.settings.dose_exploration import DoseExplorationSettings
from celldossier.settings.dose_levels import DoseLevelSettings, OverlapSettings
from celldossier.terms.language import Language
from celldossier.tlf.figures_dose_levels import draw_exposure_overlap_plot
from celldossier.tlf.figures_doses import draw_dose_strip
from celldossier.tlf.figures_level_panels import draw_level_panels
from celldossier.tlf.labels import variable_label
from celldossier.tlf.listings_doses import draw_dose_listing
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_dose_levels import (
    draw_exposure_overlap,
    draw_exposure_window,
)
from celldossier.tlf.tables_level_overview import draw_level_overview

SETTINGS = DoseExplorationSettings(
    levels=DoseLevelSettings(
        metrics=("CMAX",), markers=("IL6",), overlap=OverlapSettings(resamples=200)
    )
)
SOURCES = make_level_study()
RESULTS = explore_doses(SOURCES, SETTINGS).results
DATASETS = {"ADSL": SOURCES.adsl, "ADEX": SOURCES.adex, "ADPP": SOURCES.adpp}

VIABLE = variable_label(Language("en"), "ADEX", "DOSEVIA")

Make = Callable[..., Context]


@pytest.fixture
def make(context_for: Make, settings: dict[str, Any]) -> Make:
    own = {**settings, "dose_exploration": SETTINGS.model_dump(mode="json")}

    def context(results: pd.DataFrame = RESULTS, **options: Any) -> Context:
        options.setdefault("datasets", DATASETS)
        return context_for(results, own, **options)

    return context


def row_of(table: object, start: str) -> list[str]:
    return next(row for row in texts(table) if row[0].startswith(start))


def test_the_overview_sets_the_levels_side_by_side_in_the_order_of_their_dose(make: Make) -> None:
    table = draw_level_overview(make())
    assert heads(table)[1:] == ["B", "A", "All"]
    assert row_of(table, "Planned dose (")[1:] == ["50.0", "150", "–"]
    assert row_of(table, "Subjects with a dose-limiting")[1] == "1 / 5 (20.0) [0.5, 71.6]"
    assert row_of(table, "Cytokine release syndrome, grade 3")[1] == "1 / 6 (16.7) [0.4, 64.1]"
    assert row_of(table, "Cmax (copies/µg)")[1] == "40.0 (152) [6]"
    assert row_of(table, "Objective response")[3] == "6 / 11 (54.5) [23.4, 83.3]"
    marker = next(row for row in table.rows if row.cells[0].text.startswith("IL6"))  # type: ignore[union-attr]
    assert marker.cells[1].text == "NC" and marker.cells[1].reasons == ("NOPDPAR",)


def test_a_level_without_infusions_on_record_has_the_reason_in_place_of_its_doses(
    make: Make,
) -> None:
    level = SOURCES.adsl.set_index("USUBJID")["TRT01A"]
    adex = SOURCES.adex[SOURCES.adex["USUBJID"].map(level) == "B"]
    results = explore_doses(make_level_study(adex=adex), SETTINGS).results
    table = draw_level_overview(make(results))
    assert heads(table)[1:] == ["A", "B", "All"]
    assert isinstance(table, Table)
    cells = next(row for row in table.rows if VIABLE in row.cells[0].text).cells
    assert cells[1].text == "NC" and cells[1].reasons == ("NOGROUP",)


def test_doses_that_are_not_asked_for_by_level_leave_their_cells_blank(make: Make) -> None:
    settings = SETTINGS.model_copy(update={"by_dose": False})
    results = explore_doses(SOURCES, settings).results
    row = next(row for row in texts(draw_level_overview(make(results))) if VIABLE in row[0])
    assert row[1:3] == ["–", "–"]


def test_a_level_without_evaluable_subjects_has_no_rate(make: Make) -> None:
    reason = SOURCES.adsl["TRT01A"].map({"A": "SHORTFU", "B": ""})
    adsl = SOURCES.adsl.assign(NDLTRSN=reason)
    results = explore_doses(make_level_study(adsl=adsl), SETTINGS).results
    row = row_of(draw_level_overview(make(results)), "Subjects with a dose-limiting")
    assert row[2] == "0 / 0"


def test_exposure_stands_with_and_without_doses_outside_the_window(make: Make) -> None:
    table = draw_exposure_window(make())
    assert isinstance(table, Table)
    rows = texts(table)
    assert rows[1][1:] == ["6 / 6", "5 / 5", "11 / 11"]
    assert row_of(table, "Without doses outside")[1:] == ["5 / 6", "5 / 5", "10 / 11"]
    assert row_of(table, "Removed, n")[1:] == ["1", "0", "1"]
    assert row_of(table, "Geo. mean over that of all")[1:] == ["1.41", "1.00", "1.24"]


def test_neighbours_have_ratio_overlap_and_chance_in_one_row(make: Make) -> None:
    table = draw_exposure_overlap(make())
    row = texts(table)[1]
    assert row[:4] == ["B → A", "3.00", "6 (1) / 5 (0)", "40.0 / 120"]
    assert row[4].startswith("3.00 [") and row[5].startswith("0.")
    # An exact interval does not exist where a value has no logarithm.
    assert row[6] == "NC" and len(row) == len(heads(table))
    assert isinstance(table, Table)
    assert "seed 20261126" in " ".join(table.footnotes)


def test_one_level_has_no_neighbour_and_no_kinetics_no_exposure(make: Make) -> None:
    adsl = SOURCES.adsl.assign(TRT01A="A", TRT01P="A")
    one = explore_doses(make_level_study(adsl=adsl), SETTINGS).results
    assert draw_exposure_overlap(make(one)) == NotShown("ONEDLVL")
    assert draw_exposure_overlap_plot(make(one)) == NotShown("ONEDLVL")
    none = explore_doses(make_level_study(adpp=empty_dataset("ADPP")), SETTINGS).results
    for draw in (draw_exposure_window, draw_exposure_overlap, draw_exposure_overlap_plot):
        assert draw(make(none)) == NotShown("NOTCOLL")
    assert isinstance(draw_level_overview(make(none)), Table)
    assert isinstance(draw_level_panels(make(none)), Figure)


def test_without_a_value_above_0_there_is_no_axis_and_the_reason_is_said(make: Make) -> None:
    adpp = SOURCES.adpp.assign(AVAL=0.0)
    none = explore_doses(make_level_study(adpp=adpp), SETTINGS).results
    datasets = {**DATASETS, "ADPP": adpp}
    assert draw_exposure_overlap_plot(make(none, datasets=datasets)) == NotShown("NOPOSEXP")
    for draw in (draw_exposure_window, draw_exposure_overlap, draw_level_overview):
        assert isinstance(draw(make(none, datasets=datasets)), Table)
    assert isinstance(draw_level_panels(make(none, datasets=datasets)), Figure)


def listing(
    make: Make, infusions: list[dict[str, object]], lots: dict[str, float] | None = None
) -> Table:
    output = explore_doses(make_infusions(infusions, lots), SETTINGS)
    datasets = {"ADDA": output.adda, "EXCLUSIONS": empty_dataset("EXCLUSIONS")}
    table = draw_dose_listing(make(output.results, datasets=datasets))
    assert isinstance(table, Table)
    return table


def test_the_listing_has_a_row_an_infusion_and_sums_below_those_that_they_add_up(
    make: Make,
) -> None:
    rows: list[dict[str, object]] = [
        {"DOSEA": 30.0, "NFRAC": 2},
        {"DOSEA": 60.0, "NFRAC": 2, "PDOSENO": 1, "DOSETYPE": "SPLIT"},
        {"PDOSENO": 2},
        {"DOSETYPE": "RETREATMENT", "COURSE": 2, "PDOSENO": 1},
    ]
    table = listing(make, rows)
    names = [row[2] for row in texts(table)]
    assert names == [
        "1: first", "2: split", "Dose 1: sum of 2", "3: repeat", "Course 1: sum of 3",
        "4: retreatment",
    ]  # fmt: skip
    copies = [heads(table).index(head) for head in heads(table) if head.startswith("Gene copies")]
    assert [row[copies[0]] for row in texts(table)] == ["60.0", "120", "180", "200", "380", "200"]
    notes = " ".join(table.footnotes)
    assert "4 infusions of 1 subjects are listed; 3 are planned" in notes
    assert "retreatment: 1, unplanned: 0" in notes


def test_a_product_without_a_gene_has_no_columns_of_copies_and_says_why(make: Make) -> None:
    table = listing(make, [{"DOSETGP": math.nan, "DOSEBAS": "VIA"}], {})
    assert not any("opies" in head or "VCN" in head for head in heads(table))
    notes = " ".join(table.footnotes)
    assert "Gene copies could not be computed: not collected in this study." in notes
    assert "Not known in any infusion: Transgene+ Viable Cells Infused" in notes


def test_raw_records_that_are_not_used_are_counted_below_the_listing(make: Make) -> None:
    output = explore_doses(make_infusions([{}]), SETTINGS)
    excluded = pd.DataFrame(
        {"domain": ["EX", "EX", "AE"], "reason": ["SUBJUNK", "SUBJUNK", "NOTIME"]}
    )
    table = draw_dose_listing(
        make(output.results, datasets={"ADDA": output.adda, "EXCLUSIONS": excluded})
    )
    assert isinstance(table, Table)
    assert "subject not in the demographics file: 2" in " ".join(table.footnotes)
    nothing = {"ADDA": empty_dataset("ADDA"), "EXCLUSIONS": excluded}
    assert draw_dose_listing(make(output.results, datasets=nothing)) == NotShown("NOTCOLL")


def test_the_strip_shows_every_dose_and_counts_those_nearer_another_level(make: Make) -> None:
    figure = draw_dose_strip(make())
    assert isinstance(figure, Figure) and figure.subjects == 11
    labels = [label.get_text() for label in figure.pages[0].axes[0].get_xticklabels()]
    assert labels[0].splitlines() == [
        "B", "6 subjects, 6 doses", "nearer another level: 1", "in another window: 1",
    ]  # fmt: skip
    assert figure.data["INWINFL"].tolist().count("N") == 1
    mixed = SOURCES.adex.assign(DOSEU=["10^6 cells", *["10^6 cells/kg"] * 10])
    assert draw_dose_strip(make(datasets={**DATASETS, "ADEX": mixed})) == NotShown("MIXUNIT")


def test_subjects_without_a_logarithm_stand_at_the_foot_of_the_axis(make: Make) -> None:
    figure = draw_exposure_overlap_plot(make())
    assert isinstance(figure, Figure)
    axes = figure.pages[0].axes[0]
    points = sum(len(collection.get_offsets()) for collection in axes.collections)
    assert points == 11
    assert any("1 values" in note for note in figure.footnotes)
    assert any(text.get_text().startswith("OVL 0.") for text in axes.texts)


def test_the_panels_show_exposure_events_and_response_over_the_planned_dose(make: Make) -> None:
    figure = draw_level_panels(make())
    assert isinstance(figure, Figure) and len(figure.pages[0].axes) == 3
    labels = [label.get_text() for label in figure.pages[0].axes[1].get_xticklabels()]
    assert labels == ["B\n50", "A\n150"]
    series = figure.data.set_index(["SERIES", "DOSE"])
    assert series.loc[("ORR", "B"), "VALUE"] == pytest.approx(100 * 3 / 6)
    assert series.loc[("CMAX", "B"), "VALUE"] == pytest.approx(40)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_print_the_same_values(make: Make, language: str) -> None:
    for draw in (draw_level_overview, draw_exposure_window, draw_exposure_overlap):
        table = draw(make(language=language))
        assert isinstance(table, Table)
        english = draw(make())
        assert isinstance(english, Table)
        assert [[c.value_ids for c in row.cells] for row in table.rows] == [
            [c.value_ids for c in row.cells] for row in english.rows
        ]

"""Table 29, the listing of the phases, and the figure of their fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phases_given import add_phase_counts, make_adpc, make_adph, make_phase_lines
from table_texts import texts

from celldossier.datasets import empty_dataset
from celldossier.results import ResultCollector
from celldossier.tlf.figures_phases import choose_by_spread, draw_phase_fits
from celldossier.tlf.model import Context, Figure, NotShown, Table
from celldossier.tlf.tables_phases import draw_phase_listing, draw_phases

Draw = Callable[..., Context]
PARAMETERS = ["HLCON", "HLCONLL", "HLPER"]


def results(values: tuple[float, ...] = (3.0, 4.0, 6.0)) -> pd.DataFrame:
    out = ResultCollector("cellular_kinetics")
    add_phase_counts(out)
    groups: list[dict[str, str]] = [{}, {"dose": "DL1"}, {"dose": "DL2"}]
    groups += [{"indication": "NHL"}]
    groups += [{"response": level} for level in ("RESPONDER", "NONRESPONDER", "UNKNOWN")]
    for analyte in ("PCR", "FLOW"):
        for code in PARAMETERS:
            for by in groups:
                block: dict[str, float | str] = {
                    **{"n": len(values), "geomean": 4.16, "gcv": 35.6},
                    **{"median": 4.0, "min": 3.0, "max": 6.0},
                }
                if len(values) < 3:
                    block["values"] = "; ".join(str(value) for value in values)
                out.add(
                    "summary",
                    block,
                    dataset="ADPP",
                    variable=code,
                    analyte=analyte,
                    by=by,
                    unit="d",
                    n=len(values),
                )
    return out.frame()


@pytest.fixture
def table(context_for: Draw, settings: dict[str, Any]) -> Table:
    context = context_for(results(), settings, by=["dose"], parameters=PARAMETERS)
    drawn = draw_phases(context)
    assert isinstance(drawn, Table)
    return drawn


def test_sequences_of_phases_are_counted_the_most_frequent_first(table: Table) -> None:
    rows = texts(table)
    assert [column.label for column in table.columns[2:]] == ["DL1", "DL2", "All"]
    # Six subjects: three with all phases, one still rising, one without a late phase.
    assert rows[2:6] == [
        ["DECP", "", "2 (100.0)", "1 (33.3)", "3 (60.0)"],
        ["E", "", "0 (0.0)", "1 (33.3)", "1 (20.0)"],
        ["EC", "", "0 (0.0)", "1 (33.3)", "1 (20.0)"],
        ["none found", "", "0 (0.0)", "1 (25.0)", "1 (16.7)"],
    ]


def test_missing_phases_stand_with_their_reasons(table: Table) -> None:
    rows = [row for row in texts(table) if row[0]]
    start = next(i for i, row in enumerate(rows) if row[0] == "contraction not found")
    assert rows[start] == ["contraction not found", "", "0 / 2", "2 / 4", "2 / 6"]
    reasons = {row[0]: row[2:] for row in rows[start + 1 : start + 3]}
    assert reasons == {
        "still rising at the last quantifiable sample": ["0", "1", "1"],
        "all results below the limit of quantitation": ["0", "1", "1"],
    }


def test_a_half_life_stands_with_its_number_and_its_window(table: Table) -> None:
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["contraction, t1/2 (d)"][1:] == ["4.16 (36) [3]"] * 3
    assert rows["contraction, start (d)"][1:] == ["4.00 (3.00, 6.00) [3]"] * 3
    assert table.subjects == 6


def test_half_lives_of_short_phases_are_counted_below(table: Table) -> None:
    rows = texts(table)
    place = next(i for i, row in enumerate(rows) if row[0].startswith("persistence, t1/2"))
    # All three courses with a slow phase cover 1.4 of its half-lives; none is level.
    short = "shorter than the number of half-lives that a terminal window must span"
    assert rows[place + 1] == [short, "n", "2", "1", "3"]
    contraction = next(i for i, row in enumerate(rows) if row[0].startswith("contraction, t1/2"))
    assert rows[contraction + 1][0] == "contraction, start (d)"


def test_one_or_two_values_are_listed(context_for: Draw, settings: dict[str, Any]) -> None:
    options = {"by": ["indication", "response"], "parameters": PARAMETERS}
    drawn = draw_phases(context_for(results((3.0, 6.0)), settings, **options))
    assert isinstance(drawn, Table)
    rows = {row[0]: row[1:] for row in texts(drawn)}
    assert rows["contraction, t1/2 (d)"][1:] == ["[3.00; 6.00]"] * 5
    heads = [(column.group, column.label) for column in drawn.columns[2:]]
    assert heads[0] == ("Indication", "NHL") and heads[-1] == ("", "All")
    assert "Fewer than three values" in drawn.footnotes[0]


def test_the_listing_has_every_phase_of_the_primary_analyte_with_its_reason(
    context_for: Draw, settings: dict[str, Any]
) -> None:
    columns = ["USUBJID", "PHASE", "PHHL", "PHRSN"]
    context = context_for(results(), settings, datasets={"ADPH": make_adph()}, columns=columns)
    listing = draw_phase_listing(context)
    assert isinstance(listing, Table) and len(listing.rows) == 24
    # The footnote of its assay says which analyte is listed, and in which unit.
    assert listing.analytes == ("PCR",)
    last = [cell.text for cell in listing.rows[-1].cells]
    assert last == ["S-006", "persistence", "", "all results below the limit of quantitation"]
    empty = context_for(results(), settings, datasets={"ADPH": empty_dataset("ADPH")})
    assert draw_phase_listing(empty) == NotShown("NOTCOLL")


def test_subjects_are_chosen_at_even_ranks_of_the_residual_sd() -> None:
    fits = pd.DataFrame(
        {"USUBJID": [f"{n:02d}" for n in range(25)], "RESSD": np.arange(25.0)[::-1]}
    )
    chosen = choose_by_spread(fits, 12)
    assert len(chosen) == 12
    assert (chosen["RESSD"].iloc[0], chosen["RESSD"].iloc[-1]) == (0.0, 24.0)
    assert chosen["RESSD"].is_monotonic_increasing and chosen["RESSD"].is_unique
    assert len(choose_by_spread(fits.head(3), 12)) == 3


def test_the_figure_holds_the_samples_and_the_knots_of_the_lines(
    context_for: Draw, settings: dict[str, Any]
) -> None:
    datasets = {"ADPH": make_adph(), "ADPC": make_adpc()}
    context = context_for(results(), settings, datasets=datasets)
    context = Context(**{**vars(context), "curves": make_phase_lines()})
    figure = draw_phase_fits(context)
    assert isinstance(figure, Figure) and figure.subjects == 5 and len(figure.pages) == 1
    knots = figure.data[(figure.data["KIND"] == "KNOT") & (figure.data["USUBJID"] == "S-001")]
    assert knots["DAY"].tolist() == pytest.approx([0.04, 3, 9, 28, 360])
    assert knots["VALUE"].tolist() == pytest.approx([2000, 60, 24000, 400, 150])
    assert "S-006" not in set(figure.data["USUBJID"])
    without = context_for(results(), settings, datasets={"ADPH": empty_dataset("ADPH")})
    assert draw_phase_fits(without) == NotShown("NOTCOLL")
